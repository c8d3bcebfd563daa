//! Simulated venues, to try an engine against: the wire formats of the real ones, with faults on
//! demand.
//!
//! Flow: a [`source`] of messages → [`mold`], the venue on virtual time → [`faults`] of each line;
//! [`net`] is all of it over sockets; [`soup`] is the same venue over connections. [`crypto`] does
//! the same for venues over WebSocket. [`ouch`] is a venue that takes orders. Everything else is told the
//! time and does no I/O, so that the same seed gives the same bytes.
//!
//! The formats are written here from their specifications a second time, apart from those of
//! `feeds`, so that each checks the other.
//!
//! Must never: share code with what it tests, hold more than its configured bounds whatever a
//! client sends, or speak to anything but loopback without being told to.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod crypto;
pub mod faults;
pub mod mold;
pub mod net;
pub mod ouch;
pub mod soup;
pub mod source;

mod rng;
