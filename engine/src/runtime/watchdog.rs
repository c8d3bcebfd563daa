//! What holds although the engine thread stands still: a word that gateways read before each send, and the eye on the loop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::{HaltCause, HaltLevel};

/// The halt of everything as housekeeping knows it: the engine's own, or one that the engine has not taken yet. Whoever
/// sends orders to a venue reads it before each and sends nothing while a level forbids it.
#[derive(Debug, Default)]
pub struct FirmHalt(AtomicU64);

impl FirmHalt {
    /// Level and cause; `None`: nothing is stopped. A word that is none stops everything.
    pub fn get(&self) -> Option<(HaltLevel, HaltCause)> {
        let word = self.0.load(Ordering::Acquire);
        let [level, cause, ..] = word.to_le_bytes();
        let read = HaltLevel::from_code(level).zip(HaltCause::from_code(cause));
        (word != 0).then(|| read.unwrap_or((HaltLevel::Halted, HaltCause::Invariant)))
    }

    /// Sets it; the word that says so.
    pub(super) fn set(&self, halt: Option<(HaltLevel, HaltCause)>) -> u64 {
        let word = halt.map_or(0, |(level, cause)| {
            u64::from_le_bytes([level.code(), cause.code(), 0, 0, 0, 0, 0, 0])
        });
        self.0.store(word, Ordering::Release);
        word
    }
}

/// What the watchdog saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The loop stands still for longer than it may.
    Stalled,
    /// It goes round again.
    Back,
}

/// Watches the engine thread's loop counter.
#[derive(Debug)]
pub(super) struct Watchdog {
    bound: Duration,
    loops: u64,
    /// How long the counter stood while somebody looked.
    stood: Duration,
    looked: Option<Instant>,
    stalled: bool,
}

impl Watchdog {
    /// Longest time between two looks that counts. Whoever stopped the whole process, or took its processor away, stopped
    /// this thread too: that is no stall of the engine thread's.
    const LOOK: Duration = Duration::from_millis(50);

    pub fn new(bound: Duration) -> Watchdog {
        Watchdog { bound, loops: 0, stood: Duration::ZERO, looked: None, stalled: false }
    }

    /// Looks at the counter. It is not watched before it first moved.
    pub fn look(&mut self, loops: u64, now: Instant) -> Option<Sight> {
        let since = self.looked.replace(now).map(|last| now.saturating_duration_since(last));
        if loops != self.loops || loops == 0 {
            self.loops = loops;
            self.stood = Duration::ZERO;
            return std::mem::take(&mut self.stalled).then_some(Sight::Back);
        }
        self.stood += since.unwrap_or_default().min(Self::LOOK);
        let stalls = !self.stalled && self.stood > self.bound;
        self.stalled |= stalls;
        stalls.then_some(Sight::Stalled)
    }

    /// How long the counter stands.
    pub fn stood(&self) -> Duration {
        self.stood
    }

    /// Whether that is too long.
    pub fn is_stalled(&self) -> bool {
        self.stalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a stall is told once and its end once; neither a start nor a stopped process is one. Method: looks at given
    /// times.
    #[test]
    fn stalls_are_told_once() {
        let begun = Instant::now();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let mut watchdog = Watchdog::new(Duration::from_millis(100));
        for ms in 0..1000 {
            assert_eq!(watchdog.look(0, at(ms)), None, "not started yet");
        }
        assert_eq!(watchdog.look(1, at(1000)), None);
        assert_eq!(watchdog.look(1, at(60_000)), None, "nobody looked for a minute");
        assert_eq!(watchdog.look(1, at(60_050)), None);
        assert!(!watchdog.is_stalled());
        assert_eq!(watchdog.look(1, at(60_051)), Some(Sight::Stalled));
        assert_eq!(watchdog.look(1, at(60_090)), None, "once");
        assert!(watchdog.is_stalled() && watchdog.stood() > Duration::from_millis(100));
        assert_eq!(watchdog.look(2, at(60_091)), Some(Sight::Back));
        assert_eq!(watchdog.look(2, at(60_092)), None);
        assert!(!watchdog.is_stalled());
    }

    /// Goal: the word says what was set, and rubbish in it stops everything. Method: every level and cause.
    #[test]
    fn word_reads_back() {
        let word = FirmHalt::default();
        assert_eq!(word.get(), None);
        for level in HaltLevel::ALL {
            for cause in HaltCause::ALL {
                word.set(Some((*level, *cause)));
                assert_eq!(word.get(), Some((*level, *cause)));
            }
        }
        word.0.store(0xFFFF, Ordering::Relaxed);
        assert_eq!(word.get(), Some((HaltLevel::Halted, HaltCause::Invariant)));
        assert_eq!(word.set(None), 0);
        assert_eq!(word.get(), None);
    }
}
