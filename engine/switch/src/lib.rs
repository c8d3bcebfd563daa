//! The kill switch as its operator has it in hand: what is said to a running engine and by whom, and what is kept of it
//! while none runs. What a halt does is the core's: `engine/src/step/halt.rs`.
//!
//! Flow: `tickgate halt` → [`ask()`] → socket beside the attach socket → [`OperatorSocket`], polled by the engine's
//! housekeeping thread → a control for the core → an [`Answer`]; every change → [`latch_file`].
//!
//! Must never: wait for whoever asks; let more through than the bounds say; write a passphrase anywhere, print it, or keep
//! it longer than it takes to check it.
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

mod ask;
mod attempts;
mod books;
pub mod latch_file;
mod operators;
mod passphrase;
mod socket;
mod words;

pub use ask::{AskError, ask};
pub use attempts::Attempts;
pub use books::{Booked, Books, Entry, RateBefore};
pub use latch_file::{Latch, LatchError};
pub use operators::{Operators, OperatorsError};
pub use passphrase::{Passphrase, WEAK_BELOW};
pub use socket::{Asked, OperatorSocket, REQUEST_MAX, Ticket};
pub use words::{
    Answer, Approval, Approve, Done, Feed, Gateway, Halt, Journal, LIMITS_MAX, Limits,
    LimitsChange, REASON_MAX, Refusal, Reload, Request, Scope, Status, Trigger, clean_reason,
};
