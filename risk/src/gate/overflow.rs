use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses what cannot be counted exactly: no sum or product of the order may exceed its type.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let exact = view.notional.is_some() && view.reserved().is_some() && view.fits;
    Finding::holds(Reject::Overflow, exact)
}
