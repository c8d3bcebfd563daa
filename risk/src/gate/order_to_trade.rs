use model::{Finding, Order, Reject};

use crate::view::{Node, View, Way};

/// Refuses when the session's orders, this one among them, are more than `ratio_max + 1` for each trade, once
/// they are more than are free (RTS 9: orders / trades − 1). No trade counts as one.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let (Some(rule), true) = (node.account.limits.order_to_trade, view.way != Way::Trigger) else {
        return Finding::holds(Reject::OrderToTrade, true);
    };
    let orders = i128::from(node.account.orders) + if view.replaces.is_some() { 2 } else { 1 };
    let trades = i128::from(node.account.trades).max(1);
    let most = (i128::from(rule.ratio_max) + 1) * trades;
    Finding::at_most(Reject::OrderToTrade, orders, most.max(rule.free.into()))
}
