//! A venue of Nasdaq's kind over connections, on virtual time: SoupBinTCP 3.00, every message of the
//! session to whoever logs in, from the sequence that is asked for.
//!
//! Times are nanoseconds on any clock of the caller's.

mod connection;
mod faults;
mod net;

use std::io;

use crate::mold::{Credentials, Pace};
use crate::rng::Rng;
use crate::source::{Source, Timed};

pub use connection::Connection;
pub use faults::{BadFaults, Faults};
pub use net::Server;

/// Messages published at a time.
const POLL_MAX: u32 = 65_536;

/// What a venue is told. Times in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the first session; those after it end in other digits.
    pub session: [u8; 10],
    /// How fast; packets are messages here.
    pub pace: Pace,
    /// Who may hear it.
    pub credentials: Credentials,
    /// What goes wrong.
    pub faults: Faults,
    /// Messages that a session may have.
    pub messages_max: usize,
}

impl Default for Config {
    /// The built-in pace, no faults, user `sim` with password `sim`.
    fn default() -> Config {
        Config {
            session: *b"SIM0000001",
            pace: Pace::Recorded { per_cent: 100 },
            credentials: Credentials::default(),
            faults: Faults::NONE,
            messages_max: 1 << 24,
        }
    }
}

/// What a venue has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages published.
    pub messages: u64,
    /// Messages sent, to all clients.
    pub sent: u64,
    /// Connections.
    pub connections: u64,
    /// Logins that were accepted.
    pub logins: u64,
    /// Logins that were rejected.
    pub rejected: u64,
    /// Clients that broke the protocol or fell silent.
    pub broken: u64,
    /// Connections dropped in the middle of a message.
    pub dropped: u64,
    /// Times that a connection was stalled.
    pub stalled: u64,
    /// Packets of garbage.
    pub garbage: u64,
    /// Logins that were accepted with another sequence.
    pub misplaced: u64,
    /// Sessions that gave way to another.
    pub sessions: u64,
}

/// The venue: what it has said, and to whom it may be said.
pub struct Core {
    config: Config,
    source: Source,
    ahead: Option<Timed>,
    exhausted: bool,
    error: Option<io::Error>,
    /// Times of the first message: the source's, and when it was due.
    origin: Option<u64>,
    start: u64,
    session: [u8; 10],
    /// All that was published, from sequence 1 on.
    messages: Vec<Vec<u8>>,
    rng: Rng,
    /// The last login was answered with another sequence; the next one is not.
    misplaced: bool,
    counters: Counters,
}

impl Core {
    /// A venue that begins at `start`.
    pub fn new(config: Config, source: Source, start: u64) -> Core {
        Core {
            source,
            ahead: None,
            exhausted: false,
            error: None,
            origin: None,
            start,
            session: config.session,
            messages: Vec::new(),
            rng: Rng::new(config.faults.seed),
            misplaced: false,
            counters: Counters::default(),
            config,
        }
    }

    /// Publishes what is due at `now`, a bounded piece of it: call again while [`Core::wake_at`] is not after
    /// `now`.
    pub fn poll(&mut self, now: u64) {
        for _ in 0..POLL_MAX {
            if self.wake_at(now).is_none_or(|at| at > now) {
                return;
            }
            let Some(message) = self.ahead.take() else { return };
            self.messages.push(message.bytes);
            self.counters.messages += 1;
            if self.rng.per_million(self.config.faults.session_per_million) {
                self.change_session();
            }
        }
    }

    /// When [`Core::poll`] is due next; `None`: never.
    pub fn wake_at(&mut self, now: u64) -> Option<u64> {
        if self.ahead.is_none() && !self.exhausted {
            match self.source.next() {
                Some(Ok(_)) if self.messages.len() >= self.config.messages_max => {
                    let error = io::Error::other("more messages than a session may have");
                    (self.error, self.exhausted) = (Some(error), true);
                }
                Some(Ok(message)) => self.ahead = Some(message),
                Some(Err(error)) => (self.error, self.exhausted) = (Some(error), true),
                None => self.exhausted = true,
            }
        }
        let at_ns = self.ahead.as_ref()?.at_ns;
        Some(match self.config.pace {
            Pace::Recorded { per_cent } => {
                let since = at_ns.saturating_sub(*self.origin.get_or_insert(at_ns));
                let since = u128::from(since) * 100 / u128::from(per_cent.max(1));
                self.start.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
            }
            Pace::PacketsPerSecond(rate) => {
                let since =
                    self.counters.messages as u128 * 1_000_000_000 / u128::from(rate.max(1));
                self.start.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
            }
            Pace::FlatOut => now,
        })
    }

    /// Another session takes over: it says all that was said, from sequence 1 on, and nobody hears the old one.
    pub fn change_session(&mut self) {
        self.counters.sessions += 1;
        for digit in self.session.iter_mut().rev() {
            let next = if digit.is_ascii_digit() && *digit < b'9' { *digit + 1 } else { b'0' };
            *digit = next;
            if next != b'0' {
                break;
            }
        }
    }

    /// Messages published.
    pub fn published(&self) -> u64 {
        self.messages.len() as u64
    }

    /// Whether all is published. The session is then over, unless the source broke off.
    pub fn is_over(&self) -> bool {
        self.exhausted && self.ahead.is_none()
    }

    /// Why the source ended before its end. The session is then not ended either: it only falls silent.
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// What was done.
    pub const fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests;
