//! A client that stands still, dies, floods and scribbles changes nothing for anybody else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use engine::config::{Config, Speed};
use engine::journal::Record;
use engine::journal::reader::Reader;
use engine::replay::Replay;
use engine::runtime::{self, Plan, Progress, Running};
use engine::script::{Line, Op, Script, When};
use model::page::{TapeKind, TapeRecord};
use model::{
    Ask, Body, ClientOrderId, DeskId, OrderId, Origin, Reject, Request, Side, Symbol, Tif, Ts,
};
use rustix::process::{Pid, Signal, kill_process};
use shm::Next;
use tests::rogue::{Dice, OTHERS, ROGUE, ROGUE_LIMITS, asked, attach, floods, scribbles};
use tests::{Stage, WIDE_LIMITS};

/// Names the engine to the child process.
const ENGINE: &str = "TICKGATE_TEST_ENGINE";
/// Names to it the file that it makes once it is attached.
const ATTACHED: &str = "TICKGATE_TEST_ATTACHED";
/// The name of no engine: what a child does then costs as much time of the machine, and has nothing to do with any engine.
const NOBODY: &str = "-";
/// How much faster than its own pace the day is played.
const SPEED: u64 = 50;
/// How long something may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);
/// Numbers of the sources that are no processes.
const FLOOD: u32 = 1;
const SCRIBBLE: u32 = 2;
/// Longest pause of the engine's loop, as a multiple of what the machine itself does to a thread
/// that only sleeps.
const PAUSES_MAX: u32 = 20;
/// What a desk may ask: so many orders at once, and so many a second.
const BURST: u64 = 100;
const PER_SECOND: u64 = 500;

/// Not a test of its own: the client that is stopped and killed from outside. Reads and asks as
/// fast as it can.
#[test]
fn child() {
    let Ok(engine) = std::env::var(ENGINE) else { return };
    let source = std::process::id();
    if engine == NOBODY {
        std::fs::write(std::env::var(ATTACHED).unwrap(), "").unwrap();
        loop {
            std::hint::black_box(asked(source, 0));
        }
    }
    while let Some(mut client) = attach(&engine, || false) {
        std::fs::write(std::env::var(ATTACHED).unwrap(), "").unwrap();
        for number in 1.. {
            while client.send(&asked(source, number)).is_err() && !client.is_gone() {
                std::thread::yield_now();
            }
            if client.is_gone() {
                break;
            }
            while client.poll_answer().is_some() {}
            let _ = (client.control(), client.depth(0));
        }
    }
}

/// Where children are attached to, and which there were.
struct Target<'a> {
    engine: &'a str,
    progress: &'a Progress,
    /// Where they say that they are attached.
    folder: PathBuf,
    children: Mutex<BTreeSet<u32>>,
}

impl Target<'_> {
    fn has_ended(&self) -> bool {
        self.progress.ended.load(Relaxed)
    }

    /// Starts a child and waits until it is attached, or the run has ended.
    fn spawn(&self, role: &str) -> Child {
        let attached = self.folder.join(role);
        let _ = std::fs::remove_file(&attached);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(ENGINE, self.engine)
            .env(ATTACHED, &attached)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.children.lock().unwrap().insert(child.id());
        while !attached.exists() && !self.has_ended() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child
    }

    /// Stops a client with SIGSTOP, wherever it is; the engine must go on as before. Returns how
    /// often.
    fn stops(&self) -> u64 {
        let child = self.spawn("stopped");
        let pid = Pid::from_raw(child.id() as i32).unwrap();
        let (mut dice, mut stops) = (Dice(1), 0);
        while !self.has_ended() {
            std::thread::sleep(Duration::from_micros(dice.below(20_000)));
            kill_process(pid, Signal::STOP).unwrap();
            self.goes_on();
            kill_process(pid, Signal::CONT).unwrap();
            stops += 1;
        }
        kill(child);
        stops
    }

    /// Waits until the engine has gone round its loop many times and taken more of the feed.
    fn goes_on(&self) {
        let loops = || self.progress.loops.load(Relaxed);
        let inputs = || self.progress.inputs.load(Relaxed);
        let (before, since) = ((loops(), inputs()), Instant::now());
        while (loops() < before.0 + 200 || inputs() == before.1) && !self.has_ended() {
            assert!(since.elapsed() < PATIENCE, "the engine waits for a client that stands still");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Kills clients with SIGKILL at random moments. Returns how many.
    fn kills(&self) -> u64 {
        let (mut dice, mut kills) = (Dice(2), 0);
        while !self.has_ended() {
            let child = self.spawn("killed");
            std::thread::sleep(Duration::from_micros(dice.below(20_000)));
            kill(child);
            kills += 1;
        }
        kills
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// How long something did not move, at the longest.
#[derive(Clone, Copy, Debug)]
struct Pauses {
    /// The engine's loop.
    engine: Duration,
    /// A thread that only sleeps a moment and looks: what the machine does to everybody.
    machine: Duration,
}

fn watch(progress: &Progress) -> Pauses {
    let mut pauses = Pauses { engine: Duration::ZERO, machine: Duration::ZERO };
    let (mut loops, mut moved, mut looked) = (0, Instant::now(), Instant::now());
    while !progress.ended.load(Relaxed) {
        std::thread::sleep(Duration::from_micros(500));
        let now = Instant::now();
        pauses.machine = pauses.machine.max(now - looked);
        looked = now;
        match progress.loops.load(Relaxed) {
            same if same == loops => pauses.engine = pauses.engine.max(now - moved),
            more => (loops, moved) = (more, now),
        }
    }
    pauses
}

/// Orders of every kind all over the day: some fill, some rest and are changed and cancelled, some
/// are refused.
fn script() -> Script {
    let line = |after: u64, id: u64, op: Op| Line {
        when: When::After(after),
        id: ClientOrderId::new(&format!("s{id}")).unwrap(),
        account: Symbol::new("agent").unwrap(),
        op,
    };
    let orders = (0..200_u64).flat_map(|n| {
        let at = 15_000 + n * 400;
        let new = |side, qty: i64, px: i64, tif| Op::New {
            symbol: Symbol::new(&format!("SYN{:03}", 1 + n % 3)).unwrap(),
            side,
            qty: qty.into(),
            px: px.into(),
            order_type: model::OrderType::Limit,
            tif,
            special: Default::default(),
        };
        let qty = (7 + n % 5) as i64;
        match n % 4 {
            0 => vec![line(at, n, new(Side::Buy, qty, 100_000, Tif::Ioc))],
            1 => vec![line(at, n, new(Side::Sell, qty, 1, Tif::Ioc))],
            2 => vec![line(at, n, new(Side::Buy, 1 << 40, 1, Tif::Day))],
            _ => vec![
                line(at, n, new(Side::Buy, qty, 1, Tif::Day)),
                line(at + 100, n, Op::Replace { qty: Some((qty - 1).into()), px: None }),
                line(at + 200, n, Op::Cancel),
            ],
        }
    });
    Script::new(orders.collect())
}

/// What a run left.
struct Run {
    verdicts: Vec<TapeRecord>,
    hash: u64,
    pauses: Pauses,
    took: Duration,
    /// Of each stage the p99.9, nanoseconds.
    slowest: Vec<(&'static str, u64)>,
}

/// Plays the day with the script, and beside it whatever `beside` does until the run has ended.
fn run(config: &Config, beside: impl FnOnce(&Running)) -> Run {
    let (config, began) = (config.clone(), Instant::now());
    let name = config.engine.name.clone();
    let plan =
        Plan { config, script: script(), shared: true, ends_with_feed: true, drive_stream: None };
    let running = runtime::start(plan).unwrap();
    // Attached to the end, so that the tape can be read when it is whole.
    let reader = attach(&name, || running.has_ended()).unwrap();
    let pauses = std::thread::scope(|scope| {
        let progress = running.progress();
        let watch = scope.spawn(|| watch(progress));
        beside(&running);
        watch.join().unwrap()
    });
    let finished = running.finish().unwrap();
    assert!(!finished.not_due);
    let slowest = finished.stages.by_name().map(|(stage, latency)| (stage, latency.p999)).collect();
    let (mut tape, mut verdicts) = (reader.tape(), Vec::new());
    loop {
        match reader.next_record(&mut tape).unwrap() {
            Next::Empty => break,
            Next::Lost(count) => panic!("{count} records of the tape are lost"),
            Next::Record(record) if is_verdict(&record) => verdicts.push(unnumbered(record)),
            Next::Record(_) => {}
        }
    }
    Run { verdicts, hash: finished.engine.state_hash(), pauses, took: began.elapsed(), slowest }
}

/// Whether it says what became of an order of somebody else than the hostile client.
fn is_verdict(record: &TapeRecord) -> bool {
    use TapeKind::{Halt, Integrity, State, Trade};
    let of_an_order = !matches!(record.kind, Trade | State | Integrity | Halt);
    of_an_order && OTHERS.contains(&record.account)
}

/// Without what counts all inputs or all orders, and without time.
fn unnumbered(record: TapeRecord) -> TapeRecord {
    let aux = if record.kind == TapeKind::Refused { record.aux } else { 0 };
    TapeRecord { engine_seq: 0, now: Ts(0), order: OrderId(0), aux, ..record }
}

/// Checks every request of a desk that became an input. Returns how many there were.
fn check_journal(folder: &Path, sources: &BTreeSet<u32>) -> u64 {
    let mut reader = Reader::open(folder).unwrap();
    let (mut last, mut times) = (BTreeMap::new(), BTreeMap::<DeskId, Vec<u64>>::new());
    while let Some(record) = reader.next_record().unwrap() {
        let Record::Input(input) = record else { continue };
        let Body::Request(request) = input.body else { continue };
        let Origin::Desk(desk) = request.origin else { continue };
        let note = request.note.as_str().to_string();
        let (source, number) = note.split_once(' ').unwrap_or_else(|| panic!("{request:?}"));
        let (source, number) = (source.parse().unwrap(), number.parse().unwrap());
        assert!(sources.contains(&source), "{request:?}");
        let sent = Request { id: request.id, origin: request.origin, ..asked(source, number) };
        assert_eq!(request, sent, "not what was sent");
        let (lease, place) = (request.id >> 32, request.id & u64::from(u32::MAX));
        assert!(last.insert(lease, place).is_none_or(|last| last < place), "twice: {request:?}");
        let counted = matches!(request.ask, Ask::New(_) | Ask::Replace { .. });
        assert!(counted || matches!(request.ask, Ask::Cancel { .. }), "no input: {request:?}");
        if counted {
            assert_eq!(request.account, ROGUE, "on an account closed to clients: {request:?}");
            // Before the first message of the feed there is no time.
            let day = input.now.0 > 0;
            times.entry(desk).or_default().extend(day.then_some(input.now.0 / SPEED));
        }
    }
    for (desk, times) in &times {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { continue };
        // A second more, because what is recorded is when it was sequenced, not when it was taken.
        let allowed = BURST + PER_SECOND * ((last - first) / 1_000_000_000 + 2);
        assert!(times.len() as u64 <= allowed, "desk {}: {} > {allowed}", desk.0, times.len());
    }
    times.values().map(|times| times.len() as u64).sum()
}

/// Goal: clients that are killed while they read and write cost the feed's slowest moments nothing: the p99.9 of its stages is
/// what it is beside processes that take as much of the machine and touch no engine. Method: a day beside clients that are
/// killed at random moments, one beside such processes that are killed alike, both printed; three tries, for others use the
/// machine as well.
#[test]
fn killed_clients_cost_no_latency() {
    let stage = Stage::new(120_000, 20);
    let limits = WIDE_LIMITS.replace("clients = true\n", "") + ROGUE_LIMITS;
    let day = |name: &str, engine: Option<&str>| {
        let config = stage.config_with(&format!("{name}-{}", std::process::id()), &limits);
        let mut changed = config.engine.clone();
        changed.feeds[0].captures_mut().unwrap().speed = Speed::Times(SPEED * 2000);
        changed.feeds[0].silence_ns = 86_400_000_000_000;
        changed.journal = None;
        let config = config.with_engine(changed);
        let ours = config.engine.name.clone();
        run(&config, |running| {
            let (progress, folder) = (running.progress(), stage.folder.path().to_path_buf());
            let engine = engine.unwrap_or(&ours);
            let target = Target { engine, progress, folder, children: Mutex::default() };
            println!("{name}: {} killed", target.kills());
        })
    };
    for attempt in 1.. {
        let machine = slowest("nobody's", &day("kills-nobody", Some(NOBODY)));
        let clients = slowest("clients", &day("kills-clients", None));
        if clients <= machine * u64::from(PAUSES_MAX) {
            return;
        }
        assert!(
            attempt < 3,
            "killed clients slow the engine: {clients} ns, {machine} ns beside others"
        );
    }
}

/// The slowest p99.9 of the stages that a message of the feed passes; gate and answers are the clients' own work.
fn slowest(beside: &str, run: &Run) -> u64 {
    println!("p99.9 beside {beside}: {:?}", run.slowest);
    let of_feed = ["decode", "book", "indicators", "publish"];
    let of_feed = run.slowest.iter().filter(|(stage, _)| of_feed.contains(stage));
    of_feed.map(|(_, ns)| *ns).max().filter(|ns| *ns > 0).expect("measured stages")
}

/// Goal: a client that is stopped, killed, floods, and scribbles over all its memory puts no
/// malformed and no over-budget request into the engine, changes no verdict or fill of anybody
/// else, leaves a journal that replays to the same state, and never makes the engine's loop wait.
/// Method: the same day with the same script and strategy, once alone, once with four such clients
/// at once all the day.
#[test]
fn nobody_else_notices() {
    let stage = Stage::new(120_000, 20);
    let limits = WIDE_LIMITS.replace("clients = true\n", "") + ROGUE_LIMITS;
    let config = |name: &str| {
        let config = stage.config_with(&format!("{name}-{}", std::process::id()), &limits);
        let mut engine = config.engine.clone();
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(SPEED * 1000);
        engine.feeds[0].silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
        engine.capacity.tape = 1 << 18;
        engine.journal.as_mut().unwrap().folder = stage.folder.path().join(name);
        config.with_engine(engine)
    };
    let alone = run(&config("alone"), |_| ());
    let kinds = |kind| alone.verdicts.iter().filter(|record| record.kind == kind).count();
    use TapeKind::{Cancelled, Fill, Passed, Refused, Replaced};
    for kind in [Passed, Refused, Fill, Replaced, Cancelled] {
        assert!(kinds(kind) >= 30, "{kind:?}: {}", kinds(kind));
    }
    assert!(alone.verdicts.iter().all(|record| record.code != Reject::NotPermitted.code()));

    let hostile = config("hostile");
    let engine = hostile.engine.name.as_str();
    let mut sources = BTreeSet::from([FLOOD, SCRIBBLE]);
    let beside = run(&hostile, |running| {
        let (progress, folder) = (running.progress(), stage.folder.path().to_path_buf());
        let target = Target { engine, progress, folder, children: Mutex::default() };
        std::thread::scope(|scope| {
            let stops = scope.spawn(|| target.stops());
            let kills = scope.spawn(|| target.kills());
            let flood = scope.spawn(|| floods(engine, FLOOD, progress));
            let (put_out, malformed) = scribbles(engine, SCRIBBLE, progress);
            let (stops, kills) = (stops.join().unwrap(), kills.join().unwrap());
            let (sent, over_budget) = flood.join().unwrap();
            println!("{stops} stops, {kills} kills, {over_budget} of {sent} over budget");
            println!("{malformed} malformed, put out {put_out} times");
            assert!(stops.min(kills).min(put_out) >= 3 && over_budget.min(malformed) >= 100);
        });
        sources.extend(target.children.into_inner().unwrap());
    });
    let journal = &hostile.engine.journal.as_ref().unwrap().folder;
    let inputs = check_journal(journal, &sources);
    println!("{inputs} orders of the client; pauses {:?}, alone {:?}", beside.pauses, alone.pauses);
    println!("took {:?}, alone {:?}", beside.took, alone.took);
    assert!(inputs > 100);
    assert_eq!(beside.verdicts.len(), alone.verdicts.len());
    for (beside, alone) in beside.verdicts.iter().zip(&alone.verdicts) {
        assert_eq!(beside, alone);
    }
    let mut replay = Replay::open(journal).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed);
    assert_eq!(replay.engine.state_hash(), beside.hash);
    let machine = alone.pauses.engine.max(alone.pauses.machine).max(beside.pauses.machine);
    assert!(beside.pauses.engine <= machine * PAUSES_MAX, "{:?}", beside.pauses);
}
