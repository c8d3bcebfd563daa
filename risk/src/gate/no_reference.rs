use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses while there is no fresh price for the collar to measure from.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::NoReference, view.reference2.is_some())
}
