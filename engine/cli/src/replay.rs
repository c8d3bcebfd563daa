//! `tickgate replay`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::{
    Capacity, Captures, Config, Durability, FeedConfig, FeedSource, JournalConfig, Speed,
};
use engine::runtime::{Plan, Progress, RunError, Shards};
use engine::script::Script;
use feeds::stream::StreamSymbol;
use feeds::{Date, Venue};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Mode, Symbol};

use crate::exit::{Failure, stop_on_signal};
use crate::{demo, orders_file, summary};

/// Plays captures through the whole engine: book, indicators, strategies, gate, paper venue.
///
/// What a file is, it says itself: ITCH in BinaryFILE framing, MoldUDP64 or IEX packets in pcap or pcapng, Databento DBN; plain,
/// gzip, zstd or zip. Several files are played in turn as one feed; with --merge each is a feed of its own.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tickgate replay day.itch.gz --json\n  \
    tickgate replay day.itch --speed 10 --orders orders.jsonl\n  \
    tickgate replay --merge lines.pcapng deep.pcap.gz es.mbo.dbn.zst\n  \
    tickgate replay --venue binance_spot --symbol BTCUSDT:2:6 texts.jsonl.zst\n  \
    tickgate replay --venue coinbase --symbol BTC-USD=BTCUSD:2:8 --symbol ETH-USD:2:8 texts.jsonl.zst\n\n\
    A line of the orders file:\n  \
    {\"after\": 1001, \"op\": \"new\", \"id\": \"a-1\", \"account\": \"agent\", \"symbol\": \"AAPL\", \"side\": \"buy\",\n  \
    \"qty\": \"100\", \"px\": \"318.25\", \"type\": \"limit\", \"tif\": \"day\"}\n\
    \"type\": limit, market, stop, stop_limit; \"tif\": day, ioc, fok, gtc, gtd, at_open, at_close;\n\
    also \"stop_px\", \"display\", \"expires\" (time of day), \"post_only\", \"reduce_only\", \"parent_only\" (true),\n\
    \"one_cancels\" and \"parent\" (an id), \"basket\" (the id of an \"op\": \"basket\" before, with \"legs\" and \"money\").\n\
    \"at\": \"09:30:00.5\" in place of \"after\" means the venue's time of day; \"op\" may be cancel or replace (new qty, px).\n\
    A price or quantity that is no whole number of the instrument's units is asked for as zero, which the gate refuses.")]
pub struct Replay {
    /// Captures.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Interleaves the files by receive time, then by their place here, instead of playing them in turn.
    #[arg(long)]
    merge: bool,
    /// `max`, or a factor of the recorded pace.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    speed: Speed,
    /// Whose texts the files hold: lines `nanoseconds json` do not say.
    #[arg(long, value_name = "VENUE", value_parser = parse_venue)]
    venue: Option<Venue>,
    /// A symbol of such files, as the venue writes it, with the decimals of its prices and quantities; may be given again.
    /// With `=NAME` behind it: what the engine calls it, if that is to be another name.
    #[arg(long = "symbol", value_name = "SYMBOL[=NAME]:PX:QTY", value_parser = parse_symbol)]
    symbols: Vec<StreamSymbol>,
    /// Orders to ask for, one JSON object a line. Not of shards, whose messages have other numbers.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Day of the first message: the captures carry none.
    #[arg(long, default_value = "1970-01-01", value_name = "YYYY-MM-DD")]
    date: Date,
    /// Rules, sizes and strategies; its feed and journal are not used. Without it: those of the demo, without strategies.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Records the run in this new folder.
    #[arg(long, value_name = "FOLDER")]
    journal: Option<PathBuf>,
    /// Keeps the audit log that the configuration asks for; without it, a replay keeps none.
    #[arg(long, requires = "config")]
    audit: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Silence of a feed after which its books are stale.
const SILENCE_NS: u64 = 5_000_000_000;

fn parse_speed(text: &str) -> Result<Speed, String> {
    Speed::parse(text).ok_or_else(|| "must be `max` or a factor such as 1 or 2.5".into())
}

fn parse_venue(text: &str) -> Result<Venue, String> {
    Venue::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Venue::ALL.iter().map(|venue| venue.name()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// `BTC/USD:1:8`, where the engine's own name of it is the same; `BTC/USD=BTCUSD:1:8`, where it is `BTCUSD`.
fn parse_symbol(text: &str) -> Result<StreamSymbol, String> {
    let mut parts = text.rsplitn(3, ':');
    let mut decimals = || parts.next().and_then(|part| part.parse::<u8>().ok());
    let (Some(qty_decimals), Some(px_decimals)) = (decimals(), decimals()) else {
        let examples = "such as BTCUSDT:2:6 or BTC-USD=BTCUSD:2:8";
        return Err(format!("must be a symbol and two numbers, {examples}"));
    };
    if px_decimals.saturating_add(qty_decimals) > 12 {
        return Err("the decimals must not exceed 12 together".into());
    }
    let names = parts.next().unwrap_or_default();
    let (venue_symbol, own) = names.split_once('=').unwrap_or((names, names));
    let is_mapped = venue_symbol.len() < names.len();
    if venue_symbol.is_empty() && is_mapped {
        return Err(format!("`{names}`: the venue's name is missing before `=`"));
    }
    if own.contains('=') {
        return Err(format!("`{names}`: more than one `=`; must be the venue's name, then ours"));
    }
    let symbol = Symbol::new(own).map_err(|error| {
        let way_out = format!("; {own}=NAME:{px_decimals}:{qty_decimals} gives it another name");
        let way_out = if is_mapped || own.is_empty() { "" } else { way_out.as_str() };
        format!("`{own}`: {error}{way_out}")
    })?;
    let venue_symbol = venue_symbol.to_owned();
    Ok(StreamSymbol { venue_symbol, symbol, px_decimals, qty_decimals })
}

impl Replay {
    pub fn run(self) -> Result<(), Failure> {
        let stop = stop_on_signal()?;
        let script = self.orders.as_deref().map(orders_file::read).transpose()?.unwrap_or_default();
        let total =
            self.files.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
        let (json, plans) = (self.json, self.plans(script, total)?);
        let begun = Instant::now();
        let mut shards = Shards::start(plans)?;
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(total) };
        bar.set_style(
            ProgressStyle::with_template("{elapsed} {wide_bar} {bytes}/{total_bytes} {msg}")
                .unwrap_or(ProgressStyle::default_bar()),
        );
        while !shards.poll()? && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(if begun.elapsed().as_secs() < 2 {
                2
            } else {
                100
            }));
            if begun.elapsed().as_secs() >= 2 {
                // Each shard hears all of it.
                let least = |of: fn(&Progress) -> u64| shards.progress().map(of).min().unwrap_or(0);
                let messages = least(Progress::messages);
                bar.set_position(least(Progress::bytes).min(total));
                bar.set_message(format!("{messages} messages"));
            }
        }
        let took = begun.elapsed();
        bar.finish_and_clear();
        let finished = shards.finish()?;
        if json {
            println!("{}", summary::json_of(&finished, took));
        } else {
            for (_, run) in &finished {
                print!("{}", summary::stages(run.stages.by_name()));
            }
            print!("{}", summary::lines(&finished, took));
        }
        if finished.iter().any(|(_, run)| run.not_due) {
            eprintln!("tickgate: not every line of the orders file was due before the end");
        }
        if stop.load(Ordering::Relaxed) { Err(Failure::interrupted()) } else { Ok(()) }
    }

    /// One feed of all files, or one of each.
    fn feeds(&self) -> Result<Vec<FeedConfig>, Failure> {
        let each = if self.merge { 1 } else { self.files.len() };
        self.files.chunks(each.max(1)).map(|files| self.feed(files)).collect()
    }

    fn feed(&self, files: &[PathBuf]) -> Result<FeedConfig, Failure> {
        let mut venues = Vec::new();
        for path in files {
            let kind = feeds::capture::kind_of(path);
            let error = |error| RunError::Feed { path: path.clone(), error };
            let venue = kind.map_err(error)?.venue.or(self.venue);
            venues.push(venue.ok_or_else(|| {
                let path = path.display();
                Failure::usage(format!(
                    "{path}: texts of a venue; --venue and --symbol must say which"
                ))
            })?);
        }
        let Some(venue) = venues.first().copied() else { return Err(Failure::usage("no file")) };
        if let Some(place) = venues.iter().position(|other| *other != venue) {
            return Err(Failure::usage(format!(
                "{} is {}, {} is {venue}: only captures of one kind play in turn; --merge interleaves them",
                files.get(place).map_or_else(String::new, |file| file.display().to_string()),
                venues.get(place).map_or("", |venue| venue.name()),
                files.first().map_or_else(String::new, |file| file.display().to_string()),
            )));
        }
        let source = FeedSource::Captures(Captures {
            files: files.to_vec(),
            date: self.date,
            speed: self.speed,
            repeat: false,
            symbols: if venue.is_over_streams() { self.symbols.clone() } else { Vec::new() },
        });
        Ok(FeedConfig { venue, source, silence_ns: SILENCE_NS })
    }

    /// What each engine is to do.
    fn plans(self, script: Script, total: u64) -> Result<Vec<Plan>, Failure> {
        let config = match &self.config {
            Some(path) => Config::load(path).map_err(Failure::usage)?,
            None => demo::built_in()?,
        };
        let mut engine = config.engine.clone();
        engine.mode = Mode::Replay;
        engine.feeds = self.feeds()?;
        if self.config.is_none() {
            engine.strategies.clear();
            let is_small =
                total < 256 << 20 && engine.feeds.iter().all(|feed| feed.venue != Venue::Iex);
            engine.capacity = if is_small { Capacity::SMALL } else { Capacity::LARGE };
        }
        if !self.audit {
            engine.audit = None; // That of the engine whose configuration this is.
        }
        engine.journal = self.journal.map(|folder| JournalConfig {
            folder,
            durability: Durability::Written,
            deep_checkpoints: false,
            segment_bytes: engine::journal::SEGMENT_BYTES,
        });
        let configs = config.with_engine(engine).engines().map_err(Failure::usage)?;
        if configs.len() > 1 && !script.is_done() {
            return Err(Failure::usage("--orders: the messages of a shard have other numbers"));
        }
        let scripts = std::iter::once(script).chain(std::iter::repeat_with(Script::default));
        let (shared, ends_with_feed, drive_stream) = (false, true, None);
        let plan = |(config, script)| Plan { config, script, shared, ends_with_feed, drive_stream };
        Ok(configs.into_iter().zip(scripts).map(plan).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a symbol is read with its two names. Method: with and without one of ours; names that hold the separator.
    #[test]
    fn symbols() {
        for (text, venue_symbol, own, decimals) in [
            ("BTCUSDT:2:6", "BTCUSDT", "BTCUSDT", [2, 6]),
            ("BTC/USD:1:8", "BTC/USD", "BTC/USD", [1, 8]),
            ("BTC-USD=BTCUSD:2:8", "BTC-USD", "BTCUSD", [2, 8]),
            ("a:b=AB:0:0", "a:b", "AB", [0, 0]),
            ("ANAMETHATISTOOLONG=SHORT:12:0", "ANAMETHATISTOOLONG", "SHORT", [12, 0]),
        ] {
            let symbol = parse_symbol(text).unwrap();
            assert_eq!((symbol.venue_symbol.as_str(), symbol.symbol.as_str()), (venue_symbol, own));
            assert_eq!([symbol.px_decimals, symbol.qty_decimals], decimals, "{text}");
        }
    }

    /// Goal: what cannot be read is refused, and says why. Method: near misses, each with a part of its error.
    #[test]
    fn bad_symbols() {
        for (text, error) in [
            ("", "such as BTCUSDT:2:6 or BTC-USD=BTCUSD:2:8"),
            ("BTCUSDT", "such as"),
            ("BTCUSDT:2", "such as"),
            ("BTCUSDT:2:-6", "such as"),
            ("BTC-USD=BTCUSD:2:x", "such as"),
            ("BTCUSDT:5:8", "12 together"),
            ("BTCUSDT:250:10", "12 together"),
            ("=BTCUSD:2:8", "before `=`"),
            ("BTC-USD=:2:8", "``: "),
            ("A=B=C:2:8", "more than one `=`"),
            ("ANAMETHATISTOOLONG:2:8", "ANAMETHATISTOOLONG=NAME:2:8 gives it another name"),
            ("BTC-USD=ANAMETHATISTOOLONG:2:8", "`ANAMETHATISTOOLONG`: "),
        ] {
            let refused = parse_symbol(text).unwrap_err();
            assert!(refused.contains(error), "{text}: {refused}");
        }
    }
}
