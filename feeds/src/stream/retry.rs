//! When to try again: later after each failure, never at the same moment as everybody else, and never too often.

use std::collections::VecDeque;

use model::Ts;

use super::venue::{Rules, SECOND};

const MINUTE: u64 = 60 * SECOND;

/// A seeded source of jitter: splitmix64 (Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The pause after so many failures in a row: doubled with each, shortened at random by up to a half.
    pub fn pause(&mut self, rules: &Rules, failures: u32) -> u64 {
        let doubled = rules.retry_ns.saturating_mul(1 << failures.min(20));
        let half = doubled.min(rules.retry_max_ns).max(2) / 2;
        half + self.next() % half
    }
}

/// Attempts within any minute, bounded.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    /// Those of the last minute, oldest first.
    times: VecDeque<Ts>,
}

impl Attempts {
    /// Takes an attempt at `now`, or says when one is free.
    pub fn take(&mut self, now: Ts, per_minute: u32) -> Result<(), Ts> {
        while self.times.pop_front_if(|time| now.since(*time) >= MINUTE).is_some() {}
        match self.times.front() {
            Some(oldest) if self.times.len() >= per_minute as usize => {
                Err(Ts(oldest.0.saturating_add(MINUTE)))
            }
            _ => {
                self.times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: never more than so many within any minute, and no later than need be. Method: a burst, then the times it says.
    #[test]
    fn any_minute() {
        let mut attempts = Attempts::default();
        for second in [0, 10, 59] {
            assert_eq!(attempts.take(Ts(second * SECOND), 3), Ok(()));
        }
        for (now, free) in [(59, 60), (60, 0), (61, 70), (70, 0), (71, 119), (119, 0)] {
            let taken = attempts.take(Ts(now * SECOND), 3);
            assert_eq!(taken, if free == 0 { Ok(()) } else { Err(Ts(free * SECOND)) }, "{now}");
        }
    }
}
