use model::{Finding, HaltLevel, Order, Reject};

use crate::view::View;

/// Refuses while a halt of ours is in force. `ReduceOnly` lets an order through that can only reduce the
/// position, whatever else is working: no flip, no open, and no more than is held less what works to reduce
/// it already.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    match view.halt {
        HaltLevel::Active => Finding::holds(Reject::Halted, true),
        HaltLevel::ReduceOnly => {
            let reducible = view.exposure.reducible(order.side);
            Finding::at_most(Reject::Halted, view.open.0.into(), reducible)
        }
        HaltLevel::CancelOnly | HaltLevel::Halted => Finding::holds(Reject::Halted, false),
    }
}
