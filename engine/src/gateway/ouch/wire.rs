//! The messages of OUCH 5.0 as bytes: Nasdaq "OUCH 5.0 Order Entry Specification" (edition of October 2025; `OUCH.md` is the
//! digest, with what other editions have). Numbers are big-endian, texts left-justified and padded with spaces, prices have
//! four decimals, times are nanoseconds since midnight.

use super::extras::Extras;
use super::id::Name;

/// Decimals of a price.
pub(super) const PX_DECIMALS: u32 = 4;
/// Largest quantity of an order.
pub const QTY_MAX: u32 = 999_999;
/// Largest price of an order, four decimals: 199,999.99.
pub const PX_MAX: u64 = 1_999_999_900;

/// Why a message of the venue cannot be read. Offsets are bytes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A message of no bytes.
    #[error("offset 0: an empty message")]
    Empty,
    /// A type that the specification does not have.
    #[error("offset 0: unknown message type 0x{0:02X}")]
    Unknown(u8),
    /// It ends in the middle of its fixed part.
    #[error("offset {got}: message '{}' is cut short, its fixed part has {need} bytes", char::from(*kind))]
    Short {
        /// The type.
        kind: u8,
        /// Bytes of the fixed part.
        need: u16,
        /// Bytes of the message.
        got: u16,
    },
    /// What follows the fixed part is no list of options.
    #[error("offset {offset}: message '{}' with broken options", char::from(*kind))]
    Options {
        /// The type.
        kind: u8,
        /// Where.
        offset: u16,
    },
    /// A field with a value that the specification does not have.
    #[error("offset {offset}: message '{}' with an illegal field", char::from(*kind))]
    Field {
        /// The type.
        kind: u8,
        /// Where.
        offset: u16,
    },
}

/// The terms of an order as the venue took them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether it buys.
    pub buys: bool,
    /// Whether it is marked as a short sale, exempt or not.
    pub is_short: bool,
    /// Accepted: all shares. Replaced: shares that are outstanding.
    pub qty: u32,
    /// Symbol.
    pub symbol: [u8; 8],
    /// Limit, four decimals.
    pub px: u64,
    /// The venue's number of the order.
    pub order_ref: u64,
    /// Cross, as in [`super::frame::Enter`].
    pub cross: u8,
    /// Whether it works; else it was dead on arrival.
    pub is_live: bool,
    /// Our name of the order.
    pub name: Name,
    /// What the venue says beyond that.
    pub extras: Extras,
}

/// What the venue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `S`: the day begins (`S`) or ends (`E`).
    System {
        /// Nanoseconds since midnight.
        time: u64,
        /// The event.
        event: u8,
    },
    /// `A`: an order was taken.
    Accepted {
        /// Its UserRefNum.
        refnum: u32,
        /// Its terms.
        taken: Taken,
    },
    /// `U`: an order has new terms, under a new UserRefNum.
    Replaced {
        /// The UserRefNum before.
        old: u32,
        /// The one from here on.
        refnum: u32,
        /// Its terms.
        taken: Taken,
    },
    /// `C`, `D`: shares were taken off an order.
    Canceled {
        /// Its UserRefNum.
        refnum: u32,
        /// How many.
        qty: u32,
        /// Why.
        reason: u8,
    },
    /// `E`: a trade.
    Executed {
        /// The UserRefNum.
        refnum: u32,
        /// Shares.
        qty: u32,
        /// Price, four decimals.
        px: u64,
        /// The venue's number of the trade.
        match_number: u64,
    },
    /// `B`: a trade did not happen after all.
    Broken {
        /// The UserRefNum.
        refnum: u32,
        /// The venue's number of the trade.
        match_number: u64,
        /// Why.
        reason: u8,
    },
    /// `J`: an order, or a replacement of one, was refused.
    Rejected {
        /// The UserRefNum of what was refused.
        refnum: u32,
        /// Why.
        reason: u16,
        /// Our name of it.
        name: Name,
    },
    /// `P`: a cancel will be done as soon as it may be.
    CancelPending {
        /// The UserRefNum.
        refnum: u32,
    },
    /// `I`: a cancel cannot be done.
    CancelReject {
        /// The UserRefNum.
        refnum: u32,
    },
    /// `M`: so many shares are outstanding.
    Modified {
        /// The UserRefNum.
        refnum: u32,
        /// How many.
        qty: u32,
    },
    /// `T`: the order has another place in the queue, or is displayed otherwise. Its limit is what it was.
    Priority {
        /// The UserRefNum.
        refnum: u32,
    },
    /// `R`: what is displayed is another part, at the end of the queue (`R`), or has another price (`P`). The limit and what
    /// is outstanding are what they were.
    Restated {
        /// The UserRefNum.
        refnum: u32,
        /// Why.
        reason: u8,
        /// Shares that are displayed now, if the venue says so.
        shown: Option<u32>,
    },
    /// `X`, `G`, `K`: an answer to what this gateway never asks.
    Other {
        /// The type.
        kind: u8,
    },
    /// `Q`: everything that was sent before the query is dealt with.
    Account {
        /// The lowest UserRefNum that may be used next.
        next: u32,
    },
}

impl Message {
    /// The UserRefNum that the venue has seen, if it names one.
    pub fn refnum(&self) -> Option<u32> {
        match *self {
            Message::System { .. } | Message::Other { .. } | Message::Account { .. } => None,
            Message::Accepted { refnum, .. }
            | Message::Replaced { refnum, .. }
            | Message::Canceled { refnum, .. }
            | Message::Executed { refnum, .. }
            | Message::Broken { refnum, .. }
            | Message::Rejected { refnum, .. }
            | Message::CancelPending { refnum }
            | Message::CancelReject { refnum }
            | Message::Modified { refnum, .. }
            | Message::Priority { refnum }
            | Message::Restated { refnum, .. } => Some(refnum),
        }
    }
}

/// Bytes of the fixed part, type included; zero: there is no such message.
const fn fixed(kind: u8) -> usize {
    match kind {
        b'S' => 10,
        b'A' => 62,
        b'U' => 66,
        b'C' => 18,
        b'D' => 31, // 32 since it says the strategy, which nobody reads here.
        b'E' => 34,
        b'B' => 36,
        b'J' => 29,
        b'P' | b'I' => 13,
        b'T' => 30,
        b'M' => 18,
        b'R' => 14,
        b'X' => 25,
        b'G' | b'K' => 17,
        b'Q' => 13,
        _ => 0,
    }
}

/// Time of a message, nanoseconds since midnight.
pub fn time(bytes: &[u8]) -> Option<u64> {
    bytes.get(1..9).and_then(<[u8]>::as_array).map(|time| u64::from_be_bytes(*time))
}

/// Reads one message of the venue.
///
/// # Errors
///
/// [`WireError`]; nothing of the message is to be believed then.
pub fn decode(bytes: &[u8]) -> Result<Message, WireError> {
    let &kind = bytes.first().ok_or(WireError::Empty)?;
    let need = fixed(kind);
    if need == 0 {
        return Err(WireError::Unknown(kind));
    }
    let short = WireError::Short { kind, need: need as u16, got: bytes.len().min(0xFFFF) as u16 };
    let (body, rest) = bytes.split_at_checked(need).ok_or(short)?;
    let mut from = Fields { kind, body, at: 1 };
    let time = from.u64()?;
    let message = match kind {
        b'S' => return Ok(Message::System { time, event: from.u8()? }),
        b'A' => Message::Accepted { refnum: from.u32()?, taken: from.taken()? },
        b'U' => {
            let (old, refnum) = (from.u32()?, from.u32()?);
            Message::Replaced { old, refnum, taken: from.taken()? }
        }
        b'C' | b'D' => {
            let (refnum, qty, reason) = (from.u32()?, from.u32()?, from.u8()?);
            Message::Canceled { refnum, qty, reason }
        }
        b'E' => {
            let (refnum, qty, px) = (from.u32()?, from.u32()?, from.u64()?);
            from.skip(1)?; // Whether it added or took liquidity.
            Message::Executed { refnum, qty, px, match_number: from.u64()? }
        }
        b'B' => {
            let (refnum, match_number) = (from.u32()?, from.u64()?);
            Message::Broken { refnum, match_number, reason: from.u8()? }
        }
        b'J' => {
            let (refnum, reason) = (from.u32()?, from.u16()?);
            Message::Rejected { refnum, reason, name: Name(from.take()?) }
        }
        b'P' => Message::CancelPending { refnum: from.u32()? },
        b'I' => Message::CancelReject { refnum: from.u32()? },
        b'T' => Message::Priority { refnum: from.u32()? },
        b'R' => {
            let (refnum, reason) = (from.u32()?, from.u8()?);
            Message::Restated { refnum, reason, shown: None }
        }
        b'M' => {
            let refnum = from.u32()?;
            from.side()?;
            Message::Modified { refnum, qty: from.u32()? }
        }
        b'Q' => Message::Account { next: from.u32()? },
        _ => Message::Other { kind },
    };
    let broken = |at: usize| {
        let offset = (bytes.len() - rest.len()).saturating_add(at).min(0xFFFF) as u16;
        WireError::Options { kind, offset }
    };
    let extras = match kind {
        // They begin a byte later in one edition than in the other.
        b'D' => Extras::read(rest).or_else(|_| {
            Extras::read(rest.get(1..).unwrap_or_default()).map_err(|at| at.saturating_add(1))
        }),
        _ => Extras::read(rest),
    };
    let extras = extras.map_err(broken)?;
    Ok(match message {
        Message::Accepted { refnum, taken } => {
            Message::Accepted { refnum, taken: Taken { extras, ..taken } }
        }
        Message::Replaced { old, refnum, taken } => {
            Message::Replaced { old, refnum, taken: Taken { extras, ..taken } }
        }
        Message::Restated { refnum, reason, .. } => {
            Message::Restated { refnum, reason, shown: extras.display_qty }
        }
        other => other,
    })
}

/// The fields of a fixed part, in order.
struct Fields<'a> {
    kind: u8,
    body: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let field = self.body.get(self.at..).and_then(<[u8]>::first_chunk::<N>).copied();
        let field = field.ok_or(self.illegal())?;
        self.at += N;
        Ok(field)
    }

    fn illegal(&self) -> WireError {
        WireError::Field { kind: self.kind, offset: self.at.min(0xFFFF) as u16 }
    }

    fn skip(&mut self, bytes: usize) -> Result<(), WireError> {
        self.at += bytes;
        if self.at <= self.body.len() { Ok(()) } else { Err(self.illegal()) }
    }

    fn u8(&mut self) -> Result<u8, WireError> {
        self.take().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, WireError> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, WireError> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, WireError> {
        self.take().map(u64::from_be_bytes)
    }

    /// Whether it buys, `B`, and whether it sells short, `T` or exempt `E`; neither: `S`.
    fn side(&mut self) -> Result<(bool, bool), WireError> {
        let illegal = self.illegal();
        match self.u8()? {
            b'B' => Ok((true, false)),
            b'S' => Ok((false, false)),
            b'T' | b'E' => Ok((false, true)),
            _ => Err(illegal),
        }
    }

    /// From the side to our name, as Accepted and Replaced have it.
    fn taken(&mut self) -> Result<Taken, WireError> {
        let (buys, is_short) = self.side()?;
        let (qty, symbol, px) = (self.u32()?, self.take()?, self.u64()?);
        self.skip(2)?; // Time in force, display.
        let order_ref = self.u64()?;
        self.skip(2)?; // Capacity, intermarket sweep.
        let cross = self.u8()?;
        let illegal = self.illegal();
        let is_live = match self.u8()? {
            b'L' => true,
            b'D' => false,
            _ => return Err(illegal),
        };
        let name = Name(self.take()?);
        let extras = Extras::default();
        Ok(Taken { buys, is_short, qty, symbol, px, order_ref, cross, is_live, name, extras })
    }
}

#[cfg(test)]
mod tests;
