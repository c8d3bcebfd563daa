//! The vocabulary of tickgate: what every other package says to every other.
//!
//! Flow: a venue's bytes become an [`Event`]; an agent's or a strategy's wish becomes a [`Request`]; whatever enters the
//! deterministic core is an [`Input`]; the gate answers with a [`Verdict`]; readers of shared memory see a [`page`].
//!
//! Must never: hold state, read a clock, allocate, use a float, or contain `unsafe`. Every type that crosses a thread, a
//! process or a file has `to_words` and a validating `from_words`, so that no byte from outside becomes an illegal value.
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

mod decimal;
mod event;
mod id;
mod input;
mod instrument;
mod measure;
mod num;
mod order;
pub mod page;
mod report;
mod request;
pub mod snapshot;
mod state;
mod verdict;
mod words;

pub use decimal::{Scaled, parse_decimal, parse_time_of_day};
pub use event::{Event, Flags, Kind};
pub use id::{
    AccountId, ClientOrderId, DeskId, FeedId, InstrumentId, Note, OperatorName, OrderId, OrderRef,
    Symbol, TextTooLong, VenueNumber,
};
pub use input::{Body, Control, Input, Why};
pub use instrument::{Currency, Instrument};
pub use measure::Measure;
pub use num::{DAY_NS, Money, OutOfRange, Px, Qty, Ts};
pub use order::{Conditions, Link, Order, OrderState, OrderType, Origin, Side, Tif};
pub use report::{Holder, Report, ReportKind};
pub use request::{Announced, Ask, HaltScope, Request, Terms};
pub use state::{
    BasketEnd, BooksRefusal, Cause, CreditKind, HaltCause, HaltLevel, Integrity, Mode,
    ResumeRefusal, TradingState,
};
pub use verdict::{Finding, Headroom, Reject, Verdict};
pub use words::{BadWord, WordReader, WordWriter};
