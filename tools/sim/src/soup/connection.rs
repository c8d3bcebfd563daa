//! One client's connection.

use super::Core;
use crate::mold::{Login, soup_packet as packet};

/// Bytes that a client may send in all: a login, and heartbeats for a day.
const HEARD_MAX: u64 = 1 << 19;
/// Bytes of a client's packet: more than any that means something here.
const PACKET_MAX: usize = 1_024;
/// Bytes said at a time.
const SAID_MAX: usize = 64 << 10;
/// Silence of ours after which a heartbeat goes out.
const HEARTBEAT_NS: u64 = 1_000_000_000;
/// Silence of the client after which it is gone.
const SILENCE_NS: u64 = 15_000_000_000;
/// How long a client may take to log in.
const LOGIN_NS: u64 = 30_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// Sequence that is said next.
    Served(u64),
    Closed,
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    state: State,
    session: [u8; 10],
    /// A packet that is not whole yet.
    partial: Vec<u8>,
    heard_bytes: u64,
    opened: u64,
    heard: u64,
    sent: u64,
    /// Silent until then.
    stalled: u64,
    /// The message that is next had its faults.
    spared: bool,
    /// Said in answer, and not taken yet.
    answer: Vec<u8>,
}

impl Connection {
    /// A client has connected at `now`.
    pub fn new(now: u64, core: &mut Core) -> Connection {
        core.counters.connections += 1;
        Connection {
            state: State::Waiting,
            session: core.session,
            partial: Vec::new(),
            heard_bytes: 0,
            opened: now,
            heard: now,
            sent: now,
            stalled: 0,
            spared: false,
            answer: Vec::new(),
        }
    }

    /// Takes what the client sent.
    pub fn on_bytes(&mut self, bytes: &[u8], now: u64, core: &mut Core) {
        self.heard = now;
        self.heard_bytes = self.heard_bytes.saturating_add(bytes.len() as u64);
        if self.state == State::Closed || self.heard_bytes > HEARD_MAX {
            return self.break_off(core);
        }
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        while let Some((length, body)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > PACKET_MAX {
                return self.break_off(core);
            }
            let Some((packet, tail)) = body.split_at_checked(length) else { break };
            rest = tail;
            match (self.state, packet) {
                (State::Waiting, [b'L', login @ ..]) => self.log_in(login, now, core),
                (_, [b'O']) => self.state = State::Closed,
                (_, [b'R'] | [b'+', ..]) | (State::Served(_), [b'U', ..]) => {}
                _ => self.break_off(core),
            }
            if self.state == State::Closed {
                return;
            }
        }
        self.partial = rest.to_vec();
    }

    fn log_in(&mut self, login: &[u8], now: u64, core: &mut Core) {
        let faults = core.config.faults;
        let Some(login) = Login::parse(login) else { return self.break_off(core) };
        let reason = if !login.is_of(&core.config.credentials) {
            Some(b'A')
        } else if !login.is_for(&core.session) || core.rng.per_mille(faults.reject_per_mille) {
            Some(b'S')
        } else {
            None
        };
        if let Some(reason) = reason {
            core.counters.rejected += 1;
            self.state = State::Closed;
            return packet(b'J', &[&[reason]], &mut self.answer);
        }
        // What is not said yet is waited for; 0 is the most recent.
        let next = core.published() + 1;
        let asked = if login.next == 0 { next } else { login.next.min(next) };
        let misplace = core.rng.per_mille(faults.misplace_per_mille) && !core.misplaced;
        let other = if misplace { 1 + core.rng.below(next) } else { asked };
        core.misplaced = other != asked;
        core.counters.misplaced += u64::from(core.misplaced);
        core.counters.logins += 1;
        (self.session, self.sent) = (core.session, now);
        self.state = State::Served(other);
        packet(b'A', &[&core.session, format!("{other:>20}").as_bytes()], &mut self.answer);
    }

    fn break_off(&mut self, core: &mut Core) {
        if self.state != State::Closed {
            core.counters.broken += 1;
            self.state = State::Closed;
        }
    }

    /// Says what is due at `now`, a bounded piece of it. Close the connection, said bytes first, when
    /// [`Connection::is_closed`].
    pub fn poll(&mut self, now: u64, core: &mut Core, out: &mut Vec<u8>) {
        let before = out.len();
        out.append(&mut self.answer);
        let late = self.state == State::Waiting && now.saturating_sub(self.opened) >= LOGIN_NS;
        if late || now.saturating_sub(self.heard) >= SILENCE_NS {
            self.break_off(core);
        }
        while let State::Served(next) = self.state
            && now >= self.stalled
            && out.len() - before < SAID_MAX
        {
            if self.session != core.session {
                // Every other session ends with a word.
                if core.counters.sessions.is_multiple_of(2) {
                    packet(b'Z', &[], out);
                }
                self.state = State::Closed;
            } else if next <= core.published() {
                self.say(next, now, core, out);
            } else if core.is_over() && core.error().is_none() {
                packet(b'Z', &[], out);
                self.state = State::Closed;
            } else {
                if now.saturating_sub(self.sent) >= HEARTBEAT_NS && out.len() == before {
                    packet(b'H', &[], out);
                }
                break;
            }
        }
        if out.len() > before {
            self.sent = now;
        }
    }

    /// Says one message, or does what goes wrong before it or in its middle.
    fn say(&mut self, next: u64, now: u64, core: &mut Core, out: &mut Vec<u8>) {
        let Core { config, messages, rng, counters, .. } = core;
        let faults = config.faults;
        let Some(message) = messages.get(next as usize - 1) else { return };
        if !std::mem::replace(&mut self.spared, true) {
            if rng.per_million(faults.stall_per_million) {
                counters.stalled += 1;
                self.stalled = now.saturating_add(faults.stall_ns);
                return;
            }
            if rng.per_million(faults.garbage_per_million) {
                counters.garbage += 1;
                match rng.below(5) {
                    0 => out.extend_from_slice(&[0, 0]),
                    1 => packet(b'?', &[message], out),
                    2 => packet(b'Z', &[message], out),
                    3 => {
                        let cut = 1 + rng.below(message.len().saturating_sub(1) as u64) as usize;
                        packet(b'S', &[&message[..cut]], out);
                    }
                    _ => packet(b'S', &[message, &[0, 7]], out),
                }
                return;
            }
            if rng.per_million(faults.drop_per_million) {
                counters.dropped += 1;
                let from = out.len();
                packet(b'S', &[message], out);
                out.truncate(from + rng.below((out.len() - from) as u64) as usize);
                self.state = State::Closed;
                return;
            }
        }
        packet(b'S', &[message], out);
        counters.sent += 1;
        self.spared = false;
        self.state = State::Served(next + 1);
    }

    /// When [`Connection::poll`] is due next, if nothing is heard or published before.
    pub fn wake_at(&self, now: u64, core: &Core) -> Option<u64> {
        let gone = self.heard.saturating_add(SILENCE_NS);
        match self.state {
            _ if !self.answer.is_empty() => Some(now),
            State::Closed => None,
            State::Waiting => Some(gone.min(self.opened.saturating_add(LOGIN_NS))),
            State::Served(_) if self.stalled > now => Some(gone.min(self.stalled)),
            State::Served(next) => {
                let ended = core.is_over() && core.error().is_none();
                let due = next <= core.published() || ended || self.session != core.session;
                let beat = self.sent.saturating_add(HEARTBEAT_NS);
                Some(if due { now } else { gone.min(beat) })
            }
        }
    }

    /// Whether everything that was published was said by it.
    pub fn is_current(&self, core: &Core) -> bool {
        self.session == core.session && self.state == State::Served(core.published() + 1)
    }

    /// Whether nothing more is to be said or heard.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed && self.answer.is_empty()
    }
}
