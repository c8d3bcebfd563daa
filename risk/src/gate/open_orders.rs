use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses one more open order than the account may have. A replace adds none.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let (open, limit) = view
        .account
        .map_or((0, 0), |account| (account.open_orders, account.limits.open_orders_max));
    let added = i128::from(view.replaces.is_none());
    Finding::at_most(Reject::OpenOrders, i128::from(open) + added, limit.into())
}
