use model::{Px, Qty, Ts};
use proptest::prelude::*;

use super::{BOTH, money};
use crate::fixture::{ACCOUNT_LIMITS, FACTOR, Floor, PAIR_LIMITS};

/// Numbers near every limit of the floor, and the ends of the type.
fn quantities() -> impl Strategy<Value = i64> {
    prop_oneof![-2_i64..30, 990_i64..1_010, Just(i64::MAX), Just(i64::MIN)]
}

proptest! {
    /// Goal: tightening any limit never turns a refusal into a pass. Method: random state and order under
    /// random limits, judged again under the same limits with one of them tightened.
    #[test]
    fn tightening_never_loosens(
        sizes in [0_i64..30, 0_i64..30, 0_i64..30, 0_i64..30],
        counts in [0_u32..4, 0_u32..4, 0_u32..300],
        sums in [0_i128..40, 0_i128..40],
        margin in prop::option::of(0_u32..20_000),
        which in 0_usize..15,
        by in 1_i64..20,
        side in prop::sample::select(&BOTH[..]),
        qty in quantities(),
        px in prop_oneof![960_000_i64..1_040_000, Just(i64::MAX), Just(0)],
        age in 0_u64..100,
        prior in prop::collection::vec((any::<bool>(), 1_i64..5), 0..4),
    ) {
        let step = i128::from(by);
        let lower = |value: i128| (value - step).max(0);
        let (mut account, mut pair) = (ACCOUNT_LIMITS(), PAIR_LIMITS);
        account.gross_max = money(sums[0] * 1_000_000);
        account.cash = money(sums[1] * 1_000_000);
        account.open_orders_max = counts[0] + 1;
        account.rate_max = counts[1] + 2;
        pair.margin = margin.map(|bps| crate::Margin { long_bps: bps, short_bps: bps });
        pair.band_bps = counts[2];
        pair.soft.clip_max = (sizes[0] > 15).then_some(Qty(sizes[0]));
        pair.soft.notional_max = (sizes[1] > 15).then_some(money(i128::from(sizes[2]) * 1_000_000));
        pair.soft.band_bps = (sizes[1] > 15).then_some(counts[2]);
        pair.clip_max = Qty(sizes[0]);
        pair.notional_max = money(i128::from(sizes[1]) * 1_000_000);
        (pair.long_max, pair.short_max) = (Qty(sizes[2]), Qty(sizes[3]));
        let (mut account_tight, mut pair_tight) = (account, pair);
        match which {
            0 => account_tight.gross_max.0 = lower(account.gross_max.0 / FACTOR) * FACTOR,
            1 => account_tight.cash.0 = (account.cash.0 - step * FACTOR * 1_000_000).max(0),
            2 => account_tight.open_orders_max = account.open_orders_max.saturating_sub(by as u32),
            3 => account_tight.rate_max = account.rate_max.saturating_sub(by as u32),
            4 => pair_tight.band_bps = pair.band_bps.saturating_sub(by as u32),
            5 => pair_tight.clip_max = Qty(lower(pair.clip_max.0.into()) as i64),
            6 => pair_tight.notional_max.0 = lower(pair.notional_max.0 / FACTOR) * FACTOR,
            7 => pair_tight.long_max = Qty(lower(pair.long_max.0.into()) as i64),
            8 => pair_tight.short_max = Qty(lower(pair.short_max.0.into()) as i64),
            9 => {
                let bps = margin.unwrap_or(0) + by as u32 * 1_000;
                pair_tight.margin = Some(crate::Margin { long_bps: bps, short_bps: bps });
            }
            10 => {
                let most = pair.soft.clip_max.map_or(i64::MAX, |most| most.0);
                pair_tight.soft.clip_max = Some(Qty(lower(most.into()) as i64));
            }
            11 => {
                let most = pair.soft.notional_max.map_or(1 << 80, |most| most.0);
                pair_tight.soft.notional_max = Some(model::Money(lower(most / FACTOR) * FACTOR));
            }
            12 => {
                let most = pair.soft.band_bps.unwrap_or(10_000);
                pair_tight.soft.band_bps = Some(most.saturating_sub(by as u32));
            }
            13 => account_tight.basket_max = Some(money(i128::from(sizes[3]) * 1_000_000)),
            _ => pair_tight.age_max_ns = pair.age_max_ns - by as u64,
        }
        // The same books for both: made under wide limits, then the limits under test are put in place.
        let verdicts = [(account, pair), (account_tight, pair_tight)].map(|(account, pair)| {
            let mut floor = Floor::new();
            for (fills, qty) in &prior {
                let mut held = floor.pass(if *fills { side } else { side.opposite() }, *qty, 1_000_000);
                if *fills {
                    floor.risk.fill(&mut held, Px(1_000_000), Qty(*qty)).unwrap();
                }
            }
            floor.relimit(account, pair);
            floor.moment.now = Ts(10_000 + age);
            let mut order = floor.order(side, qty, px);
            if which == 13 {
                let [announced, others] = [sizes[0], sizes[1]].map(|n| money(i128::from(n) * 1_000_000));
                floor.moment.basket = Some(crate::Basket { announced, others });
                order.conditions.link = Some(model::Link::Basket(0));
            }
            floor.risk.check(&order, &floor.market, floor.moment).0
        });
        let [loose, tight] = verdicts;
        prop_assert!(loose.passed() || !tight.passed(), "{:?} / {:?}", loose, tight);
        // Younger data alone can be another reference, from which the collar measures another distance.
        let same_reference = which < 14;
        prop_assert!(!same_reference || loose.bits & !tight.bits == 0, "{:?} / {:?}", loose, tight);
    }
}
