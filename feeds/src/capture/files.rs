//! The captures of a feed, in turn, and its last word.

use std::path::{Path, PathBuf};

use crate::feed::{FeedCause, FeedError};
use crate::source::SourceError;

/// The captures of a feed, in turn.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    /// Place of the one that is read.
    place: usize,
    failed: Option<FeedError>,
}

impl Files {
    /// All must exist; also gives what `open` makes of the first.
    pub fn open<T>(
        paths: &[PathBuf],
        open: impl FnOnce(&Path) -> Result<T, (u64, FeedCause)>,
    ) -> Result<(Files, T), FeedError> {
        let first = paths.first().ok_or(FeedError::NO_INPUT)?;
        let mut files = Files { paths: paths.to_vec(), place: 0, failed: None };
        for (place, path) in paths.iter().enumerate() {
            files.place = place;
            let found = std::fs::metadata(path);
            found.map_err(|error| files.at(of_source(SourceError::read(0, &error))))?;
        }
        files.place = 0;
        let opened = open(first).map_err(|why| files.at(why))?;
        Ok((files, opened))
    }

    /// What was said last, if that was an error: it is said for ever.
    pub fn check(&self) -> Result<(), FeedError> {
        self.failed.map_or(Ok(()), Err)
    }

    /// The one that is read has failed, at a byte of it and for a reason.
    #[cold]
    pub fn fail(&mut self, why: (u64, FeedCause)) -> FeedError {
        let error = self.at(why);
        *self.failed.insert(error)
    }

    /// Goes to the next, if there is one, by way of `open`.
    #[cold]
    pub fn next<T>(
        &mut self,
        open: impl FnOnce(&Path) -> Result<T, (u64, FeedCause)>,
    ) -> Result<Option<T>, FeedError> {
        let Some(path) = self.paths.get(self.place + 1) else { return Ok(None) };
        self.place += 1;
        match open(path) {
            Ok(opened) => Ok(Some(opened)),
            Err(why) => Err(self.fail(why)),
        }
    }

    /// How many were begun.
    pub fn count(&self) -> u64 {
        self.place as u64 + 1
    }

    /// The path of one.
    pub fn name(&self, place: usize) -> &Path {
        self.paths.get(place).map_or(Path::new("(none)"), PathBuf::as_path)
    }

    fn at(&self, (offset, cause): (u64, FeedCause)) -> FeedError {
        FeedError { file: self.place, offset, cause }
    }
}

/// What failed below: reading, or the format of the file.
pub(super) fn of_source(error: SourceError) -> (u64, FeedCause) {
    (error.offset, FeedCause::Source(error.cause))
}
