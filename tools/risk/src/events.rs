//! What the files say: limits, and events with the verdict and the books that must follow.

use serde::Deserialize;

/// The limits file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    pub limits: Limits,
    pub bits: Bits,
}

/// Limits of one account, the same in every symbol. Prices and quantities are whole numbers, money their
/// product.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Largest quantity of one order.
    pub max_qty: i64,
    /// Largest price · quantity of one order.
    pub max_ntl: i64,
    /// Widths of the collar around the mid; an order outside both is refused.
    pub collar_bps: u32,
    pub collar_ticks: i64,
    /// Largest worst-case position on either side.
    pub pos: i64,
    /// Largest worst-case gross exposure.
    pub gross: i64,
    /// Most open orders.
    pub open: u32,
    /// Most requests within a window, and its length in nanoseconds.
    pub rate_n: u32,
    pub rate_w: u64,
    /// Most new orders of the same terms within a window, and its length in nanoseconds.
    pub dup_n: u8,
    pub dup_w: u64,
    /// Most that a session may trade, with what is open.
    pub day_gross: i64,
    /// Cash at the start.
    pub cash: i64,
    /// Fee on every fill in basis points, rounded up to one.
    pub fee_bps: i64,
    /// Most that a session may lose.
    pub loss: i64,
    /// Price step and lot.
    pub tick: i64,
    pub lot: i64,
}

/// The bit of each reason in `verdict`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Bits {
    pub tick_lot: u8,
    pub clip: u8,
    pub notional: u8,
    pub collar: u8,
    pub no_ref: u8,
    pub position: u8,
    pub gross: u8,
    pub open_orders: u8,
    pub rate: u8,
    pub dup_id: u8,
    pub dup_econ: u8,
    pub day_gross: u8,
    pub cash: u8,
    pub self_trade: u8,
    pub halted: u8,
    pub loss: u8,
    pub stale: u8,
}

/// One line of the events.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// Nanoseconds.
    pub ts: u64,
    /// First 16 hexadecimal digits of the digest of the books.
    pub digest: String,
    #[serde(flatten)]
    pub event: Event,
}

/// What happens; `side` is 1 or −1.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Event {
    /// Twice the new mid of a symbol; zero: none.
    Md { sym: usize, mid2: i64 },
    /// A session begins.
    Roll,
    /// A symbol is halted or released.
    Halt { sym: usize, on: u8 },
    /// A new order, and what must be said to it.
    New { id: u64, sym: usize, side: i8, q: i64, px: i64, verdict: u64 },
    /// A part of an order trades.
    Fill { id: u64, q: i64, px: i64 },
    /// An order is cancelled.
    CxlAck { id: u64 },
    /// New terms of an order under another id, and what must be said to them.
    Replace { id: u64, new_id: u64, q: i64, px: i64, verdict: u64 },
    /// The venue took them.
    ReplaceAck { id: u64 },
    /// The venue refused them.
    ReplaceRej { id: u64 },
}
