use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a quantity that is not a positive multiple of the lot. The limit is the lot, in quantity units.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let lot = view.listing.lot.0;
    let failed = lot <= 0 || order.qty.0 <= 0 || order.qty.0 % lot != 0;
    Finding { code: Reject::Lot, failed, limit: lot.into(), used: order.qty.0.into() }
}
