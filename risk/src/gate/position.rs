use model::{Finding, Order, Reject, Side};

use crate::view::View;

/// Refuses a worst-case position beyond the limit, as if every working order of the same side filled and none
/// of the other: working buys and sells are not netted. In quantity units; the short side counts as a
/// positive number.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let (worst, limit) = match order.side {
        Side::Buy => (view.exposure.worst_long(), view.limits.long_max),
        Side::Sell => (view.exposure.worst_short(), view.limits.short_max),
    };
    Finding::at_most(Reject::Position, worst + i128::from(view.open.0), limit.0.into())
}
