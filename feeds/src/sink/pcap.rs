//! A pcap writer: nanoseconds, little-endian.

use std::io::{Error, ErrorKind, Result, Write};
use std::net::SocketAddr;

use model::Ts;

use super::udp::Headers;
use crate::source::{LinkType, PACKET_MAX};

const NS_PER_S: u64 = 1_000_000_000;

/// Writes packets of one kind of link.
pub struct PcapWriter<W> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the header of the file to `out`.
    ///
    /// # Errors
    ///
    /// That of `out`.
    pub fn new(mut out: W, link: LinkType) -> Result<PcapWriter<W>> {
        out.write_all(&0xA1B2_3C4D_u32.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&PACKET_MAX.to_le_bytes())?;
        out.write_all(&u32::from(link.0).to_le_bytes())?;
        Ok(PcapWriter { out })
    }

    /// Writes what was captured of a packet of `original_len` bytes, from its link header on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is longer than [`PACKET_MAX`] or `original_len`, or the seconds of
    /// `ts` do not fit 32 bits; nothing is written. Otherwise that of `out`.
    pub fn packet(&mut self, ts: Ts, packet: &[u8], original_len: u32) -> Result<()> {
        self.record(ts, [packet, &[]], original_len)
    }

    /// Writes a UDP datagram as a frame. For a writer of [`LinkType::ETHERNET`].
    ///
    /// # Errors
    ///
    /// As [`PcapWriter::packet`] and [`Headers::new`].
    pub fn udp(&mut self, ts: Ts, src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Result<()> {
        let headers = Headers::new(src, dst, payload)?;
        let length = headers.as_bytes().len() + payload.len();
        self.record(ts, [headers.as_bytes(), payload], length as u32)
    }

    fn record(&mut self, ts: Ts, parts: [&[u8]; 2], original_len: u32) -> Result<()> {
        let captured = captured(parts, original_len)?;
        let seconds = u32::try_from(ts.0 / NS_PER_S)
            .map_err(|_| Error::new(ErrorKind::InvalidInput, "a time after the year 2106"))?;
        let ns = (ts.0 % NS_PER_S) as u32;
        for field in [seconds, ns, captured, original_len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        parts.iter().try_for_each(|part| self.out.write_all(part))
    }

    /// Flushes `out`.
    ///
    /// # Errors
    ///
    /// That of `out`.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush()
    }

    /// Gives `out` back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Length of a packet in two parts, if it can be written.
pub(super) fn captured(parts: [&[u8]; 2], original_len: u32) -> Result<u32> {
    let captured: usize = parts.iter().map(|part| part.len()).sum();
    u32::try_from(captured)
        .ok()
        .filter(|captured| *captured <= original_len.min(PACKET_MAX))
        .ok_or(Error::new(ErrorKind::InvalidInput, "a packet too long for a capture"))
}

#[cfg(test)]
mod tests;
