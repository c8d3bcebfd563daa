//! Nasdaq: TotalView-ITCH 5.0 (`nasdaq/ITCH.md` is the digest of its specification).
//!
//! [`itch`] is the hot face, bytes to [`model::Event`]; [`message`] is the complete one, every field of
//! every message, both ways, for tools and tests. A property test keeps the two in step.

pub mod itch;
pub mod message;
mod wire;

pub use wire::{Header, MESSAGE_MAX, Mpid, Price4, Price8, Stock};
