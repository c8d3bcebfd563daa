use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses one more open order than the account may have. A replace adds none.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let open = node.account.open_orders + u32::from(view.adds_order);
    Finding::at_most(Reject::OpenOrders, open.into(), node.account.limits.open_orders_max.into())
}
