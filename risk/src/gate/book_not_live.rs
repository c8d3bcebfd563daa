use model::{Finding, Integrity, Order, Reject};

use crate::view::View;

/// Refuses while the book may not be believed, and until it could be for long enough.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let live = view.market.integrity == Integrity::Live && !view.market.settling;
    Finding::holds(Reject::BookNotLive, live)
}
