use model::{Finding, Order, Reject};

use crate::money;
use crate::view::{Node, View};

/// Refuses after more than the limit was lost since the session began: realised, unrealised at the account's
/// kind of mark, and fees. A loss of exactly the limit passes. Unless the account says otherwise, an order
/// that can only reduce a position passes in spite of it.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let lost2 = node.account.lost2(node.profit2);
    match node.account.limits.loss_max {
        Some(limit) => {
            let found = money::at_most2(Reject::Loss, lost2, limit);
            Finding { failed: found.failed && view.loss_stops(node.account, order), ..found }
        }
        None => Finding::at_most_if_set(Reject::Loss, money::half_up(lost2).0, None),
    }
}
