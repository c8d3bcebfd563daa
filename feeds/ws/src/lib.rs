//! The transport of venues over WebSocket: it does what a [`StreamFeed`] wants done, and tells it what came of it.
//!
//! Flow: the machine says connect, send, ask, close → here that happens, over TLS → texts and bodies go back, each with the
//! time at which it was read. One thread a feed; nothing of it is hot.
//!
//! Must never: read while events have no room (the kernel buffers meanwhile), hold more than one text and two bodies, talk
//! unencrypted to anything but this machine, or decide when to try again: that is the machine's.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod drive;
mod http;
mod socket;
mod tap;
mod venue;

pub use drive::{Counters, Options, Port, drive};
pub use tap::{Raw, Tap};
pub use venue::{DriveError, drive_venue};
