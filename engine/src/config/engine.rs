//! `engine.toml`: this machine, its feeds, its strategies.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::{HaltLevel, Mode, Symbol};

use crate::journal::SEGMENT_BYTES;
use crate::rules::Rules;

use super::feed::{FeedConfig, FeedSource, Speed};
use super::memory::Memory;
use super::shards::Shards;
use super::table::{ConfigErrors, Table};
use super::threads::{self, Cpus, HiccupMax, Threads, Wait};
use super::venue::VenueConfig;

/// Most feeds of an engine.
pub const FEEDS_MAX: usize = 16;

/// This machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// By which clients find it.
    pub name: String,
    /// What becomes of orders that pass.
    pub mode: Mode,
    /// What everything is halted to at each start, if it is not halted harder: [`HaltLevel::CancelOnly`] for live trading, where
    /// nothing is known of the venue's side yet, else [`HaltLevel::Active`].
    pub start_level: HaltLevel,
    /// What triggers stops.
    pub stop_trigger: StopTrigger,
    /// How long the legs of a basket may take until the last one has come, nanoseconds.
    pub basket_timeout_ns: u64,
    /// Sizes of everything, fixed at start.
    pub capacity: Capacity,
    /// How much memory that may take, and in which pages.
    pub memory: Memory,
    /// How the hot threads wait.
    pub wait: Wait,
    /// Where the threads run.
    pub cpus: Cpus,
    /// The engines that share the instruments; `None`: one has them all.
    pub shards: Option<Shards>,
    /// Whether everything is kept in memory, so that no hot thread ever waits for a page.
    pub lock_memory: bool,
    /// For how long a hot core may stand still while a live start watches it.
    pub hiccup_max: HiccupMax,
    /// For how long the engine thread may stand still before everything is halted, nanoseconds.
    pub stalled_ns: u64,
    /// Where inputs are recorded; `None`: nowhere, which only a replay may do.
    pub journal: Option<JournalConfig>,
    /// Where the audit log is kept; `None`: nowhere, which is not for live trading.
    pub audit: Option<AuditConfig>,
    /// The venue that orders go to in live mode; `None`: there is none.
    pub venue: Option<VenueConfig>,
    /// Where market data comes from.
    pub feeds: Vec<FeedConfig>,
    /// Strategies inside the engine.
    pub strategies: Vec<StrategyConfig>,
}

/// What triggers stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum StopTrigger {
    /// The last printable trade.
    Last,
    /// Of a buy the best ask, of a sell the best bid.
    Quote,
}

impl StopTrigger {
    const NAMES: [(&str, StopTrigger); 2] =
        [("last", StopTrigger::Last), ("quote", StopTrigger::Quote)];

    const fn name(self) -> &'static str {
        match self {
            StopTrigger::Last => "last",
            StopTrigger::Quote => "quote",
        }
    }
}

/// Sizes of everything, fixed at start. Exhausting one refuses or marks, and never allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Instruments that may be listed.
    pub instruments: u32,
    /// Orders resting in all books.
    pub book_orders: u32,
    /// Price levels of all books.
    pub levels: u32,
    /// Pages of 4,096 slots for the latest order references, which are found without hashing.
    pub ref_pages: u32,
    /// Orders of our own in the order table, closed ones included until their slot is used again.
    pub own_orders: u32,
    /// Lots that the positions of all accounts can be made of; beyond it, profit first in, first out is not known.
    pub lots: u32,
    /// Client order ids that one journal can hold.
    pub client_ids: u32,
    /// Records of the tape.
    pub tape: u32,
    /// Events between the feed thread and the engine thread.
    pub feed_ring: u32,
}

const MIB: u64 = 1 << 20;

/// When a record counts as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once it survives the end of the process.
    Written,
    /// Once it survives the loss of power.
    Synced,
}

/// Where inputs are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The folder.
    pub folder: PathBuf,
    /// What an answer waits for.
    pub durability: Durability,
    /// Whether each checkpoint records the full hash too, at the price of a look at everything.
    pub deep_checkpoints: bool,
    /// Bytes of a segment file.
    pub segment_bytes: u64,
}

/// Where the audit log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// The folder.
    pub folder: PathBuf,
    /// File of the secret key that signs checkpoints.
    pub key: PathBuf,
    /// The second file of checkpoints.
    pub checkpoints: PathBuf,
    /// Records after which a checkpoint is made.
    pub checkpoint_records: u64,
    /// Milliseconds after which one is made if there are new records.
    pub checkpoint_ms: u64,
}

/// A strategy inside the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyConfig {
    /// The account that it trades on.
    pub account: Symbol,
    /// The probe's period: an order every this many trades.
    pub every: u64,
}

impl Capacity {
    /// Enough for a full Nasdaq day on a trading host. About 1 GiB.
    pub const LARGE: Capacity = Capacity {
        instruments: 12_288,
        book_orders: 1 << 22,
        levels: 1 << 20,
        ref_pages: 1024,
        own_orders: 1 << 14,
        lots: 1 << 18,
        client_ids: 1 << 20,
        tape: 1 << 16,
        feed_ring: 1 << 16,
    };

    /// Enough for a few hundred instruments on a laptop. About 200 MiB.
    pub const SMALL: Capacity = Capacity {
        instruments: 1024,
        book_orders: 1 << 20,
        levels: 1 << 18,
        ref_pages: 256,
        own_orders: 1 << 12,
        lots: 1 << 16,
        client_ids: 1 << 16,
        tape: 1 << 14,
        feed_ring: 1 << 14,
    };
}

impl EngineConfig {
    /// The pace at which captures are played: all feeds of a run share one. `None`: the feeds are live.
    pub fn speed(&self) -> Option<Speed> {
        self.feeds.iter().find_map(|feed| feed.captures()).map(|captures| captures.speed)
    }

    /// The text that reads back as this configuration: what a journal records of a run whose file was overridden.
    pub(super) fn to_toml(&self) -> String {
        let Capacity {
            instruments,
            book_orders,
            levels,
            ref_pages,
            own_orders,
            lots,
            client_ids,
            tape,
            feed_ring,
        } = self.capacity;
        let folder =
            self.journal.as_ref().map_or_else(PathBuf::new, |journal| journal.folder.clone());
        let durability = match self.journal {
            Some(JournalConfig { durability: Durability::Synced, .. }) => "synced",
            _ => "written",
        };
        let segment_bytes = self.journal.as_ref().map_or(SEGMENT_BYTES, |j| j.segment_bytes);
        let segment_mib = segment_bytes / MIB;
        let deep = self.journal.as_ref().is_some_and(|journal| journal.deep_checkpoints);
        let wait = match self.wait {
            Wait::Auto => "auto",
            Wait::Spin => "spin",
            Wait::Yield => "yield",
            Wait::Park => "park",
        };
        let hiccup_max = match self.hiccup_max {
            HiccupMax::Unsaid => String::new(),
            HiccupMax::Off => "hiccup_max_us = \"off\"\n".into(),
            HiccupMax::Us(us) => format!("hiccup_max_us = {us}\n"),
        };
        let pinned = match &self.shards {
            Some(shards) => Cpus::to_toml(&shards.cpus, true),
            None => Cpus::to_toml(&[self.cpus], false),
        };
        let [shard, shards] = self.shards.as_ref().map(Shards::to_toml).unwrap_or_default();
        let mut text = format!(
            "{shard}name = {:?}\nmode = \"{}\"\nstart_level = \"{}\"\nstop_trigger = \"{}\"\n\
             basket_timeout_ms = {}\n\n\
             [capacity]\ninstruments = {instruments}\nbook_orders = {book_orders}\n\
             levels = {levels}\nref_pages = {ref_pages}\nown_orders = {own_orders}\nlots = {lots}\nclient_ids = {client_ids}\n\
             tape = {tape}\nfeed_ring = {feed_ring}\n\n[threads]\nwait = \"{wait}\"\nlock_memory = {}\n\
             {pinned}{hiccup_max}{shards}\n[watchdog]\nstalled_ms = {}\n\n\
             [journal]\nfolder = {:?}\ndurability = \"{durability}\"\n\
             deep_checkpoints = {deep}\nsegment_mib = {segment_mib}\n",
            self.name,
            self.mode,
            self.start_level,
            self.stop_trigger.name(),
            self.basket_timeout_ns / 1_000_000,
            self.lock_memory,
            self.stalled_ns / 1_000_000,
            folder.to_string_lossy(),
        );
        text += &self.memory.to_toml();
        if let Some(audit) = &self.audit {
            let [folder, key, checkpoints] =
                [&audit.folder, &audit.key, &audit.checkpoints].map(|path| path.to_string_lossy());
            text += &format!(
                "\n[audit]\nfolder = {folder:?}\nkey = {key:?}\ncheckpoints = {checkpoints:?}\n\
                 checkpoint_records = {}\ncheckpoint_ms = {}\n",
                audit.checkpoint_records, audit.checkpoint_ms
            );
        }
        if let Some(venue) = &self.venue {
            text += &venue.to_toml();
        }
        self.feeds.iter().for_each(|feed| text += &feed.to_toml());
        for strategy in &self.strategies {
            let account = strategy.account.as_str();
            text += &format!(
                "\n[[strategy]]\nkind = \"probe\"\naccount = {account:?}\nevery = {}\n",
                strategy.every
            );
        }
        text
    }

    /// Checks what only holds together with the rules, or with other tables.
    pub(super) fn check_against(&self, rules: &Rules, errors: &mut ConfigErrors) {
        if self.feeds.iter().any(|feed| feed.captures().map(|c| c.speed) != self.speed()) {
            let text = "[[feed]]: captures that are played together share one `speed`, and no live feed \
                        plays beside them";
            errors.note(Path::new("engine.toml"), text.into());
        }
        if (self.mode == Mode::Live) != self.venue.is_some() {
            let text = "[venue] says where the orders of live trading go, and is for `mode = \"live\"` alone";
            errors.note(Path::new("engine.toml"), text.into());
        }
        if self.mode == Mode::Live && self.hiccup_max == HiccupMax::Unsaid {
            let text = "[threads]: `hiccup_max_us` is missing, which live trading needs: microseconds that a hot core may stand \
                        still (`tickgate doctor` measures them), or \"off\"";
            errors.note(Path::new("engine.toml"), text.into());
        }
        if self.mode == Mode::Live && self.audit.is_none() {
            let text = "[audit] is missing: live trading needs an audit log";
            errors.note(Path::new("engine.toml"), text.into());
        }
        if let Some(venue) = &self.venue {
            venue.check_against(rules, errors);
        }
        self.check_shards(rules, errors);
        for strategy in &self.strategies {
            if !rules.accounts.iter().any(|account| account.name == strategy.account) {
                let text =
                    format!("[[strategy]]: account `{}` is not in limits.toml", strategy.account);
                errors.note(Path::new("engine.toml"), text);
            }
        }
    }
}

/// Reads the file; `None` if something of it could not be read, which is noted.
pub(super) fn read(
    mut root: Table<'_>,
    folder: &Path,
    errors: &mut ConfigErrors,
) -> Option<EngineConfig> {
    let name = root.text("name", errors).filter(|name| {
        let good = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !good {
            root.error("`name` must be 1 to 32 letters, digits or `-`", errors);
        }
        good
    });
    let mode = root.choice_or(
        "mode",
        &[("paper", Mode::Paper), ("replay", Mode::Replay), ("live", Mode::Live)],
        Mode::Paper,
        errors,
    );
    let levels = [("active", HaltLevel::Active), ("cancel_only", HaltLevel::CancelOnly)];
    let start_level = root.choice_or("start_level", &levels, start_level_of(mode), errors);
    let stop_trigger =
        root.choice_or("stop_trigger", &StopTrigger::NAMES, StopTrigger::Last, errors);
    let basket_timeout_ms = root.number_or("basket_timeout_ms", 1_000, 1, 60_000, errors);
    let capacity = capacity(root.table("capacity", errors), errors);
    let shards = Shards::read(&mut root, errors);
    let count = shards.as_ref().and_then(|shards| Some(shards.as_ref()?.count));
    let threads = threads::read(root.table("threads", errors), count, errors);
    let memory = Memory::read(root.table("memory", errors), errors);
    let stalled_ns = watchdog(root.table("watchdog", errors), errors);
    let journal = journal(root.table("journal", errors), folder, errors);
    let venue = match root.has("venue") {
        true => VenueConfig::read(root.table("venue", errors), errors).map(Some),
        false => Some(None),
    };
    let audit = match root.has("audit") {
        true => audit(root.table("audit", errors), folder, errors).map(Some),
        false => Some(None),
    };
    // All of them are read, whatever is wrong with the first.
    let feeds: Vec<_> = root
        .tables("feed", errors)
        .into_iter()
        .map(|table| super::feed::read(table, folder, errors))
        .collect();
    let feeds: Option<Vec<_>> = feeds.into_iter().collect();
    if feeds.as_ref().is_some_and(|feeds| feeds.is_empty() || feeds.len() > FEEDS_MAX) {
        root.error("one to 16 [[feed]] tables are needed", errors);
    }
    if let Some(line) = feeds.as_deref().and_then(heard_twice) {
        root.error(format!("`lines`: {line} is named twice"), errors);
    }
    let strategies: Option<Vec<_>> =
        root.tables("strategy", errors).into_iter().map(|table| strategy(table, errors)).collect();
    root.finish(errors);
    let Threads { wait, cpus, lock_memory, hiccup_max } = threads?;
    let shards = shards?.map(|shards| Shards { cpus: cpus.clone(), ..shards });
    let index = shards.as_ref().and_then(|shards| shards.index);
    let cpus = cpus.first().copied().filter(|_| shards.is_none());
    let mut config = EngineConfig {
        name: name?,
        mode: mode?,
        start_level: start_level?,
        stop_trigger: stop_trigger?,
        basket_timeout_ns: basket_timeout_ms? * 1_000_000,
        capacity: capacity?,
        memory: memory?,
        wait,
        cpus: cpus.unwrap_or_default(),
        shards,
        lock_memory,
        hiccup_max,
        stalled_ns: stalled_ns?,
        journal: Some(journal?),
        audit: audit?,
        venue: venue?,
        feeds: feeds?,
        strategies: strategies?,
    };
    if let Some(index) = index {
        config.divide(index);
    }
    Some(config)
}

/// Where nothing is said: what can lose money waits for somebody.
fn start_level_of(mode: Option<Mode>) -> HaltLevel {
    match mode {
        Some(Mode::Paper | Mode::Replay) => HaltLevel::Active,
        Some(Mode::Live) | None => HaltLevel::CancelOnly,
    }
}

fn capacity(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<Capacity> {
    let start = Capacity::SMALL;
    let mut size = |key, default: u32, most: u32| -> Option<u32> {
        table.number_or(key, default.into(), 1, most.into(), errors).map(|n| n as u32)
    };
    let instruments = size("instruments", start.instruments, 65_535);
    let book_orders = size("book_orders", start.book_orders, 1 << 28);
    let levels = size("levels", start.levels, 1 << 26);
    let ref_pages = size("ref_pages", start.ref_pages, 1 << 14);
    let own_orders = size("own_orders", start.own_orders, 1 << 20);
    let lots = size("lots", start.lots, 1 << 26);
    let client_ids = size("client_ids", start.client_ids, 1 << 26);
    let feed_ring = size("feed_ring", start.feed_ring, 1 << 24);
    let tape = table.number_or("tape", start.tape.into(), 8, 1 << 20, errors);
    table.finish(errors);
    Some(Capacity {
        instruments: instruments?,
        book_orders: book_orders?,
        levels: levels?,
        ref_pages: ref_pages?,
        own_orders: own_orders?,
        lots: lots?,
        client_ids: client_ids?,
        tape: tape? as u32,
        feed_ring: feed_ring?,
    })
}

fn watchdog(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<u64> {
    let stalled_ms = table.number_or("stalled_ms", 1000, 100, 60_000, errors);
    table.finish(errors);
    Some(stalled_ms? * 1_000_000)
}

fn journal(
    mut table: Table<'_>,
    folder: &Path,
    errors: &mut ConfigErrors,
) -> Option<JournalConfig> {
    let path = table.text("folder", errors);
    let choices = [("written", Durability::Written), ("synced", Durability::Synced)];
    let durability = table.choice_or("durability", &choices, Durability::Written, errors);
    let deep_checkpoints = table.flag_or("deep_checkpoints", false, errors);
    let default = SEGMENT_BYTES / MIB;
    let segment_bytes =
        table.number_or("segment_mib", default, 1, 4096, errors).map(|mib| mib * MIB);
    table.finish(errors);
    Some(JournalConfig {
        folder: folder.join(path?),
        durability: durability?,
        deep_checkpoints: deep_checkpoints?,
        segment_bytes: segment_bytes?,
    })
}

fn audit(mut table: Table<'_>, folder: &Path, errors: &mut ConfigErrors) -> Option<AuditConfig> {
    let mut path = |key| Some(folder.join(table.text(key, errors)?));
    let (log, key, checkpoints) = (path("folder"), path("key"), path("checkpoints"));
    let records =
        table.number_or("checkpoint_records", 1024, 1, audit::CHECKPOINT_RECORDS_MAX, errors);
    let ms = table.number_or("checkpoint_ms", 1000, 1, 3_600_000, errors);
    table.finish(errors);
    Some(AuditConfig {
        folder: log?,
        key: key?,
        checkpoints: checkpoints?,
        checkpoint_records: records?,
        checkpoint_ms: ms?,
    })
}

/// A line that stands in two places.
fn heard_twice(feeds: &[FeedConfig]) -> Option<SocketAddr> {
    let lines = feeds.iter().flat_map(|feed| match &feed.source {
        FeedSource::Lines(lines) => lines.lines.as_slice(),
        FeedSource::Captures(_) | FeedSource::Server(_) | FeedSource::Stream(_) => &[],
    });
    let mut known = BTreeSet::new();
    lines.copied().find(|line| !known.insert(*line))
}

fn strategy(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<StrategyConfig> {
    table.choice("kind", &[("probe", ())], errors);
    let account = table.symbol("account", errors);
    let every = table.number("every", 1, 1_000_000_000, errors);
    table.finish(errors);
    Some(StrategyConfig { account: account?, every: every? })
}
