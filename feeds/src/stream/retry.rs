//! When to try again: later after each failure, never at the same moment as everybody else, and never too often.

use model::Ts;

use super::venue::Rules;

const MINUTE: u64 = 60_000_000_000;

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

/// Attempts within a minute, bounded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempts {
    since: Ts,
    count: u32,
}

impl Attempts {
    /// Takes an attempt at `now`, or says when one is free.
    pub fn take(&mut self, now: Ts, per_minute: u32) -> Result<(), Ts> {
        if now.since(self.since) >= MINUTE {
            *self = Attempts { since: now, count: 0 };
        }
        if self.count >= per_minute {
            return Err(Ts(self.since.0.saturating_add(MINUTE)));
        }
        self.count += 1;
        Ok(())
    }
}
