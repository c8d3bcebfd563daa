//! From a venue's order reference to our order: pages for recent references, a hash table for the
//! rest.
//!
//! Venues number orders upwards and most orders die young, so nearly every lookup is one load from
//! a page of 4,096 neighbouring references. A page belongs to one place of the directory (its
//! prefix modulo the number of pages). When a younger prefix claims the place, the few orders still
//! alive on the page move to the hash table; an older prefix never claims it back. Hence a
//! reference has exactly one place at any time: its page if the directory names its prefix, else
//! the table. References of any size stay within the memory taken at start.

use super::pool::Pool;
use super::record::Order;
use host::{prefault, prefetch};
use model::OrderRef;

/// Bits of a reference that choose the slot in its page.
const SLOT_BITS: u32 = 12;
/// References on a page.
const SLOTS: usize = 1 << SLOT_BITS;

/// Every live reference.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Refs {
    /// By place: 1 + the prefix whose page lies there; 0: none yet.
    #[serde(with = "model::snapshot::table")]
    owners: Vec<u64>,
    /// By place, [`SLOTS`] order numbers; 0: no such order.
    #[serde(with = "model::snapshot::table")]
    pages: Vec<u32>,
    table: Table,
}

impl Refs {
    /// Pages for the youngest references (rounded up to a power of two) and a table that all
    /// `orders` fit in.
    pub fn new(pages: u32, orders: u32) -> Refs {
        let pages = pages.max(1).next_power_of_two() as usize;
        let mut slots = vec![0; pages * SLOTS];
        prefault(&mut slots);
        Refs { owners: vec![0; pages], pages: slots, table: Table::new(orders) }
    }

    /// Where a reference is looked for.
    #[inline]
    pub fn locate(&self, reference: OrderRef) -> Place {
        let prefix = reference.0 >> SLOT_BITS;
        let page = prefix as usize & (self.owners.len() - 1);
        if self.owners.get(page) == Some(&(prefix + 1)) {
            Place::Page(page << SLOT_BITS | reference.0 as usize & (SLOTS - 1))
        } else {
            Place::Table
        }
    }

    /// Where a new reference goes: to a page if its prefix is the youngest so far of those that
    /// share the page.
    #[inline]
    pub fn claim(&mut self, reference: OrderRef) -> Place {
        match self.locate(reference) {
            Place::Table => self.turn_page(reference),
            place => place,
        }
    }

    /// The order at the place of its reference; 0 if there is none.
    #[inline]
    pub fn get(&self, place: Place, reference: OrderRef, orders: &Pool<Order>) -> u32 {
        match place {
            Place::Page(slot) => self.pages.get(slot).copied().unwrap_or(0),
            Place::Table => self.table.find(reference, orders),
        }
    }

    /// Remembers a reference at a place where there is none.
    #[inline]
    pub fn put(&mut self, place: Place, reference: OrderRef, order: u32) {
        match place {
            Place::Page(slot) => self.set(slot, order),
            Place::Table => self.table.insert(reference, order),
        }
    }

    /// Forgets a reference; its order must still be there.
    #[inline]
    pub fn remove(&mut self, place: Place, reference: OrderRef, orders: &Pool<Order>) {
        match place {
            Place::Page(slot) => self.set(slot, 0),
            Place::Table => self.table.remove(reference, orders),
        }
    }

    /// [`Refs::locate`] and [`Refs::get`].
    #[inline]
    pub fn find(&self, reference: OrderRef, orders: &Pool<Order>) -> u32 {
        self.get(self.locate(reference), reference, orders)
    }

    /// Forgets every reference.
    pub fn clear(&mut self) {
        self.owners.fill(0);
        self.pages.fill(0);
        self.table.clear();
    }

    /// Hints the cache at the place of a reference.
    #[inline]
    pub fn prefetch(&self, reference: OrderRef) {
        match self.locate(reference) {
            Place::Page(slot) => prefetch(&self.pages, slot),
            Place::Table => prefetch(&self.table.entries, self.table.home(hash(reference))),
        }
    }

    /// The order of a reference if it is on a page, else 0.
    #[inline]
    pub fn glance(&self, reference: OrderRef) -> u32 {
        match self.locate(reference) {
            Place::Page(slot) => self.pages.get(slot).copied().unwrap_or(0),
            Place::Table => 0,
        }
    }

    /// Live references.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let on_pages = self.pages.iter().filter(|order| **order != 0).count();
        on_pages + self.table.entries.iter().filter(|entry| **entry != 0).count()
    }

    /// Gives a page to a reference whose prefix is younger than the owner's, and moves the orders
    /// of the former owner to the table.
    #[cold]
    fn turn_page(&mut self, reference: OrderRef) -> Place {
        let prefix = reference.0 >> SLOT_BITS;
        let page = prefix as usize & (self.owners.len() - 1);
        let Some(owner) = self.owners.get_mut(page).filter(|owner| **owner < prefix + 1) else {
            return Place::Table;
        };
        let former = core::mem::replace(owner, prefix + 1);
        let first = page << SLOT_BITS;
        if former != 0 {
            let slots = self.pages.get_mut(first..first + SLOTS).unwrap_or_default();
            for (slot, order) in (0..).zip(slots).filter(|(_, order)| **order != 0) {
                self.table.insert(OrderRef((former - 1) << SLOT_BITS | slot), *order);
                *order = 0;
            }
        }
        Place::Page(first | reference.0 as usize & (SLOTS - 1))
    }

    #[inline]
    fn set(&mut self, slot: usize, order: u32) {
        if let Some(place) = self.pages.get_mut(slot) {
            *place = order;
        }
    }
}

/// Where a reference is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Slot of all pages.
    Page(usize),
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

    /// Goal: young references live on pages, older ones in the table, and each is found wherever it
    /// is. Method: turn the only page, come back with an old reference, clear and start low again.
    #[test]
    fn pages_turn() {
        let references = [5, 4_095, 4_096, 7, u64::MAX];
        let orders = pool_of(&references);
        let mut refs = Refs::new(1, 16);
        for (number, reference) in (1..).zip(references.map(OrderRef)) {
            assert_eq!(refs.find(reference, &orders), 0);
            let place = refs.claim(reference);
            let is_old = reference == OrderRef(7);
            assert_eq!(place == Place::Table, is_old, "{reference:?}");
            refs.put(place, reference, number);
            for (number, reference) in (1..=number).zip(references.map(OrderRef)) {
                assert_eq!(refs.find(reference, &orders), number);
            }
        }
        assert_eq!(refs.len(), 5);
        refs.clear();
        assert_eq!(refs.len(), 0);
        assert_ne!(refs.claim(OrderRef(5)), Place::Table, "a new day starts on pages");
    }
}
