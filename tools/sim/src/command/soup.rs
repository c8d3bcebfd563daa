//! `tickgate-sim soup`.

use std::fs::File;
use std::io::{self, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use program::{eprintln, println};
use sim::mold::{Credentials, Pace};
use sim::soup::{Config, Counters, Faults, Server};
use sim::source::{self, Source};

use super::mold::options::{at_most, session};

/// Pause between looks at the server.
const LOOK: Duration = Duration::from_millis(20);

/// A venue of Nasdaq's kind over connections: SoupBinTCP, every message of the session from the sequence
/// that a client asks for.
///
/// Publishes a synthetic day, or a file of TotalView-ITCH messages, each behind its 2-byte length. Its
/// times are the day's: a client that judges by the clock whether it is current needs a wide lag.
///
/// Faults are name=value with commas between them: drop, stall, garbage and session (another one takes
/// over) are of a million messages; misplace (another sequence than was asked for) and reject of a
/// thousand logins; stall-time is a time like 20s; seed is a number.
#[derive(Args)]
#[command(after_help = "Examples:
  tickgate-sim soup --repeat
  tickgate-sim soup --file day.itch --speed 1000 --faults drop=500,stall=20
  tickgate-sim soup --messages 1000000 --rate 50000 --faults garbage=5,session=2 --json")]
pub struct Options {
    /// Publish this file; - is standard input. Without: a synthetic day.
    #[arg(long, conflicts_with_all = ["seed", "symbols", "messages"])]
    file: Option<PathBuf>,
    /// Seed of the synthetic day.
    #[arg(long, default_value_t = synth::Config::SAMPLE.seed)]
    seed: u64,
    /// Symbols of the synthetic day.
    #[arg(
        long,
        default_value_t = synth::Config::SAMPLE.symbols,
        value_parser = clap::value_parser!(u16).range(1..=60_000)
    )]
    symbols: u16,
    /// About how many messages the synthetic day has.
    #[arg(long, default_value_t = synth::Config::SAMPLE.messages)]
    messages: u64,
    /// Begin again after the last message, in the same session, until Ctrl-C or 16 million messages.
    #[arg(long)]
    repeat: bool,

    /// Where it listens; port 0: any.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26404")]
    listen: SocketAddr,
    /// First session, at most ten characters.
    #[arg(long, default_value = "SIM0000001", value_parser = session)]
    session: [u8; 10],
    /// User.
    #[arg(long, default_value = "sim", value_parser = at_most::<6>)]
    user: String,
    /// Its password.
    #[arg(long, default_value = "sim", value_parser = at_most::<10>)]
    password: String,

    /// Speed in per cent of the recorded pace.
    #[arg(
        long,
        default_value_t = 100,
        value_name = "PER_CENT",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    speed: u32,
    /// So many messages a second, instead of the recorded pace.
    #[arg(
        long,
        value_name = "MESSAGES",
        conflicts_with_all = ["speed", "flat_out"],
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    rate: Option<u32>,
    /// As fast as can be, instead of the recorded pace.
    #[arg(long, conflicts_with = "speed")]
    flat_out: bool,
    /// What goes wrong.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    faults: Faults,

    /// Seconds that the server goes on after the last message.
    #[arg(
        long,
        default_value_t = 5,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(..=86_400)
    )]
    linger: u64,
    /// Print a summary on standard output, as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Options {
    fn name(&self) -> String {
        self.file.as_ref().map_or("synthetic day".to_owned(), |file| file.display().to_string())
    }

    fn config(&self) -> Config {
        let pace = match (self.rate, self.flat_out) {
            (Some(rate), _) => Pace::PacketsPerSecond(rate),
            (None, true) => Pace::FlatOut,
            (None, false) => Pace::Recorded { per_cent: self.speed },
        };
        let (user, password) = (self.user.clone(), self.password.clone());
        Config {
            session: self.session,
            pace,
            credentials: Credentials { user, password },
            faults: self.faults,
            ..Config::default()
        }
    }

    fn source(&self) -> io::Result<Source> {
        let Some(path) = &self.file else {
            let (seed, symbols, messages) = (self.seed, self.symbols, self.messages);
            let config = synth::Config { seed, symbols, messages, ..synth::Config::SAMPLE };
            let day = move || source::synthetic(synth::Day::new(config));
            return Ok(if self.repeat { source::repeated(day) } else { day() });
        };
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        match (path.as_os_str() == "-", self.repeat) {
            (true, true) => Err(io::Error::other("standard input cannot be repeated: name a file")),
            (true, false) => Ok(source::binary_file(BufReader::new(io::stdin()))),
            (false, true) => Ok(source::for_ever(std::fs::read(path).map_err(named)?)),
            (false, false) => {
                let file = File::open(path).map_err(named)?;
                Ok(source::binary_file(BufReader::with_capacity(1 << 20, file)))
            }
        }
    }
}

/// Publishes until the day is over and the server has lingered, or until Ctrl-C.
pub fn run(options: &Options) -> ExitCode {
    let outcome = options.source().and_then(|source| publish(options, source));
    match outcome {
        Ok((counters, error, interrupted)) => {
            report(&counters, error.as_deref(), interrupted, options.json);
            match (error, interrupted) {
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

fn publish(options: &Options, source: Source) -> io::Result<(Counters, Option<String>, bool)> {
    let stop = program::stop_on_signal()?;
    let server = Server::start(options.listen, options.config(), source)?;
    eprintln!("SoupBinTCP {}", server.address());
    let mut done: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        if server.is_over() {
            let done = *done.get_or_insert_with(Instant::now);
            if server.error().is_some() || done.elapsed() >= Duration::from_secs(options.linger) {
                break;
            }
        }
        thread::sleep(LOOK);
    }
    let error = server.error();
    Ok((server.stop(), error, done.is_none()))
}

fn report(counters: &Counters, error: Option<&str>, interrupted: bool, as_json: bool) {
    let Counters { messages, sent, connections, logins, rejected, broken, .. } = counters;
    let Counters { dropped, stalled, garbage, misplaced, sessions, .. } = counters;
    if as_json {
        let object = serde_json::json!({
            "messages": messages,
            "sent": sent,
            "connections": connections,
            "logins": logins,
            "rejected": rejected,
            "broken": broken,
            "dropped": dropped,
            "stalled": stalled,
            "garbage": garbage,
            "misplaced": misplaced,
            "sessions": sessions,
            "interrupted": interrupted,
            "error": error,
        });
        println!("{object}");
        return;
    }
    eprintln!(
        "{messages} messages; {connections} connections, {logins} logins, {sent} messages sent"
    );
    eprintln!(
        "{dropped} dropped, {stalled} stalled, {garbage} garbage, {misplaced} misplaced, {sessions} \
         other sessions, {rejected} rejected, {broken} broken"
    );
}
