use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses an account that is not configured.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::UnknownAccount, view.knows_account)
}
