use model::{AccountId, Order, Px, Qty, Reject, Side};

use super::money;
use crate::PairLimits;
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, Floor, INSTRUMENT, PAIR_LIMITS};

/// Goal: a replace is judged as if the old terms held nothing, holds the dearer terms until answered, counts
/// and uses an id. Method: limits that the old terms fill completely; replace up, down, twice, below what is
/// filled, of a strange order.
#[test]
fn replace() {
    let mut limits = ACCOUNT_LIMITS();
    limits.cash = money(12 * 1_000_000);
    limits.open_orders_max = 1;
    let mut floor = Floor::with(limits, PairLimits { long_max: Qty(12), ..PAIR_LIMITS });
    let order = floor.order(Side::Buy, 10, 1_000_000);
    let (_, mut held) = floor.clear(order).unwrap();
    let ask = |floor: &mut Floor, held: &mut crate::Reservation, qty, px| {
        let change = Order { id: order.id, ..floor.order(Side::Buy, qty, px) };
        floor
            .risk
            .clear_replace(change, held, &floor.market, floor.moment)
            .map_err(|v| v.primary.unwrap().code)
    };
    assert_eq!(ask(&mut floor, &mut held, 13, 900_000), Err(Reject::Position));
    assert_eq!(ask(&mut floor, &mut held, 12, 1_000_100), Err(Reject::Cash));
    assert_eq!(held.open(), Qty(10), "a refusal changes nothing");
    let first = Order { id: order.id, ..floor.order(Side::Buy, 12, 1_000_000) };
    assert!(floor.risk.clear_replace(first, &mut held, &floor.market, floor.moment).is_ok());
    assert_eq!(floor.risk.recorded(&first), None, "not as a new order");
    assert!(floor.risk.recorded_replace(&first).unwrap().verdict.passed());
    assert_eq!(held.open(), Qty(12));
    assert_eq!(ask(&mut floor, &mut held, 11, 1_000_000), Err(Reject::ChangePending));
    floor.risk.replaced(&mut held, Px(1_000_000), Qty(12)).unwrap();
    floor.risk.fill(&mut held, Px(1_000_000), Qty(5)).unwrap();
    assert_eq!(ask(&mut floor, &mut held, 5, 1_000_000), Err(Reject::BelowFilled));
    assert!(ask(&mut floor, &mut held, 6, 1_000_000).is_ok());
    assert_eq!(held.open(), Qty(7), "the old terms may still fill");
    floor.risk.replace_rejected(&mut held).unwrap();
    assert_eq!(held.open(), Qty(7));
    let mut stranger = crate::Reservation { account: AccountId(1), ..held };
    let change = Order { id: order.id, ..floor.order(Side::Buy, 6, 1_000_000) };
    let ruling = floor.risk.clear_replace(change, &mut stranger, &floor.market, floor.moment);
    assert!(ruling.unwrap_err().failed().any(|code| code == Reject::UnknownOrder));
    floor.risk.release(&mut held);
    assert_eq!(ask(&mut floor, &mut held, 12, 1_000_000), Err(Reject::NotOpen));
}

/// Goal: a limit tightened below what an order holds already does not forbid asking for less. Method:
/// tighten, replace down.
#[test]
fn replace_down_under_a_tighter_limit() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 10, 1_000_000);
    let (_, mut held) = floor.clear(order).unwrap();
    let tight = PairLimits { long_max: Qty(6), ..PAIR_LIMITS };
    floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, tight).unwrap();
    for (qty, passes) in [(7, false), (6, true)] {
        let change = Order { id: order.id, ..floor.order(Side::Buy, qty, 1_000_000) };
        let ruling = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
        assert_eq!(ruling.is_ok(), passes, "{qty}");
    }
}

/// Goal: nothing is asked while the engine waits for another answer, nor for less than what is shown. Method: the engine's
/// flag; a total of −1 / 0 / +1 of the displayed part.
#[test]
fn replace_while_waiting_and_below_display() {
    let mut floor = Floor::new();
    let mut order = floor.order(Side::Buy, 10, 1_000_000);
    order.conditions.display = Qty(5);
    for (qty, pending, refused) in [
        (9, true, Some(Reject::ChangePending)),
        (4, false, Some(Reject::Unsupported)),
        (5, false, None),
        (6, false, None),
    ] {
        let client_id = floor.order(Side::Buy, 1, 1_000_000).client_id;
        let (_, mut held) = floor.clear(Order { client_id, ..order }).unwrap();
        let client_id = floor.order(Side::Buy, 1, 1_000_000).client_id;
        floor.moment.change_pending = pending;
        let change = Order { client_id, qty: Qty(qty), ..order };
        let ruling = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
        let codes = ruling.err().map(|verdict| verdict.failed().collect::<Vec<_>>());
        assert_eq!(codes, refused.map(|code| vec![code]), "{qty}");
        floor.moment.change_pending = false;
        floor.risk.release(&mut held);
    }
}

/// Goal: new terms never turn an order around. Method: those of the other side.
#[test]
fn new_terms_of_the_other_side() {
    let mut floor = Floor::new();
    let mut held = floor.pass(Side::Buy, 10, 1_000_000);
    let change = floor.order(Side::Sell, 10, 1_000_000);
    let ruling = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
    assert_eq!(ruling.unwrap_err().failed().collect::<Vec<_>>(), [Reject::UnknownOrder]);
}
