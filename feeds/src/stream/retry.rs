//! How often something may be tried.

use std::collections::VecDeque;

use model::Ts;

use super::venue::SECOND;

const MINUTE: u64 = 60 * SECOND;

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
