//! One client's connection to a venue that takes orders.

use super::Venue;
use crate::mold::{Login, soup_packet as packet};

/// Bytes of a client's packet: more than any that means something here.
const PACKET_MAX: usize = 1_024;
/// Bytes said at a time.
const SAID_MAX: usize = 64 << 10;
/// Silence of ours after which a heartbeat goes out.
const HEARTBEAT_NS: u64 = 1_000_000_000;
/// Silence of the client after which it is gone.
const SILENCE_NS: u64 = 15_000_000_000;

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
    /// Whose turn it was when this client logged in.
    turn: u64,
    /// A packet that is not whole yet.
    partial: Vec<u8>,
    heard: u64,
    sent: u64,
    /// Said in answer, and not taken yet.
    answer: Vec<u8>,
}

impl Connection {
    /// A client has connected at `now`.
    pub fn new(now: u64, venue: &mut Venue) -> Connection {
        venue.counters.connections += 1;
        Connection {
            state: State::Waiting,
            turn: venue.turn,
            partial: Vec::new(),
            heard: now,
            sent: now,
            answer: Vec::new(),
        }
    }

    /// Takes what the client sent.
    pub fn on_bytes(&mut self, bytes: &[u8], now: u64, venue: &mut Venue) {
        if self.is_over(venue) {
            return; // Whoever logged in later has the port: what this client still sent is not read.
        }
        self.heard = now;
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        while let Some((length, body)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > PACKET_MAX {
                return self.break_off(venue);
            }
            let Some((packet, tail)) = body.split_at_checked(length) else { break };
            rest = tail;
            match (self.state, packet) {
                (State::Waiting, [b'L', login @ ..]) => self.log_in(login, now, venue),
                (_, [b'O']) => self.state = State::Closed,
                (_, [b'R'] | [b'+', ..]) => {}
                (State::Served(_), [b'U', request @ ..]) => venue.on_request(request, now),
                _ => self.break_off(venue),
            }
            if self.state == State::Closed {
                return;
            }
        }
        self.partial = rest.to_vec();
    }

    fn log_in(&mut self, login: &[u8], now: u64, venue: &mut Venue) {
        let Some(login) = Login::parse(login) else { return self.break_off(venue) };
        let reason = if !login.is_of(&venue.config.credentials) {
            Some(b'A')
        } else if !login.is_for(&venue.config.session) {
            Some(b'S')
        } else {
            None
        };
        if let Some(reason) = reason {
            venue.counters.rejected_logins += 1;
            self.state = State::Closed;
            return packet(b'J', &[&[reason]], &mut self.answer);
        }
        let next = venue.said.len() as u64 + 1;
        let asked = if login.next == 0 { next } else { login.next.min(next) };
        venue.counters.logins += 1;
        venue.turn += 1;
        (self.turn, self.sent) = (venue.turn, now);
        self.state = State::Served(asked);
        let digits = format!("{asked:>20}");
        packet(b'A', &[&venue.config.session, digits.as_bytes()], &mut self.answer);
    }

    fn break_off(&mut self, venue: &mut Venue) {
        venue.counters.broken_clients += 1;
        self.state = State::Closed;
    }

    fn is_over(&self, venue: &Venue) -> bool {
        self.state == State::Closed || (self.state != State::Waiting && self.turn != venue.turn)
    }

    /// Says what is due at `now`. Close the connection, said bytes first, when [`Connection::is_closed`].
    pub fn poll(&mut self, now: u64, venue: &mut Venue, out: &mut Vec<u8>) {
        if self.is_over(venue) && self.answer.is_empty() {
            self.state = State::Closed;
            return;
        }
        let before = out.len();
        out.append(&mut self.answer);
        if now.saturating_sub(self.heard) >= SILENCE_NS {
            self.break_off(venue);
        }
        while let State::Served(next) = self.state
            && out.len() - before < SAID_MAX
            && let Some((_, message)) =
                venue.said.get(next as usize - 1).filter(|(due, _)| *due <= now)
        {
            packet(b'S', &[message], out);
            self.state = State::Served(next + 1);
        }
        let quiet = out.len() == before && now.saturating_sub(self.sent) >= HEARTBEAT_NS;
        if quiet && matches!(self.state, State::Served(_)) {
            packet(b'H', &[], out);
        }
        if out.len() > before {
            self.sent = now;
        }
    }

    /// Whether nothing more is to be said or heard.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed && self.answer.is_empty()
    }
}
