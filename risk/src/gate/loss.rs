use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses after more than the limit was lost since the session began: realised, unrealised at the account's
/// kind of mark, and fees. A loss of exactly the limit passes. Unless the account says otherwise, an order
/// that can only reduce a position passes in spite of it.
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let lost = node.account.base.0.saturating_sub(node.profit.0);
    let limit = node.account.limits.loss_max.map(|max| max.0);
    let found = Finding::at_most_if_set(Reject::Loss, lost, limit);
    Finding { failed: found.failed && view.loss_stops(node.account, order), ..found }
}
