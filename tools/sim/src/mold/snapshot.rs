//! The snapshot server: GLIMPSE over SoupBinTCP, one connection at a time in the caller's hands.
//!
//! A packet is length (2, type included), type, payload. A client says `L` login, `R` heartbeat,
//! `O` logout, `U` data (ignored) and `+` text (ignored). The server says `A` or `J`, then `S` for
//! each message, and `H`.

use super::Published;

/// Bytes that a client may send in all: a login, and heartbeats for a day.
const HEARD_MAX: u64 = 1 << 19;
/// Bytes of a client's packet: more than any that means something here.
const PACKET_MAX: usize = 1_024;
/// Silence of ours after which a heartbeat goes out.
const HEARTBEAT_NS: u64 = 1_000_000_000;
/// Silence of the client after which it is gone.
const SILENCE_NS: u64 = 15_000_000_000;
/// How long a client may take to log in.
const LOGIN_NS: u64 = 30_000_000_000;

/// Who may have a snapshot. Compared without case and without spaces at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// At most 6 characters.
    pub user: String,
    /// At most 10 characters.
    pub password: String,
}

impl Default for Credentials {
    fn default() -> Credentials {
        Credentials { user: "sim".to_owned(), password: "sim".to_owned() }
    }
}

/// What came to the snapshot server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotCounters {
    /// Connections.
    pub connections: u64,
    /// Connections that were closed at once: too many at a time.
    pub turned_away: u64,
    /// Logins that were rejected.
    pub rejected: u64,
    /// Connections that were closed because the client broke the protocol or fell silent.
    pub broken: u64,
    /// Snapshots that were made.
    pub served: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Served,
    Closed,
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    state: State,
    /// A packet that is not whole yet.
    partial: Vec<u8>,
    heard_bytes: u64,
    opened: u64,
    heard: u64,
    sent: u64,
}

impl Connection {
    /// A client has connected at `now`.
    pub fn new(now: u64) -> Connection {
        Connection {
            state: State::Waiting,
            partial: Vec::new(),
            heard_bytes: 0,
            opened: now,
            heard: now,
            sent: now,
        }
    }

    /// Takes what the client sent; what is to be sent is appended to `out`. Close the connection,
    /// sent bytes first, when [`Connection::is_closed`].
    pub fn on_bytes(
        &mut self,
        bytes: &[u8],
        now: u64,
        (published, credentials): (&Published, &Credentials),
        counters: &mut SnapshotCounters,
        out: &mut Vec<u8>,
    ) {
        self.heard = now;
        self.heard_bytes = self.heard_bytes.saturating_add(bytes.len() as u64);
        if self.state == State::Closed || self.heard_bytes > HEARD_MAX {
            return self.break_off(counters);
        }
        let mut bytes_left = std::mem::take(&mut self.partial);
        bytes_left.extend_from_slice(bytes);
        let mut rest = bytes_left.as_slice();
        while let Some((length, body)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > PACKET_MAX {
                return self.break_off(counters);
            }
            let Some((packet, tail)) = body.split_at_checked(length) else { break };
            rest = tail;
            match (self.state, packet) {
                (State::Waiting, [b'L', login @ ..]) => {
                    self.log_in(login, (published, credentials), counters, out);
                    self.sent = now;
                }
                (_, [b'O']) => self.state = State::Closed,
                (_, [b'R'] | [b'+', ..]) | (State::Served, [b'U', ..]) => {}
                _ => self.break_off(counters),
            }
            if self.state == State::Closed {
                return;
            }
        }
        self.partial = rest.to_vec();
    }

    fn log_in(
        &mut self,
        login: &[u8],
        (published, credentials): (&Published, &Credentials),
        counters: &mut SnapshotCounters,
        out: &mut Vec<u8>,
    ) {
        let reason = match Login::parse(login) {
            None => return self.break_off(counters),
            Some(login) if !login.is_of(credentials) => b'A',
            // A snapshot has no past: it begins at its beginning.
            Some(login) if login.is_for(&published.session()) && login.next <= 1 => {
                counters.served += 1;
                self.state = State::Served;
                return serve(published, out);
            }
            Some(_) => b'S',
        };
        counters.rejected += 1;
        self.state = State::Closed;
        packet(b'J', &[&[reason]], out);
    }

    fn break_off(&mut self, counters: &mut SnapshotCounters) {
        if self.state != State::Closed {
            counters.broken += 1;
            self.state = State::Closed;
        }
    }

    /// Lets time pass.
    pub fn on_time(&mut self, now: u64, counters: &mut SnapshotCounters, out: &mut Vec<u8>) {
        let late = self.state == State::Waiting && now.saturating_sub(self.opened) >= LOGIN_NS;
        if late || now.saturating_sub(self.heard) >= SILENCE_NS {
            self.break_off(counters);
        } else if self.state == State::Served && now.saturating_sub(self.sent) >= HEARTBEAT_NS {
            packet(b'H', &[], out);
            self.sent = now;
        }
    }

    /// Whether nothing more is to be said or heard.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }
}

/// Session, sequence 1, the whole book, and where the lines go on.
fn serve(published: &Published, out: &mut Vec<u8>) {
    packet(b'A', &[&published.session(), format!("{:>20}", 1).as_bytes()], out);
    published.book().messages().for_each(|message| packet(b'S', &[message], out));
    packet(b'S', &[b"G", format!("{:020}", published.next()).as_bytes()], out);
}

/// Appends a packet; what the server says is short.
pub(crate) fn packet(kind: u8, fields: &[&[u8]], out: &mut Vec<u8>) {
    let length = 1 + fields.iter().map(|field| field.len()).sum::<usize>();
    out.extend_from_slice(&(length as u16).to_be_bytes());
    out.push(kind);
    fields.iter().for_each(|field| out.extend_from_slice(field));
}

/// A login's payload: user (6), password (10), session (10), sequence (20), from 4.10 on timeout
/// (5).
pub(crate) struct Login<'a> {
    user: &'a [u8],
    password: &'a [u8],
    session: &'a [u8],
    pub(crate) next: u64,
}

impl<'a> Login<'a> {
    pub(crate) fn parse(payload: &'a [u8]) -> Option<Login<'a>> {
        if ![46, 51].contains(&payload.len()) {
            return None;
        }
        let digits = std::str::from_utf8(&payload[26..46]).ok()?.trim_start_matches(' ');
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let next = digits.parse().ok().filter(|_| is_number)?;
        let [user, password, session] = [&payload[..6], &payload[6..16], &payload[16..26]];
        Some(Login { user, password, session, next })
    }

    pub(crate) fn is_of(&self, credentials: &Credentials) -> bool {
        let same =
            |field: &[u8], text: &str| field.trim_ascii_end().eq_ignore_ascii_case(text.as_bytes());
        same(self.user, &credentials.user) && same(self.password, &credentials.password)
    }

    pub(crate) fn is_for(&self, session: &[u8; 10]) -> bool {
        let wanted = self.session.trim_ascii();
        wanted.is_empty() || wanted == session.trim_ascii()
    }
}
