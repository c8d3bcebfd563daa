//! `tickgate-sim mold`.

pub(super) mod options;
mod report;

use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use program::{eprint, eprintln};
use sim::net::{Counters, Publisher};
use sim::source::{self, Source};

pub use options::Options;

/// Pause between looks at a publisher.
const LOOK: Duration = Duration::from_millis(20);
const LINE_EVERY: Duration = Duration::from_millis(250);

/// What a run came to.
struct Outcome {
    counters: Counters,
    error: Option<String>,
    interrupted: bool,
}

/// Publishes until the day is over and the servers have lingered, or until Ctrl-C.
pub fn run(options: &Options) -> ExitCode {
    let outcome = source(options).and_then(|source| publish(options, source));
    match outcome {
        Ok(outcome) => {
            report::report(&outcome, options.json);
            match (outcome.error, outcome.interrupted) {
                (Some(error), _) => {
                    eprintln!("tickgate-sim: {}: {error}", options.name());
                    ExitCode::from(3)
                }
                (None, true) => ExitCode::from(130),
                (None, false) => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            eprintln!("tickgate-sim: {error}");
            ExitCode::from(2)
        }
    }
}

fn source(options: &Options) -> io::Result<Source> {
    let Some(path) = &options.file else {
        let config = options.day();
        let day = move || source::synthetic(synth::Day::new(config));
        return Ok(if options.repeat { source::repeated(day) } else { day() });
    };
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if path.as_os_str() == "-" && options.repeat {
        return Err(io::Error::other("standard input cannot be repeated: name a file"));
    }
    if path.as_os_str() == "-" {
        return Ok(source::binary_file(BufReader::new(io::stdin())));
    }
    if options.repeat {
        return Ok(source::for_ever(std::fs::read(path).map_err(named)?));
    }
    let file = File::open(path).map_err(named)?;
    Ok(source::binary_file(BufReader::with_capacity(1 << 20, file)))
}

fn publish(options: &Options, source: Source) -> io::Result<Outcome> {
    let stop = program::stop_on_signal()?;
    let config = options.config();
    let start = Instant::now();
    let publisher = Publisher::start(config.clone(), source)?;
    report::addresses(&config, &publisher);
    let mut line = io::stderr().is_terminal().then(|| start + LINE_EVERY);
    let mut done: Option<Duration> = None;
    while !stop.load(Ordering::Relaxed) {
        if publisher.is_done() {
            let done = *done.get_or_insert_with(|| start.elapsed());
            if publisher.error().is_some()
                || start.elapsed() - done >= Duration::from_secs(options.linger)
            {
                break;
            }
        }
        if line.is_some_and(|next| Instant::now() >= next) {
            line = Some(Instant::now() + LINE_EVERY);
            report::progress(&publisher.counters(), start.elapsed());
        }
        thread::sleep(LOOK);
    }
    if line.is_some() {
        eprint!("\r\x1b[K");
    }
    let error = publisher.error();
    Ok(Outcome { interrupted: done.is_none(), counters: publisher.stop(), error })
}
