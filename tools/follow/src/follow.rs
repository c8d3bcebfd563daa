//! Reads on, replays, writes snapshots.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::audit::Trail;
use engine::config::{Config, EngineConfig};
use engine::journal::reader::Fault;
use engine::replay::Replay;
use journal::failure::{Failure, stop_on_signal};

use crate::Follow;
use crate::every::Due;
use crate::lag::Lag;
use crate::promote::{self, Watch};

/// Pause when all is replayed: about what the writer of the journal pauses itself.
const PAUSE: Duration = Duration::from_micros(500);
/// Pause while there is no journal.
const NO_JOURNAL: Duration = Duration::from_millis(20);

/// A follower in its course.
struct Follower {
    folder: PathBuf,
    replay: Replay,
    due: Due,
    lag: Lag,
    /// Whether all that was seen of the journal is replayed.
    level: bool,
    /// Why the last snapshot was not written.
    unwritten: Option<String>,
}

impl Follow {
    /// Follows until it is stopped, or becomes the engine.
    pub fn run(self) -> Result<(), Failure> {
        let stop = stop_on_signal()?;
        let asked = promote::asked(self.takeover)?;
        let config = self.config.as_deref().map(Config::load).transpose();
        let config = config.map_err(Failure::usage)?;
        if config.as_ref().is_some_and(|config| is_of_several(&config.engine)) {
            let what = "[shards]: a follower follows one: FOLDER/0 of the journal, or --config with a line `shard = 0` \
                        before all";
            return Err(Failure::usage(what));
        }
        let folder = folder_of(self.folder.as_deref(), config.as_ref())?;
        let Some(mut replay) = open(&folder, self.once, &stop)? else {
            return Err(Failure::interrupted());
        };
        if let Some(config) = &config
            && !config.goes_on(&replay.config)
        {
            let what = "was written under another configuration than the one to take over with";
            return Err(Failure::usage(format!("{}: {what}", folder.display())));
        }
        if let Some(config) = &config {
            replay.trail = Trail::of(config, &replay.engine);
        }
        let due = Due::new(self.every, replay.from.unwrap_or(0));
        let is_standby = config.is_some() && !self.once;
        let lag = Lag::new(self.json, self.report, is_standby);
        let mut watch = Watch::new(&folder, self.promote_on_loss, asked)?;
        let mut follower = Follower { folder, replay, due, lag, level: false, unwritten: None };
        while !stop.load(Ordering::Relaxed) {
            let caught_up = follower.advance()?;
            if !caught_up {
                continue;
            }
            if self.once {
                follower.snapshot_if_new();
                follower.lag.report(&follower.folder, &follower.replay, true, true);
                let unwritten = |why| Failure::check(format!("no snapshot was written: {why}"));
                return follower.unwritten.map_or(Ok(()), |why| Err(unwritten(why)));
            }
            if let Some(config) = &config
                && let Some(lease) = watch.free_lease(&follower.replay)?
            {
                // Nobody writes any more: what there is, is all. If it ends with a clean stop, that came after the last look.
                follower.replay.read_again()?;
                follower.replay.run(None, |_| ())?;
                if watch.stands_down(&follower.replay) {
                    continue;
                }
                let Follower { replay, .. } = follower;
                return promote::run(config.clone(), lease, replay, &stop, self.json);
            }
            std::thread::sleep(PAUSE);
        }
        follower.snapshot_if_new();
        Err(Failure::interrupted())
    }
}

impl Follower {
    /// Replays what was written since, a slice at most; whether that was all of it.
    fn advance(&mut self) -> Result<bool, Failure> {
        if self.level {
            self.replay.refresh()?;
        }
        let until = self.replay.engine.seq() + self.due.slice();
        self.replay.run(Some(until), |_| ())?;
        let seq = self.replay.engine.seq();
        self.level = seq < until;
        if self.level {
            if let Some(refusal) = self.replay.fault().and_then(Fault::refusal) {
                return Err(refusal.into());
            }
            self.lag.is_level();
        }
        if self.due.is_due(seq) {
            self.snapshot();
        }
        self.lag.report(&self.folder, &self.replay, self.level, false);
        Ok(self.level)
    }

    fn snapshot_if_new(&mut self) {
        if self.unwritten.is_some() || self.due.is_new(self.replay.engine.seq()) {
            self.snapshot();
        }
    }

    /// Writes one. That it cannot be written is told, and tried again when the next is due.
    fn snapshot(&mut self) {
        let begun = Instant::now();
        let written = self.replay.write_snapshot();
        self.unwritten = written.as_ref().err().map(ToString::to_string);
        match written {
            Ok(Some(written)) => self.lag.written(&written, begun.elapsed()),
            Ok(None) => {}
            Err(error) => tracing::error!("no snapshot was written: {error}"),
        }
        self.due.done(self.replay.engine.seq());
    }
}

fn folder_of(folder: Option<&Path>, config: Option<&Config>) -> Result<PathBuf, Failure> {
    let of_config = config.and_then(|config| config.engine.journal.as_ref());
    let folder = folder.or(of_config.map(|journal| journal.folder.as_path()));
    let folder = folder.map(Path::to_path_buf);
    folder.ok_or_else(|| Failure::usage("the configuration has no [journal] to follow"))
}

/// Whether a configuration is of all shards together.
fn is_of_several(engine: &EngineConfig) -> bool {
    engine.shards.is_some() && engine.shard().is_none()
}

/// Opens the journal, as soon as there is one; `None`: told to end before that.
fn open(folder: &Path, once: bool, stop: &Arc<AtomicBool>) -> Result<Option<Replay>, Failure> {
    let mut told = false;
    while !stop.load(Ordering::Relaxed) {
        if let Some(replay) = Replay::open_from_snapshot(folder)? {
            for (path, why) in &replay.passed_over {
                tracing::warn!("{}: {why}: not continued", path.display());
            }
            match replay.from {
                Some(seq) => tracing::info!("follows from the snapshot of input {seq}"),
                None => tracing::info!("follows from the beginning"),
            }
            return Ok(Some(replay));
        }
        if once {
            return Err(Failure::no_journal(folder));
        }
        if !told {
            tracing::info!("{}: waits for a journal", folder.display());
            told = true;
        }
        std::thread::sleep(NO_JOURNAL);
    }
    Ok(None)
}
