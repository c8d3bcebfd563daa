//! The commands, on a log that is made here.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audit::{Actor, AuditKind, AuditRecord, Config, PublicKey, SecretKey, Writer};
use model::{OrderId, Px, Qty, Side, Ts};
use serde_json::Value;

struct Case {
    folder: tempfile::TempDir,
    public: String,
}

impl Case {
    /// A closed log of 60 records in several segments, of orders 1 to 20.
    fn new() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("audit.key");
        let out = run(&["keygen", "--out", key.to_str().unwrap()]);
        assert!(out.status.success(), "{out:?}");
        let public = String::from_utf8(out.stdout).unwrap().trim().to_string();
        let config = Config {
            folder: folder.path().join("log"),
            key: SecretKey::read(&key).unwrap(),
            identity: [1; 32],
            checkpoint_records: 7,
            checkpoint_ns: u64::MAX,
            segment_bytes: 8_000,
            witness: Some(folder.path().join("checkpoints")),
        };
        assert_eq!(PublicKey::parse(&public), Some(config.key.public()));
        let mut writer = Writer::open(config, Ts(1)).unwrap();
        let kinds = [AuditKind::New, AuditKind::Refused, AuditKind::Passed];
        let record = |number: u64| AuditRecord {
            order: OrderId(number / 3 + 1),
            side: Some(Side::Buy),
            px: Px(5),
            qty: Qty(number as i64),
            code: 11,
            bits: 1 << 10,
            ..AuditRecord::bare(kinds[number as usize % 3], Actor::Operator, number, Ts(number))
        };
        writer.append(&(0..60).map(record).collect::<Vec<_>>(), Ts(2)).unwrap();
        writer.close(Ts(3)).unwrap();
        Case { folder, public }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_string()
    }

    fn verify(&self, more: &[&str]) -> (i32, Value) {
        let log = self.path("log");
        let fixed = ["verify", &log, "--public-key", &self.public, "--json"];
        let out = run(&[&fixed, more].concat());
        let said = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
        (out.status.code().unwrap(), said)
    }
}

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickgate-audit")).args(words).output().unwrap()
}

fn segment(folder: &str, number: u32) -> PathBuf {
    Path::new(folder).join(format!("{number:08}.tga"))
}

/// Goal: a good log is exit 0, a bad one exit 1 with the first bad record named, no log exit 3, no key exit 2.
/// Method: one of each.
#[test]
fn verify_names_the_first_bad_record() {
    let case = Case::new();
    let checkpoints = case.path("checkpoints");
    let (code, said) = case.verify(&["--checkpoints", &checkpoints]);
    assert_eq!((code, &said["good"], &said["records"]), (0, &true.into(), &60.into()), "{said}");
    assert_eq!(said["closed"], true);
    assert_eq!(said["witnessed"], said["checkpoints"]);

    let path = segment(&case.path("log"), 0);
    let whole = std::fs::read(&path).unwrap();
    let mut bad = whole.clone();
    bad[152 + 232 + 3 * 232 + 50] ^= 4; // Header, first checkpoint, three records.
    std::fs::write(&path, &bad).unwrap();
    let (code, said) = case.verify(&[]);
    assert_eq!((code, &said["record"]), (1, &4.into()), "{said}");
    assert_eq!(
        (&said["fault"], &said["offset"]),
        (&"broken_chain".into(), &(152 + 4 * 232).into())
    );
    std::fs::write(&path, &whole).unwrap();

    let log = case.path("log");
    let last = (0..).take_while(|number| segment(&log, *number).exists()).last().unwrap();
    std::fs::remove_file(segment(&log, last)).unwrap();
    assert_eq!(case.verify(&[]).0, 0, "cut between segments: every checkpoint agrees");
    let (code, said) = case.verify(&["--checkpoints", &checkpoints]);
    assert_eq!((code, &said["fault"]), (1, &"cut_off".into()), "{said}");

    let missing = case.path("nothing");
    let key = &case.public;
    assert_eq!(run(&["verify", &missing, "--public-key", key]).status.code(), Some(3));
    assert_eq!(run(&["verify", &missing]).status.code(), Some(2));
    assert_eq!(run(&["verify", &missing, "--public-key", "beef"]).status.code(), Some(2));
    let taken = case.path("audit.key");
    assert_eq!(run(&["keygen", "--out", &taken]).status.code(), Some(3), "never overwritten");
    let again = run(&["public-key", &taken]);
    assert_eq!(String::from_utf8(again.stdout).unwrap().trim(), case.public);
}

/// Goal: every record is shown, each as one object. Method: count them by kind.
#[test]
fn show_prints_all() {
    let case = Case::new();
    let out = run(&["show", &case.path("log"), "--json"]);
    assert!(out.status.success());
    let text = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused = lines.iter().filter(|line| line["kind"] == "refused");
    assert!(refused.clone().all(|line| line["reason"] == "clip"), "{text}");
    assert_eq!(refused.count(), 20);
    assert_eq!(lines.iter().filter(|line| line["kind"] != "checkpoint").count(), 60);
    let out = run(&["show", &case.path("log")]);
    assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count(), lines.len());
}

/// Goal: the proof of an order is accepted without the log, and no altered one is. Method: prove, check, alter each
/// part.
#[test]
fn proofs_of_an_order() {
    let case = Case::new();
    let (log, file) = (case.path("log"), case.path("proof.json"));
    let key = &case.public;
    let out = run(&["prove", &log, "--order", "7", "--public-key", key, "--out", &file]);
    assert!(out.status.success(), "{out:?}");
    std::fs::remove_dir_all(&log).unwrap();
    let check = || {
        let out = run(&["check-proof", &file, "--public-key", key, "--json"]);
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    };
    let (code, said) = check();
    assert_eq!((code, said.lines().count()), (0, 3));
    let text = std::fs::read_to_string(&file).unwrap();
    let good: Value = serde_json::from_str(&text).unwrap();
    let alter = |change: &dyn Fn(&mut Value)| {
        let mut bad = good.clone();
        change(&mut bad);
        std::fs::write(&file, bad.to_string()).unwrap();
        assert_ne!(check().0, 0, "{bad}");
    };
    let flip = |value: &mut Value| {
        let text = value.as_str().unwrap();
        let last = if text.ends_with('0') { "1" } else { "0" };
        *value = format!("{}{last}", &text[..text.len() - 1]).into();
    };
    alter(&|proof| flip(&mut proof["checkpoint"]));
    alter(&|proof| flip(&mut proof["records"][1]["bytes"]));
    alter(&|proof| flip(&mut proof["records"][1]["path"][0]));
    alter(&|proof| proof["records"][1]["record"] = 1.into());
    alter(&|proof| proof["records"][1]["says"]["qty"] = 1_000_000.into());
    alter(&|proof| proof["records"] = Value::Array(Vec::new()));
    std::fs::write(&file, "{").unwrap();
    assert_eq!(check().0, 3);
    let other = case.path("other.key");
    let other = run(&["keygen", "--out", &other]);
    let other = String::from_utf8(other.stdout).unwrap();
    std::fs::write(&file, &text).unwrap();
    let out = run(&["check-proof", &file, "--public-key", other.trim()]);
    assert_eq!(out.status.code(), Some(1));
}

/// Goal: help shows examples. Method: ask.
#[test]
fn help_has_examples() {
    let text = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(text.contains("Examples:") && text.contains("check-proof proof.json"), "{text}");
}
