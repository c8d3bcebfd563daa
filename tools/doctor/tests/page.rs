//! The program itself, on this host and on a tree.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn run(words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tickgate-doctor")).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn deployed(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    path.display().to_string()
}

/// Goal: one object that says all, holds together, and agrees with the exit code. Method: this host, measured shortly;
/// figures are compared among themselves, never with a time.
#[test]
fn json_of_this_host() {
    let (code, out, error) = run(&["--json", "--seconds", "0.05", "--disturb"]);
    let page: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    assert_eq!(page["ok"], code == 0);
    let findings = page["findings"].as_array().unwrap();
    let count = |outcome: &str| {
        findings.iter().filter(|finding| finding["outcome"] == outcome).count() as u64
    };
    assert_eq!(
        [&page["failed"], &page["advice"], &page["unknown"]].map(|n| n.as_u64().unwrap()),
        ["failed", "advice", "unknown"].map(count)
    );
    for finding in findings {
        for key in ["check", "group", "found", "wanted", "why"] {
            assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {finding}");
        }
        assert!(finding["outcome"] != "failed" || finding["required"] == true, "{finding}");
        assert!(
            finding["outcome"] != "good" || finding["fix"] == serde_json::json!([]),
            "{finding}"
        );
    }
    let cores = page["gaps"].as_array().unwrap();
    assert!(!cores.is_empty() && page["not_measured"].is_null());
    let touches = page["touches"].as_array().unwrap();
    assert_eq!(touches.len(), cores.len());
    assert!([cores, touches].iter().all(|of| of.is_sorted_by_key(|core| core["cpu"].as_u64())));
    for core in cores.iter().chain(touches).filter(|core| !core["measured"].is_null()) {
        let number = |key: &str| core["measured"][key].as_u64().unwrap();
        assert!(
            number("looks") > 0
                && number("spent_ns") >= 50_000_000
                && number("lost_ns") <= number("spent_ns"),
            "{core}"
        );
        let over: Vec<u64> = serde_json::from_value(core["measured"]["over"].clone()).unwrap();
        assert!(over.len() == 4 && over.is_sorted_by(|more, fewer| more >= fewer), "{core}");
    }
}

/// Goal: a configuration decides what is required and how much memory is wanted, and paper trading fails for nothing that
/// only live trading needs. Method: both shipped ones, on a tree that tells nothing but its memory; then files that cannot
/// be read.
#[test]
fn a_configuration_is_judged() {
    let tree = tempfile::tempdir().unwrap();
    let root = tree.path().display().to_string();
    let (code, _, error) = run(&["--root", &root]);
    assert!(code == 2 && error.contains("holds no proc"), "{error}");
    std::fs::create_dir_all(tree.path().join("proc")).unwrap();
    std::fs::write(
        tree.path().join("proc/meminfo"),
        "MemAvailable: 999999999 kB\nSwapTotal: 0 kB\n",
    )
    .unwrap();
    let page = |name: &str| -> (i32, Value) {
        let (code, out, error) = run(&["--root", &root, "--json", "--config", &deployed(name)]);
        (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}")))
    };
    let outcome = |page: &Value, check: &str| {
        let findings = page["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == check).unwrap()["outcome"].clone()
    };
    let (code, paper) = page("engine.toml");
    assert_eq!((code, &paper["live"]), (0, &Value::Bool(false)), "{paper:#}");
    let (code, live) = page("live.toml");
    assert_eq!(
        (code, outcome(&live, "isolated"), outcome(&live, "memory")),
        (1, "failed".into(), "good".into())
    );
    assert!(
        live["memory_bytes"].as_u64().unwrap() > 10 << 20,
        "the tables of a million orders: {live:#}"
    );
    assert!(live["not_measured"].as_str().unwrap().contains("--root"));
    std::fs::write(tree.path().join("proc/meminfo"), "MemAvailable: 1024 kB\n").unwrap();
    let (code, paper) = page("engine.toml");
    assert_eq!((code, outcome(&paper, "memory")), (1, "failed".into()));
    assert_eq!(run(&["--config", "/absent/engine.toml"]).0, 2);
    assert_eq!(run(&["--seconds", "-1"]).0, 2);
}

/// Goal: the page for people names what fails and what to type. Method: a tree that tells nothing.
#[test]
fn the_page_says_what_to_change() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(tree.path().join("proc")).unwrap();
    let (code, page, _) = run(&["--root", &tree.path().display().to_string()]);
    assert_eq!(code, 1);
    for part in ["FAILS  isolated", "boot with isolcpus=", "required fail", "deploy/host.md"] {
        assert!(page.contains(part), "{part} in\n{page}");
    }
}
