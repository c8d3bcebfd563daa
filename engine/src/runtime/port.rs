//! Where a feed that is driven outside the engine meets it: the engine builds without TLS and runtimes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feeds::Venue;
use feeds::stream::StreamConfig;
use model::page::FeedCounters;
use model::{Event, FeedId, Ts};

use super::Progress;
use super::feed_ring::FeedRing;
use super::pace::Pace;

/// Drives a stream feed until its port says that it is over. Runs on a thread of its own.
pub type DriveStream = fn(Venue, StreamConfig, StreamPort);

/// The engine's side of a stream feed.
pub struct StreamPort {
    pub(super) feed: FeedId,
    pub(super) ring: FeedRing,
    pub(super) pace: Arc<Pace>,
    pub(super) progress: Arc<Progress>,
    pub(super) stop: Arc<AtomicBool>,
}

impl StreamPort {
    /// The time now: nanoseconds since the UNIX epoch, never stepping back.
    pub fn now(&self) -> Ts {
        self.pace.now(host::monotonic_ns()).unwrap_or_default()
    }

    /// Offers an event; `false`: the ring is full.
    pub fn push(&mut self, event: &Event) -> bool {
        self.ring.push(*event)
    }

    /// Whether the engine stops.
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.ring.is_abandoned()
    }

    /// Shows how far the feed has come.
    pub fn show(&self, counters: &FeedCounters) {
        if let Some(progress) = self.progress.feeds.get(usize::from(self.feed.0)) {
            progress.show(counters);
        }
    }
}
