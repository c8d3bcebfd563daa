//! A feed of captures in whatever format they are: the format is told by what a file holds, never by its name.

mod addresses;
mod files;
mod packets;
mod records;
mod texts;

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};

use model::Event;

use crate::Venue;
use crate::arrival::Arrival;
use crate::feed::{Counters, FeedCause, FeedError, FeedOptions, FileFeed, Next};
use crate::shard::ShardFilter;
use crate::source::frame::{self, Transport};
use crate::source::{FileReader, PcapFile, SourceCause, SourceError};
use crate::stream::StreamSymbol;
pub use addresses::Addresses;
use packets::PacketFeed;
use records::RecordFeed;
use texts::TextFeed;

/// Packets looked at to know whose they are.
const PACKETS_LOOKED_AT: usize = 1_000;
/// Magics of pcap and pcapng, in the order of their bytes.
const PACKET_MAGICS: [[u8; 4]; 5] = [
    [0xA1, 0xB2, 0xC3, 0xD4],
    [0xD4, 0xC3, 0xB2, 0xA1],
    [0xA1, 0xB2, 0x3C, 0x4D],
    [0x4D, 0x3C, 0xB2, 0xA1],
    [0x0A, 0x0D, 0x0D, 0x0A],
];

/// How a capture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Messages behind their lengths.
    BinaryFile,
    /// Packets: pcap or pcapng.
    Packets,
    /// Databento's records.
    Dbn,
    /// Lines of texts.
    Texts,
}

/// What a capture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// How it is written.
    pub format: Format,
    /// Whose messages it holds; `None`: it does not say (lines of texts).
    pub venue: Option<Venue>,
}

/// Tells what a capture is, by its first bytes and packets.
///
/// # Errors
///
/// [`FeedError`] if it cannot be read, or holds packets of no known venue.
pub fn kind_of(path: &Path) -> Result<Kind, FeedError> {
    let refuse = |error: SourceError| FeedError {
        file: 0,
        offset: error.offset,
        cause: FeedCause::Source(error.cause),
    };
    if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(refuse(SourceError { offset: 0, cause: SourceCause::NotAFile }));
    }
    let mut magic = Vec::with_capacity(4);
    let reader = FileReader::open(path).map_err(refuse)?;
    let read = reader.take(4).read_to_end(&mut magic);
    read.map_err(|error| refuse(SourceError::read(0, &error)))?;
    if magic.starts_with(b"DBN") {
        return records::kind_of(path);
    }
    let begins_a_line = |byte: &u8| byte.is_ascii_digit() || b"{wc".contains(byte);
    if magic.len() == 4
        && magic.iter().all(u8::is_ascii_graphic)
        && magic.first().is_some_and(begins_a_line)
    {
        return Ok(Kind { format: Format::Texts, venue: None });
    }
    if !PACKET_MAGICS.iter().any(|known| *known == *magic) {
        return Ok(Kind { format: Format::BinaryFile, venue: Some(Venue::NasdaqItch) });
    }
    let mut source = PcapFile::open(path).map_err(refuse)?;
    for _ in 0..PACKETS_LOOKED_AT {
        let Some(packet) = source.next_packet().map_err(refuse)? else { break };
        let Ok(datagram) = frame::decode(packet.link, packet.bytes, packet.original_len) else {
            continue;
        };
        let venue = match datagram.payload {
            _ if datagram.transport != Transport::Udp => continue,
            payload if addresses::is_segment(payload) => Venue::Iex,
            payload if addresses::is_mold(payload) => Venue::NasdaqItch,
            _ => continue,
        };
        return Ok(Kind { format: Format::Packets, venue: Some(venue) });
    }
    Err(FeedError { file: 0, offset: source.offset(), cause: FeedCause::NoVenue })
}

/// Captures of one venue, played in turn as one feed.
pub struct Capture {
    reader: Reader,
    /// Events of the last message that are not handed out yet.
    waiting: VecDeque<Event>,
    /// Leaves out what is of other shards; `None`: all of it is wanted.
    filter: Option<ShardFilter>,
}

enum Reader {
    Messages(Box<FileFeed>),
    Packets(Box<PacketFeed>),
    Records(Box<RecordFeed>),
    Texts(Box<TextFeed>),
}

impl Capture {
    /// Opens the first of `paths`, whose format all share; the others must exist. `symbols` are those of texts, which do not
    /// say how many decimals their numbers may have.
    ///
    /// # Errors
    ///
    /// [`FeedError`] if there is no path, one does not exist, or the first cannot be read.
    pub fn open(
        venue: Venue,
        paths: &[PathBuf],
        options: FeedOptions,
        symbols: &[StreamSymbol],
    ) -> Result<Capture, FeedError> {
        let first = paths.first().ok_or(FeedError::NO_INPUT)?;
        let reader = match kind_of(first)?.format {
            Format::Packets => Reader::Packets(Box::new(PacketFeed::open(venue, paths, options)?)),
            Format::Texts => {
                Reader::Texts(Box::new(TextFeed::open(venue, paths, options, symbols)?))
            }
            Format::Dbn => Reader::Records(Box::new(RecordFeed::open(paths, options)?)),
            Format::BinaryFile => Reader::Messages(Box::new(FileFeed::open(paths, options)?)),
        };
        Ok(Capture { reader, waiting: VecDeque::new(), filter: None })
    }

    /// The same for a shard, which is to have only what is its own.
    pub fn for_shard(self, filter: ShardFilter) -> Capture {
        Capture { filter: Some(filter), ..self }
    }

    /// The next event.
    ///
    /// # Errors
    ///
    /// [`FeedError`] if a capture cannot be read or breaks its format; every later call says the same.
    #[expect(clippy::should_implement_trait, reason = "an iterator has no end that can fail")]
    #[inline]
    pub fn next(&mut self) -> Result<Next, FeedError> {
        self.next_at(&mut ())
    }

    /// As [`Capture::next`], with each message's receive time told before it is decoded.
    ///
    /// # Errors
    ///
    /// The same.
    #[inline]
    pub fn next_at(&mut self, arrival: &mut impl Arrival) -> Result<Next, FeedError> {
        loop {
            let next = self.read(arrival)?;
            let (Some(filter), Next::Event(event)) = (&mut self.filter, next) else {
                return Ok(next);
            };
            if let Some(event) = filter.pass(event) {
                return Ok(Next::Event(event));
            }
        }
    }

    /// The next event, whosesoever.
    #[inline]
    fn read(&mut self, arrival: &mut impl Arrival) -> Result<Next, FeedError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Next::Event(event));
            }
            let waiting = &mut self.waiting;
            let more = match &mut self.reader {
                Reader::Messages(feed) => return feed.next_for(arrival, self.filter.as_mut()),
                Reader::Packets(feed) => feed.read(waiting, arrival)?,
                Reader::Records(feed) => feed.read(waiting, arrival)?,
                Reader::Texts(feed) => feed.read(waiting, arrival)?,
            };
            if !more {
                return Ok(Next::End);
            }
        }
    }

    /// What it has seen so far.
    pub fn counters(&self) -> Counters {
        match &self.reader {
            Reader::Messages(feed) => feed.counters(),
            Reader::Packets(feed) => feed.counters(),
            Reader::Records(feed) => feed.counters(),
            Reader::Texts(feed) => feed.counters(),
        }
    }

    /// The capture at `file` of the list: its path, or what it is.
    pub fn name(&self, file: usize) -> &Path {
        match &self.reader {
            Reader::Messages(feed) => feed.name(file),
            Reader::Packets(feed) => feed.name(file),
            Reader::Records(feed) => feed.name(file),
            Reader::Texts(feed) => feed.name(file),
        }
    }
}
