//! The audit log of real runs: whole, verifiable, and trading stops without it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use audit::{AuditKind, AuditRecord, Options, PublicKey, Report, Seen};
use engine::audit::STALL_NS;
use engine::config::{Config, Speed};
use engine::replay::Replay;
use engine::runtime::{self, Plan, RunError};
use engine::script::Script;
use model::page::AnswerKind;
use model::{
    AccountId, Ask, ClientOrderId, InstrumentId, Note, OrderId, OrderState, OrderType, Origin, Px,
    Qty, Reject, Request, Side, Terms, Tif, Verdict,
};
use serde_json::Value;
use shm::Client;
use tests::{Stage, program};

mod trail;

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);
/// Processes killed.
const KILLS: u64 = 40;

fn tool(words: &[&str]) -> Output {
    Command::new(program("tickgate-audit")).args(words).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// `tickgate replay` of a configuration's day and orders, with its audit log.
fn replay(stage: &Stage, engine_toml: &Path, orders: &Path) -> Command {
    let mut command = Command::new(program("tickgate"));
    command.arg("replay").arg(&stage.capture).arg("--config").arg(engine_toml);
    command.arg("--orders").arg(orders).args(["--audit", "--json"]);
    command
}

/// Orders of all fates: refused for a price that is none, filled, resting and cancelled or replaced.
fn orders(stage: &Stage, count: u64) -> std::path::PathBuf {
    let path = stage.folder.path().join("orders.jsonl");
    let mut text = String::new();
    for n in 0..count {
        let after = 5_000 + n * 70;
        let (side, px, tif) = [
            ("buy", "-1", "day"),
            ("sell", "0.01", "ioc"),
            ("buy", "0.01", "day"),
            ("buy", "0.01", "day"),
        ][(n % 4) as usize];
        text += &format!(
            "{{\"after\":{after},\"op\":\"new\",\"id\":\"o{n}\",\"account\":\"agent\",\"symbol\":\"SYN001\",\
             \"side\":\"{side}\",\"qty\":\"1\",\"px\":\"{px}\",\"tif\":\"{tif}\"}}\n"
        );
        if n % 4 == 2 {
            let after = after + 30;
            text += &format!(
                "{{\"after\":{after},\"op\":\"cancel\",\"id\":\"o{n}\",\"account\":\"agent\"}}\n"
            );
        }
    }
    std::fs::write(&path, text).unwrap();
    path
}

fn verify(config: &Config, key: PublicKey, torn_is_good: bool) -> (Report, Vec<AuditRecord>) {
    let of_log = config.engine.audit.as_ref().unwrap();
    let witness = Some(of_log.checkpoints.clone()).filter(|path| path.is_file());
    let options = Options { key: Some(key), witness, torn_is_good };
    let mut records = Vec::new();
    let report = audit::verify(&of_log.folder, &options, |seen| {
        if let Seen::Record(_, record, _) = seen {
            records.push(*record);
        }
    });
    (report.unwrap().unwrap_or_else(|finding| panic!("{finding}")), records)
}

/// Goal: the log of a run verifies with the tool and holds every verdict, and an order of it can be proved. Method: a
/// replay
/// with orders of all fates; its own counts against those of the log.
#[test]
fn log_of_a_replay() {
    let stage = Stage::new(100_000, 10);
    let (config, key) = stage.audited(stage.config("audit-replay"));
    let engine_toml = stage.write_config(&config);
    let output = replay(&stage, &engine_toml, &orders(&stage, 1000)).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let summary = json(&output);

    let path = |name: &str| stage.folder.path().join(name).to_str().unwrap().to_string();
    let (log, checkpoints, key) = (path("audit"), path("checkpoints"), key.to_hex());
    let words = ["verify", &log, "--public-key", &key, "--checkpoints", &checkpoints, "--json"];
    let verified = json(&tool(&words));
    assert_eq!((&verified["good"], &verified["closed"]), (&true.into(), &true.into()));

    let shown = tool(&["show", &log, "--json"]);
    let shown: Vec<Value> = String::from_utf8(shown.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let count =
        |key: &str, value: &str| shown.iter().filter(|line| line[key] == value).count() as u64;
    let verdicts = summary["verdicts"].as_object().unwrap_or_else(|| panic!("{summary:#}"));
    for (reason, told) in verdicts {
        let (key, value) =
            if reason == "passed" { ("kind", "passed") } else { ("reason", &**reason) };
        assert_eq!(Some(count(key, value)), told.as_u64(), "{reason}: {summary:#}");
    }
    assert!(verdicts["passed"].as_u64() > Some(100), "{verdicts:?}");
    assert_eq!(count("kind", "route"), count("kind", "passed"));
    for often in ["cancel", "cancelled", "working", "fill"] {
        assert!(count("kind", often) > 20, "{often}: {verdicts:?}");
    }
    for once in ["start", "config", "stop"] {
        assert_eq!(count("kind", once), 1, "{once}");
    }

    let fill = shown.iter().find(|line| line["kind"] == "fill").unwrap();
    let (order, proof) = (fill["order"].to_string(), path("proof.json"));
    let words = ["prove", &log, "--order", &order, "--public-key", &key, "--out", &proof];
    let proved = tool(&words);
    assert!(proved.status.success(), "{proved:?}");
    let checked = tool(&["check-proof", &proof, "--public-key", &key, "--json"]);
    assert!(checked.status.success(), "{checked:?}");
    let records = String::from_utf8(checked.stdout).unwrap();
    let kinds: Vec<Value> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].take())
        .collect();
    assert!(kinds.starts_with(&["new".into(), "passed".into(), "route".into()]), "{kinds:?}");
    assert!(kinds.contains(&"fill".into()));
}

/// Goal: killed at any moment, the log is good up to its last whole frame, the next run goes on with it, and in the
/// end all of it
/// is good. Method: kill replays that go on with one log at moments spread over their time; verify after each.
#[test]
fn killed_at_random_moments() {
    let stage = Stage::new(60_000, 10);
    let (config, key) = stage.audited(stage.config("audit-killed"));
    let mut engine = config.engine.clone();
    engine.strategies[0].every = 5;
    let config = config.with_engine(engine);
    let engine_toml = stage.write_config(&config);
    let orders = orders(&stage, 700);
    let start = || {
        let mut command = replay(&stage, &engine_toml, &orders);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let begun = Instant::now();
    assert!(start().wait().unwrap().success());
    let took = begun.elapsed();
    let (first, _) = verify(&config, key, false);
    let (mut before, mut killed, mut tails, mut torn) = (first.records, 0, 0, 0);
    for kill in 0..KILLS {
        let mut child = start();
        // The first run may have been slower than those that follow: not up to its very end.
        let after = took.mul_f64(0.7 * kill as f64 / KILLS as f64);
        std::thread::sleep(after + Duration::from_micros(kill * 37 % 1000));
        child.kill().unwrap();
        killed += u64::from(!child.wait().unwrap().success());
        let (report, _) = verify(&config, key, true);
        assert!(report.records >= before, "kill {kill}: records are gone");
        tails += u64::from(report.unsigned > 0);
        torn += u64::from(report.torn > 0);
        before = report.records;
    }
    assert!(start().wait().unwrap().success());
    let (last, records) = verify(&config, key, false);
    assert!(last.closed && last.records > before);
    let told = records.iter().filter(|record| record.kind == AuditKind::Torn).count() as u64;
    // Fewer may be told than were seen: a run that is killed before it begins leaves the same tail again.
    assert!(told <= torn, "{told} of {torn}");
    println!(
        "{killed} of {KILLS} killed in time, {tails} with unsigned records, {torn} torn; {} records",
        last.records
    );
    assert!(killed > KILLS / 4 && tails > 0, "the kills came too late");
}

/// A second file that somebody reads until he is told to go.
fn read_pipe(path: &Path, gone: &AtomicBool) {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut pipe = File::options().read(true).custom_flags(nonblocking).open(path).unwrap();
    let mut bytes = [0; 4096];
    while !gone.load(Ordering::Acquire) {
        if !matches!(pipe.read(&mut bytes), Ok(1..)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Agent {
    client: Client,
    asked: u64,
}

impl Agent {
    /// Asks, and waits for the answer.
    fn ask(&mut self, ask: Ask) -> model::page::Answer {
        let since = Instant::now();
        let (origin, account, note) = (Origin::File, AccountId(0), Note::lossy("audit test"));
        let request = Request { id: 0, origin, account, ask, note };
        while self.client.send(&request).is_err() {
            assert!(since.elapsed() < PATIENCE, "the desk takes nothing");
            std::thread::yield_now();
        }
        loop {
            if let Some(answer) = self.client.poll_answer() {
                return answer;
            }
            assert!(since.elapsed() < PATIENCE, "no answer");
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// Asks for a buy far below the market.
    fn buy(&mut self) -> model::page::Answer {
        self.asked += 1;
        std::thread::sleep(Duration::from_millis(5)); // Within the desk's budget.
        self.ask(Ask::New(Terms {
            client_id: ClientOrderId::new(&format!("a-{}", self.asked)).unwrap(),
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(100),
            qty: Qty(1),
            conditions: model::Conditions::NONE,
        }))
    }
}

fn is_full(verdict: Verdict) -> bool {
    verdict.failed().any(|code| code == Reject::AuditFull)
}

/// Goal: when the second file is gone, new orders stop within the bound and cancels pass; what was judged stands in
/// the log, the
/// journal replays, and the run ends with an error. Method: a pipe as the second file, whose reader goes while orders
/// come.
#[test]
fn loss_of_the_sink_stops_orders_not_cancels() {
    let stage = Stage::new(200_000, 5);
    let (config, key) = stage.audited(stage.config(&format!("audit-lost-{}", std::process::id())));
    let mut engine = config.engine.clone();
    engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(5_000);
    engine.strategies.clear();
    let pipe = engine.audit.as_ref().unwrap().checkpoints.clone();
    engine.audit.as_mut().unwrap().checkpoint_records = 1;
    let config = config.with_engine(engine);
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let gone = AtomicBool::new(false);

    let outcome = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read_pipe(&pipe, &gone));
        let plan = |config: &Config| Plan {
            config: config.clone(),
            script: Script::default(),
            shared: true,
            ends_with_feed: false,
            drive_stream: None,
        };
        let begun = Instant::now();
        let running = loop {
            match runtime::start(plan(&config)) {
                Ok(running) => break running,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"), // Nobody reads yet.
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let client = Client::attach(Some(&config.engine.name)).unwrap();
        let mut agent = Agent { client, asked: 0 };
        let working = loop {
            let answer = agent.buy();
            if answer.kind == AnswerKind::Accepted {
                break answer.order;
            }
            assert!(begun.elapsed() < PATIENCE, "{answer:?}");
        };

        // What is judged before the log fails is in it only once it was written.
        let is_passed =
            |record: &AuditRecord| record.kind == AuditKind::Passed && record.order == working;
        while !verify(&config, key, true).1.iter().any(is_passed) {
            assert!(begun.elapsed() < PATIENCE, "the order is never written");
            std::thread::sleep(Duration::from_millis(5));
        }
        gone.store(true, Ordering::Release);
        reader.join().unwrap();
        let (lost, mut passed) = (Instant::now(), 0);
        loop {
            let answer = agent.buy();
            if is_full(answer.verdict) {
                break;
            }
            passed += u64::from(answer.verdict.passed());
            assert!(lost.elapsed() < PATIENCE, "orders pass without a log");
        }
        let took = lost.elapsed();
        println!("{passed} orders passed in {took:?} after the second file was gone");
        // The bound, and as much again for a machine that is busy with other things.
        assert!(took < 2 * Duration::from_nanos(STALL_NS), "{took:?}");

        let answer = agent.ask(Ask::Cancel { order: working });
        assert_eq!(answer.kind, AnswerKind::Accepted, "{answer:?}");
        let state = agent.client.order(working.slot()).unwrap();
        assert_eq!((state.order.id, state.state), (working, OrderState::Cancelled));
        assert!(is_full(agent.buy().verdict), "for good");
        (running.finish().map(|_| ()), working)
    });
    let (outcome, working): (Result<(), RunError>, OrderId) = outcome;
    assert!(matches!(outcome, Err(RunError::Audit(_))), "{outcome:?}");

    let (report, records) = verify(&config, key, true);
    let passed = |record: &AuditRecord| record.kind == AuditKind::Passed && record.order == working;
    let kinds: Vec<_> = records.iter().map(|record| (record.kind, record.order)).collect();
    assert!(records.iter().any(passed) && !report.closed, "{working:?} {report:?} {kinds:?}");
    let journal = config.engine.journal.as_ref().unwrap();
    let mut replay = Replay::open(&journal.folder).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    let refused = replay.engine.refused()[Reject::AuditFull.slot()];
    assert!(replay.closed && refused >= 2, "{refused}");
}
