use model::{Finding, Order, Reject};

use crate::account::BASIS_POINTS;
use crate::money;
use crate::view::{Node, View};

/// Refuses while equity is further below its highest than the limit, in basis points of the highest. Equity
/// is the cash of the start and all profit since, fees taken off. Where the highest is not positive there is
/// nothing to measure from, and it refuses. What passes in spite of it is as in [`super::loss`].
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let limits = &node.account.limits;
    let Some(bps) = limits.drawdown_max_bps else { return Finding::holds(Reject::Drawdown, true) };
    let (below, highest2) = node.account.drawdown(node.profit2);
    let exceeded = highest2 <= 0 || below > money::times(highest2, bps);
    let failed = exceeded && view.loss_stops(node.account, order);
    let used = below.checked_div(highest2).unwrap_or(BASIS_POINTS.into());
    Finding { code: Reject::Drawdown, failed, limit: bps.into(), used }
}
