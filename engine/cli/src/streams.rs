//! Feeds over WebSocket: the engine's port meets the transport that the engine builds without.

use engine::runtime::StreamPort;
use feeds::Venue;
use feeds::stream::StreamConfig;
use model::page::FeedCounters;
use model::{Event, Ts};
use ws::{Counters, Options, Port};

/// Drives a feed until the engine stops.
pub fn drive(venue: Venue, config: StreamConfig, port: StreamPort) {
    if let Err(error) = ws::drive_venue(venue, config, Options::default(), Engine(port), ()) {
        tracing::error!("{venue}: {error}");
    }
}

struct Engine(StreamPort);

impl Port for Engine {
    fn now(&self) -> Ts {
        self.0.now()
    }

    fn push(&mut self, event: &Event) -> bool {
        self.0.push(event)
    }

    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    fn show(&mut self, counters: &Counters) {
        let Counters { stream, oversize, http_failures } = counters;
        self.0.show(&FeedCounters {
            messages: stream.texts,
            bytes: stream.bytes,
            unknown: stream.foreign,
            bad: stream.bad + oversize,
            gaps: stream.gaps + stream.mismatches,
            requests: stream.snapshots + stream.snapshots_failed + http_failures,
            snapshots: stream.snapshots,
            connects: stream.connects,
            ..FeedCounters::default()
        });
    }
}
