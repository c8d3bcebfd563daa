//! A venue's bytes become events: [`Source`](source) (where bytes come from),
//! [`Decoder`](nasdaq::itch::Decoder) (what a message means) and the feed that joins them.
//!
//! Flow: source → frame → decoder → [`model::Event`]. A feed owns its buffers from the start on; a frame is
//! borrowed from the source's buffer and an event is a plain copy.
//!
//! Must never: keep a book, read a clock, do I/O in a decoder, or invent what the venue did not say. A
//! message that cannot be decoded leaves a hole in [`model::Event::seq`], so that the book behind it is
//! known to be incomplete.
//!
//! How to add a venue: (1) write `<venue>/<SPEC>.md`, the digest of its specification; (2) write the
//! decoder beside it, bytes to [`model::Event`] and nothing else; (3) test it against vectors packed by an
//! independent program from that specification, and against a capture; (4) add its `mod` line to the list
//! of venues below.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

// The venues.
pub mod binance;
pub mod bybit;
pub mod coinbase;
pub mod databento;
pub mod iex;
pub mod kraken;
pub mod nasdaq;
pub mod okx;

mod arrival;
mod back_off;
pub mod capture;
mod date;
mod feed;
pub mod json;
mod merge;
pub mod session;
pub mod sink;
pub mod source;
pub mod stream;
mod venue;

pub use arrival::Arrival;
pub use date::{BadDate, Date, new_york_midnight};
pub use feed::{BadMessage, Counters, FeedCause, FeedError, FeedOptions, FileFeed, Input, Next};
pub use merge::{Merge, MergeError};
pub use venue::Venue;
