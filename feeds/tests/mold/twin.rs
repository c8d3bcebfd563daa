//! The slow, obvious book: every open order in a map.

use std::collections::BTreeMap;

use model::{Event, Kind, Side};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    pub number: u32,
    pub side: Side,
    pub px: i64,
    pub qty: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twin {
    pub orders: BTreeMap<u64, Open>,
    /// Sum of the digests of the orders, so that two books can be compared after every message.
    sum: u64,
}

impl Twin {
    pub fn digest(&self) -> u64 {
        self.sum
    }

    fn put(&mut self, order: u64, open: Option<Open>) {
        let before = match open {
            Some(open) => self.orders.insert(order, open),
            None => self.orders.remove(&order),
        };
        self.sum = self.sum.wrapping_sub(before.map_or(0, |open| weight(order, &open)));
        self.sum = self.sum.wrapping_add(open.map_or(0, |open| weight(order, &open)));
    }

    pub fn apply(&mut self, event: &Event) {
        let (order, px, qty) = (event.order.0, event.px.0, event.qty.0);
        let known = self.orders.get(&order).copied();
        match (event.kind, known) {
            (Kind::Clear, _) => *self = Twin::default(),
            (Kind::Add, _) => {
                let side = event.side.unwrap();
                self.put(order, Some(Open { number: event.number.0, side, px, qty }));
            }
            (Kind::Execute | Kind::ExecuteAt | Kind::Reduce, Some(open)) => {
                let left = Open { qty: open.qty - qty, ..open };
                self.put(order, (left.qty > 0).then_some(left));
            }
            (Kind::Delete, Some(_)) => self.put(order, None),
            (Kind::Replace, Some(open)) => {
                self.put(order, None);
                self.put(event.aux, Some(Open { px, qty, ..open }));
            }
            _ => {}
        }
    }
}

fn weight(order: u64, open: &Open) -> u64 {
    let words = [order, open.number.into(), open.side as u64, open.px as u64, open.qty as u64];
    words.iter().fold(0xCBF2_9CE4_8422_2325, |hash, word| {
        (hash ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(29)
    })
}
