use feeds::session::soup::Login;
use model::{
    AccountId, ClientOrderId, Conditions, Currency, Holder, InstrumentId, OrderId, OrderType,
    Origin, Px, Qty, Report, ReportKind, Side, Symbol,
};

use super::*;

mod sends;

const NOW: Ts = Ts(1_790_000_000_000_000_000);

/// A gateway, and a venue that says what a test wants.
struct Rig {
    ouch: Ouch,
    now: Ts,
    session: &'static str,
    sent: Vec<u8>,
}

fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(3),
        symbol: Symbol::new("AAPL").unwrap(),
        px_decimals: 4,
        currency: Currency::default(),
        ..Instrument::default()
    }
}

fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 1).to_be_bytes();
    [&length[..], &[kind], payload].concat()
}

fn login_accepted(session: &str, next: u64) -> Vec<u8> {
    packet(b'A', format!("{session}{next:>20}").as_bytes())
}

fn message(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let time = 1_000_u64.to_be_bytes();
    packet(b'S', &[&[kind][..], &time, &fields.concat()].concat())
}

fn accepted(order: OrderId, refnum: u32, qty: u32) -> Vec<u8> {
    let (refnum, qty, px) = (refnum.to_be_bytes(), qty.to_be_bytes(), 10_000_u64.to_be_bytes());
    let name = Name::of(order, 0).0;
    let number = [0; 8];
    message(b'A', &[&refnum, b"B", &qty, b"AAPL    ", &px, b"0Y", &number, b"ANNL", &name, &[0, 0]])
}

fn executed(refnum: u32, qty: u32, number: u64) -> Vec<u8> {
    let (refnum, qty, px) = (refnum.to_be_bytes(), qty.to_be_bytes(), 10_000_u64.to_be_bytes());
    message(b'E', &[&refnum, &qty, &px, b"A", &number.to_be_bytes(), &[0, 0]])
}

fn queried(next: u32) -> Vec<u8> {
    message(b'Q', &[&next.to_be_bytes()])
}

impl Rig {
    fn new(known: Vec<Known>) -> Rig {
        let login = Login::new("t", "").unwrap();
        let mut ouch = Ouch::new(Options::new(login, vec![None, None], 4), known);
        ouch.list(instrument());
        Rig { ouch, now: NOW, session: "SESSION001", sent: Vec::new() }
    }

    /// Does what the gateway wants until it waits; whether it asked for a connection.
    fn turn(&mut self) -> bool {
        let mut opens = false;
        while let Some(action) = self.ouch.next_action() {
            match action {
                Action::Open => opens = true,
                Action::Send(frame) => self.sent.extend_from_slice(frame.bytes()),
                Action::Close => {}
            }
        }
        opens
    }

    fn says(&mut self, bytes: &[u8]) {
        self.ouch.on_bytes(bytes, self.now);
        self.turn();
    }

    /// Connects twice: to ask, and to hear. What was said before is `said`.
    fn connects(&mut self, said: &[Vec<u8>], next: u64) {
        self.now = Ts(self.now.0 + 60_000_000_000);
        self.ouch.on_time(self.now);
        assert!(self.turn(), "no connection asked for");
        self.ouch.on_opened(self.now);
        self.turn();
        self.ouch.on_bytes(&login_accepted(self.session, next), self.now);
        assert!(self.turn(), "no second connection");
        self.ouch.on_opened(self.now);
        self.turn();
        let asked = self.ouch.next;
        self.ouch.on_bytes(&login_accepted(self.session, asked), self.now);
        said.iter().for_each(|bytes| self.says(bytes));
    }

    fn told(&mut self) -> Vec<Told> {
        std::iter::from_fn(|| self.ouch.next_told()).collect()
    }

    fn reports(&mut self) -> Vec<Report> {
        let report = |told| match told {
            Told::Report(report) => Some(report),
            Told::Control(_) => None,
        };
        self.told().into_iter().filter_map(report).collect()
    }

    /// Bytes of queries that were sent since the last look.
    fn queries(&mut self) -> usize {
        let query = [0, 4, b'U', b'Q', 0, 0];
        let sent = std::mem::take(&mut self.sent);
        sent.windows(query.len()).filter(|window| *window == query).count()
    }
}

const ORDER: OrderId = OrderId(1 << 20);

/// Goal: a gateway that begins is up when it has heard all that was said before, tells all of it, and knows whose it is; then a
/// query settles where everything stands. Method: a session of an order and its fill, from the start.
#[test]
fn hears_from_the_start() {
    let mut rig = Rig::new(vec![Known {
        order: ORDER,
        account: AccountId(1),
        asked: 7,
        standing: Standing::Works,
    }]);
    rig.connects(&[message(b'S', &[b"S"]), accepted(ORDER, 5, 100)], 4);
    assert!(!rig.ouch.is_up(), "one message is missing");
    rig.says(&executed(5, 40, 1));
    assert!(rig.ouch.is_up());
    let told = rig.told();
    assert_eq!(told.last(), Some(&Told::Control(Control::VenueSession(true))));
    let Told::Report(fill) = told[1] else { panic!("{told:?}") };
    let (account, instrument, side) = (AccountId(1), InstrumentId(3), Side::Buy);
    assert_eq!((fill.kind, fill.order, fill.qty), (ReportKind::Fill, ORDER, Qty(40)));
    assert_eq!(fill.holder, Some(Holder { account, instrument, side }));
    assert_eq!(fill.exec_id, began_at(1_000, rig.now) << 32 | 3, "its begin and sequence");
    rig.queries();
    rig.ouch.send(Send::Reconcile(9), rig.now);
    rig.turn();
    assert_eq!(rig.queries(), 1);
    rig.says(&queried(8));
    assert_eq!((rig.told().len(), rig.queries()), (0, 1), "message 4 may have been said before");
    rig.says(&queried(8));
    let told = rig.told();
    let Told::Report(stands) = told[0] else { panic!("{told:?}") };
    assert_eq!((stands.kind, stands.change), (ReportKind::Restated, 7), "all that was asked");
    assert_eq!((stands.px, stands.qty, stands.cum), (Px(10_000), Qty(100), Some(Qty(40))));
    let end = Control::ReconcileEnd { round: 9, orders: 1 };
    assert_eq!((stands.exec_id, told[1]), (9, Told::Control(end)));
    assert_eq!(rig.ouch.book.next_ref(), Some(8));
}

/// Goal: orders that worked in a session that is over halt their accounts, once: what became of them is nobody's to say.
/// Method: a start with one that the session does not name, then another session.
#[test]
fn sessions_that_end_with_orders_open() {
    let other = OrderId(2 << 20);
    let known =
        |order, account, standing| Known { order, account: AccountId(account), asked: 0, standing };
    let began = began_at(1_000, Ts(NOW.0 + 60_000_000_000)) * 1_000_000_000;
    let mut rig = Rig::new(vec![
        known(ORDER, 1, Standing::Works),
        known(other, 0, Standing::Works),
        known(OrderId(3 << 20), 2, Standing::Ended),
        known(OrderId(4 << 20), 3, Standing::Sent(Ts(began + 1_000_000_000))),
        known(OrderId(5 << 20), 4, Standing::Sent(Ts(began))),
    ]);
    rig.connects(&[accepted(ORDER, 1, 10)], 2);
    let halted = |rig: &mut Rig| {
        let halts = rig.told().into_iter().filter_map(|told| match told {
            Told::Control(Control::Halt { scope, level, .. }) => Some((scope, level)),
            _ => None,
        });
        halts.collect::<Vec<_>>()
    };
    let halt = |account| (HaltScope::Account(AccountId(account)), HaltLevel::Halted);
    assert_eq!(halted(&mut rig), [halt(0), halt(4)], "what was sent since it began never came");
    for (name, wanted) in [("SESSION002", vec![halt(1)]), ("SESSION003", vec![])] {
        rig.ouch.on_closed(rig.now);
        rig.session = name;
        rig.connects(&[], 1);
        assert_eq!((halted(&mut rig), rig.ouch.is_up()), (wanted, true), "{name}");
    }
}

/// Goal: an order that was sent and of which nothing is known halts its account when the session is over; one that never came,
/// as the answer to a query says, does not. Method: an order without an answer; a query behind it, or none; another session.
#[test]
fn what_never_came_halts_nothing() {
    for (asks, halts) in [(true, 0), (false, 1)] {
        let mut rig = Rig::new(Vec::new());
        rig.connects(&[message(b'S', &[b"S"])], 2);
        rig.ouch.enter(&order(Tif::Day, Conditions::NONE));
        if asks {
            rig.ouch.send(Send::Reconcile(1), rig.now);
            (0..2).for_each(|_| rig.says(&queried(2))); // The first may have been said before.
        }
        rig.told();
        rig.ouch.on_closed(rig.now);
        rig.session = "SESSION002";
        rig.connects(&[], 1);
        let halted = |told: &Told| matches!(told, Told::Control(Control::Halt { .. }));
        assert_eq!(rig.told().iter().filter(|told| halted(told)).count(), halts, "{asks}");
    }
}

/// Goal: the answer to a query of a lost connection settles nothing, also where the venue names its most recent message as the
/// next one. Method: a connection that is lost with a query under way, whose answer is that message.
#[test]
fn late_answers_settle_nothing() {
    let mut rig = Rig::new(Vec::new());
    rig.connects(&[message(b'S', &[b"S"])], 2);
    rig.ouch.send(Send::Reconcile(1), rig.now);
    rig.turn();
    rig.ouch.on_closed(rig.now);
    assert_eq!(rig.told().last(), Some(&Told::Control(Control::VenueSession(false))));
    // The answer is message 2, and "the next one" is said to be message 2.
    rig.connects(&[], 2);
    assert!(rig.ouch.is_up());
    rig.ouch.send(Send::Reconcile(2), rig.now);
    rig.turn();
    rig.queries();
    rig.told();
    rig.says(&queried(1));
    assert!(rig.told().is_empty(), "this may be the old answer");
    assert_eq!(rig.queries(), 1, "asked again");
    rig.says(&queried(1));
    let end = Control::ReconcileEnd { round: 2, orders: 0 };
    assert_eq!(rig.told(), [Told::Control(end)]);
}

/// Goal: a status of an order that the venue never took is answered behind everything that was sent before it. Method: a status
/// with and without the order.
#[test]
fn status() {
    let mut rig = Rig::new(Vec::new());
    rig.connects(&[accepted(ORDER, 1, 10)], 2);
    let other = OrderId(2 << 20);
    for order in [ORDER, other] {
        rig.ouch.send(Send::Status(order), rig.now);
    }
    rig.told();
    (0..3).for_each(|_| rig.says(&queried(2))); // The first may have been said before.
    let reports = rig.reports();
    assert_eq!((reports[0].kind, reports[0].order), (ReportKind::Restated, ORDER));
    assert_eq!((reports[1].kind, reports[1].order), (ReportKind::NotFound, other));
}

/// Goal: an order stands where the venue said last, which is told if it is not what was sent; a change is dealt with by its
/// own answer, or that of a later query. Method: an order taken with fewer shares, changed, refused, shortened and ended;
/// another that is refused, and one that is never answered.
#[test]
fn stands_where_the_venue_says() {
    use ReportKind::*;
    let bytes = |number: u32| number.to_be_bytes();
    let replaced = |old: u32, refnum: u32, change, qty: u32, state: &[u8]| {
        let (px, name) = (10_000_u64.to_be_bytes(), Name::of(ORDER, change).0);
        let fields: [&[u8]; 7] = [&bytes(qty), b"AAPL    ", &px, b"0Y", &[0; 8], b"ANN", state];
        message(b'U', &[&bytes(old), &bytes(refnum), b"B", &fields.concat(), &name, &[0, 0]])
    };
    let rejected = |refnum: u32, change| {
        message(b'J', &[&bytes(refnum), &[0, 1], &Name::of(ORDER, change).0, &[0, 0]])
    };
    let told = |rig: &mut Rig| {
        let reports = rig.reports();
        reports.iter().map(|told| (told.kind, told.qty.0, told.change)).collect::<Vec<_>>()
    };
    let entered = || {
        let mut rig = Rig::new(Vec::new());
        rig.connects(&[], 1);
        rig.told();
        rig.ouch.enter(&order(Tif::Day, Conditions::NONE));
        rig
    };
    let mut rig = entered();
    rig.says(&accepted(ORDER, 1, 100));
    assert_eq!(told(&mut rig), [(Ack, 100, 0)]);
    let mut rig = entered();
    rig.says(&rejected(1, 0));
    assert_eq!(told(&mut rig), [(Rejected, 0, 0)]);

    let mut rig = entered();
    let mut out = VecDeque::from([Told::Control(Control::VenueSession(true))]);
    assert_eq!(rig.ouch.book.restate(1, 0, &mut out), 0, "not taken yet");
    rig.ouch.book.say(ORDER, 0, &mut out);
    let Some(Told::Report(Report { kind: NotFound, .. })) = out.pop_back() else { panic!() };
    rig.says(&accepted(ORDER, 1, 90));
    assert_eq!(told(&mut rig), [(Ack, 90, 0), (Restated, 90, 0)]);
    assert_eq!(rig.ouch.book.restate(1, 0, &mut out), 1);
    for (change, answer) in [(0, vec![]), (1, vec![(CancelRejected, 90, 1)])] {
        rig.ouch.cancel(ORDER, change);
        rig.says(&message(b'I', &[&bytes(1)]));
        assert_eq!(told(&mut rig), answer);
    }
    assert_eq!(rig.ouch.counters().cancels, 2);
    let next = order(Tif::Day, Conditions::NONE);
    rig.ouch.replace(&next, 2);
    let mut chain = *rig.ouch.book.chain(ORDER).unwrap();
    assert_eq!([0, 1].map(|query| chain.standing(1, query).change), [1, 2]);
    for (said, answer) in [
        (replaced(1, 2, 2, 80, b"L"), vec![(Replaced, 80, 2)]),
        (rejected(3, 3), vec![(ReplaceRejected, 80, 3)]),
        (message(b'M', &[&bytes(2), b"B", &bytes(70)]), vec![(Restated, 70, 3)]),
        (message(b'C', &[&bytes(2), &bytes(20), b"U"]), vec![(Restated, 50, 3)]),
        (replaced(2, 4, 4, 60, b"D"), vec![(Replaced, 60, 4), (Cancelled, 0, 4)]),
    ] {
        if let Some((ReplaceRejected | Replaced, _, change @ 3..)) = answer.first() {
            rig.ouch.replace(&next, *change);
        }
        rig.says(&said);
        assert_eq!(told(&mut rig), answer);
        let open = rig.ouch.book.chain(ORDER).unwrap().ended.is_none();
        assert_eq!(rig.ouch.book.cancellable(), if open { vec![2] } else { vec![] });
    }
    assert_eq!(rig.ouch.book.restate(1, 0, &mut out), 0);
    rig.ouch.book.begin();
    assert!(rig.ouch.book.take_unspoken().is_empty(), "it ended");
    for (next, left) in [(u32::MAX - 1, Some(u32::MAX - 1)), (u32::MAX, None)] {
        rig.ouch.book.raise(next);
        assert_eq!(rig.ouch.book.next_ref(), left);
    }
}

/// Goal: names have an end: no order goes out that finds no room, and a venue that says more is not followed. Method: all of
/// them, and one more.
#[test]
fn names_have_an_end() {
    let mut rig = Rig::new(Vec::new());
    rig.connects(&[], 1);
    let (order, most) = (order(Tif::Day, Conditions::NONE), 1 << 20);
    (1..most).for_each(|refnum| rig.ouch.book.sent(&order, refnum, false, 0));
    assert_eq!(rig.ouch.book.next_ref(), Some(most));
    for (refnum, error) in [(most, None), (most + 1, Some(OuchError::Full))] {
        rig.ouch.book.sent(&order, refnum, false, 0);
        assert_eq!(rig.ouch.book.next_ref(), None);
        rig.says(&message(b'P', &[&1_u32.to_be_bytes()]));
        assert_eq!(rig.ouch.next_error(), error);
    }
}

/// Goal: a trade that is taken back keeps its number and stays in the sum; one that was never told, and an order that is not
/// ours, halt everything; beyond what is kept nothing new is sent. Method: message by message.
#[test]
fn trades() {
    let mut rig = Rig::new(Vec::new());
    rig.connects(&[accepted(ORDER, 1, 100), executed(1, 40, 7)], 3);
    let fill = rig.reports()[1];
    let broken = |refnum: u32, number: u64| {
        let (refnum, name) = (refnum.to_be_bytes(), [b' '; 14]);
        message(b'B', &[&refnum, &number.to_be_bytes(), b"E", &name])
    };
    rig.says(&broken(1, 7));
    let bust = rig.reports()[0];
    assert_eq!((bust.kind, bust.exec_id, bust.qty), (ReportKind::Bust, fill.exec_id, Qty(40)));
    rig.says(&message(b'C', &[&1_u32.to_be_bytes(), &60_u32.to_be_bytes(), b"U"]));
    let end = rig.reports()[0];
    assert_eq!((end.kind, end.cum), (ReportKind::Cancelled, Some(Qty(40))));
    rig.says(&broken(1, 8));
    rig.says(&executed(99, 1, 9));
    let strangers = rig.reports();
    assert!(strangers.iter().all(|report| report.order == OrderId(0) && report.holder.is_none()));
    assert_eq!((strangers.len(), rig.ouch.counters().foreign), (2, 2));
    (10..13).for_each(|number| rig.says(&executed(1, 1, number)));
    rig.reports();
    rig.says(&executed(1, 1, 13));
    assert_eq!(rig.reports()[0].kind, ReportKind::Fill, "told all the same, once");
    assert!(rig.ouch.is_up() && rig.ouch.book.next_ref().is_none(), "cancels are still wanted");
}

/// Goal: a trade is found also where the venue names the order as it was replaced, and no other order's with the same number.
/// Method: one fill, a replacement, a trade taken back under its number; both sides of a trade with ourselves.
#[test]
fn trades_of_replaced_orders() {
    let other = OrderId(2 << 20);
    let bytes = |number: u32| number.to_be_bytes();
    let (px, name) = (10_000_u64.to_be_bytes(), Name::of(ORDER, 1).0);
    let terms: [&[u8]; 7] = [&bytes(60), b"AAPL    ", &px, b"0Y", &[0; 8], b"ANNL", &name];
    let replaced = message(b'U', &[&bytes(1), &bytes(3), b"B", &terms.concat(), &[0, 0]]);
    let mut rig = Rig::new(Vec::new());
    let said = [
        accepted(ORDER, 1, 100),
        accepted(other, 2, 100),
        executed(2, 40, 7),
        executed(1, 40, 7),
        replaced,
    ];
    rig.connects(&said, 6);
    let fills = rig.reports().into_iter().filter(|report| report.kind == ReportKind::Fill);
    let [_, ours] = fills.collect::<Vec<_>>()[..] else { panic!() };
    rig.says(&message(b'B', &[&bytes(3), &7_u64.to_be_bytes(), b"E", &[b' '; 14]]));
    let bust = rig.reports()[0];
    assert_eq!((bust.kind, bust.order, bust.exec_id), (ReportKind::Bust, ORDER, ours.exec_id));
}

fn order(tif: Tif, conditions: Conditions) -> Order {
    Order {
        id: ORDER,
        client_id: ClientOrderId::new("c").unwrap(),
        account: AccountId(0),
        instrument: InstrumentId(3),
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif,
        px: Px(10_000),
        qty: Qty(100),
        conditions,
        origin: Origin::File,
        note: Note::default(),
    }
}

/// Goal: what waited for a cross and did not trade in it has expired, whichever reason the venue's edition has for it; what
/// could not trade at once is cancelled; another place in the queue or another displayed part is no news. Method: each.
#[test]
fn ends() {
    for (cross, reason, kind) in [
        (b'N', b'I', ReportKind::Cancelled),
        (b'O', b'I', ReportKind::Expired),
        (b'O', b'C', ReportKind::Expired),
        (b'C', b'I', ReportKind::Expired),
        (b'C', b'U', ReportKind::Cancelled),
        (b'N', b'T', ReportKind::Expired),
        (b'N', b'G', ReportKind::Cancelled),
    ] {
        let mut rig = Rig::new(Vec::new());
        let mut taken = accepted(ORDER, 1, 100);
        taken[49] = cross;
        rig.connects(&[taken], 2);
        rig.told();
        let refnum = 1_u32.to_be_bytes();
        rig.says(&message(b'T', &[&refnum, &9_999_u64.to_be_bytes(), b"Y", &[0; 8]]));
        rig.says(&message(b'R', &[&refnum, b"R", b"\0\x06\x05\x16\0\0\0\x07"]));
        assert!(rig.told().is_empty());
        rig.says(&message(b'C', &[&refnum, &100_u32.to_be_bytes(), &[reason]]));
        assert_eq!(rig.reports()[0].kind, kind, "{}", char::from(reason));
    }
}

/// Goal: a session began with its first message, whenever the gateway begins. Method: two starts around midnight in New
/// York.
#[test]
fn days() {
    let midnight = new_york_midnight(NOW);
    let evening = 23 * 3_600_000_000_000;
    let began = began_at(evening, Ts(midnight.0 + evening));
    assert_eq!(began, began_at(evening, Ts(midnight.0 + evening + 5 * 3_600_000_000_000)));
    assert_eq!(began, (midnight.0 + evening) / 1_000_000_000);
}

/// Goal: a rejected login and a broken message end the connection with a reason, and another one follows after a pause. Method:
/// each, and the error told.
#[test]
fn failures() {
    let mut rig = Rig::new(Vec::new());
    rig.ouch.on_time(rig.now);
    assert!(rig.turn());
    rig.ouch.on_opened(rig.now);
    rig.ouch.on_bytes(&packet(b'J', b"A"), rig.now);
    assert_eq!(rig.ouch.next_error(), Some(OuchError::Rejected(b'A')));
    rig.ouch.on_time(rig.now);
    assert!(!rig.turn(), "a pause");
    rig.connects(&[], 1);
    assert!(rig.ouch.is_up());
    rig.says(&message(b'C', &[b"x"]));
    let Some(OuchError::Message { seq: 1, .. }) = rig.ouch.next_error() else { panic!() };
    assert!(!rig.ouch.is_up());
    rig.connects(&[message(b'?', &[])], 2);
    assert_eq!((rig.ouch.is_up(), rig.ouch.counters().unknown), (true, 1));
}
