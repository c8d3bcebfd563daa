//! A program that runs another one and waits for it.

use std::io::{self, Read};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::stop;

/// What a command answers. If this program is told to stop meanwhile ([`crate::stop_on_signal`], whose flag `stop` is), the
/// command is told too, at once. The caller sleeps. One command at a time.
///
/// # Errors
///
/// The command cannot be run.
pub fn output(command: &mut Command, stop: &AtomicBool) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut answer = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    stop::pass_on_to(Some(&child));
    if stop.load(Ordering::SeqCst) {
        stop::pass_on(); // The signal came before there was a child.
    }
    let mut stdout = Vec::new();
    let read = answer.read_to_end(&mut stdout);
    stop::pass_on_to(None); // Once it is waited for, its number may be another's.
    let status = child.wait()?;
    read.map(|_| Output { status, stdout, stderr: Vec::new() })
}
