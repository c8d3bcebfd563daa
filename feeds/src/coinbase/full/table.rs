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

/// An order in words: its name (two), reference, price, quantity, and below [`PASSED_SHIFT`] its symbol and side. A reference of
/// zero: the place is free. Zeros are taken from the system as they are, so that room that is never used costs nothing.
type Slot = [u64; 6];

const FREE: Slot = [0; 6];

/// Places that are looked at for one name, at most: names that were chosen to collide get no further.
const PROBES_MAX: usize = 1_024;

/// In the last word of a slot, above symbol and side: how many orders have passed the place.
const PASSED_SHIFT: u32 = 32;

impl Resting {
    fn to_slot(self, id: u128, passed: u64) -> Slot {
        let Resting { order, px, qty, symbol, side } = self;
        let whose = u64::from(symbol) << 1 | u64::from(side == Side::Sell);
        let last = passed << PASSED_SHIFT | whose;
        [(id >> 64) as u64, id as u64, order, px.cast_unsigned(), qty.cast_unsigned(), last]
    }

    fn from_slot([_, _, order, px, qty, last]: Slot) -> Resting {
        Resting {
            order,
            px: px.cast_signed(),
            qty: qty.cast_signed(),
            symbol: (last >> 1) as u16,
            side: if last & 1 == 0 { Side::Buy } else { Side::Sell },
        }
    }
}

fn id_of([high, low, ..]: Slot) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn passed([.., last]: Slot) -> u64 {
    last >> PASSED_SHIFT
}

/// The finisher of splitmix64 (Steele, Lea and Flood 2014): one to one.
const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// What a search has found.
enum Found {
    /// The order, at this place.
    Here(usize),
    /// No such order. Where it would lie, if there is such a place.
    Nowhere(Option<usize>),
}

/// All resting orders of a feed by symbol and name, in memory taken at the start: at most half of the places are taken. An order
/// lies at the first place that was free from that of its name on, and those before it count that it has passed. So a search
/// ends where none has passed, an order that goes moves no other, and nothing costs more than [`PROBES_MAX`] steps.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    room: usize,
    /// Orders of one symbol, at most.
    share: usize,
    used: usize,
    /// By symbol: how many.
    counts: Vec<usize>,
    seed: u64,
}

impl Table {
    /// Room for so many orders; one of several symbols gets half of it at most, and so cannot keep the others from theirs.
    pub fn new(room: usize, symbols: usize, seed: u64) -> Table {
        let places = (room.max(1) * 2).next_power_of_two();
        let share = if symbols > 1 { room.div_ceil(2) } else { room };
        Table { slots: vec![FREE; places], room, share, used: 0, counts: vec![0; symbols], seed }
    }

    fn slot(&self, place: usize) -> Slot {
        self.slots.get(place).copied().unwrap_or(FREE)
    }

    fn put(&mut self, place: usize, slot: Slot) {
        if let Some(old) = self.slots.get_mut(place) {
            *old = slot;
        }
    }

    /// The places of a search, in their order. Where it begins is mixed one to one from each word: whatever the others are, no
    /// value of one makes them of no account.
    fn path(&self, id: u128, symbol: u16) -> impl Iterator<Item = usize> + use<> {
        let (high, low, mask) = ((id >> 64) as u64, id as u64, self.slots.len() - 1);
        let start = mix(self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15));
        let word = mix(start ^ high).wrapping_add(start);
        let word = mix(word ^ low).wrapping_add(start);
        let home = mix(word ^ u64::from(symbol)) as usize;
        (0..PROBES_MAX.min(self.slots.len())).map(move |step| home.wrapping_add(step) & mask)
    }

    fn find(&self, id: u128, symbol: u16) -> Found {
        let (mut free, mut may_follow) = (None, true);
        for place in self.path(id, symbol) {
            let slot = self.slot(place);
            let [_, _, order, ..] = slot;
            if order == 0 {
                free = free.or(Some(place));
            } else if may_follow && id_of(slot) == id && Resting::from_slot(slot).symbol == symbol {
                return Found::Here(place);
            }
            may_follow &= passed(slot) > 0;
            if free.is_some() && !may_follow {
                break;
            }
        }
        Found::Nowhere(free)
    }

    /// Counts that an order has passed (`true`), or that one that had is gone, at the places before its own.
    fn pass(&mut self, id: u128, symbol: u16, until: usize, is_new: bool) {
        for place in self.path(id, symbol).take_while(|place| *place != until) {
            if let Some([.., last]) = self.slots.get_mut(place) {
                let one = 1 << PASSED_SHIFT;
                *last = if is_new { last.saturating_add(one) } else { last.saturating_sub(one) };
            }
        }
    }

    /// The order of a name, if it is one of this symbol.
    pub fn get(&self, id: u128, symbol: u16) -> Option<Resting> {
        match self.find(id, symbol) {
            Found::Here(place) => Some(Resting::from_slot(self.slot(place))),
            Found::Nowhere(_) => None,
        }
    }

    /// Adds an order.
    ///
    /// # Errors
    ///
    /// [`Mismatch::BadOrder`] if its symbol has one of that name; [`Mismatch::Capacity`] if the room is full, the symbol has its
    /// share of it, or too many names lie where this one would.
    pub fn insert(&mut self, id: u128, resting: Resting) -> Result<(), Mismatch> {
        let symbol = resting.symbol;
        let Found::Nowhere(free) = self.find(id, symbol) else { return Err(Mismatch::BadOrder) };
        let count = self.counts.get_mut(usize::from(symbol)).ok_or(Mismatch::Capacity)?;
        if self.used >= self.room || *count >= self.share {
            return Err(Mismatch::Capacity);
        }
        let place = free.ok_or(Mismatch::Capacity)?;
        *count += 1;
        self.used += 1;
        self.pass(id, symbol, place, true);
        self.put(place, resting.to_slot(id, passed(self.slot(place))));
        Ok(())
    }

    /// Sets price and quantity of an order.
    pub fn set(&mut self, id: u128, symbol: u16, px: i64, qty: i64) {
        if let Found::Here(place) = self.find(id, symbol) {
            let slot = self.slot(place);
            let resting = Resting { px, qty, ..Resting::from_slot(slot) };
            self.put(place, resting.to_slot(id, passed(slot)));
        }
    }

    /// Removes an order.
    pub fn remove(&mut self, id: u128, symbol: u16) {
        if let Found::Here(place) = self.find(id, symbol) {
            self.free(place);
        }
    }

    /// Frees a place that is taken.
    fn free(&mut self, place: usize) {
        let slot = self.slot(place);
        let (id, symbol) = (id_of(slot), Resting::from_slot(slot).symbol);
        if let Some(count) = self.counts.get_mut(usize::from(symbol)) {
            *count = count.saturating_sub(1);
        }
        self.used = self.used.saturating_sub(1);
        self.pass(id, symbol, place, false);
        self.put(place, [0, 0, 0, 0, 0, passed(slot) << PASSED_SHIFT]);
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
        let mut place = 0;
        while left > 0 && place < self.slots.len() {
            let slot = self.slot(place);
            let [_, _, order, ..] = slot;
            if order != 0 && Resting::from_slot(slot).symbol == symbol {
                self.free(place);
                left -= 1;
            }
            place += 1;
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests;
