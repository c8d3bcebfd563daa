use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses more new orders and replaces than the account may send within its window. Refused ones count;
/// cancels never do.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let limit = view.account.limits.rate_max;
    Finding::at_most(Reject::Rate, i128::from(view.rate_used) + 1, limit.into())
}
