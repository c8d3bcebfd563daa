use model::{Finding, Order, Reject};

use crate::money;
use crate::view::{Node, View};

/// Refuses worst-case net exposure of the account beyond its limit: the largest absolute sum of position ·
/// mark over its instruments that any subset of working orders can make. That is one of two: every buy fills
/// and no sell, or the opposite.
#[inline(always)]
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    let worst2 = node.worth.long2.max(node.worth.short2);
    match node.account.limits.net_max {
        Some(limit) => money::at_most2(Reject::Net, worst2, limit),
        None => Finding::at_most_if_set(Reject::Net, money::half_up(worst2).0, None),
    }
}
