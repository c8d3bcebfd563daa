//! Messages into MoldUDP64 packets.

use std::io::{self, Write};
use std::net::SocketAddr;

use feeds::session::SessionId;
use feeds::session::mold::PacketWriter;
use feeds::sink::PcapngWriter;
use feeds::source::LinkType;
use model::Ts;

/// Payload of a packet, at most: what an Ethernet frame carries.
const PAYLOAD_MAX: usize = 1_400;
/// Messages that are farther apart do not share a packet.
const APART_NS: u64 = 10_000;
/// Line B is later by so much.
const SKEW_NS: u64 = 1_000;
/// Addresses of the documentation range for multicast (RFC 6676).
const GROUPS: [&str; 2] = ["233.252.0.1:26400", "233.252.0.2:26400"];
const SENDER: &str = "192.0.2.1:26400";

/// Writes packets of one session, numbered from 1.
pub struct Writer<W: Write> {
    out: PcapngWriter<W>,
    packet: PacketWriter,
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
        let packet = PacketWriter::new(SessionId(*b"CONVERTED1"), 1, PAYLOAD_MAX);
        Ok(Writer { out, packet, lines: lines.collect(), sender, since: Ts(0) })
    }

    /// Appends a message.
    pub fn message(&mut self, ts: Ts, message: &[u8]) -> io::Result<()> {
        let apart = ts.since(self.since) > APART_NS;
        if self.packet.count() > 0 && (apart || !self.packet.push(message)) {
            self.send()?;
        } else if self.packet.count() > 0 {
            return Ok(());
        }
        self.since = ts;
        if self.packet.push(message) {
            return Ok(());
        }
        Err(io::Error::other(format!("a message of {} bytes fits no packet", message.len())))
    }

    /// Sends the rest, and ends the session if it `is_over`.
    pub fn end(mut self, is_over: bool) -> io::Result<()> {
        self.send()?;
        if is_over {
            let end = self.packet.end_of_session();
            self.over_lines(&end)?;
        }
        self.out.flush()
    }

    fn send(&mut self) -> io::Result<()> {
        if self.packet.count() == 0 {
            return Ok(());
        }
        let bytes = self.packet.packet().to_vec();
        self.over_lines(&bytes)?;
        self.packet.restart();
        Ok(())
    }

    fn over_lines(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (number, line) in (0..).zip(&self.lines) {
            let ts = Ts(self.since.0 + u64::from(number) * SKEW_NS);
            self.out.udp(number, ts, self.sender, *line, bytes)?;
        }
        Ok(())
    }
}
