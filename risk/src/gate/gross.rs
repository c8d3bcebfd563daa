use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses worst-case gross exposure of the account beyond its limit: the sum over its instruments of the
/// largest absolute position that any subset of working orders can make, at the instrument's mark.
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    Finding::at_most(Reject::Gross, node.worth.gross.0, node.account.limits.gross_max.0)
}
