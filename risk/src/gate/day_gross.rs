use model::{Finding, Order, Reject};

use crate::view::{Node, View};

/// Refuses when what traded in this session, what is open and the order together exceed the limit: purchases
/// and sales both count as positive money at their prices, open orders at their limits. A cancel gives back
/// what was open, nothing gives back what traded (NYSE rule 7.19, gross credit).
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    let limit = node.account.limits.day_gross_max.map(|max| max.0);
    Finding::at_most_if_set(Reject::DayGross, node.day(view), limit)
}
