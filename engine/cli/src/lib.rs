//! What the programs that run an engine share: `tickgate`, and a follower that is promoted.
#![forbid(unsafe_code)]

pub mod exit;
pub mod quiet;
pub mod streams;
pub mod summary;
