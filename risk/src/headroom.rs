//! The largest quantity that would pass now, found by asking the gate itself.

use model::{Conditions, Headroom, Order, Qty, Reject, Verdict};

use crate::gate::{failing, way_of};
use crate::ledger::Risk;
use crate::market::{Market, Moment};
use crate::path::AccountChain;
use crate::reservation::Reservation;
use crate::view::View;

/// Quantities tried below one that only its repetition forbids.
const REPEATS_MAX: i64 = 64;

impl Risk {
    /// The largest quantity with which this new order would pass at its price, and the rule that binds. The
    /// order's own quantity is not looked at. Consumes nothing; asks the gate at most 64 times, and some more
    /// where the same terms came too often.
    ///
    /// A smaller quantity never fails a check that a larger one passes, but for the repetition of the very
    /// same terms; so halving the range finds the edge.
    pub fn headroom(&self, order: &Order, market: &Market, moment: Moment) -> Headroom {
        self.headroom_instead(order, None, market, moment)
    }

    /// The same of an order that comes in the place of another, as [`Risk::clear_held`] judges it.
    pub fn headroom_instead(
        &self,
        order: &Order,
        instead_of: Option<&Reservation>,
        market: &Market,
        moment: Moment,
    ) -> Headroom {
        self.search(order, None, instead_of, market, moment)
    }

    /// The same as [`Risk::headroom`], begun at the quantity that was the largest before: four questions if it still is,
    /// about two more for each doubling of its distance if not.
    pub fn headroom_near(
        &self,
        order: &Order,
        before: Qty,
        market: &Market,
        moment: Moment,
    ) -> Headroom {
        self.search(order, Some(before), None, market, moment)
    }

    fn search(
        &self,
        order: &Order,
        near: Option<Qty>,
        instead_of: Option<&Reservation>,
        market: &Market,
        moment: Moment,
    ) -> Headroom {
        let lot = self.listing(order.instrument).map_or(0, |listing| listing.lot.0);
        // What is shown of an order is a part of it, and so would set a least quantity.
        let conditions = Conditions { display: Qty(0), ..order.conditions };
        let failing = |lots: i64| {
            let order = Order { qty: Qty(lots.saturating_mul(lot)), conditions, ..*order };
            let held = Reservation::closed(&order);
            let (seen, way) = way_of(&order, &held, instead_of);
            let chain = AccountChain::new(self, order.account, order.instrument);
            failing(&order, &View::new(&chain, &order, seen, way, market, &moment))
        };
        let repeated = Verdict::bit(Reject::DuplicateTerms);
        let near = near.map(|qty| qty.0.checked_div(lot).unwrap_or(0));
        let top = i64::MAX.checked_div(lot).unwrap_or(1);
        let most = edge(near, top, |lots| failing(lots) & !repeated == 0);
        let unrepeated = (0..=most.min(REPEATS_MAX)).map(|less| most - less);
        let most = unrepeated.into_iter().find(|lots| failing(*lots) == 0).unwrap_or(0);
        let beyond = Verdict { bits: failing(most + 1), primary: None };
        let binds = beyond.failed().next().unwrap_or(Reject::Overflow);
        Headroom { qty: Qty(most.saturating_mul(lot)), binds }
    }
}

/// The largest number below `top` that fits, if whatever is smaller than one that fits does too. `near` is tried first and
/// left in steps that double, until the edge is passed; from there, or without it, the range is halved.
fn edge(near: Option<i64>, top: i64, fits: impl Fn(i64) -> bool) -> i64 {
    let (mut passes, mut fails, mut step) = (0, top, 0_i64);
    while passes + 1 < fails {
        let next = match near {
            Some(near) if step == 0 => near.clamp(1, fails - 1),
            Some(_) if fails == top => passes.saturating_add(step).min(fails - 1),
            Some(_) if passes == 0 => (fails - step).max(1),
            _ => passes.midpoint(fails),
        };
        if fits(next) {
            passes = next
        } else {
            fails = next
        }
        step = step.saturating_mul(2).max(1);
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{ACCOUNT_LIMITS, FACTOR, Floor, INSTRUMENT, PAIR_LIMITS, instrument};
    use crate::{Duplicates, PairLimits};
    use model::{Money, Side};
    use proptest::prelude::*;

    /// Goal: the rule that binds is named, a halted account has no room, and what an order shows takes none away. Method: one
    /// limit after the other tighter than the rest; one tighter than what is shown.
    #[test]
    fn names_what_binds() {
        let with = |limits: PairLimits, side| {
            let mut floor = Floor::with(ACCOUNT_LIMITS(), limits);
            let order = floor.order(side, 0, 1_000_000);
            floor.risk.headroom(&order, &floor.market, floor.moment)
        };
        let room = |qty, binds| Headroom { qty: Qty(qty), binds };
        assert_eq!(with(PAIR_LIMITS, Side::Buy), room(1_000, Reject::Clip));
        let short = PairLimits { short_max: Qty(7), ..PAIR_LIMITS };
        assert_eq!(with(short, Side::Sell), room(7, Reject::Position));
        let mut floor =
            Floor::with(ACCOUNT_LIMITS(), PairLimits { clip_max: Qty(2), ..PAIR_LIMITS });
        let mut iceberg = floor.order(Side::Buy, 9, 1_000_000);
        iceberg.conditions.display = Qty(3);
        let two = floor.risk.headroom(&iceberg, &floor.market, floor.moment);
        assert_eq!(two, room(2, Reject::Clip));
        let blocked = PairLimits { age_max_ns: 0, ..PairLimits::BLOCKED };
        assert_eq!(with(blocked, Side::Sell).qty, Qty(0));
        let mut nowhere = Floor::new();
        let order = Order { instrument: model::InstrumentId(9), ..nowhere.order(Side::Buy, 1, 1) };
        let nothing = nowhere.risk.headroom(&order, &nowhere.market, nowhere.moment);
        assert_eq!(nothing, room(0, Reject::UnknownInstrument));
    }

    /// Goal: a quantity that came too often is stepped over. Method: the largest one used up, then the next.
    #[test]
    fn steps_over_repeats() {
        let mut limits = ACCOUNT_LIMITS();
        limits.duplicates = Some(Duplicates { max: 1, window_ns: 100 });
        let mut floor = Floor::with(limits, PairLimits { clip_max: Qty(5), ..PAIR_LIMITS });
        floor.pass(Side::Buy, 5, 1_000_000);
        let order = floor.order(Side::Buy, 0, 1_000_000);
        let room = floor.risk.headroom(&order, &floor.market, floor.moment);
        assert_eq!(room, Headroom { qty: Qty(4), binds: Reject::DuplicateTerms });
    }

    proptest! {
        /// Goal: exactly the largest quantity that the gate passes. Method: random limits and books; every
        /// quantity up to beyond the clip is asked for.
        #[test]
        fn is_the_largest_that_passes(
            clip in 0_i64..40,
            sums in [0_i128..60, 0_i128..60, 0_i128..60],
            positions in [0_i64..40, 0_i64..40],
            lot in 1_i64..4,
            side in prop::sample::select(&[Side::Buy, Side::Sell][..]),
            prior in prop::collection::vec((any::<bool>(), any::<bool>(), 1_i64..5), 0..4),
        ) {
            let money = |units: i128| Money(units * 1_000_000 * FACTOR);
            let mut floor = Floor::new();
            for (buys, fills, qty) in prior {
                let with = if buys { Side::Buy } else { Side::Sell };
                let mut held = floor.pass(with, qty, 1_000_000);
                if fills {
                    floor.risk.fill(&mut held, model::Px(1_000_000), Qty(qty)).unwrap();
                }
            }
            let mut account = ACCOUNT_LIMITS();
            (account.gross_max, account.cash) = (money(sums[0]), money(sums[1]));
            account.day_gross_max = Some(money(sums[2]));
            let pair = PairLimits {
                clip_max: Qty(clip),
                long_max: Qty(positions[0]),
                short_max: Qty(positions[1]),
                ..PAIR_LIMITS
            };
            floor.relimit(account, pair);
            floor.risk.list(&model::Instrument { lot: Qty(lot), ..instrument(INSTRUMENT) }).unwrap();
            let order = floor.order(side, 0, 1_000_000);
            let passes = |qty: &i64| {
                let order = Order { qty: Qty(*qty), ..order };
                floor.risk.check(&order, &floor.market, floor.moment).0.passed()
            };
            let largest = (0..=clip + 4).filter(passes).max().unwrap_or(0);
            let room = floor.risk.headroom(&order, &floor.market, floor.moment);
            prop_assert_eq!(room.qty, Qty(largest));
            let next = Order { qty: Qty(largest + lot), ..order };
            let verdict = floor.risk.check(&next, &floor.market, floor.moment).0;
            prop_assert_eq!(verdict.primary.unwrap().code, room.binds);
            for before in [0, largest - lot, largest, largest + lot, 1_000_000, i64::MAX] {
                let near = floor.risk.headroom_near(&order, Qty(before), &floor.market, floor.moment);
                prop_assert_eq!(near, room, "from {}", before);
            }
        }

        /// Goal: the edge is found from wherever the search begins, and with few questions from near by. Method: any edge
        /// and any beginning; count.
        #[test]
        fn edge_from_anywhere(
            edge_at in prop_oneof![0_i64..100, 0..i64::MAX - 1],
            off in prop_oneof![-3_i64..4, any::<i64>()],
        ) {
            let asked = core::cell::Cell::new(0);
            let fits = |lots| {
                assert!((1..i64::MAX).contains(&lots));
                asked.set(asked.get() + 1);
                lots <= edge_at
            };

            prop_assert_eq!(edge(None, i64::MAX, fits), edge_at);
            prop_assert!(asked.take() <= 63);
            let near = edge_at.saturating_add(off);
            prop_assert_eq!(edge(Some(near), i64::MAX, fits), edge_at);
            let doublings = 64 - near.clamp(0, i64::MAX).abs_diff(edge_at).leading_zeros();
            prop_assert!(asked.get() <= 2 + 2 * doublings, "{} from {}", asked.get(), near);
        }
    }
}
