//! The machine: connection, books, and what is to be done.

mod book;
mod connection;
mod line;
mod refusal;
mod waiting;

use std::collections::VecDeque;

use model::{Cause, Event, Flags, Integrity, Kind, Side, Symbol, TradingState, Ts, VenueNumber};

use super::config::{ConfigError, StreamConfig, StreamSymbol, Symbols};
use super::message::{Message, OrderChange, ParseError, Parsed, Ticker};
use super::retry::Attempts;
use super::venue::{Rules, Venue};
use crate::back_off::BackOff;
use book::Book;
use connection::Connection;
use waiting::Waitings;

/// Longest text that is looked at, bytes.
pub const TEXT_MAX: usize = 16 << 20;

/// Longest body that a transport takes, bytes. A line of a capture has room for it.
pub const BODY_MAX: usize = 32 << 20;

/// Books in doubt at once that are subscribed to again one by one.
const RESUBSCRIBE_MAX: usize = 4;

/// What the transport is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a WebSocket; then [`StreamFeed::on_open`], or [`StreamFeed::on_close`] if that fails.
    Connect {
        /// Where.
        url: String,
    },
    /// Send a text.
    Send {
        /// The text.
        text: String,
    },
    /// Ask for this over HTTP; then [`StreamFeed::on_response`].
    Get {
        /// Number to answer with.
        request: u32,
        /// The venue's name of the symbol that it is about.
        symbol: String,
        /// Where.
        url: String,
    },
    /// Close the WebSocket. The machine takes it for closed already: [`StreamFeed::on_close`] is not to be called for it.
    Close,
}

/// Why a request brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// The server answered with another status than success.
    #[error("status {0}")]
    Status(u16),
    /// No connection, or it broke.
    #[error("unreachable")]
    Unreachable,
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
    /// A body longer than is taken.
    #[error("too long")]
    TooLong,
}

/// How far a book has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No connection.
    Down,
    /// Subscribed; what comes waits for a snapshot that is not asked for yet.
    Buffering,
    /// A snapshot is awaited.
    Snapshot,
    /// The snapshot is applied; the first update that follows it is awaited.
    Bridging,
    /// Every update has followed the one before.
    Live,
    /// Something went wrong; a new snapshot is tried for later.
    Resync,
}

/// What a feed has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Texts.
    pub texts: u64,
    /// Bytes of texts and bodies.
    pub bytes: u64,
    /// Texts that could not be read.
    pub bad: u64,
    /// Why the first of them could not.
    pub first_bad: Option<ParseError>,
    /// Texts of a known kind that went through the general parser.
    pub slow: u64,
    /// Book messages applied.
    pub applied: u64,
    /// Book messages that were in the book already.
    pub old: u64,
    /// Book messages that came before a snapshot where none waits.
    pub early: u64,
    /// Trades.
    pub trades: u64,
    /// Texts about symbols that are not ours.
    pub foreign: u64,
    /// Requests that the venue refused.
    pub refused: u64,
    /// Snapshots applied.
    pub snapshots: u64,
    /// Requests for snapshots that failed, or came too old.
    pub snapshots_failed: u64,
    /// Answers to requests that nobody waits for any more.
    pub late: u64,
    /// Gaps in the sequence of a book.
    pub gaps: u64,
    /// Messages that did not fit the book: another checksum, an order that it does not hold.
    pub mismatches: u64,
    /// Times that the buffer of a book was full.
    pub overflows: u64,
    /// Connections opened.
    pub connects: u64,
    /// Connections given up: silent, too old, refused or broken.
    pub closes: u64,
}

/// One feed of a venue.
pub struct StreamFeed<V> {
    core: Core<V>,
    parsed: Parsed,
    /// In a capture: the next line is a snapshot, of this symbol; of none of ours inside.
    awaited: Option<Option<u16>>,
}

/// All but the buffers of the text at hand.
struct Core<V> {
    venue: V,
    config: StreamConfig,
    symbols: Symbols,
    rules: Rules,
    books: Vec<Book>,
    /// Messages that wait for snapshots.
    waiting: Waitings,
    connection: Connection,
    /// Sequence of the last text.
    seq: u64,
    /// Number of the last request.
    request: u32,
    gets: Attempts,
    back_off: BackOff,
    actions: VecDeque<Action>,
    texts: Vec<String>,
    ticker: Ticker,
    counters: StreamCounters,
}

impl<V: Venue> StreamFeed<V> {
    /// A feed that has heard nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn new(venue: V, config: StreamConfig) -> Result<StreamFeed<V>, ConfigError> {
        let symbols = Symbols::new(config.symbols.clone())?;
        let (got, most) = (symbols.iter().len(), venue.rules().symbols_max);
        if got > usize::from(most) {
            return Err(ConfigError::TooManyForVenue { got, most });
        }
        let books: Vec<Book> = symbols.iter().map(|_| Book::default()).collect();
        let core = Core {
            rules: venue.rules(),
            connection: Connection::default(),
            back_off: BackOff::new(config.seed),
            venue,
            config,
            symbols,
            waiting: Waitings::new(books.len()),
            books,
            seq: 0,
            request: 0,
            gets: Attempts::default(),
            actions: VecDeque::new(),
            texts: Vec::new(),
            ticker: Ticker::default(),
            counters: StreamCounters::default(),
        };
        Ok(StreamFeed { core, parsed: Parsed::default(), awaited: None })
    }

    /// Names the symbols, says that their books are not known yet, and asks for a connection.
    pub fn start(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let core = &mut self.core;
        core.believe(None, (Integrity::Incomplete, Cause::NotStarted), now, emit);
        for (number, symbol) in (1..).map(VenueNumber).zip(core.symbols.iter()) {
            let StreamSymbol { symbol, px_decimals, qty_decimals, .. } = symbol;
            let listing = Event::directory(number, *symbol, *px_decimals, *qty_decimals);
            core.say(listing, now, emit);
            // These venues trade around the clock, and say nothing of it.
            let aux = TradingState::Trading.code().into();
            core.say(Event { number, aux, ..Event::empty(Kind::State) }, now, emit);
        }
        core.connect(now);
    }

    /// The connection of [`Action::Connect`] stands.
    pub fn on_open(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        self.core.opened(now, emit);
    }

    /// The connection is down, or could not be opened.
    pub fn on_close(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        self.core.closed(now, emit);
    }

    /// Takes a text, received at `now`.
    pub fn on_text(&mut self, text: &[u8], now: Ts, emit: &mut impl FnMut(Event)) {
        let StreamFeed { core, parsed, .. } = self;
        core.counters.texts += 1;
        core.counters.bytes += text.len() as u64;
        core.seq += 1;
        core.connection.heard = now;
        let said = std::cell::Cell::new(false);
        let mut emit = |event: Event| {
            said.set(true);
            emit(event);
        };
        parsed.clear();
        let slow = parsed.slow;
        if text.len() >= TEXT_MAX {
            let error = crate::json::JsonError::whole(crate::json::JsonCause::TooLong);
            core.on_bad(error.into(), now, &mut emit);
        } else {
            match core.venue.parse(text, &core.symbols, parsed) {
                Ok(message) => core.on_message(&message, text, parsed, now, &mut emit),
                Err(error) => core.on_bad(error, now, &mut emit),
            }
        }
        core.counters.slow += parsed.slow - slow;
        if !said.get() {
            core.say(Event::empty(Kind::Notice), now, &mut emit);
        }
    }

    /// Takes the answer to [`Action::Get`].
    pub fn on_response(
        &mut self,
        request: u32,
        body: Result<&[u8], HttpFailure>,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let awaits = |book: &Book| book.phase == Phase::Snapshot && book.request == request;
        if let Some(symbol) = self.core.books.iter().position(awaits) {
            self.core.on_body(symbol as u16, body, &mut self.parsed, now, emit);
        } else {
            self.core.counters.late += 1;
        }
    }

    /// Lets time pass: call it at [`StreamFeed::wake_at`], or more often.
    pub fn on_time(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        self.core.on_time(now, emit);
    }

    /// When [`StreamFeed::on_time`] is due next. Looks at every symbol.
    pub fn wake_at(&self) -> Option<Ts> {
        let books = self.core.books.iter().filter_map(|book| book.due);
        books.chain(self.core.connection_due()).min()
    }

    /// What the transport is to do next; every action is said once. Ask until there is none, after every call.
    pub fn next_action(&mut self) -> Option<Action> {
        self.core.actions.pop_front()
    }

    /// What it has seen.
    pub fn counters(&self) -> StreamCounters {
        self.core.counters
    }

    /// How far the book of a symbol has come; `None`: there is no such symbol.
    pub fn phase(&self, symbol: Symbol) -> Option<Phase> {
        let place = self.core.symbols.iter().position(|known| known.symbol == symbol)?;
        self.core.books.get(place).map(|book| book.phase)
    }

    /// The venue's own best bid and ask, as it said last.
    pub fn ticker(&self) -> Ticker {
        self.core.ticker
    }
}

impl<V: Venue> Core<V> {
    /// Emits an event of the text at hand.
    fn say(&self, event: Event, now: Ts, emit: &mut impl FnMut(Event)) {
        let ts_venue = if event.ts_venue == Ts(0) { now } else { event.ts_venue };
        emit(Event { ts_venue, ts_recv: now, seq: self.seq, feed: self.config.feed, ..event });
    }

    /// Says how far a book (`None`: every book) may be believed, unless that was said last.
    fn believe(
        &mut self,
        symbol: Option<u16>,
        belief: (Integrity, Cause),
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let (integrity, cause) = belief;
        let number = symbol.map_or(VenueNumber(0), number_of);
        match symbol.and_then(|symbol| self.books.get_mut(usize::from(symbol))) {
            Some(book) if book.said == belief => return,
            Some(book) => book.said = belief,
            None => self.books.iter_mut().for_each(|book| book.said = belief),
        }
        self.say(Event::integrity(number, integrity, cause), now, emit);
    }

    fn on_message(
        &mut self,
        message: &Message,
        text: &[u8],
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        match *message {
            Message::Book(head) => self.on_book(&head, parsed, now, emit),
            Message::Trades => self.on_trades(parsed, now, emit),
            Message::Ticker => self.ticker = parsed.ticker,
            Message::Heartbeat { symbol: Some(symbol), sequence: Some(sequence) } => {
                self.on_sequence(symbol, sequence, now, emit);
            }
            Message::Refused { symbol } => {
                self.counters.refused += 1;
                self.on_refused(symbol, now, emit);
            }
            Message::Ping => {
                let answer = self.venue.pong(text);
                self.actions.extend(answer.map(|text| Action::Send { text }));
            }
            Message::Reset => self.reconnect(now, emit),
            Message::Hole { symbol } => {
                self.counters.gaps += 1;
                self.on_trades(parsed, now, emit);
                match symbol {
                    Some(symbol) => self.doubt(symbol, Cause::Gap, now, emit),
                    None => self.reconnect(now, emit),
                }
            }
            Message::UnknownSymbol => self.counters.foreign += 1,
            Message::Heartbeat { .. } | Message::Ack | Message::Pong | Message::Other => {}
        }
    }

    /// Tells the trades of a text.
    fn on_trades(&mut self, parsed: &Parsed, now: Ts, emit: &mut impl FnMut(Event)) {
        // Futures of Binance tell of trades of nothing, where an insurance fund took over.
        for trade in parsed.trades.iter().filter(|trade| trade.qty.0 > 0) {
            self.counters.trades += 1;
            let event = Event {
                ts_venue: trade.ts_venue,
                number: number_of(trade.symbol),
                side: trade.resting,
                px: trade.px,
                qty: trade.qty,
                aux: trade.id,
                flags: Flags::LAST_OF_PACKET,
                ..Event::empty(Kind::Trade)
            };
            self.say(event, now, emit);
        }
    }

    /// A text that could not be read: whatever it was to change is in doubt.
    #[cold]
    fn on_bad(&mut self, error: ParseError, now: Ts, emit: &mut impl FnMut(Event)) {
        self.counters.bad += 1;
        self.counters.first_bad.get_or_insert(error);
        match error.symbol {
            Some(symbol) => self.doubt(symbol, Cause::BadEvent, now, emit),
            // One connection is sooner had than many subscriptions, which venues limit.
            None if self.books.len() > RESUBSCRIBE_MAX && !self.asks_for_snapshots() => {
                self.reconnect(now, emit);
            }
            None => {
                for symbol in 0..self.books.len() as u16 {
                    self.doubt(symbol, Cause::BadEvent, now, emit);
                }
            }
        }
    }

    /// Emits the levels and orders of a text; the last completes it.
    fn say_changes(
        &mut self,
        symbol: u16,
        ts_venue: Ts,
        parsed: &Parsed,
        flags: Flags,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let number = number_of(symbol);
        let done = flags.with(Flags::EVENT_COMPLETE).with(Flags::LAST_OF_PACKET);
        let changes = || parsed.orders.iter().filter(|change| change.kind != Kind::Notice);
        let mut left = parsed.bids.len() + parsed.asks.len() + changes().count();
        for (side, levels) in [(Side::Buy, &parsed.bids), (Side::Sell, &parsed.asks)] {
            for (px, qty) in levels.as_slice() {
                left -= 1;
                let flags = if left == 0 { done } else { flags };
                let level = Event::level(number, side, *px, *qty);
                self.say(Event { flags, ts_venue, ..level }, now, emit);
            }
        }
        for change in changes() {
            left -= 1;
            let OrderChange { kind, side, px, qty, trade: aux, order, .. } = *change;
            self.counters.trades += u64::from(matches!(kind, Kind::Execute | Kind::ExecuteAt));
            let flags = if left == 0 { done } else { flags };
            let event =
                Event { flags, ts_venue, number, order, side, px, qty, aux, ..Event::empty(kind) };
            self.say(event, now, emit);
        }
    }
}

/// The engine's number of a symbol: its index, from 1.
const fn number_of(symbol: u16) -> VenueNumber {
    VenueNumber(symbol as u32 + 1)
}
