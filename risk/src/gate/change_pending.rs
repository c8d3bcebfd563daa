use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a replace while the order waits for an answer to something else.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let pending = match view.replaces {
        Some(held) => held.change.is_some() || view.moment.change_pending,
        None => false,
    };
    Finding::holds(Reject::ChangePending, !pending)
}
