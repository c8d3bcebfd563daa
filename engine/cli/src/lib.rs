//! What the programs that run an engine share: `tickgate`, a follower that is promoted, and the measurement of latency.
#![forbid(unsafe_code)]

pub mod captured;
pub mod exit;
pub mod quiet;
pub mod streams;
pub mod summary;
