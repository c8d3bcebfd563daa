//! How a program ends that cannot write.

use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

/// The example program, which ends with 7, with these for standard output and standard error.
fn ended(stdout: Stdio, stderr: Stdio) -> Output {
    let here = std::env::current_exe().expect("this program");
    let built = here.ancestors().nth(2).expect("a folder of a build");
    let mut program = Command::new(built.join("examples/writes"));
    program.stdout(stdout).stderr(stderr).output().expect("`cargo test` builds it")
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("a device that is full").into()
}

fn nobody() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Goal: what is told gets lost without harm. Method: open pipes; nobody and a full disk on standard error.
#[test]
fn what_is_told_ends_nobody() {
    let good = ended(Stdio::piped(), Stdio::piped());
    assert_eq!(String::from_utf8_lossy(&good.stderr), "told\n");
    for ended in [good, ended(Stdio::piped(), nobody()), ended(Stdio::piped(), full())] {
        assert_eq!(ended.status.code(), Some(7));
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "answered\nto the end\n");
    }
}

/// Goal: an answer that does not get out is no success. Method: nobody reads; a full disk; and neither can be told.
#[test]
fn an_answer_that_is_lost_is_no_success() {
    let gone = ended(nobody(), Stdio::piped());
    assert_eq!(gone.status.code(), Some(program::NOBODY_READS));
    assert_eq!(String::from_utf8_lossy(&gone.stderr), "told\n");
    let lost = ended(full(), Stdio::piped());
    assert_eq!(lost.status.code(), Some(1));
    let said = "told\nstandard output: No space left on device (os error 28)\n";
    assert_eq!(String::from_utf8_lossy(&lost.stderr), said);
    assert_eq!(ended(full(), full()).status.code(), Some(1));
}
