//! How a program is asked to stop.

use std::io;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

/// The exit code of a program that was asked to stop.
pub const INTERRUPTED: i32 = 130;
/// A second signal within this time is the first one once more: whoever passes Ctrl-C on to a whole group sends it twice. A
/// terminal that closes says so twice at any time, and never asks again.
const ONCE: Duration = Duration::from_millis(200);
/// The process that is to be told as well; 0: none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Whom a wish to stop is passed on to from now on.
pub(crate) fn pass_on_to(child: Option<&Child>) {
    let number = child.map_or(0, |child| Pid::from_child(child).as_raw_nonzero().get());
    CHILD.store(number, Ordering::SeqCst);
}

/// Passes it on. A terminal may have told that process too: twice within [`ONCE`] is once.
pub(crate) fn pass_on() {
    if let Some(child) = Pid::from_raw(CHILD.load(Ordering::SeqCst)) {
        let _ = kill_process(child, Signal::INT);
    }
}

/// A flag that is set by Ctrl-C, by a request to terminate and, but under `nohup`, by a terminal that closes. Whoever asks once
/// more ends the process at once, with [`INTERRUPTED`].
///
/// # Errors
///
/// The operating system gives no signals, or no thread to hear them on.
pub fn stop_on_signal() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if !ignores(SIGHUP) {
        signals.handle().add_signal(SIGHUP)?;
    }
    let asked = Arc::clone(&stop);
    let hear = move || {
        let mut first = None;
        for signal in signals.forever() {
            let first: Instant = *first.get_or_insert_with(Instant::now);
            // In one order with a child's number: who starts one looks at this flag behind it.
            let was_asked = asked.swap(true, Ordering::SeqCst);
            if !was_asked {
                pass_on();
            } else if first.elapsed() > ONCE && signal != SIGHUP {
                exit(INTERRUPTED);
            }
        }
    };
    Builder::new().name("signals".into()).spawn(hear)?;
    Ok(stop)
}

/// Whether whoever started the program had it ignore a signal.
fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
