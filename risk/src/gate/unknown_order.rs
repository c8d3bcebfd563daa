use model::{Finding, Order, Reject};

use crate::market::LinkFit;
use crate::view::View;

/// Refuses a replace of an order that is not of this account, instrument and side, and a link to one that does not exist.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let own = view.replaces.is_none_or(|held| {
        (held.account, held.instrument, held.side) == (order.account, order.instrument, order.side)
    });
    Finding::holds(Reject::UnknownOrder, own && view.moment.link != LinkFit::Unknown)
}
