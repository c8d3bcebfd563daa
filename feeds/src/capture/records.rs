//! DBN files in turn, as one feed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use model::Event;

use super::{Format, Kind};
use crate::Venue;
use crate::databento::{DbnError, DbnOptions, DbnReader};
use crate::feed::{Counters, FeedCause, FeedError, FeedOptions};
use crate::source::{FileReader, SourceError};

/// What a DBN file holds.
pub(super) fn kind_of(path: &Path) -> Result<Kind, FeedError> {
    let opened = DbnReader::open(open(0, path)?, DbnOptions::default());
    let reader = opened.map_err(|error| at(0, error))?;
    let venue = match reader.tells_orders() {
        Some(true) | None => Venue::DatabentoMbo,
        Some(false) => Venue::DatabentoMbp,
    };
    Ok(Kind { format: Format::Dbn, venue: Some(venue) })
}

/// The files.
pub(super) struct RecordFeed {
    paths: Vec<PathBuf>,
    file: usize,
    reader: DbnReader<FileReader>,
    failed: Option<FeedError>,
}

impl RecordFeed {
    pub fn open(paths: &[PathBuf], options: FeedOptions) -> Result<RecordFeed, FeedError> {
        for (file, path) in paths.iter().enumerate() {
            open(file, path)?;
        }
        let first = paths.first().ok_or(FeedError::NO_INPUT)?;
        let options = DbnOptions { feed: options.feed, ..DbnOptions::default() };
        let reader = DbnReader::open(open(0, first)?, options).map_err(|error| at(0, error))?;
        Ok(RecordFeed { paths: paths.to_vec(), file: 0, reader, failed: None })
    }

    /// Takes one record; `false`: there is none left.
    pub fn read(&mut self, waiting: &mut VecDeque<Event>) -> Result<bool, FeedError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.reader.next(&mut |event| waiting.push_back(event)) {
            Ok(true) => Ok(true),
            Ok(false) => self.next_file(),
            Err(error) => Err(*self.failed.insert(at(self.file, error))),
        }
    }

    #[cold]
    fn next_file(&mut self) -> Result<bool, FeedError> {
        let next = self.file + 1;
        let Some(path) = self.paths.get(next) else { return Ok(false) };
        let opened = open(next, path)
            .and_then(|reader| self.reader.restart(reader).map_err(|error| at(next, error)));
        if let Err(error) = opened {
            return Err(*self.failed.insert(error));
        }
        self.file = next;
        Ok(true)
    }

    pub fn counters(&self) -> Counters {
        let seen = self.reader.counters();
        let mut counters = Counters {
            messages: seen.records,
            bytes: seen.bytes,
            bad: seen.bad,
            files: self.file as u64 + 1,
            ..Counters::NONE
        };
        if let Some(unknown) = counters.unknown.first_mut() {
            *unknown = seen.other;
        }
        counters
    }

    pub fn name(&self, file: usize) -> &Path {
        self.paths.get(file).map_or(Path::new("(none)"), PathBuf::as_path)
    }
}

fn open(file: usize, path: &Path) -> Result<FileReader, FeedError> {
    FileReader::open(path).map_err(|SourceError { offset, cause }| FeedError {
        file,
        offset,
        cause: FeedCause::Source(cause),
    })
}

fn at(file: usize, error: DbnError) -> FeedError {
    FeedError { file, offset: error.offset, cause: FeedCause::Record(error.cause) }
}
