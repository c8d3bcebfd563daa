//! A program that another one runs.
#![allow(missing_docs)]

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use program::output;

/// Goal: what a child answers comes back whole, with its exit code. Method: more than a pipe holds.
#[test]
fn it_answers() {
    let mut command = Command::new("sh");
    command.args(["-c", "head -c 1000000 /dev/zero; exit 7"]);
    let said = output(&mut command, &AtomicBool::new(false)).unwrap();
    assert_eq!((said.status.code(), said.stdout.len()), (Some(7), 1_000_000));
}

/// Goal: a child is told to stop when this program is, once. Method: one that would sleep for an hour, and counts what it hears.
#[test]
fn it_is_told_once() {
    let stop = AtomicBool::new(false);
    let mut command = Command::new("sh");
    command.args(["-c", "trap 'echo told' INT; sleep 3600 & wait; kill $!; sleep 2; echo end"]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            stop.store(true, Ordering::Relaxed);
        });
        let begun = Instant::now();
        let said = output(&mut command, &stop).unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), "told\nend\n");
        assert!(said.status.signal().is_none() && begun.elapsed() < Duration::from_secs(60));
    });
}
