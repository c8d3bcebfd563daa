use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a replace whose total quantity is not above what is filled already.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let above = view.replaces.is_none_or(|held| order.qty > held.filled);
    Finding::holds(Reject::BelowFilled, above)
}
