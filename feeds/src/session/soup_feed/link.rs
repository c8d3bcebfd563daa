//! When a connection is opened, and when it is not: bounded pauses, longer after each failure.

use model::Ts;

use super::{SoupFeedError, SoupFeedOptions};
use crate::back_off::BackOff;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing before this time.
    Resting(Ts),
    Opening,
    Open,
}

/// One connection at a time.
#[derive(Clone, Debug)]
pub(super) struct Link {
    state: State,
    since: Ts,
    failures: u32,
    back_off: BackOff,
    open: bool,
    close: bool,
    open_ns_max: u64,
    back_off_ns: u64,
    back_off_ns_max: u64,
}

impl Link {
    pub(super) fn new(options: &SoupFeedOptions) -> Link {
        Link {
            state: State::Resting(Ts(0)),
            since: Ts(0),
            failures: 0,
            back_off: BackOff::new(options.seed),
            open: false,
            close: false,
            open_ns_max: options.open_ns_max,
            back_off_ns: options.back_off_ns,
            back_off_ns_max: options.back_off_ns_max,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self.state, State::Resting(_))
    }

    /// The connection that was asked for stands; `false`: none was.
    pub(super) fn on_opened(&mut self, now: Ts) -> bool {
        let wanted = self.state == State::Opening && !self.open;
        if wanted {
            (self.state, self.since) = (State::Open, now);
        }
        wanted
    }

    pub(super) fn on_time(&mut self, now: Ts) -> Result<(), SoupFeedError> {
        match self.state {
            State::Resting(until) if now >= until => {
                (self.state, self.since, self.open) = (State::Opening, now, true);
            }
            State::Opening if now.since(self.since) >= self.open_ns_max => {
                return Err(SoupFeedError::Closed);
            }
            State::Resting(_) | State::Opening | State::Open => {}
        }
        Ok(())
    }

    pub(super) fn wake_at(&self) -> Option<Ts> {
        match self.state {
            State::Resting(until) => Some(until),
            State::Opening => Some(Ts(self.since.0.saturating_add(self.open_ns_max))),
            State::Open => None,
        }
    }

    /// The connection was good for something: the next pause is the first again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The connection goes; the next one comes after a pause.
    pub(super) fn rest(&mut self, now: Ts) {
        self.close |= self.is_under_way() && !self.open;
        self.open = false;
        let (first, most) = (self.back_off_ns, self.back_off_ns_max);
        let pause = self.back_off.pause(first, most, self.failures);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Resting(Ts(now.0.saturating_add(pause)));
    }

    pub(super) fn next_close(&mut self) -> bool {
        std::mem::take(&mut self.close)
    }

    pub(super) fn next_open(&mut self) -> bool {
        std::mem::take(&mut self.open)
    }
}
