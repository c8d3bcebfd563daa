use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a replace while the order waits for an answer to something else.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let pending =
        view.replaces.is_some_and(|held| held.change.is_some() || view.moment.change_pending);
    Finding::holds(Reject::ChangePending, !pending)
}
