//! Whether the wall clock can be believed: it and the monotonic one, which nobody sets, go at the same pace, so that only a
//! step takes them apart.

use crate::rules::ClockRule;

/// Compares both clocks.
#[derive(Debug)]
pub(super) struct ClockWatch {
    rule: Option<ClockRule>,
    /// Wall clock less monotonic clock at the start, from where engine time counts.
    offset: i128,
    error_ns: u64,
    is_unsafe: bool,
}

impl ClockWatch {
    /// Begins to watch, at these times of both clocks.
    pub fn new(rule: Option<ClockRule>, wall_ns: u64, mono_ns: u64) -> ClockWatch {
        let offset = i128::from(wall_ns) - i128::from(mono_ns);
        ClockWatch { rule, offset, error_ns: 0, is_unsafe: false }
    }

    /// Compares them. `synced`: whether the kernel says that somebody steers the clock; `None`: it does not say. Whether
    /// the clock cannot be believed from now on, if that changed.
    pub fn look(&mut self, wall_ns: u64, mono_ns: u64, synced: Option<bool>) -> Option<bool> {
        let rule = self.rule?;
        let error = i128::from(wall_ns) - i128::from(mono_ns) - self.offset;
        self.error_ns = u64::try_from(error.unsigned_abs()).unwrap_or(u64::MAX);
        let is_unsafe = self.error_ns > rule.error_ns || rule.synced && synced != Some(true);
        let changed = is_unsafe != self.is_unsafe;
        self.is_unsafe = is_unsafe;
        changed.then_some(is_unsafe)
    }

    /// How far the wall clock is from where it should be, nanoseconds, and whether it can be believed.
    pub fn seen(&self) -> (u64, bool) {
        (self.error_ns, !self.is_unsafe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: an error as large as allowed is none, one more is, either way and once; a clock that is put right is believed again.
    /// Method: an hour's steps, the edge of the bound, a clock that nobody steers.
    #[test]
    fn steps_are_seen() {
        const HOUR: u64 = 3_600_000_000_000;
        let rule = ClockRule { error_ns: 100, synced: false, level: None };
        let mut watch = ClockWatch::new(Some(rule), 10 * HOUR, HOUR);
        let mut look = |wall: u64, mono: u64| watch.look(wall, mono, Some(false));
        assert_eq!(look(11 * HOUR, 2 * HOUR), None);
        assert_eq!(look(11 * HOUR + 100, 2 * HOUR), None);
        assert_eq!(look(11 * HOUR - 100, 2 * HOUR), None);
        assert_eq!(look(11 * HOUR + 101, 2 * HOUR), Some(true));
        assert_eq!(look(13 * HOUR, 3 * HOUR), None, "told once");
        assert_eq!(look(13 * HOUR, 4 * HOUR), Some(false));
        assert_eq!(look(12 * HOUR - 101, 3 * HOUR), Some(true));
        assert_eq!(watch.seen(), (101, false));
        let mut off = ClockWatch::new(None, 0, 0);
        assert_eq!(off.look(u64::MAX, 0, None), None);
        let mut strict = ClockWatch::new(Some(ClockRule { synced: true, ..rule }), 0, 0);
        assert_eq!(strict.look(0, 0, Some(true)), None);
        assert_eq!(strict.look(0, 0, None), Some(true), "nobody says so");
        assert_eq!(strict.look(0, 0, Some(true)), Some(false));
    }
}
