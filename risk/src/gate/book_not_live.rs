use model::{Finding, Integrity, Order, Reject};

use crate::view::View;

/// Refuses while the book may not be believed.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::BookNotLive, view.market.integrity == Integrity::Live)
}
