use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Parts of one that the limit is given in.
const BASIS_POINTS: i128 = 10_000;

/// Refuses while equity is further below its highest than the limit, in basis points of the highest. Equity
/// is the cash of the start and all profit since, fees taken off. Where the highest is not positive there is
/// nothing to measure from, and it refuses. What passes in spite of it is as in [`super::loss`].
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let limits = &node.account.limits;
    let Some(bps) = limits.drawdown_max_bps else { return Finding::holds(Reject::Drawdown, true) };
    let peak = limits.cash.0.saturating_add(node.account.peak.max(node.profit).0);
    let below = node.account.peak.0.saturating_sub(node.profit.0).max(0);
    let used = below.saturating_mul(BASIS_POINTS);
    let limit = peak.saturating_mul(bps.into());
    let failed = (peak <= 0 || used > limit) && view.loss_stops(node.account, order);
    let used = used.checked_div(peak).unwrap_or(BASIS_POINTS);
    Finding { code: Reject::Drawdown, failed, limit: bps.into(), used }
}
