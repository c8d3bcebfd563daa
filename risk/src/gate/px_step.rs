use model::{Finding, Order, OrderType, Reject};

use crate::view::View;

/// Refuses a price that is not a positive multiple of the price step, and a trigger that is none. The limit is the step, in
/// price units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let step = view.listing.px_step.0;
    let (px, stop) = (order.px.0, order.conditions.stop_px.0);
    let failed =
        step <= 0 || px <= 0 || px % step != 0 || stop < 0 || stop != 0 && stop % step != 0;
    // A market order that could not be priced, for want of a reference: that is the reason then.
    let unpriced =
        (order.order_type, px, stop) == (OrderType::Market, 0, 0) && view.lacks_reference();
    Finding {
        code: Reject::PxStep,
        failed: failed && !unpriced,
        limit: step.into(),
        used: px.into(),
    }
}
