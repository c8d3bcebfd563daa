//! A pcapng writer: one section, little-endian, any number of interfaces, nanoseconds.

use std::io::{Error, ErrorKind, Result, Write};
use std::net::SocketAddr;

use model::Ts;

use super::pcap::captured;
use super::udp::Headers;
use crate::source::{LinkType, PACKET_MAX};

/// Types of the blocks that are written.
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// Options: name of the program, name of an interface, unit of its times.
const USER_APPLICATION: u16 = 4;
const NAME: u16 = 2;
const RESOLUTION: u16 = 9;

/// Times count 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// Longest name of an interface, bytes.
const NAME_MAX: usize = 255;

/// What padding is made of.
const ZEROS: [u8; 3] = [0; 3];

/// Writes packets of several interfaces.
pub struct PcapngWriter<W> {
    out: W,
    interfaces: u32,
    /// A block that is put together before its length is known.
    block: Vec<u8>,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the header of the section to `out`.
    ///
    /// # Errors
    ///
    /// That of `out`.
    pub fn new(out: W) -> Result<PcapngWriter<W>> {
        let mut writer = PcapngWriter { out, interfaces: 0, block: Vec::new() };
        writer.block.extend(0x1A2B_3C4D_u32.to_le_bytes());
        // Version 1.0, a section of unknown length.
        writer.block.extend([1, 0, 0, 0]);
        writer.block.extend(u64::MAX.to_le_bytes());
        writer.option(USER_APPLICATION, b"tickgate");
        writer.end_options();
        writer.write_block(SECTION)?;
        Ok(writer)
    }

    /// Describes an interface; its number, from 0, for [`PcapngWriter::packet`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the name is longer than 255 bytes; nothing is written. Otherwise that
    /// of the writer below.
    pub fn interface(&mut self, link: LinkType, name: &str) -> Result<u32> {
        if name.len() > NAME_MAX {
            return Err(Error::new(ErrorKind::InvalidInput, "a name longer than 255 bytes"));
        }
        self.block.clear();
        self.block.extend(link.0.to_le_bytes());
        self.block.extend([0, 0]);
        self.block.extend(PACKET_MAX.to_le_bytes());
        self.option(NAME, name.as_bytes());
        self.option(RESOLUTION, &[NANOSECONDS]);
        self.end_options();
        self.write_block(INTERFACE)?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// Writes what was captured on `interface` of a packet of `original_len` bytes, from its link header on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is no such interface, or the packet is longer than [`PACKET_MAX`]
    /// or `original_len`; nothing is written. Otherwise that of the writer below.
    pub fn packet(
        &mut self,
        interface: u32,
        ts: Ts,
        packet: &[u8],
        original_len: u32,
    ) -> Result<()> {
        self.record(interface, ts, [packet, &[]], original_len)
    }

    /// Writes a UDP datagram as a frame. For an interface of [`LinkType::ETHERNET`].
    ///
    /// # Errors
    ///
    /// As [`PcapngWriter::packet`] and [`Headers::new`].
    pub fn udp(
        &mut self,
        interface: u32,
        ts: Ts,
        src: SocketAddr,
        dst: SocketAddr,
        payload: &[u8],
    ) -> Result<()> {
        let headers = Headers::new(src, dst, payload)?;
        let length = headers.as_bytes().len() + payload.len();
        self.record(interface, ts, [headers.as_bytes(), payload], length as u32)
    }

    fn record(
        &mut self,
        interface: u32,
        ts: Ts,
        parts: [&[u8]; 2],
        original_len: u32,
    ) -> Result<()> {
        if interface >= self.interfaces {
            return Err(Error::new(ErrorKind::InvalidInput, "no such interface"));
        }
        let captured = captured(parts, original_len)?;
        let length = 32 + captured.next_multiple_of(4);
        let (high, low) = ((ts.0 >> 32) as u32, ts.0 as u32);
        for field in [PACKET, length, interface, high, low, captured, original_len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        parts.iter().try_for_each(|part| self.out.write_all(part))?;
        self.out.write_all(padding(captured as usize))?;
        self.out.write_all(&length.to_le_bytes())
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.block.extend(code.to_le_bytes());
        self.block.extend((value.len() as u16).to_le_bytes());
        self.block.extend(value);
        self.block.extend(padding(value.len()));
    }

    fn end_options(&mut self) {
        self.block.extend([0; 4]);
    }

    /// Writes the block that was put together.
    fn write_block(&mut self, kind: u32) -> Result<()> {
        let length = self.block.len() as u32 + 12;
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.block)?;
        self.out.write_all(&length.to_le_bytes())
    }

    /// Flushes the writer below.
    ///
    /// # Errors
    ///
    /// That of the writer below.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush()
    }

    /// Gives the writer below back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// What fills up `length` bytes to a multiple of four.
fn padding(length: usize) -> &'static [u8] {
    ZEROS.get(..length.next_multiple_of(4) - length).unwrap_or_default()
}
