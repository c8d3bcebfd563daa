use model::{Finding, Order, Reject, Side};

use crate::view::View;

/// Refuses an order priced through the reference by more than `band_bps`; on the band it passes.
///
/// Only the aggressive direction counts: a buy may be arbitrarily low, a sell arbitrarily high. Without a
/// reference this check has nothing to say, and [`super::no_reference`] refuses. In basis points, rounded up.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let band = i64::from(view.limits.band_bps);
    let Some(reference2) = view.reference2 else {
        return Finding::at_most(Reject::Collar, 0, band.into());
    };
    // Saturates only where a price is beyond every reference, and that stays through it.
    let px2 = order.px.0.saturating_mul(2);
    let through = match order.side {
        Side::Buy => px2.saturating_sub(reference2),
        Side::Sell => reference2.saturating_sub(px2),
    };
    let through = i128::from(through.max(0)) * 10_000;
    Finding {
        code: Reject::Collar,
        failed: through > i128::from(reference2) * i128::from(band),
        limit: band.into(),
        used: basis_points(through, reference2.into()),
    }
}

/// `⌈through / reference⌉`. Only the reader of the figure pays for the division: no verdict depends on it.
fn basis_points(through: i128, reference: i128) -> i128 {
    (through + reference - 1).checked_div(reference).unwrap_or(0)
}
