use model::{Finding, Order, Reject};

use crate::ids::Place;
use crate::view::View;

/// Refuses a client order id that the account used before. A request that repeats an earlier one word for
/// word is answered from the record before it comes here.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::DuplicateId, !matches!(view.id, Place::Used(_)))
}
