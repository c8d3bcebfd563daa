//! Journal and audit log, as the engine thread sees them: whether they take more, whether they keep up, and for how long they
//! have not.

use std::collections::VecDeque;

use crate::rules::EngineTriggers;

/// Marks of how far the journal was handed what, and when.
const MARKS_MAX: usize = 64;
/// Parts of the bound that an age is measured to.
const PARTS: u64 = 32;

/// How far the journal is behind.
#[derive(Debug)]
pub(super) struct Lag {
    after_ns: Option<u64>,
    inputs: Option<u64>,
    /// The input before the first of this run: what was recorded before it is.
    base: u64,
    /// The last input that was handed over at a time, oldest first; only of those that are not recorded.
    marks: VecDeque<(u64, u64)>,
    behind: u64,
}

impl Lag {
    /// Of an engine whose last input was `base`.
    pub fn new(rules: &EngineTriggers, base: u64) -> Lag {
        Lag {
            after_ns: rules.journal_lag_ns,
            inputs: rules.journal_lag_inputs,
            base,
            marks: VecDeque::with_capacity(MARKS_MAX),
            behind: 0,
        }
    }

    /// Looks how far the journal has come, of what it was handed; whether it is too far behind.
    pub fn look(&mut self, handed: u64, recorded: u64, now_ns: u64) -> bool {
        let recorded = recorded.max(self.base);
        self.behind = handed.saturating_sub(recorded);
        while self.marks.front().is_some_and(|(seq, _)| *seq <= recorded) {
            self.marks.pop_front();
        }
        let apart = self.after_ns.map_or(u64::MAX, |after| after / PARTS);
        let is_time = self.marks.back().is_none_or(|(seq, at)| {
            *seq < handed && now_ns.saturating_sub(*at) >= apart && self.marks.len() < MARKS_MAX
        });
        if self.behind > 0 && is_time {
            self.marks.push_back((handed, now_ns));
        }
        self.after_ns.is_some_and(|after| self.age_ns(now_ns) > after)
            || self.inputs.is_some_and(|most| self.behind > most)
    }

    /// Inputs that were handed over and are not recorded.
    pub fn behind(&self) -> u64 {
        self.behind
    }

    /// For how long one of them waits, nanoseconds, at least; the first of them by a part of the bound longer at most.
    pub fn age_ns(&self, now_ns: u64) -> u64 {
        self.marks.front().map_or(0, |(_, at)| now_ns.saturating_sub(*at))
    }
}

/// Whether a sink takes no more, and since when.
#[derive(Debug, Default)]
pub(super) struct Sink {
    /// Whether the engine was told that it takes no more.
    pub full: bool,
    since_ns: u64,
    latched: bool,
}

impl Sink {
    /// Notes what the engine is told.
    pub fn set(&mut self, full: bool, now_ns: u64) {
        *self = Sink { full, since_ns: now_ns, latched: false };
    }

    /// Whether it has taken nothing for too long. Told once.
    pub fn latches(&mut self, after_ns: Option<u64>, now_ns: u64) -> bool {
        let is_late = |after| self.full && now_ns.saturating_sub(self.since_ns) > after;
        let latches = !self.latched && after_ns.is_some_and(is_late);
        self.latched |= latches;
        latches
    }

    /// For how long it has taken nothing, nanoseconds.
    pub fn full_ns(&self, now_ns: u64) -> u64 {
        if self.full { now_ns.saturating_sub(self.since_ns) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(after_ns: Option<u64>, inputs: Option<u64>) -> Lag {
        let rules = EngineTriggers {
            journal_lag_ns: after_ns,
            journal_lag_inputs: inputs,
            ..Default::default()
        };
        Lag::new(&rules, 1_000)
    }

    /// Goal: what waits as long as it may is no lag, a nanosecond more is, and it ends when that is recorded; what was recorded
    /// before the run counts for nothing. Method: one input that waits, then another.
    #[test]
    fn age_is_to_the_nanosecond() {
        let mut lag = lag(Some(3_200), None);
        assert!(!lag.look(1_000, 0, 5), "nothing was handed over");
        assert!(!lag.look(1_001, 0, 10));
        assert!(!lag.look(1_001, 0, 3_210));
        assert!(lag.look(1_001, 0, 3_211));
        assert_eq!((lag.behind(), lag.age_ns(3_211)), (1, 3_201));
        assert!(!lag.look(1_002, 1_001, 3_212));
        assert!(!lag.look(1_002, 1_001, 6_412));
        assert!(lag.look(1_002, 1_001, 6_413));
        assert!(!lag.look(1_002, 1_002, 9_999));
        assert_eq!((lag.behind(), lag.age_ns(9_999)), (0, 0));
    }

    /// Goal: a journal that goes on but keeps as far behind is noticed at its bound and a thirty-second part later at the latest.
    /// Method: an input each ten nanoseconds, each recorded as late as may be, or a little later.
    #[test]
    fn a_steady_lag_is_seen() {
        for (late, lags) in [(3_200, false), (3_320, true)] {
            let mut lag = lag(Some(3_200), None);
            let seen = (1..2_000).any(|step: u64| {
                let now = 10 * step;
                lag.look(1_000 + step, 1_000 + now.saturating_sub(late) / 10, now)
            });
            assert_eq!(seen, lags, "{late}");
        }
    }

    /// Goal: so many inputs may wait, one more is a lag; off, neither is. Method: the numbers around the bound.
    #[test]
    fn inputs_are_counted() {
        let mut counts = lag(None, Some(10));
        assert!(!counts.look(1_020, 1_010, 0) && counts.look(1_021, 1_010, 0));
        let mut off = lag(None, None);
        assert!(!off.look(u64::MAX, 0, 0) && !off.look(u64::MAX, 0, u64::MAX));
    }

    /// Goal: a sink that takes nothing for longer than may be says so once, and again after it took something. Method: times
    /// around the bound.
    #[test]
    fn sinks_latch_once() {
        let mut sink = Sink::default();
        assert!(!sink.latches(Some(10), 1_000), "it takes");
        sink.set(true, 5);
        assert!(!sink.latches(Some(10), 15) && !sink.latches(None, 99));
        assert!(sink.latches(Some(10), 16) && !sink.latches(Some(10), 17));
        assert_eq!(sink.full_ns(17), 12);
        sink.set(false, 18);
        assert!(!sink.latches(Some(10), 99));
        sink.set(true, 100);
        assert!(!sink.latches(Some(10), 110) && sink.latches(Some(10), 111));
    }
}
