//! Books kept in the slow and obvious way, for streams whose digest no generator tells.

use std::collections::{BTreeMap, HashMap};

use model::{Event, Kind, Px, Qty, Side};

#[derive(Clone, Copy)]
struct Order {
    number: u32,
    side: Side,
    px: i64,
    qty: i64,
}

/// Orders by reference, quantity by venue number, side and price.
#[derive(Clone, Default)]
pub struct NaiveBooks {
    orders: HashMap<u64, Order>,
    levels: BTreeMap<(u32, Side, i64), i64>,
}

impl NaiveBooks {
    /// Applies an event; `false`: it has no meaning here, and nothing changed.
    pub fn apply(&mut self, event: &Event) -> bool {
        let (order, px, qty) = (event.order.0, event.px.0, event.qty.0);
        match (event.kind, event.side) {
            (Kind::Add, Some(side)) => {
                self.add(order, Order { number: event.number.0, side, px, qty })
            }
            (Kind::Execute | Kind::ExecuteAt | Kind::Reduce, _) => {
                self.remove(order, Some(qty)).is_some()
            }
            (Kind::Delete, _) => self.remove(order, None).is_some(),
            (Kind::Replace, _) => match self.remove(order, None) {
                Some(old) => self.add(event.aux, Order { px, qty, ..old }),
                None => false,
            },
            _ => false,
        }
    }

    /// Best price of a side and what rests there.
    pub fn best(&self, number: u16, side: Side) -> Option<(Px, Qty)> {
        let key = |px| (u32::from(number), side, px);
        let mut levels = self.levels.range(key(i64::MIN)..=key(i64::MAX));
        let best = if side == Side::Buy { levels.next_back() } else { levels.next() };
        best.map(|((.., px), qty)| (Px(*px), Qty(*qty)))
    }

    fn add(&mut self, reference: u64, order: Order) -> bool {
        *self.levels.entry((order.number, order.side, order.px)).or_default() += order.qty;
        self.orders.insert(reference, order);
        true
    }

    fn remove(&mut self, reference: u64, qty: Option<i64>) -> Option<Order> {
        let order = self.orders.get_mut(&reference)?;
        let qty = qty.unwrap_or(order.qty);
        if qty <= 0 || qty > order.qty {
            return None;
        }
        order.qty -= qty;
        let left = *order;
        if left.qty == 0 {
            self.orders.remove(&reference);
        }
        let level = (left.number, left.side, left.px);
        let resting = self.levels.get_mut(&level)?;
        *resting -= qty;
        if *resting == 0 {
            self.levels.remove(&level);
        }
        Some(left)
    }
}
