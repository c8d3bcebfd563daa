use super::*;
use crate::record::tests::sample;
use crate::verify::{Options, Report, verify};

const KEY: [u8; 32] = [9; 32];
const WALL: Ts = Ts(1_000);

fn config(folder: &Path) -> Config {
    Config {
        folder: folder.join("log"),
        key: SecretKey::from_seed(&KEY),
        identity: [3; 32],
        checkpoint_records: 4,
        checkpoint_ns: 1_000,
        segment_bytes: 20 * FRAME_BYTES as u64,
        witness: Some(folder.join("checkpoints")),
    }
}

fn options(folder: &Path) -> Options {
    let key = Some(SecretKey::from_seed(&KEY).public());
    Options { key, witness: Some(folder.join("checkpoints")), torn_is_good: false }
}

fn report(folder: &Path) -> Report {
    verify(&folder.join("log"), &options(folder), |_| ()).unwrap().unwrap()
}

fn records(numbers: std::ops::Range<u64>) -> Vec<AuditRecord> {
    numbers.map(sample).collect()
}

/// Goal: a log written in batches over many segments and three runs reads back whole. Method: write, close, open,
/// write, drop,
/// open under another period, write, close.
#[test]
fn goes_on_over_segments_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(config(folder.path()), WALL).unwrap();
    for at in 0..30 {
        writer.append(&records(at * 3..at * 3 + 3), WALL).unwrap();
    }
    writer.close(WALL).unwrap();
    let first = report(folder.path());
    assert!(first.closed && first.segments > 4 && first.unsigned == 0, "{first:?}");
    assert_eq!((first.records, first.witnessed), (90, Some(first.checkpoints)));

    let mut writer = Writer::open(config(folder.path()), WALL).unwrap();
    writer.append(&records(90..97), WALL).unwrap();
    drop(writer);
    let second = report(folder.path());
    assert_eq!((second.records, second.closed), (97, false));
    assert!(second.unsigned < 4);

    let other = Config { checkpoint_records: 50, ..config(folder.path()) };
    let mut writer = Writer::open(other, WALL).unwrap();
    writer.append(&records(97..140), WALL).unwrap();
    assert_eq!(writer.count(), 140);
    writer.tick(Ts(WALL.0 + 999)).unwrap();
    assert!(report(folder.path()).unsigned > 0);
    writer.tick(Ts(WALL.0 + 1_000)).unwrap();
    assert_eq!(report(folder.path()).unsigned, 0, "a period has passed");
    writer.close(WALL).unwrap();

    let mut read = Vec::new();
    let end = verify(&folder.path().join("log"), &options(folder.path()), |seen| {
        if let crate::Seen::Record(number, record, _) = seen {
            assert_eq!(number, read.len() as u64 + 1);
            read.push(*record);
        }
    });
    assert!(end.unwrap().unwrap().closed);
    assert_eq!(read, records(0..140));
}

/// Goal: a log cut at any byte, or with zeros behind a cut, goes on from its last whole frame, says so, and verifies.
/// Method:
/// every byte of a small log of two segments, with the second file as it stood then.
#[test]
fn torn_tails_are_cut_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let small = |folder: &Path| Config {
        segment_bytes: 7 * FRAME_BYTES as u64,
        witness: None,
        ..config(folder)
    };
    let mut writer = Writer::open(small(folder.path()), WALL).unwrap();
    writer.append(&records(0..6), WALL).unwrap();
    drop(writer);
    let log = folder.path().join("log");
    let last = *segment::numbers(&log).unwrap().last().unwrap();
    assert_eq!(last, 1);
    let path = segment::path_of(&log, last);
    let whole = std::fs::read(&path).unwrap();
    let first = std::fs::read(segment::path_of(&log, 0)).unwrap();
    let options = Options { witness: None, ..options(folder.path()) };
    let records_at = |cut: usize| {
        std::fs::write(&path, whole.get(..cut).unwrap()).unwrap();
        let torn_is_good = Options { torn_is_good: true, ..options.clone() };
        verify(&log, &torn_is_good, |_| ()).unwrap().unwrap().records
    };
    for cut in 0..whole.len() {
        let before = records_at(cut);
        let zeros = [0, 1, FRAME_BYTES, 5000][cut % 4];
        let mut torn = whole.get(..cut).unwrap().to_vec();
        torn.resize(cut + zeros, 0);
        std::fs::write(&path, torn).unwrap();
        let strict = verify(&log, &options, |_| ()).unwrap();
        let mut writer = Writer::open(small(folder.path()), WALL).unwrap();
        writer.append(&records(6..8), WALL).unwrap();
        writer.close(WALL).unwrap();
        let mut torn = 0;
        let report = verify(&log, &options, |seen| {
            if let crate::Seen::Record(_, record, _) = seen {
                torn += u64::from(record.kind == AuditKind::Torn && record.aux > 0);
            }
        });
        let report = report.unwrap().unwrap();
        // An empty file of a segment that was just begun tears nothing.
        let told = u64::from(strict.is_err() && cut + zeros > 0);
        assert!(report.closed, "cut at {cut}");
        assert_eq!((report.records, torn), (before + 2 + told, told), "cut at {cut}");
        for number in segment::numbers(&log).unwrap() {
            std::fs::remove_file(segment::path_of(&log, number)).unwrap();
        }
        std::fs::write(segment::path_of(&log, 0), &first).unwrap();
    }
}

/// Goal: two engines never write one log; none goes on with a log that is damaged, signed by another, or shorter than
/// the second
/// file says. Method: try each.
#[test]
fn refuses_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Writer::open(config(folder.path()), WALL);
    let mut writer = open().unwrap();
    assert!(matches!(open(), Err(AuditError::InUse(_))));
    writer.append(&records(0..3), WALL).unwrap();
    drop(writer);
    let other = Config { key: SecretKey::from_seed(&[1; 32]), ..config(folder.path()) };
    assert!(matches!(Writer::open(other, WALL), Err(AuditError::OtherKey(_))));

    let path = segment::path_of(&folder.path().join("log"), 0);
    let whole = std::fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() - 100] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    assert!(matches!(open(), Err(AuditError::Damaged { .. })));
    std::fs::write(&path, &whole).unwrap();
    open().unwrap().close(WALL).unwrap(); // Its checkpoint says three records.

    std::fs::write(&path, whole.get(..whole.len() - FRAME_BYTES).unwrap()).unwrap();
    assert!(matches!(open(), Err(AuditError::Damaged { .. })), "cut off");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(open(), Err(AuditError::Damaged { .. })), "removed");
    std::fs::write(&path, b"something else entirely").unwrap();
    assert!(matches!(open(), Err(AuditError::Damaged { .. })));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(folder.path().join("checkpoints"), "rubbish\n").unwrap();
    assert!(matches!(open(), Err(AuditError::Damaged { .. })));
}

/// Goal: a line of the second file that a crash cut off is mended. Method: cut the last line at every byte, go on.
#[test]
fn second_file_torn() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(config(folder.path()), WALL).unwrap();
    writer.append(&records(0..8), WALL).unwrap();
    drop(writer);
    let path = folder.path().join("checkpoints");
    for _ in 0..40 {
        let lines = std::fs::read(&path).unwrap();
        std::fs::write(&path, lines.get(..lines.len() - 11).unwrap()).unwrap();
        report(folder.path());
        Writer::open(config(folder.path()), WALL).unwrap().close(WALL).unwrap();
        report(folder.path());
    }
}

/// Goal: when a disk refuses, the log says so and never again that something is written. Method: /dev/full in the
/// place of the
/// log's file, then of the second.
#[test]
fn full_disk_latches() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(config(folder.path()), WALL).unwrap();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let good = std::mem::replace(&mut writer.file, full());
    assert!(!writer.failed());
    assert!(matches!(writer.append(&records(0..1), WALL), Err(AuditError::Io { .. })));
    assert!(writer.failed());
    writer.file = good;
    assert!(matches!(writer.append(&records(0..1), WALL), Err(AuditError::Failed)));
    assert!(matches!(writer.tick(WALL), Err(AuditError::Failed)));
    assert!(matches!(writer.close(WALL), Err(AuditError::Failed)));
    assert_eq!(report(folder.path()).records, 0);

    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let full = Config { witness: Some("/dev/full".into()), ..config(&other) };
    assert!(matches!(Writer::open(full, WALL), Err(AuditError::Io { .. })));
}

/// Goal: a second file that is a pipe is written as long as somebody reads; without a reader the log does not start,
/// and fails at
/// the next checkpoint. Method: a named pipe.
#[test]
fn second_file_is_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let piped = || Config { witness: Some(pipe.clone()), ..config(folder.path()) };
    assert!(matches!(Writer::open(piped(), WALL), Err(AuditError::Io { .. })));
    let reader = File::options().read(true).write(true).open(&pipe).unwrap();
    let mut writer = Writer::open(piped(), WALL).unwrap();
    writer.append(&records(0..4), WALL).unwrap();
    let mut said = [0; 2000];
    let length = std::io::Read::read(&mut &reader, &mut said).unwrap();
    let said = std::str::from_utf8(&said[..length]).unwrap();
    let counts: Vec<u64> =
        said.lines().map(|line| Checkpoint::from_line(line).unwrap().count).collect();
    assert_eq!(counts, [0, 4]);
    drop(reader);
    writer.append(&records(4..7), WALL).unwrap();
    assert!(matches!(writer.append(&records(7..8), WALL), Err(AuditError::Io { .. })));
    assert!(writer.failed());
}
