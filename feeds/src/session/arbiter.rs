//! Two lines of MoldUDP64 packets become one sequence of messages: the first copy of each wins.
//!
//! Nothing goes out before all that precedes it, except what is told as lost. A packet that comes early waits
//! in a bounded buffer; what is missing is awaited from the other line, then asked for, then given up.
//! `MOLDUDP64.md` has the rules. One line is enough: the other then never speaks.

mod gap;
mod held;
mod line;
mod rival;
mod take;
mod words;

use model::Ts;

use super::SessionId;
use super::mold::{Header, Messages, MoldError, Packet, PacketKind, Request};
use gap::{Claim, FAR, Gap};
use held::{Held, Put};
use line::{LineState, Wins};
use rival::Rival;

pub use gap::GapState;
pub use line::{Line, LineCounters};
pub use words::{ArbiterCounters, ArbiterOptions, Arbitrated, Message};

/// Sessions that are over and whose late packets are ignored.
const PAST: usize = 4;

/// The end of the session, as far as it was told.
#[derive(Clone, Copy, Debug)]
struct End {
    /// Sequence that the next message would have had.
    at: u64,
    /// It was passed on.
    said: bool,
}

/// Two lines into one.
#[derive(Debug)]
pub struct Arbiter {
    options: ArbiterOptions,
    session: SessionId,
    /// Sequence of the next message; zero before the first session.
    next: u64,
    /// What heartbeats and dropped packets tell of the next message.
    claim: Claim,
    /// A claim that was not believed.
    doubted: u64,
    /// What was asked for ends here.
    asked_end: u64,
    gap: Option<Gap>,
    request: Option<Request>,
    held: Held,
    lines: [LineState; 3],
    wins: Wins,
    /// Another session, or this one from an earlier sequence, that may be about to take over.
    rival: Option<Rival>,
    past: [Option<SessionId>; PAST],
    end: Option<End>,
    /// A message of the session went out, or a snapshot was joined: it is more than a name.
    confirmed: bool,
    /// When the session was entered.
    began: Ts,
    /// When a line last brought a sound packet that does not lie wholly in the past.
    fresh: Ts,
    silent: bool,
    /// When a line last brought a message in its turn while something was missing further on.
    moved: Ts,
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
            claim: Claim::default(),
            doubted: 0,
            asked_end: 0,
            gap: None,
            request: None,
            held: Held::new(options.held_packets_max, options.held_bytes_max),
            lines: [LineState::new(), LineState::new(), LineState::new()],
            wins: Wins::new(),
            rival: None,
            past: [None; PAST],
            end: None,
            confirmed: false,
            began: Ts(0),
            fresh: Ts(0),
            silent: false,
            moved: Ts(0),
            started: false,
            counters: ArbiterCounters::default(),
        }
    }

    /// Takes a packet of `line`; [`Line::Answer`]: of the re-request server. `received` is what its messages
    /// are stamped with; it may be by another clock than `now`, which all waiting is measured by.
    #[inline]
    pub fn on_packet<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        line: Line,
        packet: &[u8],
        (received, now): (Ts, Ts),
        out: &mut F,
    ) {
        self.start(now);
        let header = Header::parse(packet).and_then(|header| Ok((header, header.end()?)));
        let (header, mut end) = match header {
            Ok(header) => header,
            Err(error) => return self.refuse(line, error),
        };
        if self.next == 0 || header.session != self.session {
            if !self.other_session(line, &header, packet, now, out) {
                return;
            }
        } else if line == Line::Answer {
            match self.asked_part(&header, end) {
                Some(part) => end = part,
                None => return self.pass_by(line),
            }
        } else if end < self.next && self.silent {
            self.begin_again(line, &header, packet, now, out);
        }
        if end <= self.next && header.kind() == PacketKind::Messages {
            let skew = self.wins.skew(header.first, received, line);
            let state = self.line_mut(line);
            state.carry(header.first, end, now);
            return state.duplicate(u64::from(header.count), skew);
        }
        let packet = match Packet::parse(packet) {
            Ok(packet) => packet,
            Err(error) => return self.refuse(line, error),
        };
        if line != Line::Answer && end >= self.next {
            (self.fresh, self.silent) = (now, false);
            if self.rival.is_some() {
                self.outlive(header.kind());
            }
        }
        self.line_mut(line).carry(header.first, end, now);
        match header.kind() {
            PacketKind::Messages if header.first <= self.next => {
                self.wins.set(header.first, received, line);
                self.deliver((header.first, end), packet.blocks(), line, received, out);
            }
            PacketKind::Messages => self.hold(&packet, end, line, (received, now)),
            PacketKind::Heartbeat => {
                self.know(end, now);
                if end == self.next && self.confirmed {
                    out(Arbitrated::Heartbeat { now });
                }
            }
            PacketKind::End => self.hear_end(end, now),
        }
        if self.gap.is_some() || !self.held.is_empty() || self.claim.end > self.next {
            self.weigh(line, end, now);
            self.drain(out);
            self.reassess(Some(line), now, out);
        }
        self.tell_end(out);
    }

    /// Lets time pass: call it at [`Arbiter::wake_at`], or more often, when what has come by all lines was taken.
    pub fn on_time<F: FnMut(Arbitrated<'_>)>(&mut self, now: Ts, out: &mut F) {
        self.start(now);
        if self.gap.is_some_and(|gap| now >= gap.wake_at()) {
            self.reassess(None, now, out);
            self.tell_end(out);
        }
        let dead_ns = self.options.line_dead_ns;
        for state in self.lines.iter_mut().take(2) {
            if state.alive && now.since(state.heard) >= dead_ns {
                state.alive = false;
                state.counters.deaths += 1;
            }
        }
        self.silent |= now.since(self.fresh) >= dead_ns;
    }

    /// When [`Arbiter::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let mut heard = if self.silent { u64::MAX } else { self.fresh.0 };
        for state in self.lines.iter().take(2).filter(|state| state.alive) {
            heard = heard.min(state.heard.0);
        }
        let waits = self.started && heard < u64::MAX;
        let dead = waits.then(|| Ts(heard.saturating_add(self.options.line_dead_ns)));
        let gap = self.gap.as_ref().map(Gap::wake_at);
        [dead, gap].into_iter().flatten().min()
    }

    /// Passes over what lies before `next`, because a snapshot tells it.
    pub fn skip_to<F: FnMut(Arbitrated<'_>)>(&mut self, next: u64, now: Ts, out: &mut F) {
        if self.next == 0 {
            return;
        }
        self.confirmed = true;
        if next > self.next {
            self.counters.passed_over += next - self.next;
            self.next = next;
            // What is missing behind the snapshot has its own time.
            (self.gap, self.request) = (None, None);
            self.drain(out);
            self.reassess(Some(Line::A), now, out);
            self.tell_end(out);
        }
    }

    /// Sequence of the next message to go out; zero before the first session.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Sequence that the venue's next message has, as far as is known. What one packet alone claims of far
    /// away is not.
    pub fn head(&self) -> u64 {
        let Claim { end, by, .. } = self.claim;
        let believed = by > 1 || end.saturating_sub(self.next) <= FAR;
        self.next.max(if believed { end } else { 0 }).max(self.held.end())
    }

    /// Whether the session's end was told, and nothing before or behind it.
    pub fn is_ended(&self) -> bool {
        self.end.is_some_and(|end| end.said)
    }

    /// Whether the session is more than a name: a message of it went out, or a snapshot was joined.
    pub const fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// The session; all zeros before the first.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Whether no line has brought anything but the past lately.
    pub const fn is_silent(&self) -> bool {
        self.silent
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
