//! What a venue must tell the machine: names, texts, numbers and its rule of sequence.

use model::{Cause, Ts};

use super::config::{StreamSymbol, Symbols};
use super::message::{BookHead, Message, ParseError, Parsed};

/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// Where a book's snapshot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotBy {
    /// A request apart from the stream; the stream's deltas wait meanwhile.
    Rest {
        /// Requests a minute, at most, for the whole feed: the venue's limit.
        per_minute: u32,
    },
    /// The stream itself, after each subscription.
    Stream,
}

/// The times of a venue. Zero: the rule does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Where snapshots come from.
    pub snapshot: SnapshotBy,
    /// Whether a book in doubt is subscribed to once more with each request for its snapshot, where those are asked for: the
    /// venue takes a subscription that stands, and does not tell of one that it has lost.
    pub subscribes_again: bool,
    /// Silence of the whole connection after which it is given up, ns.
    pub idle_ns: u64,
    /// Silence of a live book after which it is in doubt, ns: the venue says something of each of them more often.
    pub book_idle_ns: u64,
    /// Silence of the venue after which a ping of ours is due ([`Venue::ping`]), ns.
    pub ping_ns: u64,
    /// Whether a ping of ours is due whatever the venue says meanwhile.
    pub ping_always: bool,
    /// Age at which the connection is renewed, before the venue cuts it, ns.
    pub age_ns: u64,
    /// Time for a connection to open, ns.
    pub connect_ns: u64,
    /// Time for a snapshot to come, ns.
    pub snapshot_ns: u64,
    /// First wait before a retry, ns; it doubles up to `retry_max_ns`, with jitter.
    pub retry_ns: u64,
    /// Longest wait before a retry, ns.
    pub retry_max_ns: u64,
    /// Symbols of one connection, at most.
    pub symbols_max: u16,
    /// Connections, and resubscriptions of the whole feed, a minute, at most.
    pub attempts_per_minute: u32,
}

impl Rules {
    /// Rules that suit most venues: snapshots by the stream, 30 s of silence, no ping of ours, no age.
    pub const DEFAULT: Rules = Rules {
        snapshot: SnapshotBy::Stream,
        subscribes_again: false,
        idle_ns: 30 * SECOND,
        book_idle_ns: 0,
        ping_ns: 0,
        ping_always: false,
        age_ns: 0,
        connect_ns: 10 * SECOND,
        snapshot_ns: 10 * SECOND,
        retry_ns: SECOND / 2,
        retry_max_ns: 60 * SECOND,
        symbols_max: super::SYMBOLS_MAX as u16,
        attempts_per_minute: 30,
    };
}

/// How far a book has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Last update that the book holds.
    pub last: u64,
    /// Whether a delta has been applied since the snapshot; else `last` is the snapshot's own number.
    pub bridged: bool,
}

/// What a delta is to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Wholly inside the book already: to be dropped.
    Old,
    /// The next one.
    Next,
    /// Something is missing before it.
    Gap,
}

/// Why a message cannot be applied to what a venue keeps of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The venue's checksum is not that of the book.
    #[error("the venue's checksum is not that of the book")]
    Checksum,
    /// It speaks of an order that the book does not hold.
    #[error("the book holds no such order")]
    UnknownOrder,
    /// An order that stands twice, more taken from one than is open, or a price or quantity of nothing.
    #[error("an order twice, more taken than is open, or no price or quantity")]
    BadOrder,
    /// No room for another order.
    #[error("no room for another order")]
    Capacity,
}

impl Mismatch {
    /// What the book is said to suffer from.
    pub const fn cause(self) -> Cause {
        match self {
            Mismatch::Checksum => Cause::Checksum,
            Mismatch::UnknownOrder => Cause::UnknownOrder,
            Mismatch::BadOrder => Cause::BadEvent,
            Mismatch::Capacity => Cause::Capacity,
        }
    }
}

/// A venue of the stream machine. It reads texts and writes requests, and keeps no connection, clock or phase.
pub trait Venue {
    /// Its name in configuration and logs.
    const NAME: &'static str;

    /// Its times and limits.
    fn rules(&self) -> Rules;

    /// Where to connect; `base` is [`super::StreamConfig::ws_url`].
    fn ws_url(&self, base: Option<&str>, symbols: &Symbols) -> String;

    /// Appends the texts that subscribe to the symbols of these indexes. Called for all of them when a connection has
    /// opened, but for those that the venue refused by name of late; for those in need of a new snapshot (after
    /// [`Venue::unsubscribe`]) where the stream gives snapshots; and else where [`Rules::subscribes_again`] says so, or after a
    /// refusal.
    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], depth: u16, out: &mut Vec<String>);

    /// Appends the texts that end those subscriptions. Not called where snapshots come by [`SnapshotBy::Rest`].
    fn unsubscribe(&mut self, symbols: &Symbols, which: &[u16], depth: u16, out: &mut Vec<String>) {
        let _ = (symbols, which, depth, out);
    }

    /// Address of a snapshot, where they come by [`SnapshotBy::Rest`]; `base` is [`super::StreamConfig::rest_url`].
    fn snapshot_url(&self, base: Option<&str>, symbol: &StreamSymbol, depth: u16) -> String {
        let _ = (base, symbol, depth);
        String::new()
    }

    /// The ping of ours, if the venue has one inside its texts.
    fn ping(&mut self, now: Ts) -> Option<String> {
        let _ = now;
        None
    }

    /// The answer to the venue's [`Message::Ping`], whose text is given.
    fn pong(&mut self, ping: &[u8]) -> Option<String> {
        let _ = ping;
        None
    }

    /// Forgets what belongs to one connection (channel numbers, its sequence): another is about to open.
    fn opened(&mut self) {}

    /// Reads a text of the stream. `parsed` is empty.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: not what the venue may send. Its symbol's book (all, if it names none) is then in doubt.
    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError>;

    /// Reads the body of a snapshot that was asked for. `parsed` is empty.
    ///
    /// # Errors
    ///
    /// [`ParseError`]; the request then counts as failed.
    fn parse_snapshot(
        &mut self,
        symbol: u16,
        body: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<BookHead, ParseError> {
        let _ = (body, symbols, parsed);
        let error = crate::json::JsonError { at: 0, cause: crate::json::JsonCause::Shape };
        Err(ParseError { error, symbol: Some(symbol) })
    }

    /// Whether a line of a capture is such a body, for captures that hold them among the texts.
    fn is_snapshot(&self, text: &[u8]) -> bool {
        let _ = text;
        false
    }

    /// What a delta is to a book at `position`. Venues without a sequence answer [`Judgement::Next`].
    fn judge(&self, head: &BookHead, position: Position) -> Judgement;

    /// Applies a snapshot, or a delta that was judged the next, to what the venue keeps of its books (none, by default),
    /// *before* any of it is emitted: appends the levels that fall off its depth to `parsed`, with quantity zero; gives orders
    /// their references, and what happens to them its final form ([`super::OrderChange`]).
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if the message does not fit the book; nothing of it is then emitted and the book starts over.
    fn apply(&mut self, head: &BookHead, parsed: &mut Parsed) -> Result<(), Mismatch> {
        let _ = (head, parsed);
        Ok(())
    }

    /// Whether a whole book that the stream sends of a live one changes that as a delta would: [`Venue::apply`] then leaves in
    /// `parsed` what differs from the book that the venue keeps. Else, and by default, the book starts over.
    fn goes_on(&self, head: &BookHead, parsed: &Parsed) -> bool {
        let _ = (head, parsed);
        false
    }

    /// Forgets what the venue keeps of a book: it starts over.
    fn forget(&mut self, symbol: u16) {
        let _ = symbol;
    }
}
