//! An engine that nobody hears: its log and its answer go to a full disk.

use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};

use tests::program;

/// How a demonstration of two seconds ends whose standard output and standard error are these files.
fn demo(stdout: &str, stderr: &str) -> ExitStatus {
    let to = |path| Stdio::from(File::options().write(true).open(path).expect("a device"));
    let name = format!("unheard-{}", std::process::id());
    let mut demo = Command::new(program("tickgate"));
    demo.args(["demo", "--json", "--seconds", "2", "--name", &name]).env("RUST_LOG", "info");
    demo.stdin(Stdio::null()).stdout(to(stdout)).stderr(to(stderr)).status().unwrap()
}

/// Goal: no engine ends because its log cannot be written, and none says that it is done whose answer got lost. Method: either
/// to a full disk.
#[test]
fn an_engine_outlives_its_log() {
    assert_eq!(demo("/dev/null", "/dev/full").code(), Some(0));
    assert_eq!(demo("/dev/full", "/dev/full").code(), Some(1));
}
