//! Reading a journal while it is written: every record once, in order, over segments that end and records half there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::journal::JournalError;
use engine::journal::storage::Disk;
use engine::replay::{Replay, ReplayError};

use crate::run::{Day, Journal, Run, SEGMENT};

/// Goal: whoever reads on comes through the states of the run, over many segments, and to its end, whenever he looks; what
/// he finds missing is only not there yet. Method: a thread that follows while small segments are written, compared input by
/// input.
#[test]
fn reads_on_while_it_is_written() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&day, folder.path(), Disk, SEGMENT).unwrap();
    let mut run = Run::new(&day, Some(journal.recorder(&day)));
    let ended = AtomicBool::new(false);
    let (looks, seen) = std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            let mut replay = Replay::open(folder.path()).unwrap().unwrap();
            let (mut looks, begun) = (0_u64, Instant::now());
            loop {
                let last = ended.load(Ordering::Acquire);
                replay.refresh().unwrap();
                let before = replay.tail();
                let seen = |seen: &engine::replay::Seen<'_>| {
                    let expected = day.hashes[seen.input.seq as usize];
                    assert_eq!(seen.engine.state_hash(), expected, "input {}", seen.input.seq);
                };
                replay.watch(None, seen).unwrap();
                looks += 1;
                if last && replay.tail() == before {
                    assert!(replay.closed && replay.tail().segment > 4);
                    return (looks, replay.engine.seq());
                }
                assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", replay.fault());
            }
        });
        while run.step() {
            journal.poll_each(run.steps);
            if run.steps.is_multiple_of(64) {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        journal.end(&mut run).unwrap();
        ended.store(true, Ordering::Release);
        follower.join().unwrap()
    });
    assert_eq!(seen, day.hashes.len() as u64 - 1);
    println!("{looks} looks");
    assert!(looks > 10);
}

/// Goal: what comes into a segment after it was read is not passed over because the next one was begun meanwhile. Method: a
/// reader that has begun with a segment; all the rest is written; then it goes on.
#[test]
fn written_while_it_was_read() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&day, folder.path(), Disk, SEGMENT).unwrap();
    let mut run = Run::new(&day, Some(journal.recorder(&day)));
    let mut replay = Replay::open(folder.path()).unwrap().unwrap();
    while run.step() {
        journal.poll_each(run.steps);
    }
    journal.end(&mut run).unwrap();
    loop {
        let before = replay.tail();
        replay.run(None, |_| ()).unwrap();
        if replay.tail() == before {
            break;
        }
        replay.refresh().unwrap();
    }
    assert!(replay.closed);
    assert_eq!(replay.engine.seq(), day.hashes.len() as u64 - 1);
}

/// Goal: a journal that is not what was read is told, not read on. Method: change a byte of the last record, and cut it.
#[test]
fn a_journal_that_was_changed_is_told() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    day.record(folder.path(), Disk, 1 << 20).unwrap();
    let mut replay = Replay::open(folder.path()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    replay.refresh().unwrap();
    let path = engine::journal::path_of(folder.path(), 0);
    let whole = std::fs::read(&path).unwrap();
    let at = replay.tail().offset as usize;
    let changes: [fn(&mut [u8], usize); 2] = [|b, at| b[at - 1] ^= 1, |b, at| b[at - 30..].fill(0)];
    for change in changes {
        let mut bytes = whole.clone();
        change(&mut bytes, at);
        std::fs::write(&path, bytes).unwrap();
        let refused = replay.refresh();
        assert!(
            matches!(refused, Err(ReplayError::Journal(JournalError::Rewritten { .. }))),
            "{refused:?}"
        );
        std::fs::write(&path, &whole).unwrap();
        replay.refresh().unwrap();
    }
}
