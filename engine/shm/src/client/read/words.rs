//! One board, read again and again.

use model::page::Board;

use super::{Heart, ReadError};
use crate::cell::Cell;

/// An instrument's board, of which the place in the engine's memory was found. What it reads is whole but not judged:
/// [`Board::from_words`] does that, and who needs few of the words looks at those.
#[derive(Clone, Copy)]
pub struct BoardWords<'a> {
    cell: Cell<'a, { Board::WORDS }>,
    heart: Heart<'a>,
    /// Number of the last board that was read as a newer one.
    last: u64,
}

impl<'a> BoardWords<'a> {
    pub(super) fn new(cell: Cell<'a, { Board::WORDS }>, heart: Heart<'a>) -> BoardWords<'a> {
        BoardWords { cell, heart, last: 0 }
    }

    /// The newest board. If it fails, `words` holds anything.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    #[inline]
    pub fn read(&self, words: &mut [u64; Board::WORDS]) -> Result<(), ReadError> {
        self.cell.read_into(words)?;
        self.heart.current()
    }

    /// The newest board if it is newer than the last that this read. `false`: it is not, and `words` are as they were; one word
    /// is read then, and nothing said of the engine's heart. For who polls.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    #[inline]
    pub fn read_newer(&mut self, words: &mut [u64; Board::WORDS]) -> Result<bool, ReadError> {
        let Some(number) = self.cell.read_newer(self.last, words)? else { return Ok(false) };
        self.heart.current()?;
        self.last = number;
        Ok(true)
    }
}
