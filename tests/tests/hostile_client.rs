//! A client that stands still, dies, floods and scribbles changes nothing for anybody else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::Ordering::{Release, Relaxed};
use std::time::{Duration, Instant};

use engine::config::{Config, Speed};
use engine::journal::Record;
use engine::journal::reader::Reader;
use engine::replay::Replay;
use engine::runtime::{self, Plan, Progress, Running};
use engine::script::{Line, Op, Script, When};
use model::page::{AnswerKind, TapeKind, TapeRecord};
use model::{
    AccountId, Ask, Body, ClientOrderId, DeskId, InstrumentId, Note, OrderId, OrderType, Origin,
    Px, Qty, Reject, Request, Side, Symbol, Terms, Tif,
};
use rustix::process::{Pid, Signal, kill_process};
use shm::{Client, DeskRing, Next};
use tests::{Stage, WIDE_LIMITS};

/// Names the engine to the child process.
const ENGINE: &str = "TICKGATE_TEST_ENGINE";
/// How much faster than its own pace the day is played.
const SPEED: u64 = 50;
/// How long something may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest pause of the engine's loop, as a multiple of what the machine itself does to a thread that only sleeps.
const PAUSES_MAX: u32 = 20;
/// What a desk may ask: so many orders at once, and so many a second.
const BURST: u64 = 100;
const PER_SECOND: u64 = 500;

/// Accounts in the order of [`WIDE_LIMITS`], and the hostile client's own.
const OTHERS: [AccountId; 2] = [AccountId(0), AccountId(1)];
const ROGUE: AccountId = AccountId(2);
const ROGUE_LIMITS: &str = r#"
[[account]]
name = "rogue"
permission = "trade"
clients = true
currency = "USD"
cash = "1000000"
gross_max = "1000000"
open_orders_max = 50
rate_max = 1000
rate_window_ms = 1

[[limit]]
account = "rogue"
symbol = "*"
clip_max = "1000"
notional_max = "1000000"
long_max = "100000"
short_max = "100000"
band_bps = 10000
age_max_ms = 86400000
"#;

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The `number`th request of a source of them: what the journal holds is compared with this. Never a halt: every client
/// may halt all, and then all are halted. Some ask on accounts that are closed to clients.
fn asked(source: u32, number: u64) -> Request {
    let terms = |px, qty| Terms {
        client_id: ClientOrderId::new(&format!("{source:x}-{number:x}")).unwrap(),
        instrument: InstrumentId((number % 3) as u32),
        side: if number.is_multiple_of(2) { Side::Buy } else { Side::Sell },
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(px),
        qty: Qty(qty),
    };
    // The strategy's next name: whoever uses it first is the one whose order it is.
    let stolen = ClientOrderId::new(&format!("p00{:013x}", number % 4096)).unwrap();
    let (account, ask) = match number % 8 {
        0 => (ROGUE, Ask::Cancel { order: OrderId::new((number % 64) as u32, 1) }),
        1 => (ROGUE, Ask::Check(terms(100, 1))),
        2 => (OTHERS[0], Ask::New(terms(100, 1))),
        3 => (OTHERS[1], Ask::New(Terms { client_id: stolen, ..terms(100, 1) })),
        4 => (OTHERS[0], Ask::Cancel { order: OrderId::new((number % 64) as u32, 1) }),
        5 => (ROGUE, Ask::New(terms(1_000_000, 1 << 40))),
        _ => (ROGUE, Ask::New(Terms { side: Side::Buy, ..terms(100, 1) })),
    };
    let note = Note::lossy(&format!("{source} {number}"));
    Request { id: 0, origin: Origin::File, account, ask, note }
}

/// Attaches again and again; `None` once the run has ended.
fn attach(engine: &str, ended: impl Fn() -> bool) -> Option<Client> {
    while !ended() {
        if let Ok(client) = Client::attach(Some(engine)) {
            return Some(client);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Not a test of its own: the client that is stopped and killed from outside. Reads and asks as fast as it can.
#[test]
fn child() {
    let Ok(engine) = std::env::var(ENGINE) else { return };
    let source = std::process::id();
    while let Some(mut client) = attach(&engine, || false) {
        println!("attached");
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

/// Starts a child and waits until it is attached.
fn spawn(engine: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(ENGINE, engine)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("attached"))));
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Stops a client with SIGSTOP, wherever it is; the engine must go on as before. Returns how often.
fn stops(name: &str, progress: &Progress, sources: &Mutex<BTreeSet<u32>>) -> u64 {
    let child = spawn(name);
    sources.lock().unwrap().insert(child.id());
    let signal = |signal| kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
    let (mut dice, mut stops) = (Dice(1), 0);
    while !progress.ended.load(Relaxed) {
        std::thread::sleep(Duration::from_micros(dice.below(20_000)));
        signal(Signal::STOP);
        let (loops, inputs) = (progress.loops.load(Relaxed), progress.inputs.load(Relaxed));
        let went_on = || {
            let loops = progress.loops.load(Relaxed) - loops;
            loops > 200 && progress.inputs.load(Relaxed) > inputs || progress.ended.load(Relaxed)
        };
        let since = Instant::now();
        while !went_on() {
            assert!(since.elapsed() < PATIENCE, "the engine waits for a client that stands still");
            std::thread::sleep(Duration::from_micros(200));
        }
        signal(Signal::CONT);
        stops += 1;
    }
    kill(child);
    stops
}

/// Kills clients with SIGKILL at random moments. Returns how many.
fn kills(name: &str, progress: &Progress, sources: &Mutex<BTreeSet<u32>>) -> u64 {
    let (mut dice, mut kills) = (Dice(2), 0);
    while !progress.ended.load(Relaxed) {
        // Only one that is sure to find the engine may be waited for.
        let child = spawn(name);
        sources.lock().unwrap().insert(child.id());
        std::thread::sleep(Duration::from_micros(dice.below(20_000)));
        kill(child);
        kills += 1;
    }
    kills
}

/// Floods a desk as fast as its ring takes requests. Returns how many it sent, and how many were beyond the budget.
fn floods(name: &str, source: u32, progress: &Progress) -> (u64, u64) {
    let (mut sent, mut over_budget) = (0, 0);
    while let Some(mut client) = attach(name, || progress.ended.load(Relaxed)) {
        let mut number = 0;
        while !client.is_gone() {
            match client.send(&asked(source, number + 1)) {
                Ok(_) => (number, sent) = (number + 1, sent + 1),
                Err(_) => std::thread::yield_now(),
            }
            while let Some(answer) = client.poll_answer() {
                over_budget += u64::from(answer.kind == AnswerKind::OverBudget);
            }
        }
    }
    (sent, over_budget)
}

/// Writes over all memory that a client can write: noise, forged records that are whole but no requests, forged counts; and
/// true requests between. Returns how often it was put out, and how many records were called malformed.
fn scribbles(name: &str, source: u32, progress: &Progress) -> (u64, u64) {
    let (mut dice, mut put_out, mut malformed) = (Dice(3), 0, 0);
    while let Some(mut client) = attach(name, || progress.ended.load(Relaxed)) {
        let mut number = 0;
        while !client.is_gone() {
            let (words, salt) = client.writable();
            let ring = DeskRing::over(words, client.capacity().requests as usize, salt).unwrap();
            match dice.below(64) {
                0..32 => words[1 + dice.below(words.len() as u64 - 1) as usize]
                    .store(dice.next(), Relaxed),
                32..48 => {
                    let mut record = asked(source, u64::MAX >> 8).to_words();
                    record[1] |= 0xFF; // No kind of request has this code.
                    record[2 + dice.below(14) as usize] = dice.next();
                    ring.push(&record);
                }
                48 => words[0].store(dice.next(), Release),
                49..52 => drop(words[0].fetch_add(dice.below(3), Release)),
                52 => std::thread::sleep(Duration::from_micros(dice.below(2000))),
                _ if client.send(&asked(source, number + 1)).is_ok() => number += 1,
                _ => {}
            }
            while let Some(answer) = client.poll_answer() {
                malformed += u64::from(answer.kind == AnswerKind::Malformed);
            }
        }
        put_out += 1;
    }
    (put_out, malformed)
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

/// Orders of every kind all over the day: some fill, some rest and are changed and cancelled, some are refused.
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
            tif,
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
}

/// Plays the day with the script, and beside it whatever `beside` does until the run has ended.
fn run(config: &Config, beside: impl FnOnce(&Running)) -> Run {
    let (config, began) = (config.clone(), Instant::now());
    let name = config.engine.name.clone();
    let plan = Plan { config, script: script(), shared: true, ends_with_feed: true };
    let running = runtime::start(plan).unwrap();
    // Attached to the end, so that the tape can be read when it is whole.
    let reader = attach(&name, || running.has_ended()).unwrap();
    let pauses = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(running.progress()));
        beside(&running);
        watch.join().unwrap()
    });
    let finished = running.finish().unwrap();
    assert!(!finished.not_due);
    let (mut tape, mut verdicts) = (reader.tape(), Vec::new());
    loop {
        match reader.next_record(&mut tape).unwrap() {
            Next::Empty => break,
            Next::Lost(count) => panic!("{count} records of the tape are lost"),
            Next::Record(record) if is_verdict(&record) => verdicts.push(unnumbered(record)),
            Next::Record(_) => {}
        }
    }
    Run { verdicts, hash: finished.engine.state_hash(), pauses, took: began.elapsed() }
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
    TapeRecord { engine_seq: 0, now: model::Ts(0), order: OrderId(0), aux, ..record }
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
            times.entry(desk).or_default().push(input.now.0 / SPEED);
        }
    }
    for (desk, times) in &times {
        let (first, last) = (times[0].max(1), times[times.len() - 1]);
        // A second more, because what is recorded is when it was sequenced, not when it was taken.
        let allowed = BURST + PER_SECOND * ((last - first) / 1_000_000_000 + 2);
        assert!(times.len() as u64 <= allowed, "desk {}: {} > {allowed}", desk.0, times.len());
    }
    times.values().map(|times| times.len() as u64).sum()
}

/// Goal: a client that is stopped, killed, floods, and scribbles over all its memory puts no malformed and no over-budget
/// request into the engine, changes no verdict or fill of anybody else, leaves a journal that replays to the same state, and
/// never makes the engine's loop wait. Method: the same day with the same script and strategy, once alone, once with four
/// such clients at once all the day.
#[test]
fn nobody_else_notices() {
    let stage = Stage::new(120_000, 20);
    let limits = WIDE_LIMITS.replace("clients = true\n", "") + ROGUE_LIMITS;
    let config = |name: &str| {
        let config = stage.config_with(&format!("{name}-{}", std::process::id()), &limits);
        let mut engine = config.engine.clone();
        engine.feed.speed = Speed::Times(SPEED * 1000);
        engine.feed.silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
        engine.capacity.tape = 1 << 18;
        engine.journal.as_mut().unwrap().folder = stage.folder.path().join(name);
        config.with_engine(engine)
    };
    let alone = run(&config("alone"), |_| ());
    let kinds = |kind| alone.verdicts.iter().filter(|record| record.kind == kind).count();
    use TapeKind::{Cancelled, Fill, Passed, Refused, Replaced};
    for (kind, least) in [(Passed, 200), (Refused, 50), (Fill, 100), (Replaced, 50), (Cancelled, 50)] {
        assert!(kinds(kind) >= least, "{kind:?}: {}", kinds(kind));
    }
    assert!(alone.verdicts.iter().all(|record| record.code != Reject::NotPermitted.code()));

    let hostile = config("hostile");
    let (name, sources) = (hostile.engine.name.as_str(), Mutex::new(BTreeSet::from([1, 2])));
    let beside = run(&hostile, |running| {
        let (progress, sources) = (running.progress(), &sources);
        std::thread::scope(|scope| {
            let stops = scope.spawn(|| stops(name, progress, sources));
            let kills = scope.spawn(|| kills(name, progress, sources));
            let floods = scope.spawn(|| floods(name, 1, progress));
            let (put_out, malformed) = scribbles(name, 2, progress);
            let (stops, kills) = (stops.join().unwrap(), kills.join().unwrap());
            let (sent, over_budget) = floods.join().unwrap();
            println!("{stops} stops, {kills} kills, {sent} requests of which {over_budget} over budget");
            println!("{malformed} malformed, put out {put_out} times");
            assert!(stops.min(kills).min(put_out) >= 5 && over_budget.min(malformed) > 1000);
        });
    });
    let journal = &hostile.engine.journal.as_ref().unwrap().folder;
    let inputs = check_journal(journal, &sources.lock().unwrap());
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
