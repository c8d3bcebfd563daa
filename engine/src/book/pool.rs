//! Records of one kind, all taken from the system at start.

/// A fixed number of records, named by 32-bit numbers. Number 0 names the nil record: it always exists, is never handed
/// out and stays as it was made, so that following a link never fails.
pub(super) struct Pool<T> {
    records: Vec<T>,
    nil: T,
    /// Records never handed out yet start here.
    fresh: u32,
    /// Records given back, the last one on top: it is the one still in the cache.
    released: Vec<u32>,
}

impl<T: Copy> Pool<T> {
    /// Room for `capacity` records, each written once so that its memory is really there.
    pub fn new(capacity: u32, nil: T) -> Pool<T> {
        let records = vec![nil; capacity as usize + 1];
        Pool { records, nil, fresh: 1, released: touched(capacity as usize) }
    }

    /// The record of a number; nil if there is none.
    #[inline]
    pub fn at(&self, number: u32) -> &T {
        self.records.get(number as usize).unwrap_or(&self.nil)
    }

    /// The record of a number, to change it. Never called with the nil number.
    #[inline]
    pub fn at_mut(&mut self, number: u32) -> &mut T {
        self.records.get_mut(number as usize).unwrap_or(&mut self.nil)
    }

    /// Hands out a record; `None` if all are in use.
    #[inline]
    pub fn take(&mut self, value: T) -> Option<u32> {
        let number = match self.released.pop() {
            Some(number) => number,
            None => {
                let number = self.fresh;
                if number as usize >= self.records.len() {
                    return None;
                }
                self.fresh += 1;
                number
            }
        };
        *self.at_mut(number) = value;
        Some(number)
    }

    /// Takes a record back. Each number handed out comes back at most once.
    #[inline]
    pub fn release(&mut self, number: u32) {
        self.released.push(number);
    }

    /// Takes every record back at once.
    pub fn release_all(&mut self) {
        self.fresh = 1;
        self.released.clear();
    }

    /// Records in use.
    pub fn used(&self) -> usize {
        self.fresh as usize - 1 - self.released.len()
    }

    /// Records left.
    #[inline]
    pub fn room(&self) -> usize {
        self.records.len() - self.fresh as usize + self.released.len()
    }

    /// All records, to hint the cache at one of them.
    pub fn records(&self) -> &[T] {
        &self.records
    }
}

/// An empty vector with room for `capacity` numbers, whose memory is really there.
fn touched(capacity: usize) -> Vec<u32> {
    let mut numbers = vec![u32::MAX; capacity];
    numbers.clear();
    numbers
}
