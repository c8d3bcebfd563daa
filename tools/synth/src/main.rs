//! `tickgate-synth`: writes a synthetic Nasdaq day, for tests, benches and trying things out.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind as Usage};
use flate2::{Compression, write::GzEncoder};
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
  tickgate-synth --seed 7 --symbols 8000 --messages 100000000 --out day.itch.gz --gzip
  tickgate-synth --hours short --naming labelled | tickgate-book /dev/stdin --symbol SYN001"
)]
struct Options {
    /// The same seed makes the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Symbols, those listed during the day included.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(SYMBOLS))]
    symbols: u16,
    /// About how many messages; a day has at least its directory, its crosses and its halts.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
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
        Config {
            seed: self.seed,
            symbols: self.symbols,
            messages: self.messages,
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
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) => {
            eprintln!("tickgate-synth: interrupted, {} has no end", options.out.display());
            ExitCode::from(130)
        }
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
    let mut watched = Watched::new(to)?;
    let day = Day::new(options.config());
    let summary = if options.gzip {
        let mut gzip = GzEncoder::new(&mut watched, Compression::default());
        let summary = day.write_to(BufWriter::with_capacity(1 << 20, &mut gzip))?;
        gzip.finish()?;
        summary
    } else {
        day.write_to(BufWriter::with_capacity(1 << 20, &mut watched))?
    };
    watched.done()?;
    Ok(summary)
}

fn report(summary: &Summary, json: bool) {
    let digest = format!("{:016x}", summary.digest);
    if json {
        let object = serde_json::json!({
            "messages": summary.messages,
            "bytes": summary.bytes,
            "types": summary.types,
            "live_orders": summary.live_orders,
            "digest": digest,
        });
        println!("{object}");
        return;
    }
    let Summary { messages, bytes, live_orders, .. } = summary;
    eprintln!("{messages} messages, {bytes} bytes, {live_orders} live orders, digest {digest}");
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

/// Passes bytes on; shows how many on a terminal after two seconds; fails when the user stops.
struct Watched {
    to: Box<dyn Write>,
    stop: Arc<AtomicBool>,
    written: u64,
    next_line: Option<Instant>,
    shown: bool,
}

impl Watched {
    fn new(to: Box<dyn Write>) -> io::Result<Watched> {
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone())?;
        let next_line = io::stderr().is_terminal().then(|| Instant::now() + Duration::from_secs(2));
        Ok(Watched { to, stop, written: 0, next_line, shown: false })
    }

    fn done(mut self) -> io::Result<()> {
        if self.shown {
            eprint!("\r\x1b[K");
        }
        self.to.flush()
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other(Stopped));
        }
        let written = self.to.write(bytes)?;
        self.written += written as u64;
        let now = Instant::now();
        if self.next_line.is_some_and(|next| now >= next) {
            eprint!("\r{} MB", self.written / 1_000_000);
            self.next_line = Some(now + Duration::from_millis(250));
            self.shown = true;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
