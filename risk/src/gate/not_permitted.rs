use model::page::Permission;
use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses an account that may only look, and one whose money is of another currency than the instrument's.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let permitted = view.account.is_none_or(|account| {
        let same_currency = view.listing.is_none_or(|l| l.currency == account.limits.currency);
        account.limits.permission == Permission::Trade && same_currency
    });
    Finding::holds(Reject::NotPermitted, permitted)
}
