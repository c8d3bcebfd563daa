//! Limits of pairs, each kind once: many pairs share a row.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashTable;
use model::snapshot::reserved;

use crate::ledger::touched;
use crate::limits::PairLimits;

/// Bytes that a row takes of the table by which it is found, nearly: five a place, and at most 16/7 as many places.
const PLACE_BYTES: usize = 12;

/// Rows in the order in which they came, each found by what it says: where every instrument has a row of its own, looking through
/// all for each listing would take the square of their number.
#[derive(Debug, Default)]
pub(crate) struct RowTable {
    rows: Vec<PairLimits>,
    /// Their numbers. No state: it follows from the rows, and is made again when they are read.
    numbers: HashTable<u32>,
}

impl RowTable {
    /// Room for so many; nothing allocates afterwards.
    pub(crate) fn new(most: u32) -> RowTable {
        RowTable::from(touched(PairLimits::BLOCKED, most as usize))
    }

    /// Bytes that [`RowTable::new`] takes.
    pub(crate) fn bytes(most: u32) -> u64 {
        u64::from(most) * (size_of::<PairLimits>() + PLACE_BYTES) as u64
    }

    pub(crate) fn get(&self, number: u32) -> Option<&PairLimits> {
        self.rows.get(number as usize)
    }

    pub(crate) fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// The number of a row that says this.
    pub(crate) fn find(&self, limits: &PairLimits) -> Option<u32> {
        let is_it = |number: &u32| self.get(*number) == Some(limits);
        self.numbers.find(place_of(limits), is_it).copied()
    }

    /// The number of the row that says this, which is appended if there is none yet. `None`: `most` are there.
    pub(crate) fn find_or_push(&mut self, limits: PairLimits, most: u32) -> Option<u32> {
        let known = self.find(&limits);
        if known.is_none() && self.len() < most {
            self.rows.push(limits);
            self.note(self.len() - 1);
            return Some(self.len() - 1);
        }
        known
    }

    /// Makes a row be found.
    fn note(&mut self, number: u32) {
        let place = |number: &u32| self.rows.get(*number as usize).map_or(0, place_of);
        self.numbers.insert_unique(place(&number), number, place);
    }
}

/// An empty table whose memory is there from the start.
fn touched_table(room: u32) -> HashTable<u32> {
    let mut table = HashTable::with_capacity(room as usize);
    for number in 0..room {
        table.insert_unique(number.into(), number, |number| (*number).into());
    }
    table.clear();
    table
}

/// Where in the table a row is looked for.
fn place_of(limits: &PairLimits) -> u64 {
    let mut hasher = DefaultHasher::new();
    limits.hash(&mut hasher);
    hasher.finish()
}

impl From<Vec<PairLimits>> for RowTable {
    fn from(rows: Vec<PairLimits>) -> RowTable {
        let numbers = touched_table(rows.capacity() as u32);
        let mut table = RowTable { rows, numbers };
        for number in 0..table.len() {
            // Of equal rows of another day, the first is found.
            if table.get(number).is_some_and(|row| table.find(row).is_none()) {
                table.note(number);
            }
        }
        table
    }
}

impl reserved::List for RowTable {
    type Item = PairLimits;

    fn room(&self) -> usize {
        self.rows.capacity()
    }

    fn held(&self) -> impl ExactSizeIterator<Item = &PairLimits> {
        self.rows.iter()
    }
}

#[cfg(test)]
mod tests {
    use model::Qty;
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::PAIR_LIMITS;

    const MOST: u32 = 8;

    /// The same rows as they come out of a snapshot.
    fn restarted(table: &RowTable) -> RowTable {
        let mut rows = Vec::with_capacity(MOST as usize);
        rows.extend_from_slice(&table.rows);
        RowTable::from(rows)
    }

    proptest! {
        /// Goal: each row is there once, under the number of its first time, whatever restarts, and the tables never grow.
        /// Method: more rows than there is room for, which differ in one field of two, against a list that is looked through.
        #[test]
        fn rows_equal_a_list_that_is_looked_through(
            rows in prop::collection::vec((0..4_i64, 0..4_u32, 0..8_u8), 1..60),
        ) {
            let (mut table, mut naive) = (RowTable::new(MOST), Vec::new());
            let room = table.numbers.capacity();
            for (clip, band_bps, then) in rows {
                let row = PairLimits { clip_max: Qty(clip), band_bps, ..PAIR_LIMITS };
                let known = naive.iter().position(|known| *known == row);
                if known.is_none() && naive.len() < MOST as usize {
                    naive.push(row);
                }
                let number = naive.iter().position(|known| *known == row).map(|at| at as u32);
                prop_assert_eq!(table.find(&row), known.map(|at| at as u32));
                prop_assert_eq!(table.find_or_push(row, MOST), number);
                if then == 0 {
                    table = restarted(&table);
                }
                prop_assert_eq!(table.rows.capacity(), MOST as usize);
                prop_assert_eq!(table.numbers.capacity(), room);
                prop_assert_eq!(&table.rows, &naive);
            }
        }
    }
}
