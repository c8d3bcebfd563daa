use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses one more open order than the account may have. A replace adds none.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let open = view.account.open_orders + u32::from(view.replaces.is_none());
    Finding::at_most(Reject::OpenOrders, open.into(), view.account.limits.open_orders_max.into())
}
