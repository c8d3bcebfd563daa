//! A seeded generator of a realistic Nasdaq day: TotalView-ITCH 5.0 messages in BinaryFILE framing, to any
//! size.
//!
//! Flow: a [`Config`] makes a [`Day`]; the day is an iterator of messages, or writes itself framed with
//! [`Day::write_to`]. [`sample`] is the short day that the demo plays, [`Config::FULL`] one of a venue's own size.
//!
//! Must never: use a float, a clock or another source of randomness than the seed (the same seed gives the
//! same bytes on every machine), hold more than the live orders and the agenda of the day, or cross a book
//! while it trades.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod book;
mod day;
mod rng;

pub use day::{Day, Summary};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The hours of a day, in nanoseconds since midnight, each later than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Start of messages; the directory follows at once.
    pub messages: u64,
    /// Start of system hours: orders are taken.
    pub system: u64,
    /// Start of market hours, with the opening crosses.
    pub open: u64,
    /// End of market hours, with the closing crosses.
    pub close: u64,
    /// End of system hours.
    pub system_end: u64,
    /// End of messages.
    pub messages_end: u64,
}

impl Hours {
    /// Those of Nasdaq.
    pub const NASDAQ: Hours = Hours {
        messages: 3 * 3600 * SECOND,
        system: 4 * 3600 * SECOND,
        open: (9 * 60 + 30) * 60 * SECOND,
        close: 16 * 3600 * SECOND,
        system_end: 20 * 3600 * SECOND,
        messages_end: (20 * 60 + 5) * 60 * SECOND,
    };

    /// A day of eleven minutes around 09:30, for a demonstration at its own pace.
    pub const SHORT: Hours = Hours {
        messages: Hours::NASDAQ.open - 5 * SECOND,
        system: Hours::NASDAQ.open - 4 * SECOND,
        open: Hours::NASDAQ.open,
        close: Hours::NASDAQ.open + 640 * SECOND,
        system_end: Hours::NASDAQ.open + 655 * SECOND,
        messages_end: Hours::NASDAQ.open + 656 * SECOND,
    };
}

/// How the symbols are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// As exchanges do: AAAA, AAAB …
    Tickers,
    /// As nobody does, so that no one takes them for real: SYN001, SYN002 …
    Labelled,
}

/// What day to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The same seed makes the same day.
    pub seed: u64,
    /// Symbols, 1 to 60,000, those that are listed during the day included.
    pub symbols: u16,
    /// About how many messages; a day has at least its directory, its crosses and its halts.
    pub messages: u64,
    /// When what happens.
    pub hours: Hours,
    /// How the symbols are called.
    pub naming: Naming,
    /// About how many orders rest at the busiest moment, shared out as the activity is; at least 30 a symbol. `None`: one for
    /// each forty messages, 200,000 at most.
    pub live_orders: Option<u64>,
    /// How far one order reference is from the next on average, 1 to 1,000: a venue numbers more than it shows.
    pub reference_step: u64,
}

impl Config {
    /// Most symbols of a day.
    pub const SYMBOLS_MAX: u16 = 60_000;

    /// A day of full size: 120 million messages of 10,000 symbols, more than 1.5 million orders at its busiest moment,
    /// references beyond 500 million.
    pub const FULL: Config = Config {
        seed: 1,
        symbols: 10_000,
        messages: 120_000_000,
        hours: Hours::NASDAQ,
        naming: Naming::Tickers,
        live_orders: Some(2_000_000),
        reference_step: 16,
    };

    /// The day that the demo plays.
    pub const SAMPLE: Config = Config {
        seed: 1,
        symbols: 50,
        messages: 900_000,
        hours: Hours::SHORT,
        naming: Naming::Labelled,
        live_orders: None,
        reference_step: 4,
    };
}

/// The built-in sample: eleven minutes, 50 symbols SYN001 to SYN050, about 1,400 messages a second, framed
/// and with its end marker. Played again it is a new day.
pub fn sample() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(Config::SAMPLE.messages as usize * 34);
    // Writing to memory cannot fail.
    let _ = Day::new(Config::SAMPLE).write_to(&mut bytes);
    bytes
}
