use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses more money than the limit of one order. A replace counts its whole new quantity.
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let notional = view.notional.map_or(i128::MAX, |notional| notional.0);
    Finding::at_most(Reject::Notional, notional, node.limits.notional_max.0)
}
