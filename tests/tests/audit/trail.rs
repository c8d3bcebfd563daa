//! What the log lacks of the journal after an unclean stop is made good by the next start.

use std::path::{Path, PathBuf};

use audit::{AuditKind, AuditRecord, FRAME_BYTES};
use engine::config::Config;
use engine::replay::Replay;
use engine::runtime::{self, Plan};
use engine::script::{Line, Op, Script, Special, When};
use engine::snapshot;
use model::{ClientOrderId, OrderType, Side, Symbol, Tif};
use tests::Stage;
use tests::rogue::Dice;

use crate::verify;

/// Places at which the log is cut.
const CUTS: u64 = 12;

fn run(config: &Config, script: Script) {
    let (shared, ends_with_feed, drive_stream) = (false, true, None);
    let plan = Plan { config: config.clone(), script, shared, ends_with_feed, drive_stream };
    let running = runtime::start(plan).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.finish().unwrap();
}

/// Orders that rest, some cancelled; the probe's fill beside them.
fn script() -> Script {
    let line = |n: u64, step: u64, op: Op| Line {
        when: When::After(5_000 + n * 60 + step),
        id: ClientOrderId::new(&format!("o{n}")).unwrap(),
        account: Symbol::new("agent").unwrap(),
        op,
    };
    let new = |n: u64| Op::New {
        symbol: Symbol::new("SYN001").unwrap(),
        side: Side::Buy,
        qty: 1.into(),
        px: (1 + n % 3).into(),
        order_type: OrderType::Limit,
        tif: Tif::Day,
        special: Special::default(),
    };
    Script::new((0..200).flat_map(|n| [line(n, 0, new(n)), line(n, 30, Op::Cancel)]).collect())
}

/// The files of a folder, without those in folders of it.
fn read(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|p| (p.clone(), std::fs::read(p).unwrap())).collect()
}

fn write(files: &[(PathBuf, Vec<u8>)]) {
    files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
}

/// Without what a replay cannot know.
fn clockless(record: &AuditRecord) -> AuditRecord {
    AuditRecord { mono_ns: 0, ..*record }
}

/// Goal: killed with records on their way, a log has each of them once, in order, before what comes next; where the snapshot
/// that a start must go on from is too young for that, the log says which inputs it lacks. Method: the log of a whole day, cut
/// at random bytes, journal and all put back to before its end, and started again; every other time with a snapshot only, taken
/// anywhere.
#[test]
fn unclean_stop_is_made_good() {
    let stage = Stage::new(30_000, 10);
    let (config, key) = stage.audited(stage.config("audit-trail"));
    let mut engine = config.engine.clone();
    engine.strategies[0].every = 5;
    let of_log = engine.audit.as_mut().unwrap();
    (of_log.checkpoint_records, of_log.checkpoint_ms) = (1 << 16, 3_600_000);
    let config = config.with_engine(engine);
    let of_log = config.engine.audit.clone().unwrap();
    run(&config, script());

    let journal = config.engine.journal.clone().unwrap().folder;
    std::fs::remove_dir_all(journal.join(snapshot::FOLDER)).unwrap();
    let (_, whole) = verify(&config, key, false);
    let whole: Vec<_> = whole.iter().map(clockless).collect();
    let (stop, ran) = whole.split_last().unwrap();
    assert!(stop.kind == AuditKind::Stop && ran.len() > 500, "{}", ran.len());
    let (kept, log) = (read(&journal), read(&of_log.folder));
    let [(segment, bytes)] =
        &log.iter().filter(|(path, _)| path.extension().is_some()).collect::<Vec<_>>()[..]
    else {
        panic!("one segment is enough for a day")
    };
    let opened = std::fs::read_to_string(&of_log.checkpoints).unwrap();
    let opened = format!("{}\n", opened.lines().next().unwrap());

    let (mut dice, mut gaps) = (Dice(5), 0);
    let frames = ran.len() as u64 + 1; // Without the last checkpoint; the first is behind the header.
    let behind_header = bytes.len() as u64 - (frames + 2) * FRAME_BYTES as u64;
    for cut in 0..CUTS {
        write(&kept);
        let _ = std::fs::remove_dir_all(journal.join(snapshot::FOLDER));
        let snapshot = (cut % 2 == 1).then(|| {
            let mut walk = Replay::open_from_beginning(&journal).unwrap().unwrap();
            walk.run(Some(1 + dice.below(stop.engine_seq)), |_| ()).unwrap();
            walk.write_snapshot().unwrap().unwrap().seq
        });
        let left = 3 * FRAME_BYTES as u64 + dice.below((frames - 3) * FRAME_BYTES as u64);
        std::fs::write(segment, &bytes[..(behind_header + left) as usize]).unwrap();
        std::fs::write(&of_log.checkpoints, &opened).unwrap();
        let known = &ran[..(left / FRAME_BYTES as u64) as usize - 1];

        run(&config, Script::default());
        let (report, found) = verify(&config, key, false);
        assert!(report.closed);
        let found = found.iter().filter(|record| record.kind != AuditKind::Torn).map(clockless);
        let found: Vec<_> = found.collect();
        let (gap, due) = expected(ran, known, snapshot);
        gaps += u64::from(gap.is_some());
        let (before, rest) = found.split_at(known.len());
        assert_eq!(before, known);
        let rest = match gap {
            None => rest,
            Some((first, last)) => {
                let said = (rest[0].kind, rest[0].code, rest[0].bits, rest[0].aux);
                assert_eq!(said, (AuditKind::Lost, 1, first, last));
                &rest[1..]
            }
        };
        assert_eq!(rest[..due.len()], *due, "cut {cut} at {left}, snapshot {snapshot:?}");
        assert_eq!(rest[due.len()].kind, AuditKind::Start);
    }
    assert!(gaps > 0 && gaps < CUTS / 2, "{gaps} gaps");
}

/// The inputs that a log of `known` records must say it lacks, first and last, and the records that it must be given.
fn expected<'a>(
    ran: &'a [AuditRecord],
    known: &[AuditRecord],
    snapshot: Option<u64>,
) -> (Option<(u64, u64)>, &'a [AuditRecord]) {
    let last = known.last().unwrap().engine_seq;
    // Nothing else happens before the first input.
    let first = if last == 0 { 1 } else { last };
    match snapshot.filter(|seq| *seq >= first) {
        None => (None, &ran[known.len()..]),
        Some(seq) => {
            let behind = ran.iter().position(|record| record.engine_seq > seq);
            (Some((first, seq)), &ran[behind.unwrap_or(ran.len())..])
        }
    }
}
