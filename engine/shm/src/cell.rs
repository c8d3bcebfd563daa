//! The newest state of one thing: the writer replaces it, readers copy it whole or hear that they
//! could not.
//!
//! Four slots rather than one: a writer that stops or dies in the middle of a write leaves the
//! state before it readable, and a reader loses only to a writer that replaces the state three
//! times while it copies.

use crate::ring::Ring;
use crate::sync::AtomicU64;

/// Slots of a cell.
const SLOTS: usize = 4;
/// Attempts of a reader.
const TRIES: usize = 8;

/// Why a cell gave no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellError {
    /// Nothing was ever written to it.
    Absent,
    /// The writer overtook every attempt.
    Overtaken,
}

/// A cell of `W` words over shared words. One writer, any number of readers.
#[derive(Clone, Copy)]
pub struct Cell<'a, const W: usize>(Ring<'a, W>);

impl<'a, const W: usize> Cell<'a, W> {
    /// Words that a cell takes.
    pub const WORDS: usize = Ring::<W>::words(SLOTS);

    /// Lays a cell over `words`; `None` if they are too few.
    pub fn over(words: &'a [AtomicU64]) -> Option<Self> {
        Ring::over(words, SLOTS, 0).map(Cell)
    }

    /// Replaces the state. Only one thread of one process may ever do this.
    pub fn publish(&self, state: &[u64; W]) {
        self.0.push(state);
    }

    /// Copies the newest state, in at most eight attempts. If none succeeds, `state` holds anything.
    ///
    /// # Errors
    ///
    /// See [`CellError`].
    #[inline]
    pub fn read_into(&self, state: &mut [u64; W]) -> Result<(), CellError> {
        for _ in 0..TRIES {
            let newest = self.0.head().checked_sub(1).ok_or(CellError::Absent)?;
            if self.0.get_into(newest, state) {
                return Ok(());
            }
        }
        Err(CellError::Overtaken)
    }

    /// [`Cell::read_into`], by value.
    ///
    /// # Errors
    ///
    /// See [`CellError`].
    pub fn read(&self) -> Result<[u64; W], CellError> {
        let mut state = [0; W];
        self.read_into(&mut state).map(|()| state)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
