//! Writes a journal, on a thread of its own: the engine thread never waits for the disk.
//!
//! The segment after the one that is written to is made in advance: when the disk is full, a whole one is left for what must
//! always pass, cancels and reports ([`Progress::full`]). After an error of the disk nothing more is written
//! ([`Progress::failed`]). Neither ends before a restart.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::epoch::Claim;
use super::lease::Lease;
use super::reader::{Reader, Tail};
use super::record::{Entry, Record};
use super::repair;
use super::segment::{self, HEADER_BYTES, JournalError};
use super::storage::{Disk, SHARED, Storage};
use crate::config::Config;

/// How far the journal has come. Written by the journal thread, read by the engine thread.
#[derive(Debug, Default)]
pub struct Progress {
    written: AtomicU64,
    synced: AtomicU64,
    full: AtomicBool,
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

    /// No further segment can be made (full disk): what is left of this one is for cancels and reports. For good.
    pub fn full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    /// Writing failed (I/O error, the reserve used up, a later epoch). For good: a page that could not be synced may be lost
    /// although a later sync succeeds, so only a restart, which reads back what is there, may go on.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

/// A journal open for appending.
pub struct Writer<S: Storage = Disk> {
    lease: Lease,
    claim: Claim,
    storage: S,
    segment: S::Segment,
    number: u32,
    offset: u64,
    /// Records before that.
    records: u64,
    /// Bytes reserved for this segment.
    room: u64,
    segment_bytes: u64,
    /// The segment after this one.
    spare: Option<S::Segment>,
    /// What went wrong first.
    trouble: Option<JournalError>,
    payload: Vec<u8>,
    batch: Vec<u8>,
    /// Bytes of files that entries stand for.
    files: Option<rtrb::Consumer<Vec<u8>>>,
    progress: Arc<Progress>,
}

/// Entries written by one system call at most.
const BATCH_ENTRIES: usize = 1024;
/// Size of a segment made in advance: what is left when the disk is full. A cancel takes some hundred bytes.
const RESERVE_BYTES: u64 = 16 << 20;

impl Writer {
    /// Opens a folder for appending behind `tail`, as [`super::reader::Reader::tail`] told it; an empty tail makes a new
    /// journal. What stands behind the tail is erased first, but torn bytes are kept in a file beside.
    ///
    /// # Errors
    ///
    /// [`JournalError::NotEmpty`] if a new one is asked for and there is one in which something happened;
    /// [`JournalError::Fenced`]; [`JournalError::Io`].
    pub fn open(
        lease: Lease,
        claim: Claim,
        tail: Tail,
        segment_bytes: u64,
    ) -> Result<Writer, JournalError> {
        Self::open_on(Disk, lease, claim, tail, segment_bytes)
    }
}

impl<S: Storage> Writer<S> {
    /// [`Writer::open`] on another storage.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn open_on(
        mut storage: S,
        lease: Lease,
        claim: Claim,
        tail: Tail,
        segment_bytes: u64,
    ) -> Result<Writer<S>, JournalError> {
        claim.check()?;
        let fresh = tail.offset == 0;
        if fresh {
            remove_idle(&lease)?;
        } else {
            repair::keep_torn(&lease, tail)?;
            remove_behind(&lease, tail)?;
        }
        let path = segment::path_of(lease.folder(), tail.segment);
        let opened = if fresh {
            storage.create(&path, segment_bytes, SHARED)
        } else {
            storage.reopen(&path, tail.offset, segment_bytes)
        };
        let mut writer = Writer {
            segment: opened.map_err(JournalError::io(&path))?,
            lease,
            claim,
            storage,
            number: tail.segment,
            offset: tail.offset,
            records: tail.records,
            room: segment_bytes,
            segment_bytes,
            spare: None,
            trouble: None,
            payload: Vec::new(),
            batch: Vec::new(),
            files: None,
            progress: Arc::new(Progress::default()),
        };
        if fresh {
            writer.write(&segment::header(tail.segment))?;
        }
        writer.make_spare();
        Ok(writer)
    }

    /// Takes the bytes of files from `files`, in the order of their entries.
    pub fn with_files(self, files: rtrb::Consumer<Vec<u8>>) -> Writer<S> {
        Writer { files: Some(files), ..self }
    }

    /// Where to read how far it has come.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// The epoch that it writes in.
    pub fn epoch(&self) -> u32 {
        self.claim.epoch()
    }

    /// Appends a record before the engine starts. [`Record::Opened`], the last of them, syncs: no input is on a disk whose
    /// configuration is not.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`].
    pub fn append_head(&mut self, record: &Record) -> Result<(), JournalError> {
        self.payload.clear();
        record.write_head(&mut self.payload);
        segment::frame(&self.payload, &mut self.batch);
        self.records += 1;
        self.write_batch()?;
        if matches!(record, Record::Opened { .. }) {
            self.sync()?;
        }
        Ok(())
    }

    /// Appends entries from the ring until `stop` is set and the ring is empty. Syncs after each batch if `sync`, and at the end.
    /// On the first failure it says so in [`Progress`] and goes on only to empty the ring. Where the journal ends.
    ///
    /// # Errors
    ///
    /// What went wrong first.
    pub fn run(
        mut self,
        mut ring: rtrb::Consumer<Entry>,
        sync: bool,
        stop: &AtomicBool,
    ) -> Result<Tail, JournalError> {
        loop {
            let stopping = stop.load(Ordering::Acquire);
            if self.poll(&mut ring, sync) {
                continue;
            }
            if stopping {
                break;
            }
            std::thread::park_timeout(Duration::from_micros(200));
        }
        let tail = self.tail();
        self.close().map(|()| tail)
    }

    /// Behind what was written last.
    pub fn tail(&self) -> Tail {
        let Writer { number, offset, records, .. } = self;
        Tail { segment: *number, offset: *offset, records: *records, torn: false }
    }

    /// Appends what waits in the ring, a batch at most; whether there was something. Once writing failed it only empties
    /// the ring.
    pub fn poll(&mut self, ring: &mut rtrb::Consumer<Entry>, sync: bool) -> bool {
        let Some(seq) = self.take_batch(ring) else { return false };
        if self.progress.failed() {
            self.batch.clear();
        } else if let Err(error) = self.commit(seq, sync) {
            self.fail(error);
        }
        true
    }

    /// Syncs and ends.
    ///
    /// # Errors
    ///
    /// What went wrong first, now or earlier.
    pub fn close(mut self) -> Result<(), JournalError> {
        if !self.progress.failed() {
            match self.sync() {
                Ok(()) => self.remove_spare(),
                Err(error) => self.fail(error),
            }
        }
        self.trouble.map_or(Ok(()), Err)
    }

    /// Frames what waits in the ring; the last entry's input.
    fn take_batch(&mut self, ring: &mut rtrb::Consumer<Entry>) -> Option<u64> {
        let mut last = None;
        for _ in 0..BATCH_ENTRIES {
            let Ok(entry) = ring.pop() else { break };
            self.payload.clear();
            if entry.is_file() {
                // Handed over before its entry was: it is there.
                let bytes = self.files.as_mut().and_then(|files| files.pop().ok());
                let (name, bytes) = (Config::LIMITS.to_owned(), bytes.unwrap_or_default());
                Record::Config { name, bytes }.write_head(&mut self.payload);
            } else {
                entry.write(&mut self.payload);
            }
            segment::frame(&self.payload, &mut self.batch);
            self.records += 1;
            last = Some(entry.seq);
        }
        last
    }

    fn commit(&mut self, seq: u64, sync: bool) -> Result<(), JournalError> {
        self.claim.check()?;
        self.write_batch()?;
        self.progress.written.store(seq, Ordering::Release);
        if sync {
            self.sync()?;
            self.claim.check()?;
            self.progress.synced.store(seq, Ordering::Release);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        self.storage.sync(&self.segment).map_err(JournalError::io(&self.path()))
    }

    /// Writes the batch, in the next segment if this one cannot hold it.
    fn write_batch(&mut self) -> Result<(), JournalError> {
        let mut batch = std::mem::take(&mut self.batch);
        if self.offset + batch.len() as u64 > self.room {
            self.next_segment(HEADER_BYTES + batch.len() as u64)?;
        }
        self.write(&batch)?;
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    /// Writes behind what is there.
    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let written = self.storage.write_all_at(&self.segment, bytes, self.offset);
        written.map_err(JournalError::io(&self.path()))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Goes on in the spare segment, with room for `need` bytes, and makes another spare.
    fn next_segment(&mut self, need: u64) -> Result<(), JournalError> {
        self.sync()?;
        self.claim.check()?;
        let full = || JournalError::Full(segment::path_of(self.lease.folder(), self.number));
        self.segment = self.spare.take().ok_or_else(full)?;
        self.number += 1;
        self.offset = 0;
        let bytes = self.segment_bytes.max(need);
        self.room = match self.storage.extend(&self.segment, bytes) {
            Ok(()) => bytes,
            Err(error) => {
                self.fill(error);
                self.reserve_bytes()
            }
        };
        if need > self.room {
            return Err(JournalError::Full(self.path()));
        }
        self.write(&segment::header(self.number))?;
        self.make_spare();
        Ok(())
    }

    /// Makes the segment after this one, unless the disk was full once.
    fn make_spare(&mut self) {
        let path = segment::path_of(self.lease.folder(), self.number + 1);
        if self.progress.full() {
            return;
        }
        match self.storage.create(&path, self.reserve_bytes(), SHARED) {
            Ok(spare) => self.spare = Some(spare),
            Err(error) => self.fill(error),
        }
    }

    /// The run is through: nothing needs the spare any more.
    fn remove_spare(&mut self) {
        if self.spare.take().is_some() {
            // One that stays is empty, and erased by the next start.
            let _ = std::fs::remove_file(segment::path_of(self.lease.folder(), self.number + 1));
        }
    }

    fn reserve_bytes(&self) -> u64 {
        RESERVE_BYTES.min(self.segment_bytes)
    }

    fn path(&self) -> PathBuf {
        segment::path_of(self.lease.folder(), self.number)
    }

    /// The disk gives no more room.
    fn fill(&mut self, error: io::Error) {
        let error =
            JournalError::io(&segment::path_of(self.lease.folder(), self.number + 1))(error);
        tracing::error!("the journal is full, and new orders are refused until a restart: {error}");
        self.progress.full.store(true, Ordering::Release);
        self.trouble.get_or_insert(error);
    }

    /// Nothing can be written any more.
    fn fail(&mut self, error: JournalError) {
        tracing::error!("the journal failed, and new orders are refused until a restart: {error}");
        self.batch.clear();
        self.trouble.get_or_insert(error);
        self.progress.failed.store(true, Ordering::Release);
    }
}

/// Removes the segments of a journal of an engine that never did anything: it could not start, or a crash cut it off before.
/// Where its head is not whole, they are kept beside.
fn remove_idle(lease: &Lease) -> Result<(), JournalError> {
    let folder = lease.folder();
    if !Reader::is_of_nothing(folder)? {
        return Err(JournalError::NotEmpty(folder.to_path_buf()));
    }
    let mut reader = Reader::open(folder)?;
    while reader.next_record()?.is_some() {}
    if reader.fault().is_none() {
        for number in segment::numbers(folder)? {
            let path = segment::path_of(folder, number);
            std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
        }
        return Ok(());
    }
    for kept in repair::cut(lease, Tail::default())? {
        let (folder, kept) = (folder.display(), kept.display());
        tracing::warn!("{folder}: begun anew; what stood there is kept in {kept}");
    }
    Ok(())
}

/// Removes the segments behind the tail's: made in advance, or nothing in them is whole, which is kept beside.
fn remove_behind(lease: &Lease, tail: Tail) -> Result<(), JournalError> {
    for number in segment::numbers(lease.folder())?.into_iter().filter(|n| *n > tail.segment) {
        let path = segment::path_of(lease.folder(), number);
        repair::keep(&path, 0)?;
        std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
