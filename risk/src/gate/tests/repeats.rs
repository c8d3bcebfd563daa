use model::{Order, Px, Qty, Reject, Side, Ts};

use super::{BOTH, account_floor};
use crate::fixture::Floor;
use crate::same_terms::Seen;
use crate::{ChangeRule, Duplicates};

/// Goal: the same terms pass as often as allowed within the window; refused ones count, cancels clear
/// nothing, other terms and replaces are free. Method: twice, then around the window's edge; each field
/// changed in turn.
#[test]
fn duplicate_terms() {
    let mut floor = account_floor(|limits| {
        limits.duplicates = Some(Duplicates { max: 2, window_ns: 100 });
    });
    let mut first = floor.pass(Side::Buy, 1, 1_000_000);
    floor.risk.release(&mut first);
    floor.moment.now = Ts(10_010);
    floor.moment.journal_full = true;
    let refused = floor.order(Side::Buy, 1, 1_000_000);
    assert!(floor.clear(refused).is_err());
    floor.moment.journal_full = false;
    let again = floor.order(Side::Buy, 1, 1_000_000);
    for (now, refused) in [(10_010, true), (10_099, true), (10_100, false)] {
        floor.moment.now = Ts(now);
        assert_eq!(floor.fails(&again, Reject::DuplicateTerms), refused, "{now}");
    }
    floor.moment.now = Ts(10_020);
    for other in [
        Order { qty: Qty(2), ..again },
        Order { px: Px(999_900), ..again },
        Order { side: Side::Sell, ..again },
        Order { tif: model::Tif::Ioc, ..again },
    ] {
        assert!(!floor.fails(&other, Reject::DuplicateTerms));
    }
    let mut held = floor.pass(Side::Buy, 2, 1_000_000);
    let change = floor.order(Side::Buy, 1, 1_000_000);
    let _asked = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment).unwrap();
}

/// Goal: an order that could meet one of ours is refused, the price itself included; one beyond the best of
/// them is free, and the next best counts when the best is gone. Method: two of ours at two prices, −1 / 0 /
/// +1 of each; off.
#[test]
fn self_trade() {
    for side in BOTH {
        let sign = if side == Side::Buy { 1 } else { -1 };
        let mut floor = account_floor(|limits| limits.no_self_trade = true);
        let mut best = floor.pass(side, 1, 1_000_000 + sign * 100);
        floor.pass(side, 1, 1_000_000);
        let refused = |floor: &mut Floor, better: i64| {
            let order = floor.order(side.opposite(), 1, 1_000_000 + sign * better);
            floor.fails(&order, Reject::SelfTrade)
        };
        assert!(!refused(&mut floor, 200) && refused(&mut floor, 100) && refused(&mut floor, 0));
        let same_side = floor.order(side, 1, 1_000_000);
        assert!(!floor.fails(&same_side, Reject::SelfTrade));
        floor.risk.release(&mut best);
        assert!(!refused(&mut floor, 100) && refused(&mut floor, 0));
    }
    let mut off = Floor::new();
    off.pass(Side::Buy, 1, 1_000_000);
    let order = off.order(Side::Sell, 1, 1_000_000);
    assert!(!off.fails(&order, Reject::SelfTrade));
}

/// Goal: an order whose price is about to change counts at the price nearer to the other side, or where rules
/// are plain at the one in force. Method: an order of each side that asks for more and for less; the venue takes the one and
/// refuses the other.
#[test]
fn self_trade_while_changing() {
    let rules = [(ChangeRule::Worst, true), (ChangeRule::Plain, false)];
    for (side, (rule, nearer)) in BOTH.into_iter().flat_map(|side| rules.map(|rule| (side, rule))) {
        let mut floor = account_floor(|limits| {
            (limits.no_self_trade, limits.change_rule) = (true, rule);
        });
        let away = |by: i64| if side == Side::Buy { 1_000_000 - by } else { 1_000_000 + by };
        let order = floor.order(side, 1, away(1_000));
        let (_, mut held) = floor.clear(order).unwrap();
        let ask = |floor: &mut Floor, held: &mut crate::Reservation, px| {
            let change = Order { id: order.id, ..floor.order(side, 1, px) };
            floor
                .risk
                .clear_replace(change, held, &floor.market, floor.moment)
                .map(|_| ())
                .unwrap();
        };
        let meets = |floor: &mut Floor, px| {
            let order = floor.order(side.opposite(), 1, px);
            floor.fails(&order, Reject::SelfTrade)
        };
        ask(&mut floor, &mut held, away(0));
        assert_eq!(meets(&mut floor, away(0)), nearer);
        assert!(meets(&mut floor, away(1_000)));
        floor.risk.replaced(&mut held, Px(away(0)), Qty(1)).unwrap();
        assert!(meets(&mut floor, away(0)));
        ask(&mut floor, &mut held, away(1_000));
        assert!(meets(&mut floor, away(0)), "it may still be there");
        floor.risk.replace_rejected(&mut held).unwrap();
        assert!(meets(&mut floor, away(0)) && !meets(&mut floor, away(-100)));
    }
}

/// Goal: terms that no place is left for are refused: they could not be counted. Method: more terms within the window than the
/// table holds; one that finds none, and the same when the window is over.
#[test]
fn terms_without_a_place() {
    let mut floor = account_floor(|limits| {
        limits.duplicates = Some(Duplicates { max: 1, window_ns: 100 });
    });
    let (now, mut full) = (floor.moment.now, None);
    for px in (1..20_000).map(|step| step * 100) {
        let order = floor.order(Side::Buy, 1, px);
        let terms = &mut floor.risk.accounts[0].same_terms;
        match terms.find(&order, now) {
            Seen::Full => full = Some(order),
            seen => terms.count(seen, &order, now),
        }
    }
    let full = full.unwrap();
    assert!(floor.fails(&full, Reject::DuplicateTerms));
    floor.moment.now = Ts(now.0 + 100);
    assert!(!floor.fails(&full, Reject::DuplicateTerms));
}
