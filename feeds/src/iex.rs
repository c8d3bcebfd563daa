//! IEX: DEEP 1.0 (aggregated levels) and TOPS 1.6 (best quotes) over IEX-TP. `iex/IEX.md` is the digest of their
//! specifications.
//!
//! Flow: the payload of a datagram → [`transport::Segment`] → sequence → [`message`] → [`model::Event`]. IEX gives its
//! securities no numbers: the feed numbers symbols in the order of their first message.

mod feed;
mod hold;
pub mod message;
mod order;
mod symbols;
pub mod transport;

pub use feed::{IexCounters, IexFeed};
