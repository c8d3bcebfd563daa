//! The engine thread's end: writes pages, tape and answers, reads desks. After `create` it neither
//! allocates nor calls the operating system, and nothing that a client does can make it wait.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use model::page::{Account, Answer, Board, Control, Depth, Line, OrderCell, TapeRecord};
use model::{DeskId, Request};

use crate::cell::Cell;
use crate::desk::DeskFault;
use crate::error::{Doing, ShmError};
use crate::header::Header;
use crate::layout::{Capacity, HALT_WORD, Layout, Region};
use crate::lease::{Desks, Lessor, desks};
use crate::memory::{self, Access, Map};
use crate::ring::Ring;
use crate::sync::{AtomicU64, Ordering::*};

/// The only writer of an engine's shared memory. A write to a place that does not exist is ignored
/// and counted.
pub struct Publisher {
    map: Arc<Map>,
    layout: Layout,
    capacity: Capacity,
    epoch: u64,
    desks: Desks,
    housekeeping: Option<Housekeeping>,
    ignored: u64,
}

/// What the attach socket needs of a publisher; taken when it is bound.
pub(crate) struct Housekeeping {
    /// The pages, unable to write.
    pub(crate) pages: OwnedFd,
    pub(crate) header: Header,
    pub(crate) lessor: Lessor,
    pub(crate) halt: HaltWord,
}

/// The one word of an engine's memory that its housekeeping writes and not its engine thread: a halt
/// that holds although the engine thread stands still. Whoever sends orders reads it before each.
#[derive(Clone)]
pub struct HaltWord {
    map: Arc<Map>,
    at: Option<usize>,
}

impl HaltWord {
    /// Sets the word; zero: no halt.
    pub fn set(&self, word: u64) {
        if let Some(place) = self.at.and_then(|at| self.map.words().get(at)) {
            place.store(word, Release);
        }
    }
}

impl Publisher {
    /// Makes the memory for `capacity`, writes its header and seals it. `epoch` must differ from
    /// that of every earlier start.
    ///
    /// # Errors
    ///
    /// [`ShmError::Capacity`] or [`ShmError::Os`].
    pub fn create(capacity: Capacity, epoch: u64) -> Result<Publisher, ShmError> {
        if let Some(fault) = capacity.fault() {
            return Err(ShmError::Capacity(fault));
        }
        let layout = Layout::new(&capacity);
        let file = memory::create("tickgate-pages", layout.words).doing("make shared memory")?;
        let map = Map::new(&file, layout.words, Access::Write).doing("map shared memory")?;
        let map = Arc::new(map);
        memory::seal(&file).doing("seal shared memory")?;
        let pages = memory::read_only(&file).doing("re-open shared memory for reading")?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = Header {
            epoch,
            pid: std::process::id(),
            started_ns: since_1970.as_nanos() as u64,
            capacity,
        };
        let (desks, lessor) = desks(capacity.desks as usize, capacity.requests as usize, epoch);
        let at = layout.pulse.at(0).map(|pulse| pulse.start + HALT_WORD);
        let halt = HaltWord { map: Arc::clone(&map), at };
        let housekeeping = Some(Housekeeping { pages, header, lessor, halt });
        let publisher = Publisher { map, layout, capacity, epoch, desks, housekeeping, ignored: 0 };
        for (word, value) in publisher.words(layout.header, 0).iter().zip(header.to_words()) {
            word.store(value, Relaxed);
        }
        Ok(publisher)
    }

    /// How many of each thing fit.
    pub fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    /// The number of this start.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Writes to a place that does not exist so far.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Says that the engine lives: CLOCK_MONOTONIC in nanoseconds, and rounds of its loop so far.
    pub fn beat(&mut self, mono_ns: u64, loops: u64) {
        if let [heartbeat, count, ignored, ..] = self.words(self.layout.pulse, 0) {
            count.store(loops, Relaxed);
            ignored.store(self.ignored, Relaxed);
            heartbeat.store(mono_ns, Release);
        }
    }

    /// Publishes the state of the engine.
    pub fn publish_control(&mut self, page: &Control) {
        self.publish(self.layout.control, 0, &page.to_words());
    }

    /// Publishes an instrument at a glance.
    pub fn publish_board(&mut self, instrument: usize, page: &Board) {
        self.publish(self.layout.boards, instrument, &page.to_words());
    }

    /// Hints the cache at where the next state of an instrument will be written.
    pub fn prefetch_board(&self, instrument: usize) {
        if let Some(cell) =
            Cell::<{ Board::WORDS }>::over(self.words(self.layout.boards, instrument))
        {
            cell.prefetch_to_publish();
        }
    }

    /// Publishes an instrument's book.
    pub fn publish_depth(&mut self, instrument: usize, page: &Depth) {
        self.publish(self.layout.depths, instrument, &page.to_words());
    }

    /// Publishes an account.
    pub fn publish_account(&mut self, account: usize, page: &Account) {
        self.publish(self.layout.accounts, account, &page.to_words());
    }

    /// Publishes an account's line in an instrument.
    pub fn publish_line(&mut self, slot: usize, page: &Line) {
        self.publish(self.layout.lines, slot, &page.to_words());
    }

    /// Publishes the line that a watched pair would have, one of [`WATCHES`](crate::WATCHES).
    pub fn publish_watch(&mut self, place: usize, page: &Line) {
        self.publish(self.layout.watches, place, &page.to_words());
    }

    /// Publishes an order, at its [`model::OrderId::slot`].
    pub fn publish_order(&mut self, slot: usize, page: &OrderCell) {
        self.publish(self.layout.orders, slot, &page.to_words());
    }

    /// Appends to the tape, over its oldest record.
    pub fn push_tape(&mut self, record: &TapeRecord) {
        let slots = self.capacity.tape as usize;
        self.push(self.layout.tape, 0, slots, &record.to_words());
    }

    /// Answers a desk, over its oldest answer.
    pub fn answer(&mut self, desk: DeskId, answer: &Answer) {
        let slots = self.capacity.answers as usize;
        self.push(self.layout.answers, desk.0.into(), slots, &answer.to_words());
    }

    /// Takes the next request of a desk, at most one; its origin is the desk. Bounded work whatever
    /// the client wrote.
    ///
    /// # Errors
    ///
    /// See [`DeskFault`]. After [`DeskFault::Overrun`] the desk is silent, and the attach socket
    /// closes its connection.
    pub fn poll_desk(&mut self, desk: DeskId) -> Result<Option<Request>, DeskFault> {
        let Publisher { map, layout, desks, .. } = self;
        let port = |desk: DeskId| layout.ports.at(desk.0.into()).and_then(|at| map.words().get(at));
        desks.adopt(|desk, number| {
            if let Some([lease, taken, ..]) = port(desk) {
                taken.store(0, Relaxed);
                lease.store(number, Release);
            }
        });
        desks.poll(desk, |count| {
            if let Some([_, taken, ..]) = port(desk) {
                taken.store(count, Release);
            }
        })
    }

    pub(crate) fn take_housekeeping(&mut self) -> Option<Housekeeping> {
        self.housekeeping.take()
    }

    fn publish<const W: usize>(&mut self, region: Region, index: usize, words: &[u64; W]) {
        match Cell::over(self.words(region, index)) {
            Some(cell) => cell.publish(words),
            None => self.ignored += 1,
        }
    }

    fn push<const W: usize>(
        &mut self,
        region: Region,
        index: usize,
        slots: usize,
        words: &[u64; W],
    ) {
        match Ring::over(self.words(region, index), slots, 0) {
            Some(ring) => ring.push(words),
            None => self.ignored += 1,
        }
    }

    /// The words of an object; none if it does not exist.
    fn words(&self, region: Region, index: usize) -> &[AtomicU64] {
        region.at(index).and_then(|range| self.map.words().get(range)).unwrap_or_default()
    }
}
