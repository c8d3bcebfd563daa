//! Writes a log. The first failure is final: a page that could not be synced may be gone although a later sync
//! succeeds, so
//! only a restart, which reads what is there, goes on.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use model::Ts;

use crate::chain::{self, FRAME_BYTES, FrameKind, Hash};
use crate::checkpoint::{Checkpoint, Occasion};
use crate::error::AuditError;
use crate::key::SecretKey;
use crate::merkle::{self, Frontier};
use crate::record::{Actor, AuditKind, AuditRecord};
use crate::segment::{self, CHECKPOINT_RECORDS_MAX, Header, NoHeader, Piece, Segment};
use crate::verify::Walk;
use crate::witness::WitnessWriter;

/// How a log is written.
#[derive(Debug)]
pub struct Config {
    /// Where.
    pub folder: PathBuf,
    /// Signs the checkpoints.
    pub key: SecretKey,
    /// What a new log is called; one that is there keeps its own.
    pub identity: Hash,
    /// Records after which a checkpoint is made, 1 to [`CHECKPOINT_RECORDS_MAX`].
    pub checkpoint_records: u64,
    /// Nanoseconds after which one is made if there are new records.
    pub checkpoint_ns: u64,
    /// Size at which a segment ends.
    pub segment_bytes: u64,
    /// The second file of checkpoints; `None`: truncation will not be seen.
    pub witness: Option<PathBuf>,
}

/// A log open for appending.
#[derive(Debug)]
pub struct Writer {
    config: Config,
    /// Holds the lock on the folder.
    _lock: File,
    witness: Option<WitnessWriter>,
    file: File,
    number: u64,
    offset: u64,
    identity: Hash,
    chain: Hash,
    tree: Frontier,
    /// Records when the last checkpoint was made, and when that was.
    signed: (u64, Ts),
    batch: Vec<u8>,
    /// Lines for the second file, once the log's own frames are safe.
    lines: String,
    failed: bool,
}

/// Where a log that is there ends.
struct End {
    file: File,
    number: u64,
    offset: u64,
    walk: Walk,
    /// Bytes behind the last whole frame, which were cut off.
    torn: u64,
}

impl Writer {
    /// Opens the log in the folder of `config` for appending, or begins one. The last segment is verified. Bytes at
    /// the end that
    /// are no whole frame are cut off, which the log then says of itself. `wall` is the time.
    ///
    /// # Errors
    ///
    /// [`AuditError`]; nothing is repaired but a torn end.
    pub fn open(mut config: Config, wall: Ts) -> Result<Writer, AuditError> {
        config.checkpoint_records = config.checkpoint_records.clamp(1, CHECKPOINT_RECORDS_MAX);
        let folder = config.folder.clone();
        std::fs::create_dir_all(&folder).map_err(AuditError::io(&folder))?;
        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(AuditError::io(&lock_path))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| AuditError::InUse(folder.clone()))?;
        let end = find_end(&config)?;
        let (identity, tree) = match &end {
            None => (config.identity, Frontier::default()),
            Some(end) => (end.walk.header.identity, end.walk.tree.clone()),
        };
        let witness = match &config.witness {
            None => None,
            Some(path) => Some(WitnessWriter::open(path, &identity, tree.count())?),
        };
        let (number, offset, chain) =
            end.as_ref().map_or((0, 0, [0; 32]), |end| (end.number, end.offset, end.walk.chain));
        let goes_on = end
            .as_ref()
            .map(|end| (end.walk.header.checkpoint_records == config.checkpoint_records, end.torn));
        let last_seq = end.as_ref().map_or(0, |end| end.walk.last_seq);
        let file = match end {
            None => create(&folder, 0)?,
            Some(end) => end.file,
        };
        let signed = (tree.count(), wall);
        let mut writer = Writer {
            config,
            _lock: lock,
            witness,
            file,
            number,
            offset,
            identity,
            chain,
            tree,
            signed,
            batch: Vec::new(),
            lines: String::new(),
            failed: false,
        };
        match goes_on {
            None => writer.push_header([0; 32], wall),
            Some((true, _)) => {}
            Some((false, _)) => writer.rotate(wall)?,
        }
        writer.push_checkpoint(Occasion::Open, wall);
        if let Some((_, torn @ 1..)) = goes_on {
            let record = AuditRecord::bare(AuditKind::Torn, Actor::Engine, last_seq, wall);
            writer.push_record(&AuditRecord { aux: torn, ..record });
            writer.push_checkpoint(Occasion::Due, wall);
        }
        writer.flush()?;
        Ok(writer)
    }

    /// Records so far.
    pub const fn count(&self) -> u64 {
        self.tree.count()
    }

    /// Whether it takes no more.
    pub const fn failed(&self) -> bool {
        self.failed
    }

    /// Appends records. When it returns they survive the end of the process; up to the last checkpoint, the loss of
    /// power.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`] the first time, which is for good; [`AuditError::Failed`] from then on.
    pub fn append(&mut self, records: &[AuditRecord], wall: Ts) -> Result<(), AuditError> {
        for record in records {
            if self.is_full() {
                self.rotate(wall)?;
            }
            self.push_record(record);
            if self.tree.count() - self.signed.0 >= self.config.checkpoint_records {
                self.push_checkpoint(Occasion::Due, wall);
            }
        }
        self.tick(wall)
    }

    /// Makes a checkpoint if it is time to.
    ///
    /// # Errors
    ///
    /// As [`Writer::append`].
    pub fn tick(&mut self, wall: Ts) -> Result<(), AuditError> {
        let (signed, at) = self.signed;
        if self.tree.count() > signed && wall.since(at) >= self.config.checkpoint_ns {
            self.push_checkpoint(Occasion::Due, wall);
        }
        self.flush()
    }

    /// Ends the log in good order.
    ///
    /// # Errors
    ///
    /// As [`Writer::append`].
    pub fn close(mut self, wall: Ts) -> Result<(), AuditError> {
        self.push_checkpoint(Occasion::Close, wall);
        self.flush()
    }

    /// Whether the segment may not take a record and a checkpoint more.
    fn is_full(&self) -> bool {
        let end = self.offset + self.batch.len() as u64 + 2 * FRAME_BYTES as u64;
        end > self.config.segment_bytes && self.offset > 0
    }

    fn push_header(&mut self, before: Hash, wall: Ts) {
        let header = Header {
            number: self.number,
            identity: self.identity,
            key_id: self.config.key.public().id(),
            checkpoint_records: self.config.checkpoint_records,
            begun: wall,
            before,
            tree: self.tree.clone(),
        };
        self.chain = header.write(&mut self.batch);
    }

    fn push_record(&mut self, record: &AuditRecord) {
        let body = record.to_bytes();
        self.chain = chain::write(&self.chain, FrameKind::Record, &body, &mut self.batch);
        self.tree.push(merkle::leaf(&body));
    }

    fn push_checkpoint(&mut self, occasion: Occasion, wall: Ts) {
        let holds = (self.identity, self.tree.count(), self.chain, self.tree.root());
        let made = Checkpoint::sign(&self.config.key, holds, wall, occasion);
        let body = made.to_bytes();
        self.chain = chain::write(&self.chain, FrameKind::Checkpoint, &body, &mut self.batch);
        self.signed = (self.tree.count(), wall);
        self.lines += &made.to_line();
        self.lines.push('\n');
    }

    /// Ends this segment with a checkpoint and begins the next.
    fn rotate(&mut self, wall: Ts) -> Result<(), AuditError> {
        if self.tree.count() > self.signed.0 {
            self.push_checkpoint(Occasion::Due, wall);
        }
        self.flush()?;
        let next = create(&self.config.folder, self.number + 1);
        self.file = next.inspect_err(|_| self.failed = true)?;
        self.number += 1;
        self.offset = 0;
        self.push_header(self.chain, wall);
        self.push_checkpoint(Occasion::Open, wall);
        Ok(())
    }

    /// Writes what waits: first the log, and when a checkpoint of it is safe, the second file.
    fn flush(&mut self) -> Result<(), AuditError> {
        if self.failed {
            return Err(AuditError::Failed);
        }
        let done = self.write_out();
        self.failed = done.is_err();
        done
    }

    fn write_out(&mut self) -> Result<(), AuditError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let path = segment::path_of(&self.config.folder, self.number);
        self.file.write_all_at(&self.batch, self.offset).map_err(AuditError::io(&path))?;
        self.offset += self.batch.len() as u64;
        self.batch.clear();
        if self.lines.is_empty() {
            return Ok(());
        }
        self.file.sync_data().map_err(AuditError::io(&path))?;
        if let Some(witness) = &mut self.witness {
            witness.append(&self.lines)?;
        }
        self.lines.clear();
        Ok(())
    }
}

/// Makes a segment's file, and sees to it that its name survives a loss of power.
fn create(folder: &Path, number: u64) -> Result<File, AuditError> {
    let path = segment::path_of(folder, number);
    let file = File::options().write(true).create_new(true).open(&path);
    let file = file.map_err(AuditError::io(&path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(AuditError::io(folder))?;
    Ok(file)
}

/// Finds where the log ends, and cuts off what an unclean stop left behind it; `None`: there is no log yet.
fn find_end(config: &Config) -> Result<Option<End>, AuditError> {
    let folder = &config.folder;
    let mut torn = 0;
    while let Some(number) = segment::numbers(folder)?.last().copied() {
        let path = segment::path_of(folder, number);
        let damaged = |why: String| AuditError::Damaged { path: path.clone(), why };
        let opened = match Segment::open(path.clone())? {
            Ok(segment) => walk_to_end(segment, config)?,
            Err(NoHeader::Short) => None,
            Err(_) => return Err(damaged("this is no segment of an audit log".into())),
        };
        if let Some((walk, offset, behind)) = opened {
            torn += behind;
            let open = || {
                let file = File::options().write(true).open(&path)?;
                file.set_len(offset)?;
                file.sync_data()?;
                Ok(file)
            };
            let file = open().map_err(AuditError::io(&path))?;
            return Ok(Some(End { file, number, offset, walk, torn }));
        }
        // It was cut off before its first checkpoint was whole: nothing is in it.
        torn += path.metadata().map_err(AuditError::io(&path))?.len();
        std::fs::remove_file(&path).map_err(AuditError::io(&path))?;
    }
    Ok(None)
}

/// Verifies a segment; where it ends and how many torn bytes follow. `None`: it has no whole checkpoint and no record.
fn walk_to_end(
    mut segment: Segment,
    config: &Config,
) -> Result<Option<(Walk, u64, u64)>, AuditError> {
    let path = segment.path.clone();
    let key = config.key.public();
    if segment.header.key_id != key.id() {
        return Err(AuditError::OtherKey(path));
    }
    let damaged = |fault: crate::verify::Fault| AuditError::Damaged {
        path: path.clone(),
        why: fault.to_string(),
    };
    let mut walk = Walk::begin(None, &segment, Some(key)).map_err(damaged)?;
    loop {
        let offset = segment.offset;
        let behind = match segment.next_piece()? {
            Piece::End => 0,
            Piece::Torn(bytes) => bytes,
            Piece::Frame(frame) => match walk.frame(&frame) {
                Ok(_) => continue,
                Err(fault) => match segment.torn_at(&frame)? {
                    Some(bytes) if fault.is_of_torn_frame() => bytes,
                    _ => return Err(damaged(fault)),
                },
            },
        };
        return Ok(walk.is_opened().then_some((walk, offset, behind)));
    }
}

#[cfg(test)]
mod tests;
