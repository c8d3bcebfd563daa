use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses while there is no fresh price for the collar to measure from, and while an account above, of another currency,
/// has no fresh rate to change into.
#[inline(always)]
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    Finding::holds(Reject::NoReference, node.reference2.is_some() && node.has_rates)
}
