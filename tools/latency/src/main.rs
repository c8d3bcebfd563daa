//! `tickgate latency`: from tick to verdict, stage by stage, in open loop, with the machine's hiccups beside it.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use cli::captured::{Captured, parse_speed};
use cli::exit::{Failure, stop_on_signal};
use engine::config::Speed;
use latency::band::{Baseline, Of, ROUNDS_MIN};
use latency::machine::Machine;
use latency::report::{Pace, Report};
use latency::round::{self, Round, RoundError};
use latency::subject::{Asked, Subject};
use latency::window::Window;
use latency::{html, json, text, words};
use program::{eprintln, print, println};
use serde::{Deserialize, Serialize};

/// Times that a round is done again at most.
const AGAIN: u32 = 3;

#[global_allocator]
static ALLOCATOR: host::Counting<mimalloc::MiMalloc> = host::Counting(mimalloc::MiMalloc);

/// Plays captures through the whole engine at their own pace and measures each event's way to the verdict of an order.
///
/// Open loop: a message is due at its recorded receive time, whatever the engine is doing, and its latency counts from then. The
/// busiest stretch of the captures is measured, at each pace in turn, each round in a process of its own; what comes before warms
/// up, and what comes after is played so that the state hash can be compared. Orders go to the paper venue. Beside the figures
/// stand the hiccups of both hot cores, and no percentile is shown that these or too few samples do not support.
#[derive(Parser)]
#[command(
    name = "tickgate latency",
    version,
    after_help = "Examples:\n  \
    tickgate latency day.itch --html report.html\n  \
    tickgate latency day.itch --speed 1,2,5,10,max --seconds 30 --rounds 5\n  \
    tickgate latency day.itch --baseline latency.json; tickgate latency day.itch --compare latency.json\n  \
    tickgate latency --venue binance_spot --symbol BTCUSDT:2:6 texts.jsonl.zst --json\n\n\
    Exit codes: 0 done; 1 slower than the baseline by more than its noise, or nothing to compare; 2 usage or configuration;\n\
    3 bad input; 130 interrupted."
)]
struct Cli {
    #[command(flatten)]
    captured: Captured,
    /// Paces, one after another in each round: factors of the recorded one, or `max`, which has no response time.
    #[arg(long, value_name = "FACTORS", default_value = "1", value_delimiter = ',', value_parser = parse_speed)]
    speed: Vec<Speed>,
    /// How long each window lasts on the clock.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    seconds: f64,
    /// Times that everything is measured: what lies between them is the noise.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Begins the window at this receive time of day (HH:MM:SS, UTC; of day files the venue's) in place of the busiest stretch.
    /// At `max`, which measures all but the first tenth, it means nothing.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<u64>,
    /// The probe sends an order on every N-th trade. Without it: as the configuration says, or on each.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    every: Option<u64>,
    /// Rules, sizes, strategies and cores; its feed and journal are not used. Without it: limits that nothing meets.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Core of the feed thread. Without it the last but one.
    #[arg(long, value_name = "N")]
    feed_cpu: Option<usize>,
    /// Core of the engine thread. Without it the last.
    #[arg(long, value_name = "N")]
    engine_cpu: Option<usize>,
    /// Writes the report as one HTML file, which needs nothing else.
    #[arg(long, value_name = "REPORT")]
    html: Option<PathBuf>,
    /// Writes the figures, and how far apart the rounds lie, for later runs to be compared with.
    #[arg(long, value_name = "FILE", conflicts_with = "compare")]
    baseline: Option<PathBuf>,
    /// Compares with figures that were written before.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// One round, as another process of this program asks for it.
    #[arg(long, hide = true)]
    round: Option<String>,
}

/// What one round is told by the process that wants it.
#[derive(Serialize, Deserialize)]
struct Order {
    speed: String,
    window: Window,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=3_600.0).contains(seconds));
    seconds.ok_or_else(|| "must be 0.1 to 3600 seconds".into())
}

/// Nanoseconds since midnight.
fn time(text: &str) -> Result<u64, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |text: &str, most: u64| text.parse().ok().filter(|number: &u64| *number < most);
    let time = || {
        let [hours, minutes, seconds] = *parts.as_slice() else { return None };
        let seconds = model::parse_decimal(seconds, 9).ok().and_then(|ns| u64::try_from(ns).ok());
        let seconds = seconds.filter(|ns| *ns < 60_000_000_000)?;
        Some((number(hours, 24)? * 60 + number(minutes, 60)?) * 60_000_000_000 + seconds)
    };
    time().ok_or_else(|| "must be a time such as 09:30:00 or 09:30:00.5".into())
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .init();
    let cli = Cli::parse();
    let done = match &cli.round {
        Some(order) => cli.one(order).map(|()| true),
        None => cli.run(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Failure { code, message }) => {
            if !message.is_empty() {
                eprintln!("tickgate latency: {message}");
            }
            ExitCode::from(code)
        }
    }
}

impl Cli {
    /// The whole; `false`: slower than the baseline.
    fn run(&self) -> Result<bool, Failure> {
        let stop = stop_on_signal()?;
        if (self.baseline.is_some() || self.compare.is_some())
            && usize::from(self.rounds) < ROUNDS_MIN
        {
            let text = format!("--baseline and --compare need {ROUNDS_MIN} rounds or more");
            return Err(Failure::usage(text));
        }
        let before = self.compare.as_deref().map(read_baseline).transpose()?;
        let subject = Subject::new(&self.asked(), true)?;
        let machine = Machine::this(subject.cpus);
        let windows = self.windows(&subject)?;
        let against = before.as_ref().zip(self.compare.as_deref());
        let refuse = |path: &Path, why| Failure::usage(format!("{}: {why}", path.display()));
        if let Some((before, path)) = against {
            let of = Of::new(&subject.facts, &machine, self.seconds, windows.iter().copied());
            before.check(&of).map_err(|why| refuse(path, why))?;
        }
        let rounds = self.rounds(&windows, &stop)?;
        let paces = windows.into_iter().zip(rounds);
        let paces = paces.map(|((speed, window), rounds)| Pace::new(speed, window, rounds));
        let mut report = Report {
            facts: subject.facts.clone(),
            machine,
            cpus: subject.cpus,
            seconds: self.seconds,
            paces: paces.collect(),
            compared: None,
        };
        let figures = Baseline::of(&report);
        if let Some((before, path)) = against {
            let compared = before.compare(&figures).map_err(|why| refuse(path, why))?;
            report.compared = Some(compared);
        }
        // Figures of minutes are told even if a file of them cannot be written.
        let written = self.write_files(&report, &figures);
        match self.json {
            true => println!("{}", json::object(&report)),
            false => print!("{}", text::page(&report)),
        }
        written?;
        Ok(report.compared.is_none_or(|compared| compared.is_good()))
    }

    fn write_files(&self, report: &Report, figures: &Baseline) -> Result<(), Failure> {
        if let Some(path) = &self.baseline {
            let text = serde_json::to_string(figures).map_err(Failure::usage)?;
            write(path, &text)?;
        }
        self.html.as_ref().map_or(Ok(()), |path| write(path, &html::page(report)))
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            captured: &self.captured,
            config: self.config.as_deref(),
            every: self.every,
            cpus: [self.feed_cpu, self.engine_cpu],
        }
    }

    /// What is measured at each pace.
    fn windows(&self, subject: &Subject) -> Result<Vec<(Speed, Window)>, Failure> {
        let scan = &subject.scan;
        let of = |speed: &Speed| {
            let window = match *speed {
                Speed::Max => scan.rest(),
                Speed::Times(times) => {
                    let length = self.seconds * 1e9 * times as f64 / 1_000.0;
                    scan.window(length as u64, self.from)
                }
            };
            let window = window.filter(|window| window.events > 0);
            let none = || Failure::usage("the captures hold nothing at or after that time");
            window.map(|window| (*speed, window)).ok_or_else(none)
        };
        self.speed.iter().map(of).collect()
    }

    /// All paces in each round, so that what changes on the machine changes for all; by pace.
    fn rounds(
        &self,
        windows: &[(Speed, Window)],
        stop: &AtomicBool,
    ) -> Result<Vec<Vec<Round>>, Failure> {
        let mut rounds = vec![Vec::new(); windows.len()];
        for number in 1..=self.rounds {
            for ((speed, window), rounds) in windows.iter().zip(&mut rounds) {
                if stop.load(Ordering::Relaxed) {
                    return Err(Failure::interrupted());
                }
                let (of, events, pace) = (self.rounds, window.events, words::factor(*speed));
                eprintln!("round {number} of {of}: {events} events, pace {pace}");
                let order = Order { speed: speed.to_string(), window: *window };
                rounds.push(apart(&order, stop)?);
            }
        }
        Ok(rounds)
    }

    /// One round, in this process.
    fn one(&self, order: &str) -> Result<(), Failure> {
        let stop = stop_on_signal()?;
        let order: Order = serde_json::from_str(order).map_err(Failure::usage)?;
        let speed = parse_speed(&order.speed).map_err(Failure::usage)?;
        let subject = Subject::new(&self.asked(), false)?;
        let round = round::run(subject.config(speed), order.window, subject.cpus, &stop);
        let round = round.map_err(|error| match error {
            RoundError::Run(error) => Failure::from(error),
            RoundError::Interrupted => Failure::interrupted(),
            RoundError::NoStamps => Failure { code: 1, message: error.to_string() },
        })?;
        println!("{}", serde_json::to_string(&round).map_err(Failure::usage)?);
        Ok(())
    }
}

/// A round; where both cores were threads of one, another in its place, [`AGAIN`] times at most.
fn apart(order: &Order, stop: &AtomicBool) -> Result<Round, Failure> {
    let mut again = 0;
    loop {
        let round = other_process(order, stop)?;
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::interrupted());
        }
        if round.is_apart() || again == AGAIN {
            return Ok(round);
        }
        again += 1;
        eprintln!("both cores were threads of one: once more, {again} of {AGAIN}");
    }
}

/// A round in a process of its own: memory lies elsewhere in each, and that is part of the noise.
fn other_process(order: &Order, stop: &AtomicBool) -> Result<Round, Failure> {
    let refuse = |error: io::Error| Failure::io("a process for the round", &error);
    let order = serde_json::to_string(order).map_err(Failure::usage)?;
    let mut command = Command::new(std::env::current_exe().map_err(refuse)?);
    command.args(words_of_round(&order, std::env::args_os().skip(1)));
    let output = program::output(&mut command, stop).map_err(refuse)?;
    if !output.status.success() {
        return Err(failure_of_round(output.status));
    }
    let round = serde_json::from_slice(&output.stdout);
    round.map_err(|error| Failure {
        code: 1,
        message: format!("a round said what is none: {error}"),
    })
}

/// What the process of a round is told: what this one was, behind what makes a round of it, for after `--` all are files.
fn words_of_round(order: &str, words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    ["--round", order].map(OsString::from).into_iter().chain(words).collect()
}

fn failure_of_round(status: ExitStatus) -> Failure {
    match status.code() {
        // It has said why.
        Some(code) => Failure { code: u8::try_from(code).unwrap_or(1), message: String::new() },
        None => {
            Failure { code: 1, message: format!("the process of a round was killed: {status}") }
        }
    }
}

fn read_baseline(path: &Path) -> Result<Baseline, Failure> {
    let refuse = |error: &dyn std::fmt::Display| Failure {
        code: 3,
        message: format!("{}: {error}", path.display()),
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(&error))?;
    serde_json::from_str(&text).map_err(|error| refuse(&error))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::io(&path.display().to_string(), &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// Goal: a round is asked for whatever the words look like. Method: files with and without `--` before them.
    #[test]
    fn words_of_rounds() {
        for words in [vec!["--every", "5", "--", "day.itch"], vec!["day.itch", "--every", "5"]] {
            let words = words_of_round("{}", words.into_iter().map(OsString::from));
            let program = OsString::from("tickgate latency");
            let cli = Cli::try_parse_from(std::iter::once(program).chain(words)).unwrap();
            assert_eq!((cli.round.as_deref(), cli.every), (Some("{}"), Some(5)));
            assert_eq!(cli.captured.files, [PathBuf::from("day.itch")]);
        }
    }

    /// Goal: a round that was killed is told of, and one that ended by itself has told. Method: both ends.
    #[test]
    fn rounds_that_fail() {
        let ended = failure_of_round(ExitStatus::from_raw(3 << 8));
        assert_eq!((ended.code, ended.message.as_str()), (3, ""));
        let killed = failure_of_round(ExitStatus::from_raw(9));
        assert_eq!(killed.code, 1);
        assert!(killed.message.contains("killed: signal: 9"), "{}", killed.message);
    }
}
