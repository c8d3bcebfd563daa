//! The block format: sections, interfaces, packets.
//!
//! Sections and interfaces are parsed by the `pcap-parser` crate; its parser of packets is not used, because
//! it allocates a list of options for each of them.

use std::io::Read;

use model::Ts;
use pcap_parser::{
    EPB_MAGIC, IDB_MAGIC, InterfaceDescriptionBlock, SHB_MAGIC, SPB_MAGIC,
    parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le,
    parse_sectionheaderblock,
};

use super::{BLOCK_MAX, Found, LinkType, PACKET_MAX, PcapCounts, Step};
use crate::source::error::{SourceCause, SourceError};
use crate::source::window::Window;

/// First bytes of a file, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = SHB_MAGIC.to_be_bytes();

/// Packet block of old files: an enhanced one whose interface has 16 bits, beside a count of drops.
const OLD_PACKET: u32 = 2;

/// Type, length and the length once more at the end.
const FRAME: u32 = 12;
/// Before the bytes of a packet: type, length, interface, time (two), two lengths. Simple ones: one length.
const PACKET_HEADER: usize = 28;
const SIMPLE_HEADER: usize = 12;

/// Most interfaces of a section.
const INTERFACES_MAX: usize = 1_024;

/// The only major version there is.
const MAJOR: u16 = 1;

const NS_PER_S: u64 = 1_000_000_000;

/// A section: byte order and interfaces. Before the first section there is an empty one.
#[derive(Default)]
pub(super) struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

struct Interface {
    link: LinkType,
    /// Most bytes that are kept of a packet; 0 means all.
    snap_len: u32,
    clock: Clock,
}

/// How an interface writes time.
struct Clock {
    /// Exponent of the unit: 10^-n s, or 2^-n s if the highest bit is set.
    resolution: u8,
    /// Seconds to add.
    offset_s: i64,
}

impl Section {
    pub(super) fn step<R: Read>(
        &mut self,
        window: &mut Window<R>,
        counts: &mut PcapCounts,
    ) -> Result<Step, SourceError> {
        let offset = window.offset();
        if !window.fill(FRAME as usize)? {
            return Ok(if window.bytes().is_empty() { Step::End } else { Step::Cut });
        }
        let kind = self.block_type(window.bytes(), offset)?;
        let length = self.word(window.bytes(), 4);
        let fail = |cause| SourceError { offset, cause };
        let bad = fail(SourceCause::BadBlock { kind });
        if length < FRAME || !length.is_multiple_of(4) {
            return Err(bad);
        }
        if !matches!(kind, SHB_MAGIC | IDB_MAGIC | EPB_MAGIC | SPB_MAGIC | OLD_PACKET) {
            if !window.skip(u64::from(length) - 4)? || !window.fill(4)? {
                return Ok(Step::Cut);
            }
            if self.word(window.bytes(), 0) != length {
                return Err(bad);
            }
            window.take(4);
            counts.skipped += 1;
            return Ok(Step::Skipped);
        }
        if length > BLOCK_MAX {
            return Err(fail(SourceCause::PacketTooLong { length }));
        }
        if !window.fill(length as usize)? {
            return Ok(Step::Cut);
        }
        let block = window.bytes().get(..length as usize).unwrap_or_default();
        if self.word(block, block.len() - 4) != length {
            return Err(bad);
        }
        match kind {
            SHB_MAGIC => {
                self.begin(block).map_err(fail)?;
                counts.sections += 1;
            }
            IDB_MAGIC => self.interface(block).map_err(fail)?,
            _ => {
                let shape = self.packet(kind, block).map_err(fail)?;
                window.take(shape.header);
                let bytes = window.take(shape.captured as usize);
                window.take(length as usize - shape.header - shape.captured as usize);
                let Shape { ts, link, interface, original_len, .. } = shape;
                return Ok(Step::Packet(Found {
                    ts,
                    bytes,
                    link,
                    interface,
                    original_len,
                    offset,
                }));
            }
        }
        window.take(length as usize);
        Ok(Step::Skipped)
    }

    /// The type of the block at the start of `bytes`. That of a section also gives the byte order from here
    /// on, its own length included.
    fn block_type(&mut self, bytes: &[u8], offset: u64) -> Result<u32, SourceError> {
        if !bytes.starts_with(&MAGIC) {
            return Ok(self.word(bytes, 0));
        }
        self.big_endian = match bytes.get(8..FRAME as usize) {
            Some([0x1A, 0x2B, 0x3C, 0x4D]) => true,
            Some([0x4D, 0x3C, 0x2B, 0x1A]) => false,
            _ => {
                let cause = SourceCause::BadBlock { kind: SHB_MAGIC };
                return Err(SourceError { offset, cause });
            }
        };
        Ok(SHB_MAGIC)
    }

    fn begin(&mut self, block: &[u8]) -> Result<(), SourceCause> {
        self.interfaces.clear();
        let Ok((_, header)) = parse_sectionheaderblock(block) else {
            return Err(SourceCause::BadBlock { kind: SHB_MAGIC });
        };
        if header.major_version != MAJOR {
            return Err(SourceCause::Version { major: header.major_version });
        }
        Ok(())
    }

    fn interface(&mut self, block: &[u8]) -> Result<(), SourceCause> {
        let parse = if self.big_endian {
            parse_interfacedescriptionblock_be
        } else {
            parse_interfacedescriptionblock_le
        };
        let Ok((_, block)) = parse(block) else {
            return Err(SourceCause::BadBlock { kind: IDB_MAGIC });
        };
        if self.interfaces.len() == INTERFACES_MAX {
            return Err(SourceCause::TooManyInterfaces);
        }
        let clock = Clock { resolution: block.if_tsresol, offset_s: self.time_offset(&block) };
        let link = LinkType(block.linktype.0 as u16);
        self.interfaces.push(Interface { link, snap_len: block.snaplen, clock });
        Ok(())
    }

    /// The crate reads it as little-endian in every section.
    fn time_offset(&self, block: &InterfaceDescriptionBlock<'_>) -> i64 {
        if self.big_endian { block.if_tsoffset.swap_bytes() } else { block.if_tsoffset }
    }

    /// What a packet's block says of it; `block` is whole.
    fn packet(&self, kind: u32, block: &[u8]) -> Result<Shape, SourceCause> {
        let header = if kind == SPB_MAGIC { SIMPLE_HEADER } else { PACKET_HEADER };
        // Its length stands once more at the end.
        let room = block.len().checked_sub(header + 4).ok_or(SourceCause::BadBlock { kind })?;
        let id = match kind {
            EPB_MAGIC => self.word(block, 8),
            OLD_PACKET => u32::from(self.half(block, 8)),
            _ => 0,
        };
        let interface = self.interfaces.get(id as usize).ok_or(SourceCause::NoInterface { id })?;
        let (ts, captured, original_len) = if kind == SPB_MAGIC {
            let original_len = self.word(block, 8);
            let kept = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
            (None, original_len.min(kept), original_len)
        } else {
            let high = u64::from(self.word(block, 12));
            let ts = interface.clock.ts(high << 32 | u64::from(self.word(block, 16)));
            (ts, self.word(block, 20), self.word(block, 24))
        };
        if captured > PACKET_MAX {
            return Err(SourceCause::PacketTooLong { length: captured });
        }
        if captured as usize > room {
            return Err(SourceCause::BadBlock { kind });
        }
        Ok(Shape { ts, header, captured, link: interface.link, interface: id, original_len })
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let field = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) }
    }

    fn half(&self, bytes: &[u8], at: usize) -> u16 {
        let field = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self.big_endian { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) }
    }
}

/// What the block of a packet says of it.
struct Shape {
    ts: Option<Ts>,
    /// Bytes before those of the packet.
    header: usize,
    captured: u32,
    link: LinkType,
    interface: u32,
    original_len: u32,
}

impl Clock {
    /// Nanoseconds since the epoch, rounded down; `None` if they do not fit.
    fn ts(&self, units: u64) -> Option<Ts> {
        let exponent = u32::from(self.resolution & 0x7F);
        let in_ns = u128::from(units) * u128::from(NS_PER_S);
        let ns = if self.resolution & 0x80 != 0 {
            in_ns >> exponent
        } else {
            // Beyond 10^38 a unit is so small that all of them together are nothing.
            10_u128.checked_pow(exponent).map_or(0, |per_second| in_ns / per_second)
        };
        let ns = i128::try_from(ns).ok()?;
        let offset_ns = i128::from(self.offset_s) * i128::from(NS_PER_S);
        u64::try_from(ns + offset_ns).ok().map(Ts)
    }
}
