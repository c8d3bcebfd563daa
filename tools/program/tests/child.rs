//! A program that another one runs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use program::output;

/// Goal: what a child answers comes back whole, with its exit code. Method: more than a pipe holds.
#[test]
fn it_answers() {
    let mut command = Command::new("sh");
    command.args(["-c", "head -c 1000000 /dev/zero; exit 7"]);
    let said = output(&mut command, &AtomicBool::new(false)).unwrap();
    assert_eq!((said.status.code(), said.stdout.len()), (Some(7), 1_000_000));
}

/// Goal: a child is told to stop when the program that runs it is. Method: one that would sleep for an hour.
#[test]
fn it_is_told() {
    let here = std::env::current_exe().unwrap();
    let built = here.ancestors().nth(2).unwrap().join("examples/runs");
    let script = "trap 'kill $!; echo told' INT; sleep 3600 & echo ready >&2; wait; echo end";
    let mut runs = Command::new(built)
        .arg(script)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(runs.stderr.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let sent = Command::new("kill").args(["-INT", &runs.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let mut said = String::new();
    runs.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "told\nend\nexit status: 0\n");
    assert!(runs.wait().unwrap().success());
}
