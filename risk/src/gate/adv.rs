use model::{Finding, Order, Qty, Reject};

use crate::view::{Node, View};

/// Parts of one that the limit is given in.
const BASIS_POINTS: i128 = 10_000;

/// Refuses an order that is large against what trades on an average day. A figure that is missing, zero or
/// too old refuses. A replace counts its whole new quantity. In basis points, rounded up.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let Some(bps) = node.limits.adv_max_bps else { return Finding::holds(Reject::Adv, true) };
    let Some((Qty(adv @ 1..), until)) = view.listing.reference.adv else {
        return Finding::holds(Reject::Adv, false);
    };
    if view.now > until {
        return Finding::holds(Reject::Adv, false);
    }
    let (part, adv) = (i128::from(order.qty.0) * BASIS_POINTS, i128::from(adv));
    let failed = part > adv * i128::from(bps);
    Finding { code: Reject::Adv, failed, limit: bps.into(), used: (part + adv - 1) / adv }
}
