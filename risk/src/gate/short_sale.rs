use model::{Finding, Order, Reject, Side};

use crate::view::{Node, View};

/// Refuses a sale that could leave the account short of more than is located for it, whatever else fills
/// (Regulation SHO, rule 203). What is bought back is located again. In quantity units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let short = (node.exposure.worst_short() + i128::from(view.open.0)).max(0);
    match (node.limits.located, order.side) {
        (Some(located), Side::Sell) => Finding::at_most(Reject::ShortSale, short, located.0.into()),
        _ => Finding::holds(Reject::ShortSale, true),
    }
}
