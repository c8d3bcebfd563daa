//! Lines of texts in turn, as one feed: the same machine as live, and nobody there to do what it wants done.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use model::{Event, Ts};

use super::files::{Files, of_source};
use crate::Venue;
use crate::arrival::Arrival;
use crate::feed::{Counters, FeedCause, FeedError, FeedOptions};
use crate::source::{Direction, LineFile};
use crate::stream::{self, StreamConfig, StreamFeed, StreamSymbol, WithFeed, with_feed};

/// A machine, whichever venue's it is.
trait Machine: Send {
    fn start(&mut self, waiting: &mut VecDeque<Event>);
    fn on_line(&mut self, text: &[u8], ts: Ts, waiting: &mut VecDeque<Event>);
    fn counters(&self) -> stream::StreamCounters;
}

impl<V: stream::Venue + Send> Machine for StreamFeed<V> {
    fn start(&mut self, waiting: &mut VecDeque<Event>) {
        StreamFeed::start(self, Ts(0), &mut |event| waiting.push_back(event));
    }

    fn on_line(&mut self, text: &[u8], ts: Ts, waiting: &mut VecDeque<Event>) {
        StreamFeed::on_line(self, text, ts, &mut |event| waiting.push_back(event));
    }

    fn counters(&self) -> stream::StreamCounters {
        StreamFeed::counters(self)
    }
}

struct Boxed;

impl WithFeed for Boxed {
    type Out = Box<dyn Machine>;

    fn with<V: stream::Venue + Send + 'static>(self, feed: StreamFeed<V>) -> Box<dyn Machine> {
        Box::new(feed)
    }
}

/// The files.
pub(super) struct TextFeed {
    files: Files,
    source: LineFile,
    machine: Box<dyn Machine>,
    /// Events before the first line: they take its time.
    started: bool,
    /// Time of the last line.
    now: Ts,
    /// Bytes, and captures cut off, of the captures before this one.
    before: [u64; 2],
}

impl TextFeed {
    pub fn open(
        venue: Venue,
        paths: &[PathBuf],
        options: FeedOptions,
        symbols: &[StreamSymbol],
    ) -> Result<TextFeed, FeedError> {
        let (files, source) = Files::open(paths, open)?;
        let config = StreamConfig {
            feed: options.feed,
            symbols: symbols.to_vec(),
            depth: StreamConfig::AS_RECORDED,
            seed: 0,
            ws_url: None,
            rest_url: None,
        };
        let machine = with_feed(venue, config, Boxed);
        let refuse = |error| FeedError { file: 0, offset: 0, cause: FeedCause::Symbols(error) };
        let machine = machine.map_err(refuse)?.ok_or(FeedError::NO_VENUE)?;
        Ok(TextFeed { files, source, machine, started: false, now: Ts(0), before: [0; 2] })
    }

    /// Takes one line; `false`: there is none left.
    pub fn read(
        &mut self,
        waiting: &mut VecDeque<Event>,
        arrival: &mut impl Arrival,
    ) -> Result<bool, FeedError> {
        self.files.check()?;
        let line = match self.source.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return self.next_file(),
            Err(error) => return Err(self.files.fail(of_source(error))),
        };
        self.now = line.ts.unwrap_or(self.now).max(self.now);
        arrival.arrives(self.now);
        if !self.started {
            self.started = true;
            self.machine.start(waiting);
            waiting.iter_mut().for_each(|event| event.ts_recv = self.now);
        }
        if matches!(line.direction, Direction::Received | Direction::Unmarked | Direction::Answered)
        {
            self.machine.on_line(line.text, self.now, waiting);
        }
        Ok(true)
    }

    #[cold]
    fn next_file(&mut self) -> Result<bool, FeedError> {
        let Some(source) = self.files.next(open)? else { return Ok(false) };
        self.before = self.read_so_far();
        self.source = source;
        Ok(true)
    }

    /// What this capture and those before it came to: bytes, and how many were cut off.
    fn read_so_far(&self) -> [u64; 2] {
        let [bytes, cut] = self.before;
        [bytes + self.source.offset(), cut + self.source.counts().cut]
    }

    pub fn counters(&self) -> Counters {
        let seen = self.machine.counters();
        let [bytes, cut] = self.read_so_far();
        Counters {
            messages: seen.texts,
            bytes,
            cut,
            bad: seen.bad,
            gaps: seen.gaps + seen.mismatches,
            unlisted: seen.foreign,
            files: self.files.count(),
            ..Counters::NONE
        }
    }

    pub fn name(&self, file: usize) -> &Path {
        self.files.name(file)
    }
}

fn open(path: &Path) -> Result<LineFile, (u64, FeedCause)> {
    LineFile::open(path).map_err(of_source)
}
