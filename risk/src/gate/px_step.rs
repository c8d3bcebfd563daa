use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a price that is not a positive multiple of the price step. The limit is the step, in price units.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let step = view.listing.px_step.0;
    let failed = step <= 0 || order.px.0 <= 0 || order.px.0 % step != 0;
    Finding { code: Reject::PxStep, failed, limit: step.into(), used: order.px.0.into() }
}
