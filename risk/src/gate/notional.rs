use model::{Finding, Money, Order, OrderType, Px, Reject, Side};

use super::collar;
use crate::limits::PairLimits;
use crate::market::twice;
use crate::money;
use crate::view::{Node, View};

/// Refuses more money than the limit of one order. A replace counts its whole new quantity. A sale without a limit of its own
/// counts at the collar's upper edge, for it may trade there.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    Finding::at_most(Reject::Notional, used(order, view, node), node.limits.notional_max.0)
}

/// The money of the order, in units of [`Money`].
#[inline(always)]
pub(super) fn used(order: &Order, view: &View<'_>, node: &Node<'_>) -> i128 {
    let notional = match (order.side, order.order_type.has_limit()) {
        (Side::Sell, false) => at_most(order, node.limits, node.reference2, view.listing.factor),
        _ => view.notional,
    };
    notional.map_or(i128::MAX, |notional| notional.0)
}

/// The most that a sale without a limit can bring; `None`: overflow. Without a reference it is refused for that.
#[cold]
fn at_most(
    order: &Order,
    limits: &PairLimits,
    reference2: Option<i64>,
    factor: i64,
) -> Option<Money> {
    let reference2 = match order.order_type {
        OrderType::Stop => twice(order.conditions.stop_px),
        _ => reference2,
    };
    let Some(reference2) = reference2 else { return Some(Money::ZERO) };
    let edge = i64::try_from(collar::edge(Side::Buy, limits, reference2)).ok()?;
    money::notional(Px(edge), order.qty, factor)
}
