//! When a connection is opened, and when it is not.

use model::Ts;

use super::Options;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing before this time.
    Resting(Ts),
    Opening,
    Open,
    /// Open, and another one follows at once.
    Turning,
}

/// One connection at a time, with pauses that double.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    state: State,
    since: Ts,
    failures: u32,
    open: bool,
    open_ns_max: u64,
    back_off_ns: u64,
    back_off_ns_max: u64,
}

impl Link {
    pub fn new(options: &Options) -> Link {
        Link {
            state: State::Resting(Ts(0)),
            since: Ts(0),
            failures: 0,
            open: false,
            open_ns_max: options.open_ns_max,
            back_off_ns: options.back_off_ns,
            back_off_ns_max: options.back_off_ns_max,
        }
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Turning)
    }

    pub fn is_turning(&self) -> bool {
        self.state == State::Turning
    }

    pub fn is_under_way(&self) -> bool {
        !matches!(self.state, State::Resting(_))
    }

    /// The connection that was asked for stands; `false`: none was.
    pub fn on_opened(&mut self, now: Ts) -> bool {
        let wanted = self.state == State::Opening && !self.open;
        if wanted {
            (self.state, self.since) = (State::Open, now);
        }
        wanted
    }

    /// Whether the connection that is asked for may take longer still.
    pub fn on_time(&mut self, now: Ts) -> bool {
        match self.state {
            State::Resting(until) if now >= until => {
                (self.state, self.since, self.open) = (State::Opening, now, true);
            }
            State::Opening => return now.since(self.since) < self.open_ns_max,
            _ => {}
        }
        true
    }

    pub fn wake_at(&self) -> Option<Ts> {
        match self.state {
            State::Resting(until) => Some(until),
            State::Opening => Some(Ts(self.since.0.saturating_add(self.open_ns_max))),
            State::Open | State::Turning => None,
        }
    }

    /// What this connection was for is done.
    pub fn begin_turn(&mut self) {
        self.state = State::Turning;
    }

    /// It goes, and the next one is opened at once.
    pub fn turn(&mut self, now: Ts) {
        (self.state, self.since, self.open) = (State::Opening, now, true);
    }

    /// The next pause is the first again.
    pub fn succeeded(&mut self, now: Ts) {
        (self.failures, self.since) = (0, now);
    }

    /// The connection goes; the next one comes after a pause.
    pub fn rest(&mut self, now: Ts) {
        self.open = false;
        let doubled = self.back_off_ns.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let pause = doubled.min(self.back_off_ns_max);
        self.state = State::Resting(Ts(now.0.saturating_add(pause)));
    }

    pub fn next_open(&mut self) -> bool {
        std::mem::take(&mut self.open)
    }
}
