//! The classic format: a header of the file, then a header of 16 bytes before every packet.

use std::io::Read;

use model::Ts;
use pcap_parser::{LegacyPcapBlock, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header};

use super::{Found, LinkType, PACKET_MAX, Step};
use crate::source::error::{SourceCause, SourceError};
use crate::source::window::Window;

/// Bytes of the header of the file, and of that of a packet.
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;

/// The only major version there is.
const MAJOR: u16 = 2;

const NS_PER_S: u64 = 1_000_000_000;

/// What the header of the file says.
pub(super) struct Classic {
    big_endian: bool,
    /// Nanoseconds in a unit of the second field of a time.
    unit_ns: u64,
    link: LinkType,
}

/// Microseconds or nanoseconds, in either byte order.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    let magic = u32::from_be_bytes(magic);
    matches!(magic, 0xA1B2_C3D4 | 0xD4C3_B2A1 | 0xA1B2_3C4D | 0x4D3C_B2A1)
}

/// Reads the header of the file.
pub(super) fn begin<R: Read>(window: &mut Window<R>) -> Result<Classic, SourceError> {
    window.fill(FILE_HEADER)?;
    let Ok((_, header)) = parse_pcap_header(window.bytes()) else {
        return Err(SourceError { offset: 0, cause: SourceCause::InsideHeader });
    };
    if header.version_major != MAJOR {
        let cause = SourceCause::Version { major: header.version_major };
        return Err(SourceError { offset: 4, cause });
    }
    let classic = Classic {
        big_endian: header.is_bigendian(),
        unit_ns: if header.is_nanosecond_precision() { 1 } else { 1_000 },
        // The upper half holds the length of a frame check sequence.
        link: LinkType(header.network.0 as u16),
    };
    window.take(FILE_HEADER);
    Ok(classic)
}

impl Classic {
    pub(super) fn step<R: Read>(&self, window: &mut Window<R>) -> Result<Step, SourceError> {
        let offset = window.offset();
        if !window.fill(PACKET_HEADER)? {
            return Ok(if window.bytes().is_empty() { Step::End } else { Step::Cut });
        }
        let captured = self.captured(window.bytes());
        if captured > PACKET_MAX {
            let cause = SourceCause::PacketTooLong { length: captured };
            return Err(SourceError { offset, cause });
        }
        if !window.fill(PACKET_HEADER + captured as usize)? {
            return Ok(Step::Cut);
        }
        let Some(record) = self.record(window.bytes()) else { return Ok(Step::Cut) };
        let ns = u64::from(record.ts_sec) * NS_PER_S + u64::from(record.ts_usec) * self.unit_ns;
        let original_len = record.origlen;
        window.take(PACKET_HEADER);
        let bytes = window.take(captured as usize);
        let (link, interface, ts) = (self.link, 0, Some(Ts(ns)));
        Ok(Step::Packet(Found { ts, bytes, link, interface, original_len, offset }))
    }

    /// Bytes that were captured of the packet whose header is at the start of `bytes`.
    fn captured(&self, bytes: &[u8]) -> u32 {
        let field = bytes.get(8..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) }
    }

    fn record<'a>(&self, bytes: &'a [u8]) -> Option<LegacyPcapBlock<'a>> {
        let parse = if self.big_endian { parse_pcap_frame_be } else { parse_pcap_frame };
        parse(bytes).ok().map(|(_, record)| record)
    }
}
