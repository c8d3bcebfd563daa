//! A venue of Nasdaq's kind on virtual time: MoldUDP64 over two lines, re-requests, snapshots.
//!
//! Written from MoldUDP64 1.00, SoupBinTCP 3.00 and what is public of GLIMPSE 5.0. Times are
//! nanoseconds on any clock of the caller's.

mod book;
mod config;
mod packet;
mod published;
mod request;
mod snapshot;
mod store;

use std::io;

use crate::faults::{FaultPlan, Line, LineCounters, Packet};
use crate::source::{Source, Timed};

pub use book::Book;
pub use config::{Config, Pace};
pub use packet::{BLOCK, END, HEADER};
pub use published::Published;
pub use request::{RequestCounters, RequestPlan, Requests};
pub use snapshot::{Connection, Credentials, SnapshotCounters};
pub(crate) use snapshot::{Login, packet as soup_packet};
pub use store::Store;

/// Packets of one [`Core::poll`], heartbeats included.
const POLL_MAX: u32 = 64;

/// One of the two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first line.
    A,
    /// The second line.
    B,
}

/// The publisher: packs messages, numbers them from 1, sends each packet by both lines.
pub struct Core {
    config: Config,
    source: Source,
    /// Taken from the source and not yet in a packet.
    ahead: Option<Timed>,
    exhausted: bool,
    error: Option<io::Error>,
    /// Times of the first message: the source's, and when it was due.
    origin: Option<u64>,
    start: u64,
    /// Messages of the next packet, and when it goes out. Nobody knows of them yet.
    next: Vec<Vec<u8>>,
    next_at: u64,
    published: Published,
    lines: [Line; 2],
    last_at: u64,
    packets: u64,
    ends_left: u32,
}

/// What a publisher does next of its own accord.
enum Due {
    Messages,
    Heartbeat,
    End,
}

impl Core {
    /// A publisher that begins at `start`.
    pub fn new(config: Config, source: Source, start: u64) -> Core {
        Core {
            source,
            ahead: None,
            exhausted: false,
            error: None,
            origin: None,
            start,
            next: Vec::new(),
            next_at: start,
            published: Published::new(config.session, config.store()),
            lines: lines(config.lines, start),
            last_at: start,
            packets: 0,
            ends_left: config.end_packets,
            config,
        }
    }

    /// Sends what is due at `now`: `send` is given the line, the time at which the packet goes out,
    /// and the packet. A bounded piece of it: call again while [`Core::wake_at`] is not after
    /// `now`.
    pub fn poll(&mut self, now: u64, send: &mut impl FnMut(Side, u64, &Packet)) {
        for _ in 0..POLL_MAX {
            let Some((at, due)) = self.due(now).filter(|(at, _)| *at <= now) else { break };
            let packet: Packet = match due {
                Due::Messages => self.messages().into(),
                Due::Heartbeat => self.header(0).into(),
                Due::End => {
                    self.ends_left -= 1;
                    self.header(END).into()
                }
            };
            self.last_at = at;
            self.packets += 1;
            let lines = if self.config.two_lines { 2 } else { 1 };
            self.lines.iter_mut().take(lines).for_each(|line| line.take(at, &packet));
        }
        // What is still to be sent at an earlier time goes first.
        let until = self.due(now).map_or(now, |(at, _)| at.min(now));
        self.release(until, send);
    }

    fn release(&mut self, until: u64, send: &mut impl FnMut(Side, u64, &Packet)) {
        let [a, b] = &mut self.lines;
        loop {
            let b_first = b.next_at().is_some_and(|b| a.next_at().is_none_or(|a| b < a));
            let (side, line) = if b_first { (Side::B, &mut *b) } else { (Side::A, &mut *a) };
            let Some((at, packet)) = line.release(until) else { break };
            send(side, at, &packet);
        }
    }

    /// When [`Core::poll`] is due next; `None` when all is over.
    pub fn wake_at(&mut self, now: u64) -> Option<u64> {
        let own = self.due(now).map(|(at, _)| at);
        let held = self.lines.iter().filter_map(Line::next_at);
        held.chain(own).min()
    }

    fn due(&mut self, now: u64) -> Option<(u64, Due)> {
        self.fill(now);
        let beat = self.last_at.saturating_add(self.config.heartbeat_ns);
        if !self.next.is_empty() {
            let at = if self.config.pace == Pace::FlatOut { now } else { self.next_at };
            let at = at.max(self.last_at);
            return Some(if beat < at { (beat, Due::Heartbeat) } else { (at, Due::Messages) });
        }
        if self.error.is_some() || self.ends_left == 0 {
            return None;
        }
        let first = self.ends_left == self.config.end_packets;
        Some((if first { self.last_at } else { beat }, Due::End))
    }

    /// Makes the next packet, if there is none and something is left to say.
    fn fill(&mut self, now: u64) {
        if !self.next.is_empty() {
            return;
        }
        let mut room = self.config.packet_bytes_max.saturating_sub(HEADER);
        // When a packet that is not full goes out.
        let mut last_at = 0;
        self.next_at = u64::MAX;
        while self.next.len() < usize::from(self.config.packet_messages_max.max(1)) {
            let Some(message) = self.pull() else { break };
            let at = self.due_at(message.at_ns, now);
            if self.next.is_empty() {
                last_at = at.saturating_add(self.config.gather_ns);
            } else if room < BLOCK + message.bytes.len() || at > last_at {
                // A packet waits for company only as long as there is room.
                if room < BLOCK + message.bytes.len() {
                    self.next_at = at.min(last_at);
                }
                self.ahead = Some(message);
                break;
            }
            if HEADER + BLOCK + message.bytes.len() > self.config.packet_bytes_max {
                let why = format!("a message of {} bytes fits no packet", message.bytes.len());
                self.fail(io::Error::new(io::ErrorKind::InvalidData, why));
                break;
            }
            room -= BLOCK + message.bytes.len();
            self.next.push(message.bytes);
            if self.next.len() == usize::from(self.config.packet_messages_max.max(1)) {
                self.next_at = at;
            }
        }
        self.next_at = self.next_at.min(last_at);
    }

    fn pull(&mut self) -> Option<Timed> {
        if self.ahead.is_some() || self.exhausted {
            return self.ahead.take();
        }
        match self.source.next() {
            Some(Ok(message)) => return Some(message),
            Some(Err(error)) => self.fail(error),
            None => self.exhausted = true,
        }
        None
    }

    fn fail(&mut self, error: io::Error) {
        self.error = Some(error);
        self.exhausted = true;
        self.ahead = None;
    }

    /// When a message is due that the source has at `at_ns`.
    fn due_at(&mut self, at_ns: u64, now: u64) -> u64 {
        match self.config.pace {
            Pace::Recorded { per_cent } => {
                let since = at_ns.saturating_sub(*self.origin.get_or_insert(at_ns));
                let since = u128::from(since) * 100 / u128::from(per_cent.max(1));
                self.start.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
            }
            Pace::PacketsPerSecond(rate) => {
                let since = u128::from(self.packets) * 1_000_000_000 / u128::from(rate.max(1));
                self.start.saturating_add(since as u64)
            }
            Pace::FlatOut => now,
        }
    }

    fn header(&self, count: u16) -> Vec<u8> {
        packet::header(&self.config.session, self.published.next(), count).to_vec()
    }

    /// The packet of [`Core::fill`], from now on known to the servers.
    fn messages(&mut self) -> Vec<u8> {
        let mut bytes = self.header(self.next.len() as u16);
        for message in self.next.drain(..) {
            packet::block(&message, &mut bytes);
            self.published.add(message);
        }
        bytes
    }

    /// What is published so far: what the servers answer from.
    pub const fn published(&self) -> &Published {
        &self.published
    }

    /// What each line did.
    pub fn line_counters(&self) -> [LineCounters; 2] {
        [self.lines[0].counters(), self.lines[1].counters()]
    }

    /// Packets made, before they went by the lines.
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Why the source ended before its end. The session is then not ended either: it only falls
    /// silent.
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }
}

/// Lines of the same seed still fail apart from each other.
fn lines([a, b]: [FaultPlan; 2], start: u64) -> [Line; 2] {
    let b = FaultPlan { seed: b.seed ^ 1 << 63, ..b };
    [Line::new(a, start), Line::new(b, start)]
}

#[cfg(test)]
mod tests;
