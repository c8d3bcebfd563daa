use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses market data older than `age_max_ns`. A quiet instrument is not stale while its channel speaks,
/// unless the limits say so. In nanoseconds.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let age_ns = view.market.age_ns(node.limits, view.now);
    Finding::at_most(Reject::Stale, age_ns.into(), node.limits.age_max_ns.into())
}
