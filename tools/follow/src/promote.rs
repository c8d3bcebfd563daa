//! From follower to engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cli::{quiet, summary};
use engine::config::Config;
use engine::journal::JournalError;
use engine::journal::lease::Lease;
use engine::replay::Replay;
use engine::runtime::{self, Plan};
use engine::script::Script;
use journal::failure::Failure;
use program::println;

/// How often somebody looks whether the lease is free.
const LOOK: Duration = Duration::from_millis(2);

/// Is set by SIGUSR1, or at once.
pub fn asked(at_once: bool) -> Result<Arc<AtomicBool>, Failure> {
    let asked = Arc::new(AtomicBool::new(at_once));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&asked))
        .map_err(|error| Failure::usage(format!("cannot listen for signals: {error}")))?;
    Ok(asked)
}

/// Looks for the moment when no engine has the journal.
pub struct Watch {
    folder: PathBuf,
    on_loss: bool,
    asked: Arc<AtomicBool>,
    /// Whether an engine has the lease, or had it and did not stop cleanly: else nothing is lost, and the lease is not
    /// touched, so that no engine that starts finds it taken.
    armed: bool,
    /// Times that an engine had opened the journal when it was looked at last; `None`: what there was is not replayed yet. Those
    /// that opened it before are history: an engine that was killed and left down is not to be replaced.
    opened: Option<u64>,
    looked: Instant,
    told: bool,
}

impl Watch {
    /// Looks once whether an engine has the journal.
    pub fn new(folder: &Path, on_loss: bool, asked: Arc<AtomicBool>) -> Result<Watch, Failure> {
        let armed = on_loss && is_held(folder)?;
        let (folder, looked) = (folder.to_path_buf(), Instant::now());
        Ok(Watch { folder, on_loss, asked, armed, opened: None, looked, told: false })
    }

    /// Whether the engine was stopped and nobody asked to take over: that is no loss.
    pub fn stands_down(&mut self, replay: &Replay) -> bool {
        let stopped = replay.closed && !self.asked.load(Ordering::Relaxed);
        if self.armed && stopped {
            tracing::info!("the engine was stopped; waits for the next one");
            self.armed = false;
        }
        stopped
    }

    /// The lease, if it is free and to be taken. To be asked when all that there is was replayed.
    pub fn free_lease(&mut self, replay: &Replay) -> Result<Option<Lease>, Failure> {
        let asked = self.asked.load(Ordering::Relaxed);
        let opened = self.opened.replace(replay.opened);
        self.armed |= match opened {
            Some(opened) => replay.opened > opened,
            None => self.on_loss && is_held(&self.folder)?, // One may have come meanwhile.
        };
        if opened.is_none() && self.on_loss && !self.armed {
            tracing::info!(
                "no engine has this journal; waits for one, or for SIGUSR1 to take over"
            );
        }
        self.stands_down(replay);
        let watches = asked || self.on_loss && self.armed;
        if !watches || self.looked.elapsed() < LOOK {
            return Ok(None);
        }
        self.looked = Instant::now();
        let lease = take(&self.folder)?;
        if lease.is_none() && asked && !self.told {
            tracing::info!("takes over when the engine that has the journal ends");
            self.told = true;
        }
        Ok(lease)
    }
}

/// Whether an engine has the lease: a command may, for a moment.
fn is_held(folder: &Path) -> Result<bool, Failure> {
    for _ in 0..3 {
        if take(folder)?.is_some() {
            return Ok(false);
        }
        std::thread::sleep(10 * LOOK);
    }
    Ok(true)
}

/// The lease; `None`: somebody has it.
fn take(folder: &Path) -> Result<Option<Lease>, Failure> {
    match Lease::take(folder) {
        Ok(lease) => Ok(Some(lease)),
        Err(JournalError::InUse { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Becomes the engine, until that is stopped. Where its cores are not quiet, it comes up halted to cancel_only: a standby that
/// refused would leave orders open that nobody can cancel.
pub fn run(
    mut config: Config,
    lease: Lease,
    replay: Replay,
    stop: &AtomicBool,
    json: bool,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let (name, seq) = (config.engine.name.clone(), replay.engine.seq());
    if let Err(loud) = quiet::watch(&config.engine, quiet::AT_PROMOTION) {
        tracing::warn!("{loud}; taken over, halted to cancel_only until an operator resumes");
        quiet::hold(&mut config.engine);
    }
    let plan = Plan {
        config,
        script: Script::default(),
        shared: true,
        ends_with_feed: false,
        drive_stream: Some(cli::streams::drive),
    };
    let started = |error| {
        let cli::exit::Failure { code, message } = cli::exit::Failure::from(error);
        Failure { code, message }
    };
    let running = runtime::promote(plan, lease, replay).map_err(started)?;
    let took = begun.elapsed().as_micros() as f64 / 1e3;
    tracing::warn!(
        "engine `{name}` taken over behind input {seq} in {took} ms; clients can attach"
    );
    while !running.has_ended() && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let ran = begun.elapsed();
    let finished = running.finish().map_err(started)?;
    if json {
        println!("{}", summary::json(&finished, ran));
    } else {
        println!("{}", summary::line(&finished, ran));
    }
    if stop.load(Ordering::Relaxed) { Err(Failure::interrupted()) } else { Ok(()) }
}
