//! Two lines of MoldUDP64 packets become one sequence of messages: the first copy of each wins.
//!
//! Nothing goes out before all that precedes it, except what is told as lost. A packet that comes early waits
//! in a bounded buffer; what is missing is awaited from the other line, then asked for, then given up.
//! `MOLDUDP64.md` has the rules. One line is enough: the other then never speaks.

mod gap;
mod held;
mod line;
mod take;

use model::Ts;

use super::SessionId;
use super::mold::{Header, Messages, MoldError, Packet, PacketKind, Request};
use gap::Gap;
use held::{Held, Put};
use line::{LineState, Wins};

pub use gap::GapState;
pub use line::{Line, LineCounters};

/// What an arbiter is told. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArbiterOptions {
    /// Whether there is a line B.
    pub two_lines: bool,
    /// Packets that may wait for their turn.
    pub held_packets_max: usize,
    /// Bytes of them; twice that is allocated.
    pub held_bytes_max: usize,
    /// How long a gap may be filled by the other line, or by a late packet.
    pub gap_wait_ns: u64,
    /// How long a request may go without an answer.
    pub request_timeout_ns: u64,
    /// Requests without an answer before the gap is given up; 0: there is no server.
    pub attempts_max: u32,
    /// Messages of one request.
    pub request_messages_max: u16,
    /// How long messages may be asked for without ever catching up, before all that is missing is given up.
    pub recovery_ns_max: u64,
    /// A line that says nothing for so long is dead: three heartbeats.
    pub line_dead_ns: u64,
    /// A session that is first heard of no more than so many messages after its first is asked for from
    /// there; any other is joined where it stands. 0: always joined.
    pub join_messages_max: u64,
}

impl Default for ArbiterOptions {
    fn default() -> ArbiterOptions {
        ArbiterOptions {
            two_lines: true,
            held_packets_max: 256,
            held_bytes_max: 512 << 10,
            gap_wait_ns: 2_000_000,
            request_timeout_ns: 250_000_000,
            attempts_max: 4,
            request_messages_max: 1_024,
            recovery_ns_max: 5_000_000_000,
            line_dead_ns: 3_000_000_000,
            join_messages_max: 1_024,
        }
    }
}

/// What comes out, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arbitrated<'a> {
    /// The next message.
    Message(Message<'a>),
    /// `count` messages from `first` on are lost; the next is the one behind them.
    Lost {
        /// The first of them.
        first: u64,
        /// How many.
        count: u64,
        /// When they were given up.
        now: Ts,
    },
    /// Another session than before, or the first one. Its messages begin at `first`: joined late, unless 1.
    Session {
        /// Sequence of the first message to come.
        first: u64,
        /// When.
        now: Ts,
    },
    /// The session is over, and this is all of it.
    Ended,
}

/// A message in its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its sequence.
    pub seq: u64,
    /// Its bytes; none is legal.
    pub bytes: &'a [u8],
    /// The line that brought it first.
    pub line: Line,
    /// When.
    pub ts_recv: Ts,
    /// The last of its packet.
    pub last_of_packet: bool,
}

/// What an arbiter has seen, lines apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArbiterCounters {
    /// Times that something was missing.
    pub gaps: u64,
    /// Requests made.
    pub requests: u64,
    /// Messages given up.
    pub lost: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Packets that had to wait.
    pub held: u64,
    /// The last refusal of a packet.
    pub malformed_last: Option<MoldError>,
}

/// Sessions that are over and whose late packets are ignored.
const PAST: usize = 4;

/// Two lines into one.
#[derive(Debug)]
pub struct Arbiter {
    options: ArbiterOptions,
    session: SessionId,
    /// Sequence of the next message; zero before the first session.
    next: u64,
    /// Sequence of the next message as far as heartbeats and dropped packets tell, and since when.
    known_end: (u64, Ts),
    /// What was asked for ends here.
    asked_end: u64,
    gap: Option<Gap>,
    request: Option<Request>,
    held: Held,
    lines: [LineState; 3],
    wins: Wins,
    past: [Option<SessionId>; PAST],
    /// The session's end was told, and whether that was passed on.
    end: Option<bool>,
    started: bool,
    counters: ArbiterCounters,
}

impl Arbiter {
    /// An arbiter that has heard nothing.
    pub fn new(options: ArbiterOptions) -> Arbiter {
        Arbiter {
            options,
            session: SessionId::default(),
            next: 0,
            known_end: (0, Ts(0)),
            asked_end: 0,
            gap: None,
            request: None,
            held: Held::new(options.held_packets_max, options.held_bytes_max),
            lines: [LineState::new(), LineState::new(), LineState::new()],
            wins: Wins::new(),
            past: [None; PAST],
            end: None,
            started: false,
            counters: ArbiterCounters::default(),
        }
    }

    /// Takes a packet of `line`, received at `now`; [`Line::Answer`]: of the re-request server.
    #[inline]
    pub fn on_packet<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        line: Line,
        packet: &[u8],
        now: Ts,
        out: &mut F,
    ) {
        self.start(now);
        let header = Header::parse(packet).and_then(|header| Ok((header, header.end()?)));
        let (header, end) = match header {
            Ok(header) => header,
            Err(error) => return self.refuse(line, error),
        };
        if (self.next == 0 || header.session != self.session)
            && !self.other_session(line, &header, packet, now, out)
        {
            return;
        }
        if end <= self.next && header.kind() == PacketKind::Messages {
            let skew = self.wins.skew(header.first, now, line);
            let state = self.line_mut(line);
            state.carry(header.first, end, now);
            return state.duplicate(u64::from(header.count), skew);
        }
        let packet = match Packet::parse(packet) {
            Ok(packet) => packet,
            Err(error) => return self.refuse(line, error),
        };
        self.line_mut(line).carry(header.first, end, now);
        match header.kind() {
            PacketKind::Messages if header.first <= self.next => {
                self.wins.set(header.first, now, line);
                self.deliver((header.first, end), packet.blocks(), line, now, out);
            }
            PacketKind::Messages => self.hold(&packet, end, line, now),
            PacketKind::Heartbeat => self.know(end, now),
            PacketKind::End => {
                self.know(end, now);
                self.end.get_or_insert(false);
            }
        }
        if self.gap.is_some() || !self.held.is_empty() || self.known_end.0 > self.next {
            self.drain(out);
            self.reassess(line, now, out);
        }
        self.tell_end(out);
    }

    /// Lets time pass: call it at [`Arbiter::wake_at`], or more often.
    pub fn on_time<F: FnMut(Arbitrated<'_>)>(&mut self, now: Ts, out: &mut F) {
        self.start(now);
        if self.gap.is_some_and(|gap| now >= gap.wake_at()) {
            self.reassess(Line::A, now, out);
            self.tell_end(out);
        }
        let dead_ns = self.options.line_dead_ns;
        for state in self.lines.iter_mut().take(2) {
            if state.alive && now.since(state.heard) >= dead_ns {
                state.alive = false;
                state.counters.deaths += 1;
            }
        }
    }

    /// When [`Arbiter::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let dead_ns = self.options.line_dead_ns;
        let alive = self.lines.iter().take(2).filter(|state| state.alive && self.started);
        let dead = alive.map(|state| Ts(state.heard.0.saturating_add(dead_ns))).min();
        let gap = self.gap.as_ref().map(Gap::wake_at);
        [dead, gap].into_iter().flatten().min()
    }

    /// Passes over what lies before `next`, because a snapshot tells it.
    pub fn skip_to<F: FnMut(Arbitrated<'_>)>(&mut self, next: u64, now: Ts, out: &mut F) {
        if self.next != 0 && next > self.next {
            self.next = next;
            self.drain(out);
            self.reassess(Line::Answer, now, out);
            self.tell_end(out);
        }
    }

    /// Sequence of the next message to go out; zero before the first session.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Sequence that the venue's next message has, as far as is known.
    pub fn head(&self) -> u64 {
        self.next.max(self.known_end.0).max(self.held.end())
    }

    /// The session; all zeros before the first.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Whether no line is alive.
    pub fn is_silent(&self) -> bool {
        self.lines.iter().take(2).all(|state| !state.alive)
    }

    /// Whether a line has been heard lately enough.
    pub fn is_alive(&self, line: Line) -> bool {
        self.line(line).alive
    }

    /// What a line has carried.
    pub fn line_counters(&self, line: Line) -> LineCounters {
        self.line(line).counters(self.next)
    }

    /// What was seen, lines apart.
    pub const fn counters(&self) -> ArbiterCounters {
        self.counters
    }

    /// Packets that wait for their turn.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn line(&self, line: Line) -> &LineState {
        let [a, b, answer] = &self.lines;
        match line {
            Line::A => a,
            Line::B => b,
            Line::Answer => answer,
        }
    }

    fn line_mut(&mut self, line: Line) -> &mut LineState {
        let [a, b, answer] = &mut self.lines;
        match line {
            Line::A => a,
            Line::B => b,
            Line::Answer => answer,
        }
    }
}

#[cfg(test)]
mod tests;
