use model::{Finding, Order, Reject, Side};

use crate::limits::PairLimits;
use crate::view::{Node, View};

/// Parts of one that the band is given in.
const BASIS_POINTS: i128 = 10_000;

/// Refuses an order priced further from the reference than the band; on the band it passes.
///
/// The band is the wider of `band_bps` and `band_px`. Only the aggressive direction counts, so that a buy may
/// be arbitrarily low and a sell arbitrarily high, unless `band_both_sides`. Without a reference this check
/// has nothing to say, and [`super::no_reference`] refuses. In basis points, rounded up.
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

/// Twice how far the order is priced from the reference, in price units; zero on the side that is free.
fn through2(order: &Order, limits: &PairLimits, reference2: i64) -> i64 {
    // Saturates only where a price is beyond every reference, and that stays through it.
    let above = order.px.0.saturating_mul(2).saturating_sub(reference2);
    match (order.side, limits.band_both_sides) {
        (_, true) => above.saturating_abs(),
        (Side::Buy, false) => above.max(0),
        (Side::Sell, false) => above.saturating_neg().max(0),
    }
}

/// `⌈through / reference⌉`. Only the reader of the figure pays for the division: no verdict depends on it.
fn basis_points(through: i128, reference: i128) -> i128 {
    (through + reference - 1).checked_div(reference).unwrap_or(0)
}
