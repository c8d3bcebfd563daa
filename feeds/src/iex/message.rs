//! The messages of DEEP 1.0 and TOPS 1.6 that a book or the gate needs. Messages grow without notice: the known front is
//! read, whatever follows is left.

/// The types that DEEP and TOPS have, in the order of [`IexCounters::types`](super::IexCounters::types).
pub const TYPES: [u8; 14] = *b"SDHIOPE85TXBAQ";

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `S` System Event: O, S, R, M, E, C as in ITCH.
    System {
        /// Its code.
        event: u8,
    },
    /// `D` Security Directory.
    Directory {
        /// Shares of a round lot.
        round_lot: u32,
    },
    /// `H` Trading Status: H halted, O order acceptance, P paused, T trading.
    Status {
        /// Its code.
        status: u8,
    },
    /// `O` Operational Halt: O halted on IEX alone, N not.
    Halt {
        /// Its code.
        status: u8,
    },
    /// `P` Short Sale Price Test: 1 in effect, 0 not.
    ShortSale {
        /// Its code.
        status: u8,
    },
    /// `8` and `5` Price Level Update: the buy or the sell level of a price has a new total.
    Level {
        /// Whether it is a buy level.
        is_buy: bool,
        /// Bit 0: the book is consistent again.
        flags: u8,
        /// New total; zero: the level is gone.
        size: u32,
        /// Price, 1e-4.
        px: i64,
    },
    /// `Q` Quote Update (TOPS): best bid and ask. Zero size: none.
    Quote {
        /// Best bid: price, 1e-4, and size.
        bid: (i64, u32),
        /// Best ask.
        ask: (i64, u32),
    },
    /// `T` Trade Report.
    Trade {
        /// Sale conditions: see [`CROSS`].
        conditions: u8,
        /// Shares.
        size: u32,
        /// Price, 1e-4.
        px: i64,
        /// Number of the trade, unique in the day.
        id: u64,
    },
    /// `B` Trade Break.
    Break {
        /// Number of the trade that is void.
        id: u64,
    },
    /// A type that no book needs: retail interest, security events, official prices, auctions.
    Other,
}

/// Sale condition, bit 3: a single-price cross, an auction's print.
pub const CROSS: u8 = 0x08;

/// The front that every message has, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Type byte.
    pub kind: u8,
    /// Nanoseconds since the UNIX epoch.
    pub ts_ns: u64,
    /// Symbol, padded with spaces; spaces alone where the message is about no security.
    pub symbol: [u8; 8],
    /// What it says.
    pub message: Message,
}

/// Why a message could not be decoded. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Fewer bytes than its type has.
    #[error("message 0x{kind:02X} of {got} bytes, has at least {need}")]
    Short {
        /// Type byte; zero if there is none.
        kind: u8,
        /// Bytes by the specification.
        need: u8,
        /// Bytes there.
        got: u16,
    },
    /// A price or time that is no positive number.
    #[error("message 0x{kind:02X}: illegal value")]
    Value {
        /// Type byte.
        kind: u8,
    },
    /// A type that neither protocol has: to be skipped by its length.
    #[error("unknown message type 0x{kind:02X}")]
    Unknown {
        /// Type byte.
        kind: u8,
    },
}

/// Decodes one message.
///
/// # Errors
///
/// [`MessageError`]; nothing is kept.
pub fn decode(bytes: &[u8]) -> Result<Decoded, MessageError> {
    let kind = bytes.first().copied().unwrap_or(0);
    let need = match kind {
        b'S' => 10,
        b'D' => 31,
        b'H' => 22,
        b'I' | b'O' | b'E' => 18,
        b'P' => 19,
        b'8' | b'5' => 30,
        b'T' | b'B' => 38,
        b'X' => 26,
        b'Q' => 42,
        b'A' => 80,
        _ => return Err(MessageError::Unknown { kind }),
    };
    if bytes.len() < usize::from(need) {
        return Err(MessageError::Short { kind, need, got: bytes.len().min(0xFFFF) as u16 });
    }
    let code = bytes.get(1).copied().unwrap_or(0);
    let message = match kind {
        b'S' => Message::System { event: code },
        b'D' => Message::Directory { round_lot: u32_at(bytes, 18) },
        b'H' => Message::Status { status: code },
        b'O' => Message::Halt { status: code },
        b'P' => Message::ShortSale { status: code },
        b'8' | b'5' => Message::Level {
            is_buy: kind == b'8',
            flags: code,
            size: u32_at(bytes, 18),
            px: px_at(bytes, 22, kind)?,
        },
        b'T' => Message::Trade {
            conditions: code,
            size: u32_at(bytes, 18),
            px: px_at(bytes, 22, kind)?,
            id: u64_at(bytes, 30),
        },
        b'B' => Message::Break { id: u64_at(bytes, 30) },
        b'Q' => Message::Quote {
            bid: (u64_at(bytes, 22).cast_signed(), u32_at(bytes, 18)),
            ask: (u64_at(bytes, 30).cast_signed(), u32_at(bytes, 38)),
        },
        _ => Message::Other,
    };
    let symbol = if kind == b'S' { [b' '; 8] } else { u64_at(bytes, 10).to_le_bytes() };
    Ok(Decoded { kind, ts_ns: u64_at(bytes, 2), symbol, message })
}

fn px_at(bytes: &[u8], at: usize, kind: u8) -> Result<i64, MessageError> {
    let px = u64_at(bytes, at).cast_signed();
    if px > 0 { Ok(px) } else { Err(MessageError::Value { kind }) }
}

/// Zero beyond the end, where the length check has seen to it that nothing is read.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |field| u32::from_le_bytes(*field))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |field| u64::from_le_bytes(*field))
}
