//! Records of one kind, all taken from the system at start.

use core::hint::cold_path;

/// A record of a pool.
pub(crate) trait Record: Copy + PartialEq {
    /// Number 0: the record that following a link to nowhere leads to.
    const NIL: Self;
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
    /// Numbers given back; the last of them is that of the record still in the cache.
    #[serde(with = "model::snapshot::reserved")]
    released: Vec<u32>,
    /// Records never handed out yet start here.
    fresh: u32,
}

impl<T: Record> Pool<T> {
    /// Room for `capacity` records, whose memory is really there.
    pub fn new(capacity: u32) -> Pool<T> {
        let mut records = vec![T::NIL; capacity as usize + 1];
        host::prefault(&mut records);
        let mut released = vec![0; capacity as usize];
        host::prefault(&mut released);
        released.clear();
        Pool { records, nil: T::NIL, released, fresh: 1 }
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

    /// The record of a number, if there is one.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&T> {
        self.records.get(number as usize)
    }

    /// The record of a number, to change it, if there is one.
    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.records.get_mut(number as usize)
    }

    /// Hands out a record, whatever it holds; `None` if all are in use.
    #[inline]
    pub fn take(&mut self) -> Option<u32> {
        if let number @ Some(_) = self.released.pop() {
            return number;
        }
        cold_path();
        if self.room() == 0 {
            return None;
        }
        self.fresh += 1;
        Some(self.fresh - 1)
    }

    /// Takes a record back. Each number handed out comes back at most once, so that the list never
    /// outgrows its memory.
    #[inline]
    pub fn release(&mut self, number: u32) {
        self.released.push(number);
    }

    /// Takes every record back at once.
    pub fn release_all(&mut self) {
        self.released.clear();
        self.fresh = 1;
    }

    /// Records in use.
    pub fn used(&self) -> usize {
        (self.fresh as usize).saturating_sub(1 + self.released.len()) // A snapshot may hold anything.
    }

    /// Records left.
    pub fn room(&self) -> usize {
        self.records.len().saturating_sub(1 + self.used())
    }

    /// Hints the cache at a record.
    #[inline]
    pub fn prefetch(&self, number: u32) {
        host::prefetch(&self.records, number as usize);
    }
}
