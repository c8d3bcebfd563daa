//! What is known of a feed as a whole.

use model::{Cause, Integrity, Ts};

/// What is known of a feed as a whole.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Channel {
    /// How far it says that its books may be believed, those included that are still to be listed.
    pub believed: (Integrity, Cause),
    /// Silence after which every book of it is stale.
    pub silence_ns: u64,
    /// Whether each of its events says if it completes one of the venue's: see [`feeds::Venue::marks_events`].
    pub marks_events: bool,
    /// Sequence of its last event.
    pub seq: u64,
    /// Messages lost: holes in the sequence.
    pub lost: u64,
    /// Events of instruments that were never listed.
    pub unlisted: u64,
    /// Engine time of its last event.
    pub updated: Ts,
    /// Venue time of its last event.
    pub ts_venue: Ts,
    /// Whether it has been silent for longer than allowed.
    pub silent: bool,
    /// Whether the venue's day is over.
    pub closed: bool,
    /// Whether a market-wide circuit breaker is in force.
    pub market_halted: bool,
}

impl Channel {
    pub const fn new(silence_ns: u64, marks_events: bool) -> Channel {
        Channel {
            believed: (Integrity::Live, Cause::None),
            silence_ns,
            marks_events,
            seq: 0,
            lost: 0,
            unlisted: 0,
            updated: Ts(0),
            ts_venue: Ts(0),
            silent: false,
            closed: false,
            market_halted: false,
        }
    }
}
