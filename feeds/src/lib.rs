//! A venue's bytes become events: where bytes come from ([`source`]), what their order is ([`session`], [`stream`]), what a
//! message means (a decoder, such as [`nasdaq::itch::Decoder`]).
//!
//! ```text
//! source ──► session (datagrams, connections: sequencing) ──► decoder ──► Event
//!       └──► stream (texts over WebSocket: levels and orders of books) ──► Event
//! ```
//! Flow: a source yields frames, packets or lines, borrowed from its buffer; sockets are the engine's and the transport's
//! (`feeds/ws`). A session makes one sequence of messages of them, and its venue's decoder an [`model::Event`], a plain copy, of
//! each. A [`stream::Venue`] reads the texts of its venue; [`stream::StreamFeed`] keeps the state of every book and says the
//! events. [`capture`] plays recorded bytes through the same.
//!
//! Must never: keep a book (but for the copy that a venue's checksum or depth rule needs), read a clock, do I/O in a decoder, or
//! invent what the venue did not say. A message that cannot be decoded leaves a hole in [`model::Event::seq`], so that the book
//! behind it is known to be incomplete.
//!
//! How to add a venue: (1) write `<venue>/<SPEC>.md`, the digest of its specification. (2) Write the decoder beside it, bytes to
//! [`model::Event`] and nothing else; for texts over WebSocket a [`stream::Venue`] instead: the smallest to copy is Bybit's.
//! (3) Add its `mod` line to the list of venues below, and a variant to [`Venue`] in `venue.rs`: from there on the compiler
//! names what is missing, but for [`Venue::ALL`] and what that file asks of a variant (lines, connections or streams; orders or
//! levels). (4) Join them: over WebSocket by a line in `stream/any.rs`; else in `capture.rs`, which tells formats apart, in
//! `capture/packets.rs` for datagrams, and in the engine's `runtime/lines.rs` if it is heard live. (5) Test it against vectors
//! packed by an independent program from that specification, and against a capture.
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
mod shard;
pub mod sink;
pub mod source;
pub mod stream;
mod venue;

pub use arrival::Arrival;
pub use date::{BadDate, Date, new_york_midnight};
pub use feed::{BadMessage, Counters, FeedCause, FeedError, FeedOptions, FileFeed, Input, Next};
pub use merge::{Merge, MergeError};
pub use shard::{SHARDS_MAX, Shard, ShardFilter};
pub use venue::Venue;
