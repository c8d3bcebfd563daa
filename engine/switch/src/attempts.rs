//! How often a wrong passphrase may be tried.

use std::time::Duration;

/// Attempts that cost nothing.
const FREE: u32 = 3;
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(64);

/// Counts wrong passphrases, whoever's they were: after three of them each costs a pause that doubles, up to 64 s. A right
/// one begins anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempts {
    wrong: u32,
    /// Time of the monotonic clock before which none is heard.
    closed_until: Duration,
}

impl Attempts {
    /// How long none is heard; `None`: one may be tried at `now`, a time of a monotonic clock.
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        self.closed_until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Notes the outcome of one.
    pub fn note(&mut self, right: bool, now: Duration) {
        if right {
            *self = Attempts::default();
            return;
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(doublings) = self.wrong.checked_sub(FREE) {
            let pause = Duration::from_secs(1 << doublings.min(6));
            self.closed_until = now + pause.min(PAUSE_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whoever guesses gets about a thousand attempts a day; an operator who mistypes twice feels nothing. Method:
    /// guess as soon as it is possible, for a day.
    #[test]
    fn guessing_is_slow() {
        let (mut attempts, mut now, mut tries) = (Attempts::default(), Duration::ZERO, 0);
        while now < Duration::from_secs(86_400) {
            match attempts.wait(now) {
                Some(wait) => now += wait,
                None => {
                    tries += 1;
                    attempts.note(false, now);
                }
            }
        }
        assert!((1_300..1_400).contains(&tries), "{tries}");

        let mut attempts = Attempts::default();
        attempts.note(false, now);
        attempts.note(false, now);
        assert_eq!(attempts.wait(now), None);
        attempts.note(false, now);
        assert_eq!(attempts.wait(now), Some(Duration::from_secs(1)));
        attempts.note(true, now);
        assert_eq!(attempts.wait(now), None);
    }
}
