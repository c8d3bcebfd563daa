//! What one text of a venue says, whichever venue.

use model::{Kind, OrderRef, Px, Qty, Side, Ts};

use crate::json::{JsonCause, JsonError, Levels};

/// Trades of one text, at most; there is room for all of them from the start, 160 KiB a feed. Bybit sends up to 1,024.
pub const TRADES_MAX: usize = 4_096;
/// Orders of one text, and of all books of a feed together, at most.
pub const ORDERS_MAX: usize = 1 << 19;
/// Orders that there is room for from the start: only whole books have more.
const ORDERS_ROOM: usize = 64;

/// What a text says. Levels, orders and trades lie in [`Parsed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Levels of one book, [`Parsed::bids`] and [`Parsed::asks`], or its orders, [`Parsed::orders`]. With a trade if the book
    /// tells of it by an order ([`Parsed::trades`]).
    Book(BookHead),
    /// Trades: [`Parsed::trades`].
    Trades,
    /// The venue's own best bid and ask: [`Parsed::ticker`].
    Ticker,
    /// The channel is alive. With a symbol and a sequence: what its book must have reached by now.
    Heartbeat {
        /// Whose.
        symbol: Option<u16>,
        /// The sequence of the last message that the venue sent for it.
        sequence: Option<u64>,
    },
    /// A request was granted.
    Ack,
    /// A request was refused; of one symbol, or we cannot tell.
    Refused {
        /// Whose.
        symbol: Option<u16>,
    },
    /// The venue asks whether we are there; [`super::Venue::pong`] is the answer.
    Ping,
    /// The answer to our ping.
    Pong,
    /// The venue is about to close the connection, or its numbering of this connection jumped: connect anew.
    Reset,
    /// What came before is not whole: of one symbol, or (`None`) of the connection, as [`Message::Reset`]. The trades that show
    /// it, [`Parsed::trades`], are real.
    Hole {
        /// Whose.
        symbol: Option<u16>,
    },
    /// Of a symbol that is not ours.
    UnknownSymbol,
    /// Anything else that is well-formed.
    Other,
}

/// Whether levels replace a book or change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookKind {
    /// The whole book, at any time.
    Snapshot,
    /// Changes; absolute quantities, 0 removes.
    Delta,
}

/// Of which book, and where in its sequence. Venues without one leave the numbers zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookHead {
    /// Index in [`super::Symbols`].
    pub symbol: u16,
    /// Whether it replaces the book.
    pub kind: BookKind,
    /// First update inside.
    pub first: u64,
    /// Last update inside; of a snapshot, the last that it holds.
    pub last: u64,
    /// Last update of the message before, if told.
    pub prev: Option<u64>,
    /// The venue's checksum of the book after this message, if told (signed ones by their bits).
    pub checksum: Option<u32>,
    /// Venue time; zero if not told.
    pub ts_venue: Ts,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Index in [`super::Symbols`].
    pub symbol: u16,
    /// Price, in the symbol's units.
    pub px: Px,
    /// Quantity, in the symbol's units.
    pub qty: Qty,
    /// The venue's number; zero if not told.
    pub id: u64,
    /// Side of the resting order (the aggressor was the other), if told.
    pub resting: Option<Side>,
    /// Venue time.
    pub ts_venue: Ts,
}

/// What happens to one order, where a venue tells every order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderChange {
    /// The venue's own name of it.
    pub id: u128,
    /// `Add`, `Execute`, `Modify` (price zero: the same price) or `Delete`; what [`super::Venue::apply`] makes of it is
    /// emitted. `Notice`: nothing of the book.
    pub kind: Kind,
    /// Its side, where that is new.
    pub side: Option<Side>,
    /// Price, in the symbol's units.
    pub px: Px,
    /// Quantity, in the symbol's units.
    pub qty: Qty,
    /// The venue's number of the trade, if it is one.
    pub trade: u64,
    /// The engine's reference, given by [`super::Venue::apply`].
    pub order: OrderRef,
}

/// The venue's own best bid and ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticker {
    /// Index in [`super::Symbols`].
    pub symbol: u16,
    /// Last update of the book that it holds; zero if not told.
    pub last: u64,
    /// Best bid.
    pub bid: (Px, Qty),
    /// Best ask.
    pub ask: (Px, Qty),
}

/// Buffers that every text is parsed into. Emptied by the machine before each; a venue only appends.
#[derive(Debug)]
pub struct Parsed {
    /// Levels of the buy side, in the order of the message.
    pub bids: Levels,
    /// Levels of the sell side, in the order of the message.
    pub asks: Levels,
    /// Orders, in the order of the message; at most [`ORDERS_MAX`].
    pub orders: Vec<OrderChange>,
    /// Trades, in the order of the message; at most [`TRADES_MAX`].
    pub trades: Vec<Trade>,
    /// The last ticker.
    pub ticker: Ticker,
    /// Texts of a known kind that the scanner left to the general parser.
    pub slow: u64,
    /// What the general parser works in.
    pub tree: crate::json::Scratch,
}

impl Default for Parsed {
    fn default() -> Self {
        Parsed {
            bids: Levels::new(),
            asks: Levels::new(),
            orders: Vec::with_capacity(ORDERS_ROOM),
            trades: Vec::with_capacity(TRADES_MAX),
            ticker: Ticker::default(),
            slow: 0,
            tree: crate::json::Scratch::default(),
        }
    }
}

impl Parsed {
    /// Empties levels, orders and trades; keeps their room.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.orders.clear();
        self.trades.clear();
    }

    /// Appends what happens to an order.
    ///
    /// # Errors
    ///
    /// [`JsonCause::TooMany`] beyond [`ORDERS_MAX`].
    pub fn push_order(&mut self, change: OrderChange) -> Result<(), JsonCause> {
        if self.orders.len() >= ORDERS_MAX {
            return Err(JsonCause::TooMany);
        }
        self.orders.push(change);
        Ok(())
    }

    /// Appends a trade.
    ///
    /// # Errors
    ///
    /// [`JsonCause::TooMany`] beyond [`TRADES_MAX`].
    pub fn push_trade(&mut self, trade: Trade) -> Result<(), JsonCause> {
        if self.trades.len() >= TRADES_MAX {
            return Err(JsonCause::TooMany);
        }
        self.trades.push(trade);
        Ok(())
    }
}

/// Why a text means nothing to us. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ParseError {
    /// What is wrong, and where.
    pub error: JsonError,
    /// Whose book it was to change, as far as could be read. `None`: any; then every book is doubted.
    pub symbol: Option<u16>,
}

impl From<JsonError> for ParseError {
    fn from(error: JsonError) -> Self {
        ParseError { error, symbol: None }
    }
}
