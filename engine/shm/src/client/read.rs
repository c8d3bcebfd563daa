//! What a client reads: pages, tape, heartbeat.

use std::time::Duration;

use model::BadWord;
use model::page::{Account, Board, Control, Depth, Line, OrderCell, TapeRecord};
use rustix::time::{ClockId, clock_gettime};

use super::Client;
use crate::cell::{Cell, CellError};
use crate::layout::Region;
use crate::ring::Ring;
use crate::sync::Ordering::*;
use crate::tape::{Next, TapeCursor};

/// Why a page could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The engine has not begun to beat, has stopped, or overtook every attempt. What was published is not
    /// current.
    Stale,
    /// Nothing was published there yet.
    Absent,
    /// What was published is no legal page.
    Bad(BadWord),
    /// There is no such page.
    OutOfRange,
}

impl Client {
    /// How long ago the engine's loop last said that it lives; `None` before it first did.
    pub fn heartbeat_age(&self) -> Option<Duration> {
        let [heartbeat, ..] = self.words(self.layout.pulse, 0) else { return None };
        let beat = heartbeat.load(Acquire);
        let now = clock_gettime(ClockId::Monotonic);
        let now = now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned();
        (beat > 0).then(|| Duration::from_nanos(now.saturating_sub(beat)))
    }

    /// Rounds of the engine's loop so far.
    pub fn loops(&self) -> u64 {
        self.words(self.layout.pulse, 0).get(1).map_or(0, |loops| loops.load(Relaxed))
    }

    /// Sets from which age of the heartbeat on pages are called stale; a second if never set.
    pub fn set_stale_after(&mut self, age: Duration) {
        self.stale_after = age;
    }

    /// The engine as a whole.
    ///
    /// # Errors
    ///
    /// See [`ReadError`]; so for every page.
    pub fn control(&self) -> Result<Control, ReadError> {
        self.page(self.layout.control, 0, Control::from_words)
    }

    /// An instrument at a glance.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn board(&self, instrument: usize) -> Result<Board, ReadError> {
        self.page(self.layout.boards, instrument, Board::from_words)
    }

    /// An instrument's book.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn depth(&self, instrument: usize) -> Result<Depth, ReadError> {
        self.page(self.layout.depths, instrument, Depth::from_words)
    }

    /// An account.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn account(&self, account: usize) -> Result<Account, ReadError> {
        self.page(self.layout.accounts, account, Account::from_words)
    }

    /// A line of an account in an instrument.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn line(&self, slot: usize) -> Result<Line, ReadError> {
        self.page(self.layout.lines, slot, Line::from_words)
    }

    /// An order, at its [`model::OrderId::slot`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn order(&self, slot: usize) -> Result<OrderCell, ReadError> {
        self.page(self.layout.orders, slot, OrderCell::from_words)
    }

    /// A place in front of the oldest record of the tape that can still be read.
    pub fn tape(&self) -> TapeCursor {
        self.tape_ring().map(|tape| TapeCursor::oldest(&tape)).unwrap_or_default()
    }

    /// Reads the tape's record at `place` and moves on. Also after the engine is gone.
    ///
    /// # Errors
    ///
    /// [`BadWord`] if it is no legal record.
    pub fn next_record(&self, place: &mut TapeCursor) -> Result<Next<TapeRecord>, BadWord> {
        let Some(tape) = self.tape_ring() else { return Ok(Next::Empty) };
        Ok(match place.next(&tape) {
            Next::Record(words) => Next::Record(TapeRecord::from_words(&words)?),
            Next::Lost(count) => Next::Lost(count),
            Next::Empty => Next::Empty,
        })
    }

    fn page<const W: usize, T>(
        &self,
        region: Region,
        index: usize,
        from_words: fn(&[u64; W]) -> Result<T, BadWord>,
    ) -> Result<T, ReadError> {
        let cell = Cell::over(self.words(region, index)).ok_or(ReadError::OutOfRange)?;
        let words = cell.read().map_err(|error| match error {
            CellError::Absent => ReadError::Absent,
            CellError::Overtaken => ReadError::Stale,
        })?;
        if self.heartbeat_age().is_none_or(|age| age > self.stale_after) {
            return Err(ReadError::Stale);
        }
        from_words(&words).map_err(ReadError::Bad)
    }

    fn tape_ring(&self) -> Option<Ring<'_, { TapeRecord::WORDS }>> {
        Ring::over(self.words(self.layout.tape, 0), self.header.capacity.tape as usize, 0)
    }
}
