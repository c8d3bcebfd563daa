use std::os::unix::fs::FileExt;

use model::Ts;
use proptest::prelude::*;

use super::*;
use crate::chain::{FRAME_BYTES, FrameKind, Hash};
use crate::key::SecretKey;
use crate::record::tests::sample;
use crate::writer::{Config, Writer};

const WALL: Ts = Ts(1_000);

fn key() -> SecretKey {
    SecretKey::from_seed(&[5; 32])
}

/// A log on disk, its files as bytes, and what verifies it.
struct Log {
    folder: tempfile::TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
    options: Options,
    records: u64,
}

impl Log {
    /// A closed log of so many records, a checkpoint every `period` of them and `frames` frames a segment.
    fn new(records: u64, period: u64, frames: u64) -> Log {
        let folder = tempfile::tempdir().unwrap();
        let witness = folder.path().join("checkpoints");
        let config = Config {
            folder: folder.path().join("log"),
            key: key(),
            identity: [7; 32],
            checkpoint_records: period,
            checkpoint_ns: u64::MAX,
            segment_bytes: frames * FRAME_BYTES as u64,
            witness: Some(witness.clone()),
        };
        let mut writer = Writer::open(config, WALL).unwrap();
        let all: Vec<AuditRecord> = (1..=records).map(sample).collect();
        writer.append(&all, WALL).unwrap();
        writer.close(WALL).unwrap();
        let options =
            Options { key: Some(key().public()), witness: Some(witness), torn_is_good: false };
        let log = folder.path().join("log");
        let paths = segment::numbers(&log).unwrap();
        let paths = paths.into_iter().map(|number| segment::path_of(&log, number));
        let files = paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
        Log { folder, files, options, records }
    }

    fn verify(&self) -> Result<Report, Finding> {
        verify(&self.folder.path().join("log"), &self.options, |_| ()).unwrap()
    }

    /// What is found when the file `number` holds `bytes`; the file is as before afterwards.
    fn with(&self, number: usize, bytes: &[u8]) -> Result<Report, Finding> {
        let (path, good) = &self.files[number];
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let hold = |bytes: &[u8]| {
            file.set_len(bytes.len() as u64).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        };
        hold(bytes);
        let found = self.verify();
        hold(good);
        found
    }

    /// Where the frames of a file begin.
    fn frames(&self, number: usize) -> Vec<usize> {
        let bytes = &self.files[number].1;
        let header = u32::from_le_bytes(*bytes[12..].first_chunk().unwrap()) as usize;
        (header..bytes.len()).step_by(FRAME_BYTES).collect()
    }

    /// The number of the record that stands at a byte, or comes next behind it.
    fn record_at(&self, number: usize, byte: usize) -> u64 {
        let mut record = 1;
        for (file, (_, bytes)) in self.files.iter().enumerate() {
            for at in self.frames(file) {
                if file > number || (file == number && at + FRAME_BYTES > byte) {
                    return record;
                }
                record += u64::from(bytes[at + 4] == 1);
            }
        }
        record
    }
}

/// Goal: an untouched log is good, with and without key and second file. Method: several shapes.
#[test]
fn good_is_good() {
    for (records, period, frames) in [(0, 1, 3), (1, 1, 3), (9, 4, 5), (50, 7, 1000), (50, 50, 8)] {
        let mut log = Log::new(records, period, frames);
        let report = log.verify().unwrap();
        assert!(report.closed && report.unsigned == 0, "{report:?}");
        assert_eq!((report.records, report.segments), (records, log.files.len() as u64));
        assert_eq!(report.witnessed, Some(report.checkpoints));
        log.options.witness = None;
        log.options.key = None;
        assert_eq!(log.verify().unwrap().records, records);
    }
}

/// Goal: no bit of a log can be flipped unseen, and the record is named, even without the key. Method: every bit of
/// every byte of a small log.
#[test]
fn every_flip() {
    let mut log = Log::new(5, 2, 6);
    log.options.key = None;
    assert!(log.files.len() > 1);
    for number in 0..log.files.len() {
        let mut bytes = log.files[number].1.clone();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = log.with(number, &bytes).unwrap_err();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let due = log.record_at(number, bit / 8);
            assert_eq!((&found.path, found.record), (&log.files[number].0, due), "{bit}: {found}");
        }
    }
}

/// Goal: a log may end nowhere but at its end. Method: cut every file at every byte; remove the last files.
#[test]
fn every_cut() {
    let log = Log::new(9, 4, 6);
    for number in 0..log.files.len() {
        let bytes = &log.files[number].1;
        for cut in 0..bytes.len() {
            let found = log.with(number, &bytes[..cut]).unwrap_err();
            assert!(found.record <= log.record_at(number, cut), "file {number} at {cut}: {found}");
        }
    }
    for number in (0..log.files.len()).rev() {
        let first_lost = log.record_at(number, 0);
        std::fs::remove_file(&log.files[number].0).unwrap();
        match verify(&log.folder.path().join("log"), &log.options, |_| ()) {
            Ok(found) => assert_eq!(found.unwrap_err().record, first_lost, "file {number}"),
            Err(error) => assert!(matches!(error, AuditError::NoLog(_)) && number == 0),
        }
    }
}

/// Goal: no frame can be taken out, doubled, put in again elsewhere or swapped unseen. Method: every frame and pair
/// of frames of
/// each file; every file taken out, swapped.
#[test]
fn every_frame_has_its_place() {
    let log = Log::new(9, 4, 7);
    for number in 0..log.files.len() {
        let bytes = &log.files[number].1;
        let frames = log.frames(number);
        let frame = |at: usize| &bytes[at..at + FRAME_BYTES];
        for (place, at) in frames.iter().copied().enumerate() {
            let deleted = [&bytes[..at], &bytes[at + FRAME_BYTES..]].concat();
            let found = log.with(number, &deleted).unwrap_err();
            assert!(found.record <= log.record_at(number, at) + 1, "deleted {place}: {found}");
            for other in frames.iter().copied() {
                let doubled = [&bytes[..at], frame(other), &bytes[at..]].concat();
                let found = log.with(number, &doubled).unwrap_err();
                assert!(found.record <= log.record_at(number, at) + 1, "{found}");
                if other != at {
                    let mut swapped = bytes.clone();
                    swapped[at..at + FRAME_BYTES].copy_from_slice(frame(other));
                    swapped[other..other + FRAME_BYTES].copy_from_slice(frame(at));
                    let found = log.with(number, &swapped).unwrap_err();
                    assert_eq!(found.record, log.record_at(number, at.min(other)), "{found}");
                }
            }
            let last = frames.iter().copied().last().unwrap();
            let doubled = [&bytes[..], frame(at)].concat();
            let found = log.with(number, &doubled).unwrap_err();
            assert!(found.offset as usize == last + FRAME_BYTES, "{found}");
        }
    }
    for number in 1..log.files.len() {
        let (before, of) = (&log.files[number - 1], &log.files[number]);
        std::fs::write(&before.0, &of.1).unwrap();
        assert!(log.with(number, &before.1).is_err());
        std::fs::write(&before.0, &before.1).unwrap();
        std::fs::remove_file(&of.0).unwrap();
        assert!(log.verify().is_err());
        std::fs::write(&of.0, &of.1).unwrap();
    }
    assert!(log.verify().unwrap().closed);
}

/// Every frame of a file chained again, as somebody without the key would: checkpoints stay as they are.
fn chain_again(
    bytes: &[u8],
    header: usize,
    change: impl Fn(usize, &mut [u8; BODY_BYTES]),
) -> Vec<u8> {
    let mut out = bytes[..header].to_vec();
    let mut hash: Hash = *out.last_chunk().unwrap();
    for (place, frame) in bytes[header..].chunks(FRAME_BYTES).enumerate() {
        let kind = if frame[4] == 1 { FrameKind::Record } else { FrameKind::Checkpoint };
        let mut body = *frame[8..].first_chunk().unwrap();
        change(place, &mut body);
        hash = crate::chain::write(&hash, kind, &body, &mut out);
    }
    out
}

/// Goal: a chain made again without the key is found at the next checkpoint, and the records among which the change
/// is are named.
/// Method: change one record, hash everything behind it again; also with all checkpoints left out.
#[test]
fn rewritten_without_the_key() {
    let log = Log::new(12, 4, 1000);
    let bytes = &log.files[0].1;
    let header = log.frames(0)[0];
    let same = chain_again(bytes, header, |_, _| ());
    assert_eq!(&same, bytes);
    for (place, at) in log.frames(0).into_iter().enumerate().filter(|(_, at)| bytes[at + 4] == 1) {
        let changed = chain_again(bytes, header, |frame, body| body[9] ^= u8::from(frame == place));
        let found = log.with(0, &changed).unwrap_err();
        let record = log.record_at(0, at);
        assert_eq!(found.fault, Fault::Rewritten);
        assert!((found.record..=found.until).contains(&record) && found.until - found.record < 4);
    }
    let frames = bytes[header..].chunks(FRAME_BYTES).filter(|frame| frame[4] == 1);
    let bare: Vec<u8> = frames.flatten().copied().collect();
    let bare = chain_again(&[&bytes[..header], &bare].concat(), header, |_, _| ());
    assert_eq!(log.with(0, &bare).unwrap_err().fault, Fault::Overdue);
}

/// Goal: who has the key can make another log, but not one that agrees with the second file; nor can he cut one off.
/// Method: write
/// a log with one record changed, or fewer of them, and verify it beside the second file of the true one.
#[test]
fn rewritten_with_the_key() {
    let truth = Log::new(12, 4, 1000);
    let lines = truth.options.witness.clone().unwrap();
    for (records, fault) in
        [(11, Fault::CutOff(12)), (8, Fault::CutOff(12)), (3, Fault::CutOff(12))]
    {
        let mut shorter = Log::new(records, 4, 1000);
        assert!(shorter.verify().is_ok());
        shorter.options.witness = Some(lines.clone());
        let found = shorter.verify().unwrap_err();
        assert_eq!((found.fault, found.record), (fault, records + 1), "{found}");
    }
    for changed in 1..=12 {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            folder: folder.path().join("log"),
            key: key(),
            identity: [7; 32],
            checkpoint_records: 4,
            checkpoint_ns: u64::MAX,
            segment_bytes: 1 << 20,
            witness: None,
        };
        let mut writer = Writer::open(config, WALL).unwrap();
        let other = |number| if number == changed { sample(number + 1) } else { sample(number) };
        writer.append(&(1..=12).map(other).collect::<Vec<_>>(), WALL).unwrap();
        writer.close(WALL).unwrap();
        let found = verify(&folder.path().join("log"), &truth.options, |_| ()).unwrap();
        let found = found.unwrap_err();
        assert!((found.record..=found.until).contains(&changed), "{changed}: {found}");
    }
}

/// Goal: without the right key nothing is good; a line of the second file cannot be changed unseen. Method: another
/// key; flips.
#[test]
fn key_and_second_file() {
    let mut log = Log::new(9, 4, 6);
    let path = log.options.witness.clone().unwrap();
    let lines = std::fs::read(&path).unwrap();
    for at in 0..lines.len() - 1 {
        let mut other = lines.clone();
        other[at] ^= 1;
        std::fs::write(&path, &other).unwrap();
        let found = log.verify();
        assert!(found.is_err(), "byte {at}: {found:?}");
    }
    std::fs::write(&path, &lines).unwrap();
    log.options.key = Some(SecretKey::from_seed(&[6; 32]).public());
    assert_eq!(log.verify().unwrap_err().fault, Fault::Unsigned);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Goal: as above, on logs of any shape. Method: random logs; a random change of each kind: flip, delete, double,
    /// swap, cut at a
    /// boundary and at a byte, bytes put in, bytes overwritten.
    #[test]
    fn any_change_is_found(
        records in 1_u64..40,
        period in 1_u64..12,
        frames in 4_u64..60,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 4),
        noise in prop::collection::vec(any::<u8>(), 1..600),
    ) {
        let log = Log::new(records, period, frames);
        prop_assert_eq!(log.verify().unwrap().records, log.records);
        let number = picks[0].index(log.files.len());
        let bytes = &log.files[number].1;
        let starts = log.frames(number);
        let (at, other) = (starts[picks[1].index(starts.len())], starts[picks[2].index(starts.len())]);
        let byte = picks[3].index(bytes.len());
        let (frame, behind) = (&bytes[at..at + FRAME_BYTES], at + FRAME_BYTES);
        let mut flipped = bytes.clone();
        flipped[byte] ^= 1 << picks[1].index(8);
        let mut swapped = bytes.clone();
        swapped[at..behind].copy_from_slice(&bytes[other..other + FRAME_BYTES]);
        swapped[other..other + FRAME_BYTES].copy_from_slice(frame);
        let mut overwritten = bytes.clone();
        overwritten.iter_mut().skip(byte).zip(&noise).for_each(|(place, byte)| *place = *byte);
        let changes = [
            ("flip", flipped),
            ("delete", [&bytes[..at], &bytes[behind..]].concat()),
            ("double", [&bytes[..other], frame, &bytes[other..]].concat()),
            ("swap", swapped),
            ("cut between", bytes[..at].to_vec()),
            ("cut inside", bytes[..byte].to_vec()),
            ("put in", [&bytes[..byte], &noise, &bytes[byte..]].concat()),
            ("put behind", [&bytes[..], &noise].concat()),
            ("overwrite", overwritten),
            ("replace", noise.clone()),
            ("empty", Vec::new()),
        ];
        for (what, changed) in changes {
            if &changed != bytes {
                let found = log.with(number, &changed);
                prop_assert!(found.is_err(), "{} at {}/{}: {:?}", what, at, byte, found);
            }
        }
    }
}

/// Goal: a proof shows its record and no other, under its key and checkpoint alone. Method: every record of an order;
/// alter each part.
#[test]
fn proofs() {
    let log = Log::new(41, 7, 9);
    let folder = log.folder.path().join("log");
    let of = |order: u64| move |record: &AuditRecord| record.order.0 == order;
    let (report, proofs) = crate::prove(&folder, &log.options, of(5), 100).unwrap().unwrap();
    let checkpoint = report.last.unwrap();
    assert_eq!(proofs.iter().map(|proof| proof.number).collect::<Vec<_>>(), [12, 13, 14]);
    for proof in &proofs {
        let public = key().public();
        assert_eq!(proof.check(&checkpoint, &public), Ok(sample(proof.number)));
        let other = SecretKey::from_seed(&[6; 32]).public();
        assert_eq!(proof.check(&checkpoint, &other), Err(crate::ProofError::Unsigned));
        for bit in 0..proof.record.len() * 8 {
            let mut altered = proof.clone();
            altered.record[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(altered.check(&checkpoint, &public), Err(crate::ProofError::NotIn));
        }
        for number in (0..=42).filter(|number| *number != proof.number) {
            let altered = crate::Proof { number, ..proof.clone() };
            assert_eq!(altered.check(&checkpoint, &public), Err(crate::ProofError::NotIn));
        }
    }
    let (_, none) = crate::prove(&folder, &log.options, of(999), 100).unwrap().unwrap();
    assert!(none.is_empty());
    let (_, two) = crate::prove(&folder, &log.options, |_| true, 2).unwrap().unwrap();
    assert_eq!(two.len(), 2);
}
