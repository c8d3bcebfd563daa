//! Who looks on while the hot threads work: a measurement, which takes its own stamps of every event. `()` looks at nothing,
//! and the threads do not pay for it.
//!
//! One ring joins feed and engine thread, so the n-th event of the one is the n-th of the other: stamps need not travel.

use feeds::Arrival;
use model::{Event, Ts};

use crate::step::Stamp;

/// Attends the feed thread that plays captures. If it hears arrivals, each message is decoded when [`Arrival::arrives`]
/// returns: it paces the captures, and the thread does not.
pub trait FeedObserver: Arrival + Send + 'static {
    /// `event` is decoded and goes into the ring next. Recorded time runs on from what is given back: a receive time, and when
    /// it is, in nanoseconds of CLOCK_MONOTONIC.
    fn decoded(&mut self, event: &Event) -> Option<(Ts, u64)>;

    /// Nothing comes any more.
    fn end(self);
}

/// Attends the engine thread; each event's step tells it of its stages.
pub trait EngineObserver: Stamp + Send + 'static {
    /// Whether anything is made of it.
    const OBSERVES: bool;

    /// The next event is taken from the ring.
    fn taken(&mut self);

    /// Its step is done.
    fn stepped(&mut self);

    /// A part of a round of the loop is over, its polls or its end; `idle`: it did nothing but look whether there is anything
    /// to do. Two parts, because whoever stood still in the polls finds something due at the end.
    fn round(&mut self, idle: bool);

    /// The thread ends.
    fn end(self);
}

impl FeedObserver for () {
    #[inline(always)]
    fn decoded(&mut self, _: &Event) -> Option<(Ts, u64)> {
        None
    }

    fn end(self) {}
}

impl EngineObserver for () {
    const OBSERVES: bool = false;

    #[inline(always)]
    fn taken(&mut self) {}

    #[inline(always)]
    fn stepped(&mut self) {}

    #[inline(always)]
    fn round(&mut self, _: bool) {}

    fn end(self) {}
}
