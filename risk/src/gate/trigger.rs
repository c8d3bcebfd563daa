use model::{Finding, Order, Reject, Side};

use crate::view::{View, Way};

/// Refuses a stop that would be triggered at once: a buy at or below, a sell at or above the price that triggers it; and one
/// for which there is no such price. The limit is that price, in price units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let passes = Finding::holds(Reject::Trigger, true);
    if !order.order_type.is_stop() || view.way == Way::Trigger {
        return passes;
    }
    let [buys, sells] = view.market.triggers;
    let (px, stop) = (if order.side == Side::Buy { buys } else { sells }, order.conditions.stop_px);
    let Some(px) = px else { return Finding::holds(Reject::Trigger, false) };
    let waits = if order.side == Side::Buy { stop > px } else { stop < px };
    Finding { failed: !waits, limit: px.0.into(), used: stop.0.into(), ..passes }
}
