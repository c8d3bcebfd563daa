use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a replace while another one of the same order is on its way.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let pending = view.replaces.is_some_and(|held| held.change.is_some());
    Finding::holds(Reject::ChangePending, !pending)
}
