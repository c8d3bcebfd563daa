use model::{Finding, Order, Reject};

use crate::view::{View, Way};

/// Refuses a quantity that is not a positive multiple of the lot, or shows a part that is none; but what another order
/// left of a stop that is triggered is what it is. The limit is the lot, in quantity units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let lot = view.listing.lot.0;
    let [qty, display] = [order.qty.0, order.conditions.display.0];
    let is_odd = || qty % lot != 0 || display != 0 && display % lot != 0;
    let failed = lot <= 0 || qty <= 0 || view.way != Way::Trigger && is_odd();
    Finding { code: Reject::Lot, failed, limit: lot.into(), used: order.qty.0.into() }
}
