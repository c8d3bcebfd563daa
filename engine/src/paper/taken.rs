//! What we took from orders that still rest in the real book.

use model::{OrderRef, Px, Qty, Side};

/// What shows quantity: an order, or a level where orders are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Shown(u128);

impl Shown {
    /// An order of a book of orders.
    pub const fn order(instrument: u32, order: OrderRef) -> Shown {
        Shown((instrument as u128) << 64 | order.0 as u128)
    }

    /// A level of a book of levels.
    pub const fn level(instrument: u32, side: Side, px: Px) -> Shown {
        let place = 1 << 63 | (instrument as u64) << 1 | side.index() as u64;
        Shown((place as u128) << 64 | px.0.cast_unsigned() as u128)
    }
}

/// A fixed table from what shows quantity to what we took of it: open addressing with linear probing.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Taken {
    /// Quantity zero: a free place.
    #[serde(with = "model::snapshot::table")]
    places: Vec<(Shown, i64)>,
    used: usize,
}

impl Taken {
    /// For at least `capacity` orders or levels.
    pub fn new(capacity: usize) -> Taken {
        let places = (capacity * 2).next_power_of_two();
        Taken { places: vec![(Shown(0), 0); places], used: 0 }
    }

    /// Bytes that [`Taken::new`] takes.
    pub fn bytes(capacity: u64) -> u64 {
        (capacity * 2).next_power_of_two() * size_of::<(Shown, i64)>() as u64
    }

    /// Whether nothing is remembered.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// What is left for us where `qty` is shown.
    pub fn left_of(&self, shown: Shown, qty: Qty) -> Qty {
        if self.used == 0 {
            return qty;
        }
        let taken = self.find(shown).and_then(|at| self.places.get(at)).map_or(0, |place| place.1);
        Qty((qty.0 - taken).max(0))
    }

    /// Notes that we took `qty`; `false`: no room to remember it, so it must not be taken.
    pub fn take(&mut self, shown: Shown, qty: Qty) -> bool {
        let known = self.find(shown);
        if known.is_none() && self.is_full() {
            return false;
        }
        let at = known.unwrap_or_else(|| self.free_for(shown));
        let Some(place) = self.places.get_mut(at) else { return false };
        *place = (shown, place.1.saturating_add(qty.0));
        self.used += usize::from(known.is_none());
        true
    }

    /// Whether nothing further can be remembered: half of the places stay free, so that searches are short.
    pub fn is_full(&self) -> bool {
        self.used * 2 >= self.places.len()
    }

    /// Whether so many more can be remembered.
    pub fn has_room(&self, more: usize) -> bool {
        (self.used + more) * 2 <= self.places.len()
    }

    /// What was taken, by what showed it, in no order that means anything.
    pub fn entries(&self) -> impl Iterator<Item = &(Shown, i64)> {
        self.places.iter().filter(|(_, qty)| *qty != 0)
    }

    /// Forgets what left the book.
    pub fn forget(&mut self, shown: Shown) {
        if self.used == 0 {
            return;
        }
        let Some(mut hole) = self.find(shown) else { return };
        self.used -= 1;
        let mask = self.places.len() - 1;
        let mut at = hole;
        // Close the gap, so that a search may stop at the first free place.
        for _ in 0..self.places.len() {
            at = (at + 1) & mask;
            let Some(moved) = self.places.get(at).copied().filter(|place| place.1 != 0) else {
                break;
            };
            let distance = |from: usize, to: usize| to.wrapping_sub(from) & mask;
            let home = self.home(moved.0);
            if distance(home, at) >= distance(hole, at) {
                self.put(hole, moved);
                hole = at;
            }
        }
        self.put(hole, (Shown(0), 0));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        if self.used > 0 {
            self.places.fill((Shown(0), 0));
            self.used = 0;
        }
    }

    fn put(&mut self, at: usize, value: (Shown, i64)) {
        if let Some(place) = self.places.get_mut(at) {
            *place = value;
        }
    }

    fn home(&self, shown: Shown) -> usize {
        let folded = shown.0 as u64 ^ ((shown.0 >> 64) as u64).rotate_left(32);
        (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (self.places.len() - 1)
    }

    /// Its place.
    fn find(&self, shown: Shown) -> Option<usize> {
        let at = self.free_for(shown);
        self.places.get(at).filter(|place| place.1 != 0).map(|_| at)
    }

    /// Its place if it is known, else the free place where it belongs.
    fn free_for(&self, shown: Shown) -> usize {
        let mask = self.places.len() - 1;
        let mut at = self.home(shown);
        for _ in 0..self.places.len() {
            match self.places.get(at) {
                Some((other, qty)) if *qty != 0 && *other != shown => at = (at + 1) & mask,
                _ => break,
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Goal: the table says what a map says, through collisions and removals. Method: few references in a small table.
        #[test]
        fn equals_a_map(steps in prop::collection::vec((0_u64..12, 0_i64..5), 0..300)) {
            let mut taken = Taken::new(4);
            let mut map: HashMap<u64, i64> = HashMap::new();
            for (order, qty) in steps {
                let shown = Shown::order(7, OrderRef(order));
                if qty == 0 {
                    taken.forget(shown);
                    map.remove(&order);
                } else if taken.take(shown, Qty(qty)) {
                    *map.entry(order).or_default() += qty;
                } else {
                    prop_assert!(map.len() * 2 >= 8 && !map.contains_key(&order));
                }
                for order in 0..12 {
                    let left = 1000 - map.get(&order).copied().unwrap_or(0);
                    prop_assert_eq!(taken.left_of(Shown::order(7, OrderRef(order)), Qty(1000)), Qty(left));
                }
            }
        }
    }
}
