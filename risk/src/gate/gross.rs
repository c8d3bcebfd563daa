use model::{Finding, Order, Reject};

use crate::money;
use crate::view::{Node, View};

/// Refuses worst-case gross exposure of the account beyond its limit: the sum over its instruments of the
/// largest absolute position that any subset of working orders can make, at the instrument's mark.
#[inline(always)]
pub(crate) fn check(_: &Order, _: &View<'_>, node: &Node<'_>) -> Finding {
    money::at_most2(Reject::Gross, node.worth.gross2, node.account.limits.gross_max)
}
