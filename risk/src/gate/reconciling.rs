use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses while it is not known where orders stand at the venue: what was filled meanwhile is not in the books.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::Reconciling, !view.moment.reconciling)
}
