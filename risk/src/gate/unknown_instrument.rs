use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses an instrument that is not listed, or whose price step, lot or currency the operator did not configure.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let known = view.listing.is_some_and(|listing| listing.is_configured());
    Finding::holds(Reject::UnknownInstrument, known)
}
