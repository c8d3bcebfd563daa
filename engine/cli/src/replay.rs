//! `tickgate replay`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::{Config, Durability, JournalConfig, Speed};
use engine::runtime::{Plan, Progress, Shards};
use engine::script::Script;
use indicatif::{ProgressBar, ProgressStyle};
use model::Mode;
use program::{eprintln, print, println};

use crate::captured::{Captured, capacity, parse_speed};
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
    #[command(flatten)]
    captured: Captured,
    /// Interleaves the files by receive time, then by their place here, instead of playing them in turn.
    #[arg(long)]
    merge: bool,
    /// `max`, or a factor of the recorded pace.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    speed: Speed,
    /// Orders to ask for, one JSON object a line. Not of shards, whose messages have other numbers.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
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

impl Replay {
    pub fn run(self) -> Result<(), Failure> {
        let stop = stop_on_signal()?;
        let script = self.orders.as_deref().map(orders_file::read).transpose()?.unwrap_or_default();
        let total = self.captured.bytes();
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

    /// What each engine is to do.
    fn plans(self, script: Script, total: u64) -> Result<Vec<Plan>, Failure> {
        let config = match &self.config {
            Some(path) => Config::load(path).map_err(Failure::usage)?,
            None => demo::built_in()?,
        };
        let mut engine = config.engine.clone();
        engine.mode = Mode::Replay;
        let (each, files) = (if self.merge { 1 } else { usize::MAX }, &self.captured.files);
        let feeds = files.chunks(each).map(|files| self.captured.feed(files, self.speed));
        engine.feeds = feeds.collect::<Result<_, _>>()?;
        if self.config.is_none() {
            engine.strategies.clear();
            engine.capacity = capacity(total, &engine.feeds);
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
        let configs = config.with_engine(engine).engines();
        if configs.len() > 1 && !script.is_done() {
            return Err(Failure::usage("--orders: the messages of a shard have other numbers"));
        }
        let scripts = std::iter::once(script).chain(std::iter::repeat_with(Script::default));
        let (shared, ends_with_feed, drive_stream) = (false, true, None);
        let plan = |(config, script)| Plan { config, script, shared, ends_with_feed, drive_stream };
        Ok(configs.into_iter().zip(scripts).map(plan).collect())
    }
}
