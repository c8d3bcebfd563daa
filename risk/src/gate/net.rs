use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses worst-case net exposure of the account beyond its limit: the largest absolute sum of position ·
/// mark over its instruments that any subset of working orders can make. That is one of two: every buy fills
/// and no sell, or the opposite.
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    let worst = node.worth.long.0.max(node.worth.short.0);
    Finding::at_most_if_set(Reject::Net, worst, node.account.limits.net_max.map(|max| max.0))
}
