//! `tickgate capture`: records live feeds as raw bytes with the time at which each was received.
#![forbid(unsafe_code)]

mod files;
mod lines;
mod server;
mod stream;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use engine::config::{Config, FeedSource};
use feeds::Venue;
use program::{eprint, eprintln, println};

use files::Place;

/// Records every live feed of a configuration: datagrams as pcapng, and so the messages of connections, as the datagrams that
/// would have carried them; texts as `nanoseconds json` lines in zstd.
///
/// What was received before a kill is on disk but for the last moment. `tickgate replay` reads the files back.
#[derive(Parser)]
#[command(name = "tickgate capture", version)]
#[command(after_help = "Examples:\n  tickgate capture --config engine.toml --out captures\n  \
    tickgate capture --config engine.toml --out captures --seconds 60 --rotate-mb 64 --json")]
struct Cli {
    /// engine.toml; its live feeds are recorded, and nothing else of it is used.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder for the files; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Begins another file after so many megabytes.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..))]
    rotate_mb: u64,
    /// Ends after so many seconds; without it, on Ctrl-C.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Prints one JSON object at the end.
    #[arg(long)]
    json: bool,
}

/// What a feed's recorder has done, seen by everybody.
#[derive(Debug, Default)]
struct Done {
    /// Datagrams or texts.
    records: AtomicU64,
    /// Bytes of them.
    bytes: AtomicU64,
    /// Datagrams that the kernel dropped.
    dropped: AtomicU64,
    /// Files begun.
    files: AtomicU64,
}

/// What recorders share.
#[derive(Clone)]
struct Shared {
    stop: Arc<AtomicBool>,
    done: Arc<Done>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(interrupted) if interrupted => ExitCode::from(130),
        Ok(_) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("tickgate-capture: {message}");
            ExitCode::from(code)
        }
    }
}

type Failure = (u8, String);

fn run(cli: &Cli) -> Result<bool, Failure> {
    let config = Config::load(&cli.config).map_err(|errors| (2, errors.to_string()))?;
    std::fs::create_dir_all(&cli.out)
        .map_err(|error| (1, format!("{}: {error}", cli.out.display())))?;
    let stop = Arc::new(AtomicBool::new(false));
    let interrupted = program::stop_on_signal().map_err(|error| (1, error.to_string()))?;
    let mut recorders = Vec::new();
    for (number, feed) in config.engine.feeds.iter().enumerate() {
        let shared = Shared { stop: stop.clone(), done: Arc::new(Done::default()) };
        let place = Place::new(&cli.out, number, feed.venue.name(), cli.rotate_mb << 20);
        let thread = match &feed.source {
            FeedSource::Captures(_) => continue,
            FeedSource::Lines(lines) => lines::start(lines, place, shared.clone())?,
            FeedSource::Server(server) => {
                server::start(number as u8, server, place, shared.clone())?
            }
            FeedSource::Stream(stream) => {
                stream::start(feed.venue, number as u8, stream, place, shared.clone())
            }
        };
        recorders.push(Recorder { number, venue: feed.venue, done: shared.done, thread });
    }
    if recorders.is_empty() {
        return Err((2, format!("{}: no live feed", cli.config.display())));
    }
    wait(cli, &recorders, &interrupted);
    stop.store(true, Ordering::Release);
    finish(cli, recorders)?;
    Ok(interrupted.load(Ordering::Acquire))
}

/// A feed that is being recorded.
struct Recorder {
    number: usize,
    venue: Venue,
    done: Arc<Done>,
    thread: std::thread::JoinHandle<Result<(), String>>,
}

/// Waits for the end, showing how far it is. A recorder that ends by itself has failed, and nobody records without it.
fn wait(cli: &Cli, recorders: &[Recorder], stop: &AtomicBool) {
    let begun = Instant::now();
    let over = || cli.seconds.is_some_and(|seconds| begun.elapsed().as_secs() >= seconds);
    let mut shown = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    while !stop.load(Ordering::Acquire) && !over() {
        if recorders.iter().any(|recorder| recorder.thread.is_finished()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        if terminal && shown.elapsed() >= Duration::from_secs(1) {
            shown = Instant::now();
            let sum = |read: fn(&Done) -> &AtomicU64| -> u64 {
                recorders.iter().map(|r| read(&r.done).load(Ordering::Relaxed)).sum()
            };
            let (records, bytes, dropped) =
                (sum(|done| &done.records), sum(|done| &done.bytes), sum(|done| &done.dropped));
            eprint!(
                "\r{:>6} s  {records} records  {:.1} MB  {dropped} dropped by the kernel ",
                begun.elapsed().as_secs(),
                bytes as f64 / 1e6
            );
        }
    }
    if terminal {
        eprintln!();
    }
}

fn finish(cli: &Cli, recorders: Vec<Recorder>) -> Result<(), Failure> {
    let (mut feeds, mut failed) = (Vec::new(), None);
    // All of them end before anything is said of one: an answer that does not get out ends the program.
    let ended = recorders.into_iter().map(|Recorder { number, venue, done, thread }| {
        let ended = thread.join().unwrap_or_else(|_| Err("its thread failed".into()));
        (number, venue, done, ended)
    });
    for (number, venue, done, ended) in ended.collect::<Vec<_>>() {
        if let Err(error) = ended {
            eprintln!("tickgate-capture: feed {number}, {venue}: {error}");
            failed.get_or_insert((1, "a feed could not be recorded".to_owned()));
        }
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (records, bytes) = (read(&done.records), read(&done.bytes));
        let (dropped, files) = (read(&done.dropped), read(&done.files));
        if !cli.json {
            println!(
                "feed {number}, {venue}: {records} records, {bytes} bytes, {files} files, {dropped} dropped"
            );
        }
        feeds.push(serde_json::json!({
            "feed": number, "venue": venue.name(), "records": records, "bytes": bytes,
            "files": files, "dropped": dropped,
        }));
    }
    if cli.json {
        println!("{}", serde_json::json!({ "feeds": feeds, "folder": cli.out }));
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a recorder that fails is told of at once and ends the others, with an exit code that says so. Method: one that
    /// fails,
    /// and one that would go on for ever.
    #[test]
    fn a_failure_is_not_waited_for() {
        let cli = Cli::parse_from(["tickgate-capture", "--config", "x", "--out", "x"]);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let bad = std::thread::spawn(|| Err("disk full".to_owned()));
        let good = std::thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        });
        let recorder = |number, thread| Recorder {
            number,
            venue: Venue::Iex,
            done: Arc::new(Done::default()),
            thread,
        };
        let recorders = vec![recorder(0, good), recorder(1, bad)];
        // Should the wait have no end by itself, this is one.
        let late = stop.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(20));
            late.store(true, Ordering::Release);
        });
        wait(&cli, &recorders, &stop);
        assert!(!stop.swap(true, Ordering::AcqRel), "waited for the other");
        assert_eq!(finish(&cli, recorders).unwrap_err().0, 1);
    }
}
