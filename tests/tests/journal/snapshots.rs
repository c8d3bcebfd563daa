//! Snapshots of a journal whose limits change, and a disk that fails while they are written.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use engine::journal::storage::Disk;
use engine::replay::Replay;
use engine::snapshot;
use model::{Body, Control};

use crate::disk::{Call, Fault, Faulty};
use crate::run::{Day, SEGMENT, recover};

/// A day's journal, and what it comes to.
struct Told {
    _day: Day,
    folder: tempfile::TempDir,
    /// Last input, running hash, full hash.
    end: (u64, u64, u64),
    /// Inputs that put limits in force.
    reloads: Vec<u64>,
}

impl Told {
    fn new() -> Told {
        let (day, folder) = (Day::new(), tempfile::tempdir().unwrap());
        day.record(folder.path(), Disk, SEGMENT).unwrap();
        let mut whole = Replay::open(folder.path()).unwrap().unwrap();
        let mut reloads = Vec::new();
        let watch = |seen: &engine::replay::Seen<'_>| {
            if let Body::Control(Control::Limits { .. }) = seen.input.body {
                reloads.push(seen.input.seq);
            }
        };
        whole.watch(None, watch).unwrap();
        let end = end(&mut whole);
        assert_eq!(end.1, *day.hashes.last().unwrap());
        assert!(reloads.len() > 3, "{reloads:?}");
        Told { _day: day, folder, end, reloads }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn walk(&self) -> Replay {
        Replay::open_from_beginning(self.path()).unwrap().unwrap()
    }

    /// A start: what it began with, which must lead to the end of the day.
    fn start(&self, what: &str) -> Option<u64> {
        let mut from = Replay::open_from_snapshot(self.path()).unwrap().unwrap();
        assert!(from.passed_over.is_empty(), "{what}: {:?}", from.passed_over);
        let began = from.from;
        assert_eq!(end(&mut from), self.end, "{what}");
        began
    }
}

fn end(replay: &mut Replay) -> (u64, u64, u64) {
    replay.run(None, |_| ()).unwrap();
    (replay.engine.seq(), replay.engine.state_hash(), replay.engine.full_hash())
}

/// Goal: a snapshot at any input leads to both hashes of the whole, whatever limits were put in force before it, by it and
/// after it; written again at once it is the same file; its configuration has the limits in force. Method: cuts around every
/// reload of a day, and at others.
#[test]
fn any_cut_between_reloads() {
    let told = Told::new();
    let around = told.reloads.iter().flat_map(|at| [at - 1, *at, at + 1]);
    let others = (1..8).map(|part| told.end.0 * part / 8);
    let mut cuts: Vec<u64> = around.chain(others).filter(|cut| *cut <= told.end.0).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut walk = told.walk();
    let mut relimited = 0;
    for cut in cuts {
        walk.run(Some(cut), |_| ()).unwrap();
        let written = walk.write_snapshot().unwrap().unwrap();
        let bytes = std::fs::read(&written.path).unwrap();
        let from = Replay::open_from_snapshot(told.path()).unwrap().unwrap();
        assert_eq!((from.from, from.engine.full_hash()), (Some(cut), walk.engine.full_hash()));
        assert_eq!(from.config.limits_text(), walk.config.limits_text(), "cut at {cut}");
        assert_eq!(from.config.digest(), from.engine.config_digest());
        from.write_snapshot().unwrap();
        assert!(std::fs::read(&written.path).unwrap() == bytes, "cut at {cut}");
        assert_eq!(told.start("a cut"), Some(cut));
        relimited += u64::from(from.engine.limits_version() > 1);
    }
    assert!(relimited > 10, "{relimited}");
}

/// Goal: a follower that stands between a text of limits and the input that puts it in force keeps the text. Method: the
/// journal cut off behind each of its records in turn, around each reload; a snapshot there; then the rest is there again.
#[test]
fn between_a_text_and_its_input() {
    let told = Told::new();
    let mut between = 0;
    for reload in &told.reloads {
        let mut walk = told.walk();
        walk.run(Some(reload - 1), |_| ()).unwrap();
        let (before, text) = (walk.tail(), walk.config.limits_text().to_owned());
        walk.run(Some(*reload), |_| ()).unwrap();
        let after = walk.tail();
        if before.segment != after.segment {
            continue; // What is cut off would begin a segment.
        }
        let path = engine::journal::path_of(told.path(), before.segment);
        let whole = std::fs::read(&path).unwrap();
        let later: Vec<(PathBuf, Vec<u8>)> = engine::journal::numbers(told.path())
            .unwrap()
            .into_iter()
            .filter(|number| *number > before.segment)
            .map(|number| engine::journal::path_of(told.path(), number))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        let length = u32::from_le_bytes(whole[before.offset as usize..][..4].try_into().unwrap());
        let behind_text = before.offset as usize + 8 + length as usize;
        assert!((behind_text as u64) < after.offset);
        let mut cut = whole.clone();
        cut[behind_text..].fill(0);
        std::fs::write(&path, cut).unwrap();
        later.iter().for_each(|(path, _)| std::fs::remove_file(path).unwrap());
        let mut follower = told.walk();
        follower.run(None, |_| ()).unwrap();
        assert_eq!(follower.engine.seq(), reload - 1);
        assert_eq!(
            (follower.config.limits_text(), follower.tail().offset),
            (&*text, behind_text as u64)
        );
        follower.write_snapshot().unwrap();
        std::fs::write(&path, whole).unwrap();
        later.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
        assert_eq!(told.start("behind a text"), Some(reload - 1));
        std::fs::remove_dir_all(told.path().join(snapshot::FOLDER)).unwrap();
        between += 1;
    }
    assert!(between > 1, "{between}");
}

/// Goal: wherever the disk fails while a snapshot is written, and however, the next start finds whole snapshots alone and
/// comes to the end of the uninterrupted run: with the new one if it was said to be written, with one of those before it
/// otherwise; and the next snapshot is written. Method: full disk, I/O error, lost pages, kill and loss of power at each
/// create, write, sync, rename and removal of a snapshot behind reloads, with others before it.
#[test]
fn every_call_for_a_snapshot_can_fail() {
    use Fault::{Half, Io, Killed, KilledHalfway, LostPages, NoSpace, Scrambled, Unplugged};
    let told = Told::new();
    let snapshots = told.path().join(snapshot::FOLDER);
    let kept = tempfile::tempdir().unwrap();
    let mut walk = told.walk();
    let mut before = Vec::new();
    for part in 1..=snapshot::KEEP as u64 {
        walk.run(Some(told.reloads[1] + part), |_| ()).unwrap();
        let written = walk.write_snapshot().unwrap().unwrap();
        std::fs::copy(&written.path, kept.path().join(written.path.file_name().unwrap())).unwrap();
        before.push(written.seq);
    }
    walk.run(Some(told.reloads[2] + 10), |_| ()).unwrap();
    let seq = walk.engine.seq();
    let reset = || {
        std::fs::remove_dir_all(&snapshots).unwrap();
        std::fs::create_dir(&snapshots).unwrap();
        for entry in std::fs::read_dir(kept.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), snapshots.join(entry.file_name())).unwrap();
        }
    };
    let write = |disk: &mut Faulty| {
        disk.write_max = 1 << 13;
        let of = walk.snapshots.as_ref().unwrap();
        of.write_on(disk, &walk.engine, &walk.place())
    };
    reset();
    let mut clean = Faulty::new(u64::MAX, None);
    write(&mut clean).unwrap();
    let log = clean.log.clone();
    for call in [Call::Create, Call::Write, Call::Sync, Call::Rename, Call::Remove] {
        assert!(log.contains(&call), "{log:?}");
    }
    assert_eq!(clean.calls.load(Ordering::Relaxed), log.len() as u64);

    let (mut cases, mut new) = (0, 0);
    for fault in [NoSpace, Io, Half, LostPages, Killed, KilledHalfway, Unplugged, Scrambled] {
        // One call more: after the last one, nothing failed yet when the power is lost.
        for at in 0..=log.len() {
            if log.get(at).is_some_and(|call| !fault.fits(*call)) {
                continue;
            }
            reset();
            let what = format!("{fault:?} at call {at}, {:?}", log.get(at));
            let mut disk = Faulty::new(at as u64, Some(fault));
            let written = write(&mut disk);
            assert_eq!(disk.struck, at < log.len(), "{what}");
            disk.come_back();
            let began = told.start(&what).unwrap();
            assert!(began == seq || began == *before.last().unwrap(), "{what}: {began}");
            assert!(written.is_err() || began == seq, "{what}: said to be written");
            // A new name whose folder could not be synced may stay.
            let renamed = log.iter().position(|call| *call == Call::Rename).unwrap() <= at;
            assert!(began != seq || renamed, "{what}: not written yet");
            let again = walk.write_snapshot().unwrap().unwrap();
            assert_eq!((again.seq, told.start(&what)), (seq, Some(seq)), "{what}");
            let names = std::fs::read_dir(&snapshots).unwrap().count();
            assert!(names <= snapshot::KEEP, "{what}: {names} files");
            cases += 1;
            new += u64::from(began == seq);
        }
    }
    println!("{cases} cases, {new} began with the new one, {} with one before", cases - new);
    assert_eq!(recover(told.path()).engine.seq(), told.end.0);
}
