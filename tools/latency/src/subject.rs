//! What is measured: captures, an engine's configuration, and the cores of its hot threads.

use std::ops::Range;
use std::path::{Path, PathBuf};

use cli::captured::{Captured, capacity};
use cli::exit::Failure;
use engine::config::{Config, Cpus, FeedConfig, Speed, StrategyConfig, Wait};
use engine::runtime::RunError;
use feeds::FeedOptions;
use feeds::capture::Capture;
use model::Mode;
use serde::{Deserialize, Serialize};

use crate::window::Scan;

/// The rules that orders are judged by if no configuration is given, and the shipped rest of one.
const FILES: [(&str, &str); 3] = [
    ("engine.toml", include_str!("../../../deploy/engine.toml")),
    ("instruments.toml", include_str!("../../../deploy/instruments.toml")),
    ("limits.toml", engine::warmup::LIMITS),
];
/// Captures hold no heartbeats: their silence means nothing.
const SILENCE_NS: u64 = 86_400_000_000_000;
/// An engine thread that stands still for so long halts everything. Here that would be the machine's doing.
const STALLED_NS: u64 = 60_000_000_000;

/// Fewest bytes of a capture, compressed ones included, for each of its trades.
const BYTES_AN_ORDER: u64 = 64;
/// Least and most client order ids.
const CLIENT_IDS: Range<u64> = 1 << 16..1 << 23;

/// What is measured.
pub struct Subject {
    config: Config,
    /// Cores of feed thread and engine thread.
    pub cpus: [usize; 2],
    /// The captures as they were read.
    pub scan: Scan,
    /// In words and numbers.
    pub facts: Facts,
}

/// What is measured, for the report, and to compare by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Files, without their folders.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// The venue.
    pub venue: String,
    /// Messages, or packets of them.
    pub messages: u64,
    /// Events.
    pub events: u64,
    /// Digest of the configuration without names, cores and pace.
    pub config: String,
    /// Trades for each order of the strategies.
    pub every: Vec<u64>,
    /// Whether the program was built to be fast.
    pub optimised: bool,
}

/// What the command line says of it.
pub struct Asked<'a> {
    /// The captures.
    pub captured: &'a Captured,
    /// engine.toml.
    pub config: Option<&'a Path>,
    /// Trades for each order of the one strategy.
    pub every: Option<u64>,
    /// Cores of feed thread and engine thread.
    pub cpus: [Option<usize>; 2],
}

impl Subject {
    /// Reads the configuration, and the captures once.
    ///
    /// # Errors
    ///
    /// [`Failure`] if either cannot be used, or there is no core for each of the hot threads.
    pub fn new(asked: &Asked<'_>, read: bool) -> Result<Subject, Failure> {
        let config = match asked.config {
            Some(path) => Config::load(path).map_err(Failure::usage)?,
            None => {
                let files = FILES.map(|(name, text)| (PathBuf::from(name), text.to_string()));
                Config::from_texts(files.into()).map_err(Failure::usage)?
            }
        };
        let feed = asked.captured.feed(&asked.captured.files, Speed::Max)?;
        let cpus = cpus(asked.cpus, config.engine.cpus)?;
        let mut engine = config.engine.clone();
        engine.mode = Mode::Replay;
        engine.feeds = vec![FeedConfig { silence_ns: SILENCE_NS, ..feed }];
        (engine.journal, engine.audit, engine.venue) = (None, None, None);
        (engine.wait, engine.lock_memory, engine.stalled_ns) = (Wait::Spin, true, STALLED_NS);
        engine.name = "latency".into();
        engine.cpus = Cpus::default();
        if asked.config.is_none() {
            let bytes = asked.captured.bytes();
            engine.capacity = capacity(bytes, &engine.feeds);
            // Every order takes one: a full table would refuse them, and that would be what is measured.
            let ids = (bytes / BYTES_AN_ORDER).clamp(CLIENT_IDS.start, CLIENT_IDS.end);
            engine.capacity.client_ids = ids as u32;
        }
        if let Some(every) = asked.every.or(asked.config.is_none().then_some(1)) {
            let account = match engine.strategies.first() {
                Some(strategy) => strategy.account,
                None => model::Symbol::new("probe").map_err(Failure::usage)?,
            };
            engine.strategies = vec![StrategyConfig { account, every }];
        }
        if engine.strategies.is_empty() {
            return Err(Failure::usage(
                "the configuration has no [[strategy]], so nothing sends orders; --every N gives it one",
            ));
        }
        let every = engine.strategies.iter().map(|strategy| strategy.every).collect();
        let venue = engine.feeds.first().map_or_else(String::new, |feed| feed.venue.to_string());
        let config = config.with_engine(engine);
        let scan = if read { scan(&config)? } else { Scan::default() };
        let file = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
        let facts = Facts {
            files: asked.captured.files.iter().map(file).collect(),
            bytes: asked.captured.bytes(),
            venue,
            messages: scan.arrivals,
            events: scan.events,
            config: digest(&config),
            every,
            optimised: !cfg!(debug_assertions),
        };
        Ok(Subject { config, cpus, scan, facts })
    }

    /// The configuration of one round.
    pub fn config(&self, speed: Speed) -> Config {
        let mut engine = self.config.engine.clone();
        engine.name = format!("latency-{}", std::process::id());
        let [feed, of_engine] = self.cpus.map(Some);
        engine.cpus = Cpus { feed, engine: of_engine, journal: None };
        for captures in engine.feeds.iter_mut().filter_map(FeedConfig::captures_mut) {
            captures.speed = speed;
        }
        self.config.clone().with_engine(engine)
    }
}

/// What was asked for, else what the configuration pins, else the last ones that this process runs on. Cores that the kernel
/// keeps free (isolcpus) are not among these, and can be had by name.
fn cpus(asked: [Option<usize>; 2], pinned: Cpus) -> Result<[usize; 2], Failure> {
    let named = [asked[0].or(pinned.feed), asked[1].or(pinned.engine)];
    let others = host::cpus().into_iter().rev();
    let mut others = others.filter(|cpu| !named.contains(&Some(*cpu)));
    let engine = named[1].or_else(|| others.next());
    let feed = named[0].or_else(|| others.next());
    let (Some(feed), Some(engine)) = (feed, engine) else {
        let text = "two cores are needed: feed thread and engine thread each spin on one";
        return Err(Failure::usage(text));
    };
    if feed == engine {
        return Err(Failure::usage(format!(
            "feed thread and engine thread cannot share core {feed}"
        )));
    }
    match [feed, engine].into_iter().find(|cpu| !may_use(*cpu)) {
        Some(cpu) => Err(Failure::usage(format!("this process may not use core {cpu}"))),
        None => Ok([feed, engine]),
    }
}

/// Whether a thread of this process can stay there: the kernel alone knows.
fn may_use(cpu: usize) -> bool {
    std::thread::spawn(move || host::pin_current(cpu)).join().unwrap_or(false)
}

fn scan(config: &Config) -> Result<Scan, Failure> {
    let Some((venue, captures)) = config
        .engine
        .feeds
        .first()
        .and_then(|feed| feed.captures().map(|captures| (feed.venue, captures)))
    else {
        return Err(Failure::usage("no capture"));
    };
    let options = FeedOptions { date: captures.date, ..FeedOptions::default() };
    let refuse = |error: feeds::FeedError| {
        let path = captures.files.get(error.file).cloned().unwrap_or_default();
        Failure::from(RunError::Feed { path, error })
    };
    let capture = Capture::open(venue, &captures.files, options, &captures.symbols);
    Scan::read(&mut capture.map_err(refuse)?).map_err(refuse)
}

/// Of everything but the feed, whose files may lie anywhere.
fn digest(config: &Config) -> String {
    let mut engine = config.engine.clone();
    engine.feeds.clear();
    format!("{:016x}", config.clone().with_engine(engine).digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each hot thread has a core of its own, the one that was asked for if one was. Method: every way to ask on this
    /// machine.
    #[test]
    fn each_thread_has_a_core() {
        let all = host::cpus();
        let none = Cpus::default();
        if all.len() < 2 {
            assert!(cpus([None; 2], none).is_err());
            return;
        }
        let [a, b] = [all[all.len() - 2], all[all.len() - 1]];
        assert_eq!(cpus([None; 2], none).unwrap(), [a, b]);
        assert_eq!(cpus([Some(b), None], none).unwrap(), [b, a]);
        assert_eq!(cpus([None, Some(a)], none).unwrap(), [b, a]);
        let pinned = Cpus { feed: Some(b), engine: Some(a), journal: None };
        assert_eq!(cpus([None; 2], pinned).unwrap(), [b, a]);
        assert_eq!(cpus([Some(a), Some(b)], pinned).unwrap(), [a, b]);
        assert_eq!(cpus([Some(a), Some(a)], none).unwrap_err().code, 2);
        assert_eq!(cpus([Some(4000), None], none).unwrap_err().code, 2);
    }

    /// Goal: cores outside of those that a process is started on, as isolated ones are, can be measured if they are named.
    /// Method: ask on a thread that may run on one core alone.
    #[test]
    fn isolated_cores_can_be_named() {
        let [a, b, ..] = *host::cpus().as_slice() else { return };
        let both = Cpus { feed: Some(b), engine: Some(a), journal: None };
        let ways = [
            ([Some(b), Some(a)], Cpus::default()),
            ([None; 2], both),
            ([Some(b), None], Cpus::default()),
        ];
        std::thread::spawn(move || {
            assert!(host::pin_current(a));
            for (asked, pinned) in ways {
                assert_eq!(cpus(asked, pinned).unwrap(), [b, a]);
            }
            assert_eq!(
                cpus([None; 2], Cpus::default()).unwrap_err().code,
                2,
                "one is left to choose"
            );
        })
        .join()
        .unwrap();
    }
}
