//! `tickgate run`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::Config;
use engine::journal::lease::Lease;
use engine::runtime::{Plan, RunError, Shards};
use engine::script::Script;
use program::{print, println};

use crate::exit::{Failure, stop_on_signal};
use crate::{quiet, summary};

/// Runs the engine as its configuration says, until it is stopped.
///
/// A journal that is there is continued: the state is made again first. In live mode the hot cores are watched for two seconds
/// before anything else; where they stand still for longer than `hiccup_max_us`, the start is refused. With [shards] each runs as
/// an engine NAME-0, NAME-1 … of this process; one that fails ends the run.
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
        let config = Config::load(&self.config).map_err(Failure::usage)?;
        let engines = config.engines().into_iter();
        let plans = engines.map(|config| self.plan(config)).collect::<Result<Vec<_>, _>>()?;
        let begun = Instant::now();
        let mut shards = Shards::start_under(plans)?;
        for name in shards.names() {
            tracing::info!("engine `{name}` runs; clients can attach");
        }
        while !shards.poll()? && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let took = begun.elapsed();
        let finished = shards.finish()?;
        if self.json {
            println!("{}", summary::json_of(&finished, took));
        } else {
            print!("{}", summary::lines(&finished, took));
        }
        if stop.load(Ordering::Relaxed) { Err(Failure::interrupted()) } else { Ok(()) }
    }

    /// What one engine is to do, once its journal is nobody else's and its cores are quiet.
    fn plan(&self, mut config: Config) -> Result<(Plan, Option<Lease>), Failure> {
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
        Ok((plan, lease))
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
