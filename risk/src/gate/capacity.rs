use model::{Finding, Order, Reject};

use crate::ids::Place;
use crate::view::View;

/// Refuses when a table that the order needs has no room: client order ids, lines, prices, or one of the
/// engine's.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let has_room = view.has_room && view.id != Place::Full && !view.moment.tables_full;
    Finding::holds(Reject::Capacity, has_room)
}
