//! `tickgate-journal`, as a user calls it.

use std::path::Path;
use std::process::{Command, Output};

use engine::config::Config;
use engine::journal::lease::Lease;
use engine::journal::path_of;
use engine::runtime::{self, Plan};
use engine::script::{Line, Op, Script, When};
use model::{ClientOrderId, HaltCause, HaltLevel, Side, Symbol, Tif};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use switch::{Halt, Scope, latch_file};
use tests::{Stage, program};

fn tool(arguments: &[&str]) -> Output {
    Command::new(program("tickgate-journal")).args(arguments).output().unwrap()
}

/// What it prints with `--json`, and its exit code.
fn json(arguments: &[&str]) -> (i32, Value) {
    let output = tool(&[arguments, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::Null);
    (output.status.code().unwrap(), value)
}

/// Records a day with an order that rests and is cancelled, and the probe's beside it.
fn record(stage: &Stage, folder: &Path) {
    let config = stage.config("tool");
    let mut engine = config.engine.clone();
    let journal = engine.journal.as_mut().unwrap();
    journal.folder = folder.to_path_buf();
    journal.deep_checkpoints = true;
    let config: Config = config.with_engine(engine);
    let line = |after, op| Line {
        when: When::After(after),
        id: ClientOrderId::new("rests").unwrap(),
        account: Symbol::new("agent").unwrap(),
        op,
    };
    let symbol = Symbol::new("SYN001").unwrap();
    let new = Op::New {
        symbol,
        side: Side::Buy,
        qty: 5.into(),
        px: 1.into(),
        order_type: model::OrderType::Limit,
        tif: Tif::Day,
        special: Default::default(),
    };
    let script = Script::new(vec![line(60_000, new), line(61_000, Op::Cancel)]);
    let plan = Plan { config, script, shared: false, ends_with_feed: true, drive_stream: None };
    let running = runtime::start(plan).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.finish().unwrap();
}

/// Goal: a whole journal verifies, deeply too; a bit that is turned over, and a byte in the middle with records behind it,
/// are named by segment, byte and record; repair keeps what it cuts off, and not while an engine has the journal. A journal of
/// nothing beside snapshots of something is none. Method: the tool, on a journal of a day; the same emptied, then removed.
#[test]
fn verify_and_repair() {
    let stage = Stage::new(80_000, 3);
    let folder = stage.folder.path().join("j");
    record(&stage, &folder);
    let at = folder.to_str().unwrap();
    let (code, whole) = json(&["verify", at, "--deep"]);
    assert_eq!((code, &whole["ok"], &whole["closed"]), (0, &true.into(), &true.into()), "{whole}");
    assert!(whole["full_checkpoints"].as_u64().unwrap() >= 2, "{whole}");
    assert_eq!(whole["bad_record"], Value::Null);
    let (code, repaired) = json(&["repair", at]);
    assert_eq!((code, &repaired["damaged"]), (0, &false.into()));

    let path = path_of(&folder, 0);
    let bytes = std::fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let mut damaged = bytes.clone();
    damaged[end - 100] ^= 4;
    std::fs::write(&path, &damaged).unwrap();
    let (code, bad) = json(&["verify", at]);
    assert_eq!((code, &bad["ok"]), (3, &false.into()), "{bad}");
    let place = &bad["bad_record"];
    assert_eq!(place["segment"], "00000000.tgj");
    assert!(place["why"].as_str().unwrap().contains("checksum"), "{place}");
    assert!(place["offset"].as_u64().unwrap() <= (end - 100) as u64);

    let lease = Lease::take(&folder).unwrap();
    let refused = tool(&["repair", at, "--yes"]);
    assert_eq!(refused.status.code(), Some(5));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
    drop(lease);

    let (code, plan) = json(&["repair", at]);
    assert_eq!((code, &plan["done"]), (0, &false.into()), "{plan}");
    assert_eq!(std::fs::read(&path).unwrap(), damaged, "a dry run changes nothing");
    let (code, done) = json(&["repair", at, "--yes"]);
    assert_eq!((code, &done["done"]), (0, &true.into()), "{done}");
    let kept = std::fs::read(done["kept"][0].as_str().unwrap()).unwrap();
    let offset = done["offset"].as_u64().unwrap() as usize;
    assert_eq!(kept, damaged[offset..=end], "what was cut off is kept");
    let (code, after) = json(&["verify", at, "--deep"]);
    assert_eq!((code, &after["ok"], &after["closed"]), (0, &true.into(), &false.into()));

    std::fs::write(&path, b"").unwrap();
    let told = |command: &str| {
        let refused = tool(&[command, at]);
        (refused.status.code(), String::from_utf8(refused.stderr).unwrap())
    };
    for _ in 0..2 {
        for command in ["verify", "repair", "replay"] {
            let (code, said) = told(command);
            assert!(code == Some(3) && said.contains("holds snapshots"), "{command}: {said}");
        }
        let _ = std::fs::remove_file(&path);
    }
    let nothing = stage.folder.path().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    for command in ["print", "verify", "repair", "replay"] {
        let refused = tool(&[command, nothing.to_str().unwrap()]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(
            refused.status.code() == Some(3) && said.contains("holds no journal"),
            "{command}: {said}"
        );
    }
    assert_eq!(std::fs::read_dir(&nothing).unwrap().count(), 0, "nor a lease");
}

/// Goal: an export says what was asked, judged, filled, in both formats alike, and only what was asked for. Method: export
/// the day whole and in parts.
#[test]
fn export_tells_what_happened() {
    let stage = Stage::new(80_000, 3);
    let folder = stage.folder.path().join("j");
    record(&stage, &folder);
    let at = folder.to_str().unwrap();
    let to = |name: &str| stage.folder.path().join(name).to_str().unwrap().to_owned();
    let (code, said) = json(&["export", at, "--to", &to("all.jsonl")]);
    assert_eq!(code, 0);
    let text = std::fs::read_to_string(to("all.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said["rows"], rows.len());
    let of = |kind: &str, what: &str| {
        rows.iter().filter(|row| row["kind"] == kind && row["what"] == what).count()
    };
    assert_eq!((of("request", "new"), of("request", "cancel")), (1, 1));
    assert_eq!(of("report", "cancelled"), 1);
    assert!(of("verdict", "passed") > 1, "the strategy's orders too");
    assert!(of("fill", "fill") > 1);
    let asked = rows.iter().find(|row| row["what"] == "new").unwrap();
    assert_eq!((&asked["account"], &asked["symbol"]), (&"agent".into(), &"SYN001".into()));
    assert_eq!((&asked["client_id"], &asked["px"]), (&"rests".into(), &"1.0000".into()));

    assert_eq!(json(&["export", at, "--to", &to("all.jsonl")]).0, 3, "never over a file");
    assert_eq!(json(&["export", at, "--to", &to("all.parquet")]).0, 2);
    let seq = asked["seq"].as_str().unwrap();
    json(&[
        "export",
        at,
        "--to",
        &to("one.csv"),
        "--kind",
        "request",
        "--from",
        seq,
        "--until",
        seq,
    ]);
    let text = std::fs::read_to_string(to("one.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("seq,now_ns,kind,what,"), "{lines:?}");
    assert!(lines[1].starts_with(&format!("{seq},")) && lines[1].contains(",rests,"), "{lines:?}");
}

/// Goal: an export that is interrupted leaves no file. Method: SIGINT as soon as there is one, until it comes before the end.
#[test]
fn interrupted_export_leaves_nothing() {
    let stage = Stage::new(80_000, 3);
    let folder = stage.folder.path().join("j");
    record(&stage, &folder);
    for number in 0..100 {
        let to = stage.folder.path().join(format!("{number}.jsonl"));
        let mut tool = Command::new(program("tickgate-journal"));
        let mut export = tool.arg("export").arg(&folder).arg("--to").arg(&to).spawn().unwrap();
        while !to.exists() && export.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        let _ = kill_process(Pid::from_child(&export), Signal::INT); // It may have ended.
        let code = export.wait().unwrap().code();
        assert_eq!(to.exists(), code == Some(0));
        if code == Some(130) {
            return;
        }
        assert_eq!(code, Some(0));
    }
    panic!("it was never interrupted");
}

/// Goal: old journals go only as a whole, closed, not in use, with nothing halted, never the newest, no shard of several; a dry
/// run deletes nothing. Method: four journals, one each way.
#[test]
fn retain_keeps_what_a_restart_needs() {
    let stage = Stage::new(80_000, 3);
    let above = stage.folder.path().join("journals");
    for name in ["a-old", "b-crashed", "c-held", "d-newest"] {
        record(&stage, &above.join(name));
    }
    let at = above.to_str().unwrap();
    let crashed = path_of(&above.join("b-crashed"), 0);
    let bytes = std::fs::read(&crashed).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    std::fs::File::options().write(true).open(&crashed).unwrap().set_len(end as u64 - 60).unwrap();
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(40 * 86_400);
    for name in ["a-old", "b-crashed", "c-held"] {
        let file =
            std::fs::File::options().write(true).open(path_of(&above.join(name), 0)).unwrap();
        file.set_modified(past).unwrap();
    }
    let held = Lease::take(&above.join("c-held")).unwrap();
    let goes = |arguments: &[&str]| {
        let (code, list) = json(&[&["retain", at][..], arguments].concat());
        assert_eq!(code, 0, "{list}");
        let list = list["journals"].as_array().unwrap().clone();
        let names = list.iter().filter(|journal| journal["goes"] == true);
        names
            .map(|j| j["folder"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect()
    };
    let none: Vec<String> = goes(&["--keep-days", "41"]);
    assert!(none.is_empty(), "{none:?}");
    let some: Vec<String> = goes(&["--keep-bytes", "0"]);
    assert_eq!(some, ["a-old"]);
    let some: Vec<String> = goes(&["--keep-days", "30"]);
    assert_eq!(some, ["a-old"]);
    assert!(above.join("a-old").exists(), "a dry run");
    let some: Vec<String> = goes(&["--keep-days", "30", "--yes"]);
    assert_eq!(some, ["a-old"]);
    drop(held);
    let mut left: Vec<_> =
        std::fs::read_dir(&above).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["b-crashed", "c-held", "d-newest"]);
    let halted = above.join("c-held").join(latch_file::FILE);
    let halt = Halt {
        scope: Scope::All,
        level: HaltLevel::Halted,
        cause: HaltCause::Human,
        operator: "root".into(),
        reason: "off".into(),
        since_ns: 1,
    };
    latch_file::write(&halted, &[halt]).unwrap();
    let none: Vec<String> = goes(&["--keep-days", "30"]);
    assert!(none.is_empty(), "halted: {none:?}");
    std::fs::write(&halted, "{}").unwrap();
    let none: Vec<String> = goes(&["--keep-days", "30"]);
    assert!(none.is_empty(), "nobody knows what is halted: {none:?}");
    latch_file::write(&halted, &[]).unwrap();
    let some: Vec<String> = goes(&["--keep-days", "30"]);
    assert_eq!(some, ["c-held"]);
    std::fs::remove_dir_all(above.join("b-crashed")).unwrap();
    for (name, shard) in [("c-held", "0"), ("d-newest", "1")] {
        std::fs::rename(above.join(name), above.join(shard)).unwrap();
    }
    assert_eq!(json(&["retain", at, "--keep-bytes", "0", "--yes"]).0, 2, "shards of one engine");
    let inside = above.join("1");
    assert_eq!(json(&["retain", inside.to_str().unwrap(), "--keep-days", "0"]).0, 2);
}
