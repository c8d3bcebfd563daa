//! Packets of pcap and pcapng files, told apart by magic. The digest is `feeds/src/source/PCAP.md`.

mod classic;
mod ng;

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use model::Ts;

use self::classic::Classic;
use self::ng::Section;
use super::error::{SourceCause, SourceError};
use super::file::FileReader;
use super::window::Window;

/// Longest packet that is read, in bytes: what capturing programs write at most.
pub const PACKET_MAX: u32 = 256 * 1024;

/// Longest block that holds a packet or describes an interface: with its options.
const BLOCK_MAX: u32 = 1024 * 1024;

/// Bytes of the buffer at the start. It grows to [`BLOCK_MAX`] if a file needs it.
const BUFFER_BYTES: usize = 512 * 1024;

/// What a packet begins with: a number of the registry of link-layer header types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: the address family in the byte order of the capturing host.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
    /// An IP packet of either version.
    pub const RAW: LinkType = LinkType(101);
    /// OpenBSD loopback: the address family, big-endian.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux "cooked", version 1.
    pub const SLL: LinkType = LinkType(113);
    /// An IPv4 packet.
    pub const IPV4: LinkType = LinkType(228);
    /// An IPv6 packet.
    pub const IPV6: LinkType = LinkType(229);
    /// Linux "cooked", version 2.
    pub const SLL2: LinkType = LinkType(276);
}

/// One packet, borrowed from the source's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured. A packet without a usable time of its own has that of the packet before it, or
    /// zero if it is the first; [`PcapCounts::untimed`] counts them.
    pub ts: Ts,
    /// What was captured of it, from the link-layer header on.
    pub bytes: &'a [u8],
    /// What `bytes` begins with.
    pub link: LinkType,
    /// Number of the interface in its section of a pcapng file; 0 in a pcap file.
    pub interface: u32,
    /// Length on the wire, bytes: more than `bytes` if the capture kept only its beginning.
    pub original_len: u32,
    /// Where its record begins, in bytes of the uncompressed stream.
    pub offset: u64,
}

/// What a source has read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PcapCounts {
    /// Packets handed out.
    pub packets: u64,
    /// 1 if the file ends inside a record or its compressed stream was cut off: that record is lost.
    pub cut: u64,
    /// Packets without a usable time.
    pub untimed: u64,
    /// Blocks of a pcapng file that hold no packet and describe no interface.
    pub skipped: u64,
    /// Sections of a pcapng file.
    pub sections: u64,
}

/// Packets of any reader. One buffer, allocated at the start.
pub struct PcapSource<R> {
    window: Window<R>,
    format: Format,
    counts: PcapCounts,
    last: Ts,
    /// Set once there is nothing more to come.
    outcome: Option<Result<(), SourceError>>,
}

/// Packets of a file.
pub type PcapFile = PcapSource<FileReader>;

enum Format {
    /// Nothing was read yet.
    Unknown,
    Classic(Classic),
    Ng(Section),
}

/// A packet whose bytes are still in the window.
struct Found {
    /// `None` if the packet has no time, or none that fits.
    ts: Option<Ts>,
    bytes: Range<usize>,
    link: LinkType,
    interface: u32,
    original_len: u32,
    offset: u64,
}

/// What comes next in a stream.
enum Step {
    Packet(Found),
    /// Something else.
    Skipped,
    /// The stream ends here, between two records.
    End,
    /// The stream ends inside a record.
    Cut,
}

impl PcapSource<FileReader> {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    ///
    /// As [`FileReader::open`].
    pub fn open(path: &Path) -> Result<PcapFile, SourceError> {
        Ok(PcapFile::from_reader(FileReader::open(path)?))
    }
}

impl<R: Read> PcapSource<R> {
    /// Packets of `reader`.
    pub fn from_reader(reader: R) -> PcapSource<R> {
        PcapSource {
            window: Window::new(reader, BUFFER_BYTES, BLOCK_MAX as usize),
            format: Format::Unknown,
            counts: PcapCounts::default(),
            last: Ts(0),
            outcome: None,
        }
    }

    /// What was read so far.
    pub fn counts(&self) -> PcapCounts {
        self.counts
    }

    /// Bytes read so far, of the uncompressed stream.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The next packet; `None` at the end of the stream, even if it ends inside a packet: a capture that was
    /// cut off is usual, and [`PcapCounts::cut`] says so.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if the stream cannot be read or is no capture; every later call says the same.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, SourceError> {
        match self.outcome {
            None => {}
            Some(Ok(())) => return Ok(None),
            Some(Err(error)) => return Err(error),
        }
        let found = match self.find() {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.outcome = Some(Ok(()));
                return Ok(None);
            }
            Err(error) => {
                self.outcome = Some(Err(error));
                return Err(error);
            }
        };
        self.counts.packets += 1;
        match found.ts {
            Some(ts) => self.last = ts,
            None => self.counts.untimed += 1,
        }
        Ok(Some(Packet {
            ts: self.last,
            bytes: self.window.slice(found.bytes),
            link: found.link,
            interface: found.interface,
            original_len: found.original_len,
            offset: found.offset,
        }))
    }

    fn find(&mut self) -> Result<Option<Found>, SourceError> {
        loop {
            let step = match &mut self.format {
                Format::Classic(classic) => classic.step(&mut self.window)?,
                Format::Ng(section) => section.step(&mut self.window, &mut self.counts)?,
                Format::Unknown => {
                    self.format = begin(&mut self.window)?;
                    continue;
                }
            };
            match step {
                Step::Packet(found) => return Ok(Some(found)),
                Step::Skipped => {}
                Step::End if !self.window.cut() => return Ok(None),
                Step::End | Step::Cut => {
                    self.counts.cut += 1;
                    return Ok(None);
                }
            }
        }
    }
}

/// Looks at the magic.
fn begin<R: Read>(window: &mut Window<R>) -> Result<Format, SourceError> {
    let whole = window.fill(4)?;
    let head = window.bytes();
    if head.is_empty() {
        return Err(SourceError { offset: 0, cause: SourceCause::Empty });
    }
    let mut magic = [0; 4];
    magic.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
    match magic {
        ng::MAGIC => Ok(Format::Ng(Section::default())),
        _ if whole && classic::is_magic(magic) => classic::begin(window).map(Format::Classic),
        _ => {
            let magic = u32::from_be_bytes(magic);
            Err(SourceError { offset: 0, cause: SourceCause::NotPackets { magic } })
        }
    }
}

#[cfg(test)]
mod tests;
