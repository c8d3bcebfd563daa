//! An engine that nobody hears: its log and its answer go to a full disk, or to somebody who has gone.

use std::fs::OpenOptions;
use std::process::{Command, ExitStatus, Stdio};

use tests::program;

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("a device that is full").into()
}

fn nobody() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// How a demonstration of two seconds ends.
fn demo(stdout: Stdio, stderr: Stdio) -> ExitStatus {
    let name = format!("unheard-{}", std::process::id());
    let mut demo = Command::new(program("tickgate"));
    demo.args(["demo", "--json", "--seconds", "2", "--name", &name]).env("RUST_LOG", "info");
    demo.stdin(Stdio::null()).stdout(stdout).stderr(stderr).status().unwrap()
}

/// Goal: no engine ends because its log cannot be written, and none says that it is done whose answer got lost. Method: both
/// to a full disk and to a pipe that nobody reads.
#[test]
fn an_engine_outlives_its_log() {
    assert_eq!(demo(Stdio::null(), full()).code(), Some(0));
    assert_eq!(demo(Stdio::null(), nobody()).code(), Some(0));
    assert_eq!(demo(full(), full()).code(), Some(1));
    assert_eq!(demo(nobody(), Stdio::null()).code(), Some(141));
}
