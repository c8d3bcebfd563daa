use model::{Finding, Order, Reject};

use crate::market::LinkFit;
use crate::view::View;

/// Refuses a replace of an order that cannot fill any more, and a link to one.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let open = view.replaces.is_none_or(|held| held.is_open);
    Finding::holds(Reject::NotOpen, open && view.moment.link != LinkFit::Ended)
}
