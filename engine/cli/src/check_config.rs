//! `tickgate check-config`.

use std::path::PathBuf;

use clap::Args;
use engine::budget::{Budget, Part};
use engine::config::{Config, Cpus, FeedConfig};
use engine::step::Engine;
use program::println;

use crate::exit::Failure;

/// Reads a configuration, says what its tables take of memory, and lists everything that is wrong with it.
#[derive(Args)]
#[command(after_help = "Example: tickgate check-config --config deploy/engine.toml")]
pub struct CheckConfig {
    /// engine.toml; instruments.toml and limits.toml are read from the same folder.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    pub fn run(self) -> Result<(), Failure> {
        let config = Config::load(&self.config).map(|config| (config.digest(), config));
        let budget = config.as_ref().ok().map(|(_, config)| Budget::of(config, true));
        let errors: Vec<String> = match &config {
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
            Ok((_, config)) => {
                config.engines().iter().filter_map(wrong).chain(lacks(config)).collect()
            }
        };
        if self.json {
            let digest = config.as_ref().ok().map(|(digest, _)| format!("{digest:016x}"));
            println!(
                "{}",
                serde_json::json!({
                    "ok": errors.is_empty(),
                    "errors": errors,
                    "digest": digest,
                    "memory": budget.as_ref().map(memory),
                })
            );
        } else {
            if let Some(budget) = &budget {
                println!("{budget}");
            }
            if errors.is_empty() {
                println!("{}: good", self.config.display());
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(if self.json {
            String::new()
        } else {
            format!("refused\n{}", errors.join("\n"))
        }))
    }
}

/// What is wrong with a configuration of an engine that reads well.
fn wrong(config: &Config) -> Option<String> {
    match Budget::of(config, true).check(&config.engine.memory) {
        Err(over) => Some(over.to_string()),
        Ok(()) => Engine::new(config).err().map(|error| error.to_string()),
    }
}

/// What this host lacks for it: captures, a folder for the journal, cores.
fn lacks(config: &Config) -> impl Iterator<Item = String> {
    let captures = config.engine.feeds.iter().filter_map(FeedConfig::captures);
    let captures = captures.flat_map(|captures| &captures.files).filter_map(|path| {
        let why = match path.metadata() {
            Ok(found) if found.is_dir() => "is a folder, not a capture".into(),
            Ok(_) => return None,
            Err(error) => error.to_string(),
        };
        Some(format!("{}: {why}", path.display()))
    });
    let folder = config.engine.journal.iter().filter_map(|journal| {
        let why = match &journal.folder {
            folder if *folder == config.folder => "is the folder of the configuration",
            folder if folder.exists() && !folder.is_dir() => "is no folder",
            _ => return None,
        };
        Some(format!("{}: {why}: it cannot be a journal's", journal.folder.display()))
    });
    captures.chain(folder).chain(cores(config))
}

/// Cores that are pinned and that no thread of this program may run on.
fn cores(config: &Config) -> impl Iterator<Item = String> {
    let here = host::cpus();
    let engines = config.engines().into_iter();
    let pinned = engines.flat_map(|config| {
        let Cpus { feed, engine, journal } = config.engine.cpus;
        [("feed_cpu", feed), ("engine_cpu", engine), ("journal_cpu", journal)]
    });
    let pinned = pinned.filter_map(|(key, cpu)| cpu.map(|cpu| (key, cpu)));
    // Empty: the host does not tell.
    let missing = pinned.filter(move |(_, cpu)| !here.is_empty() && !here.contains(cpu));
    missing.map(|(key, cpu)| format!("`{key}`: this process may not use core {cpu}"))
}

/// The tables as JSON.
fn memory(budget: &Budget) -> serde_json::Value {
    let table = |part: &Part| serde_json::json!({ "what": part.what, "count": part.count, "bytes": part.bytes });
    let tables: Vec<_> = budget.parts().iter().map(table).collect();
    serde_json::json!({ "tables": tables, "bytes": budget.total() })
}
