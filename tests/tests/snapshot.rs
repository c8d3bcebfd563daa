//! A snapshot and the rest of the journal come to what the journal alone comes to.

use std::path::Path;
use std::time::Instant;

use engine::config::{Captures, Config, FeedConfig, FeedSource, Speed};
use engine::replay::Replay;
use engine::runtime::{self, Plan};
use engine::script::{Line, Op, Script, Special, When};
use engine::snapshot;
use feeds::Venue;
use model::{ClientOrderId, OrderType, Side, Symbol, Tif};
use tests::rogue::Dice;
use tests::{Stage, levels};

/// Cuts of each day.
const CUTS: usize = 24;

/// Orders that rest, change, take and are cancelled, in instruments of both kinds of books.
fn orders() -> Script {
    let mut lines = Vec::new();
    for n in 0..180_u64 {
        let line = |step: u64, op: Op| Line {
            when: When::After(6_000 + n * 60 + step),
            id: ClientOrderId::new(&format!("o{n}")).unwrap(),
            account: Symbol::new("agent").unwrap(),
            op,
        };
        let (symbol, side) = (["SYN001", "SYNA", "SYN002"][(n % 3) as usize], n % 2);
        let side = [Side::Buy, Side::Sell][side as usize];
        let takes = n % 5 == 0;
        let px: rust_decimal::Decimal = match (side, takes) {
            (Side::Buy, true) | (Side::Sell, false) => 100_000.into(),
            _ => 1.into(),
        };
        let tif = if takes { Tif::Ioc } else { Tif::Day };
        let symbol = Symbol::new(symbol).unwrap();
        let (order_type, special) = (OrderType::Limit, Special::default());
        lines.push(line(0, Op::New { symbol, side, qty: 2.into(), px, order_type, tif, special }));
        if !takes && n % 4 == 1 {
            lines.push(line(20, Op::Replace { qty: Some(1.into()), px: None }));
        }
        if !takes && n % 4 == 2 {
            lines.push(line(40, Op::Cancel));
        }
    }
    lines.sort_by_key(|line| match line.when {
        When::After(messages) => messages,
        _ => 0,
    });
    Script::new(lines)
}

/// A day of orders, and levels beside it.
fn both_kinds(stage: &Stage) -> Config {
    let config = stage.config("snapshot");
    let texts = stage.folder.path().join("levels.texts");
    levels::write_texts(&texts, 6_000).unwrap();
    let mut engine = config.engine.clone();
    engine.capacity.instruments = 16;
    engine.capacity.book_orders = 1 << 14;
    engine.capacity.levels = 1 << 14;
    engine.capacity.own_orders = 256;
    engine.capacity.client_ids = 4096;
    let captures = engine.feeds[0].captures().unwrap();
    let captures = Captures {
        files: vec![texts],
        symbols: levels::symbols(),
        speed: Speed::Max,
        repeat: false,
        ..captures.clone()
    };
    let feed = FeedConfig {
        venue: Venue::BybitLinear,
        source: FeedSource::Captures(captures),
        ..engine.feeds[0].clone()
    };
    engine.feeds.push(feed);
    config.with_engine(engine)
}

/// Runs the day into its journal.
fn run(config: &Config) {
    let plan = Plan {
        config: config.clone(),
        script: orders(),
        shared: false,
        ends_with_feed: true,
        drive_stream: None,
    };
    let running = runtime::start(plan).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let finished = running.finish().unwrap();
    assert!(finished.engine.passed() > 100, "{} passed", finished.engine.passed());
}

/// Last input, running hash, full hash.
fn end(replay: &mut Replay) -> (u64, u64, u64) {
    replay.run(None, |_| ()).unwrap();
    (replay.engine.seq(), replay.engine.state_hash(), replay.engine.full_hash())
}

fn forget_snapshots(journal: &Path) {
    std::fs::remove_dir_all(journal.join(snapshot::FOLDER)).unwrap();
}

/// Goal: a snapshot at any input, and what comes after it, lead to the running hash and the full hash of the whole; written
/// again at once, it is the same file. Method: a day with books of both kinds, orders of ours that rest, change and take, and
/// the probe beside them, cut at random inputs, many of them within a run of events.
#[test]
fn any_cut_comes_to_the_same() {
    let stage = Stage::new(30_000, 5);
    let config = both_kinds(&stage);
    run(&config);
    let journal = config.engine.journal.clone().unwrap().folder;
    let mut stopped = Replay::open_from_snapshot(&journal).unwrap().unwrap();
    let whole = end(&mut Replay::open(&journal).unwrap().unwrap());
    assert_eq!(stopped.from, Some(whole.0), "a clean stop leaves one");
    assert!(stopped.closed);
    assert_eq!(end(&mut stopped), whole);
    forget_snapshots(&journal);

    let mut dice = Dice(41);
    let mut cuts: Vec<u64> = (0..CUTS).map(|_| 1 + dice.below(whole.0 - 1)).collect();
    cuts.sort_unstable();
    let mut walk = Replay::open_from_beginning(&journal).unwrap().unwrap();
    for cut in cuts {
        walk.run(Some(cut), |_| ()).unwrap();
        let written = walk.write_snapshot().unwrap().unwrap();
        assert_eq!(written.seq, cut);
        let mut from = Replay::open_from_snapshot(&journal).unwrap().unwrap();
        assert_eq!((from.from, from.passed_over.len()), (Some(cut), 0));
        let bytes = std::fs::read(&written.path).unwrap();
        assert!(from.write_snapshot().unwrap().is_some());
        assert_eq!(std::fs::read(&written.path).unwrap(), bytes, "cut at {cut}");
        assert_eq!(from.engine.full_hash(), walk.engine.full_hash());
        assert_eq!(end(&mut from), whole, "cut at {cut}");
    }
    assert_eq!(end(&mut walk), whole);
}

/// Goal: what is wrong with the newest is told, and the one before it is continued; none left, all is replayed. Method:
/// three snapshots, spoilt one after the other.
#[test]
fn an_older_one_or_none() {
    let stage = Stage::new(8_000, 3);
    let config = stage.config("older");
    let mut replay_config = config.engine.clone();
    replay_config.capacity.book_orders = 1 << 13;
    let config = config.with_engine(replay_config);
    let plan = Plan {
        config: config.clone(),
        script: Script::default(),
        shared: false,
        ends_with_feed: true,
        drive_stream: None,
    };
    let running = runtime::start(plan).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.finish().unwrap();
    let journal = config.engine.journal.clone().unwrap().folder;
    forget_snapshots(&journal);
    let whole = end(&mut Replay::open(&journal).unwrap().unwrap());
    let mut walk = Replay::open_from_beginning(&journal).unwrap().unwrap();
    let mut paths = Vec::new();
    for cut in [2_000, 4_000, 6_000] {
        walk.run(Some(cut), |_| ()).unwrap();
        paths.push(walk.write_snapshot().unwrap().unwrap().path);
    }
    for (spoilt, expected) in [Some(6_000), Some(4_000), Some(2_000), None].into_iter().enumerate()
    {
        let mut from = Replay::open_from_snapshot(&journal).unwrap().unwrap();
        assert_eq!((from.from, from.passed_over.len()), (expected, spoilt));
        assert_eq!(end(&mut from), whole);
        if let Some(path) = paths.pop() {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

/// Goal: no engine starts from nothing where a journal was: its snapshots tell. Method: take the journal's segment away.
#[test]
fn none_without_its_journal() {
    let stage = Stage::new(2_000, 3);
    let config = stage.config("gone");
    let plan = || Plan {
        config: config.clone(),
        script: Script::default(),
        shared: false,
        ends_with_feed: true,
        drive_stream: None,
    };
    let running = runtime::start(plan()).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.finish().unwrap();
    let journal = config.engine.journal.clone().unwrap().folder;
    for number in engine::journal::numbers(&journal).unwrap() {
        std::fs::remove_file(engine::journal::path_of(&journal, number)).unwrap();
    }
    let error = runtime::start(plan()).err().unwrap();
    assert!(
        matches!(error, runtime::RunError::Journal(engine::journal::JournalError::Gone(_))),
        "{error}"
    );
}

/// Goal: how long a restart takes with and without one. Method: a longer day, both ways, printed; a snapshot must not be
/// slower.
#[test]
fn saves_time() {
    let stage = Stage::new(400_000, 20);
    let config = stage.config("saves-time");
    let plan = Plan {
        config: config.clone(),
        script: Script::default(),
        shared: false,
        ends_with_feed: true,
        drive_stream: None,
    };
    let running = runtime::start(plan).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.finish().unwrap();
    let journal = config.engine.journal.clone().unwrap().folder;
    let begun = Instant::now();
    let mut with = Replay::open_from_snapshot(&journal).unwrap().unwrap();
    let with_end = end(&mut with);
    let with = begun.elapsed();
    let begun = Instant::now();
    let without_end = end(&mut Replay::open(&journal).unwrap().unwrap());
    let without = begun.elapsed();
    assert_eq!(with_end, without_end);
    let (_, path) = snapshot::list(&journal).unwrap().remove(0);
    let bytes = std::fs::metadata(path).unwrap().len();
    println!("{} inputs: {without:?} replayed, {with:?} from {bytes} bytes", with_end.0);
}
