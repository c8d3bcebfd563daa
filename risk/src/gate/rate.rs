use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses more new orders and replaces than the account may send within its window. Refused ones count;
/// cancels never do.
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    let limit = node.account.limits.rate_max;
    Finding::at_most(Reject::Rate, i128::from(node.rate_used) + 1, limit.into())
}
