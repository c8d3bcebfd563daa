//! Says that it waits, and ends when it is asked to stop: for the tests of that.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use program::println;

/// `waits [MS]`: how long it takes to end once it is asked.
fn main() -> ExitCode {
    let takes = std::env::args().nth(1).and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let stop = program::stop_on_signal().expect("signals");
    println!("waits");
    while !stop.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(1));
    }
    println!("asked");
    sleep(Duration::from_millis(takes));
    ExitCode::from(7)
}
