//! From a venue's order reference to our order: a slot for each recent reference, a hash table for
//! the rest.
//!
//! Venues number orders upwards and most orders die young, so nearly every lookup is one load from
//! the slot that the lower bits of the reference name; the order itself says whether it is the one.
//! An order whose slot is wanted by a younger reference moves to the hash table; an older reference
//! never takes a slot that is in use. Hence a reference has exactly one place at any time, and
//! references of any size stay within the memory taken at start.

use super::pool::Pool;
use super::record::Order;
use host::{prefault, prefetch};
use model::OrderRef;

/// References on a page, the unit in which slots are taken.
const PAGE: usize = 4096;

/// Every live reference.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Refs {
    /// By the lower bits of a reference, the number of its order; 0: none.
    #[serde(with = "model::snapshot::table")]
    slots: Vec<u32>,
    table: Table,
    /// The greatest reference that ever was in the table: no greater one is looked for there.
    greatest: u64,
}

impl Refs {
    /// Slots for the youngest references (pages rounded up to a power of two) and a table that all
    /// `orders` fit in.
    pub fn new(pages: u32, orders: u32) -> Refs {
        let pages = pages.max(1).next_power_of_two() as usize;
        let mut slots = vec![0; pages * PAGE];
        prefault(&mut slots);
        Refs { slots, table: Table::new(orders), greatest: 0 }
    }

    /// The slot of a reference and what stands there: its order, another one's, or 0.
    #[inline]
    pub fn glance(&self, reference: OrderRef) -> (usize, u32) {
        let slot = reference.0 as usize & (self.slots.len().wrapping_sub(1));
        (slot, self.slots.get(slot).copied().unwrap_or(0))
    }

    /// The order of a reference, 0 if there is none, and where it was found.
    #[inline]
    pub fn look_up(&self, reference: OrderRef, orders: &Pool<Order>) -> (Place, u32) {
        let (slot, order) = self.glance(reference);
        if order != 0 && orders.at(order).reference == reference {
            return (Place::Slot(slot), order);
        }
        (Place::Table, self.find_in_table(reference, orders))
    }

    /// The order of a reference; 0: none.
    #[inline]
    pub fn find(&self, reference: OrderRef, orders: &Pool<Order>) -> u32 {
        self.look_up(reference, orders).1
    }

    /// A free slot for a new reference; `None`: see [`Refs::claim`].
    #[inline]
    pub fn free_slot(&self, reference: OrderRef) -> Option<usize> {
        let (slot, order) = self.glance(reference);
        (order == 0 && reference.0 > self.greatest).then_some(slot)
    }

    /// A place for a new reference; `None`: it is there already. If its slot is in use, the younger
    /// of the two gets it.
    pub fn claim(&mut self, reference: OrderRef, orders: &Pool<Order>) -> Option<Place> {
        if self.find(reference, orders) != 0 {
            return None;
        }
        let (slot, resident) = self.glance(reference);
        let former = orders.at(resident).reference;
        if resident != 0 && former > reference {
            return Some(Place::Table);
        }
        if resident != 0 {
            self.put_in_table(former, resident);
            self.set(slot, 0);
        }
        Some(Place::Slot(slot))
    }

    /// Remembers a reference at the place that it claimed.
    #[inline]
    pub fn put(&mut self, place: Place, reference: OrderRef, order: u32) {
        match place {
            Place::Slot(slot) => self.set(slot, order),
            Place::Table => self.put_in_table(reference, order),
        }
    }

    /// Forgets a reference; its order must still be there.
    #[inline]
    pub fn remove(&mut self, place: Place, reference: OrderRef, orders: &Pool<Order>) {
        match place {
            Place::Slot(slot) => self.set(slot, 0),
            Place::Table => self.table.remove(reference, orders),
        }
    }

    /// Forgets every reference.
    pub fn clear(&mut self) {
        self.slots.fill(0);
        self.table.clear();
        self.greatest = 0;
    }

    /// Hints the cache at the slot of a reference.
    #[inline]
    pub fn prefetch(&self, reference: OrderRef) {
        prefetch(&self.slots, self.glance(reference).0);
    }

    /// Live references.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let in_slots = self.slots.iter().filter(|order| **order != 0).count();
        in_slots + self.table.entries.iter().filter(|entry| **entry != 0).count()
    }

    #[cold]
    fn find_in_table(&self, reference: OrderRef, orders: &Pool<Order>) -> u32 {
        if reference.0 > self.greatest { 0 } else { self.table.find(reference, orders) }
    }

    #[cold]
    fn put_in_table(&mut self, reference: OrderRef, order: u32) {
        self.table.insert(reference, order);
        self.greatest = self.greatest.max(reference.0);
    }

    #[inline]
    pub fn set(&mut self, slot: usize, order: u32) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = order;
        }
    }
}

/// Where a reference is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Slot(usize),
    Table,
}

/// Open addressing with linear probing; at most half full, because it has two entries for each
/// order of the pool.
///
/// An entry is the upper half of the reference's hash over the number of its order; 0 is free. The
/// order itself holds the reference, so that equal hashes are told apart.
#[derive(serde::Serialize, serde::Deserialize)]
struct Table {
    #[serde(with = "model::snapshot::table")]
    entries: Vec<u64>,
    bits: u32,
}

impl Table {
    fn new(orders: u32) -> Table {
        let size = (u64::from(orders) * 2).next_power_of_two().max(2);
        let mut entries = vec![0; size as usize];
        prefault(&mut entries);
        Table { entries, bits: size.trailing_zeros() }
    }

    #[inline(never)]
    fn find(&self, reference: OrderRef, orders: &Pool<Order>) -> u32 {
        self.position(reference, orders).map_or(0, |position| self.at(position) as u32)
    }

    #[inline(never)]
    fn insert(&mut self, reference: OrderRef, order: u32) {
        let hash = hash(reference);
        let mut position = self.home(hash);
        for _ in 0..self.entries.len() {
            if self.at(position) == 0 {
                return self.put(position, hash << 32 | u64::from(order));
            }
            position = self.after(position);
        }
    }

    /// Closes the gap behind a removed entry by moving back every later one that its own home
    /// allows.
    #[inline(never)]
    fn remove(&mut self, reference: OrderRef, orders: &Pool<Order>) {
        let Some(mut gap) = self.position(reference, orders) else { return };
        let mut position = gap;
        for _ in 0..self.entries.len() {
            position = self.after(position);
            let entry = self.at(position);
            if entry == 0 {
                break;
            }
            let home = self.home(entry >> 32);
            if self.distance(home, position) >= self.distance(gap, position) {
                self.put(gap, entry);
                gap = position;
            }
        }
        self.put(gap, 0);
    }

    fn clear(&mut self) {
        self.entries.fill(0);
    }

    fn position(&self, reference: OrderRef, orders: &Pool<Order>) -> Option<usize> {
        let hash = hash(reference);
        let mut position = self.home(hash);
        for _ in 0..self.entries.len() {
            let entry = self.at(position);
            if entry == 0 {
                return None;
            }
            if entry >> 32 == hash && orders.at(entry as u32).reference == reference {
                return Some(position);
            }
            position = self.after(position);
        }
        None
    }

    fn home(&self, hash: u64) -> usize {
        (hash >> (32 - self.bits)) as usize
    }

    fn after(&self, position: usize) -> usize {
        (position + 1) & (self.entries.len() - 1)
    }

    /// Steps from one position forward to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.entries.len() - 1)
    }

    fn at(&self, position: usize) -> u64 {
        self.entries.get(position).copied().unwrap_or(0)
    }

    fn put(&mut self, position: usize, entry: u64) {
        if let Some(place) = self.entries.get_mut(position) {
            *place = entry;
        }
    }
}

/// 32 bits of multiplicative hash (Knuth, The Art of Computer Programming 3, 6.4).
const fn hash(reference: OrderRef) -> u64 {
    reference.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

#[cfg(test)]
mod tests {
    use super::super::pool::Record;
    use super::*;

    fn pool_of(references: &[u64]) -> Pool<Order> {
        let mut orders = Pool::new(16);
        for reference in references {
            let number = orders.take().unwrap();
            *orders.at_mut(number) = Order { reference: OrderRef(*reference), ..Order::NIL };
        }
        orders
    }

    /// Goal: references with the same hash are told apart and survive each other's removal, around
    /// the end of the table. Method: multiply chosen hashes by the inverse of the hash's factor;
    /// all of the last home, wrapping to the first.
    #[test]
    fn equal_hashes() {
        let inverse = (0..6).fold(1_u64, |x, _| {
            x.wrapping_mul(2_u64.wrapping_sub(x.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        });
        let references =
            [1, 2, 3, 4_u64].map(|low| (0xFFFF_FFFF << 32 | low).wrapping_mul(inverse));
        assert!(references.iter().all(|reference| hash(OrderRef(*reference)) == 0xFFFF_FFFF));
        let orders = pool_of(&references);
        for removed in 0..4 {
            let mut table = Table::new(4);
            for (number, reference) in (1..).zip(references) {
                table.insert(OrderRef(reference), number);
            }
            table.remove(OrderRef(references[removed]), &orders);
            for (at, reference) in references.into_iter().enumerate() {
                let expected = if at == removed { 0 } else { at as u32 + 1 };
                assert_eq!(table.find(OrderRef(reference), &orders), expected);
            }
        }
    }

    /// Goal: young references live in slots, older ones in the table, and each is found wherever it
    /// is. Method: the only page; references that share a slot, rising and falling; clear and start
    /// low again.
    #[test]
    fn slots_change_hands() {
        let references = [5, 4_095, 4_101, 7, 4_096 + 7, 4_096 * 9 + 5, 4_096 * 2 + 5, u64::MAX];
        let orders = pool_of(&references);
        let mut refs = Refs::new(1, 16);
        for (number, reference) in (1..).zip(references.map(OrderRef)) {
            assert_eq!(refs.find(reference, &orders), 0);
            let place = refs.claim(reference, &orders).unwrap();
            let is_old = reference == OrderRef(4_096 * 2 + 5);
            assert_eq!(place == Place::Table, is_old, "{reference:?}");
            refs.put(place, reference, number);
            for (number, reference) in (1..=number).zip(references.map(OrderRef)) {
                assert_eq!(refs.find(reference, &orders), number);
                assert_eq!(refs.claim(reference, &orders), None, "it lives");
            }
        }
        assert_eq!(refs.len(), references.len());
        for (number, reference) in (1..).zip(references.map(OrderRef)) {
            let (place, found) = refs.look_up(reference, &orders);
            assert_eq!(found, number);
            refs.remove(place, reference, &orders);
            assert_eq!(refs.find(reference, &orders), 0);
        }
        assert_eq!(refs.len(), 0);
        refs.clear();
        assert_ne!(
            refs.claim(OrderRef(5), &orders),
            Some(Place::Table),
            "a new day starts in slots"
        );
    }
}
