//! A feed of captures: source, decoder, and what the capture does not say of itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Cause, DAY_NS, Event, FeedId, Flags, Integrity, Kind, Ts, VenueNumber};

use crate::arrival::Arrival;
use crate::databento::DbnCause;
use crate::date::Date;
use crate::nasdaq::itch::{DecodeError, Decoder, ShardDecoder};
use crate::shard::{Shard, ShardFilter};
use crate::source::{FileReader, FileSource, SourceCause, SourceError};

/// One capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file, plain, gzip, zstd or zip of one file; which of them, its first bytes say.
    File(PathBuf),
    /// An uncompressed capture in memory.
    Bytes(Arc<[u8]>),
}

/// What a feed of captures is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedOptions {
    /// The feed's number in the engine.
    pub feed: FeedId,
    /// Date of the first day. A file's times count from its midnight in UTC, those of packets from its midnight in New York.
    pub date: Date,
    /// Begin again with the first capture after the last, for ever.
    pub repeat: bool,
    /// Whose events will be passed on: those of others need not be decoded. `None`: all.
    pub shard: Option<Shard>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Event(Event),
    /// The last capture is through.
    End,
}

/// Why a feed gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedCause {
    /// The source failed.
    #[error(transparent)]
    Source(SourceCause),
    /// The first frame is no ITCH message, so the file is of another kind.
    #[error("the first frame is no ITCH 5.0 message: {0}")]
    FirstFrame(DecodeError),
    /// A feed of no captures.
    #[error("no file")]
    NoInput,
    /// A DBN file; the offset counts its records.
    #[error("record: {0}")]
    Record(DbnCause),
    /// Symbols that the venue cannot have; a capture of texts needs them told.
    #[error(transparent)]
    Symbols(crate::stream::ConfigError),
    /// A capture of packets, none of which is of a known protocol.
    #[error("packets of no protocol that is known")]
    NoVenue,
    /// Captures of packets that are through and held no message of the venue.
    #[error("no message of the venue in any packet")]
    NoMessage,
}

/// A feed's last word: where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset}: {cause}")]
pub struct FeedError {
    /// Place of the capture in the feed's list; [`FileFeed::name`] names it.
    pub file: usize,
    /// Byte of the uncompressed stream.
    pub offset: u64,
    /// What is wrong there.
    pub cause: FeedCause,
}

impl FeedError {
    /// A feed of no captures.
    pub(crate) const NO_INPUT: FeedError =
        FeedError { file: 0, offset: 0, cause: FeedCause::NoInput };
    /// Packets that no session of the venue takes.
    pub(crate) const NO_VENUE: FeedError =
        FeedError { file: 0, offset: 0, cause: FeedCause::NoVenue };
}

/// A message that could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMessage {
    /// Place of the capture in the feed's list.
    pub file: usize,
    /// Where its frame begins, in bytes of the uncompressed stream.
    pub offset: u64,
    /// Its number in the feed.
    pub seq: u64,
    /// What is wrong.
    pub error: DecodeError,
}

/// What a feed has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Frames, unknown and bad ones included: the number of the last message.
    pub messages: u64,
    /// Bytes of the uncompressed streams, framing included.
    pub bytes: u64,
    /// Messages of a type that the decoder does not know, by type.
    pub unknown: [u64; 256],
    /// Messages of a known type that could not be decoded.
    pub bad: u64,
    /// The first of them.
    pub first_bad: Option<BadMessage>,
    /// Messages with a venue time before that of the message before, other than the start of a day.
    pub backwards: u64,
    /// Messages with a time of day of 24 hours or more.
    pub past_midnight: u64,
    /// Captures begun.
    pub files: u64,
    /// Captures without an end-of-session marker.
    pub missing_end: u64,
    /// Captures that end inside a record, or whose compressed stream does: what was behind is missing.
    pub cut: u64,
    /// Times that messages were missing, whether they came later or not.
    pub gaps: u64,
    /// Messages that are lost for good.
    pub lost: u64,
    /// Frames that gave no datagram: pieces of one, cut short by the capture, of another protocol.
    pub rejected: u64,
    /// Datagrams that are not the feed's: of another protocol, stream or session.
    pub foreign: u64,
    /// Datagrams left out for their time: of a session that is over, or sent at a time that cannot be.
    pub late: u64,
    /// Packets without a usable time of their own.
    pub untimed: u64,
    /// Messages of symbols that the feed could not list.
    pub unlisted: u64,
}

impl Counters {
    /// Nothing seen yet.
    pub const NONE: Counters = Counters {
        messages: 0,
        bytes: 0,
        unknown: [0; 256],
        bad: 0,
        first_bad: None,
        backwards: 0,
        past_midnight: 0,
        files: 0,
        missing_end: 0,
        cut: 0,
        gaps: 0,
        lost: 0,
        rejected: 0,
        foreign: 0,
        late: 0,
        untimed: 0,
        unlisted: 0,
    };

    /// Adds what another feed has seen.
    pub fn add(&mut self, other: &Counters) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.unknown.iter_mut().zip(other.unknown).for_each(|(sum, count)| *sum += count);
        self.bad += other.bad;
        self.first_bad = self.first_bad.or(other.first_bad);
        self.backwards += other.backwards;
        self.past_midnight += other.past_midnight;
        self.files += other.files;
        self.missing_end += other.missing_end;
        self.cut += other.cut;
        self.gaps += other.gaps;
        self.lost = self.lost.saturating_add(other.lost); // What a sequence jumps over has no bound.
        self.rejected += other.rejected;
        self.foreign += other.foreign;
        self.late += other.late;
        self.untimed += other.untimed;
        self.unlisted += other.unlisted;
    }

    /// Messages of all unknown types.
    pub fn unknown_total(&self) -> u64 {
        self.unknown.iter().sum()
    }
}

/// Several captures in turn as one feed.
///
/// - Message numbers go on from one capture to the next; every frame takes one. A bad message gives no
///   event: the hole in [`Event::seq`] tells the book that something is missing, and behind the last message
///   an Integrity event does. An unknown one gives a
///   [`Kind::Notice`] without an instrument at the time of the message before, so that it leaves no hole.
/// - A start of messages (system event O) that lies earlier in the day than the message before begins the
///   next date.
/// - Any other step backwards in time is counted and passed on as it is: the order is the file's, never the
///   clock's. So is a time of 24 hours or more.
pub struct FileFeed {
    inputs: Vec<Input>,
    file: usize,
    source: FileSource,
    decoder: ShardDecoder,
    repeat: bool,
    /// Venue time of the last message.
    last: Ts,
    /// Bytes of the captures before this one.
    bytes_before: u64,
    counters: Counters,
    /// Number of the last bad message; zero: none, or its hole was told.
    hole: u64,
    failed: Option<FeedError>,
}

impl FileFeed {
    /// Opens the first of `paths`; the others must exist.
    ///
    /// # Errors
    ///
    /// [`FeedError`] if there is no path, one does not exist, or the first cannot be read.
    pub fn open(paths: &[PathBuf], options: FeedOptions) -> Result<FileFeed, FeedError> {
        FileFeed::from_inputs(paths.iter().cloned().map(Input::File).collect(), options)
    }

    /// As [`FileFeed::open`], for captures in memory too.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn from_inputs(inputs: Vec<Input>, options: FeedOptions) -> Result<FileFeed, FeedError> {
        for (file, input) in inputs.iter().enumerate() {
            if let Input::File(path) = input {
                std::fs::metadata(path).map_err(|error| FeedError {
                    file,
                    offset: 0,
                    cause: FeedCause::Source(SourceCause::Read(error.kind())),
                })?;
            }
        }
        let Some(first) = inputs.first() else {
            return Err(FeedError::NO_INPUT);
        };
        let source = FileSource::from_reader(reader(first).map_err(|error| at(0, error))?);
        Ok(FileFeed {
            inputs,
            file: 0,
            source,
            decoder: ShardDecoder::new(
                Decoder { feed: options.feed, midnight: options.date.midnight() },
                options.shard,
            ),
            repeat: options.repeat,
            last: Ts(0),
            bytes_before: 0,
            counters: Counters { files: 1, ..Counters::NONE },
            hole: 0,
            failed: None,
        })
    }

    /// The next event.
    ///
    /// # Errors
    ///
    /// [`FeedError`] if a capture cannot be read, breaks its framing or is no ITCH; every later call says
    /// the same.
    #[expect(clippy::should_implement_trait, reason = "an iterator has no end that can fail")]
    pub fn next(&mut self) -> Result<Next, FeedError> {
        self.next_at(&mut ())
    }

    /// As [`FileFeed::next`], with each message's time told before it is decoded.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn next_at<A: Arrival>(&mut self, arrival: &mut A) -> Result<Next, FeedError> {
        self.next_for(arrival, None)
    }

    /// As [`FileFeed::next_at`], without most of what `filter` would leave out: a message about another shard's order is read as
    /// far as its time, and no event is made of it. What is passed on is the same.
    ///
    /// # Errors
    ///
    /// The same.
    pub(crate) fn next_for<A: Arrival>(
        &mut self,
        arrival: &mut A,
        mut filter: Option<&mut ShardFilter>,
    ) -> Result<Next, FeedError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        loop {
            let frame = match self.source.next_frame() {
                Ok(frame) => frame,
                Err(error) => return Err(at(self.file, error)),
            };
            let Some(frame) = frame else {
                if self.open_next()? {
                    continue;
                }
                return Ok(self.last_hole().map_or(Next::End, Next::Event));
            };
            let offset = frame.offset;
            self.counters.messages += 1;
            if A::HEARS {
                arrival.arrives(self.decoder.plain.peek_time(frame.bytes));
            }
            if let Some(filter) = filter.as_deref_mut()
                && let Some((_, ts)) = self.decoder.of_another(frame.bytes)
                && ts >= self.last
                && ts.since(self.decoder.plain.midnight) < DAY_NS
                && filter.leave_out(self.counters.messages, ts)
            {
                self.last = ts;
                continue;
            }
            match self.decoder.decode(frame.bytes, self.counters.messages, Flags::LAST_OF_PACKET) {
                Ok(mut event) => {
                    self.check_time(&mut event);
                    return Ok(Next::Event(event));
                }
                Err(error) => {
                    if let Some(event) = self.undecoded(offset, error)? {
                        return Ok(Next::Event(event));
                    }
                }
            }
        }
    }

    /// Checks an event's time against the one before.
    fn check_time(&mut self, event: &mut Event) {
        if event.ts_venue < self.last {
            self.step_back(event);
        }
        if event.ts_venue.since(self.decoder.plain.midnight) >= DAY_NS {
            self.counters.past_midnight += 1;
        }
        self.last = event.ts_venue;
    }

    #[cold]
    fn step_back(&mut self, event: &mut Event) {
        if event.kind != Kind::Session || event.aux != u64::from(b'O') {
            self.counters.backwards += 1;
            return;
        }
        self.decoder.plain.midnight.0 = self.decoder.plain.midnight.0.saturating_add(DAY_NS);
        event.ts_venue.0 = event.ts_venue.0.saturating_add(DAY_NS);
        event.ts_recv = event.ts_venue;
    }

    /// What becomes of a message that the decoder refused: an error, an event, or nothing.
    #[cold]
    fn undecoded(&mut self, offset: u64, error: DecodeError) -> Result<Option<Event>, FeedError> {
        if offset == 0 {
            let cause = FeedCause::FirstFrame(error);
            let error = FeedError { file: self.file, offset, cause };
            self.failed = Some(error);
            return Err(error);
        }
        if let DecodeError::UnknownType { kind } = error {
            return Ok(Some(self.unknown(kind)));
        }
        let seq = self.counters.messages;
        let bad = BadMessage { file: self.file, offset, seq, error };
        self.counters.bad += 1;
        self.counters.first_bad.get_or_insert(bad);
        self.hole = seq;
        Ok(None)
    }

    /// What the last message leaves if it was bad: no other will show its hole.
    #[cold]
    fn last_hole(&mut self) -> Option<Event> {
        let seq = std::mem::take(&mut self.hole);
        let event = Event::integrity(VenueNumber(0), Integrity::Incomplete, Cause::BadEvent);
        (seq > 0 && seq == self.counters.messages).then_some(Event {
            ts_venue: self.last,
            ts_recv: self.last,
            seq,
            feed: self.decoder.plain.feed,
            ..event
        })
    }

    fn unknown(&mut self, kind: u8) -> Event {
        if let Some(count) = self.counters.unknown.get_mut(usize::from(kind)) {
            *count += 1;
        }
        Event {
            ts_venue: self.last,
            ts_recv: self.last,
            seq: self.counters.messages,
            aux: kind.into(),
            flags: Flags::LAST_OF_PACKET,
            feed: self.decoder.plain.feed,
            ..Event::empty(Kind::Notice)
        }
    }

    /// Goes to the next capture; `false` if there is none.
    #[cold]
    fn open_next(&mut self) -> Result<bool, FeedError> {
        let next = match self.file + 1 {
            next if next < self.inputs.len() => next,
            _ if self.repeat => 0,
            _ => return Ok(false),
        };
        let Some(input) = self.inputs.get(next) else { return Ok(false) };
        let reader = match reader(input) {
            Ok(reader) => reader,
            Err(error) => {
                self.failed = Some(at(next, error));
                return Err(at(next, error));
            }
        };
        self.counters.missing_end += u64::from(self.source.missing_end());
        self.bytes_before += self.source.offset();
        self.source.restart(reader);
        self.file = next;
        self.counters.files += 1;
        Ok(true)
    }

    /// What the feed has seen so far.
    pub fn counters(&self) -> Counters {
        Counters {
            bytes: self.bytes_before + self.source.offset(),
            missing_end: self.counters.missing_end + u64::from(self.source.missing_end()),
            ..self.counters
        }
    }

    /// The capture at `file` of the list: its path, or what it is.
    pub fn name(&self, file: usize) -> &Path {
        match self.inputs.get(file) {
            Some(Input::File(path)) => path,
            Some(Input::Bytes(_)) => Path::new("(in memory)"),
            None => Path::new("(none)"),
        }
    }
}

fn reader(input: &Input) -> Result<FileReader, SourceError> {
    match input {
        Input::File(path) => FileReader::open(path),
        Input::Bytes(bytes) => Ok(FileReader::Bytes(std::io::Cursor::new(bytes.clone()))),
    }
}

fn at(file: usize, error: SourceError) -> FeedError {
    FeedError { file, offset: error.offset, cause: FeedCause::Source(error.cause) }
}

#[cfg(test)]
mod tests;
