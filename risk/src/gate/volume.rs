use model::{Finding, Order, Reject};

use crate::money;
use crate::view::{Node, View, Way};

/// Refuses when the orders and replaces that passed within the window and this one come to more money than
/// the limit. A replace counts its whole new quantity.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let (Some(volume), true) = (node.account.limits.volume, view.way != Way::Trigger) else {
        return Finding::holds(Reject::Volume, true);
    };
    let order = match view.notional {
        Some(notional) => node.account.amount(view.listing.money, notional.0),
        None => i128::MAX,
    };
    let used = money::plus(node.account.volume.used(view.now).0, order);
    Finding::at_most(Reject::Volume, used, volume.max.0)
}
