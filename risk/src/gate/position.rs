use model::{Finding, Order, Reject, Side};

use crate::view::{Node, View};

/// Refuses a worst-case position beyond the limit, as if every working order of the same side filled and none
/// of the other: working buys and sells are not netted. In quantity units; the short side counts as a
/// positive number.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let (worst, limit) = match order.side {
        Side::Buy => (node.exposure.worst_long(), node.limits.long_max),
        Side::Sell => (node.exposure.worst_short(), node.limits.short_max),
    };
    Finding::at_most(Reject::Position, worst + i128::from(view.open.0), limit.0.into())
}
