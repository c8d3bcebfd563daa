//! Records of one kind, all taken from the system at start.

use core::hint::cold_path;

/// A record that a pool can chain up while it is not in use.
pub(crate) trait Record: Copy + PartialEq {
    /// Number 0: the record that following a link to nowhere leads to.
    const NIL: Self;

    /// A field that an unused record may hold its link in.
    fn link(&mut self) -> &mut u32;
}

/// A fixed number of records, named by numbers from 1.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound(
    serialize = "T: Record + serde::Serialize",
    deserialize = "T: Record + serde::Deserialize<'de>"
))]
pub(crate) struct Pool<T> {
    #[serde(with = "model::snapshot::table")]
    records: Vec<T>,
    nil: T,
    /// The record given back last, which is the one still in the cache; 0: none.
    released: u32,
    /// Records never handed out yet start here.
    fresh: u32,
    used: u32,
}

impl<T: Record> Pool<T> {
    /// Room for `capacity` records, whose memory is really there.
    pub fn new(capacity: u32) -> Pool<T> {
        let mut records = vec![T::NIL; capacity as usize + 1];
        host::prefault(&mut records);
        Pool { records, nil: T::NIL, released: 0, fresh: 1, used: 0 }
    }

    /// The record of a number; nil if there is none.
    #[inline]
    pub fn at(&self, number: u32) -> &T {
        match self.records.get(number as usize) {
            Some(record) => record,
            None => {
                cold_path();
                &self.nil
            }
        }
    }

    /// The record of a number, to change it.
    #[inline]
    pub fn at_mut(&mut self, number: u32) -> &mut T {
        match self.records.get_mut(number as usize) {
            Some(record) => record,
            None => {
                cold_path();
                &mut self.nil
            }
        }
    }

    /// Hands out a record, whatever it holds; `None` if all are in use.
    #[inline(always)]
    pub fn take(&mut self) -> Option<u32> {
        let mut number = self.released;
        if number != 0 {
            self.released = *self.at_mut(number).link();
        } else if self.room() > 0 {
            cold_path();
            number = self.fresh;
            self.fresh += 1;
        } else {
            cold_path();
            return None;
        }
        self.used += 1;
        Some(number)
    }

    /// Takes a record back. Each number handed out comes back at most once.
    #[inline]
    pub fn release(&mut self, number: u32) {
        let next = self.released;
        *self.at_mut(number).link() = next;
        self.released = number;
        self.used -= 1;
    }

    /// Takes every record back at once.
    pub fn release_all(&mut self) {
        (self.released, self.fresh, self.used) = (0, 1, 0);
    }

    /// Records in use.
    pub fn used(&self) -> usize {
        self.used as usize
    }

    /// Records left.
    pub fn room(&self) -> usize {
        self.records.len() - 1 - self.used as usize
    }

    /// All records, to hint the cache at one of them.
    pub fn records(&self) -> &[T] {
        &self.records
    }
}
