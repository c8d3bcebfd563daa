//! The program, run: over an excerpt of events with known verdicts, over the whole file where it is, and over spoiled ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn verify(limits: &Path, events: &Path) -> (i32, Value, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tickgate-risk"));
    let run = program.arg("verify").arg("--limits").arg(limits).arg("--events").arg(events);
    let run = run.arg("--json").output().unwrap();
    let said = serde_json::from_slice(&run.stdout).unwrap_or_default();
    (run.status.code().unwrap(), said, String::from_utf8_lossy(&run.stderr).into_owned())
}

/// Goal: verdicts and books are those of the excerpt. Method: 400 events of the slow program.
#[test]
fn the_excerpt_is_equal() {
    let (code, said, error) = verify(&golden("limits.json"), &golden("events.jsonl"));
    assert_eq!(
        (code, said["events"].as_u64(), said["differences"].as_u64()),
        (0, Some(400), Some(0))
    );
    assert!(error.is_empty() && said["passed"].as_u64().unwrap() > 50);
}

/// Goal: the same over the whole file. Method: it is not part of the repository; where it is absent the test says so.
#[test]
fn the_whole_is_equal() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let folder = std::env::var_os("TICKGATE_GOLDEN").map_or(beside, PathBuf::from);
    let events = folder.join("risk_events.jsonl");
    if !events.exists() {
        eprintln!("SKIPPED: {} is not there; set TICKGATE_GOLDEN", events.display());
        return;
    }
    let (code, said, _) = verify(&folder.join("risk_limits.json"), &events);
    assert_eq!((code, said["events"].as_u64()), (0, Some(35_622)));
}

/// Goal: a difference is found where it is, in verdict and in books; what cannot be read is named by its line. Method: one
/// digit of a verdict, of a digest, of a limit changed; a line cut off; an order that nobody sent.
#[test]
fn differences_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(golden("events.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |number: usize, line: String| {
        let mut lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
        lines[number - 1] = line;
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        verify(&golden("limits.json"), &path)
    };
    let refused = 1 + lines.iter().position(|line| line.contains("\"verdict\": 65536")).unwrap();
    let changed = lines[refused - 1].replace("65536", "65537");
    let (code, said, _) = with(refused, changed);
    assert_eq!((code, said["first_difference"]["line"].as_u64()), (1, Some(refused as u64)));
    let digest = 1 + lines[9].find("\"digest\": \"").unwrap() + 10;
    let digit = if lines[9].as_bytes()[digest] == b'0' { "1" } else { "0" };
    let changed = format!("{}{digit}{}", &lines[9][..digest], &lines[9][digest + 1..]);
    let (code, said, _) = with(10, changed);
    assert_eq!((code, said["first_difference"]["line"].as_u64()), (1, Some(10)));
    let (code, _, error) = with(7, lines[6][..40].into());
    assert!(code == 3 && error.contains("line 7"), "{error}");
    let stranger = r#"{"t": "fill", "id": 999999, "q": 1, "px": 1, "ts": 1, "digest": "0"}"#;
    let (code, _, error) = with(400, stranger.into());
    assert!(code == 3 && error.contains("order 999999 is not open"), "{error}");

    let limits = std::fs::read_to_string(golden("limits.json")).unwrap();
    let tighter = folder.path().join("limits.json");
    std::fs::write(&tighter, limits.replace("\"max_qty\": 500", "\"max_qty\": 100")).unwrap();
    assert_eq!(verify(&tighter, &golden("events.jsonl")).0, 1);
    assert_eq!(verify(&folder.path().join("none.json"), &golden("events.jsonl")).0, 3);
}
