//! Full disks, I/O errors and failing syncs, at every call that the journal makes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::journal::epoch::Claim;
use engine::journal::lease::Lease;
use engine::journal::reader::{Reader, Tail};
use engine::journal::storage::Disk;
use engine::journal::writer::Writer;
use engine::journal::{JournalError, Record, numbers, path_of};
use engine::replay::Replay;
use model::page::AnswerKind;
use model::{Control, OrderState};

use crate::disk::{Fault, Faulty};
use crate::run::{Day, Journal, Run, SEGMENT, end_of, is_journal_full, recover};

/// What a journal may meet.
const FAULTS: [Fault; 4] = [Fault::NoSpace, Fault::Io, Fault::Half, Fault::LostPages];

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
    for (place, fault) in FAULTS.into_iter().enumerate() {
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

/// Goal: nor is damage before a later start of an engine, in the same segment. Method: damage a record, before that start and
/// behind it.
#[test]
fn damage_before_a_start_is_not_a_torn_end() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    const ONE: u64 = 1 << 24;
    day.record(folder.path(), Faulty::new(u64::MAX, None), ONE).unwrap();
    let replay = recover(folder.path());
    let lease = Lease::take(folder.path()).unwrap();
    let claim = Claim::take(folder.path(), replay.epoch).unwrap();
    let (epoch, seq) = (claim.epoch().into(), replay.engine.seq());
    let mut writer = Writer::open_on(Disk, lease, claim, replay.tail(), ONE).unwrap();
    writer.append_head(&Record::Opened { epoch, seq }).unwrap();
    writer.close().unwrap();
    let path = path_of(folder.path(), 0);
    let whole = std::fs::read(&path).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for (at, is_damage) in [(end - 200, true), (end, false)] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let fault = recover(folder.path()).fault().unwrap();
        assert_eq!((fault.is_followed, fault.refusal().is_some()), (is_damage, is_damage));
    }
}

/// Goal: a disk that takes less than it is given costs nothing but time. Method: at most seven bytes a write.
#[test]
fn short_writes() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    let mut disk = Faulty::new(u64::MAX, None);
    disk.write_max = 7;
    let outcome = run(&day, folder.path(), disk).unwrap();
    assert_eq!(outcome.latched, None);
    let (seq, hash) = end_of(folder.path());
    assert_eq!((seq as usize, hash), (day.hashes.len() - 1, *day.hashes.last().unwrap()));
}

/// Goal: a segment that is damaged although a later one was begun is no torn end: no engine goes on with it, and nothing is
/// erased. Method: damage a record of the first segment; then take a segment away.
#[test]
fn damage_is_not_a_torn_end() {
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

/// Goal: a head that is damaged although inputs follow is no torn head: the journal is not begun anew. A torn one is, and is
/// kept beside. Method: flip a bit at every few bytes of a head; then end the file within it.
#[test]
fn a_damaged_head_is_not_begun_anew() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    day.record(folder, Faulty::new(u64::MAX, None), 4 << 20).unwrap();
    let mut reader = Reader::open(folder).unwrap();
    while !matches!(reader.next_record().unwrap().unwrap(), Record::Opened { .. }) {}
    let end = reader.tail().offset as usize;
    let path = path_of(folder, 0);
    let whole = std::fs::read(&path).unwrap();
    for at in (16..end).step_by(13).chain([end - 1]) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let asked = Reader::is_of_nothing(folder);
        assert!(matches!(asked, Err(JournalError::Damaged { .. })), "byte {at}: {asked:?}");
        assert!(Replay::open(folder).is_err(), "byte {at}");
    }
    for at in 0..16 {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(!matches!(Reader::is_of_nothing(folder), Ok(true)), "byte {at}");
    }
    let mut lost = whole.clone();
    lost[..512].fill(0);
    std::fs::write(&path, &lost).unwrap();
    let asked = Reader::is_of_nothing(folder);
    assert!(matches!(asked, Err(JournalError::Damaged { .. })), "{asked:?}");
    let mut torn = whole.clone();
    torn[end / 2..].fill(0);
    torn[..16].fill(0);
    std::fs::write(&path, &torn).unwrap();
    assert!(Replay::open(folder).unwrap().is_none());
    let lease = Lease::take(folder).unwrap();
    let claim = Claim::take(folder, None).unwrap();
    drop(Writer::open(lease, claim, Tail::default(), 1 << 20).unwrap());
    let kept = std::fs::read(folder.join("00000000-0.bad")).unwrap();
    assert!(torn.starts_with(&kept) && kept.len() > end / 4);
}
