use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a child with which all children of its parent, filled and open, sum up to more than the parent: what leaves is
/// compared with what was asked for (SEC order 34-70694). In quantity units.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    match view.moment.slice {
        None => Finding::holds(Reject::Overslice, true),
        Some(slice) => {
            let used = i128::from(slice.used.0) + i128::from(order.qty.0);
            Finding::at_most(Reject::Overslice, used, slice.total.0.into())
        }
    }
}
