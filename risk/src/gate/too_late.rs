use model::{Finding, Order, Reject, Tif};

use crate::view::View;

/// Refuses an order whose time is over, and one for an auction that was. In nanoseconds since the epoch.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    match order.tif {
        Tif::Gtd => {
            let (limit, used) = (view.now.0.into(), order.conditions.expires.0.into());
            Finding { code: Reject::TooLate, failed: used <= limit, limit, used }
        }
        Tif::AtOpen | Tif::AtClose => Finding::holds(Reject::TooLate, !view.moment.cross_over),
        Tif::Day | Tif::Ioc | Tif::Fok | Tif::Gtc => Finding::holds(Reject::TooLate, true),
    }
}
