//! kill -9 at any moment loses nothing that was written, and leaves nothing that cannot be read.

mod live;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use engine::replay::Replay;
use model::page::TapeKind;
use model::{Kind, OrderId, VenueNumber};
use tests::rogue::Dice;
use tests::{Stage, program};

/// Processes killed, unless TICKGATE_KILLS says how many.
const KILLS: u64 = 40;
/// The same with a follower beside each.
const KILLS_FOLLOWED: u64 = 16;

/// A day with orders, and how to run it.
struct Day {
    stage: Stage,
    config: PathBuf,
    orders: PathBuf,
}

impl Day {
    fn new() -> Day {
        let stage = Stage::new(150_000, 10);
        let config = stage.write_config(&stage.config("crash"));
        let orders = stage.folder.path().join("orders.jsonl");
        std::fs::write(&orders, order_lines(&stage)).unwrap();
        Day { stage, config, orders }
    }

    fn start(&self, journal: &Path) -> Child {
        Command::new(program("tickgate"))
            .arg("replay")
            .arg(&self.stage.capture)
            .arg("--config")
            .arg(&self.config)
            .arg("--orders")
            .arg(&self.orders)
            .arg("--journal")
            .arg(journal)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

/// Goal: after each kill the longest valid prefix is found, and its hash is that of the uninterrupted run at that input; a
/// second kill, of the restart, changes nothing of that. Method: the same day with orders, killed at random moments of its
/// run (seeded; TICKGATE_KILLS says how often); every fourth one is started again and killed again.
#[test]
fn killed_at_random_moments() {
    let kills = kills(KILLS);
    let day = Day::new();
    let (hashes, took) = uninterrupted(&day);

    let mut ends = std::collections::BTreeSet::new();
    let (mut dice, mut torn, mut headless, mut again) = (Dice(9), 0, 0, 0);
    for kill in 0..kills {
        let journal = day.stage.folder.path().join(format!("killed-{kill}"));
        killed(&day, &journal, Duration::from_nanos(dice.below(took.as_nanos() as u64)));
        let Some(end) = check(&journal, &hashes, kill, &mut torn) else {
            headless += 1; // Killed before the head of the journal was written.
            std::fs::remove_dir_all(&journal).ok();
            continue;
        };
        ends.insert(end);
        if kill.is_multiple_of(4) && restart(&journal, end, &mut dice) {
            again += 1;
        }
        std::fs::remove_dir_all(&journal).ok();
    }
    println!(
        "{kills} kills: {} different ends, the last {:?}; {torn} torn, {headless} without a head, {again} restarted",
        ends.len(),
        ends.last()
    );
    assert!(ends.len() >= 5, "the kills hit too few places: {ends:?}");
}

/// Goal: snapshots written under load are whole or not there, whoever is killed while they are written; the newest and the
/// rest of the journal come to the state of the uninterrupted run and to the full hash of a replay from the beginning.
/// Method: the same day with a follower that writes a snapshot whenever it can; engine, follower or both killed at random
/// moments, the clean stop with its snapshot among them; then a follower that reads it all once more.
#[test]
fn killed_while_snapshots_are_written() {
    let kills = kills(KILLS_FOLLOWED);
    let day = Day::new();
    let (hashes, took) = uninterrupted(&day);
    let (mut dice, mut torn, mut unfinished, mut used) = (Dice(10), 0, 0, 0);
    for kill in 0..kills {
        let journal = day.stage.folder.path().join(format!("followed-{kill}"));
        let mut engine = day.start(&journal);
        begun(&mut engine, &journal);
        let mut follower = Some(follow(&journal, &["--every", "200"]));
        std::thread::sleep(Duration::from_nanos(dice.below(took.as_nanos() as u64 * 5 / 4)));
        let which = dice.below(3);
        if which != 0 {
            end(follower.take());
        }
        if which != 1 {
            engine.kill().unwrap();
        }
        engine.wait().unwrap(); // Killed, or at its end.
        if which == 0 {
            std::thread::sleep(Duration::from_nanos(dice.below(100_000_000)));
            end(follower);
        }
        let names = std::fs::read_dir(journal.join("snapshots")).into_iter().flatten();
        let is_unfinished = |path: &PathBuf| path.extension().is_some_and(|e| e == "tmp");
        unfinished += names.filter(|name| is_unfinished(&name.as_ref().unwrap().path())).count();

        if let Some(seq) = check(&journal, &hashes, kill, &mut torn) {
            let mut from = Replay::open_from_snapshot(&journal).unwrap().unwrap();
            assert!(from.passed_over.is_empty(), "kill {kill}: {:?}", from.passed_over);
            used += u64::from(from.from.is_some());
            from.run(None, |_| ()).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
            assert_eq!(from.engine.seq(), seq, "kill {kill}");
            assert_eq!(from.engine.state_hash(), hashes[seq as usize], "kill {kill}");
            let mut replay = Replay::open(&journal).unwrap().unwrap();
            replay.run(None, |_| ()).unwrap();
            assert_eq!(from.engine.full_hash(), replay.engine.full_hash(), "kill {kill}");
            assert_eq!(from.tail(), replay.tail(), "kill {kill}");
            assert!(follow(&journal, &["--once"]).wait().unwrap().success(), "kill {kill}");
        }
        std::fs::remove_dir_all(&journal).ok();
    }
    println!("{kills} kills: {used} began with a snapshot, {unfinished} were left unfinished");
    assert!(used * 4 >= kills, "{used} of {kills} left a snapshot");
}

fn kills(few: u64) -> u64 {
    std::env::var("TICKGATE_KILLS").map_or(few, |text| text.parse().unwrap())
}

/// The hash after each input of a run that nobody kills, and how long that took.
fn uninterrupted(day: &Day) -> (Vec<u64>, Duration) {
    let whole = day.stage.folder.path().join("whole");
    let mut child = day.start(&whole);
    let begun = begun(&mut child, &whole);
    assert!(child.wait().unwrap().success());
    let took = begun.elapsed();
    let mut replay = Replay::open(&whole).unwrap().unwrap();
    let mut hashes = vec![replay.engine.state_hash()];
    let mut told = BTreeMap::<TapeKind, u64>::new();
    let watched = replay.watch(None, |seen| {
        hashes.push(seen.engine.state_hash());
        let kinds = seen.out.tape.iter().filter(|record| record.order != OrderId(0));
        kinds.for_each(|record| *told.entry(record.kind).or_default() += 1);
    });
    watched.unwrap();
    assert!(hashes.len() > 150_000);
    use TapeKind::{Cancelled, Fill, Passed, Refused, Replaced, Triggered};
    for kind in [Passed, Refused, Fill, Triggered, Replaced, Cancelled] {
        assert!(told.get(&kind).is_some_and(|count| *count > 20), "{kind}: {told:?}");
    }
    (hashes, took)
}

fn end(process: Option<Child>) {
    if let Some(mut process) = process {
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

fn follow(journal: &Path, words: &[&str]) -> Child {
    let mut command = Command::new(program("tickgate-follow"));
    command.arg(journal).args(words).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Runs the day into a journal and kills it some time after that was begun.
fn killed(day: &Day, journal: &Path, after: Duration) {
    let mut child = day.start(journal);
    begun(&mut child, journal);
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until a run has begun its journal: what is before that is long, and nothing can happen to the journal then.
fn begun(child: &mut Child, journal: &Path) -> Instant {
    while !journal.join("epoch").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(100));
    }
    Instant::now()
}

/// The input that a journal ends at, which must be in the state of the uninterrupted run there.
fn check(journal: &Path, hashes: &[u64], kill: u64, torn: &mut u64) -> Option<u64> {
    let mut replay = match Replay::open(journal) {
        Ok(replay) => replay?,
        Err(error) => panic!("kill {kill}: {error}"),
    };
    replay.run(None, |_| ()).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
    let refusal = replay.fault().and_then(engine::journal::reader::Fault::refusal);
    assert!(refusal.is_none(), "kill {kill}: {refusal:?}");
    *torn += u64::from(replay.tail().torn);
    let seq = replay.engine.seq();
    assert_eq!(replay.engine.state_hash(), hashes[seq as usize], "kill {kill}, input {seq}");
    Some(seq)
}

/// Opens a journal for appending as a restart does, dies without a word, and finds the same state again. The kills before
/// it hit a process; this one ends as one that is killed between two system calls: the files are as they are.
fn restart(journal: &Path, end: u64, dice: &mut Dice) -> bool {
    use engine::journal::epoch::Claim;
    use engine::journal::lease::Lease;
    use engine::journal::writer::Writer;
    use engine::journal::{Record, SEGMENT_BYTES};
    let mut before = Replay::open(journal).unwrap().unwrap();
    before.run(None, |_| ()).unwrap();
    let lease = Lease::take(journal).unwrap();
    let claim = Claim::take(journal, before.epoch).unwrap();
    let epoch = claim.epoch().into();
    let mut writer = Writer::open(lease, claim, before.tail(), SEGMENT_BYTES).unwrap();
    if dice.below(2) == 0 {
        writer.append_head(&Record::Opened { epoch, seq: end }).unwrap();
    }
    drop(writer);
    let mut after = Replay::open(journal).unwrap().unwrap();
    after.run(None, |_| ()).unwrap();
    assert_eq!(after.engine.seq(), end);
    assert_eq!(after.engine.state_hash(), before.engine.state_hash());
    assert_eq!(after.engine.full_hash(), before.engine.full_hash());
    true
}

/// Orders of every kind all over the day, so that runs of events are short and many.
fn order_lines(stage: &Stage) -> String {
    let mut events = stage.events().into_iter().filter(|event| event.kind == Kind::Add);
    let mut beside = [0_i64; 2]; // Prices of the newest orders of both sides.
    let mut lines = String::new();
    for n in 0..2_000_u64 {
        let after = 5_000 + n * 70;
        for event in events.by_ref().take_while(|event| event.seq < after) {
            if event.number == VenueNumber(1) {
                beside[event.side.unwrap().index()] = event.px.0;
            }
        }
        let [low, high] = beside.map(|px| format!("{}.{:04}", px / 10_000, px % 10_000));
        let (side, far, stop) =
            if n % 2 == 0 { ("buy", "100000", &high) } else { ("sell", "0.01", &low) };
        let near = if n % 2 == 0 { &low } else { &high };
        let resting = n - n % 16 + n % 2;
        let special = match n % 16 / 2 {
            0 => format!(r#","px":"{near}","tif":"day","display":"3""#),
            1 => format!(
                r#","type":"stop","tif":"day","stop_px":"{stop}","one_cancels":"o{resting}""#
            ),
            2 => format!(r#","px":"{far}","tif":"day","parent_only":true"#),
            3 => {
                format!(r#","px":"{near}","tif":"gtd","expires":"23:00:00","parent":"o{}""#, n - 2)
            }
            4 => format!(r#","type":"stop_limit","px":"{far}","tif":"gtc","stop_px":"{stop}""#),
            5 => r#","type":"market","tif":"ioc""#.into(),
            _ => format!(r#","px":"{far}","tif":"ioc""#),
        };
        lines += &format!(
            "{{\"after\":{after},\"op\":\"new\",\"id\":\"o{n}\",\"account\":\"agent\",\"symbol\":\"SYN001\",\
             \"side\":\"{side}\",\"qty\":\"10\"{special}}}\n"
        );
        if n % 16 == 15 {
            lines += &format!(
                "{{\"after\":{after},\"op\":\"replace\",\"id\":\"o{resting}\",\"account\":\"agent\",\"qty\":\"9\"}}\n\
                 {{\"after\":{},\"op\":\"cancel\",\"id\":\"o{}\",\"account\":\"agent\"}}\n",
                after + 30,
                n - 9
            );
        }
    }
    lines
}
