//! Recorded time against the clock on the wall.

use std::sync::atomic::{AtomicU64, Ordering};

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
}
