//! GLIMPSE 5.0: the book as it stands, over SoupBinTCP, for whoever came late or lost too much.
//!
//! After a login from sequence 1 the server sends the day's directory, the trading states and every open
//! order in ITCH layout, then `G` with the sequence of the first ITCH message that is not in them.
//! `MOLDUDP64.md` tells how that is joined to the lines.

mod words;

use model::Ts;

use super::soup::{Client, Outgoing, Received, number};
use crate::back_off::BackOff;

pub use words::{GlimpseError, GlimpseOptions, Piece};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// Nothing before this time.
    Resting(Ts),
    Opening,
    Open,
    /// The snapshot is whole; the lines have to reach it, and the connection is not needed for that.
    Whole,
    /// The lines have reached it; the connection only has to go.
    Done,
}

/// Fetches one snapshot at a time, and tries again until it has one.
#[derive(Clone, Debug)]
pub struct Glimpse {
    options: GlimpseOptions,
    client: Client,
    state: State,
    since: Ts,
    /// Nothing is opened before this time.
    not_before: Ts,
    failures: u32,
    back_off: BackOff,
    open: bool,
    close: bool,
    error_last: Option<GlimpseError>,
}

impl Glimpse {
    /// A client that is not wanted yet.
    pub fn new(options: GlimpseOptions) -> Glimpse {
        Glimpse {
            options,
            client: Client::new(options.login, options.client),
            state: State::Idle,
            since: Ts(0),
            not_before: Ts(0),
            failures: 0,
            back_off: BackOff::new(options.seed),
            open: false,
            close: false,
            error_last: None,
        }
    }

    /// Whether nothing is wanted or under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle | State::Done)
    }

    /// Whether an attempt is under way, not only wanted after a pause.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, State::Opening | State::Open | State::Whole)
    }

    /// Why the last attempt failed.
    pub const fn error_last(&self) -> Option<GlimpseError> {
        self.error_last
    }

    /// A snapshot is wanted now.
    pub fn want(&mut self, now: Ts) {
        if self.is_idle() {
            self.close |= self.state == State::Done;
            if now < self.not_before {
                self.state = State::Resting(self.not_before);
            } else {
                self.open_now(now);
            }
        }
    }

    fn open_now(&mut self, now: Ts) {
        (self.state, self.since, self.open) = (State::Opening, now, true);
    }

    /// No snapshot is wanted any more. An attempt that is broken off counts as a failure: whatever the lines say,
    /// the server is not asked more often than the pauses allow.
    pub fn cancel(&mut self, now: Ts) {
        if self.is_under_way() {
            self.rest(now);
        }
        self.shut();
        self.state = State::Idle;
    }

    /// The attempt has failed: the next one comes after a pause.
    pub fn fail(&mut self, error: GlimpseError, now: Ts) {
        self.error_last = Some(error);
        self.rest(now);
    }

    fn rest(&mut self, now: Ts) {
        self.shut();
        let (first, most) = (self.options.back_off_ns, self.options.back_off_ns_max);
        let pause = self.back_off.pause(first, most, self.failures);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Ts(now.0.saturating_add(pause));
        self.state = State::Resting(self.not_before);
    }

    /// The snapshot is joined to the lines: the connection may go.
    pub fn done(&mut self) {
        self.failures = 0;
        self.state = State::Done;
        self.client.log_out();
        self.close = true;
    }

    fn shut(&mut self) {
        self.close |= self.is_under_way() && !self.open;
        self.open = false;
        self.client.on_closed();
    }

    /// The connection that was asked for stands.
    pub fn on_opened(&mut self, now: Ts) {
        if self.state == State::Opening && !self.open {
            self.client = Client::new(self.options.login, self.options.client);
            self.client.on_opened(now);
            self.state = State::Open;
        }
    }

    /// The connection is down, or could not be opened.
    ///
    /// # Errors
    ///
    /// [`GlimpseError::Closed`] if the attempt fails by it.
    pub fn on_closed(&mut self) -> Result<(), GlimpseError> {
        match self.state {
            State::Opening | State::Open if !self.open => Err(GlimpseError::Closed),
            _ => Ok(()),
        }
    }

    /// Takes what the server sent.
    ///
    /// # Errors
    ///
    /// [`GlimpseError`]: the attempt fails.
    pub fn on_bytes(
        &mut self,
        bytes: &[u8],
        now: Ts,
        out: &mut impl FnMut(Piece<'_>),
    ) -> Result<(), GlimpseError> {
        if self.state != State::Open {
            return Ok(());
        }
        let mut fault = None;
        let mut whole = false;
        let taken = self.client.on_bytes(bytes, now, &mut |received| match received {
            _ if whole || fault.is_some() => {}
            Received::Accepted { session, next: 1 } => out(Piece::Begin { session }),
            // The rest of a snapshot is none.
            Received::Accepted { next, .. } => fault = Some(GlimpseError::Sequence(next)),
            Received::Rejected { reason } => fault = Some(GlimpseError::Rejected(reason)),
            Received::Sequenced { message: [b'G', digits @ ..], .. } => {
                match number(digits).filter(|next| *next > 0 && digits.len() == 20) {
                    Some(next) => {
                        whole = true;
                        out(Piece::End { next });
                    }
                    None => fault = Some(GlimpseError::BadMessage),
                }
            }
            Received::Sequenced { message, .. } => out(Piece::Message(message)),
            Received::Ended => fault = Some(GlimpseError::Closed),
            Received::Unsequenced(_) | Received::Debug(_) | Received::Heartbeat => {}
        });
        if whole {
            self.state = State::Whole;
            return Ok(());
        }
        taken.map_err(GlimpseError::Soup)?;
        fault.map_or(Ok(()), Err)
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// [`GlimpseError`]: the attempt fails.
    pub fn on_time(&mut self, now: Ts) -> Result<(), GlimpseError> {
        match self.state {
            State::Idle | State::Done => Ok(()),
            State::Resting(until) => {
                if now >= until {
                    self.open_now(now);
                }
                Ok(())
            }
            State::Opening if now.since(self.since) >= self.options.open_ns_max => {
                Err(GlimpseError::Closed)
            }
            State::Opening => Ok(()),
            State::Open | State::Whole if now.since(self.since) >= self.options.snapshot_ns_max => {
                Err(GlimpseError::Timeout)
            }
            State::Whole => Ok(()),
            State::Open => self.client.on_time(now).map_err(GlimpseError::Soup),
        }
    }

    /// When [`Glimpse::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let after = |ns: u64| Ts(self.since.0.saturating_add(ns));
        match self.state {
            State::Idle | State::Done => None,
            State::Resting(until) => Some(until),
            State::Opening => Some(after(self.options.open_ns_max)),
            State::Whole => Some(after(self.options.snapshot_ns_max)),
            State::Open => [Some(after(self.options.snapshot_ns_max)), self.client.wake_at()]
                .into_iter()
                .flatten()
                .min(),
        }
    }

    /// Whether the old connection must go; said once.
    pub fn next_close(&mut self) -> bool {
        std::mem::take(&mut self.close)
    }

    /// Whether a connection is to be opened; said once.
    pub fn next_open(&mut self) -> bool {
        std::mem::take(&mut self.open)
    }

    /// The next bytes to send; every one is said once.
    pub fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.client.next_outgoing()
    }
}
