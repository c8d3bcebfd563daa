//! What the operator decides: `engine.toml` (this machine), `instruments.toml` and `limits.toml` (what may be traded,
//! and how much). Files whose bytes enter the journal, so that a journal replays alone.
//!
//! Unknown keys are refused, every error of every file is listed at once, and no limit has a default.

mod engine;
mod feed;
mod instruments;
mod limits;
mod memory;
mod rates;
mod server;
mod settled;
mod shards;
mod shared;
mod table;
mod threads;
mod triggers;
mod venue;

use std::path::{Path, PathBuf};

use crate::rules::Rules;

pub use engine::{
    AuditConfig, Capacity, Durability, EngineConfig, FEEDS_MAX, JournalConfig, StopTrigger,
    StrategyConfig,
};
pub use feed::{Captures, FeedConfig, FeedSource, Lines, SnapshotServer, Speed, Stream};
pub use memory::Memory;
pub use rates::moment;
pub use server::{Server, login};
pub use shards::Shards;
pub use table::{ConfigError, ConfigErrors};
pub use threads::{Cpus, HiccupMax, Wait};
pub use venue::{AtStop, GatewayConfig, OnStall, OuchConfig, TradeCapacity, VenueConfig};

/// A configuration as loaded.
#[derive(Clone, Debug)]
pub struct Config {
    /// This machine.
    pub engine: EngineConfig,
    /// What may be traded, and how much.
    pub rules: Rules,
    /// The files it was read from, for the journal.
    pub files: Vec<ConfigFile>,
    /// The folder of `engine.toml`, where `operators.toml` is looked for.
    pub folder: PathBuf,
}

/// One file, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its name without a path.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Config {
    /// Names of the files, in the order of [`Config::files`].
    pub const NAMES: [&str; 3] = ["engine.toml", "instruments.toml", Self::LIMITS];
    /// The file that a running engine can take anew.
    pub const LIMITS: &str = "limits.toml";

    /// Whether an engine may go on with a journal of another configuration: limits change while it runs, nothing else does.
    pub fn goes_on(&self, of_journal: &Config) -> bool {
        let rest = |config: &Config| {
            let files = config.files.iter().filter(|file| file.name != Config::LIMITS);
            files.cloned().collect::<Vec<_>>()
        };
        rest(self) == rest(of_journal)
    }

    /// Loads `engine.toml` by its path, and the two others from the same folder. A file that somebody is writing is waited for.
    ///
    /// # Errors
    ///
    /// All that is wrong in any of the files.
    pub fn load(engine_toml: &Path) -> Result<Config, ConfigErrors> {
        let folder = engine_toml.parent().unwrap_or(Path::new("."));
        let [_, instruments, limits] = Self::NAMES.map(|name| folder.join(name));
        let mut errors = ConfigErrors::default();
        let mut files = Vec::new();
        for path in [engine_toml.to_path_buf(), instruments, limits] {
            match settled::read(&path) {
                Ok(text) => files.push((path, text)),
                Err(error) => errors.push(ConfigError::file(&path, &error)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Self::from_texts(files)
    }

    /// Reads the three texts; the paths only name them in errors, and relative paths in `engine.toml` start at its folder.
    ///
    /// # Errors
    ///
    /// All that is wrong in any of them.
    pub fn from_texts(files: Vec<(PathBuf, String)>) -> Result<Config, ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let (mut engine, mut complete, mut rules) = (None, None, Rules::default());
        for (place, (path, text)) in files.iter().enumerate() {
            let root = table::parse(path, text, &mut errors);
            let folder = path.parent().unwrap_or(Path::new("."));
            match place {
                0 => engine = engine::read(root, folder, &mut errors),
                1 => rules.instruments = instruments::read(root, &mut errors),
                _ => complete = limits::read(root, &mut rules, &mut errors),
            }
        }
        let (Some(engine), Some(())) = (engine, complete) else { return Err(errors) };
        engine.check_against(&rules, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let folder = files.first().and_then(|(path, _)| path.parent()).unwrap_or(Path::new("."));
        let folder = folder.to_path_buf();
        let names = Self::NAMES.iter().map(|name| name.to_string());
        let files = names.zip(files).map(|(name, (_, text))| ConfigFile { name, text }).collect();
        Ok(Config { engine, rules, files, folder })
    }

    /// The same with another limits.toml.
    ///
    /// # Errors
    ///
    /// All that is wrong in it.
    pub fn with_limits(&self, text: &str) -> Result<Config, ConfigErrors> {
        let (mut errors, path) = (ConfigErrors::default(), Path::new(Self::LIMITS));
        let root = table::parse(path, text, &mut errors);
        let mut rules = Rules { instruments: self.rules.instruments.clone(), ..Rules::default() };
        let complete = limits::read(root, &mut rules, &mut errors);
        if complete.is_some() {
            self.engine.check_against(&rules, &mut errors);
        }
        if !errors.is_empty() || complete.is_none() {
            return Err(errors);
        }
        let mut config = Config { rules, ..self.clone() };
        for file in config.files.iter_mut().filter(|file| file.name == Self::LIMITS) {
            file.text = text.to_owned();
        }
        Ok(config)
    }

    /// The text of limits.toml.
    pub fn limits_text(&self) -> &str {
        let limits = self.files.iter().find(|file| file.name == Self::LIMITS);
        limits.map_or("", |file| &file.text)
    }

    /// Changes what `engine.toml` says; the journal of the run records the changed text. Not of a shard: it is taken of what was
    /// changed.
    pub fn with_engine(mut self, engine: EngineConfig) -> Config {
        if let Some(file) = self.files.first_mut() {
            file.text = engine.to_toml();
        }
        self.engine = engine;
        self
    }

    /// Digest of all files; a reader sees by it whether two engines run under the same rules.
    pub fn digest(&self) -> u64 {
        let mut hash = crate::hash::StateHash::default();
        for file in &self.files {
            hash.fold_bytes(file.text.as_bytes());
        }
        hash.value()
    }
}

#[cfg(test)]
mod tests;
