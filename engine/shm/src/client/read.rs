//! What can be read of an engine: pages, tape, heartbeat.

use std::time::Duration;

use model::BadWord;
use model::page::{Account, Board, Control, Depth, Line, OrderCell, TapeRecord};
use rustix::time::{ClockId, clock_gettime};

use crate::cell::{Cell, CellError};
use crate::header::Header;
use crate::layout::{HALT_WORD, Layout, Region};
use crate::memory::Map;
use crate::ring::Ring;
use crate::sync::{AtomicU64, Ordering::*};
use crate::tape::{Next, TapeCursor};

mod words;

pub use words::BoardWords;

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

impl From<CellError> for ReadError {
    fn from(error: CellError) -> ReadError {
        match error {
            CellError::Absent => ReadError::Absent,
            CellError::Overtaken => ReadError::Stale,
        }
    }
}

/// Age of the heartbeat from which on pages are called stale, unless set otherwise.
const STALE_AFTER: Duration = Duration::from_secs(1);

/// Whether the engine lives.
#[derive(Clone, Copy)]
struct Heart<'a> {
    /// When its loop last said so, monotonic nanoseconds; zero: not yet.
    beat: &'a AtomicU64,
    stale_after: Duration,
}

impl Heart<'_> {
    fn age(&self) -> Option<Duration> {
        let beat = self.beat.load(Acquire);
        let now = clock_gettime(ClockId::Monotonic);
        let now = now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned();
        (beat > 0).then(|| Duration::from_nanos(now.saturating_sub(beat)))
    }

    /// Whether what was published is current.
    #[inline]
    fn current(&self) -> Result<(), ReadError> {
        let is_current = match self.stale_after {
            // Reading the clock takes longer than reading a page.
            Duration::MAX => self.beat.load(Acquire) > 0,
            bound => self.age().is_some_and(|age| age <= bound),
        };
        is_current.then_some(()).ok_or(ReadError::Stale)
    }
}

/// Reads an engine's pages. A client has one; so has the engine's housekeeping, see
/// [`crate::Listener::reader`].
#[derive(Debug)]
pub struct Reader {
    pages: Map,
    header: Header,
    layout: Layout,
    stale_after: Duration,
}

impl Reader {
    pub(crate) fn new(pages: Map, header: Header) -> Reader {
        let layout = Layout::new(&header.capacity);
        Reader { pages, header, layout, stale_after: STALE_AFTER }
    }

    /// The engine's process.
    pub fn engine_pid(&self) -> u32 {
        self.header.pid
    }

    /// The number of the engine's start: another one after a restart.
    pub fn epoch(&self) -> u64 {
        self.header.epoch
    }

    /// How many of each thing the engine has room for.
    pub fn capacity(&self) -> &crate::Capacity {
        &self.header.capacity
    }

    /// The halt that the engine's housekeeping set beside the engine's own, as
    /// [`crate::HaltWord::set`] put it together; zero: none.
    pub fn halt_word(&self) -> u64 {
        let word = self.words(self.layout.pulse, 0).get(HALT_WORD);
        word.map_or(0, |word| word.load(Acquire))
    }

    /// How long ago the engine's loop last said that it lives; `None` before it first did.
    pub fn heartbeat_age(&self) -> Option<Duration> {
        self.heart()?.age()
    }

    /// Rounds of the engine's loop so far.
    pub fn loops(&self) -> u64 {
        self.words(self.layout.pulse, 0).get(1).map_or(0, |loops| loops.load(Relaxed))
    }

    /// Sets from which age of the heartbeat on pages are called stale; a second if never set. [`Duration::MAX`]: of no age, for
    /// who reads many pages and looks at [`Reader::heartbeat_age`] once.
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

    /// An instrument's board, found once, for who reads it again and again.
    ///
    /// # Errors
    ///
    /// [`ReadError::OutOfRange`].
    pub fn board_words(&self, instrument: usize) -> Result<BoardWords<'_>, ReadError> {
        let cell = self.cell(self.layout.boards, instrument)?;
        let heart = self.heart().ok_or(ReadError::OutOfRange)?;
        Ok(BoardWords::new(cell, heart))
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

    /// The line of a pair that a client asked of before anything was traded in it, one of [`WATCHES`](crate::WATCHES). It
    /// goes out of date when the pair has a line.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn watch(&self, place: usize) -> Result<Line, ReadError> {
        self.page(self.layout.watches, place, Line::from_words)
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
        let mut words = [0; W];
        self.words_of(region, index, &mut words)?;
        from_words(&words).map_err(ReadError::Bad)
    }

    fn words_of<const W: usize>(
        &self,
        region: Region,
        index: usize,
        words: &mut [u64; W],
    ) -> Result<(), ReadError> {
        self.cell(region, index)?.read_into(words)?;
        self.current()
    }

    #[inline]
    fn cell<const W: usize>(&self, region: Region, index: usize) -> Result<Cell<'_, W>, ReadError> {
        Cell::over(self.words(region, index)).ok_or(ReadError::OutOfRange)
    }

    fn current(&self) -> Result<(), ReadError> {
        self.heart().ok_or(ReadError::Stale)?.current()
    }

    fn heart(&self) -> Option<Heart<'_>> {
        let beat = self.words(self.layout.pulse, 0).first()?;
        Some(Heart { beat, stale_after: self.stale_after })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The words of an object; none if it does not exist.
    pub(crate) fn words(&self, region: Region, index: usize) -> &[AtomicU64] {
        region.at(index).and_then(|range| self.pages.words().get(range)).unwrap_or_default()
    }

    fn tape_ring(&self) -> Option<Ring<'_, { TapeRecord::WORDS }>> {
        Ring::over(self.words(self.layout.tape, 0), self.header.capacity.tape as usize, 0)
    }
}
