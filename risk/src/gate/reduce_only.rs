use model::page::Permission;
use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses, on an account that may only close and of an order that asks to only reduce, what does not reduce the
/// position whatever else is working: no flip, no open, and no more than is held less what works to reduce it
/// already. In quantity units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let closes = node.account.limits.permission == Permission::CloseOnly;
    if closes || order.conditions.reduce_only {
        let reducible = view.exposure.reducible(order.side);
        return Finding::at_most(Reject::ReduceOnly, view.open.0.into(), reducible);
    }
    Finding::holds(Reject::ReduceOnly, true)
}
