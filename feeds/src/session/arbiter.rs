//! Two lines of MoldUDP64 packets become one sequence of messages: the first copy of each wins.
//!
//! Nothing goes out before all that precedes it, except what is told as lost. A packet that comes early waits
//! in a bounded buffer; what is missing is awaited from the other line, then asked for, then given up.
//! `MOLDUDP64.md` has the rules. One line is enough: the other then never speaks.

mod gap;
mod held;
mod line;
mod take;
mod words;

use model::Ts;

use super::SessionId;
use super::mold::{Header, Messages, MoldError, Packet, PacketKind, Request};
use gap::Gap;
use held::{Held, Put};
use line::{LineState, Wins};

pub use gap::GapState;
pub use line::{Line, LineCounters};
pub use words::{ArbiterCounters, ArbiterOptions, Arbitrated, Message};

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
