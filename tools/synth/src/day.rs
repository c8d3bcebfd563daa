//! A day: its agenda of fixed moments, and the flow of orders between them.

mod auction;
mod flow;
mod listing;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io::{self, Write};

use feeds::nasdaq::message::{Message, SystemEvent};
use feeds::nasdaq::{Header, MESSAGE_MAX, Stock};
use feeds::sink::BinaryFileWriter;
use model::Side;

use crate::book::{Book, Orders};
use crate::rng::Rng;
use crate::{Config, Hours};
use flow::{Burst, Part};

/// What the venue lets a symbol do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not listed yet.
    Absent,
    Trading,
    /// Halted, paused, or halted at this venue alone: orders come and go, nothing trades.
    Halted,
    /// Before the cross that ends a halt: orders may cross each other.
    QuoteOnly,
}

struct Symbol {
    stock: Stock,
    state: State,
    /// Price step, in 1e-4 dollars.
    step: u32,
    /// What the symbol is worth, in 1e-4 dollars: the touch follows it.
    fair: u32,
    rising: bool,
    /// Orders that it tends to have.
    live_aim: u64,
    round_lot: u32,
    book: Book,
}

/// A fixed moment of the day. The order of the variants is that of moments at the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    System(u8),
    DeclineLevels,
    List(u16),
    Pause(u16),
    Halt(u16),
    Resume(u16),
    QuoteOnly(u16),
    AuctionOrder(u16),
    Imbalance(u16, u8),
    Cross(u16, u8),
    Restrict(u16),
}

/// A synthetic day, as an iterator of its messages in order.
pub struct Day {
    hours: Hours,
    rng: Rng,
    symbols: Vec<Symbol>,
    /// Cumulative weights, to draw a symbol.
    weights: Vec<u64>,
    orders: Orders,
    agenda: BinaryHeap<Reverse<(u64, Moment)>>,
    /// Place in the messages before the system hours; `None` after them.
    spin: Option<u64>,
    /// Made but not handed out.
    pending: VecDeque<Message>,
    now: u64,
    /// When the flow goes on.
    flow_at: u64,
    burst: Burst,
    part: Part,
    /// Messages made, and how many there should be.
    made: u64,
    messages: u64,
    reference: u64,
    reference_step: u64,
    match_number: u64,
}

/// What a day wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Messages.
    pub messages: u64,
    /// Bytes, framing and end marker included.
    pub bytes: u64,
    /// Messages by type.
    pub types: BTreeMap<char, u64>,
    /// Orders left in the books.
    pub live_orders: u64,
    /// Orders in the books at the busiest moment.
    pub live_orders_max: u64,
    /// The highest order reference.
    pub reference_max: u64,
    /// [`Day::digest`] at the end.
    pub digest: u64,
}

impl Day {
    /// The day of `config`, its number of symbols brought into the range.
    pub fn new(config: Config) -> Day {
        let mut rng = Rng::new(config.seed);
        let (symbols, weights) = listing::symbols(&config, &mut rng);
        let hours = config.hours;
        let agenda = listing::agenda(&hours, &symbols, &mut rng);
        Day {
            hours,
            rng,
            spin: Some(0),
            symbols,
            weights,
            orders: Orders::default(),
            agenda: agenda.into_iter().map(Reverse).collect(),
            pending: VecDeque::new(),
            now: hours.messages,
            flow_at: hours.system,
            burst: Burst::default(),
            part: Part { next: 0, end: hours.system, made_at_end: 0 },
            made: 0,
            messages: config.messages,
            reference: 1_000_000,
            reference_step: config.reference_step.clamp(1, 1_000),
            match_number: 10_000,
        }
    }

    /// Writes what is left of the day, framed, and the end marker.
    ///
    /// # Errors
    ///
    /// That of `out`.
    pub fn write_to(self, out: impl Write) -> io::Result<Summary> {
        self.write_watched(out, |_| ())
    }

    /// The same, and tells `watch` after each message how many there are.
    ///
    /// # Errors
    ///
    /// That of `out`.
    pub fn write_watched(
        mut self,
        out: impl Write,
        mut watch: impl FnMut(u64),
    ) -> io::Result<Summary> {
        let mut summary = Summary {
            messages: 0,
            bytes: 2,
            types: BTreeMap::new(),
            live_orders: 0,
            live_orders_max: 0,
            reference_max: 0,
            digest: 0,
        };
        let mut types = [0_u64; 256];
        let mut out = BinaryFileWriter::new(out);
        let mut room = [0; MESSAGE_MAX];
        for message in &mut self {
            let message = message.encode(&mut room);
            out.message(message)?;
            summary.messages += 1;
            summary.bytes += 2 + message.len() as u64;
            types[usize::from(message[0])] += 1;
            watch(summary.messages);
        }
        out.end()?;
        let seen = types.into_iter().zip(0..=u8::MAX).filter(|(count, _)| *count > 0);
        summary.types = seen.map(|(count, kind)| (char::from(kind), count)).collect();
        summary.live_orders_max = self.orders.most() as u64;
        summary.reference_max = self.reference;
        summary.live_orders = self.symbols.iter().map(|s| s.book.live().len() as u64).sum();
        summary.digest = self.digest();
        Ok(summary)
    }

    /// FNV-1a over the touch of every symbol in the order of its locate: best bid and its shares, best ask
    /// and its shares, each as 8 bytes little-endian, zeros where a side is empty. Books rebuilt from the
    /// messages must give the same.
    pub fn digest(&self) -> u64 {
        let mut digest = 0xCBF2_9CE4_8422_2325_u64;
        for symbol in &self.symbols {
            for side in [Side::Buy, Side::Sell] {
                let (px, shares) = symbol.book.top(&self.orders, side).unwrap_or((0, 0));
                for byte in [u64::from(px), shares].into_iter().flat_map(u64::to_le_bytes) {
                    digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
                }
            }
        }
        digest
    }

    /// Messages handed out so far.
    pub fn made(&self) -> u64 {
        self.made - self.pending.len() as u64
    }

    /// Makes the messages of the next moment, or the next piece of the flow. `false` at the end of the day.
    fn advance(&mut self) -> bool {
        if let Some(place) = self.spin {
            self.spin = self.spin(place).then_some(place + 1);
            return true;
        }
        let due = self.agenda.peek().map(|Reverse((time, _))| *time);
        match (self.next_flow(), due) {
            (Some(flow), due) if due.is_none_or(|time| flow < time) => {
                self.now = self.now.max(flow);
                self.flow();
                self.flow_at = self.now + self.gap();
            }
            _ => {
                let Some(Reverse((time, moment))) = self.agenda.pop() else { return false };
                self.now = self.now.max(time);
                self.meet(moment);
            }
        }
        true
    }

    fn meet(&mut self, moment: Moment) {
        match moment {
            Moment::System(event) => {
                self.emit_whole(|header| SystemEvent { header, event }.into());
            }
            Moment::DeclineLevels => self.decline_levels(),
            Moment::List(symbol) => self.list(symbol),
            Moment::Pause(symbol) => self.pause(symbol),
            Moment::Halt(symbol) => self.halt(symbol),
            Moment::Resume(symbol) => self.resume(symbol),
            Moment::QuoteOnly(symbol) => self.quote_only(symbol),
            Moment::AuctionOrder(symbol) => self.auction_order(symbol),
            Moment::Imbalance(symbol, cross) => self.imbalance(symbol, cross),
            Moment::Cross(symbol, cross) => self.cross(symbol, cross),
            Moment::Restrict(symbol) => self.restrict(symbol),
        }
    }

    fn at(&mut self, time: u64, moment: Moment) {
        self.agenda.push(Reverse((time, moment)));
    }

    /// Makes a message about a symbol.
    fn emit(&mut self, symbol: u16, message: impl FnOnce(Header, Stock) -> Message) {
        let stock = self.symbols[usize::from(symbol)].stock;
        let header = self.header(symbol + 1);
        self.pending.push_back(message(header, stock));
    }

    /// Makes a message about the whole market.
    fn emit_whole(&mut self, message: impl FnOnce(Header) -> Message) {
        let header = self.header(0);
        self.pending.push_back(message(header));
    }

    fn header(&mut self, locate: u16) -> Header {
        self.made += 1;
        Header { locate, tracking: 2 * self.rng.below(4) as u16, time: self.now }
    }

    fn next_reference(&mut self) -> u64 {
        self.reference += self.rng.between(1, 2 * self.reference_step - 1);
        self.reference
    }

    fn next_match(&mut self) -> u64 {
        self.match_number += self.rng.between(1, 3);
        self.match_number
    }
}

impl Iterator for Day {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        while self.pending.is_empty() {
            if !self.advance() {
                return None;
            }
        }
        self.pending.pop_front()
    }
}
