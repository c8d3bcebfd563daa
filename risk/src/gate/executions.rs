use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses once the account executed as often as it may without a human's word. Only an operator allows more
/// (RTS 6, article 15(3)).
#[inline(always)]
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    let limit = node.account.limits.executions_max.map(i128::from);
    Finding::at_most_if_set(Reject::Executions, i128::from(node.account.executions) + 1, limit)
}
