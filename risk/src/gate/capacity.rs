use model::{Finding, Order, Reject};

use crate::ids::Place;
use crate::view::View;

/// Refuses when a table that the order needs has no room: client order ids, lines, or one of the engine's.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let room = view.account.is_none() || view.id != Place::Full;
    Finding::holds(Reject::Capacity, room && view.has_slot && !view.moment.tables_full)
}
