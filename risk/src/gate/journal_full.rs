use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses while the journal takes no more: nothing may be sent that is not recorded.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::JournalFull, !view.moment.journal_full)
}
