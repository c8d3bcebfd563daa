use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses a pair of account and instrument without limits: absent means blocked.
#[inline(always)]
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    Finding::holds(Reject::NoLimits, node.has_limits)
}
