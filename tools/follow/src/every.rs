//! How often a snapshot is written.

use std::str::FromStr;
use std::time::{Duration, Instant};

/// By time or by inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Time(Duration),
    Inputs(u64),
}

impl FromStr for Every {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Every, Self::Err> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let parsed = if let Some(text) = text.strip_suffix("ms") {
            number(text).map(|ms| Every::Time(Duration::from_millis(ms)))
        } else if let Some(text) = text.strip_suffix('s') {
            number(text).map(|s| Every::Time(Duration::from_secs(s)))
        } else {
            number(text).map(Every::Inputs)
        };
        parsed.ok_or("must be a time such as 60s or 500ms, or a number of inputs")
    }
}

/// When the next one is due.
pub struct Due {
    every: Every,
    last: Instant,
    last_seq: u64,
}

impl Due {
    /// Counts from now, and from this input.
    pub fn new(every: Every, seq: u64) -> Due {
        Due { every, last: Instant::now(), last_seq: seq }
    }

    /// Whether one is due at this input. Nothing new is never written.
    pub fn is_due(&self, seq: u64) -> bool {
        let enough = match self.every {
            Every::Time(time) => self.last.elapsed() >= time,
            Every::Inputs(inputs) => seq.saturating_sub(self.last_seq) >= inputs,
        };
        enough && self.is_new(seq)
    }

    /// Whether anything came since the last one.
    pub fn is_new(&self, seq: u64) -> bool {
        seq > self.last_seq
    }

    /// One was written.
    pub fn done(&mut self, seq: u64) {
        (self.last, self.last_seq) = (Instant::now(), seq);
    }

    /// Inputs that may be replayed at once before somebody looks whether one is due.
    pub fn slice(&self) -> u64 {
        const SLICE: u64 = 8_192;
        match self.every {
            Every::Time(_) => SLICE,
            Every::Inputs(inputs) => inputs.min(SLICE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: times and counts are told apart, and nonsense is refused. Method: one of each.
    #[test]
    fn parsed() {
        assert_eq!("60s".parse(), Ok(Every::Time(Duration::from_secs(60))));
        assert_eq!("500ms".parse(), Ok(Every::Time(Duration::from_millis(500))));
        assert_eq!("100000".parse(), Ok(Every::Inputs(100_000)));
        for text in ["", "0", "0s", "s", "ms", "-1", "1m", "1.5s"] {
            assert!(text.parse::<Every>().is_err(), "{text:?}");
        }
    }

    /// Goal: a count is due when it is reached, and nothing new is never due. Method: around both.
    #[test]
    fn due() {
        let mut due = Due::new(Every::Inputs(10), 5);
        assert_eq!([14, 15, 16].map(|seq| due.is_due(seq)), [false, true, true]);
        due.done(16);
        assert!(!due.is_due(25) && due.is_due(26));
        let due = Due::new(Every::Time(Duration::ZERO), 5);
        assert!(!due.is_due(5) && due.is_due(6));
    }
}
