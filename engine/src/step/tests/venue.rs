//! What a venue outside says of orders that are not known, of what it holds, and too late.

mod answers;
mod full;

use model::page::{TapeKind, TapeRecord};
use model::{
    Announced, Ask, ClientOrderId, DeskId, HaltLevel, HaltScope, Holder, Link, Money, Note,
    OrderState, OrderType, Origin, Reject, Report, ReportKind, Request, Terms, Tif,
};

use super::*;
use crate::config::VenueConfig;
use crate::gateway::Send;

const TIMEOUT_NS: u64 = 1_000_000;
const ACCOUNT: AccountId = AccountId(1);
const AAPL: InstrumentId = InstrumentId(0);

/// A bench whose orders go outside, reconciled, and what it was asked to send.
struct Outside {
    bench: Bench,
    sent: Vec<Send>,
    tape: Vec<TapeRecord>,
    names: u64,
    /// Who asks.
    origin: Origin,
}

impl Outside {
    fn new(executions: u32) -> Outside {
        Outside::with(executions, |engine| engine.strategies.clear())
    }

    /// The same with another configuration.
    fn with(executions: u32, change: impl FnOnce(&mut EngineConfig)) -> Outside {
        let mut bench = Bench::with(Venue::DatabentoMbo, |engine| {
            engine.capacity.own_orders = 16;
            engine.mode = Mode::Live;
            engine.venue =
                Some(VenueConfig::plain(TIMEOUT_NS, executions, ([127, 0, 0, 1], 9).into()));
            change(engine);
        });
        bench.engine.rules.triggers.venue_session = None;
        let (sent, tape, origin) = (Vec::new(), Vec::new(), Origin::File);
        let mut outside = Outside { bench, sent, tape, names: 0, origin };
        outside.bench.add(1, Side::Buy, 99, LAST);
        outside.bench.add(2, Side::Sell, 100, LAST);
        outside.say(Body::Control(Control::ReconcileBegin));
        outside.say(Body::Control(Control::ReconcileEnd { round: 1, orders: 0 }));
        outside.sent.clear();
        outside
    }

    fn say(&mut self, body: Body) {
        self.bench.seq += 1;
        let now = Ts(self.bench.engine.now().0.max(self.bench.seq * 1_000));
        self.say_at(now, body);
    }

    fn say_at(&mut self, now: Ts, body: Body) {
        let input = Input { seq: self.bench.seq, now, body };
        self.bench.engine.step(&input, &mut self.bench.out, &mut ());
        self.sent.append(&mut self.bench.out.sends);
        self.bench.out.sends.reserve(1_024);
        self.tape.extend(&self.bench.out.tape);
        self.bench.out.forget();
    }

    /// A buy of five for the day; its number, or why not.
    fn order(&mut self) -> Result<OrderId, Reject> {
        self.order_of(Side::Buy, 5)
    }

    fn order_of(&mut self, side: Side, qty: i64) -> Result<OrderId, Reject> {
        self.order_with(side, qty, Tif::Day, None)
    }

    /// A buy of five for as long as `tif` says.
    fn order_for(&mut self, tif: Tif) -> Result<OrderId, Reject> {
        self.order_with(Side::Buy, 5, tif, None)
    }

    /// A buy of five in a basket.
    fn leg(&mut self, number: u64) -> Result<OrderId, Reject> {
        self.order_with(Side::Buy, 5, Tif::Day, Some(Link::Basket(number)))
    }

    fn order_with(
        &mut self,
        side: Side,
        qty: i64,
        tif: Tif,
        link: Option<Link>,
    ) -> Result<OrderId, Reject> {
        self.names += 1;
        let away = self.names as i64 * 10_000_000;
        let px = if side == Side::Buy { 99_000_000_000 - away } else { 100_000_000_000 + away };
        let terms = Terms {
            conditions: model::Conditions { link, ..model::Conditions::NONE },
            client_id: ClientOrderId::new(&format!("o{}", self.names)).unwrap(),
            instrument: AAPL,
            side,
            order_type: OrderType::Limit,
            tif,
            px: Px(px),
            qty: Qty(qty),
        };
        self.ask(Ask::New(terms))
    }

    /// A stop that waits in the engine.
    fn stop(&mut self) -> OrderId {
        self.stop_at(OrderType::Stop, Px(0))
    }

    /// The same of another type, with its limit.
    fn stop_at(&mut self, order_type: OrderType, px: Px) -> OrderId {
        self.bench.say(Kind::Trade, 0, LAST);
        self.names += 1;
        let terms = Terms {
            conditions: model::Conditions {
                stop_px: Px(101_000_000_000),
                ..model::Conditions::NONE
            },
            client_id: ClientOrderId::new(&format!("o{}", self.names)).unwrap(),
            instrument: AAPL,
            side: Side::Buy,
            order_type,
            tif: Tif::Day,
            px,
            qty: Qty(5),
        };
        self.ask(Ask::New(terms)).unwrap()
    }

    fn ask(&mut self, ask: Ask) -> Result<OrderId, Reject> {
        let (origin, note) = (self.origin, Note::default());
        let request = Request { id: 1, origin, account: ACCOUNT, ask, note };
        self.bench.seq += 1;
        let now = Ts(self.bench.seq * 1_000);
        let input = Input { seq: self.bench.seq, now, body: Body::Request(request) };
        self.bench.engine.step(&input, &mut self.bench.out, &mut ());
        let answer = self.bench.out.answer.take().unwrap();
        self.sent.append(&mut self.bench.out.sends);
        self.bench.out.sends.reserve(1_024);
        answer.verdict.primary.map_or(Ok(answer.order), |finding| Err(finding.code))
    }

    fn fill(&mut self, order: OrderId, exec_id: u64, qty: i64) -> Report {
        let holder = Some(Holder { account: ACCOUNT, instrument: AAPL, side: Side::Buy });
        let fill = Report::of(ReportKind::Fill, order);
        let fill = Report { exec_id, holder, px: Px(99_000_000_000), qty: Qty(qty), ..fill };
        self.say(Body::Report(fill));
        fill
    }

    fn state(&self, order: OrderId) -> OrderState {
        self.bench.engine.orders().get(order).unwrap().state
    }

    fn updated(&self, order: OrderId) -> Ts {
        self.bench.engine.orders().get(order).unwrap().ts_updated
    }

    /// The last record of this kind.
    fn told(&self, kind: TapeKind) -> Option<&TapeRecord> {
        self.tape.iter().rfind(|record| record.kind == kind)
    }

    fn held(&self) -> i64 {
        self.bench.engine.risk().position(ACCOUNT, AAPL).0
    }

    fn halts(&self) -> [HaltLevel; 2] {
        let level = |scope| self.bench.engine.risk().halt(scope).unwrap();
        [level(HaltScope::All), level(HaltScope::Account(ACCOUNT))]
    }
}

const FREE: HaltLevel = HaltLevel::Active;

/// Goal: a fill of an order that was never ours counts and halts its account; one that does not say whose halts all. Method:
/// both, the first told twice.
#[test]
fn fills_of_strangers_count() {
    let mut venue = Outside::new(8);
    let stranger = OrderId::new(7, 9);
    venue.fill(stranger, 1, 3);
    venue.fill(stranger, 1, 3);
    assert_eq!((venue.held(), venue.halts()), (3, [FREE, HaltLevel::Halted]));
    let told = *venue.told(TapeKind::OverFill).unwrap();
    assert_eq!((told.account, told.instrument, told.side), (ACCOUNT, AAPL, Some(Side::Buy)));
    assert_eq!((told.order, told.px, told.qty), (stranger, Px(99_000_000_000), Qty(3)));
    assert_eq!(told.aux, 1, "the execution");
    venue.say(Body::Report(Report { exec_id: 2, ..Report::of(ReportKind::Fill, stranger) }));
    assert_eq!(venue.halts()[0], HaltLevel::Halted);
}

/// Goal: an order at the venue that was never ours halts and is cancelled, also where nobody knows whose it is; word of one
/// that we know to have ended is old. Method: restatements of both.
#[test]
fn strangers_are_cancelled() {
    let mut venue = Outside::new(8);
    let order = venue.order().unwrap();
    venue.say(Body::Report(Report::of(ReportKind::Rejected, order)));
    let holder = Some(Holder { account: ACCOUNT, instrument: AAPL, side: Side::Buy });
    let restated = |order| Report { holder, ..Report::of(ReportKind::Restated, order) };
    venue.sent.clear();
    venue.say(Body::Report(restated(order)));
    assert_eq!((venue.sent.len(), venue.halts()), (0, [FREE; 2]));
    venue.say(Body::Report(restated(OrderId::new(7, 9))));
    assert_eq!(venue.sent, [Send::Cancel(OrderId::new(7, 9), 0)]);
    assert_eq!(venue.halts(), [FREE, HaltLevel::Halted]);
    venue.sent.clear();
    let unowned = OrderId::new(7, 10);
    for order in [OrderId(0), unowned] {
        venue.say(Body::Report(Report::of(ReportKind::Restated, order)));
        assert_eq!(venue.halts()[0], HaltLevel::Halted);
    }
    assert_eq!(venue.sent, [Send::Cancel(unowned, 0)], "nobody else would");
}

/// Goal: a position that is not ours halts the account. Method: the same number, then another.
#[test]
fn positions_are_compared() {
    let mut venue = Outside::new(8);
    let order = venue.order().unwrap();
    venue.fill(order, 1, 2);
    let holder = Some(Holder { account: ACCOUNT, instrument: AAPL, side: Side::Buy });
    let position = Report { holder, ..Report::of(ReportKind::Position, OrderId(0)) };
    venue.say(Body::Report(Report { qty: Qty(2), ..position }));
    assert_eq!(venue.halts(), [FREE; 2]);
    venue.say(Body::Report(Report { qty: Qty(3), ..position }));
    assert_eq!(venue.halts(), [FREE, HaltLevel::Halted]);
    let told = venue.told(TapeKind::Mismatch).unwrap();
    assert_eq!((told.account, told.instrument), (ACCOUNT, AAPL));
    assert_eq!((told.qty, told.aux), (Qty(3), 2), "the venue's, and ours");
}

/// Goal: without room for executions nothing new is sent, and one that comes all the same is booked and halts. Method: room
/// for two; three come.
#[test]
fn executions_need_room() {
    let mut venue = Outside::new(2);
    let order = venue.order().unwrap();
    venue.fill(order, 1, 1);
    assert!(venue.order().is_ok());
    venue.fill(order, 2, 1);
    assert_eq!(venue.order(), Err(Reject::Capacity));
    assert_eq!(venue.halts(), [FREE; 2]);
    venue.fill(order, 3, 1);
    assert_eq!((venue.held(), venue.halts()), (3, [FREE, HaltLevel::Halted]));
}

/// Goal: a trade taken back before it was told comes to nothing, whichever comes first, and only what reduces passes then.
/// Method: bust before fill, bust after fill, each twice.
#[test]
fn busts_come_in_any_order() {
    for bust_first in [true, false] {
        let mut venue = Outside::new(8);
        let order = venue.order().unwrap();
        let fill = Report {
            exec_id: 1,
            px: Px(99_000_000_000),
            qty: Qty(2),
            ..Report::of(ReportKind::Fill, order)
        };
        let bust = Report { kind: ReportKind::Bust, ..fill };
        let both = if bust_first { [bust, bust, fill, fill] } else { [fill, fill, bust, bust] };
        both.into_iter().for_each(|report| venue.say(Body::Report(report)));
        assert_eq!((venue.held(), venue.halts()), (0, [FREE, HaltLevel::ReduceOnly]));
        let record = *venue.bench.engine.orders().get(order).unwrap();
        assert_eq!((record.leaves(), record.notional_filled), (Qty(3), model::Money::ZERO));
    }
}

/// Goal: a trade from before a split, taken back after it, moves no position by its old units: its account stops. Method: two
/// bought, split three for one, and the trade taken back.
#[test]
fn a_bust_of_before_a_split_stops() {
    let mut venue = Outside::new(8);
    let order = venue.order_of(Side::Buy, 2).unwrap();
    venue.fill(order, 1, 2);
    let aux = TradingState::Halted.code().into();
    venue.bench.take(Event { aux, number: NUMBER, ..Event::empty(Kind::State) });
    let (symbol, (operator, note)) = (Symbol::new("AAPL").unwrap(), Default::default());
    venue.say(Body::Control(Control::Split { symbol, num: 3, den: 1, operator, note }));
    assert_eq!((venue.held(), venue.halts()), (6, [FREE; 2]));
    let bust = Report {
        exec_id: 1,
        px: Px(99_000_000_000),
        qty: Qty(2),
        ..Report::of(ReportKind::Bust, order)
    };
    venue.say(Body::Report(bust));
    assert_eq!((venue.held(), venue.halts()), (6, [FREE, HaltLevel::Halted]));
    assert!(venue.told(TapeKind::Mismatch).is_some());
}

/// Goal: an answer is overdue at its deadline and not before; the order stays reserved and is asked for, and an answer ends
/// the doubt. Method: a timer a nanosecond before and at the deadline.
#[test]
fn overdue_at_the_deadline() {
    let mut venue = Outside::new(8);
    let order = venue.order().unwrap();
    let due = venue.bench.engine.now().0 + TIMEOUT_NS;
    venue.sent.clear();
    venue.say_at(Ts(due - 1), Body::Timer);
    assert_eq!((venue.state(order), venue.sent.len()), (OrderState::PendingNew, 0));
    venue.say_at(Ts(due), Body::Timer);
    assert_eq!(
        (venue.state(order), &*venue.sent),
        (OrderState::Unknown, &[Send::Status(order)][..])
    );
    let open = venue.bench.engine.orders().get(order).unwrap().reservation.open();
    assert_eq!(open, Qty(5), "still reserved");
    venue.say(Body::Report(Report::of(ReportKind::Ack, order)));
    assert_eq!(venue.state(order), OrderState::Working);
    venue.sent.clear();
    venue.say_at(Ts(due + 10 * TIMEOUT_NS), Body::Timer);
    assert_eq!(venue.sent, [], "nothing is awaited");
}

/// Goal: a lost session stops new orders until everything is known. Method: cut it, reconcile with a wrong count, with
/// another round's end, then rightly, without a word of the order that never arrived.
#[test]
fn nothing_new_before_reconciliation() {
    let mut venue = Outside::new(8);
    let order = venue.order().unwrap();
    venue.say(Body::Control(Control::VenueSession(false)));
    assert_eq!(
        (venue.state(order), venue.order()),
        (OrderState::Unknown, Err(Reject::Reconciling))
    );
    venue.say(Body::Control(Control::VenueSession(true)));
    for (round, orders) in [(2, 1), (3, 0)] {
        venue.say(Body::Control(Control::ReconcileBegin));
        venue.say(Body::Control(Control::ReconcileEnd {
            round: round - u32::from(round == 3),
            orders,
        }));
        assert_eq!(venue.order(), Err(Reject::Reconciling));
    }
    venue.say(Body::Control(Control::ReconcileEnd { round: 3, orders: 0 }));
    assert_eq!(venue.state(order), OrderState::Rejected, "it never arrived");
    assert!(venue.order().is_ok());
}

/// Goal: nothing is sent that the venue was not confirmed to do, and the configuration says what was. Method: fill or kill at a
/// venue of which nothing is confirmed, everything else, and everything.
#[test]
fn nothing_unconfirmed_is_sent() {
    let [(_, fok), ..] = OrderFeatures::CONFIRMABLE;
    let others = OrderFeatures::MOST.without(fok);
    for (confirmed, passes) in
        [(OrderFeatures::NONE, false), (others, false), (OrderFeatures::MOST, true), (fok, true)]
    {
        let mut venue = Outside::with(8, |engine| {
            engine.strategies.clear();
            engine.venue = engine.venue.take().map(|venue| VenueConfig { confirmed, ..venue });
        });
        let said = venue.order_for(Tif::Fok);
        assert_eq!(said.err(), (!passes).then_some(Reject::Unsupported), "{confirmed:?}");
        assert_eq!(venue.sent.len(), usize::from(passes));
        for tif in [Tif::Day, Tif::Ioc] {
            assert!(venue.order_for(tif).is_ok(), "plain orders always are");
        }
        assert_eq!(venue.order_for(Tif::Gtc), Err(Reject::Unsupported));
    }
}

/// Goal: no strategy goes on asking while nothing can reach the venue: neither while its session is gone, nor in an engine that
/// was asked to stop. Method: a probe that asks at every trade, and trades; in between a session that goes, comes and is
/// reconciled, and a stop.
#[test]
fn strategies_wait_for_the_venue() {
    let mut venue = Outside::with(8, |_| ());
    let asked = |venue: &mut Outside| {
        let before = venue.bench.asked().1;
        venue.bench.say(Kind::Trade, 0, LAST);
        venue.bench.asked().1 - before
    };
    let say = |venue: &mut Outside, control| venue.say(Body::Control(control));
    assert_eq!(asked(&mut venue), 1);
    say(&mut venue, Control::VenueSession(false));
    assert_eq!(asked(&mut venue), 0);
    say(&mut venue, Control::VenueSession(true));
    assert_eq!(asked(&mut venue), 0);
    say(&mut venue, Control::ReconcileBegin);
    assert_eq!(asked(&mut venue), 0);
    say(&mut venue, Control::ReconcileEnd { round: 2, orders: 0 });
    assert_eq!(asked(&mut venue), 1);
    say(&mut venue, Control::Stopping);
    assert_eq!(asked(&mut venue), 0);
}

/// Goal: an engine that was asked to stop cancels what is open, once, and again what the venue refused to; it lets nothing new
/// pass, which is no storm of refusals, and the next run does. Method: an order that works, one that is not answered, a cancel
/// that is refused; the run after.
#[test]
fn a_stop_lets_nothing_new_pass() {
    let mut venue = Outside::new(8);
    let orders = [venue.order().unwrap(), venue.order().unwrap()];
    venue.say(Body::Report(Report::of(ReportKind::Ack, orders[0])));
    venue.sent.clear();
    assert!(!venue.bench.engine.is_stopping());
    venue.say(Body::Control(Control::Stopping));
    assert!(venue.bench.engine.is_stopping());
    assert_eq!(venue.sent, orders.map(|order| Send::Cancel(order, 1)));
    assert_eq!(venue.order(), Err(Reject::Halted));
    venue.say(Body::Report(Report {
        change: 1,
        ..Report::of(ReportKind::CancelRejected, orders[0])
    }));
    venue.sent.clear();
    venue.say(Body::Control(Control::Stopping));
    assert_eq!(venue.sent, [Send::Cancel(orders[0], 2)]);
    (0..100).for_each(|_| assert_eq!(venue.order(), Err(Reject::Halted)));
    assert_eq!(venue.halts(), [FREE; 2], "nobody has to resume it");
    let full = venue.bench.engine.full_hash();
    venue.bench.engine.stopping = false;
    assert_ne!(venue.bench.engine.full_hash(), full);
    venue.bench.engine.stopping = true;

    let later = Ts(venue.bench.engine.now().0 + 1_000_000_000); // Refused or not, they counted in the rate.
    venue.say_at(later, Body::Control(Control::Restarted { epoch: 1 }));
    assert!(!venue.bench.engine.is_stopping());
    assert_eq!(venue.order(), Err(Reject::Reconciling));
}

/// Goal: no leg leaves before all have come; then all do, in one input and in the order in which they came. A basket that is not
/// complete when the session is lost is stopped by the gate, one that the engine did not live to complete is cancelled; nothing
/// of either was sent, and no basket is taken until everything is known. Method: each, and a whole one after the reconciliation.
#[test]
fn baskets_leave_whole() {
    let basket = |number| {
        Ask::Basket(Announced { number, legs: 3, money: Money(2_000 * 1_000_000_000_000) })
    };
    let mut venue = Outside::with(8, |engine| {
        engine.strategies.clear();
        engine.capacity.own_orders = 3; // And no more.
    });
    venue.ask(basket(1)).unwrap();
    let legs = [venue.leg(1).unwrap(), venue.leg(1).unwrap()];
    assert_eq!((venue.sent.len(), venue.state(legs[0])), (0, OrderState::Held));
    venue.say(Body::Control(Control::VenueSession(false)));
    assert_eq!(venue.state(legs[0]), OrderState::Held, "it is not in doubt: no venue knows of it");
    assert_eq!(venue.leg(1), Err(Reject::Reconciling));
    assert_eq!(legs.map(|order| venue.state(order)), [OrderState::Cancelled; 2]);
    assert_eq!(venue.ask(basket(2)), Err(Reject::Reconciling));
    venue.say(Body::Control(Control::ReconcileBegin));
    venue.say(Body::Control(Control::ReconcileEnd { round: 2, orders: 0 }));

    venue.ask(basket(2)).unwrap();
    let legs = [venue.leg(2).unwrap(), venue.leg(2).unwrap()];
    venue.say(Body::Control(Control::Restarted { epoch: 3 }));
    assert_eq!(legs.map(|order| venue.state(order)), [OrderState::Cancelled; 2]);
    assert!(venue.leg(2).is_err());
    assert!(!venue.sent.iter().any(|sent| matches!(sent, Send::New(_))));
    venue.say(Body::Control(Control::ReconcileBegin));
    venue.say(Body::Control(Control::ReconcileEnd { round: 3, orders: 0 }));
    let page = venue.bench.engine.risk().account_page(ACCOUNT, Default::default(), Ts(0)).unwrap();
    assert_eq!((page.open_orders, page.reserved), (0, Money::ZERO));

    venue.ask(basket(2)).unwrap();
    venue.sent.clear();
    let first = [venue.leg(2).unwrap(), venue.leg(2).unwrap()];
    assert_eq!(venue.sent, []);
    let last = venue.leg(2).unwrap();
    let sent = venue.sent.iter().map(|sent| match sent {
        Send::New(cleared) => cleared.order().id,
        other => panic!("{other:?}"),
    });
    assert_eq!(sent.collect::<Vec<_>>(), [first[0], first[1], last]);
    assert_eq!(venue.state(last), OrderState::PendingNew);
}
