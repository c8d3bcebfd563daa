//! What a venue said, in one cache line, whatever the venue.

use crate::id::{FeedId, OrderRef, VenueNumber};
use crate::num::{Px, Qty, Ts};
use crate::order::Side;
use crate::state::codes;
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
        /// Every resting order of the feed is void (new trading day, or before a snapshot).
        Clear = 16 => "clear",
        /// Short-sale restriction of an instrument; `aux` 1 restricted, 0 not.
        ShortSale = 17 => "short_sale",
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
/// | Directory | – | price decimals | round lot | symbol, 8 characters | – |
/// | State, VenueHalt, MarketHalt, Session, ShortSale, Notice | – | – | – | code | – |
/// | Add | reference | limit | open | – | side |
/// | Execute | reference | – | executed | match number | – |
/// | ExecuteAt | reference | trade price | executed | match number | – |
/// | Reduce | reference | – | removed | – | – |
/// | Delete | reference | – | – | – | – |
/// | Replace | old reference | new limit | new open | new reference | – |
/// | Trade, Cross | – | price | quantity | match number | of the resting order, if told |
/// | Broken | – | – | – | match number | – |
/// | Clear | – | – | – | – | – |
///
/// Fields that a kind does not use are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// Venue time.
    pub ts_venue: Ts,
    /// Receive time; in a replay the recorded one, else the venue's.
    pub ts_recv: Ts,
    /// Sequence in the feed, from 1. In a file: the number of the message.
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
