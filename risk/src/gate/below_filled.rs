use model::{Finding, Order, Reject};

use crate::limits::ChangeRule;
use crate::view::View;

/// Refuses a replace whose total quantity is not above what is filled already; under [`ChangeRule::Plain`] it
/// passes, and ends the order when the venue takes it.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let above = view.replaces.is_none_or(|held| order.qty > held.filled);
    let plain = view.account.limits.change_rule == ChangeRule::Plain;
    Finding::holds(Reject::BelowFilled, above || plain)
}
