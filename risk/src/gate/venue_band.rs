use model::{Finding, Order, Reject, Side};

use crate::view::{Node, View};

/// Refuses a buy above or a sell below the band that the venue publishes (limit up, limit down); where the
/// band must be known and is not, everything. The limit is the band's edge, in price units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let passes = Finding::holds(Reject::VenueBand, true);
    match (node.limits.venue_band, view.listing.reference.band) {
        (false, _) => passes,
        (true, None) => Finding::holds(Reject::VenueBand, false),
        (true, Some((lowest, highest))) => {
            let (edge, failed) = match order.side {
                Side::Buy => (highest, order.px > highest),
                Side::Sell => (lowest, order.px < lowest),
            };
            let (limit, used) = (edge.0.into(), order.px.0.into());
            Finding { failed, limit, used, ..passes }
        }
    }
}
