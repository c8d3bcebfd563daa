//! The threads around the core: feed, engine, journal, housekeeping. Each owns what it writes; between them are rings.
//!
//! ```text
//! feed ──events──► engine ──entries──► journal
//! gateway ──reports──► │ ──what passed──► gateway ◄── halt word
//!                    ▲ ├──records──► audit log
//!                    │ ├──samples──► housekeeping ◄── attach socket, operator socket
//!                    │ └──halts────────► │ ──► latch file, halt word
//!                    └───controls────────┘
//! ```

mod clock_watch;
mod credit;
mod dead_man;
mod desks;
mod engine;
mod feed;
mod feed_ring;
mod figures;
mod gateway;
mod housekeeping;
mod keeper;
mod lines;
mod observe;
mod operator;
mod pace;
mod port;
mod publish;
mod ready;
mod restart;
mod server;
mod shards;
mod sinks;
mod stages;
mod start;
mod status;
mod triggers;
mod wait;
mod watchdog;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use feeds::{Counters, FeedError, Merge, MergeError, Venue};
use model::page::{FEEDS, FeedCounters};

use crate::budget::OverBudget;
use crate::config::{Config, FeedConfig};
use crate::journal::JournalError;
use crate::replay::ReplayError;
use crate::script::Script;
use crate::step::{Engine, NotTaken, StartError};

pub use gateway::GatewayProgress;
pub use keeper::{can_have, latch_path};
pub use observe::{EngineObserver, FeedObserver};
pub use port::{DriveStream, StreamPort};
pub use shards::Shards;
pub use stages::{StageHistograms, summary};
pub(crate) use start::{entries_of, rings_of, share_capacity};
pub use start::{promote, start, start_observed, start_under};
pub use watchdog::FirmHalt;

/// What a run is.
pub struct Plan {
    /// Configuration; its feed is played, its journal is written or continued.
    pub config: Config,
    /// Orders to ask for at given messages.
    pub script: Script,
    /// Whether clients may attach. Without, nothing is published.
    pub shared: bool,
    /// Whether the run ends with the feed; else it goes on until it is stopped.
    pub ends_with_feed: bool,
    /// What drives feeds over WebSocket; `None`: a configuration with one cannot start.
    pub drive_stream: Option<DriveStream>,
}

/// How far a run has come; written by its threads, read by anybody.
#[derive(Debug, Default)]
pub struct Progress {
    /// The feeds, by their numbers.
    pub feeds: [FeedProgress; FEEDS],
    /// Inputs stepped.
    pub inputs: AtomicU64,
    /// Rounds of the engine's loop.
    pub loops: AtomicU64,
    /// Whether the engine stops: nothing new is sent to a venue any more.
    pub stopping: AtomicBool,
    /// Whether the engine thread has ended.
    pub ended: AtomicBool,
    /// The halt of everything, also while the engine thread stands still.
    pub halt: FirmHalt,
    /// Whether the engine thread stands still, for the watchdog.
    pub stalled: AtomicBool,
    /// The gateway to a venue outside, if there is one.
    pub gateway: GatewayProgress,
}

/// How far a feed has come: the words of its counters.
#[derive(Debug, Default)]
pub struct FeedProgress([AtomicU64; FeedCounters::WORDS]);

impl FeedProgress {
    /// Shows new counters. For the one thread that drives the feed.
    pub fn show(&self, counters: &FeedCounters) {
        for (place, word) in self.0.iter().zip(counters.to_words()) {
            place.store(word, Ordering::Relaxed);
        }
    }

    /// The counters; each for itself is recent.
    pub fn counters(&self) -> FeedCounters {
        FeedCounters::from_words(&std::array::from_fn(|word| {
            self.0.get(word).map_or(0, |place| place.load(Ordering::Relaxed))
        }))
    }
}

impl Progress {
    /// Messages of all feeds.
    pub fn messages(&self) -> u64 {
        self.feeds.iter().map(|feed| feed.counters().messages).sum()
    }

    /// Bytes of all feeds.
    pub fn bytes(&self) -> u64 {
        self.feeds.iter().map(|feed| feed.counters().bytes).sum()
    }
}

/// A run that was started.
pub struct Running {
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    threads: start::Threads,
    /// What joins it to the treasury, if it shares its accounts.
    teller: Option<credit::Teller>,
}

impl Running {
    /// How far it has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.progress.ended.load(Ordering::Acquire)
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the feed or the journal failed; what was done until then is lost to the caller, not to the journal.
    pub fn finish(self) -> Result<Finished, RunError> {
        self.stop.store(true, Ordering::Release);
        self.threads.join()
    }
}

/// What a run leaves.
pub struct Finished {
    /// The engine as it stood at the end.
    pub engine: Engine,
    /// What the captures held.
    pub feed: Counters,
    /// What each feed has seen, by its number.
    pub feeds: Vec<FeedCounters>,
    /// Latency by stage.
    pub stages: StageHistograms,
    /// Orders of the script that were never due.
    pub not_due: bool,
}

/// Why a run cannot start, or broke.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The engine cannot start with its configuration.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The host has no room for it.
    #[error(transparent)]
    Memory(#[from] OverBudget),
    /// A capture cannot be read.
    #[error("{}: {error}", path.display())]
    Feed {
        /// Which.
        path: PathBuf,
        /// Where and why.
        error: FeedError,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    /// The journal that is to be continued cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The journal that is to be continued was written under another configuration.
    #[error(
        "{0}: was written under another configuration; choose another folder, or restore the configuration"
    )]
    OtherConfig(PathBuf),
    /// limits.toml changes what stays as long as the journal does.
    #[error("limits.toml is not that of the journal {folder}: {error}")]
    OtherLimits {
        /// The journal.
        folder: PathBuf,
        /// What cannot be taken.
        error: NotTaken,
    },
    /// A line cannot be opened.
    #[error("{address}: {error}")]
    Line {
        /// Its address.
        address: SocketAddr,
        /// What the host says.
        error: std::io::Error,
    },
    /// A venue that is not heard in the way that the configuration wants.
    #[error("{0} cannot be heard in this way")]
    Unheard(Venue),
    /// A password cannot be used.
    #[error("{0}")]
    Password(String),
    /// Shared memory or its socket.
    #[error(transparent)]
    Shared(#[from] shm::ShmError),
    /// The operator socket.
    #[error("{}: {error}", path.display())]
    Operator {
        /// Where.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// One of several engines that run together.
    #[error("shard {index}: {error}")]
    Shard {
        /// Which.
        index: u16,
        /// What is wrong with it.
        error: Box<RunError>,
    },
    /// A thread could not be made, or died.
    #[error("thread `{0}` failed")]
    Thread(&'static str),
}

impl RunError {
    /// A capture of a configuration that cannot be opened.
    fn feed(config: &Config, MergeError { feed, error }: MergeError) -> RunError {
        let captures = config.engine.feeds.get(feed).and_then(FeedConfig::captures);
        let path = captures.and_then(|captures| captures.files.get(error.file)).cloned();
        let path = path.unwrap_or_default();
        RunError::Feed { path, error }
    }

    /// A capture that broke while it was read.
    fn capture(captures: &Merge, MergeError { feed, error }: MergeError) -> RunError {
        let path = captures.feeds().get(feed).map(|feed| feed.name(error.file).to_path_buf());
        RunError::Feed { path: path.unwrap_or_default(), error }
    }
}
