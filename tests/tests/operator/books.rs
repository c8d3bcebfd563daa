//! Rates and splits from a terminal: who may, what holds afterwards, and what journal and audit log make of it.

use std::process::Command;
use std::time::{Duration, Instant};

use engine::config::Speed;
use engine::replay::Replay;
use model::page::{AnswerKind, AsOf};
use model::{AccountId, Reject, Verdict};
use serde_json::{Value, json};
use tests::{WIDE_LIMITS, program};

use crate::place::{PASSPHRASE, PATIENCE, Place, Trader};

/// The agent's account below one in euros; nobody knows yet what a dollar is worth.
fn limits() -> String {
    let (before, after) = WIDE_LIMITS.split_once("[[account]]\nname = \"agent\"").unwrap();
    let (account, rest) = after.split_once("[[account]]").unwrap();
    let firm = account
        .replace("permission = \"trade\"\nclients = true", "permission = \"read\"")
        .replace("\"USD\"", "\"EUR\"");
    let row = WIDE_LIMITS.split("[[limit]]").nth(1).unwrap().replace("agent", "firm");
    let rate = "[[rate]]\nfrom = \"USD\"\nto = \"EUR\"\nage_max_ms = 864000000\n";
    format!(
        "{before}[[account]]\nname = \"firm\"{firm}[[account]]\nname = \"agent\"\n\
         parent = \"firm\"{account}[[account]]{rest}\n[[limit]]{row}\n{rate}"
    )
}

fn place(name: &str, repeat: bool) -> Place {
    Place::with(name, &limits(), |stage, engine| {
        let path = |name: &str| stage.folder.path().join(name);
        audit::SecretKey::generate(&path("audit.key")).unwrap();
        let captures = engine.feeds[0].captures_mut().unwrap();
        captures.repeat = repeat;
        if !repeat {
            captures.speed = Speed::Max; // What is tested comes after the day.
        }
        engine.audit = Some(engine::config::AuditConfig {
            folder: path("audit"),
            key: path("audit.key"),
            checkpoints: path("checkpoints"),
            checkpoint_records: 1_024,
            checkpoint_ms: 50,
        });
    })
}

/// What the audit log says of rates and splits.
fn audited(place: &Place, kind: &str) -> Vec<Value> {
    let folder = std::path::PathBuf::from(place.config_path()).with_file_name("audit");
    let mut show = Command::new(program("tickgate-audit"));
    let output = show.arg("show").arg(folder).arg("--json").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["kind"] == kind).collect()
}

/// Who trades on the agent's account, which comes after the firm's.
fn agent(place: &Place) -> Trader {
    let mut trader = place.trader();
    trader.account = AccountId(1);
    trader
}

/// Whether an order passes, or is refused because nobody knows what its currency is worth.
fn passes(trader: &mut Trader) -> bool {
    let since = Instant::now();
    loop {
        let answer = trader.asks();
        if answer.kind == AnswerKind::Accepted {
            return true;
        }
        if answer.verdict.bits == Verdict::bit(Reject::NoReference) {
            return false;
        }
        assert!(since.elapsed() < PATIENCE, "{answer:?}");
        trader.looks_again();
    }
}

fn refused((code, said): (i32, String), word: &str) {
    assert!(code == 5 && said.contains(word), "{word}: {code} {said}");
}

/// Goal: a rate takes an operator's passphrase and a reason; refused, it changes nothing; taken, orders that need it pass, also
/// after a kill; audit log and journal know all of it. Method: every command as a process; orders of a client in between.
#[test]
fn a_rate_is_given() {
    let place = place("rate", true);
    place.passwd("ann", PASSPHRASE);
    let engine = place.start();
    let mut trader = agent(&place);
    assert!(!passes(&mut trader), "nobody knows what a dollar is worth");

    let by_ann = ["--operator", "ann", "--reason", "fixing", "--json"];
    let dry = place.done("tickgate-rate", &["USD", "EUR", "0.9", "--dry-run"]);
    let booked = &dry["booked"];
    assert_eq!(booked["entry"]["num"], 9, "{dry}");
    assert_eq!((&booked["before"], &booked["accounts"]), (&Value::Null, &json!(1)));
    assert_eq!((&booked["engine_seq"], &dry["dry_run"]), (&Value::Null, &json!(true)));
    refused(place.run("tickgate-rate", &["EUR", "USD", "1.1", "--dry-run"]), "unknown_pair");
    let future = ["USD", "EUR", "0.9", "--at", "2100-01-01T00:00:00Z"];
    refused(place.run("tickgate-rate", &[&future, &by_ann[..]].concat()), "not_later");
    let rate = |typed: &str| {
        place.typed("tickgate-rate", &[&["USD", "EUR", "0.9"], &by_ann[..]].concat(), &[typed])
    };
    refused(rate("not her passphrase"), "wrong_passphrase");
    for words in [&["USD", "EUR", "0"][..], &["USD", "EUR", "-1"], &["USD", "EUR", "1e3"]] {
        assert_eq!(place.run("tickgate-rate", &[words, &by_ann].concat()).0, 2, "{words:?}");
    }
    assert_eq!(place.run("tickgate-rate", &["USD", "EUR", "1"]).0, 2, "who says so, and why?");
    let piped = place.run("tickgate-rate", &[&["USD", "EUR", "0.9"], &by_ann[..]].concat());
    assert_eq!(piped.0, 2, "a passphrase is typed at a terminal: {}", piped.1);
    let entry =
        json!({"kind": "rate", "from": "USD", "to": "EUR", "num": 9, "den": 10, "at_ns": 1});
    let raw = json!({"op": "books", "entry": entry, "operator": "ann", "reason": "r"});
    let raw = serde_json::from_value(raw).unwrap();
    match switch::ask(&place.operator_socket(), &raw, PATIENCE).unwrap() {
        switch::Answer::Refused(refusal) => assert_eq!(refusal.code, "no_passphrase"),
        answer => panic!("the engine itself asks for the passphrase: {answer:?}"),
    }
    assert!(!passes(&mut trader), "nothing of that was taken");

    let (code, said) = rate(PASSPHRASE);
    assert!(code == 0 && said.contains("\"recorded\":true"), "{code} {said}");
    assert!(passes(&mut trader));
    let dry = place.done("tickgate-rate", &["USD", "EUR", "0.95", "--dry-run"]);
    assert_eq!(
        (&dry["booked"]["before"]["num"], &dry["booked"]["before"]["den"]),
        (&json!(9), &json!(10))
    );
    let before = ["USD", "EUR", "0.8", "--at", "1970-01-01T00:00:00Z", "--dry-run"];
    refused(place.run("tickgate-rate", &before), "not_later");
    drop(trader);
    engine.dies();
    let engine = place.start();
    let mut trader = agent(&place);
    assert!(passes(&mut trader), "the journal has it");
    drop(trader);
    engine.ends();

    let records = audited(&place, "rate");
    let [record] = &records[..] else { panic!("{records:?}") };
    for (field, value) in [("name", "ann"), ("note", "fixing"), ("of", "USD EUR"), ("num", "9")] {
        assert_eq!(record[field], value, "{record}");
    }
    assert_eq!((&record["refused"], &record["actor"]), (&Value::Null, &json!("operator")));
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed && replay.full_checkpoints > 0);
    assert!(!place.holds(PASSPHRASE), "a passphrase was written somewhere");
}

/// Goal: a split changes every position exactly, once the venue does not trade; what is refused changes nothing, and is recorded
/// where it became an input; a replay comes to the same. Method: the strategy's positions after the end of a day.
#[test]
fn a_symbol_is_split() {
    let place = place("split", false);
    place.passwd("ann", PASSPHRASE);
    let engine = place.start();
    refused(place.run("tickgate-split", &["NOTHERE", "2:1", "--dry-run"]), "unknown_symbol");
    let since = Instant::now();
    let dry = loop {
        let (code, said) = place.run("tickgate-split", &["SYN001", "3:1", "--dry-run", "--json"]);
        let dry: Value = serde_json::from_str(&said).unwrap_or_default();
        if code == 0 && dry["booked"]["positions"].as_u64() > Some(0) {
            break dry; // Before the day nothing is held.
        }
        assert!(code == 0 || said.contains("trading") || said.contains("unknown_symbol"), "{said}");
        assert!(since.elapsed() < PATIENCE, "it trades for ever: {said}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(dry["booked"]["instruments"], 1, "{dry}");
    let by_ann = ["--operator", "ann", "--reason", "three for one", "--json"];
    let split = |ratio: &str, typed: &[&str]| {
        place.typed("tickgate-split", &[&["SYN001", ratio], &by_ann[..]].concat(), typed)
    };
    refused(split("3:1", &["not her passphrase"]), "wrong_passphrase");
    for bad in ["0:1", "3", "1.5:1"] {
        assert_eq!(split(bad, &[]).0, 2, "{bad}");
    }
    refused(split("1:1000003", &[]), "fraction");
    let (code, said) = split("3:1", &[PASSPHRASE]);
    assert!(code == 0 && said.contains("\"recorded\":true"), "{code} {said}");
    engine.dies();
    place.start().ends();

    let records = audited(&place, "split");
    let [record] = &records[..] else { panic!("{records:?}") };
    for (field, value) in
        [("name", "ann"), ("note", "three for one"), ("of", "SYN001"), ("num", "3"), ("den", "1")]
    {
        assert_eq!(record[field], value, "{record}");
    }
    let seq = record["engine_seq"].as_u64().unwrap();
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.deep = true;
    let positions = |replay: &Replay| -> Vec<i64> {
        let (risk, instruments) = (replay.engine.risk(), replay.engine.instruments());
        let slots =
            (0..risk.lines() as u32).filter_map(|slot| risk.line_page(slot, AsOf::default()));
        let of = |line: &model::page::Line| {
            let listed = instruments.get(line.instrument.0).unwrap();
            listed.instrument.symbol.as_str() == "SYN001"
        };
        slots.filter(of).map(|line| line.position.0).collect()
    };
    replay.run(Some(seq - 1), |_| ()).unwrap();
    let before = positions(&replay);
    assert!(before.iter().any(|position| *position != 0), "nothing is held: {before:?}");
    replay.run(None, |_| ()).unwrap();
    assert_eq!(positions(&replay), before.iter().map(|held| held * 3).collect::<Vec<_>>());
    assert!(replay.closed && replay.full_checkpoints > 0);
}
