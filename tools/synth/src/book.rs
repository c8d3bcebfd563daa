//! The generator's own books: who is next at the touch, and whom to cancel.

use std::collections::{BTreeMap, VecDeque};

use model::Side;

/// Place of an order in [`Orders`].
pub type Slot = u32;

/// A resting order.
#[derive(Clone, Copy)]
pub struct Order {
    pub reference: u64,
    pub side: Side,
    /// In 1e-4 dollars.
    pub px: u32,
    pub shares: u32,
    /// Its index in [`Book::live`].
    place: usize,
}

/// All resting orders of the day. Slots are used again, so its size is that of the busiest moment.
#[derive(Default)]
pub struct Orders {
    slots: Vec<Order>,
    free: Vec<Slot>,
}

/// The orders of one symbol.
#[derive(Default)]
pub struct Book {
    /// By price, in order of arrival.
    sides: [BTreeMap<u32, VecDeque<Slot>>; 2],
    /// In no order.
    live: Vec<Slot>,
}

impl Orders {
    pub fn get(&self, slot: Slot) -> Order {
        self.slots[slot as usize]
    }

    /// How many there were at the busiest moment.
    pub fn most(&self) -> usize {
        self.slots.len()
    }
}

impl Book {
    pub fn live(&self) -> &[Slot] {
        &self.live
    }

    /// Best price of a side.
    pub fn best(&self, side: Side) -> Option<u32> {
        self.level(side).map(|(px, _)| px)
    }

    /// First order of the best level.
    pub fn head(&self, side: Side) -> Option<Slot> {
        self.level(side).and_then(|(_, queue)| queue.front().copied())
    }

    /// Best price and its shares.
    pub fn top(&self, orders: &Orders, side: Side) -> Option<(u32, u64)> {
        let (px, queue) = self.level(side)?;
        Some((px, queue.iter().map(|slot| u64::from(orders.get(*slot).shares)).sum()))
    }

    /// Orders of a side, in the order in which they trade.
    pub fn queue(&self, side: Side) -> impl Iterator<Item = Slot> {
        let levels = &self.sides[side.index()];
        let (down, up) = match side {
            Side::Buy => (Some(levels.values().rev()), None),
            Side::Sell => (None, Some(levels.values())),
        };
        let levels = down.into_iter().flatten().chain(up.into_iter().flatten());
        levels.flat_map(|queue| queue.iter().copied())
    }

    /// Price of the `nth` level from the best, the last one if there are fewer.
    pub fn nth_px(&self, side: Side, nth: usize) -> Option<u32> {
        let prices = self.sides[side.index()].keys().copied();
        match side {
            Side::Buy => prices.rev().take(nth + 1).min(),
            Side::Sell => prices.take(nth + 1).max(),
        }
    }

    pub fn add(&mut self, orders: &mut Orders, reference: u64, side: Side, px: u32, shares: u32) {
        let order = Order { reference, side, px, shares, place: self.live.len() };
        let slot = match orders.free.pop() {
            Some(slot) => slot,
            None => {
                orders.slots.push(order);
                orders.slots.len() as Slot - 1
            }
        };
        orders.slots[slot as usize] = order;
        self.live.push(slot);
        self.sides[side.index()].entry(px).or_default().push_back(slot);
    }

    /// Takes `shares` off an order; at none left it is gone.
    pub fn reduce(&mut self, orders: &mut Orders, slot: Slot, shares: u32) {
        let order = &mut orders.slots[slot as usize];
        if shares < order.shares {
            order.shares -= shares;
        } else {
            self.remove(orders, slot);
        }
    }

    pub fn remove(&mut self, orders: &mut Orders, slot: Slot) {
        let order = orders.get(slot);
        let side = &mut self.sides[order.side.index()];
        if let Some(queue) = side.get_mut(&order.px) {
            if let Some(at) = queue.iter().position(|other| *other == slot) {
                queue.remove(at);
            }
            if queue.is_empty() {
                side.remove(&order.px);
            }
        }
        self.live.swap_remove(order.place);
        if let Some(moved) = self.live.get(order.place) {
            orders.slots[*moved as usize].place = order.place;
        }
        orders.free.push(slot);
    }

    fn level(&self, side: Side) -> Option<(u32, &VecDeque<Slot>)> {
        let levels = &self.sides[side.index()];
        let best = match side {
            Side::Buy => levels.last_key_value(),
            Side::Sell => levels.first_key_value(),
        };
        best.map(|(px, queue)| (*px, queue))
    }
}
