//! Simulated crypto venues: books that are known at every moment, spoken of in the protocol of each
//! venue, with faults on demand.
//!
//! ```text
//! Truth (books, by version) ─► Dialect (texts) ─► Wire (faults) ─► session ─► client
//!                          └──────────────────── REST bodies ──────────────────┘
//! ```
//!
//! [`CryptoVenue`] is told the time and does no I/O. [`harness`] puts a client beside it on virtual
//! time, [`server`] puts it on loopback sockets, and [`play`] sends captured texts instead.
//!
//! To add a venue: a file under `crypto/dialect/` and a line in [`Protocol`].

mod answer;
mod checksum;
mod dialect;
mod faults;
pub mod harness;
mod orders;
pub mod play;
pub mod server;
mod session;
mod text;
mod truth;
mod venue;

pub use answer::Answer;
pub use dialect::Protocol;
pub use faults::CryptoFaults;
pub use orders::Order;
pub use session::{Frame, SessionId, Tag};
pub use truth::{Changes, Levels, Print};
pub use venue::{CryptoConfig, CryptoCounters, CryptoVenue, Listing};
