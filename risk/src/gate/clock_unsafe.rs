use model::{Finding, Order, Reject, Tif};

use crate::view::View;

/// Refuses what hangs on the time of day while that cannot be trusted: an order with an end, or for an auction (RTS 25).
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let timed = order.tif == Tif::Gtd || order.tif.is_auction();
    Finding::holds(Reject::ClockUnsafe, !(timed && view.moment.clock_unsafe))
}
