use model::page::Permission;
use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses on an account that may only close what does not reduce the position whatever else is working: no
/// flip, no open, and no more than is held less what works to reduce it already. In quantity units.
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    match node.account.limits.permission {
        Permission::CloseOnly => {
            let reducible = view.exposure.reducible(order.side);
            Finding::at_most(Reject::ReduceOnly, view.open.0.into(), reducible)
        }
        Permission::Read | Permission::Trade => Finding::holds(Reject::ReduceOnly, true),
    }
}
