//! Stops, two of which one cancels the other, and parents, at the paper venue.

use model::{Control, HaltCause, HaltLevel, HaltScope, Link, Reject, Why};
use proptest::prelude::*;

use super::types::{NONE, UNIT, WISH, Wish, stop};
use super::*;

/// Goal: a stop is triggered by the last trade at or through it, on its side alone, while the venue trades; then it is a market
/// or a limit order. Method: both sides and types, trades a step before and at the trigger; a halt.
#[test]
fn stops() {
    for (side, sign) in [(BUY, 1), (SELL, -1)] {
        let mut venue = super::market();
        venue.print(1_000_500);
        let trigger = 1_000_500 + sign * 2_000;
        let wrong = venue.refuse(stop(side, 1_000_500, 10));
        assert!(wrong.contains(&Reject::Trigger));
        let (market, _) = venue.place(stop(side, trigger, 10));
        let limit = 1_000_500 + sign * 200;
        let (limited, _) = venue.place(Wish {
            order_type: OrderType::StopLimit,
            px: limit,
            ..stop(side, trigger, 10)
        });
        assert_eq!(venue.state(market), OrderState::Held);
        assert_eq!(venue.print(trigger - sign * UNIT), []);
        let halted = TradingState::Halted.code();
        venue.event(Event { aux: halted.into(), ..Event::empty(Kind::State) });
        assert_eq!(venue.print(trigger), [], "nothing is triggered while the venue does not trade");
        let trading = TradingState::Trading.code();
        assert_eq!(
            venue.event(Event { aux: trading.into(), ..Event::empty(Kind::State) }),
            [(market, 10)],
            "the last trade is beyond it still"
        );
        assert_eq!(venue.triggered, [market, limited]);
        assert_eq!((venue.state(limited), venue.limit(limited)), (OrderState::Working, limit));
        venue.cancel(limited);
        venue.is_clean();
        venue.replays();
    }
}

/// Goal: a stop that is due while a book settles waits, and goes with the first trade behind that. Method: a halt over its
/// trigger, with a time for which a book must be live and traded.
#[test]
fn a_stop_waits_for_a_book_to_settle() {
    let settles = |text: String| text.replace("live_ms = \"off\"", "live_ms = 250");
    let mut venue = super::market_of(Venue::with(settles));
    venue.pauses += 300_000_000;
    venue.print(1_000_500);
    let (order, _) = venue.place(stop(SELL, 998_500, 10));
    for state in [TradingState::Halted, TradingState::Trading] {
        venue.event(Event { aux: state.code().into(), ..Event::empty(Kind::State) });
        assert_eq!(venue.print(998_500), []);
        assert_eq!((venue.state(order), venue.triggered.len()), (OrderState::Held, 0));
    }
    venue.pauses += 300_000_000;
    assert_eq!(venue.print(998_500), [(order, 10)]);
}

/// Goal: a stop that is due while nothing can be recorded waits, and goes when something can; so does one whose other order
/// ended meanwhile. Method: a journal that is full over the trigger of one, and over the last fill of the order that another
/// would replace.
#[test]
fn a_stop_waits_for_the_journal() {
    let mut venue = super::market();
    let full = |venue: &mut Venue, full| {
        venue.step(venue.engine.now(), Body::Control(Control::JournalFull(full)))
    };
    venue.print(1_000_500);
    let (order, _) = venue.place(stop(SELL, 998_500, 10));
    full(&mut venue, true);
    assert_eq!(venue.print(998_500), []);
    assert_eq!((venue.state(order), venue.triggered.len()), (OrderState::Held, 0));
    assert_eq!(full(&mut venue, false), [(order, 10)]);

    venue.place(Wish { px: 1_001_000, ..WISH });
    let (profit, _) = venue.place(Wish { side: SELL, px: 1_001_500, ..WISH });
    let link = Some(Link::OneCancels(profit));
    let wish = stop(SELL, 997_000, 100);
    let conditions = Conditions { link, ..wish.conditions };
    let (bound, _) = venue.place(Wish { conditions, ..wish });
    full(&mut venue, true);
    assert_eq!(venue.trade(1_001_500, 100), [(profit, 100)]);
    assert_eq!(venue.state(bound), OrderState::Held);
    full(&mut venue, false);
    assert_eq!(venue.state(bound), OrderState::Cancelled);
}

/// Goal: a change is judged by what holds for whoever asked for its order, too. Method: a client's order, its halt, and a
/// change by somebody else.
#[test]
fn a_change_keeps_the_halt_of_its_order() {
    let mut venue = super::market();
    venue.origin = Origin::Desk(model::DeskId(4));
    let (order, _) = venue.order(BUY, 990_000, 10, Tif::Day);
    venue.origin = Origin::File;
    let change = |venue: &mut Venue, name, qty| {
        let client_id = ClientOrderId::new(name).unwrap();
        let change = Ask::Replace { order, client_id, px: Px(990_000), qty: Qty(qty) };
        venue.try_ask(change).0.verdict.primary.map(|finding| finding.code)
    };
    assert_eq!(change(&mut venue, "before", 20), None);
    let (scope, level) = (HaltScope::Desk(model::DeskId(4)), HaltLevel::CancelOnly);
    let why = Why::of(HaltCause::Human);
    venue.step(venue.engine.now(), Body::Control(Control::Halt { scope, level, why }));
    assert_eq!(change(&mut venue, "after", 30), Some(Reject::Halted));
}

/// Goal: nothing is split while a parent waits, whose quantity is in units from before. Method: a parent without children, the
/// venue halted; then without it.
#[test]
fn no_split_over_a_parent() {
    let mut venue = super::market();
    let conditions = Conditions { parent_only: true, ..NONE };
    let (parent, _) = venue.place(Wish { px: 1_000_000, conditions, ..WISH });
    let halted = TradingState::Halted.code();
    venue.event(Event { aux: halted.into(), ..Event::empty(Kind::State) });
    let (symbol, operator, note) = (
        venue.engine.instruments().get(0).unwrap().instrument.symbol,
        Default::default(),
        Note::default(),
    );
    let split = Body::Control(Control::Split { symbol, num: 2, den: 1, operator, note });
    venue.step(venue.engine.now(), split);
    assert_eq!(venue.out.booked.take(), Some(Err(model::BooksRefusal::Working)));
    venue.cancel(parent);
    venue.step(venue.engine.now(), split);
    assert!(venue.out.booked.take().unwrap().is_ok());
}

/// Goal: a stop that the gate refuses at its trigger is rejected for that reason and holds nothing. Method: a halt that lets only
/// what reduces pass, between.
#[test]
fn a_stop_may_be_refused_at_its_trigger() {
    let mut venue = super::market();
    venue.print(1_000_500);
    let (order, _) = venue.place(stop(BUY, 1_002_000, 10));
    assert!(venue.holds().1 > 0, "it holds from the start");
    let why = Why::of(HaltCause::Human);
    let (scope, level) = (HaltScope::Account(AGENT), HaltLevel::ReduceOnly);
    venue.step(venue.engine.now(), Body::Control(Control::Halt { scope, level, why }));
    assert_eq!(venue.print(1_002_000), []);
    let record = venue.engine.orders().get(order).unwrap();
    assert_eq!((record.state, record.reject), (OrderState::Rejected, Some(Reject::Halted)));
    venue.is_clean();
    let (scope, level) = (HaltScope::All, HaltLevel::Halted);
    let mut venue = super::market();
    venue.print(1_000_500);
    let (order, _) = venue.place(stop(BUY, 1_002_000, 10));
    venue.step(venue.engine.now(), Body::Control(Control::Halt { scope, level, why }));
    assert_eq!(venue.state(order), OrderState::Cancelled, "a halt takes what waits with it");
    venue.is_clean();
}

/// Goal: one of two: the stop holds nothing, takes the place of the other with what that left open, and ends with it.
/// Method: a profit and a stop of a position; the stop triggered after a part of the profit filled; the profit
/// filled; the profit cancelled; what does not fit.
#[test]
fn one_cancels_other() {
    let long = || {
        let mut venue = super::market();
        venue.print(1_000_500);
        venue.place(Wish { px: 1_001_000, ..WISH });
        let (profit, _) = venue.place(Wish { side: SELL, px: 1_001_500, ..WISH });
        let link = Some(Link::OneCancels(profit));
        let wish = stop(SELL, 999_000, 100);
        let conditions = Conditions { link, reduce_only: true, ..wish.conditions };
        let (stop, _) = venue.place(Wish { conditions, ..wish });
        (venue, profit, stop)
    };
    let (mut venue, profit, stop_id) = long();
    assert_eq!((venue.position(), venue.holds().0), (100, 2));
    assert_eq!(venue.trade(1_001_500, 30), [(profit, 30)]);
    assert_eq!(venue.print(999_000), [(stop_id, 70)], "what the profit did not fill");
    assert_eq!(venue.state(profit), OrderState::Cancelled);
    assert_eq!((venue.state(stop_id), venue.position()), (OrderState::Filled, 0));
    venue.is_clean();
    venue.replays();

    let (mut venue, profit, stop_id) = long();
    assert_eq!(venue.trade(1_001_500, 100), [(profit, 100)]);
    assert_eq!(venue.state(stop_id), OrderState::Cancelled);
    venue.is_clean();

    let (mut venue, profit, stop_id) = long();
    venue.cancel(profit);
    assert_eq!(venue.state(stop_id), OrderState::Cancelled);
    venue.is_clean();

    let (mut venue, profit, first) = long();
    let bound = |link, qty, side, px| {
        let wish = stop(side, px, qty);
        Wish { conditions: Conditions { link: Some(link), ..wish.conditions }, ..wish }
    };
    let taken = bound(Link::OneCancels(profit), 1, SELL, 999_000);
    assert!(venue.refuse(taken).contains(&Reject::Unsupported), "one stop an order");
    venue.cancel(first);
    for (wish, code) in [
        (bound(Link::OneCancels(profit), 101, SELL, 999_000), Reject::Unsupported),
        (bound(Link::OneCancels(profit), 1, BUY, 1_009_000), Reject::Unsupported),
        (bound(Link::OneCancels(first), 1, SELL, 999_000), Reject::NotOpen),
        (bound(Link::OneCancels(OrderId(77)), 1, SELL, 999_000), Reject::UnknownOrder),
    ] {
        assert!(venue.refuse(wish).contains(&code), "{code}");
    }
    venue.place(bound(Link::OneCancels(profit), 100, SELL, 999_000));
}

/// Goal: children never sum up to more than their parent, by new terms either; what ends gives its open part back;
/// the parent ends when they filled it, and takes them with it. Method: each in turn.
#[test]
fn parents() {
    let mut venue = super::market();
    let conditions = Conditions { parent_only: true, ..NONE };
    let big = Wish { px: 1_000_000, qty: 1_000_000, conditions, ..WISH };
    let (parent, _) = venue.place(big);
    assert_eq!(
        (venue.state(parent), venue.holds()),
        (OrderState::Held, (1, 0)),
        "it holds nothing"
    );
    venue.cancel(parent);
    let (parent, _) = venue.place(Wish { px: 1_000_000, qty: 100, conditions, ..WISH });
    let link = Conditions { link: Some(Link::Parent(parent)), ..NONE };
    let child = |px, qty| Wish { px, qty, conditions: link, ..WISH };
    let (first, fills) = venue.place(child(1_001_000, 60));
    assert_eq!(fills, [60]);
    let (second, _) = venue.place(child(1_000_000, 40));
    assert_eq!(venue.refuse(child(1_000_000, 1)), [Reject::Overslice]);
    let cell = |venue: &Venue| venue.engine.order_cell(parent.slot() as u32).unwrap();
    assert_eq!((cell(&venue).children, cell(&venue).filled), (Qty(100), Qty(60)));
    venue.cancel(second);
    assert_eq!((venue.state(first), cell(&venue).children), (OrderState::Filled, Qty(60)));
    let (third, _) = venue.place(child(1_000_000, 30));
    let client_id = ClientOrderId::new("grow").unwrap();
    let grow = Ask::Replace { order: third, client_id, px: Px(1_000_000), qty: Qty(41) };
    let refused = venue.try_ask(grow).0.verdict;
    assert_eq!(refused.failed().collect::<Vec<_>>(), [Reject::Overslice]);
    venue.replace(third, 1_000_000, 40);
    assert_eq!(cell(&venue).children, Qty(100));
    venue.replace(third, 1_001_000, 40);
    assert_eq!(venue.state(parent), OrderState::Filled);
    assert_eq!(venue.refuse(child(1_000_000, 1)), [Reject::NotOpen, Reject::Overslice]);

    let (parent, _) = venue.place(Wish { px: 1_000_000, qty: 100, conditions, ..WISH });
    let link = Conditions { link: Some(Link::Parent(parent)), ..NONE };
    let (child, _) = venue.place(Wish { px: 1_000_000, qty: 10, conditions: link, ..WISH });
    let wrong = Wish { side: SELL, px: 1_001_000, qty: 10, conditions: link, ..WISH };
    assert!(venue.refuse(wrong).contains(&Reject::Unsupported));
    venue.cancel(parent);
    assert_eq!(venue.state(child), OrderState::Cancelled);
    venue.is_clean();
    venue.replays();
}

/// Goal: however often a broken router sends its children, what leaves is what was ordered (Knight, 2012: 4 million
/// orders for 212 parents). Method: 2 parents, a thousand children of each parent's whole quantity that fill at once,
/// and as many small ones.
#[test]
fn a_broken_router_sends_its_children_again_and_again() {
    let mut venue = super::market();
    let conditions = Conditions { parent_only: true, ..NONE };
    for round in 0..2 {
        let (parent, _) = venue.place(Wish { px: 1_000_000, qty: 100, conditions, ..WISH });
        let link = Conditions { link: Some(Link::Parent(parent)), ..NONE };
        let mut filled = 0;
        for attempt in 0..1_000 {
            let qty = if attempt % 2 == 0 { 30 } else { 5 };
            let child = Wish { px: 1_002_000, qty, tif: Tif::Ioc, conditions: link, ..WISH };
            let now = venue.engine.now().0 + 10_000_000_000;
            venue.wait(now);
            venue.add(100 + attempt + 1_000 * round, SELL, 1_001_000, 50);
            filled += venue.wish(child).1.iter().sum::<i64>();
            assert!(filled <= 100);
        }
        assert_eq!((filled, venue.state(parent)), (100, OrderState::Filled));
    }
    assert_eq!(venue.position(), 200);
}

proptest! {
    /// Goal: stops are triggered nearest first, the oldest of equals, 64 by one input and the rest by the next, each once, and a
    /// replay does the same. Method: up to 150 stops at random prices on both sides, trades at random prices; a twin keeps a
    /// sorted list.
    #[test]
    fn stops_equal_a_sorted_list(
        stops in prop::collection::vec((any::<bool>(), 1_i64..8), 1..150),
        trades in prop::collection::vec(-9_i64..9, 1..6),
    ) {
        let mut venue = super::market();
        venue.print(1_000_500);
        let mut waiting: Vec<(Side, i64, OrderId)> = Vec::new();
        for (number, (buys, steps)) in stops.into_iter().enumerate() {
            let (side, sign) = if buys { (BUY, 1) } else { (SELL, -1) };
            let px = 1_000_500 + sign * steps * UNIT;
            venue.wait(venue.engine.now().0 + 2_000_000_000);
            venue.print(1_000_500);
            // Each of its own limit, so that no two have the same terms, and away from the market.
            let limit = 1_000_500 - sign * (100 + number as i64) * UNIT;
            let order_type = OrderType::StopLimit;
            let (order, _) = venue.place(Wish { order_type, px: limit, qty: 1, ..stop(side, px, 1) });
            waiting.push((side, px, order));
        }
        for steps in trades {
            let px = 1_000_500 + steps * UNIT;
            let before = venue.triggered.len();
            venue.print(px);
            let due = |(side, stop, _): &(Side, i64, OrderId)| {
                if *side == BUY { *stop <= px } else { *stop >= px }
            };
            let mut expected: Vec<_> = waiting.iter().copied().filter(due).collect();
            // A stable sort: the oldest of equals stays first.
            expected.sort_by_key(|(side, stop, _)| if *side == BUY { (0, *stop) } else { (1, -*stop) });
            waiting.retain(|stop| !due(stop));
            let mut rest = expected.len();
            let mut told = before;
            while rest > 0 {
                let now = rest.min(64);
                prop_assert_eq!(venue.triggered.len(), told + now);
                (told, rest) = (told + now, rest - now);
                venue.wait(venue.engine.now().0);
            }
            let ids: Vec<_> = expected.iter().map(|(.., order)| *order).collect();
            prop_assert_eq!(&venue.triggered[before..], &ids[..]);
        }
        venue.replays();
    }
}
