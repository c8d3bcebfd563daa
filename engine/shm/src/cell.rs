//! The newest state of one thing: the writer replaces it, readers copy it whole or hear that they
//! could not.
//!
//! ```text
//! words   0       head: states written so far         a cache line of its own
//!         8 …     slot 0: W words                     rounded up to cache lines
//!           …     slots 1 to 3
//! ```
//! State `n` lies in slot `n mod 4`. Four slots rather than one: a writer that stops or dies in the middle of a write leaves the
//! state before it readable, and a reader loses only to a writer that replaces the state three times while it copies.
//!
//! The head alone tells whether a copy is whole: state `n + 4` is not begun before the head says `n + 4`, so a copy of state `n`
//! is whole if the head still says less behind it. No stamps and no check word: the one writer of a cell is the engine, which
//! its readers trust, and the model checker proves the two fences (`tests/loom.rs`). What a client writes lies in a
//! [`Ring`](crate::Ring). With stamps and a check word, publishing and reading took more than twice the instructions.

use crate::sync::{
    AtomicU64, LINE, Ordering::*, fence, load_line, load_own, prefetch, prefetch_to_write,
    store_line,
};

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
pub struct Cell<'a, const W: usize> {
    head: &'a AtomicU64,
    slots: &'a [AtomicU64],
}

impl<'a, const W: usize> Cell<'a, W> {
    const STRIDE: usize = W.next_multiple_of(LINE);

    /// Words that a cell takes: a multiple of 128 bytes, because caches fetch lines in pairs.
    pub const WORDS: usize = (LINE + SLOTS * Self::STRIDE).next_multiple_of(2 * LINE);

    /// Lays a cell over `words`; `None` if they are too few.
    #[inline]
    pub fn over(words: &'a [AtomicU64]) -> Option<Self> {
        let (head, rest) = words.split_first()?;
        let slots = rest.get(LINE - 1..LINE - 1 + SLOTS * Self::STRIDE)?;
        Some(Cell { head, slots })
    }

    /// Asks for the lines that [`Cell::publish`] will write. Only its thread knows which they are.
    pub fn prefetch_to_publish(&self) {
        let next = self.slot(load_own(self.head)).map(<[_; W]>::as_slice).unwrap_or_default();
        next.chunks(LINE).filter_map(<[_]>::first).for_each(prefetch_to_write);
    }

    /// Replaces the state. Only one thread of one process may ever do this.
    pub fn publish(&self, state: &[u64; W]) {
        let number = load_own(self.head);
        let Some(slot) = self.slot(number) else { return };
        // Whoever sees one of these words sees the present head as well, and does not believe the state that they replace.
        fence(Release);
        replace(slot, state);
        self.head.store(number.wrapping_add(1), Release);
    }

    /// Copies the newest state, in at most eight attempts; its number, from 1 on. If none succeeds, `state` holds anything.
    ///
    /// # Errors
    ///
    /// See [`CellError`].
    #[inline]
    pub fn read_into(&self, state: &mut [u64; W]) -> Result<u64, CellError> {
        for _ in 0..TRIES {
            let count = self.head.load(Acquire);
            let newest = count.checked_sub(1).ok_or(CellError::Absent)?;
            let Some(slot) = self.slot(newest) else { break };
            copy(slot, state);
            fence(Acquire);
            let overtaken_by = self.head.load(Relaxed).wrapping_sub(count);
            if overtaken_by < SLOTS as u64 - 1 {
                return Ok(count);
            }
        }
        Err(CellError::Overtaken)
    }

    /// [`Cell::read_into`] if a state with another number than `last` is there. If not, asks for the lines of the next one:
    /// who polls has them underway when the head moves, instead of after it, which is a quarter less time between cores of two
    /// caches. Who comes back without a pause ([`core::hint::spin_loop`]) takes each line away from a writer that was just given
    /// it to write.
    ///
    /// # Errors
    ///
    /// See [`CellError`].
    #[inline]
    pub fn read_newer(&self, last: u64, state: &mut [u64; W]) -> Result<Option<u64>, CellError> {
        let count = self.head.load(Acquire);
        if count != last {
            return self.read_into(state).map(Some);
        }
        let next = self.slot(count).map(<[_; W]>::as_slice).unwrap_or_default();
        next.chunks(LINE).filter_map(<[_]>::first).for_each(prefetch);
        Ok(None)
    }

    /// [`Cell::read_into`], by value.
    ///
    /// # Errors
    ///
    /// See [`CellError`].
    pub fn read(&self) -> Result<[u64; W], CellError> {
        let mut state = [0; W];
        self.read_into(&mut state).map(|_| state)
    }

    #[inline(always)]
    fn slot(&self, number: u64) -> Option<&'a [AtomicU64; W]> {
        let start = (number % SLOTS as u64) as usize * Self::STRIDE;
        self.slots.get(start..)?.first_chunk()
    }
}

/// Copies words that may be written meanwhile, in no order.
#[inline(always)]
fn copy<const W: usize>(from: &[AtomicU64; W], to: &mut [u64; W]) {
    let (lines, words) = from.as_chunks();
    let (to_lines, to_words) = to.as_chunks_mut();
    to_lines.iter_mut().zip(lines).for_each(|(to, line)| *to = load_line(line));
    to_words.iter_mut().zip(words).for_each(|(to, word)| *to = word.load(Relaxed));
}

/// Replaces words that may be read meanwhile, in no order.
#[inline(always)]
fn replace<const W: usize>(to: &[AtomicU64; W], state: &[u64; W]) {
    let (to_lines, to_words) = to.as_chunks();
    let (lines, words) = state.as_chunks();
    to_lines.iter().zip(lines).for_each(|(to, line)| store_line(to, line));
    to_words.iter().zip(words).for_each(|(to, word)| to.store(*word, Relaxed));
}

#[cfg(all(test, not(loom)))]
mod tests;
