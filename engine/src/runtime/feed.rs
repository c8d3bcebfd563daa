//! The feed thread: source → session → decoder → ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feeds::{Counters, Merge, MergeError};
use host::Clock;
use model::page::FeedCounters;
use model::{DAY_NS, Event};
use shm::EventSender;

use super::Progress;
use super::observe::FeedObserver;
use super::pace::Pace;
use super::stages::{DECODE, SAMPLE_EVERY, Samples};
use super::wait::Waiter;

/// Events between two looks at the counters.
const COUNT_EVERY: u64 = 1024;
/// Who waits for so long looks at them too: else those of a quiet hour would be shown when it is over.
const COUNT_BEFORE_NS: u64 = 1_000_000;
/// Events that are handed over together when none has to wait for its time.
const CHUNK: usize = 64;

/// What the feed thread leaves: what it has seen, and where and why it gave up, if it did.
pub(super) type FeedEnd = (Merge, Result<(), MergeError>);

pub(super) struct FeedThread {
    pub captures: Merge,
    pub ring: EventSender,
    pub pace: Arc<Pace>,
    pub waiter: Waiter,
    pub samples: Samples,
    pub progress: Arc<Progress>,
    pub stop: Arc<AtomicBool>,
    /// Chunks handed over.
    pub chunks: u64,
}

impl FeedThread {
    /// Plays the feed to its end, to its first error, or until it is stopped. Dropping the ring tells the engine.
    pub fn run<O: FeedObserver>(mut self, mut observer: O) -> FeedEnd {
        let clock = Clock::start();
        let mut day = u64::MAX;
        let mut number = 0_u64;
        let outcome = loop {
            if !O::HEARS && self.pace.is_flat_out() {
                match self.fill(&clock) {
                    None => continue,
                    Some(outcome) => break outcome,
                }
            }
            let event = match self.next(&clock, number, &mut observer) {
                Ok(Some(event)) => event,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            number += 1;
            if O::HEARS {
                if let Some((ts, now_ns)) = observer.decoded(&event) {
                    self.pace.anchor(ts, now_ns);
                }
            } else {
                if event.ts_recv.0 / DAY_NS != day {
                    day = event.ts_recv.0 / DAY_NS;
                    self.pace.anchor(event.ts_recv, clock.now_ns());
                }
                self.wait_until_due(&event, &clock);
            }
            if !self.push(event) {
                break Ok(());
            }
            if number.is_multiple_of(COUNT_EVERY) {
                self.count();
            }
        };
        self.count();
        observer.end();
        (self.captures, outcome)
    }

    /// Decodes events into the ring itself, a chunk at a time, so that the two threads meet at the ends of the ring once a chunk
    /// and not at each event. `Some`: the feed is through, or was stopped.
    fn fill(&mut self, clock: &Clock) -> Option<Result<(), MergeError>> {
        if self.stop.load(Ordering::Relaxed) || self.ring.is_abandoned() {
            return Some(Ok(()));
        }
        let places = CHUNK.min(self.ring.slots());
        if !self.ring.has_room(places) {
            self.waiter.idle();
            return None;
        }
        self.waiter.busy();
        let mut before = Some(clock.now_ns());
        for _ in 0..places {
            let next = self.captures.next();
            if let Some(before) = before.take() {
                self.samples.record(DECODE, clock.now_ns().saturating_sub(before));
            }
            let event = match next {
                Ok(Some(event)) => event,
                Ok(None) => return Some(Ok(())),
                Err(error) => return Some(Err(error)),
            };
            let is_in = self.ring.push(&event);
            debug_assert!(is_in, "there was room");
        }
        self.chunks += 1;
        if self.chunks.is_multiple_of(COUNT_EVERY / CHUNK as u64) {
            self.count();
        }
        None
    }

    fn next<O: FeedObserver>(
        &mut self,
        clock: &Clock,
        number: u64,
        observer: &mut O,
    ) -> Result<Option<Event>, MergeError> {
        let sampled = !O::HEARS && number.is_multiple_of(SAMPLE_EVERY);
        let before = if sampled { clock.now_ns() } else { 0 };
        let next = self.captures.next_at(observer)?;
        if sampled {
            self.samples.record(DECODE, clock.now_ns().saturating_sub(before));
        }
        Ok(next)
    }

    fn wait_until_due(&mut self, event: &Event, clock: &Clock) {
        let Some(due) = self.pace.due(event.ts_recv) else { return };
        if due.saturating_sub(clock.now_ns()) > COUNT_BEFORE_NS {
            self.count();
        }
        while clock.now_ns() < due && !self.stop.load(Ordering::Relaxed) {
            self.waiter.idle();
        }
        self.waiter.busy();
    }

    /// Hands an event over, waiting while the ring is full: a file can wait. `false`: stopped.
    fn push(&mut self, event: Event) -> bool {
        while !self.ring.push(&event) {
            if self.stop.load(Ordering::Relaxed) || self.ring.is_abandoned() {
                return false;
            }
            self.waiter.idle();
        }
        self.waiter.busy();
        !self.stop.load(Ordering::Relaxed)
    }

    fn count(&self) {
        for (capture, progress) in self.captures.feeds().iter().zip(&self.progress.feeds) {
            let seen = capture.counters();
            let Counters { messages, bytes, bad, lost, gaps, .. } = seen;
            progress.show(&FeedCounters {
                messages,
                bytes,
                unknown: seen.unknown_total(),
                bad,
                lost,
                gaps,
                ..FeedCounters::default()
            });
        }
    }
}
