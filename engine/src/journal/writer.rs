//! Writes a journal, on a thread of its own: the engine thread never waits for the disk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::reader::{Reader, Tail};
use super::record::{Entry, Record};
use super::segment::{self, HEADER_BYTES, JournalError, SEGMENT_BYTES};

/// How far the journal has come. Written by the journal thread, read by the engine thread.
#[derive(Debug, Default)]
pub struct Progress {
    written: AtomicU64,
    synced: AtomicU64,
    failed: AtomicBool,
}

impl Progress {
    /// Every input up to this one survives the end of the process.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Every input up to this one survives the loss of power.
    pub fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Writing failed (full disk, I/O error). For good: a page that could not be synced may be lost although a later
    /// sync succeeds, so only a restart, which reads back what is there, may go on.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

/// A journal open for appending.
pub struct Writer {
    folder: PathBuf,
    /// Holds the lock on the folder.
    _lock: File,
    file: File,
    number: u32,
    offset: u64,
    segment_bytes: u64,
    payload: Vec<u8>,
    batch: Vec<u8>,
    progress: Arc<Progress>,
}

/// Entries written by one system call at most.
const BATCH_ENTRIES: usize = 1024;

impl Writer {
    /// Opens the folder for appending behind `tail`, as [`super::reader::Reader::tail`] told it; an empty tail makes a new
    /// journal. What stands behind the tail is erased first.
    ///
    /// # Errors
    ///
    /// [`JournalError::InUse`] if another engine holds the folder; [`JournalError::Io`].
    pub fn open(folder: &Path, tail: Tail) -> Result<Writer, JournalError> {
        Self::open_sized(folder, tail, SEGMENT_BYTES)
    }

    /// [`Writer::open`] with segments of another size.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn open_sized(
        folder: &Path,
        tail: Tail,
        segment_bytes: u64,
    ) -> Result<Writer, JournalError> {
        std::fs::create_dir_all(folder).map_err(JournalError::io(folder))?;
        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(JournalError::io(&lock_path))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| JournalError::InUse(folder.to_path_buf()))?;
        let (file, number, offset) = if tail.offset == 0 {
            remove_unopened(folder)?;
            (segment::create(folder, 0, segment_bytes)?, 0, HEADER_BYTES)
        } else {
            (erase_behind(folder, tail, segment_bytes)?, tail.segment, tail.offset)
        };
        Ok(Writer {
            folder: folder.to_path_buf(),
            _lock: lock,
            file,
            number,
            offset,
            segment_bytes,
            payload: Vec::new(),
            batch: Vec::new(),
            progress: Arc::new(Progress::default()),
        })
    }

    /// Where to read how far it has come.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Appends a record before the engine starts.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`].
    pub fn append_head(&mut self, record: &Record) -> Result<(), JournalError> {
        self.payload.clear();
        record.write_head(&mut self.payload);
        segment::frame(&self.payload, &mut self.batch);
        self.write_batch()
    }

    /// Appends entries from the ring until `stop` is set and the ring is empty. Syncs after each batch if `sync`, and at the end.
    /// On the first failure it says so in [`Progress`] and goes on only to empty the ring.
    pub fn run(
        mut self,
        mut ring: rtrb::Consumer<Entry>,
        sync: bool,
        stop: &AtomicBool,
    ) -> Result<(), JournalError> {
        let mut outcome = Ok(());
        loop {
            let stopping = stop.load(Ordering::Acquire);
            let last = self.take_batch(&mut ring);
            match last {
                Some(_) if outcome.is_err() => self.batch.clear(),
                Some(seq) => {
                    outcome = self.commit(seq, sync);
                    self.progress.failed.store(outcome.is_err(), Ordering::Release);
                }
                None if stopping => break,
                None => std::thread::park_timeout(Duration::from_micros(200)),
            }
        }
        if outcome.is_ok() {
            outcome = self.sync();
        }
        outcome
    }

    /// Frames what waits in the ring; the last entry's input.
    fn take_batch(&mut self, ring: &mut rtrb::Consumer<Entry>) -> Option<u64> {
        let mut last = None;
        for _ in 0..BATCH_ENTRIES {
            let Ok(entry) = ring.pop() else { break };
            self.payload.clear();
            entry.write(&mut self.payload);
            segment::frame(&self.payload, &mut self.batch);
            last = Some(entry.seq);
        }
        last
    }

    fn commit(&mut self, seq: u64, sync: bool) -> Result<(), JournalError> {
        self.write_batch()?;
        self.progress.written.store(seq, Ordering::Release);
        if sync {
            self.sync()?;
            self.progress.synced.store(seq, Ordering::Release);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        self.file
            .sync_data()
            .map_err(JournalError::io(&segment::path_of(&self.folder, self.number)))
    }

    /// Writes the batch, in a new segment if this one cannot hold it.
    fn write_batch(&mut self) -> Result<(), JournalError> {
        if self.offset + self.batch.len() as u64 > self.segment_bytes {
            self.sync()?;
            let bytes = self.segment_bytes.max(HEADER_BYTES + self.batch.len() as u64);
            self.number += 1;
            self.file = segment::create(&self.folder, self.number, bytes)?;
            self.offset = HEADER_BYTES;
        }
        let written = self.file.write_all_at(&self.batch, self.offset);
        written.map_err(JournalError::io(&segment::path_of(&self.folder, self.number)))?;
        self.offset += self.batch.len() as u64;
        self.batch.clear();
        Ok(())
    }
}

/// Removes the segments of a journal that a crash cut off before an engine had opened it: nothing is in it.
fn remove_unopened(folder: &Path) -> Result<(), JournalError> {
    let mut reader = Reader::open(folder)?;
    while let Some(record) = reader.next_record()? {
        if matches!(record, Record::Opened { .. } | Record::Input(_) | Record::Run { .. }) {
            return Err(JournalError::NotEmpty(folder.to_path_buf()));
        }
    }
    for number in segment::numbers(folder)? {
        let path = segment::path_of(folder, number);
        std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
    }
    Ok(())
}

/// Opens the tail's segment with nothing but zeros behind the tail, and removes the segments after it.
fn erase_behind(folder: &Path, tail: Tail, segment_bytes: u64) -> Result<File, JournalError> {
    for number in segment::numbers(folder)?.into_iter().filter(|number| *number > tail.segment) {
        let path = segment::path_of(folder, number);
        std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
    }
    let path = segment::path_of(folder, tail.segment);
    let open = || {
        let file = File::options().read(true).write(true).open(&path)?;
        let bytes = segment_bytes.max(file.metadata()?.len());
        file.set_len(tail.offset)?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
        file.sync_data()?;
        Ok(file)
    };
    open().map_err(JournalError::io(&path))
}

#[cfg(test)]
mod tests;
