//! Where everything lies in the engine's memory, computed alike on both sides from the capacity
//! alone.
//!
//! ```text
//! header, pulse, control, boards, depths, accounts, lines, watches, orders, tape, ports, answers
//! ```
//! Each client's requests lie in a memory of their own, one desk ring and nothing else.

use core::ops::Range;

use model::Request;
use model::page::{Account, Answer, Board, Control, Depth, Line, OrderCell, TapeRecord};

use crate::cell::Cell;
use crate::desk::DeskRing;
use crate::header::Header;
use crate::ring::Ring;

/// Version of the protocol between engine and client. Raise it when the meaning of anything shared
/// changes without changing [`LAYOUT_HASH`].
pub const ABI: u32 = 5;

/// Digest of the shape of everything shared: the words of each page and the objects that hold them.
pub const LAYOUT_HASH: u64 = layout_hash();

/// Pairs of account and instrument that were never traded and have a page because a client asked of them.
pub const WATCHES: u32 = 32;

/// Words of the pulse: heartbeat (CLOCK_MONOTONIC ns), loops, ignored writes; housekeeping's halt
/// in a cache line of its own.
pub(crate) const PULSE_WORDS: usize = 16;
/// Place of housekeeping's halt in the pulse.
pub(crate) const HALT_WORD: usize = 8;
/// Words of a port: number of the present lease, requests taken from it.
pub(crate) const PORT_WORDS: usize = 16;

/// How many of each thing fit. Fixed when the engine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Board pages and depth pages, 1 to 2²⁰.
    pub instruments: u32,
    /// Account pages, 1 to 2¹⁶.
    pub accounts: u32,
    /// Line pages, 1 to 2²⁰.
    pub lines: u32,
    /// Slots of the order table, 1 to 2²⁰.
    pub orders: u32,
    /// Records of the tape, a power of two from 8 to 2²⁰.
    pub tape: u32,
    /// Clients at a time, 1 to 64.
    pub desks: u32,
    /// Requests that a desk's ring holds, a power of two from 8 to 2¹⁰.
    pub requests: u32,
    /// Answers that a desk can look back on, a power of two from 8 to 2¹².
    pub answers: u32,
}

impl Default for Capacity {
    /// Room for a small run: about 35 MB.
    fn default() -> Self {
        Capacity {
            instruments: 1 << 10,
            accounts: 1 << 4,
            lines: 1 << 12,
            orders: 1 << 12,
            tape: 1 << 16,
            desks: 16,
            requests: 1 << 6,
            answers: 1 << 7,
        }
    }
}

impl Capacity {
    /// Words of the capacity in the header.
    pub(crate) const WORDS: usize = 8;

    /// Its name in the configuration and what is wrong with it, for the first field out of range.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let in_range = |value: u32, bits: u32| (1..=1 << bits).contains(&value);
        let ring =
            |value: u32, bits| value >= 8 && value.is_power_of_two() && in_range(value, bits);
        let fields = [
            (in_range(self.instruments, 20), "instruments: 1 to 1048576"),
            (in_range(self.accounts, 16), "accounts: 1 to 65536"),
            (in_range(self.lines, 20), "lines: 1 to 1048576"),
            (in_range(self.orders, 20), "orders: 1 to 1048576"),
            (ring(self.tape, 20), "tape: a power of two from 8 to 1048576"),
            (in_range(self.desks, 6), "desks: 1 to 64"),
            (ring(self.requests, 10), "requests: a power of two from 8 to 1024"),
            (ring(self.answers, 12), "answers: a power of two from 8 to 4096"),
        ];
        fields.iter().find(|(good, _)| !good).map(|(_, what)| *what)
    }

    pub(crate) fn to_words(self) -> [u64; Self::WORDS] {
        let Capacity { instruments, accounts, lines, orders, tape, desks, requests, answers } =
            self;
        [instruments, accounts, lines, orders, tape, desks, requests, answers].map(u64::from)
    }

    /// `None` if a field is out of range.
    pub(crate) fn from_words(words: [u64; Self::WORDS]) -> Option<Capacity> {
        let narrow = |word| u32::try_from(word).unwrap_or(0);
        let [instruments, accounts, lines, orders, tape, desks, requests, answers] =
            words.map(narrow);
        let capacity =
            Capacity { instruments, accounts, lines, orders, tape, desks, requests, answers };
        capacity.fault().is_none().then_some(capacity)
    }

    /// Bytes of all memory that is shared: the engine's, and that of every client there can be.
    pub fn bytes(&self) -> u64 {
        let words = Layout::new(self).words + self.desks as usize * self.desk_words();
        (words * size_of::<u64>()) as u64
    }

    /// Words of one desk's memory.
    pub(crate) fn desk_words(&self) -> usize {
        DeskRing::words(self.requests as usize)
    }
}

/// A row of equal objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    start: usize,
    stride: usize,
    count: usize,
}

impl Region {
    /// The words of object `index`; `None` if there is no such object.
    pub(crate) fn at(&self, index: usize) -> Option<Range<usize>> {
        let start = self.start + index.checked_mul(self.stride)?;
        (index < self.count).then_some(start..start + self.stride)
    }
}

/// The engine's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) header: Region,
    pub(crate) pulse: Region,
    pub(crate) control: Region,
    pub(crate) boards: Region,
    pub(crate) depths: Region,
    pub(crate) accounts: Region,
    pub(crate) lines: Region,
    pub(crate) watches: Region,
    pub(crate) orders: Region,
    pub(crate) tape: Region,
    pub(crate) ports: Region,
    pub(crate) answers: Region,
    /// All of it.
    pub(crate) words: usize,
}

impl Layout {
    /// The layout for a capacity without a fault.
    pub(crate) fn new(capacity: &Capacity) -> Layout {
        let mut words = 0;
        let mut row = |count: u32, stride: usize| {
            let region = Region { start: words, stride, count: count as usize };
            words += region.stride * region.count;
            region
        };
        let Capacity { instruments, accounts, lines, orders, tape, desks, answers, .. } = *capacity;
        Layout {
            header: row(1, Header::WORDS),
            pulse: row(1, PULSE_WORDS),
            control: row(1, Cell::<{ Control::WORDS }>::WORDS),
            boards: row(instruments, Cell::<{ Board::WORDS }>::WORDS),
            depths: row(instruments, Cell::<{ Depth::WORDS }>::WORDS),
            accounts: row(accounts, Cell::<{ Account::WORDS }>::WORDS),
            lines: row(lines, Cell::<{ Line::WORDS }>::WORDS),
            watches: row(WATCHES, Cell::<{ Line::WORDS }>::WORDS),
            orders: row(orders, Cell::<{ OrderCell::WORDS }>::WORDS),
            tape: row(1, Ring::<{ TapeRecord::WORDS }>::words(tape as usize)),
            ports: row(desks, PORT_WORDS),
            answers: row(desks, Ring::<{ Answer::WORDS }>::words(answers as usize)),
            words,
        }
    }
}

const fn layout_hash() -> u64 {
    let shape = [
        ABI as usize,
        Header::WORDS,
        PULSE_WORDS,
        PORT_WORDS,
        Control::WORDS,
        Cell::<{ Control::WORDS }>::WORDS,
        Board::WORDS,
        Cell::<{ Board::WORDS }>::WORDS,
        Depth::WORDS,
        Cell::<{ Depth::WORDS }>::WORDS,
        Account::WORDS,
        Cell::<{ Account::WORDS }>::WORDS,
        Line::WORDS,
        Cell::<{ Line::WORDS }>::WORDS,
        WATCHES as usize,
        OrderCell::WORDS,
        Cell::<{ OrderCell::WORDS }>::WORDS,
        TapeRecord::WORDS,
        Ring::<{ TapeRecord::WORDS }>::words(8),
        Answer::WORDS,
        Ring::<{ Answer::WORDS }>::words(8),
        Request::WORDS,
        DeskRing::words(8),
    ];
    // FNV-1a, a number at a time.
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut rest = shape.as_slice();
    while let [number, tail @ ..] = rest {
        hash = (hash ^ *number as u64).wrapping_mul(0x0000_0100_0000_01B3);
        rest = tail;
    }
    hash
}

// Every object starts on a pair of cache lines.
const _: () = assert!(Header::WORDS.is_multiple_of(16) && Cell::<1>::WORDS.is_multiple_of(16));

#[cfg(test)]
mod tests;
