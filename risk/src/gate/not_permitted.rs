use model::page::Permission;
use model::{Finding, Order, Origin, Reject};

use crate::view::View;

/// Refuses an account that may only look, a client on an account that is not open to clients, and an account whose money is
/// of another currency than the instrument's.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let limits = &view.account.limits;
    let same_currency = view.listing.currency == limits.currency;
    let may_ask = limits.clients || !matches!(order.origin, Origin::Desk(_));
    let trades = limits.permission != Permission::Read;
    Finding::holds(Reject::NotPermitted, trades && may_ask && same_currency)
}
