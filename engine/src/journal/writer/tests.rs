use std::path::Path;

use model::{Body, Input, Ts};

use super::super::reader::Reader;
use super::*;

fn timer(seq: u64) -> Input {
    Input { seq, now: Ts(seq * 10), body: Body::Timer }
}

fn open(folder: &Path, tail: Tail, segment_bytes: u64) -> Result<Writer, JournalError> {
    let lease = Lease::take(folder)?;
    let claim = Claim::take(folder, None)?;
    Writer::open_on(Disk, lease, claim, tail, segment_bytes)
}

/// Writes inputs `range` through the ring and thread loop, as an engine would.
fn write(
    folder: &Path,
    tail: Tail,
    range: std::ops::Range<u64>,
    segment_bytes: u64,
) -> Arc<Progress> {
    let writer = open(folder, tail, segment_bytes).unwrap();
    let progress = writer.progress();
    let (mut to, from) = rtrb::RingBuffer::new(range.clone().count().max(1));
    range.for_each(|seq| to.push(Entry::input(&timer(seq))).unwrap());
    let stop = AtomicBool::new(true);
    writer.run(from, false, &stop).unwrap();
    progress
}

fn read(folder: &Path) -> (Vec<u64>, Tail) {
    let mut reader = Reader::open(folder).unwrap();
    let mut seqs = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            Record::Input(input) => seqs.push(input.seq),
            other => panic!("{other:?}"),
        }
    }
    (seqs, reader.tail())
}

/// Goal: what is written reads back over many segments, and a second engine goes on behind it. Method: tiny segments.
#[test]
fn reads_back_over_segments() {
    let folder = tempfile::tempdir().unwrap();
    let progress = write(folder.path(), Tail::default(), 1..20_000, 1 << 15);
    assert_eq!(progress.written(), 19_999);
    let (seqs, tail) = read(folder.path());
    assert!(seqs.iter().copied().eq(1..20_000));
    assert!(tail.segment > 5 && !tail.torn);
    write(folder.path(), tail, 20_000..30_000, 1 << 15);
    assert!(read(folder.path()).0.into_iter().eq(1..30_000));
}

/// Goal: a journal cut or damaged at any byte reads as its longest whole prefix, and goes on from there without a trace
/// of what was behind. Method: cut at every byte of a small journal, then flip a bit at every byte.
#[test]
fn longest_whole_prefix() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), Tail::default(), 1..20, 4096);
    let path = segment::path_of(folder.path(), 0);
    let whole = std::fs::read(&path).unwrap();
    let (_, end) = read(folder.path());
    let record = (end.offset - HEADER_BYTES) / 19;
    for at in HEADER_BYTES..end.offset {
        let mut cut = whole.clone();
        cut[at as usize..].fill(0);
        let mut flipped = whole.clone();
        flipped[at as usize] ^= 0x10;
        for damaged in [cut, flipped] {
            let same =
                damaged.iter().zip(&whole).take_while(|(damaged, whole)| damaged == whole).count()
                    as u64;
            let survivors = (same.min(end.offset) - HEADER_BYTES) / record;
            std::fs::write(&path, &damaged).unwrap();
            let (seqs, tail) = read(folder.path());
            assert!(seqs.iter().copied().eq(1..=survivors), "byte {at}: {seqs:?}");
            write(folder.path(), tail, survivors + 1..survivors + 3, 4096);
            assert!(read(folder.path()).0.into_iter().eq(1..survivors + 3), "byte {at}");
        }
    }
}

/// Goal: two engines never write one journal, nor is one begun where something happened; a foreign file is not taken for a
/// segment. Method: try each.
#[test]
fn one_writer_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = open(folder.path(), Tail::default(), 4096).unwrap();
    first.append_head(&Record::Opened { epoch: 1, seq: 0 }).unwrap();
    let again = || open(folder.path(), Tail::default(), 4096).map(drop);
    assert!(matches!(again(), Err(JournalError::InUse { .. })));
    drop(first);
    let path = segment::path_of(folder.path(), 0);
    let idle = std::fs::read(&path).unwrap();
    let mut reader = Reader::open(folder.path()).unwrap();
    while reader.next_record().unwrap().is_some() {}
    let end = reader.tail();
    write(folder.path(), end, 1..3, 4096);
    let mut torn = std::fs::read(&path).unwrap();
    torn[end.offset as usize + 12] ^= 1;
    std::fs::write(&path, &torn).unwrap();
    assert!(matches!(again(), Err(JournalError::NotEmpty(_))), "inputs behind a bad one");
    std::fs::write(&path, &idle).unwrap();
    again().expect("nothing happened in it");
    write(folder.path(), Tail::default(), 1..2, 4096);
    assert!(matches!(again(), Err(JournalError::NotEmpty(_))));
    std::fs::write(segment::path_of(folder.path(), 0), b"something else entirely").unwrap();
    assert!(matches!(Reader::open(folder.path()), Err(JournalError::NotASegment(_))));
}
