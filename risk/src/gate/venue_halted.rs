use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses while the venue does not trade the instrument, or nothing at all.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let tradable = view.market.state.is_tradable() && !view.market.market_halted;
    Finding::holds(Reject::VenueHalted, tradable)
}
