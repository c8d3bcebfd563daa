//! A program that runs another one and waits for it.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How often somebody looks whether `stop` is set.
const LOOK: Duration = Duration::from_secs(1);

/// What a command answers. If `stop` is set, it is told to stop too, here and nowhere else: whoever is told twice ends at once
/// and leaves behind what it holds. The caller sleeps meanwhile, but for a look a second.
///
/// # Errors
///
/// The command cannot be run.
pub fn output(command: &mut Command, stop: &AtomicBool) -> io::Result<Output> {
    let mut child = command.process_group(0).stdout(Stdio::piped()).spawn()?;
    let mut answer = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (heard, hear) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut stdout = Vec::new();
        let read = answer.read_to_end(&mut stdout);
        drop(heard);
        read.map(|_| stdout)
    });
    let mut told = false;
    while hear.recv_timeout(LOOK) == Err::<(), _>(RecvTimeoutError::Timeout) {
        if stop.load(Ordering::Relaxed) && !std::mem::replace(&mut told, true) {
            kill_process(Pid::from_child(&child), Signal::INT)?;
        }
    }
    let stdout = reading.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
    Ok(Output { status: child.wait()?, stdout, stderr: Vec::new() })
}
