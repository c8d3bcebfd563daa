//! What a venue does to orders, decided by a seed.

use std::fmt;
use std::str::FromStr;

use crate::faults::parse::{nanoseconds, per_mille};

/// What happens to orders and connections. The default: nothing.
///
/// As text: `seed=7,trade=100,cross=500,lock=200,refuse=20,cancel=5,update=5,break=1,keep=5,delay=2ms,drop=500`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The same seed makes the same faults.
    pub seed: u64,
    /// Milliseconds of a thousand in which an order trades.
    pub trade_per_mille: u16,
    /// There is a cross each so many milliseconds on average, the opening or the closing one; zero: never.
    pub cross_ms: u64,
    /// Post-only orders and replacements of a thousand that would have traded on arrival.
    pub lock_per_mille: u16,
    /// Orders and replacements of a thousand that are refused.
    pub refuse_per_mille: u16,
    /// Milliseconds of a thousand in which an order loses shares, or all, without being asked to.
    pub cancel_per_mille: u16,
    /// Milliseconds of a thousand in which an order is told of another place in the queue, or another displayed price.
    pub update_per_mille: u16,
    /// Milliseconds of a thousand in which a trade is taken back.
    pub break_per_mille: u16,
    /// Cancels of a thousand that are refused.
    pub keep_per_mille: u16,
    /// An answer is late by up to so many nanoseconds. The order stays.
    pub delay_ns: u64,
    /// Connections are dropped each so many milliseconds on average; zero: never.
    pub drop_ms: u64,
}

impl Faults {
    /// Nothing goes wrong, and nothing trades.
    pub const NONE: Faults = Faults {
        seed: 1,
        trade_per_mille: 0,
        cross_ms: 0,
        lock_per_mille: 0,
        refuse_per_mille: 0,
        cancel_per_mille: 0,
        update_per_mille: 0,
        break_per_mille: 0,
        keep_per_mille: 0,
        delay_ns: 0,
        drop_ms: 0,
    };
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::NONE
    }
}

/// Text that tells no faults: the part that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFaults(pub String);

impl fmt::Display for BadFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadFaults(part) = self;
        write!(
            f,
            "`{part}`: wanted name=value, names: seed (a number); trade, cancel, update, break (of a \
             thousand milliseconds); refuse, keep, lock (of a thousand requests); delay (like 2ms); \
             cross, drop (milliseconds)"
        )
    }
}

impl std::error::Error for BadFaults {}

impl FromStr for Faults {
    type Err = BadFaults;

    /// Reads `name=value` pairs with commas between them; an empty text is [`Faults::NONE`].
    fn from_str(text: &str) -> Result<Faults, BadFaults> {
        let mut faults = Faults::NONE;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            set(&mut faults, part).ok_or_else(|| BadFaults(part.to_owned()))?;
        }
        Ok(faults)
    }
}

fn set(faults: &mut Faults, part: &str) -> Option<()> {
    let (name, value) = part.split_once('=')?;
    match name {
        "seed" => faults.seed = value.parse().ok()?,
        "trade" => faults.trade_per_mille = per_mille(value)?,
        "cross" => faults.cross_ms = value.parse().ok()?,
        "lock" => faults.lock_per_mille = per_mille(value)?,
        "refuse" => faults.refuse_per_mille = per_mille(value)?,
        "cancel" => faults.cancel_per_mille = per_mille(value)?,
        "update" => faults.update_per_mille = per_mille(value)?,
        "break" => faults.break_per_mille = per_mille(value)?,
        "keep" => faults.keep_per_mille = per_mille(value)?,
        "delay" => faults.delay_ns = nanoseconds(value)?,
        "drop" => faults.drop_ms = value.parse().ok()?,
        _ => return None,
    }
    Some(())
}
