use model::page::Permission;
use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses an account that may only look, and one whose money is of another currency than the instrument's.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let limits = &view.account.limits;
    let same_currency = view.listing.currency == limits.currency;
    Finding::holds(Reject::NotPermitted, limits.permission == Permission::Trade && same_currency)
}
