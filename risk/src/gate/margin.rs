use model::{Finding, Order, Reject};

use crate::account::BASIS_POINTS;
use crate::money::{self, WORTH_MAX};
use crate::view::{Node, View};

/// Refuses an order for which the account's equity does not suffice: the sum over its instruments of the larger of worst
/// long and worst short position, each at the mark and in its own basis points, may not exceed the cash of the start and
/// all profit since, positions valued at the exit side and fees taken off. An order that does not raise what its own pair
/// takes passes whatever the equity is; one in an instrument without a mark does not.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    if node.limits.margin.is_none() {
        return Finding::holds(Reject::Margin, true);
    }
    let cash2 = node.account.limits.cash.0.saturating_mul(2);
    let equity2 = cash2.saturating_add(node.profit2);
    let required = node.worth.margin;
    let beyond = required >= WORTH_MAX || required > money::times(equity2, BASIS_POINTS);
    let used = node.worth.margin().0;
    let failed = view.lacks_mark() || beyond && view.margin_rises(order, node);
    let limit = money::half_down(equity2).0;
    Finding { code: Reject::Margin, failed, limit, used }
}
