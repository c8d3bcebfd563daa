//! What the gate finds in an order, check by check: for a replay that stops before the verdict.

use model::{Ask, Order, Request};
use risk::Explanation;

use super::Engine;

impl Engine {
    /// What the gate would say to `order` now, and why: the order that `request` asks for, as
    /// [`super::Stamp::judging`] is shown them. Changes nothing. Allocates.
    pub fn explain(&self, request: &Request, order: &Order) -> Explanation {
        let replaced = matches!(request.ask, Ask::Replace { .. });
        let known = replaced.then_some(order.id);
        let (market, moment) = (self.market(order.instrument.0), self.moment_of(order, known));
        let held = known.and_then(|id| self.orders.get(id)).map(|record| &record.reservation);
        let instead = if replaced { None } else { self.instead_of(order, moment) };
        self.risk.explain(order, held, instead.as_ref(), &market, moment)
    }
}
