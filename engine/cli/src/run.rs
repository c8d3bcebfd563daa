//! `tickgate run`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::Config;
use engine::runtime::{self, Plan};
use engine::script::Script;

use crate::exit::{Failure, stop_on_signal};
use crate::summary;

/// Runs the engine as its configuration says, until it is stopped.
///
/// A journal that is there is gone on with: the state is made again first.
#[derive(Args)]
#[command(after_help = "Example: tickgate run --config deploy/engine.toml")]
pub struct Run {
    /// engine.toml; instruments.toml and limits.toml are read from the same folder.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
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
        let name = config.engine.name.clone();
        let plan = Plan {
            config,
            script: Script::default(),
            shared: true,
            ends_with_feed: self.once,
            drive_stream: Some(crate::streams::drive),
        };
        let begun = Instant::now();
        let running = runtime::start(plan)?;
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
}
