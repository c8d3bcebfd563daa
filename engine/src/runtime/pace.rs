//! Recorded time against the clock on the wall.

use std::sync::atomic::{AtomicU64, Ordering};

use host::Clock;
use model::Ts;

use crate::config::Speed;

/// Maps recorded time to CLOCK_MONOTONIC. The feed thread anchors it at the first event of each day; the engine thread reads
/// it to know the time between events.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    /// Recorded time and clock at the anchor; zero before it.
    anchor_ts: AtomicU64,
    anchor_ns: AtomicU64,
}

impl Pace {
    pub fn new(speed: Speed) -> Pace {
        Pace { speed, anchor_ts: AtomicU64::new(0), anchor_ns: AtomicU64::new(0) }
    }

    /// The wall clock's: time is what it is, anchored once, so that it never steps back.
    pub fn live(wall: Ts, now_ns: u64) -> Pace {
        let pace = Pace::new(Speed::Times(1000));
        pace.anchor(wall, now_ns);
        pace
    }

    /// Whether nothing waits for its time.
    pub fn is_flat_out(&self) -> bool {
        self.speed == Speed::Max
    }

    /// Lets recorded time `ts` be now.
    pub fn anchor(&self, ts: Ts, now_ns: u64) {
        self.anchor_ns.store(now_ns, Ordering::Relaxed);
        self.anchor_ts.store(ts.0, Ordering::Release);
    }

    /// When recorded time `ts` is due on the clock; `None`: at once.
    pub fn due(&self, ts: Ts) -> Option<u64> {
        let Speed::Times(thousandths) = self.speed else { return None };
        let since = ts.since(Ts(self.anchor_ts.load(Ordering::Acquire)));
        let wait = u128::from(since) * 1000 / u128::from(thousandths);
        Some(
            self.anchor_ns
                .load(Ordering::Relaxed)
                .saturating_add(u64::try_from(wait).unwrap_or(u64::MAX)),
        )
    }

    /// Recorded time at `now_ns` on the clock; `None`: there is no pace, or it has not begun.
    pub fn now(&self, now_ns: u64) -> Option<Ts> {
        let Speed::Times(thousandths) = self.speed else { return None };
        let anchor = self.anchor_ts.load(Ordering::Acquire);
        let passed = now_ns.saturating_sub(self.anchor_ns.load(Ordering::Relaxed));
        let passed =
            u64::try_from(u128::from(passed) * u128::from(thousandths) / 1000).unwrap_or(u64::MAX);
        (anchor > 0).then(|| Ts(anchor.saturating_add(passed)))
    }
}

/// How often a thread's clock is steered.
const STEER_NS: u64 = 1_000_000_000;

/// A thread's clock, steered along CLOCK_MONOTONIC about once a second: uncorrected it would leave the clock that the kernel
/// stamps packets by, by some parts in a million.
pub(super) struct Steered {
    clock: Clock,
    due: u64,
}

impl Steered {
    pub fn start() -> Steered {
        let clock = Clock::start();
        let due = clock.now_ns().saturating_add(STEER_NS);
        Steered { clock, due }
    }

    /// Nanoseconds of CLOCK_MONOTONIC.
    #[inline]
    pub fn now_ns(&mut self) -> u64 {
        let now = self.clock.now_ns();
        if now >= self.due {
            self.steer(now);
        }
        now
    }

    #[cold]
    fn steer(&mut self, now: u64) {
        self.clock.correct();
        self.due = now.saturating_add(STEER_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: due and now are inverse, at any speed; flat out there is no pace. Method: twice the speed, then none.
    #[test]
    fn due_and_now_agree() {
        let pace = Pace::new(Speed::Times(2000));
        assert_eq!(pace.now(5), None, "not begun");
        pace.anchor(Ts(1_000_000), 500);
        assert_eq!(pace.due(Ts(1_000_100)), Some(550));
        assert_eq!(pace.now(550), Some(Ts(1_000_100)));
        assert_eq!(pace.due(Ts(0)), Some(500), "the past is due at once");
        assert_eq!(Pace::new(Speed::Max).due(Ts(7)), None);
    }

    /// Goal: a thread's clock is steered once a second and no more often. Method: the time that it is due next, before, at
    /// and behind it.
    #[test]
    fn clocks_are_steered() {
        let mut clock = Steered::start();
        let due = clock.due;
        clock.now_ns();
        assert_eq!(clock.due, due, "not yet");
        clock.due = 0;
        let now = clock.now_ns();
        assert_eq!(clock.due, now + STEER_NS);
        assert!(host::monotonic_ns().abs_diff(clock.now_ns()) < 100_000_000);
    }
}
