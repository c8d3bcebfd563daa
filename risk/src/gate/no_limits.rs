use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a pair of account and instrument without limits: absent means blocked.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::NoLimits, view.has_limits)
}
