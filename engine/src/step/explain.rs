//! What the gate finds in an order, check by check: for a replay that stops before the verdict.

use model::{Ask, Order, Request};
use risk::Explanation;

use super::Engine;

impl Engine {
    /// What the gate would say to `order` now, and why: the order that `request` asks for, as
    /// [`super::Stamp::judging`] is shown them. Changes nothing. Allocates.
    pub fn explain(&self, request: &Request, order: &Order) -> Explanation {
        let (market, moment) = (self.market(order.instrument.0), self.moment());
        let replaced = matches!(request.ask, Ask::Replace { .. });
        let held = self.orders.get(order.id).filter(|_| replaced).map(|record| &record.reservation);
        self.risk.explain(order, held, &market, moment)
    }
}
