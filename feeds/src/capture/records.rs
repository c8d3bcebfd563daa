//! DBN files in turn, as one feed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use model::Event;

use super::files::{Files, of_source};
use super::{Format, Kind};
use crate::Venue;
use crate::arrival::Arrival;
use crate::databento::{DbnError, DbnOptions, DbnReader};
use crate::feed::{Counters, FeedCause, FeedError, FeedOptions};
use crate::source::FileReader;

/// What a DBN file holds.
pub(super) fn kind_of(path: &Path) -> Result<Kind, FeedError> {
    let (_, reader) =
        Files::open(&[path.to_path_buf()], |path| begin(path, DbnOptions::default()))?;
    let venue = match reader.tells_orders() {
        Some(true) | None => Venue::DatabentoMbo,
        Some(false) => Venue::DatabentoMbp,
    };
    Ok(Kind { format: Format::Dbn, venue: Some(venue) })
}

/// The files.
pub(super) struct RecordFeed {
    files: Files,
    reader: DbnReader<FileReader>,
}

impl RecordFeed {
    pub fn open(paths: &[PathBuf], options: FeedOptions) -> Result<RecordFeed, FeedError> {
        let options = DbnOptions { feed: options.feed, ..DbnOptions::default() };
        let (files, reader) = Files::open(paths, |path| begin(path, options))?;
        Ok(RecordFeed { files, reader })
    }

    /// Takes one record; `false`: there is none left.
    pub fn read(
        &mut self,
        waiting: &mut VecDeque<Event>,
        arrival: &mut impl Arrival,
    ) -> Result<bool, FeedError> {
        self.files.check()?;
        match self.reader.next_at(arrival, &mut |event| waiting.push_back(event)) {
            Ok(true) => Ok(true),
            Ok(false) => {
                let restart = |path: &Path| {
                    let reader = FileReader::open(path).map_err(of_source)?;
                    self.reader.restart(reader).map_err(of_record)
                };
                Ok(self.files.next(restart)?.is_some())
            }
            Err(error) => Err(self.files.fail(of_record(error))),
        }
    }

    pub fn counters(&self) -> Counters {
        let seen = self.reader.counters();
        let mut counters = Counters {
            messages: seen.records,
            bytes: seen.bytes,
            bad: seen.bad,
            files: self.files.count(),
            ..Counters::NONE
        };
        if let Some(unknown) = counters.unknown.first_mut() {
            *unknown = seen.other;
        }
        counters
    }

    pub fn name(&self, file: usize) -> &Path {
        self.files.name(file)
    }
}

fn begin(path: &Path, options: DbnOptions) -> Result<DbnReader<FileReader>, (u64, FeedCause)> {
    DbnReader::open(FileReader::open(path).map_err(of_source)?, options).map_err(of_record)
}

fn of_record(error: DbnError) -> (u64, FeedCause) {
    (error.offset, FeedCause::Record(error.cause))
}
