//! `tickgate-synth`: writes a synthetic Nasdaq day, for tests, benches and trying things out.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind as Usage};
use flate2::{Compression, write::GzEncoder};
use indicatif::{ProgressBar, ProgressStyle};
use program::{eprintln, println};
use synth::{Config, Day, Hours, Naming, Summary};

/// Writes a synthetic Nasdaq day: TotalView-ITCH 5.0 messages, each behind its 2-byte length.
///
/// The same options give the same bytes on every machine. Nothing in it is real.
#[derive(Parser)]
#[command(
    name = "tickgate-synth",
    version,
    after_help = "Examples:
  tickgate-synth --messages 5000000 --out day.itch
  tickgate-synth --seed 7 --symbols 8000 --messages 20000000 --out day.itch.gz --gzip
  tickgate-synth --full --out day.itch
  tickgate-synth --hours short --naming labelled | tickgate-book /dev/stdin --symbol SYN001"
)]
struct Options {
    /// The same seed makes the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A day of full size: 120,000,000 messages of 10,000 symbols, 2,000,000 live orders, references 16 apart, about 4 GB. What
    /// is said beside it goes first.
    #[arg(long)]
    full: bool,
    /// Symbols, those listed during the day included [default: 50].
    #[arg(long, value_parser = clap::value_parser!(u16).range(SYMBOLS))]
    symbols: Option<u16>,
    /// About how many messages; a day has at least its directory, its crosses and its halts [default: 1000000].
    #[arg(long)]
    messages: Option<u64>,
    /// About how many orders rest at the busiest moment, at least 30 a symbol [default: one for each forty messages, at most
    /// 200000].
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    live_orders: Option<u64>,
    /// How far one order reference is from the next on average [default: 4].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    reference_step: Option<u64>,
    /// The venue's own hours, or eleven minutes around 09:30.
    #[arg(long, value_enum, default_value_t = Span::Nasdaq)]
    hours: Span,
    /// Symbols like AAAA, or like SYN001.
    #[arg(long, value_enum, default_value_t = Names::Tickers)]
    naming: Names,
    /// Where to write; - is standard output.
    #[arg(long, default_value = "-")]
    out: PathBuf,
    /// Compress.
    #[arg(long)]
    gzip: bool,
    /// Print a summary on standard output, as one JSON object.
    #[arg(long)]
    json: bool,
}

/// How many symbols a day may have.
const SYMBOLS: std::ops::RangeInclusive<i64> = 1..=Config::SYMBOLS_MAX as i64;

#[derive(Clone, Copy, ValueEnum)]
enum Span {
    Nasdaq,
    Short,
}

#[derive(Clone, Copy, ValueEnum)]
enum Names {
    Tickers,
    Labelled,
}

impl Options {
    fn config(&self) -> Config {
        let usual = Config { messages: 1_000_000, ..Config::SAMPLE };
        let base = if self.full { Config::FULL } else { usual };
        Config {
            seed: self.seed,
            symbols: self.symbols.unwrap_or(base.symbols),
            messages: self.messages.unwrap_or(base.messages),
            live_orders: self.live_orders.or(base.live_orders),
            reference_step: self.reference_step.unwrap_or(base.reference_step),
            hours: match self.hours {
                Span::Nasdaq => Hours::NASDAQ,
                Span::Short => Hours::SHORT,
            },
            naming: match self.naming {
                Names::Tickers => Naming::Tickers,
                Names::Labelled => Naming::Labelled,
            },
        }
    }

    fn writes_to_stdout(&self) -> bool {
        self.out.as_os_str() == "-"
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let refuse = |why| -> ! { Options::command().error(Usage::ArgumentConflict, why).exit() };
    if options.writes_to_stdout() && options.json {
        refuse("--json needs standard output for itself: name a file with --out");
    }
    if options.writes_to_stdout() && io::stdout().is_terminal() {
        refuse("standard output is a terminal: name a file with --out, or pipe it");
    }
    match write(&options) {
        Ok(summary) => {
            report(&summary, options.json);
            ExitCode::SUCCESS
        }
        Err(error) if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) => {
            eprintln!("tickgate-synth: interrupted, {} has no end", options.out.display());
            ExitCode::from(130)
        }
        Err(error) if options.writes_to_stdout() => program::end(&error),
        Err(error) => {
            eprintln!("tickgate-synth: {}: {error}", options.out.display());
            ExitCode::FAILURE
        }
    }
}

fn write(options: &Options) -> io::Result<Summary> {
    let to: Box<dyn Write> = if options.writes_to_stdout() {
        Box::new(io::stdout().lock())
    } else {
        Box::new(File::create(&options.out)?)
    };
    let mut to = Stoppable::new(to)?;
    let config = options.config();
    let (day, bar) = (Day::new(config), bar(config.messages));
    let watch = |messages: u64| {
        if messages.is_multiple_of(SHOW_EVERY) {
            bar.set_position(messages);
        }
    };
    let summary = if options.gzip {
        let mut gzip = GzEncoder::new(&mut to, Compression::default());
        let summary = day.write_watched(BufWriter::with_capacity(1 << 20, &mut gzip), watch);
        summary.and_then(|summary| gzip.finish().map(|_| summary))
    } else {
        day.write_watched(BufWriter::with_capacity(1 << 20, &mut to), watch)
    };
    bar.finish_and_clear();
    to.flush()?;
    summary
}

/// Messages between two looks at the progress bar.
const SHOW_EVERY: u64 = 1 << 16;

/// On standard error, and only if that is a terminal.
fn bar(messages: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{elapsed} {wide_bar} {human_pos}/{human_len} messages {eta}");
    let bar = ProgressBar::new(messages);
    bar.set_style(style.unwrap_or(ProgressStyle::default_bar()));
    bar
}

fn report(summary: &Summary, json: bool) {
    let digest = format!("{:016x}", summary.digest);
    if json {
        let object = serde_json::json!({
            "messages": summary.messages,
            "bytes": summary.bytes,
            "types": summary.types,
            "live_orders": summary.live_orders,
            "live_orders_max": summary.live_orders_max,
            "reference_max": summary.reference_max,
            "digest": digest,
        });
        println!("{object}");
        return;
    }
    let Summary { messages, bytes, live_orders, live_orders_max, reference_max, .. } = summary;
    eprintln!(
        "{messages} messages, {bytes} bytes, {live_orders} live orders, {live_orders_max} at most, references to \
         {reference_max}, digest {digest}"
    );
    let types: Vec<String> = summary.types.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    eprintln!("{}", types.join(", "));
}

/// The user pressed Ctrl-C.
#[derive(Debug, Clone, Copy)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Stopped {}

/// Passes bytes on; fails when the user stops.
struct Stoppable {
    to: Box<dyn Write>,
    stop: Arc<AtomicBool>,
}

impl Stoppable {
    fn new(to: Box<dyn Write>) -> io::Result<Stoppable> {
        Ok(Stoppable { to, stop: program::stop_on_signal()? })
    }
}

impl Write for Stoppable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other(Stopped));
        }
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
