use model::{Finding, Order, Reject, Side};

use crate::view::View;

/// Refuses an order priced through the reference by more than `band_bps`; on the band it passes.
///
/// Only the aggressive direction counts: a buy may be arbitrarily low, a sell arbitrarily high. Without a reference this
/// check has nothing to say, and [`super::no_reference`] refuses. In basis points, rounded up.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let band = i128::from(view.limits.band_bps);
    let Some(reference2) = view.reference2.map(i128::from) else {
        return Finding::at_most(Reject::Collar, 0, band);
    };
    let px2 = i128::from(order.px.0) * 2;
    let through = match order.side {
        Side::Buy => px2 - reference2,
        Side::Sell => reference2 - px2,
    };
    let through = through.max(0) * 10_000;
    Finding {
        code: Reject::Collar,
        failed: through > reference2 * band,
        limit: band,
        used: basis_points(through, reference2),
    }
}

/// `⌈through / reference⌉`. Only the reader of the figure pays for the division: no verdict depends on it.
fn basis_points(through: i128, reference: i128) -> i128 {
    (through + reference - 1).checked_div(reference).unwrap_or(0)
}
