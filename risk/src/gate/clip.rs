use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses more than the limit of one order, in quantity units. A replace counts its whole new quantity.
#[inline(always)]
pub(crate) fn check(order: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    Finding::at_most(Reject::Clip, order.qty.0.into(), node.limits.clip_max.0.into())
}
