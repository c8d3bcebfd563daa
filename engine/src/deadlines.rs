//! By when the venue must have answered: one deadline an order, in the order in which they fall due.
//!
//! Every deadline is the same span away when it is set, so that the newest is always the last: a list through one slot for
//! each order, and setting, lifting and falling due take a constant time.

use model::{OrderId, Ts};

/// No slot.
const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
struct Node {
    order: OrderId,
    due: Ts,
    before: u32,
    after: u32,
}

/// The deadlines of all orders.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Deadlines {
    span_ns: u64,
    #[serde(with = "model::snapshot::table")]
    nodes: Vec<Option<Node>>,
    first: u32,
    last: u32,
}

impl Deadlines {
    /// For orders in `slots` slots, each due `span_ns` after it was set.
    pub fn new(slots: usize, span_ns: u64) -> Deadlines {
        Deadlines { span_ns, nodes: vec![None; slots], first: NIL, last: NIL }
    }

    /// Bytes that [`Deadlines::new`] takes.
    pub fn bytes(slots: u64) -> u64 {
        slots * size_of::<Option<Node>>() as u64
    }

    /// Sets the deadline of an order, instead of the one that it has.
    pub fn set(&mut self, order: OrderId, now: Ts) {
        let slot = order.slot() as u32;
        self.unlink(slot);
        let due = Ts(now.0.saturating_add(self.span_ns));
        let before = self.last;
        let Some(place) = self.nodes.get_mut(slot as usize) else { return };
        *place = Some(Node { order, due, before, after: NIL });
        match self.node_mut(before) {
            Some(node) => node.after = slot,
            None => self.first = slot,
        }
        self.last = slot;
    }

    /// Lifts the deadline of an order.
    pub fn lift(&mut self, order: OrderId) {
        if self.node(order.slot() as u32).is_some_and(|node| node.order == order) {
            self.unlink(order.slot() as u32);
        }
    }

    /// Takes the next order whose deadline is at or before `now`.
    pub fn take_due(&mut self, now: Ts) -> Option<OrderId> {
        let node = self.node(self.first).filter(|node| node.due <= now)?;
        self.unlink(self.first);
        Some(node.order)
    }

    /// Every order and its deadline, the next first.
    pub fn iter(&self) -> impl Iterator<Item = (OrderId, Ts)> {
        let mut at = self.first;
        std::iter::from_fn(move || {
            let node = self.node(at)?;
            at = node.after;
            Some((node.order, node.due))
        })
    }

    fn unlink(&mut self, slot: u32) {
        let Some(Node { before, after, .. }) = self.node(slot) else { return };
        match self.node_mut(before) {
            Some(node) => node.after = after,
            None => self.first = after,
        }
        match self.node_mut(after) {
            Some(node) => node.before = before,
            None => self.last = before,
        }
        if let Some(place) = self.nodes.get_mut(slot as usize) {
            *place = None;
        }
    }

    fn node(&self, slot: u32) -> Option<Node> {
        *self.nodes.get(slot as usize)?
    }

    fn node_mut(&mut self, slot: u32) -> Option<&mut Node> {
        self.nodes.get_mut(slot as usize)?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Goal: orders fall due as in a plain list of deadlines, each once, none early. Method: random orders set, lifted
        /// and taken on a clock that never goes back, beside a vector.
        #[test]
        fn deadlines_are_a_list(steps in prop::collection::vec((0_u8..4, 0_u32..6, 0_u64..30), 1..200)) {
            let mut deadlines = Deadlines::new(6, 50);
            let mut plain: Vec<(OrderId, Ts)> = Vec::new();
            let mut now = Ts(0);
            for (kind, slot, passed) in steps {
                now.0 += passed;
                let order = OrderId::new(slot, 1);
                match kind {
                    0 | 1 => {
                        deadlines.set(order, now);
                        plain.retain(|(id, _)| *id != order);
                        plain.push((order, Ts(now.0 + 50)));
                    }
                    2 => {
                        deadlines.lift(OrderId::new(slot, 2)); // Another use of the slot.
                        deadlines.lift(order);
                        plain.retain(|(id, _)| *id != order);
                    }
                    _ => {
                        let due = plain.first().filter(|(_, due)| *due <= now).map(|(id, _)| *id);
                        prop_assert_eq!(deadlines.take_due(now), due);
                        plain.retain(|(id, _)| Some(*id) != due);
                    }
                }
                prop_assert_eq!(deadlines.iter().collect::<Vec<_>>(), plain.clone());
            }
        }
    }
}
