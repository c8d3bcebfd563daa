use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses an instrument that is not listed, or whose price step, lot or currency the operator did not
/// configure.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::UnknownInstrument, view.listing.is_configured())
}
