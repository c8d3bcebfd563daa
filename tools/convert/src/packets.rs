//! Messages into MoldUDP64 packets.

use std::io::{self, Write};
use std::net::SocketAddr;

use feeds::session::SessionId;
use feeds::session::mold::PacketWriter;
use feeds::sink::PcapngWriter;
use feeds::source::LinkType;
use feeds::{Date, new_york_midnight};
use model::{DAY_NS, Ts};

/// Payload of a packet, at most: what an Ethernet frame carries.
const PAYLOAD_MAX: usize = 1_400;
/// Messages that are farther apart do not share a packet.
const APART_NS: u64 = 10_000;
/// A line that has nothing to say says so as often.
const BEAT_NS: u64 = 1_000_000_000;
/// Heartbeats in a pause, at most: of one that lasts longer than a day, its first day.
const BEATS_MAX: u64 = 86_400;
/// Line B is later by so much.
const SKEW_NS: u64 = 1_000;
/// Addresses of the documentation range for multicast (RFC 6676).
const GROUPS: [&str; 2] = ["233.252.0.1:26400", "233.252.0.2:26400"];
const SENDER: &str = "192.0.2.1:26400";

/// Writes packets of one session, numbered from 1.
pub struct Writer<W: Write> {
    out: PcapngWriter<W>,
    /// Of the session that the first message begins.
    packet: Option<PacketWriter>,
    lines: Vec<SocketAddr>,
    sender: SocketAddr,
    /// Time of the first message of the packet.
    since: Ts,
}

impl<W: Write> Writer<W> {
    /// Over one line or two.
    pub fn new(out: W, lines: u8) -> io::Result<Writer<W>> {
        let mut out = PcapngWriter::new(out)?;
        for group in GROUPS.iter().take(lines.into()) {
            out.interface(LinkType::ETHERNET, group)?;
        }
        let lines = GROUPS.iter().take(lines.into()).filter_map(|group| group.parse().ok());
        let sender = SENDER.parse().map_err(io::Error::other)?;
        Ok(Writer { out, packet: None, lines: lines.collect(), sender, since: Ts(0) })
    }

    /// Appends a message.
    pub fn message(&mut self, ts: Ts, message: &[u8]) -> io::Result<()> {
        if let Some(packet) = &mut self.packet
            && packet.count() > 0
        {
            let apart = ts.since(self.since) > APART_NS;
            if !apart && packet.push(message) {
                return Ok(());
            }
            self.send()?;
        }
        self.beat(ts)?;
        self.since = ts;
        let packet =
            self.packet.get_or_insert_with(|| PacketWriter::new(named(ts), 1, PAYLOAD_MAX));
        if packet.push(message) {
            return Ok(());
        }
        Err(io::Error::other(format!("a message of {} bytes fits no packet", message.len())))
    }

    /// Sends the rest, and ends the session if it `is_over`.
    pub fn end(mut self, is_over: bool) -> io::Result<()> {
        self.send()?;
        if is_over && let Some(packet) = &self.packet {
            let end = packet.end_of_session();
            self.over_lines(&end)?;
        }
        self.out.flush()
    }

    fn send(&mut self) -> io::Result<()> {
        let Some(packet) = self.packet.as_mut().filter(|packet| packet.count() > 0) else {
            return Ok(());
        };
        let bytes = packet.packet().to_vec();
        packet.restart();
        self.over_lines(&bytes)
    }

    /// Says every second up to `until` that nothing comes, as a line does: else its reader takes it for dead.
    fn beat(&mut self, until: Ts) -> io::Result<()> {
        let Some(packet) = &mut self.packet else { return Ok(()) };
        let bytes = packet.packet().to_vec();
        for _ in 0..BEATS_MAX {
            let at = Ts(self.since.0.saturating_add(BEAT_NS));
            if at >= until {
                break;
            }
            self.since = at;
            self.over_lines(&bytes)?;
        }
        Ok(())
    }

    fn over_lines(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (number, line) in (0..).zip(&self.lines) {
            let ts = Ts(self.since.0.saturating_add(u64::from(number) * SKEW_NS));
            self.out.udp(number, ts, self.sender, *line, bytes)?;
        }
        Ok(())
    }
}

/// A session of its own for each day in New York: captures of several are played in turn.
fn named(ts: Ts) -> SessionId {
    let day = new_york_midnight(ts).0 / DAY_NS;
    let date = Date(u16::try_from(day).unwrap_or(u16::MAX)).to_string();
    SessionId::named(&format!("CV{}", date.replace('-', "")))
}
