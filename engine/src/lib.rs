//! The deterministic core, and the threads around it.
//!
//! Flow of a tick: [`feeds`] → ring → [`step`]: [`book`] → [`indicator`] → [`strategy`] → gate ([`risk`]) → [`paper`] →
//! [`output`] → shared memory. Flow of an order: desk → [`step`] → gate → [`journal`] → venue → report → positions.
//!
//! Must never, inside the step: read a clock, do I/O, allocate after start, lock, depend on hash order, use a float. The
//! same inputs give the same [`hash`], live, in a replay and in a backtest.
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

pub mod approvals;
pub mod audit;
pub mod baskets;
pub mod book;
pub mod budget;
pub mod config;
mod deadlines;
mod executions;
pub mod feed_books;
pub mod gateway;
pub mod hash;
mod heaps;
pub mod indicator;
pub mod instruments;
pub mod journal;
pub mod latches;
pub mod level_book;
pub mod orders;
pub mod output;
pub mod paper;
pub mod replay;
pub mod rules;
pub mod runtime;
pub mod script;
pub mod sequencer;
pub mod snapshot;
pub mod step;
pub mod strategy;
pub mod treasury;
pub mod warmup;
