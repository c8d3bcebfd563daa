//! Venues over WebSocket: one machine for all of them, without I/O.
//!
//! ```text
//!            open, subscribe            snapshot           first delta that fits
//! (closed) ──────────────► Buffering ────────────► Bridging ────────────► Live
//!     ▲                        ▲ ▲                    │                    │
//!     └────── close ───────────┘ └──── gap, checksum, doubt ◄──────────────┘
//! ```
//!
//! A [`Venue`] reads texts and knows its rules; [`StreamFeed`] keeps the phase of every book, says what is wrong before it
//! says anything else, and asks the transport for what it needs by [`Action`]s. Time is told to it. The same machine plays
//! captures ([`StreamFeed::on_line`]).
//!
//! To add a venue: a folder beside this file with its `Venue`, and a line in `stream/any.rs`; the smallest to copy is Bybit's.

mod any;
mod config;
mod crc32;
mod feed;
mod message;
mod mirror;
mod retry;
mod rfc3339;
mod venue;

pub use any::{WithFeed, with_feed};
pub use config::{ConfigError, SYMBOLS_MAX, StreamConfig, StreamSymbol, Symbols};
pub use crc32::Crc32;
pub use feed::{Action, BODY_MAX, HttpFailure, Phase, StreamCounters, StreamFeed, TEXT_MAX};
pub use message::{
    BookHead, BookKind, Message, ORDERS_MAX, OrderChange, ParseError, Parsed, TRADES_MAX, Ticker,
    Trade,
};
pub use mirror::{Full, Ladder, Mirror};
pub use rfc3339::rfc3339;
pub use venue::{Judgement, Mismatch, Position, Rules, SECOND, SnapshotBy, Venue};
