//! The client's end of a session.

use model::Ts;

use super::{Login, Outgoing, Packet, SoupError, Stream, kind, number};
use crate::session::SessionId;

/// What a client is told. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// A heartbeat goes out after so much silence of ours.
    pub heartbeat_ns: u64,
    /// A server that says nothing for so long is gone.
    pub silence_ns_max: u64,
    /// A server has so long to answer the login.
    pub login_ns_max: u64,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions {
            heartbeat_ns: 1_000_000_000,
            silence_ns_max: 15_000_000_000,
            login_ns_max: 30_000_000_000,
        }
    }
}

/// What a server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// The login is accepted.
    Accepted {
        /// The session.
        session: SessionId,
        /// Sequence of the next message.
        next: u64,
    },
    /// The login is rejected: `A` not authorised, `S` session not available. The connection is over.
    Rejected {
        /// The reason.
        reason: u8,
    },
    /// The message with the sequence `seq`.
    Sequenced {
        /// Counted from the login on.
        seq: u64,
        /// Byte of the connection where its packet begins.
        offset: u64,
        /// The message.
        message: &'a [u8],
    },
    /// A message without a sequence.
    Unsequenced(&'a [u8]),
    /// Text for people.
    Debug(&'a [u8]),
    /// The server is there, and had nothing else to say.
    Heartbeat,
    /// The session is over.
    Ended,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    LoggingIn,
    LoggedIn,
    Ended,
}

/// One session over any number of connections: each login after the first asks for what comes next.
#[derive(Clone, Debug)]
pub struct Client {
    options: ClientOptions,
    login: Login,
    state: State,
    stream: Stream,
    /// The session was accepted before: it is resumed.
    resumes: bool,
    opened: Ts,
    heard: Ts,
    sent: Ts,
    outgoing: Option<Outgoing>,
    logout: bool,
}

impl Client {
    /// A client that is not connected.
    pub fn new(login: Login, options: ClientOptions) -> Client {
        Client {
            options,
            login,
            state: State::Closed,
            stream: Stream::new(),
            resumes: false,
            opened: Ts(0),
            heard: Ts(0),
            sent: Ts(0),
            outgoing: None,
            logout: false,
        }
    }

    /// The next login asks for this, whatever came before; what is accepted then is for the caller to judge.
    pub fn ask_for(&mut self, session: SessionId, next: u64) {
        (self.login.session, self.login.next, self.resumes) = (session, next, false);
    }

    /// The connection stands: the login goes out.
    pub fn on_opened(&mut self, now: Ts) {
        self.stream.restart();
        self.state = State::LoggingIn;
        (self.opened, self.heard, self.sent) = (now, now, now);
        self.outgoing = Some(Outgoing::login(&self.login));
        self.logout = false;
    }

    /// The connection is down. What was unfinished is forgotten; the sequence stays.
    pub fn on_closed(&mut self) {
        self.state = State::Closed;
        self.outgoing = None;
        self.logout = false;
    }

    /// Takes what the server sent.
    ///
    /// # Errors
    ///
    /// [`SoupError`]: close the connection. A resumed session that goes on elsewhere is one of them, because
    /// messages would be missing or be counted twice.
    pub fn on_bytes(
        &mut self,
        bytes: &[u8],
        now: Ts,
        out: &mut impl FnMut(Received<'_>),
    ) -> Result<(), SoupError> {
        if self.state == State::Closed {
            return Ok(());
        }
        let Client { stream, state, login, resumes, heard, .. } = self;
        stream.feed(bytes, &mut |packet| {
            *heard = now; // Bytes that never make a packet are no sign of life.
            take(packet, state, login, resumes, out)
        })
    }

    /// Lets time pass: a heartbeat may be due, or the server gone.
    ///
    /// # Errors
    ///
    /// [`SoupError::LoginTimeout`] or [`SoupError::Silent`]: close the connection.
    pub fn on_time(&mut self, now: Ts) -> Result<(), SoupError> {
        match self.state {
            State::Closed | State::Ended => return Ok(()),
            State::LoggingIn if now.since(self.opened) >= self.options.login_ns_max => {
                return Err(SoupError::LoginTimeout);
            }
            State::LoggedIn if now.since(self.heard) >= self.options.silence_ns_max => {
                return Err(SoupError::Silent);
            }
            State::LoggingIn | State::LoggedIn => {}
        }
        if now.since(self.sent) >= self.options.heartbeat_ns && self.outgoing.is_none() {
            self.outgoing = Some(Outgoing::of(kind::CLIENT_HEARTBEAT));
            self.sent = now;
        }
        Ok(())
    }

    /// When [`Client::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let due = match self.state {
            State::Closed | State::Ended => return None,
            State::LoggingIn => self.opened.0.saturating_add(self.options.login_ns_max),
            State::LoggedIn => self.heard.0.saturating_add(self.options.silence_ns_max),
        };
        Some(Ts(due.min(self.sent.0.saturating_add(self.options.heartbeat_ns))))
    }

    /// The caller has sent something of its own, which is as good as a heartbeat.
    pub fn on_sent(&mut self, now: Ts) {
        self.sent = now;
    }

    /// Asks the server to end the connection.
    pub fn log_out(&mut self) {
        self.logout = matches!(self.state, State::LoggingIn | State::LoggedIn);
    }

    /// The next bytes to send; every one is said once.
    pub fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.take().or_else(|| {
            let logout = std::mem::take(&mut self.logout);
            logout.then(|| Outgoing::of(kind::LOGOUT))
        })
    }

    /// Sequence of the next message.
    pub const fn next(&self) -> u64 {
        self.login.next
    }

    /// Whether the server said that the session is over, or rejected the login.
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether the login was accepted and the session goes on.
    pub fn is_logged_in(&self) -> bool {
        self.state == State::LoggedIn
    }
}

/// What a packet of the server means.
fn take(
    packet: Packet<'_>,
    state: &mut State,
    login: &mut Login,
    resumes: &mut bool,
    out: &mut impl FnMut(Received<'_>),
) -> Result<(), SoupError> {
    let Packet { offset, kind, payload } = packet;
    let fits = |need: u16| {
        let got = payload.len().min(0xFFFF) as u16;
        if got == need { Ok(()) } else { Err(SoupError::Length { offset, kind, need, got }) }
    };
    let now_in = |wanted: State, state: State| {
        if state == wanted { Ok(()) } else { Err(SoupError::Unexpected { offset, kind }) }
    };
    match kind {
        kind::ACCEPTED => {
            now_in(State::LoggingIn, *state)?;
            fits(30)?;
            let field = SoupError::Field { offset, kind };
            let (session, next) = payload.split_first_chunk().ok_or(field)?;
            let (session, next) = (SessionId(*session), number(next).ok_or(field)?);
            if *resumes && (session, next) != (login.session, login.next) {
                return Err(SoupError::Resume);
            }
            (login.session, login.next, *resumes) = (session, next, true);
            *state = State::LoggedIn;
            out(Received::Accepted { session, next });
        }
        kind::REJECTED => {
            now_in(State::LoggingIn, *state)?;
            fits(1)?;
            *state = State::Ended;
            out(Received::Rejected { reason: payload.first().copied().unwrap_or(0) });
        }
        kind::SEQUENCED => {
            now_in(State::LoggedIn, *state)?;
            let seq = login.next;
            login.next = seq.checked_add(1).ok_or(SoupError::Field { offset, kind })?;
            out(Received::Sequenced { seq, offset, message: payload });
        }
        kind::UNSEQUENCED => {
            now_in(State::LoggedIn, *state)?;
            out(Received::Unsequenced(payload));
        }
        kind::SERVER_HEARTBEAT => {
            fits(0)?;
            out(Received::Heartbeat);
        }
        kind::END => {
            now_in(State::LoggedIn, *state)?;
            fits(0)?;
            *state = State::Ended;
            out(Received::Ended);
        }
        kind::DEBUG => out(Received::Debug(payload)),
        _ => return Err(SoupError::UnknownType { offset, kind }),
    }
    Ok(())
}
