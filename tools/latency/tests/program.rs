//! The program itself, over a small day: what it prints is what the engine did.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The program, and one beside it that other packages build.
fn program(name: &str) -> PathBuf {
    let latency = PathBuf::from(env!("CARGO_BIN_EXE_tickgate-latency"));
    let program = latency.parent().unwrap().join(name);
    assert!(program.exists(), "{} is missing: run `cargo x test`", program.display());
    program
}

/// A day of messages, and a configuration whose strategy sends orders, which both programs take.
fn day(folder: &Path) -> [PathBuf; 2] {
    let day = folder.join("day.itch");
    let config = synth::Config { messages: 60_000, symbols: 10, ..synth::Config::SAMPLE };
    let file = std::fs::File::create(&day).unwrap();
    synth::Day::new(config).write_to(std::io::BufWriter::new(file)).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let every = read("deploy/engine.toml").replace("every = 100", "every = 1");
    let silence = every.replace("silence_ms = 5000", "silence_ms = 60000");
    for (name, text) in [
        ("engine.toml", silence),
        ("instruments.toml", read("deploy/instruments.toml")),
        ("limits.toml", engine::warmup::LIMITS.to_owned()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    [day, folder.join("engine.toml")]
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Whether both hot threads can have a core.
fn has_cores() -> bool {
    let has = std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2);
    if !has {
        eprintln!("SKIPPED: two cores are needed");
    }
    has
}

/// Goal: what is measured is the product: the same state as `tickgate replay` comes to; every event of the window is counted
/// once, every row adds up, what is not supported has a reason and no number, and the HTML holds what the JSON says. Method:
/// one run at two paces and one without, three short rounds each; then itself as its baseline, and an altered one.
#[test]
fn the_program_measures_the_product() {
    if !has_cores() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [day, config] = day(folder.path());
    let html = folder.path().join("report.html");
    let baseline = folder.path().join("baseline.json");
    let latency = |more: &[&str]| {
        let mut command = Command::new(program("tickgate-latency"));
        command.arg(&day).arg("--config").arg(&config).args(["--seconds", "0.3", "--json"]);
        command.args(more).output().unwrap()
    };
    let paths = [&html, &baseline].map(|path| path.to_str().unwrap());
    let output = latency(&["--speed", "100,2000,max", "--html", paths[0], "--baseline", paths[1]]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(&output);

    let replay = Command::new(program("tickgate"))
        .arg("replay")
        .arg(&day)
        .arg("--config")
        .arg(&config)
        .arg("--json")
        .output()
        .unwrap();
    let replayed = json(&replay);
    let html = std::fs::read_to_string(&html).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg"));
    assert!(!html.contains("src=") && !html.contains("href="), "nothing is loaded");
    let paces = report["paces"].as_array().unwrap();
    assert_eq!(paces.len(), 3);
    for pace in paces {
        let hashes = pace["state_hashes"].as_array().unwrap();
        assert_eq!(hashes.len(), 3);
        assert!(hashes.iter().all(|hash| *hash == replayed["state_hash"]), "{hashes:?}");
        assert!(html.contains(replayed["state_hash"].as_str().unwrap()));
        assert_eq!(pace["orders"]["passed"], replayed["verdicts"]["passed"]);
        let events = pace["window"]["events"].as_u64().unwrap();
        assert!(events > 0 && pace["events"] == 3 * events);
        check_rows(pace, &html);
        for thread in ["feed", "engine"] {
            let cost = &pace["hot_threads"][thread]["cost"];
            assert_eq!(cost["allocations"], 0, "{thread}: {cost}");
            assert!(cost["system_calls"].is_u64() || cost["system_calls_not_counted"].is_string());
        }
    }

    let against = |path: &Path| latency(&["--speed", "2000", "--compare", path.to_str().unwrap()]);
    let beside = against(&baseline);
    let compared = json(&beside);
    let of_kind = |moved: &str| {
        let figures = compared["compared"]["figures"].as_array().unwrap();
        figures.iter().filter(|figure| figure["moved"] == moved).count()
    };
    let good = of_kind("within") + of_kind("faster") > 0 && of_kind("slower") == 0;
    assert_eq!(
        (compared["ok"].as_bool(), beside.status.code()),
        (Some(good), Some(i32::from(!good)))
    );
    let mut figures: Value = serde_json::from_slice(&std::fs::read(&baseline).unwrap()).unwrap();
    figures["facts"]["events"] = 1.into();
    let other = folder.path().join("other.json");
    std::fs::write(&other, figures.to_string()).unwrap();
    let refused = against(&other);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("other captures"));
}

/// Holds the rows of a pace to what they must be.
fn check_rows(pace: &Value, html: &str) {
    let rows = pace["rows"].as_array().unwrap();
    let n = |row: &str, kind: &str| {
        let found = rows.iter().find(|of| of["row"] == row && of["kind"] == kind);
        found.map_or(0, |of| of["n"].as_u64().unwrap())
    };
    let open = pace["open_loop"].as_bool().unwrap();
    let stamped = pace["events"].as_u64().unwrap();
    assert_eq!((n("decode", "stage"), n("ring", "stage")), (stamped, stamped));
    assert_eq!(n("late", "stage"), if open { stamped } else { 0 });
    let verdicts = n("tick to verdict", "service");
    assert!(verdicts > 0 && verdicts == n("verdict", "stage"));
    assert_eq!(n("tick to verdict", "response"), if open { verdicts } else { 0 });
    assert_eq!(n("tick to hand-over", "service"), n("hand-over", "stage"));
    assert!(n("tick to hand-over", "service") <= verdicts);
    for row in rows {
        for percentile in ["p50", "p90", "p99", "p99.9", "p99.99"] {
            let ns = &row[format!("{percentile}_ns")];
            let why = &row[format!("{percentile}_unsupported")];
            assert!(ns.is_u64() != why.is_string(), "{percentile}: {row}");
        }
        let (name, n) = (row["row"].as_str().unwrap(), row["n"].as_u64().unwrap());
        assert!(row["max_ns"].as_u64() >= row["min_ns"].as_u64());
        assert!(html.contains(name) && html.contains(&with_commas(n)), "{row}");
    }
}

fn with_commas(count: u64) -> String {
    let digits = count.to_string();
    let pieces: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    pieces.join(",")
}

/// Goal: exit codes say what went wrong. Method: a file that is none, one that is not there, too few rounds to compare, a
/// baseline that is none.
#[test]
fn exit_codes() {
    if !has_cores() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rubbish = folder.path().join("rubbish");
    std::fs::write(&rubbish, b"\x00\x04abcd").unwrap();
    let [day, _] = day(folder.path());
    let run = |file: &Path, more: &[&str]| {
        let output =
            Command::new(program("tickgate-latency")).arg(file).args(more).output().unwrap();
        assert!(output.stdout.is_empty());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&rubbish, &[]);
    assert!(code == Some(3) && said.contains("offset 0"), "{code:?} {said}");
    assert_eq!(run(&folder.path().join("none"), &[]).0, Some(3));
    let path = rubbish.to_str().unwrap();
    assert_eq!(run(&day, &["--rounds", "2", "--baseline", path]).0, Some(2));
    assert_eq!(run(&day, &["--compare", path]).0, Some(3));
    assert_eq!(run(&day, &["--speed", "0"]).0, Some(2));
    assert_eq!(run(&day, &["--from", "25:00:00"]).0, Some(2));
    assert_eq!(run(&day, &["--feed-cpu", "4000"]).0, Some(2));
}
