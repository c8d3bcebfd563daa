//! From the venue's 128-bit names of orders to the engine's references, exactly: names are compared whole, and what does not
//! fit is refused.

use model::Side;

use crate::stream::Mismatch;

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    /// The engine's reference; never zero.
    pub order: u64,
    /// Price, in the symbol's units.
    pub px: i64,
    /// What is open, in the symbol's units.
    pub qty: i64,
    /// Index of its symbol.
    pub symbol: u16,
    pub side: Side,
}

/// An order in words: its name (two), reference, price, quantity, and symbol with side. A reference of zero: the place is free.
/// Zeros are taken from the system as they are, so that room that is never used costs nothing.
type Slot = [u64; 6];

const FREE: Slot = [0; 6];

impl Resting {
    fn to_slot(self, id: u128) -> Slot {
        let Resting { order, px, qty, symbol, side } = self;
        let whose = u64::from(symbol) << 1 | u64::from(side == Side::Sell);
        [(id >> 64) as u64, id as u64, order, px.cast_unsigned(), qty.cast_unsigned(), whose]
    }

    fn from_slot([_, _, order, px, qty, whose]: Slot) -> Resting {
        Resting {
            order,
            px: px.cast_signed(),
            qty: qty.cast_signed(),
            symbol: (whose >> 1) as u16,
            side: if whose & 1 == 0 { Side::Buy } else { Side::Sell },
        }
    }
}

fn id_of([high, low, ..]: Slot) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// All resting orders of a feed, in memory taken at the start: at most half of the places are taken, and each order lies at the
/// first free place from that of its name on.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    room: usize,
    used: usize,
    /// By symbol: how many.
    counts: Vec<usize>,
    seed: u64,
}

impl Table {
    /// Room for so many orders.
    pub fn new(room: usize, seed: u64) -> Table {
        let places = (room.max(1) * 2).next_power_of_two();
        Table { slots: vec![FREE; places], room, used: 0, counts: Vec::new(), seed }
    }

    fn slot(&self, place: usize) -> Slot {
        self.slots.get(place).copied().unwrap_or(FREE)
    }

    fn put(&mut self, place: usize, slot: Slot) {
        if let Some(old) = self.slots.get_mut(place) {
            *old = slot;
        }
    }

    /// The place after another.
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.slots.len() - 1)
    }

    /// Where the search for a name begins.
    fn home(&self, id: u128) -> usize {
        let (high, low) = ((id >> 64) as u64, id as u64);
        let product = u128::from(high ^ self.seed ^ 0x9E37_79B9_7F4A_7C15)
            .wrapping_mul(u128::from(low ^ 0xD1B5_4A32_D192_ED03));
        ((product >> 64) as u64 ^ product as u64 ^ low) as usize & (self.slots.len() - 1)
    }

    /// The place of a name: that of its order (`true`), or the free one where it would lie.
    fn find(&self, id: u128) -> (usize, bool) {
        let mut place = self.home(id);
        for _ in 0..self.slots.len() {
            let slot = self.slot(place);
            let [_, _, order, ..] = slot;
            if order == 0 {
                break;
            }
            if id_of(slot) == id {
                return (place, true);
            }
            place = self.after(place);
        }
        (place, false)
    }

    /// The order of a name, if it is one of this symbol.
    pub fn get(&self, id: u128, symbol: u16) -> Option<Resting> {
        let (place, is_there) = self.find(id);
        let resting = Resting::from_slot(self.slot(place));
        (is_there && resting.symbol == symbol).then_some(resting)
    }

    /// Adds an order.
    ///
    /// # Errors
    ///
    /// [`Mismatch::BadOrder`] if its name stands already, of whatever symbol; [`Mismatch::Capacity`].
    pub fn insert(&mut self, id: u128, resting: Resting) -> Result<(), Mismatch> {
        let (place, is_there) = self.find(id);
        if is_there {
            return Err(Mismatch::BadOrder);
        }
        if self.used >= self.room {
            return Err(Mismatch::Capacity);
        }
        let symbol = usize::from(resting.symbol);
        if self.counts.len() <= symbol {
            self.counts.resize(symbol + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(symbol) {
            *count += 1;
        }
        self.used += 1;
        self.put(place, resting.to_slot(id));
        Ok(())
    }

    /// Sets price and quantity of an order.
    pub fn set(&mut self, id: u128, px: i64, qty: i64) {
        if let (place, true) = self.find(id) {
            let resting = Resting::from_slot(self.slot(place));
            self.put(place, Resting { px, qty, ..resting }.to_slot(id));
        }
    }

    /// Removes an order.
    pub fn remove(&mut self, id: u128) {
        if let (place, true) = self.find(id) {
            self.free(place);
        }
    }

    /// Frees a place, and moves those behind it up that would not be found any more.
    fn free(&mut self, mut place: usize) {
        let symbol = Resting::from_slot(self.slot(place)).symbol;
        if let Some(count) = self.counts.get_mut(usize::from(symbol)) {
            *count = count.saturating_sub(1);
        }
        self.used = self.used.saturating_sub(1);
        let mask = self.slots.len() - 1;
        let mut next = self.after(place);
        for _ in 0..self.slots.len() {
            let slot = self.slot(next);
            let [_, _, order, ..] = slot;
            if order == 0 {
                break;
            }
            // How far it lies behind its home, and how far it would.
            let from_home = next.wrapping_sub(self.home(id_of(slot))) & mask;
            if from_home >= next.wrapping_sub(place) & mask {
                self.put(place, slot);
                place = next;
            }
            next = self.after(next);
        }
        self.put(place, FREE);
    }

    /// Removes every order.
    pub fn clear(&mut self) {
        if self.used > 0 {
            self.slots.iter_mut().filter(|slot| **slot != FREE).for_each(|slot| *slot = FREE);
            self.counts.fill(0);
            self.used = 0;
        }
    }

    /// Removes every order of a symbol; looks at every place, unless it has none.
    pub fn forget(&mut self, symbol: u16) {
        let mut left = self.counts.get(usize::from(symbol)).copied().unwrap_or(0);
        // Those that move up around the end come to places that were passed: then it begins anew.
        while left > 0 {
            let before = left;
            let mut place = 0;
            while place < self.slots.len() && left > 0 {
                let slot = self.slot(place);
                let [_, _, order, ..] = slot;
                if order != 0 && Resting::from_slot(slot).symbol == symbol {
                    self.free(place);
                    left -= 1;
                } else {
                    place += 1;
                }
            }
            if left == before {
                break;
            }
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn resting(order: u64, symbol: u16) -> Resting {
        Resting { order, px: -1, qty: i64::MAX, symbol, side: Side::Sell }
    }

    /// Goal: no name is taken for another, and a full table says so. Method: names that differ in one bit; one too many.
    #[test]
    fn whole_names() {
        let mut table = Table::new(129, 5);
        for bit in 0..128 {
            let order = resting(bit + 1, bit as u16 % 3);
            assert_eq!(table.insert(1 << bit, order), Ok(()));
            assert_eq!(table.insert(1 << bit, resting(999, 0)), Err(Mismatch::BadOrder));
        }
        for bit in 0..128 {
            let (id, symbol) = (1 << bit, bit as u16 % 3);
            assert_eq!(table.get(id, symbol), Some(resting(bit + 1, symbol)));
            assert_eq!((table.get(id | 1 << 127, 9), table.get(id, symbol + 1)), (None, None));
        }
        assert_eq!(table.insert(0, resting(200, 7)), Ok(()));
        assert_eq!(table.insert(3, resting(201, 7)), Err(Mismatch::Capacity));
        table.remove(1);
        assert_eq!(table.insert(3, resting(201, 7)), Ok(()));
        assert_eq!((table.get(0, 7), table.len()), (Some(resting(200, 7)), 129));
    }

    proptest! {
        /// Goal: the table is a map. Method: random changes of few names in a small table against `BTreeMap`, with symbols that
        /// are forgotten.
        #[test]
        fn same_as_a_map(
            seed in any::<u64>(),
            steps in prop::collection::vec((0..5, 0_u128..40, 0_u16..3, 1_i64..9), 0..400),
        ) {
            let (mut table, mut map) = (Table::new(20, seed), BTreeMap::new());
            for (number, (step, id, symbol, qty)) in steps.into_iter().enumerate() {
                let id = id << 64 | id;
                match step {
                    0 | 1 => {
                        let order = Resting { qty, ..resting(number as u64 + 1, symbol) };
                        let expected = match map.get(&id) {
                            Some(_) => Err(Mismatch::BadOrder),
                            None if map.len() >= 20 => Err(Mismatch::Capacity),
                            None => {
                                map.insert(id, order);
                                Ok(())
                            }
                        };
                        prop_assert_eq!(table.insert(id, order), expected);
                    }
                    2 => {
                        table.remove(id);
                        map.remove(&id);
                    }
                    3 => {
                        table.set(id, qty, -qty);
                        if let Some(order) = map.get_mut(&id) {
                            (order.px, order.qty) = (qty, -qty);
                        }
                    }
                    _ if qty == 2 && id & 7 == 0 => {
                        table.clear();
                        map.clear();
                    }
                    _ if qty == 1 => {
                        table.forget(symbol);
                        map.retain(|_, order| order.symbol != symbol);
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), map.len());
                for id in 0_u128..40 {
                    let id = id << 64 | id;
                    let known = map.get(&id).copied();
                    for symbol in 0..3 {
                        let own = known.filter(|order| order.symbol == symbol);
                        prop_assert_eq!(table.get(id, symbol), own);
                    }
                }
            }
        }
    }
}
