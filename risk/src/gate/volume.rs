use model::{Finding, Order, Reject};

use crate::view::{Node, View, Way};

/// Refuses when the orders and replaces that passed within the window and this one come to more money than
/// the limit. A replace counts its whole new quantity.
#[inline(always)] // So that what no verdict needs is not worked out.
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let volume = node.account.limits.volume.filter(|_| view.way != Way::Trigger);
    let Some(volume) = volume else { return Finding::holds(Reject::Volume, true) };
    let order = view
        .notional
        .map_or(i128::MAX, |notional| node.account.amount(view.listing.money, notional.0));
    let used = node.account.volume.used(view.now).0.saturating_add(order);
    Finding::at_most(Reject::Volume, used, volume.max.0)
}
