use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses while the audit log takes no more: nothing may be sent of which no record is kept.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::AuditFull, !view.moment.audit_full)
}
