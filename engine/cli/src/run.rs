//! `tickgate run`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::Config;
use engine::journal::lease::Lease;
use engine::runtime::{self, Plan, RunError};
use engine::script::Script;

use crate::exit::{Failure, stop_on_signal};
use crate::{quiet, summary};

/// Runs the engine as its configuration says, until it is stopped.
///
/// A journal that is there is gone on with: the state is made again first. In live mode the hot cores are watched for two seconds
/// before anything else; where they stand still for longer than `hiccup_max_us`, the start is refused.
#[derive(Args)]
#[command(after_help = "Example: tickgate run --config deploy/engine.toml")]
pub struct Run {
    /// engine.toml; instruments.toml and limits.toml are read from the same folder.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Starts although the hot cores are not quiet: halted to cancel_only until an operator resumes.
    #[arg(long)]
    despite_hiccups: bool,
    /// Ends when the feed is through.
    #[arg(long)]
    once: bool,
    /// Prints one JSON object at the end.
    #[arg(long)]
    json: bool,
}

impl Run {
    pub fn run(self) -> Result<(), Failure> {
        let stop = stop_on_signal()?;
        let mut config = Config::load(&self.config).map_err(Failure::usage)?;
        let name = config.engine.name.clone();
        // First, so that nobody measures on the cores of an engine that runs.
        let lease = config.engine.journal.as_ref().map(|journal| Lease::take(&journal.folder));
        let lease = lease.transpose().map_err(RunError::from)?;
        if let Err(loud) = quiet::watch(&config.engine, quiet::AT_START) {
            self.is_loud(&loud)?;
            quiet::hold(&mut config.engine);
        }
        let plan = Plan {
            config,
            script: Script::default(),
            shared: true,
            ends_with_feed: self.once,
            drive_stream: Some(crate::streams::drive),
        };
        let begun = Instant::now();
        let running = runtime::start_under(plan, lease)?;
        tracing::info!("engine `{name}` runs; clients can attach");
        while !running.has_ended() && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let took = begun.elapsed();
        let finished = running.finish()?;
        if self.json {
            println!("{}", summary::json(&finished, took));
        } else {
            println!("{}", summary::line(&finished, took));
        }
        if stop.load(Ordering::Relaxed) { Err(Failure::interrupted()) } else { Ok(()) }
    }
    /// Refuses, unless told.
    fn is_loud(&self, loud: &str) -> Result<(), Failure> {
        let config = self.config.display();
        if !self.despite_hiccups {
            return Err(Failure::refused(format!(
                "{loud}\n`tickgate doctor --config {config}` says what to change; --despite-hiccups starts, halted to cancel_only"
            )));
        }
        tracing::warn!("{loud}; halted to cancel_only until an operator resumes");
        Ok(())
    }
}
