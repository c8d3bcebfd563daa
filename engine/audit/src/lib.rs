//! The audit log: who asked for what, what the gate said, what became of it; in a form in which nothing can be changed,
//! taken out, put in or cut off without a trace. The format is in `AUDIT.md` beside this crate.
//!
//! Flow: [`AuditRecord`] → [`Writer`] makes a frame of it, whose hash takes in the hash before, and every so often
//! signs a
//! [`Checkpoint`] of all so far, which a second file keeps too → [`verify`] reads everything again and names the first
//! bad record; [`prove`] shows that one record stands in a log to somebody who has no more than a checkpoint.
//!
//! Must never: panic on a byte of a file, hold more of a log in memory than a frame, a few hashes and the records of its
//! last input, go on after a failed write, or read a clock: the time of a checkpoint is told to it.
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

mod chain;
mod checkpoint;
mod error;
pub mod hex;
mod key;
pub mod merkle;
mod proof;
mod record;
mod segment;
mod tail;
mod verify;
mod witness;
mod writer;

pub use chain::{FRAME_BYTES, Hash};
pub use checkpoint::{CHECKPOINT_BYTES, Checkpoint, Occasion};
pub use error::AuditError;
pub use key::{PublicKey, SecretKey};
pub use proof::{Proof, ProofError, prove};
pub use record::{Actor, AuditKind, AuditRecord, Reached};
pub use segment::{CHECKPOINT_RECORDS_MAX, SEGMENT_BYTES};
pub use tail::tail;
pub use verify::{Fault, Finding, Options, Report, Seen, verify};
pub use writer::{Config, Writer};
