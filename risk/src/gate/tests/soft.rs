use model::{Money, Order, OrderType, Qty, Reject, Side, Verdict};
use proptest::prelude::*;

use super::{BOTH, money, pair_floor};
use crate::fixture::{Floor, MARKET, PAIR_LIMITS};
use crate::{Excess, SoftLimits};

const CLIP: SoftLimits = SoftLimits { clip_max: Some(Qty(10)), ..SoftLimits::OFF };

fn floor(soft: SoftLimits) -> Floor {
    pair_floor(|limits| limits.soft = soft)
}

/// Goal: each soft limit refuses one beyond it, on both sides, and says which it is; the hard ones have nothing against it.
/// Method: −1 / 0 / +1 of each, zero, the ends of the type; off.
#[test]
fn soft_limits() {
    let of_money = SoftLimits { notional_max: Some(money(5_000_000)), ..SoftLimits::OFF };
    let of_price = SoftLimits { band_bps: Some(50), ..SoftLimits::OFF };
    let nothing = SoftLimits { clip_max: Some(Qty(0)), ..SoftLimits::OFF };
    let [clip, notional, band] =
        [0, 1, 2].map(|at| Excess { clip: at == 0, notional: at == 1, band: at == 2 });
    for side in BOTH {
        let away = |by: i64| if side == Side::Buy { 1_000_000 + by } else { 1_000_000 - by };
        let judge = |soft, qty, px, excess: Excess| {
            let mut floor = floor(soft);
            let order = floor.order(side, qty, px);
            let fails = floor.fails(&order, Reject::NeedsApproval);
            assert_eq!(floor.risk.excess(&order, &MARKET, floor.moment.now), excess, "{qty} {px}");
            assert_eq!(fails, !excess.is_none(), "{qty} {px}");
            fails
        };
        let none = Excess::default();
        judge(CLIP, 9, 1_000_000, none);
        judge(CLIP, 10, 1_000_000, none);
        assert!(judge(CLIP, 11, 1_000_000, clip));
        judge(CLIP, 0, 1_000_000, none);
        judge(CLIP, i64::MIN, 1_000_000, none);
        judge(CLIP, i64::MAX, 1_000_000, clip);
        judge(nothing, 1, 1_000_000, clip);
        judge(of_money, 5, 999_999, none);
        judge(of_money, 5, 1_000_000, none);
        judge(of_money, 5, 1_000_001, notional);
        judge(of_money, i64::MAX, i64::MAX, notional);
        judge(of_price, 1, away(4_999), none);
        judge(of_price, 1, away(5_000), none);
        assert!(judge(of_price, 1, away(5_001), band));
        judge(of_price, 1, away(-9_999), none);
        assert!(!judge(SoftLimits::OFF, 1_000, 1_000_000, none));
    }
    let mut floor = floor(SoftLimits { clip_max: Some(Qty(10)), band_bps: Some(50), ..of_money });
    let order = floor.order(Side::Buy, 11, 1_005_001);
    let excess = floor.risk.excess(&order, &MARKET, floor.moment.now);
    let keys = ["soft_clip_max", "soft_notional_max", "soft_band_bps"];
    assert_eq!(excess.keys().collect::<Vec<_>>(), keys);
    let found = floor.finds(&order, Reject::NeedsApproval);
    assert_eq!((found.limit, found.used), (10_000, 22_111), "that which is used most, rounded up");
    let order = floor.order(Side::Sell, 1, 1_000_000);
    assert_eq!(floor.finds(&order, Reject::NeedsApproval).used, 2_000, "exactly");
}

/// Goal: an approval lets pass its quantity and no more, and no hard limit with it. Method: −1 / 0 / +1 of what is approved;
/// approved beyond the hard limit of quantity and of price.
#[test]
fn an_approval_loosens_nothing_else() {
    let mut floor = floor(CLIP);
    floor.moment.approved = Qty(20);
    for (qty, refused) in [(10, false), (19, false), (20, false), (21, true)] {
        let order = floor.order(Side::Buy, qty, 1_000_000);
        assert_eq!(floor.fails(&order, Reject::NeedsApproval), refused, "{qty}");
        let headroom = floor.risk.headroom(&order, &MARKET, floor.moment);
        assert_eq!((headroom.qty, headroom.binds), (Qty(20), Reject::NeedsApproval));
    }
    floor.moment.approved = Qty(i64::MAX);
    let large = floor.order(Side::Buy, PAIR_LIMITS.clip_max.0 + 1, 1_000_000);
    let far = floor.order(Side::Buy, 11, 1_010_100);
    for (order, code) in [(large, Reject::Clip), (far, Reject::Collar)] {
        let verdict = floor.clear(order).unwrap_err();
        assert_eq!(verdict.bits, Verdict::bit(code));
    }
}

/// Goal: new terms of an order need approval by their whole quantity; a stop as it is asked for, and not at its trigger.
/// Method: a small order made larger; a large stop, approved, triggered when nothing is approved any more.
#[test]
fn replaces_and_stops() {
    let mut floor = floor(CLIP);
    let order = floor.order(Side::Buy, 5, 999_900);
    let (_, mut held) = floor.clear(order).unwrap();
    let grown = |floor: &mut Floor, qty| {
        let Order { client_id, .. } = floor.order(Side::Buy, 1, 1_000_000);
        let order = Order { client_id, qty: Qty(qty), ..order };
        floor.risk.clear_replace(order, &mut held.clone(), &MARKET, floor.moment).is_ok()
    };
    assert!(grown(&mut floor, 10) && !grown(&mut floor, 11));
    floor.risk.release(&mut held);
    let stop = floor.order(Side::Buy, 11, 1_000_500);
    let mut stop = Order { order_type: OrderType::StopLimit, ..stop };
    stop.conditions.stop_px = model::Px(1_000_200);
    let judge = |floor: &mut Floor, stop: &Order| {
        floor.risk.clear_held(stop, None, &MARKET, floor.moment).map_err(|verdict| verdict.bits)
    };
    assert_eq!(judge(&mut floor, &stop).err(), Some(Verdict::bit(Reject::NeedsApproval)));
    floor.moment.approved = Qty(11);
    stop.client_id = floor.order(Side::Buy, 1, 1_000_000).client_id;
    let mut held = judge(&mut floor, &stop).unwrap();
    floor.moment.approved = Qty(0);
    let fired = Order { order_type: OrderType::Limit, ..stop };
    assert!(floor.risk.clear_triggered(fired, &mut held, &MARKET, floor.moment).is_ok());
}

proptest! {
    /// Goal: the rounded figure decides as the numbers themselves. Method: any quantity and money against any limits near them
    /// or at the ends, compared plainly.
    #[test]
    fn decides_as_plain_comparison(
        qty in prop_oneof![0_i64..40, Just(i64::MAX)],
        px in prop_oneof![1_i64..40, 999_990_i64..1_000_010, Just(i64::MAX)],
        clip in prop_oneof![0_i64..40, Just(i64::MAX)],
        sum in prop_oneof![0_i128..2_000, 999_990_i128..40_000_000, Just(1 << 90)],
    ) {
        let sum = Money(sum.saturating_mul(crate::fixture::FACTOR));
        let soft = SoftLimits { clip_max: Some(Qty(clip)), notional_max: Some(sum), band_bps: None };
        let mut floor = floor(soft);
        let order = floor.order(Side::Buy, qty, px);
        let worth = i128::from(px).saturating_mul(i128::from(qty));
        let beyond = qty > clip || worth > sum.0 / crate::fixture::FACTOR;
        prop_assert_eq!(floor.fails(&order, Reject::NeedsApproval), beyond);
    }
}
