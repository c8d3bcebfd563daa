//! What the benches share: the day that they play, and how a stage is timed against its bound.
//!
//! Flow: [`Stream::day`] makes a synthetic day in memory; a bench plays it, or messages picked from it, through the
//! real parts of one stage; [`compare`] alternates that with a bound that no such stage can beat, and prints the
//! ratio of the medians beside Criterion's own figures. A stage that keeps books is held to the right digest
//! ([`check_digest`]): a figure of a wrong book is no figure.
//!
//! Must never: stand in for a part with a mock, compare figures of two runs, or time what it takes to set up.
//!
//! Figures do not carry from one machine to another, nor from one run to the next; ratios nearly do.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod apart;
mod compare;
pub mod depth;
mod digest;
pub mod floor;
mod levels;
mod naive;
mod play;
mod stage;
mod stream;

pub use compare::{Round, compare, compare_few, criterion, on_cpu};
pub use digest::{check_digest, digest, digest_over};
pub use levels::{LevelStream, MapBook};
pub use naive::NaiveBooks;
pub use play::{FEW, apply, apply_bytes, apply_one, read_best};
pub use stage::{Shared, replaying, sequencer, standing};
pub use stream::{AHEAD_BYTES, DECODER, Stream, frames, frames_without_ahead, order_fields, walk};

/// Symbols of the day; their venue numbers are 1 to this.
pub const SYMBOLS: u16 = 50;

/// Events that the engine thread takes from its ring in one round.
pub const EVENTS_PER_ROUND: usize = 64;
