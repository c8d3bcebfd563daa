//! The files of snapshots: in a folder beside the segments, named by their last input, whole or not there.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::SnapshotError;
use crate::journal::path_of;
use crate::journal::reader::Tail;
use crate::journal::storage::{PRIVATE, Storage};

/// Folder of the snapshots within that of the journal.
pub const FOLDER: &str = "snapshots";
/// How many are kept.
pub const KEEP: usize = 3;

const SUFFIX: &str = ".tgs";
const UNFINISHED: &str = ".tmp";
/// No snapshot is longer: it is read as a whole.
const BYTES_MAX: u64 = 16 << 30;

/// The snapshots of a journal, the newest first. None if there is no folder of them.
///
/// # Errors
///
/// [`SnapshotError::Io`].
pub fn list(journal: &Path) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
    let mut snapshots = Vec::new();
    for path in names(journal)? {
        let name = path.file_name().and_then(|name| name.to_str());
        let seq = name.and_then(|name| name.strip_suffix(SUFFIX)).and_then(|n| n.parse().ok());
        snapshots.extend(seq.map(|seq: u64| (seq, path.clone())));
    }
    snapshots.sort_unstable_by(|a, b| b.cmp(a));
    Ok(snapshots)
}

/// Writes a file that a crash leaves whole or not at all, readable by nobody else.
pub(super) fn write(
    storage: &mut impl Storage,
    journal: &Path,
    seq: u64,
    bytes: &[u8],
) -> Result<PathBuf, SnapshotError> {
    let folder = journal.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(error_at(&folder))?;
    let path = folder.join(format!("{seq:020}{SUFFIX}"));
    let unfinished = folder.join(format!("{seq:020}.{}{UNFINISHED}", std::process::id()));
    let mut write = || -> io::Result<()> {
        remove(storage, &unfinished)?; // What this process could not remove when it failed.
        let file = storage.create(&unfinished, bytes.len() as u64, PRIVATE)?;
        storage.write_all_at(&file, bytes, 0)?;
        storage.sync(&file)?;
        storage.rename(&unfinished, &path)
    };
    let written = write().map_err(error_at(&path));
    if written.is_err() {
        let _ = remove(storage, &unfinished); // A full disk needs the room.
    }
    written.map(|()| path)
}

/// Removes a file that need not be there.
fn remove(storage: &mut impl Storage, path: &Path) -> io::Result<()> {
    match storage.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes all but the newest up to input `seq`, and as many behind it: those may be of an engine that is ahead of this
/// follower, or of a part of the journal that was cut off. And what a process left unfinished that is no more.
pub(super) fn prune(
    storage: &mut impl Storage,
    journal: &Path,
    seq: u64,
) -> Result<(), SnapshotError> {
    let snapshots = list(journal)?;
    let (ahead, behind): (Vec<_>, Vec<_>) = snapshots.into_iter().partition(|(at, _)| *at > seq);
    let old = ahead.into_iter().skip(KEEP).chain(behind.into_iter().skip(KEEP));
    let orphans = names(journal)?.into_iter().filter(|path| is_orphan(path));
    for path in old.map(|(_, path)| path).chain(orphans) {
        remove(storage, &path).map_err(error_at(&path))?;
    }
    Ok(())
}

/// Whether a file was being written by a process that is no more.
fn is_orphan(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.strip_suffix(UNFINISHED));
    let Some(pid) = stem.and_then(|stem| stem.rsplit('.').next()?.parse().ok()) else {
        return false;
    };
    let pid = rustix::process::Pid::from_raw(pid);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, SnapshotError> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        if len > BYTES_MAX {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(len as usize);
        (&mut file).take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    read().map_err(error_at(path))?.ok_or(SnapshotError::NotWhole)
}

/// BLAKE3 of a segment's number and bytes up to a place: what the engine of a snapshot has read last. Times and hashes in
/// it are no other journal's.
pub(super) fn journal_digest(journal: &Path, tail: Tail) -> Result<[u8; 32], SnapshotError> {
    let path = path_of(journal, tail.segment);
    let digest = || -> io::Result<[u8; 32]> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&tail.segment.to_le_bytes());
        let mut file = File::open(&path)?.take(tail.offset);
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => hasher.update(buffer.get(..count).unwrap_or_default()),
            };
        }
        Ok(*hasher.finalize().as_bytes())
    };
    match digest() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SnapshotError::OtherJournal),
        other => other.map_err(error_at(&path)),
    }
}

fn names(journal: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let folder = journal.join(FOLDER);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(error_at(&folder))?,
    };
    let path = |entry: io::Result<std::fs::DirEntry>| Ok(entry.map_err(error_at(&folder))?.path());
    entries.map(path).collect()
}

fn error_at(path: &Path) -> impl FnOnce(io::Error) -> SnapshotError + '_ {
    move |error| SnapshotError::Io { path: path.to_path_buf(), error }
}
