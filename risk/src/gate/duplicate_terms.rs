use model::{Finding, Order, Reject};

use crate::same_terms::Seen;
use crate::view::View;

/// Refuses a new order whose terms came as often as allowed within the window already: instrument, side,
/// type, time in force, price and quantity. Refused orders count, cancels clear nothing. Terms that find no
/// place to be counted at are refused (15c3-5(c)(1)(ii), "duplicative orders").
#[inline(always)]
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    let limit = view.account.limits.duplicates.map_or(0, |duplicates| duplicates.max);
    match view.same_terms {
        Seen::Off => Finding::holds(Reject::DuplicateTerms, true),
        Seen::Full => Finding::holds(Reject::DuplicateTerms, false),
        Seen::Times { count, .. } => {
            Finding::at_most(Reject::DuplicateTerms, i128::from(count) + 1, limit.into())
        }
    }
}
