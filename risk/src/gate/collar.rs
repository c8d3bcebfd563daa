use model::{Finding, Order, OrderType, Px, Reject, Side};

use crate::limits::PairLimits;
use crate::view::{Node, View};

/// Parts of one that the band is given in.
const BASIS_POINTS: i128 = 10_000;

/// Refuses an order priced further from the reference than the band; on the band it passes.
///
/// The band is the wider of `band_bps` and `band_px`. Only the aggressive direction counts, so that a buy may
/// be arbitrarily low and a sell arbitrarily high, unless `band_both_sides`. Without a reference this check
/// has nothing to say, and [`super::no_reference`] refuses. In basis points, rounded up.
#[inline(always)]
pub(crate) fn check(order: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    let limits = node.limits;
    let Some(reference2) = node.reference2 else {
        return Finding::at_most(Reject::Collar, 0, limits.band_bps.into());
    };
    let through2 = through2(order, limits, reference2);
    let relative = i128::from(through2) * BASIS_POINTS;
    let beyond_bps = relative > i128::from(reference2) * i128::from(limits.band_bps);
    let beyond_px = i128::from(through2) > 2 * i128::from(limits.band_px);
    Finding {
        code: Reject::Collar,
        failed: beyond_bps && beyond_px,
        limit: limits.band_bps.into(),
        used: basis_points(relative, reference2.into()),
    }
}

/// Twice how far the order is priced from the reference, in price units; zero on the side that is free. Of a stop its trigger
/// counts, and with a limit the worse of the two: without one it is priced, and judged, again when it is triggered.
#[inline(always)]
pub(super) fn through2(order: &Order, limits: &PairLimits, reference2: i64) -> i64 {
    let stop_px = order.conditions.stop_px;
    match order.order_type {
        OrderType::Limit | OrderType::Market => {
            through2_at(order.px, order.side, limits, reference2)
        }
        OrderType::Stop => through2_at(stop_px, order.side, limits, reference2),
        OrderType::StopLimit => through2_at(order.px, order.side, limits, reference2)
            .max(through2_at(stop_px, order.side, limits, reference2)),
    }
}

#[inline(always)]
fn through2_at(px: Px, side: Side, limits: &PairLimits, reference2: i64) -> i64 {
    // Saturates only where a price is beyond every reference, and that stays through it.
    let above = px.0.saturating_mul(2).saturating_sub(reference2);
    match (side, limits.band_both_sides) {
        (_, true) => above.saturating_abs(),
        (Side::Buy, false) => above.max(0),
        (Side::Sell, false) => above.saturating_neg().max(0),
    }
}

/// The worst price that passes: the highest of a buy, the lowest of a sell, in price units.
pub(crate) fn edge(side: Side, limits: &PairLimits, reference2: i64) -> i128 {
    let reference2 = i128::from(reference2);
    let relative2 = reference2 * i128::from(limits.band_bps) / BASIS_POINTS;
    let width2 = relative2.max(2 * i128::from(limits.band_px));
    match side {
        Side::Buy => (reference2 + width2).div_euclid(2),
        Side::Sell => -(width2 - reference2).div_euclid(2),
    }
}

/// `⌈through / reference⌉`. Only the reader of the figure pays for the division: no verdict depends on it.
fn basis_points(through: i128, reference: i128) -> i128 {
    (through + reference - 1).checked_div(reference).unwrap_or(0)
}
