//! Exclusive ownership of a journal's folder.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::segment::JournalError;

/// The right to write in a folder: held by one process at a time, and given back by the kernel with its end. Taken before
/// the journal is read, so that nobody appends to what was read.
#[derive(Debug)]
pub struct Lease {
    folder: PathBuf,
    _lock: File,
}

impl Lease {
    /// Takes it, makes the folder if there is none, and leaves this process's number for whoever finds it taken.
    ///
    /// # Errors
    ///
    /// [`JournalError::InUse`] names the process that has it; [`JournalError::Io`].
    pub fn take(folder: &Path) -> Result<Lease, JournalError> {
        std::fs::create_dir_all(folder).map_err(JournalError::io(folder))?;
        let path = folder.join("lock");
        let lock = open_lock(&path)?;
        hold(&lock, &path, folder)?;
        let pid = format!("{}\n", std::process::id());
        // A full disk must not stop a start whose segment is reserved already: the lock is what counts.
        let _ = lock.set_len(0).and_then(|()| lock.write_all_at(pid.as_bytes(), 0));
        Ok(Lease { folder: folder.to_path_buf(), _lock: lock })
    }

    /// Takes it of a folder that an engine had, and leaves nothing there: for whoever does something while no engine runs.
    /// `None`: no engine ever had it.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn take_idle(folder: &Path) -> Result<Option<Lease>, JournalError> {
        let path = folder.join("lock");
        let lock = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(JournalError::io(&path))?,
        };
        hold(&lock, &path, folder)?;
        Ok(Some(Lease { folder: folder.to_path_buf(), _lock: lock }))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn hold(lock: &File, path: &Path, folder: &Path) -> Result<(), JournalError> {
    match rustix::fs::flock(lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(JournalError::InUse { folder: folder.to_path_buf(), holder: holder(lock) })
        }
        Err(error) => Err(JournalError::io(path)(error.into())),
    }
}

/// Who holds a lock, as far as its file tells.
fn holder(mut lock: &File) -> Option<u32> {
    let mut text = [0; 16];
    let len = lock.read(&mut text).ok()?;
    core::str::from_utf8(text.get(..len)?).ok()?.trim().parse().ok()
}

/// Opens a lock file without touching what is in it.
pub(super) fn open_lock(path: &Path) -> Result<File, JournalError> {
    let open = || -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    };
    open().map_err(JournalError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the second one is refused and told by whom, again and again, until the first one is gone. Method: take it
    /// twice within a process: the lock is the open file's.
    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lease::take(folder.path()).unwrap();
        for _ in 0..3 {
            let refused = Lease::take(folder.path());
            let Err(JournalError::InUse { holder, .. }) = &refused else { panic!("{refused:?}") };
            assert_eq!(*holder, Some(std::process::id()));
        }
        drop(first);
        assert!(Lease::take(folder.path()).is_ok());
    }
}
