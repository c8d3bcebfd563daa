use model::{Finding, Order, Reject, Side};

use crate::view::{Node, View};

/// Refuses an order that could trade with one of the same owner, which is every account of its tree: a buy at or
/// above the owner's lowest working sell, a sell at or below its highest working buy. One account of the path that
/// forbids it suffices. A stop meets nobody before its trigger, when it is judged again. The order that comes is the
/// one refused; nothing that rests is cancelled.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let meets = view.own_opposite.is_some_and(|px| match order.side {
        Side::Buy => order.px >= px,
        Side::Sell => order.px <= px,
    });
    Finding::holds(
        Reject::SelfTrade,
        !(node.account.limits.no_self_trade && meets && !order.is_held()),
    )
}
