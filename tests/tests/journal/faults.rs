//! Full disks, I/O errors and failing syncs, at every call that the journal makes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::journal::epoch::Claim;
use engine::journal::lease::Lease;
use engine::journal::storage::{Disk, Storage};
use engine::journal::writer::Writer;
use engine::journal::{Record, numbers, path_of};
use engine::replay::Replay;
use model::page::AnswerKind;
use model::{Control, OrderState};

use crate::run::{Day, Journal, Run, SEGMENT, end_of, is_journal_full, recover};

/// A call of the journal to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Create,
    Extend,
    Write,
    Sync,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// No room on the disk.
    NoSpace,
    /// An I/O error, nothing done.
    Io,
    /// An I/O error after half of it was written.
    Half,
    /// A sync fails, and what was not synced is lost; later syncs succeed.
    LostPages,
}

impl Fault {
    const ALL: [Fault; 4] = [Fault::NoSpace, Fault::Io, Fault::Half, Fault::LostPages];

    fn fits(self, call: Call) -> bool {
        match self {
            Fault::NoSpace => call != Call::Sync,
            Fault::Io => true,
            Fault::Half => call == Call::Write,
            Fault::LostPages => call == Call::Sync,
        }
    }
}

/// A disk that fails once, at its `at`-th call. Its syncs only keep a copy: the test asks what survives, not how long a
/// real one takes.
struct Faulty {
    calls: Arc<AtomicU64>,
    log: Vec<Call>,
    at: u64,
    fault: Option<Fault>,
    /// Most bytes that a write takes.
    write_max: usize,
}

struct Segment {
    file: File,
    path: PathBuf,
    /// What the last sync made safe.
    safe: std::cell::RefCell<Vec<u8>>,
}

impl Faulty {
    fn new(at: u64, fault: Option<Fault>) -> Faulty {
        let calls = Arc::new(AtomicU64::new(0));
        Faulty { calls, log: Vec::new(), at, fault, write_max: usize::MAX }
    }

    /// Whether this call is the one that fails, and how.
    fn strikes(&mut self, call: Call) -> Option<Fault> {
        self.log.push(call);
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        self.fault.filter(|fault| number == self.at && fault.fits(call))
    }
}

fn error(fault: Fault) -> io::Error {
    let errno =
        if fault == Fault::NoSpace { rustix::io::Errno::NOSPC } else { rustix::io::Errno::IO };
    errno.into()
}

impl Storage for Faulty {
    type Segment = Segment;

    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<Segment> {
        if let Some(fault) = self.strikes(Call::Create) {
            File::create_new(path)?; // As a real one: the name is there, the room is not.
            return Err(error(fault));
        }
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        file.set_len(bytes)?;
        Ok(Segment { file, path: path.into(), safe: vec![0; bytes as usize].into() })
    }

    fn reopen(&mut self, _: &Path, _: u64, _: u64) -> io::Result<Segment> {
        unreachable!("every run here makes a new journal")
    }

    fn extend(&mut self, segment: &Segment, bytes: u64) -> io::Result<()> {
        match self.strikes(Call::Extend) {
            Some(fault) => Err(error(fault)),
            None => segment.file.set_len(bytes),
        }
    }

    fn write_at(&mut self, segment: &Segment, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let short = &bytes[..bytes.len().min(self.write_max)];
        match self.strikes(Call::Write) {
            Some(Fault::Half) => {
                segment.file.write_all_at(&short[..short.len() / 2], offset)?;
                Err(error(Fault::Half))
            }
            Some(fault) => Err(error(fault)),
            None => segment.file.write_all_at(short, offset).map(|()| short.len()),
        }
    }

    fn sync(&mut self, segment: &Segment) -> io::Result<()> {
        if let Some(fault) = self.strikes(Call::Sync) {
            if fault == Fault::LostPages {
                segment.file.set_len(0)?;
                segment.file.write_all_at(&segment.safe.borrow(), 0)?;
            }
            return Err(error(fault));
        }
        *segment.safe.borrow_mut() = std::fs::read(&segment.path)?;
        Ok(())
    }
}

/// What became of a run whose disk failed.
struct Outcome {
    /// The input of the control that told the engine; `None`: nothing failed.
    latched: Option<u64>,
    full: bool,
    failed: bool,
    written: u64,
    synced: u64,
    hashes: Vec<u64>,
}

/// The whole day on this disk, as the engine thread would run it: once the journal is full or failed it says so to the
/// engine; a full one keeps its reserve for cancels.
fn run(day: &Day, folder: &Path, disk: Faulty) -> Option<Outcome> {
    let mut journal = Journal::open(day, folder, disk, SEGMENT).ok()?;
    let mut run = Run::new(day, Some(journal.recorder(day)));
    let progress = Arc::clone(&journal.progress);
    let is_latched = || progress.failed() || progress.full();
    while !is_latched() && run.step() {
        journal.poll_each(run.steps);
    }
    let mut latched = None;
    if is_latched() {
        let (written, synced) = (progress.written(), progress.synced());
        let failed = progress.failed();
        run.control(Control::JournalFull(true));
        latched = Some(run.sequencer.engine.seq());
        let refused = run.order();
        assert!(is_journal_full(&refused), "{refused:?}");
        while let Some(answer) = run.cancel() {
            assert_eq!(answer.kind, AnswerKind::Accepted);
            assert_eq!(answer.state, Some(OrderState::Cancelled));
            journal.poll();
        }
        if failed {
            let still = (progress.written(), progress.synced());
            assert_eq!(still, (written, synced), "nothing counts as recorded after a failure");
        }
    }
    let outcome = journal.end(&mut run);
    let (full, failed) = (progress.full(), progress.failed());
    assert_eq!(outcome.is_err(), full || failed, "{outcome:?}");
    let (written, synced) = (progress.written(), progress.synced());
    Some(Outcome { latched, full, failed, written, synced, hashes: run.hashes })
}

/// Goal: wherever the disk fails and however, the engine latches, refuses new orders and cancels; nothing that failed counts
/// as recorded later; a restart finds the longest valid prefix, in the state of an uninterrupted run, and goes on. Method:
/// each fault at each call of the journal of a short day.
#[test]
fn every_call_can_fail() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    let clean = Faulty::new(u64::MAX, None);
    let calls = Arc::clone(&clean.calls);
    let outcome = run(&day, &folder.path().join("clean"), clean).unwrap();
    assert_eq!(outcome.latched, None);
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls > 100, "{calls} calls");
    assert!(numbers(&folder.path().join("clean")).unwrap().len() > 3);

    let (mut latched, mut recorded_cancels) = ([0; 4], 0);
    for (place, fault) in Fault::ALL.into_iter().enumerate() {
        for at in 0..calls {
            let folder = folder.path().join(format!("{fault:?}-{at}"));
            let Some(outcome) = run(&day, &folder, Faulty::new(at, Some(fault))) else {
                std::fs::remove_dir_all(&folder).unwrap();
                continue; // It failed before the engine started: it does not start.
            };
            let what = format!("{fault:?} at call {at}");
            let replay = recover(&folder);
            let (seq, hash) = (replay.engine.seq(), replay.engine.state_hash());
            assert_eq!(hash, outcome.hashes[seq as usize], "{what}: input {seq}");
            assert!(outcome.synced <= seq, "{what}: input {seq}");
            if let Some(latch) = outcome.latched {
                latched[place] += 1;
                let before = seq.min(latch - 1) as usize;
                assert_eq!(outcome.hashes[..=before], day.hashes[..=before], "{what}");
                if outcome.full && !outcome.failed {
                    assert_eq!(seq as usize, outcome.hashes.len() - 1, "{what}: all recorded");
                    recorded_cancels += seq - latch;
                }
            } else {
                // It failed while the last batch was written: a part of that may be whole.
                assert!(seq == outcome.written || outcome.failed, "{what}");
                assert!(seq >= outcome.written || fault == Fault::LostPages, "{what}");
            }
            if at.is_multiple_of(5) {
                go_on(&folder, &replay);
            }
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
    println!("{calls} calls; latched {latched:?}; {recorded_cancels} inputs in reserves");
    assert!(latched.iter().all(|count| *count > 5), "{latched:?}");
    assert!(recorded_cancels > 20);
}

/// A restart on a disk that works: it erases the torn end, and what it writes reads back.
fn go_on(folder: &Path, replay: &Replay) {
    let seq = replay.engine.seq();
    let refusal = replay.fault().and_then(engine::journal::reader::Fault::refusal);
    assert!(refusal.is_none(), "{refusal:?}");
    let lease = Lease::take(folder).unwrap();
    let claim = Claim::take(folder, replay.epoch).unwrap();
    let epoch = claim.epoch().into();
    assert!(epoch > 0);
    let mut writer = Writer::open_on(Disk, lease, claim, replay.tail(), SEGMENT).unwrap();
    writer.append_head(&Record::Opened { epoch, seq }).unwrap();
    writer.close().unwrap();
    let replay = recover(folder);
    assert_eq!((replay.engine.seq(), replay.opened), (seq, 2));
    assert!(replay.fault().is_none());
}

/// Goal: a disk that takes less than it is given costs nothing but time. Method: at most seven bytes a write.
#[test]
fn short_writes() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    let disk = Faulty { write_max: 7, ..Faulty::new(u64::MAX, None) };
    let outcome = run(&day, folder.path(), disk).unwrap();
    assert_eq!(outcome.latched, None);
    let (seq, hash) = end_of(folder.path());
    assert_eq!((seq as usize, hash), (day.hashes.len() - 1, *day.hashes.last().unwrap()));
}

/// Goal: a segment that is damaged although a later one was begun is no torn end: no engine goes on with it, and nothing is
/// erased. Method: damage a record of the first segment; then take a segment away.
#[test]
fn damage_is_not_a_torn_end() {
    use engine::journal::JournalError;
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    day.record(folder.path(), Faulty::new(u64::MAX, None), SEGMENT).unwrap();
    let refusal = || {
        let mut replay = Replay::open(folder.path())?.unwrap();
        replay.run(None, |_| ())?;
        Ok::<_, engine::replay::ReplayError>(replay.fault().unwrap().refusal().unwrap())
    };
    let path = path_of(folder.path(), 2);
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[200] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    assert!(matches!(refusal(), Ok(JournalError::Damaged { .. })));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(refusal(), Ok(JournalError::Damaged { .. })));
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(end_of(folder.path()).0 as usize, day.hashes.len() - 1);
}
