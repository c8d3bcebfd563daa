use model::{Finding, Order, Reject, Side};

use crate::limits::Restriction;
use crate::view::{Node, View};

/// Refuses what the operator's list of the account forbids in the instrument (15c3-5(c)(2)(ii)).
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let reduces = i128::from(view.open.0) <= view.exposure.reducible(order.side);
    let passes = match node.limits.restricted {
        Restriction::None => true,
        Restriction::Buy => order.side == Side::Sell,
        Restriction::Sell => order.side == Side::Buy,
        Restriction::All => false,
        Restriction::Increase => reduces,
    };
    Finding::holds(Reject::Restricted, passes)
}
