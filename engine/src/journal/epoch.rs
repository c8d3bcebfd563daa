//! The fencing epoch of a journal: a number that only grows, in a file of its own beside the segments.
//!
//! Every engine that goes on with a journal takes the next epoch first, and every order id carries it. A standby that is
//! promoted takes a later one; the engine before it finds that out at its next batch, and stops writing.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::OrderId;

use super::segment::JournalError;

const NAME: &str = "epoch";

/// An epoch that was taken, until a later one is.
#[derive(Debug)]
pub struct Claim {
    epoch: u32,
    path: PathBuf,
    /// The file as it was written: held open, so that its number on the disk is not given to another one.
    file: File,
}

impl Claim {
    /// Takes the epoch after every earlier one: zero in a folder that knows none. `seen`: the last one that the journal's
    /// records name.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], [`JournalError::BadEpoch`], or [`JournalError::NoMoreEpochs`] after 2^20 of them.
    pub fn take(folder: &Path, seen: Option<u32>) -> Result<Claim, JournalError> {
        let path = folder.join(NAME);
        let next_path = folder.join("epoch.next");
        // Two that take one at the same moment do it one after the other. The file is never removed.
        let turn = super::lease::open_lock(&folder.join("epoch.lock"))?;
        rustix::fs::flock(&turn, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| JournalError::io(&path)(error.into()))?;
        let epoch = current(folder)?.max(seen).map_or(0, |last| last.saturating_add(1));
        if epoch > OrderId::EPOCH_MAX {
            return Err(JournalError::NoMoreEpochs(path));
        }
        let write = || {
            let mut file = File::create(&next_path)?;
            file.write_all(format!("{epoch}\n").as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&next_path, &path)?;
            File::open(folder)?.sync_all()?;
            Ok(file)
        };
        let file = write().map_err(JournalError::io(&path))?;
        Ok(Claim { epoch, path, file })
    }

    /// The epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether it is still the latest one. Costs two looks at a file's number, not its content.
    ///
    /// # Errors
    ///
    /// [`JournalError::Fenced`] once a later one was taken, or the file is gone; [`JournalError::Io`].
    pub fn check(&self) -> Result<(), JournalError> {
        let ours = self.file.metadata().map_err(JournalError::io(&self.path))?;
        match std::fs::metadata(&self.path) {
            Ok(now) if (now.dev(), now.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            Ok(_) => Err(self.fenced()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.fenced()),
            Err(error) => Err(JournalError::io(&self.path)(error)),
        }
    }

    fn fenced(&self) -> JournalError {
        JournalError::Fenced { path: self.path.clone(), epoch: self.epoch }
    }
}

/// The latest epoch of a folder; `None`: none was taken yet.
///
/// # Errors
///
/// [`JournalError::Io`]; [`JournalError::BadEpoch`] if the file holds no number.
pub fn current(folder: &Path) -> Result<Option<u32>, JournalError> {
    let path = folder.join(NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let number = text.strip_suffix('\n').and_then(|text| text.parse().ok());
            number.map(Some).ok_or(JournalError::BadEpoch(path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(JournalError::BadEpoch(path))
        }
        Err(error) => Err(JournalError::io(&path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: epochs only grow, whatever the journal says, and a claim ends with the next one. Method: take several, by
    /// file and by record; spoil and remove the file.
    #[test]
    fn only_the_latest_holds() {
        let folder = tempfile::tempdir().unwrap();
        let take = |seen| Claim::take(folder.path(), seen);
        let first = take(None).unwrap();
        assert_eq!((first.epoch(), first.check().is_ok()), (0, true));
        let second = take(None).unwrap();
        assert_eq!(second.epoch(), 1);
        assert!(matches!(first.check(), Err(JournalError::Fenced { epoch: 0, .. })));
        assert_eq!(take(Some(7)).unwrap().epoch(), 8, "the records know more than the file");
        assert_eq!(take(Some(3)).unwrap().epoch(), 9, "the file knows more than the records");
        assert!(matches!(take(Some(OrderId::EPOCH_MAX)), Err(JournalError::NoMoreEpochs(_))));
        let last = take(None).unwrap();
        std::fs::remove_file(folder.path().join(NAME)).unwrap();
        assert!(matches!(last.check(), Err(JournalError::Fenced { .. })));
        for text in ["", "7", "x\n", "-1\n", "99999999999\n"] {
            std::fs::write(folder.path().join(NAME), text).unwrap();
            assert!(matches!(take(None), Err(JournalError::BadEpoch(_))), "{text:?}");
        }
    }

    /// Goal: two that take an epoch at once get different ones. Method: eight threads, fifty each.
    #[test]
    fn never_the_same_twice() {
        let folder = tempfile::tempdir().unwrap();
        let take = || {
            (0..50).map(|_| Claim::take(folder.path(), None).unwrap().epoch()).collect::<Vec<_>>()
        };
        let mut all: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        all.sort_unstable();
        assert!(all.into_iter().eq(0..400));
    }
}
