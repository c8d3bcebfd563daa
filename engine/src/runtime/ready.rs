//! An engine before its threads start, and what is kept of it when they have ended.

use std::path::Path;

use feeds::Merge;

use super::{RunError, restart};
use crate::audit::Trail;
use crate::config::{Config, FeedConfig};
use crate::journal::reader::{Fault, Reader, Tail};
use crate::replay::{Place, Replay, ReplayError, open_captures};
use crate::snapshot::Snapshots;
use crate::step::{Engine, Prepared};

/// An engine that is about to run, fresh or replayed from its journal.
pub(super) struct Ready {
    /// The configuration with the limits that the engine has.
    pub config: Config,
    /// Others that limits.toml has by now.
    pub limits: Option<Prepared>,
    pub engine: Engine,
    pub captures: Merge,
    pub past: Past,
}

/// What came before, and what is kept of the run beside it.
pub(super) struct Past {
    /// By feed: events that the journal already holds.
    pub events: Vec<u64>,
    /// What was found in the journal; `None`: it is new.
    pub found: Option<Found>,
    /// Where a snapshot of its end goes; `None`: there is no journal.
    pub snapshots: Option<Snapshots>,
    /// What the audit log must have of the journal.
    pub trail: Option<Trail>,
}

/// A journal that is continued.
pub(super) struct Found {
    /// Where its valid part ends.
    pub tail: Tail,
    /// The last epoch that its records name.
    pub epoch: Option<u32>,
    /// Times that it was opened before.
    pub opened: u64,
}

/// What a run leaves beside its journal.
pub(super) struct Leaves {
    pub snapshots: Snapshots,
    /// Times that the journal was opened.
    pub opened: u64,
    pub epoch: u32,
}

impl Ready {
    /// Makes a fresh engine, or the one that the journal describes. One that cannot be gone on
    /// with, and in which nothing happened, describes none.
    pub fn prepare(config: &Config) -> Result<Ready, RunError> {
        let folder = config.engine.journal.as_ref().map(|journal| journal.folder.as_path());
        if let Some(folder) = folder
            && let Some(replay) = find(config, folder)?
        {
            let other = || RunError::OtherConfig(folder.to_path_buf());
            if !config.goes_on(&replay.config) {
                return Err(other());
            }
            let replay = match replayed(with_trail(config, replay)) {
                Err((Some(seq), error)) => {
                    tracing::warn!("the snapshot of input {seq} leads nowhere: {error}");
                    tracing::warn!("the journal is replayed from its beginning");
                    let replay = Replay::open_from_beginning(folder)?.ok_or_else(other)?;
                    replayed(with_trail(config, replay)).map_err(|(_, error)| error)?
                }
                replay => replay.map_err(|(_, error)| error)?,
            };
            return Ready::of(config, replay);
        }
        let captures = |feed: usize| config.engine.feeds.get(feed).and_then(FeedConfig::captures);
        let files = |feed| captures(feed).map(|c| c.files.clone()).unwrap_or_default();
        let captures =
            open_captures(config, files).map_err(|error| RunError::feed(config, error))?;
        let events = vec![0; config.engine.feeds.len()];
        let (engine, config) = (Engine::new(config)?, config.clone());
        let snapshots = folder.map(|folder| Snapshots::of(folder, &config, &engine));
        let past = Past { events, found: None, snapshots, trail: None };
        Ok(Ready { config, limits: None, engine, captures, past })
    }

    /// The engine of a replay that has come to the end of its journal.
    pub fn of(config: &Config, replay: Replay) -> Result<Ready, RunError> {
        if !config.goes_on(&replay.config) {
            let folder = config.engine.journal.as_ref().map(|journal| journal.folder.clone());
            return Err(RunError::OtherConfig(folder.unwrap_or_default()));
        }
        if let Some(refusal) = replay.fault().and_then(Fault::refusal) {
            return Err(refusal.into());
        }
        let (config, limits) = restart::limits(config, &replay)?;
        let (tail, epoch, opened) = (replay.tail(), replay.epoch, replay.opened);
        let Replay { engine, captures, events, snapshots, trail, .. } = replay;
        let found = Some(Found { tail, epoch, opened });
        let past = Past { events, found, snapshots, trail };
        Ok(Ready { config, limits, engine, captures, past })
    }
}

/// Opens a journal where the audit log needs its steps, or later, if there is an audit log.
fn open(config: &Config, folder: &Path) -> Result<Option<Replay>, RunError> {
    let first = match &config.engine.audit {
        Some(of_log) => crate::audit::first_missing(&audit::tail(&of_log.folder)?),
        None => None,
    };
    Ok(Replay::open_with_steps_from(folder, first.unwrap_or(u64::MAX))?)
}

/// The same; `None` also for one that cannot be continued and in which nothing happened.
fn find(config: &Config, folder: &Path) -> Result<Option<Replay>, RunError> {
    let found = open(config, folder);
    let goes_on = match &found {
        Ok(Some(replay)) => config.goes_on(&replay.config),
        Ok(None) => true,
        Err(_) => false,
    };
    if !goes_on && Reader::is_of_nothing(folder)? {
        tracing::info!("{}: nothing happened in this journal: it is begun anew", folder.display());
        return Ok(None);
    }
    found
}

fn with_trail(config: &Config, mut replay: Replay) -> Replay {
    replay.trail = Trail::of(config, &replay.engine);
    replay
}

/// Replays to the end; on an error with where it had begun, if that was a snapshot.
fn replayed(mut replay: Replay) -> Result<Replay, (Option<u64>, ReplayError)> {
    for (path, why) in &replay.passed_over {
        tracing::warn!("{}: {why}: not continued", path.display());
    }
    match replay.from {
        Some(seq) => tracing::info!("goes on from the snapshot of input {seq}"),
        None if replay.passed_over.is_empty() => {}
        None => tracing::warn!("the journal is replayed from its beginning"),
    }
    match replay.run(None, |_| ()) {
        Ok(()) => Ok(replay),
        Err(error) => Err((replay.from, error)),
    }
}

impl Leaves {
    /// Writes a snapshot of the end of a run. It saves time at the next start, so that an error is only told.
    pub fn write(self, engine: &Engine, tail: Tail, events: Vec<u64>) {
        if engine.seq() == 0 {
            return; // It would say that something had happened.
        }
        let place = Place::closed(tail, events, self.opened, self.epoch);
        if let Err(error) = self.snapshots.write(engine, &place) {
            tracing::warn!("no snapshot was written, the next start replays more: {error}");
        }
    }
}
