//! Each answer of a venue: to an order, its change, its cancel; how it ends, and what is not answered.

use super::*;
use crate::gateway::ouch::Standing;

/// Goal: a fill counts after the end too, and one beyond what the order could fill halts its account, as does one of an order
/// that the venue refused. Method: each end, one below, at and above the quantity, in two fills.
#[test]
fn fills_late_and_beyond() {
    use ReportKind::{Cancelled, Expired, Rejected};
    let at_most_five = [(4, FREE), (5, FREE), (6, HaltLevel::Halted)];
    let never = [(2, HaltLevel::Halted); 3];
    for (end, cases) in [
        (None, at_most_five),
        (Some(Cancelled), at_most_five),
        (Some(Expired), at_most_five),
        (Some(Rejected), never),
    ] {
        for (qty, level) in cases {
            let mut venue = Outside::new(8);
            let order = venue.order().unwrap();
            end.into_iter().for_each(|kind| venue.say(Body::Report(Report::of(kind, order))));
            venue.fill(order, 1, 1);
            venue.fill(order, 2, qty - 1);
            assert_eq!((venue.held(), venue.halts()), (qty, [FREE, level]), "{end:?} {qty}");
            let record = venue.bench.engine.orders().get(order).unwrap();
            let money = i128::from(qty) * 99 * 1_000_000_000_000;
            assert_eq!(record.notional_filled, model::Money(money));
        }
    }
}

/// Goal: an end frees what is held but for fills that the venue counted and that have not come; an order that traded or worked
/// cannot have been refused, nor be unknown to its venue. Method: every kind of end of a buy of five, that the venue worked or
/// not, after so many fills, with so many counted.
#[test]
fn ends_as_the_venue_says() {
    use ReportKind::{Cancelled, Expired, NotFound, Rejected};
    const HALT: HaltLevel = HaltLevel::Halted;
    let (stopping, unknown) = (OrderState::PendingCancel, OrderState::Unknown);
    for (acked, filled, end, counted, state, open, level) in [
        (true, 0, Cancelled, None, OrderState::Cancelled, 0, FREE),
        (true, 0, Cancelled, Some(0), OrderState::Cancelled, 0, FREE),
        (true, 0, Cancelled, Some(2), unknown, 2, FREE),
        (true, 2, Cancelled, Some(2), OrderState::Cancelled, 0, FREE),
        (true, 2, Cancelled, Some(1), OrderState::Cancelled, 0, FREE),
        (true, 1, Expired, Some(1), OrderState::Expired, 0, FREE),
        (false, 0, Rejected, None, OrderState::Rejected, 0, FREE),
        (true, 0, Rejected, None, OrderState::Rejected, 0, HALT),
        (false, 2, Rejected, Some(2), OrderState::Cancelled, 0, HALT),
        (false, 0, Rejected, Some(2), unknown, 2, HALT),
        (false, 0, NotFound, None, OrderState::Rejected, 0, FREE),
        (true, 0, NotFound, None, stopping, 5, HALT),
        (true, 2, NotFound, None, stopping, 3, HALT),
    ] {
        let mut venue = Outside::new(8);
        let order = venue.order().unwrap();
        if acked {
            venue.say(Body::Report(Report::of(ReportKind::Ack, order)));
        }
        if filled > 0 {
            venue.fill(order, 1, filled);
        }
        let ended = Report { cum: counted.map(Qty), ..Report::of(end, order) };
        venue.say(Body::Report(ended));
        let case = format!("{acked} {filled} {end:?} {counted:?}");
        let standing = |venue: &Outside| {
            let record = venue.bench.engine.orders().get(order).unwrap();
            (record.state, record.reservation.open(), venue.halts()[1])
        };
        assert_eq!(standing(&venue), (state, Qty(open), level), "{case}");
        let kinds = [TapeKind::Cancelled, TapeKind::Expired, TapeKind::VenueRefused];
        let told = kinds.map(|kind| venue.told(kind).is_some());
        let expected = match end {
            Expired => [false, true, false],
            NotFound => [false, false, true],
            Rejected if filled == 0 && counted.is_none() => [false, false, true],
            _ => [true, false, false],
        };
        assert_eq!(told, expected, "{case}");
        if (end, counted) == (Cancelled, Some(0)) {
            venue.say(Body::Report(ended));
            assert_eq!(standing(&venue).2, FREE, "said again");
            venue.say(Body::Report(Report { cum: Some(Qty(1)), ..ended }));
            assert_eq!(standing(&venue), (state, Qty(0), HALT), "another count");
        }
        if state == unknown {
            let cancels = venue.sent.iter().any(|send| matches!(send, Send::Cancel(..)));
            assert!(!cancels, "what ended is not cancelled");
            venue.fill(order, 2, open);
            assert_eq!(standing(&venue), (OrderState::Cancelled, Qty(0), level), "{case}");
        }
    }
}

/// Goal: what never left is as if it had not been asked, older word changes nothing, and a cancel that a halt wants is asked
/// again, but not at once where the venue refuses it. Method: an order, a change and a cancel given back; a cancel refused;
/// restatements of each age, in a round and beside it, under a halt; a refusal there, and time.
#[test]
fn questions_that_came_to_nothing() {
    use ReportKind::{Ack, CancelRejected, NotSent, Position, Restated};
    let said = |kind, order, change| Body::Report(Report { change, ..Report::of(kind, order) });
    let mut venue = Outside::new(8);
    let order = venue.order().unwrap();
    venue.say(Body::Report(Report { cum: Some(Qty(2)), ..Report::of(NotSent, order) }));
    assert_eq!((venue.state(order), venue.halts()), (OrderState::Rejected, [FREE; 2]));
    assert!(venue.told(TapeKind::NotSent).is_some());

    let order = venue.order().unwrap();
    venue.say(said(Ack, order, 0));
    let px = venue.bench.engine.orders().get(order).unwrap().order.px;
    let client_id = ClientOrderId::new("more").unwrap();
    venue.ask(Ask::Replace { order, client_id, px, qty: Qty(7) }).unwrap();
    venue.ask(Ask::Cancel { order }).unwrap();
    let standing = |venue: &Outside| {
        let record = venue.bench.engine.orders().get(order).unwrap();
        (record.state, record.reservation.open().0)
    };
    assert_eq!(standing(&venue), (OrderState::PendingCancel, 7));
    for (change, stands) in [
        (2, (OrderState::PendingReplace, 7)),
        (1, (OrderState::Working, 5)),
        (1, (OrderState::Working, 5)),
    ] {
        venue.say(said(NotSent, order, change));
        assert_eq!(standing(&venue), stands, "{change}");
    }
    venue.ask(Ask::Cancel { order }).unwrap();
    venue.sent.clear();
    venue.say(said(CancelRejected, order, 3));
    assert_eq!(venue.sent, [Send::Status(order)]);
    let stands = |change, qty, exec_id| {
        let restated = Report::of(Restated, order);
        Body::Report(Report { change, px, qty: Qty(qty), exec_id, ..restated })
    };
    venue.sent.clear();
    for (change, qty, open) in [(3, 4, 4), (2, 5, 4)] {
        venue.say(stands(change, qty, 0));
        assert_eq!((standing(&venue), venue.sent.len()), ((OrderState::Working, open), 0));
    }
    venue.ask(Ask::Cancel { order }).unwrap();
    let [down, up] = [false, true].map(|is_up| Body::Control(Control::VenueSession(is_up)));
    for body in [down, up, Body::Control(Control::ReconcileBegin)] {
        venue.say(body);
    }
    venue.sent.clear();
    venue.say(stands(3, 4, 1));
    assert_eq!(venue.sent, [], "of another round");
    venue.say(Body::Control(Control::ReconcileEnd { round: 2, orders: 0 }));
    assert!(!venue.bench.engine.is_unreconciled(), "that was of another round");
    assert_eq!(standing(&venue), (OrderState::Cancelled, 0));

    let order = venue.order().unwrap();
    venue.say(said(Ack, order, 0));
    let holder = Some(Holder { account: ACCOUNT, instrument: AAPL, side: Side::Buy });
    venue.say(Body::Report(Report { holder, qty: Qty(1), ..Report::of(Position, OrderId(0)) }));
    venue.say(said(CancelRejected, order, 1));
    venue.sent.clear();
    let restated = Report { change: 1, px, qty: Qty(5), ..Report::of(Restated, order) };
    venue.say(Body::Report(restated));
    assert_eq!(venue.sent, [Send::Cancel(order, 2)], "halted");

    venue.sent.clear();
    venue.say(said(CancelRejected, order, 2));
    let refused = venue.bench.engine.now();
    for (wait, asked) in [(TIMEOUT_NS - 1, 0), (TIMEOUT_NS, 1), (2 * TIMEOUT_NS, 2)] {
        venue.say_at(Ts(refused.0 + wait), Body::Timer);
        let status = |sent: &&Send| **sent == Send::Status(order);
        let count = venue.sent.iter().filter(status).count();
        assert_eq!((count, venue.sent.len()), (asked, asked), "in a while, until it is answered");
        assert_eq!(venue.state(order), OrderState::PendingCancel);
    }
    venue.sent.clear();
    venue.say(Body::Report(Report {
        change: 2,
        ..Report { px, qty: Qty(5), ..Report::of(Restated, order) }
    }));
    assert_eq!(venue.sent, [Send::Cancel(order, 3)]);
}

/// Goal: what has to end because its client is gone, or a timer ran out, is asked for again where the venue refuses, as in a
/// cross; what the client itself wanted cancelled is not. Method: an order; each of the three; a refusal and time.
#[test]
fn what_has_to_end_is_asked_for_again() {
    let desk = DeskId(3);
    let account = ACCOUNT;
    let acts = [Some(Control::DeskClosed(desk)), Some(Control::DeskSilent { desk, account }), None];
    for act in acts {
        let mut venue = Outside::new(8);
        venue.origin = Origin::Desk(desk);
        let rules = &mut venue.bench.engine.rules.accounts[usize::from(ACCOUNT.0)];
        rules.cancel_on_disconnect = true;
        let order = venue.order().unwrap();
        venue.say(Body::Report(Report::of(ReportKind::Ack, order)));
        venue.sent.clear();
        match act {
            Some(control) => venue.say(Body::Control(control)),
            None => {
                venue.ask(Ask::Cancel { order }).unwrap();
            }
        }
        assert_eq!(venue.sent, [Send::Cancel(order, 1)]);
        let refused = Report::of(ReportKind::CancelRejected, order);
        venue.say(Body::Report(Report { change: 1, ..refused }));
        let later = Ts(venue.bench.engine.now().0 + TIMEOUT_NS);
        venue.say_at(later, Body::Timer);
        venue.sent.clear();
        let px = venue.bench.engine.orders().get(order).unwrap().order.px;
        let restated =
            Report { change: 1, px, qty: Qty(5), ..Report::of(ReportKind::Restated, order) };
        venue.say_at(later, Body::Report(restated));
        assert_eq!(venue.sent, if act.is_some() { vec![Send::Cancel(order, 2)] } else { vec![] });
    }
}

/// Goal: what the venue says outside of a reconciliation while a session is made again does not settle what went down with the
/// last one: the cancel is asked again once something can be sent. Method: a cancel without a session, word of the order from
/// before it and from after it, then a reconciliation.
#[test]
fn old_word_settles_nothing() {
    for change in [0, 1] {
        let mut venue = Outside::new(8);
        let order = venue.order().unwrap();
        let px = venue.bench.engine.orders().get(order).unwrap().order.px;
        let stands = |exec_id| {
            let restated = Report::of(ReportKind::Restated, order);
            Body::Report(Report { px, change, qty: Qty(4), exec_id, ..restated })
        };
        venue.say(Body::Control(Control::VenueSession(false)));
        venue.ask(Ask::Cancel { order }).unwrap();
        venue.sent.clear();
        venue.say(stands(0));
        let record = venue.bench.engine.orders().get(order).unwrap();
        assert_eq!((record.state, record.reservation.open()), (OrderState::Unknown, Qty(4)));
        assert_eq!(venue.sent, [], "nothing can be sent");
        venue.say(Body::Control(Control::VenueSession(true)));
        venue.say(Body::Control(Control::ReconcileBegin));
        venue.sent.clear();
        venue.say(stands(2));
        assert_eq!(venue.sent, [Send::Cancel(order, 2)], "{change}");
        venue.say(Body::Control(Control::ReconcileEnd { round: 2, orders: 1 }));
        assert_eq!(venue.state(order), OrderState::PendingCancel);
    }
}

/// Goal: a lost session puts in doubt what is at the venue, and a reconciliation ends what it does not speak of; what is done, or
/// waits in the engine, is not touched. Method: an order of each kind, and what a gateway would be told of them.
#[test]
fn only_what_is_at_the_venue() {
    let mut venue = Outside::new(8);
    let held = venue.stop();
    let orders = [(); 3].map(|()| venue.order().unwrap());
    let [filled, working, lost] = orders;
    venue.fill(filled, 1, 5);
    venue.say(Body::Report(Report::of(ReportKind::Ack, working)));
    let states = |venue: &Outside| [held, filled, working, lost].map(|order| venue.state(order));
    let before = [held, filled].map(|order| venue.updated(order));
    assert!(!venue.bench.engine.wants_reconciliation());
    venue.say(Body::Control(Control::VenueSession(false)));
    assert!(venue.bench.engine.wants_reconciliation());
    let unknown = OrderState::Unknown;
    assert_eq!(states(&venue), [OrderState::Held, OrderState::Filled, unknown, unknown]);
    assert_eq!([held, filled].map(|order| venue.updated(order)), before);

    venue.say(Body::Control(Control::VenueSession(true)));
    venue.say(Body::Control(Control::ReconcileBegin));
    assert!(!venue.bench.engine.wants_reconciliation(), "it goes on");
    let order = venue.bench.engine.orders().get(working).unwrap().order;
    let restated = Report::of(ReportKind::Restated, working);
    venue.say(Body::Report(Report { exec_id: 2, px: order.px, qty: order.qty, ..restated }));
    venue.say(Body::Control(Control::ReconcileEnd { round: 2, orders: 1 }));
    let after = [OrderState::Held, OrderState::Filled, OrderState::Working, OrderState::Rejected];
    assert_eq!(states(&venue), after);
    assert_eq!([held, filled].map(|order| venue.updated(order)), before);

    venue.sent.clear();
    for _ in 0..2 {
        let _ = venue.ask(Ask::Cancel { order: working });
    }
    assert_eq!(venue.sent, [Send::Cancel(working, 1)], "asked once");
    let known = venue.bench.engine.known_orders();
    let of = |order| known.iter().rfind(|known| known.order == order).unwrap();
    let told = [held, filled, working, lost].map(|order| (of(order).asked, of(order).standing));
    let (ended, works) = (Standing::Ended, Standing::Works);
    assert_eq!(told, [(0, ended), (0, ended), (1, works), (0, ended)]);
    let sent = venue.order().unwrap();
    let known = venue.bench.engine.known_orders();
    let at = venue.bench.engine.orders().get(sent).unwrap().ts_created;
    assert!(known.iter().any(|k| (k.order, k.standing) == (sent, Standing::Sent(at))));
    let executed = known.first().unwrap();
    assert_eq!((executed.order, executed.account), (filled, ACCOUNT), "executions come first");
}

/// Goal: a sale is marked short from where open sales are more than is held, and new terms of one only where they ask for more.
/// Method: five held; sales of four, of one and of one more, then a purchase; a change of a sale to as much, and to more.
#[test]
fn sales_are_marked_short() {
    let mut venue = Outside::new(8);
    let bought = venue.order().unwrap();
    venue.fill(bought, 1, 5);
    let orders = [(Side::Sell, 4), (Side::Sell, 1), (Side::Sell, 1), (Side::Buy, 1)];
    let marked = orders.map(|(side, qty)| {
        venue.sent.clear();
        venue.order_of(side, qty).unwrap();
        let (mut end, mut gateway) = crate::gateway::ends::ends(16);
        end.take(1, &mut venue.sent, &venue.bench.engine);
        gateway.from.pop().unwrap().is_short
    });
    assert_eq!(marked, [false, false, true, false]);

    let sale = venue.order_of(Side::Sell, 1).unwrap();
    venue.say(Body::Report(Report::of(ReportKind::Ack, sale)));
    let px = venue.bench.engine.orders().get(sale).unwrap().order.px;
    for (name, qty, is_short) in [("less", 1, false), ("more", 2, true)] {
        venue.sent.clear();
        let client_id = ClientOrderId::new(name).unwrap();
        venue
            .ask(Ask::Replace { order: sale, client_id, px: Px(px.0 + 10_000_000), qty: Qty(qty) })
            .unwrap();
        let (mut end, mut gateway) = crate::gateway::ends::ends(16);
        end.take(1, &mut venue.sent, &venue.bench.engine);
        assert_eq!(gateway.from.pop().unwrap().is_short, is_short, "{name}");
        let change = if qty == 1 { 1 } else { 2 };
        let replaced =
            Report { change, px, qty: Qty(qty), ..Report::of(ReportKind::Replaced, sale) };
        venue.say(Body::Report(replaced));
    }
}
