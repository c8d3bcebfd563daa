use model::{Finding, Order, Reject};

use crate::view::{Node, View, Way};

/// Refuses more new orders and replaces than the account may send within its window. Refused ones count;
/// cancels never do, and a stop counts when it is asked for, not at its trigger.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let limit = node.account.limits.rate_max;
    if view.way == Way::Trigger {
        return Finding::holds(Reject::Rate, true);
    }
    Finding::at_most(Reject::Rate, i128::from(node.rate_used) + 1, limit.into())
}
