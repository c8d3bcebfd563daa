use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Parts of one that the limit is given in.
const BASIS_POINTS: i128 = 10_000;

/// Refuses while the spread is wider than may be believed, or bid and ask are not both there and apart. In
/// basis points of the mid, rounded up.
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let Some(bps) = node.limits.spread_max_bps else { return Finding::holds(Reject::Spread, true) };
    let sides = view.market.bid.zip(view.market.ask).filter(|(bid, ask)| bid.0 > 0 && bid < ask);
    let Some((bid, ask)) = sides else { return Finding::holds(Reject::Spread, false) };
    // Both are positive and apart: neither difference nor sum exceeds 64 bits.
    let (apart, mid2) =
        ((ask.0 - bid.0).unsigned_abs(), bid.0.unsigned_abs() + ask.0.unsigned_abs());
    let (wide, mid2) = (i128::from(apart) * (2 * BASIS_POINTS), i128::from(mid2));
    let failed = wide > mid2 * i128::from(bps);
    let used = (wide + mid2 - 1) / mid2;
    Finding { code: Reject::Spread, failed, limit: bps.into(), used }
}
