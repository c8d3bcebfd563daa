//! `tickgate-sim crypto`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use program::{eprintln, println};
use serde_json::json;
use sim::crypto::play::Play;
use sim::crypto::server::{Clock, Server, Speaker};
use sim::crypto::{CryptoConfig, CryptoFaults, CryptoVenue, Listing, Protocol};

/// Pause between looks at a venue.
const LOOK: Duration = Duration::from_millis(20);

/// A crypto venue: WebSocket and, for Binance, bodies over HTTP, on loopback.
///
/// Its books are synthetic, or its texts captured ones (lines `recv_ns SPACE json`). A client connects to the first address that
/// is printed instead of the venue's own, and asks for bodies at the second.
#[derive(Args)]
#[command(after_help = "Examples:
  tickgate-sim crypto --venue kraken
  tickgate-sim crypto --venue binance_usdm --faults all --seed 7
  tickgate-sim crypto --venue okx --faults drop=5,checksum=5 --symbols BTC-USDT,SOL-USDT
  zcat day.gz | tickgate-sim crypto --file - --speed 10")]
pub struct Options {
    /// Protocol: binance_spot, binance_usdm, binance_coinm, bybit, coinbase, coinbase_full, kraken, okx.
    #[arg(long, default_value = "binance_spot", value_parser = protocol)]
    venue: Protocol,
    /// Symbols as the venue writes them, with commas between. Without: two of its own.
    #[arg(long, value_delimiter = ',')]
    symbols: Vec<String>,
    /// Decimals of prices.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=8))]
    px_decimals: u8,
    /// Decimals of quantities.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=8))]
    qty_decimals: u8,
    /// Levels a side, about.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(2..=2_000))]
    levels: u16,
    /// Milliseconds from one moment at which books may change to the next.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    tick: u32,
    /// Seed of the books and of the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong: name=value with commas between, of a thousand texts, ticks or requests; or all.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    faults: CryptoFaults,

    /// Play these captured texts instead; - is standard input.
    #[arg(long, conflicts_with_all = ["symbols", "faults"])]
    file: Option<PathBuf>,
    /// Play them as fast as can be.
    #[arg(long, requires = "file")]
    flat_out: bool,
    /// How many times faster than time everything happens.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: u32,

    /// Port of the stream; 0: any.
    #[arg(long, default_value_t = 26_410)]
    stream_port: u16,
    /// Port of bodies; 0: any.
    #[arg(long, default_value_t = 26_411)]
    bodies_port: u16,
    /// End after so many seconds. Without: at Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
    /// Print what happened as JSON.
    #[arg(long)]
    json: bool,
}

fn protocol(name: &str) -> Result<Protocol, String> {
    let known = || Protocol::ALL.iter().map(|protocol| protocol.name()).collect::<Vec<_>>();
    Protocol::from_name(name).ok_or_else(|| format!("not one of {}", known().join(", ")))
}

/// Serves until the time is over, or until Ctrl-C.
pub fn run(options: &Options) -> ExitCode {
    let done = match &options.file {
        Some(path) => play(options, path),
        None => simulate(options),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tickgate-sim: {error}");
            ExitCode::from(2)
        }
    }
}

fn simulate(options: &Options) -> io::Result<ExitCode> {
    let mut config = CryptoConfig::new(options.venue, options.seed);
    if !options.symbols.is_empty() {
        let listing =
            |name: &String| Listing { name: name.clone(), px_decimals: 0, qty_decimals: 0 };
        config.listings = options.symbols.iter().map(listing).collect();
    }
    for listing in &mut config.listings {
        listing.px_decimals = options.px_decimals;
        listing.qty_decimals = options.qty_decimals;
    }
    config.levels = options.levels.into();
    config.tick_ns = u64::from(options.tick) * 1_000_000;
    config.faults = options.faults;
    config.start = now();
    let clock = Clock::new(config.start, options.speed);
    serve(options, CryptoVenue::new(config), clock, |venue| {
        let counters = venue.counters();
        json!({
            "opened": counters.opened,
            "cut": counters.cut,
            "frames": counters.frames,
            "spoilt": counters.spoilt,
            "gets": counters.gets,
            "versions": counters.versions,
        })
    })
}

fn play(options: &Options, path: &PathBuf) -> io::Result<ExitCode> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let lines: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).map_err(named)?))
    };
    let play = Play::read(lines, !options.flat_out).map_err(named)?;
    let clock = Clock::new(now(), options.speed);
    serve(options, play, clock, |play| json!({ "texts": play.len(), "heard": play.heard() }))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn serve<S: Speaker>(
    options: &Options,
    speaker: S,
    clock: Clock,
    summary: impl Fn(&S) -> serde_json::Value,
) -> io::Result<ExitCode> {
    let stop = program::stop_on_signal()?;
    let server = Server::start_at(speaker, clock, [options.stream_port, options.bodies_port])?;
    eprintln!("stream {}, bodies {}", server.ws_url(), server.rest_url());
    let start = Instant::now();
    let is_over = || options.time.is_some_and(|time| start.elapsed() >= Duration::from_secs(time));
    while !stop.load(Ordering::Relaxed) && !is_over() {
        thread::sleep(LOOK);
    }
    let summary = summary(&server.speaker());
    if options.json {
        println!("{summary}");
    } else {
        eprintln!("{summary}");
    }
    Ok(ExitCode::from(if is_over() { 0 } else { 130 }))
}
