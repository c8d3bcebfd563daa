//! What a venue said, in one cache line, whatever the venue.

use crate::id::{FeedId, OrderRef, Symbol, VenueNumber};
use crate::num::{Px, Qty, Ts};
use crate::order::Side;
use crate::state::{Cause, Integrity, codes};
use crate::words::BadWord;

codes!(
    /// What happened. The table of [`Event`] says which fields each kind uses.
    Kind {
        /// Anything the book and the gate do not need; keeps sequence and time moving. `aux` is the venue's type byte.
        Notice = 1 => "notice",
        /// Names an instrument.
        Directory = 2 => "directory",
        /// The venue's session moved on; `aux` is the venue's event code. For the whole feed.
        Session = 3 => "session",
        /// Trading state of an instrument; `aux` is a [`crate::TradingState`] code.
        State = 4 => "state",
        /// Halt of an instrument at this venue alone; `aux` 1 halted, 0 resumed.
        VenueHalt = 5 => "venue_halt",
        /// Market-wide circuit breaker; `aux` is the breached level 1 to 3. For the whole feed.
        MarketHalt = 6 => "market_halt",
        /// A new resting order.
        Add = 7 => "add",
        /// A resting order traded at its own price.
        Execute = 8 => "execute",
        /// A resting order traded at another price.
        ExecuteAt = 9 => "execute_at",
        /// A resting order lost quantity.
        Reduce = 10 => "reduce",
        /// A resting order is gone.
        Delete = 11 => "delete",
        /// A resting order gave way to a new one at the tail of its level; `aux` is the new reference.
        Replace = 12 => "replace",
        /// A trade against an order that was not displayed; never changes the book.
        Trade = 13 => "trade",
        /// An auction's bulk print; never changes the book. Zero quantity: no cross happened.
        Cross = 14 => "cross",
        /// A trade was broken, by match number `aux`; never changes the book.
        Broken = 15 => "broken",
        /// Every resting order is void (new trading day, or before a snapshot): of one instrument, or of the whole feed.
        Clear = 16 => "clear",
        /// Short-sale restriction of an instrument; `aux` 1 restricted, 0 not.
        ShortSale = 17 => "short_sale",
        /// A price level has a new total quantity, orders not told (price-level feeds); zero removes it.
        Level = 18 => "level",
        /// A resting order has a new price and open quantity. It keeps its place in the queue if the price is the same and the
        /// quantity is not larger; else it goes to the tail.
        Modify = 19 => "modify",
        /// How far a book may be believed from here on, as the feed knows it; for one instrument, or for every book of the feed
        /// and those still to be listed. `seq` is the last message that the books then hold, so that what is missing before it
        /// is accounted for.
        Integrity = 20 => "integrity",
    }
);

/// Marks on an [`Event`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// No mark.
    pub const NONE: Flags = Flags(0);
    /// Last message of its packet (a file frame is a packet of its own).
    pub const LAST_OF_PACKET: Flags = Flags(1);
    /// The venue says the book is consistent here.
    pub const EVENT_COMPLETE: Flags = Flags(2);
    /// Part of a snapshot.
    pub const SNAPSHOT: Flags = Flags(4);
    /// Came by line B.
    pub const LINE_B: Flags = Flags(8);
    /// A trade that must not enter volume or average price (ITCH `C` with printable N).
    pub const NOT_PRINTABLE: Flags = Flags(16);

    const ALL_BITS: u8 = 31;

    /// Both marks.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether every mark of `other` is set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The marks as bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Reads bits; `None` if one is undefined.
    pub const fn from_bits(bits: u8) -> Option<Flags> {
        if bits & !Self::ALL_BITS == 0 { Some(Flags(bits)) } else { None }
    }
}

/// One message of a venue. 64 bytes without padding: the same words lie in the ring, the journal and a replay.
///
/// | kind | order | px | qty | aux | side |
/// |---|---|---|---|---|---|
/// | Directory | symbol, last 8 letters | price + 256 · quantity decimals | round lot | symbol, first 8 letters | – |
/// | State, VenueHalt, MarketHalt, Session, ShortSale, Notice | – | – | – | code | – |
/// | Add | reference | limit | open | – | side |
/// | Execute | reference | – | executed | match number | – |
/// | ExecuteAt | reference | trade price | executed | match number | – |
/// | Reduce | reference | – | removed | – | – |
/// | Delete | reference | – | – | – | – |
/// | Replace | old reference | new limit | new open | new reference | – |
/// | Trade | – | price | quantity | match number | of the resting order, if told |
/// | Cross | which: `O` opening, `C` closing, `H` halt | price | quantity; zero: none happened | match number | – |
/// | Broken | – | – | – | match number | – |
/// | Clear | – | – | – | – | – |
/// | Level | – | price | new total | – | side |
/// | Modify | reference | new limit | new open | – | – |
/// | Integrity | – | – | – | [`Integrity`] code + 256 · [`Cause`] code | – |
///
/// Fields that a kind does not use are zero. Messages marked [`Flags::SNAPSHOT`] stand outside the sequence: they repeat what
/// earlier ones built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// Venue time.
    pub ts_venue: Ts,
    /// Receive time; in a replay the recorded one, else the venue's.
    pub ts_recv: Ts,
    /// Sequence in the feed, from 1. In a file: the number of the message. Equal to that of the event before it: both come
    /// from one message. A jump: messages are missing, unless [`Flags::SNAPSHOT`] or [`Kind::Integrity`] say otherwise.
    pub seq: u64,
    /// Venue reference of a resting order.
    pub order: OrderRef,
    /// Price, in the instrument's price units.
    pub px: Px,
    /// Quantity, in the instrument's quantity units.
    pub qty: Qty,
    /// What the kind says.
    pub aux: u64,
    /// The venue's own number of the instrument; zero for the whole feed.
    pub number: VenueNumber,
    /// What happened.
    pub kind: Kind,
    /// Side of the resting order.
    pub side: Option<Side>,
    /// Marks.
    pub flags: Flags,
    /// The feed it came by.
    pub feed: FeedId,
}

const _: () = assert!(size_of::<Event>() == 64 && align_of::<Event>() == 8);

impl Event {
    /// Words of an event.
    pub const WORDS: usize = 8;

    /// An event of `kind` with every other field empty: the start of every decoder.
    pub const fn empty(kind: Kind) -> Event {
        Event {
            ts_venue: Ts(0),
            ts_recv: Ts(0),
            seq: 0,
            order: OrderRef(0),
            px: Px(0),
            qty: Qty(0),
            aux: 0,
            number: VenueNumber(0),
            kind,
            side: None,
            flags: Flags::NONE,
            feed: FeedId(0),
        }
    }

    /// Names the instrument `number`; its price unit is 10^-`px_decimals`, its quantity unit 10^-`qty_decimals`.
    pub fn directory(
        number: VenueNumber,
        symbol: Symbol,
        px_decimals: u8,
        qty_decimals: u8,
    ) -> Event {
        let [first, last] = symbol.to_words();
        let px = Px(i64::from(u16::from_le_bytes([px_decimals, qty_decimals])));
        Event { number, px, order: OrderRef(last), aux: first, ..Event::empty(Kind::Directory) }
    }

    /// Symbol, price decimals and quantity decimals of a [`Kind::Directory`]; `None` if they are none.
    pub fn listing(&self) -> Option<(Symbol, u8, u8)> {
        let symbol = Symbol::from_words([self.aux, self.order.0])?;
        let [px_decimals, qty_decimals] = u16::try_from(self.px.0).ok()?.to_le_bytes();
        Some((symbol, px_decimals, qty_decimals))
    }

    /// A level of `side` at `px` has `qty` now; zero removes it.
    pub const fn level(number: VenueNumber, side: Side, px: Px, qty: Qty) -> Event {
        Event { number, side: Some(side), px, qty, ..Event::empty(Kind::Level) }
    }

    /// Sets how far the book of `number` may be believed; number zero: every book of the feed.
    pub const fn integrity(number: VenueNumber, integrity: Integrity, cause: Cause) -> Event {
        let aux = u16::from_le_bytes([integrity.code(), cause.code()]) as u64;
        Event { number, aux, ..Event::empty(Kind::Integrity) }
    }

    /// What a [`Kind::Integrity`] says; `None` if its code is none.
    pub fn believed(&self) -> Option<(Integrity, Cause)> {
        let [integrity, cause] = u16::try_from(self.aux).ok()?.to_le_bytes();
        Some((Integrity::from_code(integrity)?, Cause::from_code(cause)?))
    }

    /// The event as words.
    pub const fn to_words(&self) -> [u64; Self::WORDS] {
        let side = match self.side {
            None => 0,
            Some(side) => side as u8,
        };
        let [a, b, c, d] = self.number.0.to_le_bytes();
        let last =
            u64::from_le_bytes([a, b, c, d, self.kind as u8, side, self.flags.bits(), self.feed.0]);
        [
            self.ts_venue.0,
            self.ts_recv.0,
            self.seq,
            self.order.0,
            self.px.0.cast_unsigned(),
            self.qty.0.cast_unsigned(),
            self.aux,
            last,
        ]
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] if kind, side or flags hold an undefined code.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Event, BadWord> {
        let [ts_venue, ts_recv, seq, order, px, qty, aux, last] = *words;
        let [a, b, c, d, kind, side, flags, feed] = last.to_le_bytes();
        let side = match side {
            0 => None,
            code => Some(Side::from_code(code).ok_or(BadWord(7))?),
        };
        Ok(Event {
            ts_venue: Ts(ts_venue),
            ts_recv: Ts(ts_recv),
            seq,
            order: OrderRef(order),
            px: Px(px.cast_signed()),
            qty: Qty(qty.cast_signed()),
            aux,
            number: VenueNumber(u32::from_le_bytes([a, b, c, d])),
            kind: Kind::from_code(kind).ok_or(BadWord(7))?,
            side,
            flags: Flags::from_bits(flags).ok_or(BadWord(7))?,
            feed: FeedId(feed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what the makers write, the readers read, and nothing illegal passes. Method: both ways, then bad codes.
    #[test]
    fn makers_and_readers_agree() {
        let symbol = Symbol::new("BTC-USDT-SWAP").unwrap();
        let event = Event::directory(VenueNumber(7), symbol, 9, 3);
        assert_eq!(event.listing(), Some((symbol, 9, 3)));
        assert_eq!(Event { px: Px(-1), ..event }.listing(), None);
        assert_eq!(Event { px: Px(65_536), ..event }.listing(), None);
        let event = Event::integrity(VenueNumber(0), Integrity::Recovering, Cause::Checksum);
        assert_eq!(event.believed(), Some((Integrity::Recovering, Cause::Checksum)));
        assert_eq!(Event { aux: 0, ..event }.believed(), None);
        assert_eq!(Event { aux: 1 << 16, ..event }.believed(), None);
    }

    /// Goal: an event survives its words, and undefined codes are refused. Method: every kind; each bad byte.
    #[test]
    fn words_read_back() {
        for kind in Kind::ALL {
            let event = Event {
                ts_venue: Ts(1),
                ts_recv: Ts(2),
                seq: 3,
                order: OrderRef(4),
                px: Px(-5),
                qty: Qty(6),
                aux: 7,
                number: VenueNumber(0xA1B2_C3D4),
                kind: *kind,
                side: Some(Side::Sell),
                flags: Flags::LINE_B.with(Flags::SNAPSHOT),
                feed: FeedId(9),
            };
            assert_eq!(Event::from_words(&event.to_words()), Ok(event));
        }
        let good = Event::empty(Kind::Add).to_words();
        for byte in [4, 5, 6] {
            let mut bad = good;
            bad[7] |= 0xFF << (8 * byte);
            assert_eq!(Event::from_words(&bad), Err(BadWord(7)), "byte {byte}");
        }
    }
}
