//! `tickgate-why` and `tickgate-whatif`, as a user calls them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use engine::journal::Record;
use engine::journal::reader::Reader;
use engine::replay::{Replay, Seen, Witness};
use engine::runtime::{self, Plan};
use engine::script::Script;
use engine::step::Engine;
use model::page::{Answer, AnswerKind};
use model::{
    AccountId, Ask, ClientOrderId, InstrumentId, Note, Order, OrderId, OrderType, Origin, Px, Qty,
    Request, Side, Terms, Tif, Verdict,
};
use risk::{Explanation, Standing};
use serde_json::{Value, json};
use shm::Client;
use tests::{Stage, WIDE_LIMITS, program};

/// A seeded sequence without pattern.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A day recorded by `tickgate replay`, with orders of every size and price, at some of which the gate refuses.
struct Recorded {
    stage: Stage,
    limits: String,
    /// Every row of the journal's export.
    rows: Vec<Value>,
}

impl Recorded {
    fn new(limits: &str, changes: bool) -> Recorded {
        let stage = Stage::new(60_000, 3);
        let config = stage.config_with("why", limits);
        let mut engine = config.engine.clone();
        engine.strategies[0].every = 5;
        stage.write_config(&config.with_engine(engine));
        let (mut numbers, mut lines) = (Numbers(7), String::new());
        for place in 0..120 {
            let after = 20_000 + 300 * place;
            let side = ["buy", "sell"][numbers.below(2) as usize];
            let px = if side == "buy" { 1 } else { [1, 100_000][numbers.below(2) as usize] };
            let (qty, tif) = (1 + numbers.below(400), ["day", "ioc"][numbers.below(2) as usize]);
            let order = json!({
                "after": after, "op": "new", "id": format!("o-{place}"), "account": "agent",
                "symbol": "SYN001", "side": side, "qty": qty.to_string(), "px": px.to_string(), "tif": tif,
            });
            let _ = writeln!(lines, "{order}");
            if changes && place % 3 == 0 {
                let after = after + 100;
                let _ = writeln!(
                    lines,
                    r#"{{"after":{after},"op":"replace","id":"o-{place}","account":"agent","qty":"{}"}}"#,
                    1 + numbers.below(400)
                );
            }
            if changes && place % 7 == 0 {
                let after = after + 200;
                let _ = writeln!(
                    lines,
                    r#"{{"after":{after},"op":"cancel","id":"o-{place}","account":"agent"}}"#
                );
            }
        }
        std::fs::write(stage.folder.path().join("orders.jsonl"), lines).unwrap();
        let limits = limits.to_string();
        let mut recorded = Recorded { stage, limits, rows: Vec::new() };
        let [config, orders, journal] =
            ["engine.toml", "orders.jsonl", "j"].map(|name| recorded.path(name));
        let day = recorded.stage.capture.to_str().unwrap().to_owned();
        let ran = Command::new(program("tickgate"))
            .args(["replay", &day, "--config", &config, "--orders", &orders, "--journal", &journal])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let export = recorded.path("all.jsonl");
        let ran = Command::new(program("tickgate-journal"))
            .args(["export", &journal, "--to", &export])
            .output()
            .unwrap();
        assert!(ran.status.success());
        let text = std::fs::read_to_string(export).unwrap();
        recorded.rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        recorded
    }

    fn path(&self, name: &str) -> String {
        self.stage.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Rows of a kind, of the agent.
    fn of<'a>(&'a self, kind: &'a str, what: &'a str) -> impl Iterator<Item = &'a Value> {
        let of_agent = self.rows.iter().filter(|row| row["account"] == "agent");
        of_agent.filter(move |row| row["kind"] == kind && row["what"] == what)
    }

    /// What `tickgate why --json` says, and its exit code.
    fn why(&self, words: &[&str]) -> (i32, Value) {
        run("tickgate-why", &[words, &["--journal", &self.path("j"), "--json"]].concat())
    }

    /// What `tickgate whatif --json` says of the journal under other limits.
    fn what_if(&self, limits: &str) -> (i32, Value) {
        run("tickgate-whatif", &["--limits", &self.limits_file(limits), &self.path("j"), "--json"])
    }

    fn limits_file(&self, limits: &str) -> String {
        let path = self.path("other.toml");
        std::fs::write(&path, limits).unwrap();
        path
    }

    /// The limits with the agent's clip changed.
    fn with_clip(&self, clip: u64) -> String {
        self.limits.replacen("clip_max = \"10000000\"", &format!("clip_max = \"{clip}\""), 1)
    }
}

fn run(name: &str, words: &[&str]) -> (i32, Value) {
    let output = Command::new(program(name)).args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&output.stderr).into_owned()));
    (output.status.code().unwrap(), value)
}

/// Limits of the agent that some of the orders exceed.
fn tight() -> String {
    WIDE_LIMITS
        .replacen("clip_max = \"10000000\"", "clip_max = \"300\"", 1)
        .replacen("long_max = \"1000000000\"", "long_max = \"600\"", 1)
        .replacen("short_max = \"1000000000\"", "short_max = \"600\"", 1)
        .replacen("self_trade = \"off\"", "self_trade = \"refuse\"", 1)
        .replacen("open_orders_max = 65536", "open_orders_max = 20", 1)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// Names of the checks of an explanation that failed, each once.
fn failed(explained: &Value) -> BTreeSet<&str> {
    let checks = explained["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["result"] == "failed");
    failed.map(|check| text(check, "check")).collect()
}

/// Explains every order right before it is judged.
#[derive(Default)]
struct Explainer {
    explained: Vec<Explanation>,
    judged: usize,
    refused: usize,
}

impl Witness for Explainer {
    fn judging(&mut self, engine: &Engine, request: &Request, order: &Order) {
        self.explained.push(engine.explain(request, order));
    }

    fn after(&mut self, seen: &Seen<'_>) -> ControlFlow<()> {
        let explained: Vec<Explanation> = self.explained.drain(..).collect();
        assert_eq!(explained.len(), seen.out.judged.len(), "input {}", seen.input.seq);
        for (explanation, judged) in explained.iter().zip(&seen.out.judged) {
            assert_eq!(explanation.verdict, judged.verdict, "input {}", seen.input.seq);
            let failed = explanation.checks.iter().filter(|row| row.standing == Standing::Failed);
            let bits = failed.fold(0, |bits, row| bits | Verdict::bit(row.code));
            assert_eq!(bits, judged.verdict.bits);
            self.judged += 1;
            self.refused += usize::from(!judged.verdict.passed());
        }
        ControlFlow::Continue(())
    }
}

/// Goal: what is explained is what was said, of every order of a run: clients', changes, strategies'; and to explain changes
/// nothing. Method: a day replayed with everything explained, its recorded hashes compared on the way.
#[test]
fn every_verdict_is_explained() {
    let recorded = Recorded::new(&tight(), true);
    let mut replay = Replay::open(&PathBuf::from(recorded.path("j"))).unwrap().unwrap();
    replay.deep = true;
    let mut explainer = Explainer::default();
    replay.attend(None, &mut explainer).unwrap();
    assert!(replay.closed && replay.checkpoints > 0 && replay.full_checkpoints > 0);
    let Explainer { judged, refused, .. } = explainer;
    assert!(refused > 30 && judged > refused + 30, "{refused} of {judged} refused");
}

/// Goal: the program names the failed checks of each refusal as they were recorded, the primary one first and binding, with
/// numbers that fit; and of an order that passed, what became of it. Method: refusals by input and by name, orders by number,
/// against the journal's export.
#[test]
fn tells_why() {
    let recorded = Recorded::new(&tight(), true);
    let mut reasons_seen = BTreeSet::new();
    for row in recorded.of("verdict", "refused").step_by(3).take(25) {
        let (code, story) = recorded.why(&["--seq", text(row, "seq")]);
        assert_eq!(code, 0, "{story}");
        let explained = &story["requests"][0];
        let reasons: Vec<&str> = text(row, "reasons").split(' ').collect();
        assert_eq!(explained["verdict"]["reasons"], json!(reasons));
        assert_eq!(failed(explained), reasons.iter().copied().collect());
        assert_eq!(explained["same_as_judged"], true);
        let checks = explained["checks"].as_array().unwrap();
        let binding: Vec<&Value> = checks.iter().filter(|check| check["binds"] == true).collect();
        assert_eq!(binding.len(), 1);
        assert_eq!((text(binding[0], "check"), text(binding[0], "result")), (reasons[0], "failed"));
        if reasons[0] == "clip" {
            assert_eq!(
                (text(binding[0], "limit"), &binding[0]["used"]),
                ("300", &explained["qty"])
            );
        }
        let saw = &explained["saw"];
        assert_eq!(
            saw["engine_seq"].as_u64().map(|seq| seq < text(row, "seq").parse().unwrap()),
            Some(true)
        );
        reasons_seen.extend(reasons.into_iter().map(String::from));
        let by_name = ["--client-id", text(explained, "client_id"), "--account", "agent"];
        let (_, named) = recorded.why(&by_name);
        assert!(named["requests"].as_array().unwrap().contains(explained), "{named}");
    }
    assert!(reasons_seen.len() >= 4, "{reasons_seen:?}");

    let ids = |kind, what| recorded.of(kind, what).map(|row| text(row, "order_id"));
    let filled: BTreeSet<&str> = ids("fill", "fill").collect();
    assert!(!filled.is_empty());
    for id in ids("verdict", "passed").step_by(9).take(5).chain(filled.into_iter().take(5)) {
        let (code, story) = recorded.why(&[id]);
        assert_eq!(
            (code, &story["requests"][0]["verdict"]["passed"]),
            (0, &true.into()),
            "{story}"
        );
        let life = &story["orders"][0];
        assert_eq!(text(life, "order_id"), id);
        let events = life["events"].as_array().unwrap();
        let told = |what: &str| events.iter().filter(|event| event["what"] == what).count();
        assert_eq!(told("fill"), ids("fill", "fill").filter(|of| *of == id).count(), "order {id}");
        assert_eq!(told("cancelled"), ids("report", "cancelled").filter(|of| *of == id).count());
    }
}

/// Goal: what was measured beside an order is told with it, and what was not is null with a reason. Method: the orders of a
/// strategy that the journal has stages of, and one of a file.
#[test]
fn stages_are_told() {
    let recorded = Recorded::new(WIDE_LIMITS, false);
    let mut reader = Reader::open(&PathBuf::from(recorded.path("j"))).unwrap();
    let mut measured = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Stages { seq, ns } = record {
            measured.push((seq, ns));
        }
    }
    assert!(measured.len() > 3, "one in 64 of some hundred");
    for (seq, [_, _, gate]) in measured.into_iter().take(3) {
        let (_, story) = recorded.why(&["--seq", &seq.to_string()]);
        let explained = &story["requests"][0];
        assert_eq!(
            (text(explained, "origin"), &explained["stages_ns"]["gate"]),
            ("strategy 0", &gate.into())
        );
    }
    let (_, story) = recorded.why(&["--client-id", "o-7"]);
    let explained = &story["requests"][0];
    assert_eq!(explained["stages_ns"]["gate"], Value::Null);
    assert_eq!(text(explained, "stages_reason"), "orders of a file are not measured");
}

/// Goal: what is not there is said, each with its exit code. Method: orders, inputs, names, journals that are not.
#[test]
fn says_what_is_missing() {
    let recorded = Recorded::new(&tight(), false);
    for words in [&["99"][..], &["--seq", "10"], &["--client-id", "nobody"], &["--request", "9999"]]
    {
        let (code, said) = recorded.why(words);
        assert_eq!(code, 1, "{words:?}: {said}");
        assert!(said.as_str().unwrap().contains("--client-id"), "{said}");
    }
    let nowhere = recorded.path("nowhere");
    assert_eq!(run("tickgate-why", &["1", "--journal", &nowhere]).0, 3);
    assert_eq!(run("tickgate-why", &["--journal", &nowhere]).0, 2);
    assert_eq!(recorded.what_if("nonsense = 1").0, 2);
    let limits = recorded.limits_file(&tight());
    assert_eq!(run("tickgate-whatif", &["--limits", &limits, &nowhere]).0, 3);
    let journal = recorded.path("j");
    assert_eq!(run("tickgate-whatif", &["--limits", &limits, &journal, "--merge"]).0, 2);
}

/// Goal: the same limits change nothing, a tighter clip refuses exactly the orders above it, a looser one passes exactly
/// those that it alone refused; a capture with orders gives what its journal does. Method: orders that depend on nothing but
/// their size; those above the clip picked from the file that asks for them.
#[test]
fn lists_what_changes() {
    let wide = Recorded::new(WIDE_LIMITS, false);
    let (code, same) = wide.what_if(WIDE_LIMITS);
    assert_eq!((code, same["changes"].as_array().map(Vec::len)), (0, Some(0)), "{same}");
    assert!(same["unchanged"].as_u64().unwrap() > 120, "the strategy's orders too");
    assert_eq!(same["state_hash"]["old"], same["state_hash"]["new"]);

    let asked = std::fs::read_to_string(wide.path("orders.jsonl")).unwrap();
    let asked = asked.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let above = |asked: Value, clip: u64| {
        let qty: u64 = text(&asked, "qty").parse().unwrap();
        (qty > clip).then(|| text(&asked, "id").to_owned())
    };
    let expected: BTreeSet<String> = asked.filter_map(|asked| above(asked, 250)).collect();
    assert!(expected.len() > 20 && expected.len() < 100);
    let passed: BTreeSet<&str> =
        wide.of("verdict", "passed").map(|row| text(row, "client_id")).collect();
    assert!(expected.iter().all(|id| passed.contains(id.as_str())), "nothing else refuses");
    let (_, tighter) = wide.what_if(&wide.with_clip(250));
    let changes = tighter["changes"].as_array().unwrap();
    let named: BTreeSet<String> = changes.iter().map(|c| text(c, "client_id").into()).collect();
    assert_eq!(named, expected);
    assert_eq!(tighter["passed_to_refused"].as_u64(), Some(expected.len() as u64));
    for (place, change) in changes.iter().enumerate() {
        assert_eq!(
            (&change["old"]["passed"], &change["new"]["passed"]),
            (&true.into(), &false.into())
        );
        let binds = &change["new"]["binds"];
        assert_eq!((text(binds, "check"), text(binds, "limit")), ("clip", "250"));
        assert_eq!((text(binds, "account"), &binds["used"]), ("agent", &change["qty"]));
        assert_eq!(change["own_history"], place > 0);
    }

    let [day, orders, config] = [
        wide.stage.capture.to_str().unwrap().to_owned(),
        wide.path("orders.jsonl"),
        wide.path("engine.toml"),
    ];
    let limits = wide.limits_file(&wide.with_clip(250));
    let words = ["--limits", &limits, &day, "--orders", &orders, "--config", &config, "--json"];
    let (code, of_capture) = run("tickgate-whatif", &words);
    assert_eq!((code, of_capture), (0, tighter.clone()));

    let narrow = Recorded::new(&wide.with_clip(250), false);
    let (_, looser) = narrow.what_if(WIDE_LIMITS);
    let changes = looser["changes"].as_array().unwrap();
    let named: BTreeSet<String> = changes.iter().map(|c| text(c, "client_id").into()).collect();
    assert_eq!((named, &looser["refused_to_passed"]), (expected, &tighter["passed_to_refused"]));
}

/// Goal: accounts may stand in another order, and a change of an order that only one engine has is told as what it is.
/// Method: the probe's account before the agent's; a clip below every order that is changed later.
#[test]
fn numbers_of_two_engines_are_kept_apart() {
    let recorded = Recorded::new(WIDE_LIMITS, true);
    let accounts: Vec<&str> = WIDE_LIMITS.split("[[account]]").collect();
    let rows = accounts[2].find("[[limit]]").unwrap();
    let (probe, rest) = accounts[2].split_at(rows);
    let turned = [accounts[0], "[[account]]", probe, "[[account]]", accounts[1], rest].concat();
    let (code, same) = recorded.what_if(&turned);
    assert_eq!((code, same["changes"].as_array().map(Vec::len)), (0, Some(0)), "{same}");

    let (_, none) = recorded.what_if(&recorded.with_clip(0));
    let changes = none["changes"].as_array().unwrap();
    let replaced: Vec<&Value> = changes.iter().filter(|change| change["replace"] == true).collect();
    assert!(!replaced.is_empty());
    assert!(replaced.iter().all(|change| change["new"]["reasons"][0] == "unknown_order"));
    let agents = changes.iter().filter(|change| change["account"] == "agent").count();
    assert_eq!(agents, changes.len(), "the strategy's account is another one");
}

/// Asks as a client does, and waits for the answer.
fn ask(client: &mut Client, ask: Ask) -> Answer {
    let (origin, account, note) = (Origin::File, AccountId(0), Note::lossy("a reason"));
    let since = Instant::now();
    client.send(&Request { id: 0, origin, account, ask, note }).unwrap();
    loop {
        if let Some(answer) = client.poll_answer() {
            return answer;
        }
        assert!(since.elapsed() < Duration::from_secs(120), "no answer");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Goal: an engine that runs may be asked about: what a client was answered is explained from the journal as it grows, with
/// the nanoseconds that its order took; a cancel of nothing is told as what it is. Method: a client asks, and the program is
/// called with what its answers say.
#[test]
fn explains_while_the_engine_runs() {
    let stage = Stage::new(30_000, 3);
    let config = stage.config(&format!("why-runs-{}", std::process::id()));
    let journal = config.engine.journal.as_ref().unwrap().folder.to_str().unwrap().to_owned();
    let name = config.engine.name.clone();
    let plan = Plan {
        config,
        script: Script::default(),
        shared: true,
        ends_with_feed: false,
        drive_stream: None,
    };
    let running = runtime::start(plan).unwrap();
    let mut client = Client::attach(Some(&name)).unwrap();
    let client_id = ClientOrderId::new("by-hand").unwrap();
    let terms = Terms {
        conditions: model::Conditions::NONE,
        client_id,
        instrument: InstrumentId(0),
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(0),
        qty: Qty(1),
    };
    let refused = ask(&mut client, Ask::New(terms));
    assert_eq!(refused.kind, AnswerKind::Refused, "{refused:?}");
    let cancel = ask(&mut client, Ask::Cancel { order: OrderId(7) });
    let why = |words: &[&str]| {
        let (code, story) =
            run("tickgate-why", &[words, &["--journal", &journal, "--json"]].concat());
        assert_eq!(code, 0, "{story}");
        story
    };
    let story = why(&["--seq", &refused.engine_seq.to_string()]);
    let explained = &story["requests"][0];
    assert!(text(explained, "origin").starts_with("desk "), "{explained}");
    assert_eq!((text(explained, "client_id"), text(explained, "note")), ("by-hand", "a reason"));
    let said: BTreeSet<&str> = refused.verdict.failed().map(|code| code.name()).collect();
    assert_eq!(failed(explained), said);
    assert!(explained["stages_ns"]["gate"].as_u64().is_some_and(|ns| ns > 0), "{explained}");
    assert_eq!(
        why(&["--request", &refused.request.to_string()])["requests"][0]["checks"],
        explained["checks"]
    );
    let cancel = &why(&["--request", &cancel.request.to_string()])["not_judged"][0];
    assert_eq!((text(cancel, "what"), text(cancel, "answer")), ("cancel", "refused"));
    assert_eq!(cancel["verdict"]["reasons"], json!(["unknown_order"]));
    running.finish().unwrap();
}
