//! What matters of a configuration.

use std::path::Path;

use doctor::{Host, Pinned, Subject};
use engine::budget::Budget;
use engine::config::{Config, EngineConfig, FeedSource, HiccupMax, Wait};
use engine::step::Engine;

/// What the host is judged for.
pub struct Asked {
    /// The configuration's path, if there is one.
    pub config: Option<String>,
    /// The engine.
    pub subject: Subject,
    /// Longest gap at a live start, nanoseconds; `None`: nothing is said, or "off".
    pub hiccup_max_ns: Option<u64>,
}

impl Asked {
    /// Reads the configuration, and makes its engine once to see what it takes.
    pub fn new(host: &Host, config: Option<&Path>) -> Result<Asked, String> {
        let Some(path) = config else {
            return Ok(Asked {
                config: None,
                subject: Subject::unconfigured(host),
                hiccup_max_ns: None,
            });
        };
        let config = Config::load(path).map_err(|errors| errors.to_string())?;
        // Of shards the first stands for all, but each core is looked at.
        let each = config.engines();
        let engine = &each.first().unwrap_or(&config).engine;
        let online = || Subject::unconfigured(host).online.len();
        let cpus = if host.is_this() { host::cpus().len() } else { online() };
        let pinned = Pinned {
            feed: engine.cpus.feed,
            engine: engine.cpus.engine,
            engines: each.len(),
            journal: engine.cpus.journal,
            lock_memory: engine.lock_memory,
            spins: engine.wait_on(cpus) == Wait::Spin,
        };
        let live = engine.mode == model::Mode::Live;
        let cpus = each.iter().flat_map(|each| [each.engine.cpus.feed, each.engine.cpus.engine]);
        let count = each.len() as u64;
        let subject = Subject {
            hot: cpus.flatten().collect(),
            memory: Some(Budget::of(&config, true).total() * count),
            huge: huge(&config)?,
            receive_buffer: receive_buffer(engine),
            ..Subject::configured(host, live, pinned)
        };
        let hiccup_max_ns = match engine.hiccup_max {
            HiccupMax::Us(us) => Some(us * 1_000),
            HiccupMax::Off | HiccupMax::Unsaid => None,
        };
        Ok(Asked { config: Some(path.display().to_string()), subject, hiccup_max_ns })
    }
}

/// Whether the engine's tables ask for huge pages, and bytes that are in such once they are made. `None`: they do not fit, or the
/// kernel does not tell.
fn huge(config: &Config) -> Result<Option<(bool, u64)>, String> {
    let memory = config.engine.memory;
    if Budget::of(config, true).check(&memory).is_err() {
        return Ok(None);
    }
    host::allow_huge_pages(memory.huge_pages);
    let before = host::huge_bytes();
    let engine = Engine::new(config).map_err(|error| error.to_string())?;
    let after = host::huge_bytes();
    drop(engine);
    let got = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    Ok(got.map(|got| (memory.huge_pages, got)))
}

/// What the lines ask for, of which each has its own; connections ask for none.
fn receive_buffer(engine: &EngineConfig) -> u64 {
    let of = |source: &FeedSource| match source {
        FeedSource::Lines(lines) => Some(lines.receive_buffer as u64),
        _ => None,
    };
    let most = engine.feeds.iter().filter_map(|feed| of(&feed.source)).max();
    most.unwrap_or(0)
}
