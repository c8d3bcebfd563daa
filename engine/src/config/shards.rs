//! `[shards]`: several engines that share the instruments, and what of the file is each one's own.
//!
//! The configuration of a shard is the operator's file behind one line more, `shard = 0`: so its journal records it, and reads
//! back alone.

use feeds::{SHARDS_MAX, Shard, ShardFilter};
use model::Mode;
use risk::Share;

use super::engine::EngineConfig;
use super::table::{ConfigErrors, Table};
use super::threads::{Cpus, Wait};
use super::{Config, FeedConfig, FeedSource, shared};
use crate::rules::Rules;

/// Longest name of an engine.
const NAME_MAX: usize = 32;

/// Engines that share the instruments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    /// How many.
    pub count: u16,
    /// The one that this configuration is of; `None`: of all together.
    pub index: Option<u16>,
    /// The cores of each, if they are named.
    pub cpus: Vec<Cpus>,
}

impl Shards {
    /// Reads the table, and the line before it that says which shard this is. `None` inside: there is none.
    pub(super) fn read(root: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<Shards>> {
        let index = root.number_maybe("shard", (SHARDS_MAX - 1).into(), errors)?;
        if !root.has("shards") {
            if index.is_some() {
                root.error("`shard` says which of [shards] this is, and there are none", errors);
            }
            return Some(None);
        }
        let mut table = root.table("shards", errors);
        let count = table.number("count", 1, SHARDS_MAX.into(), errors);
        if let (Some(count), Some(index)) = (count, index)
            && index >= count
        {
            table
                .error(format!("`shard` is {index}, the last of {count} is {}", count - 1), errors);
        }
        table.finish(errors);
        let index = index.map(|index| index as u16);
        Some(Some(Shards { count: count? as u16, index, cpus: Vec::new() }))
    }

    /// The lines before everything else, and the table.
    pub(super) fn to_toml(&self) -> [String; 2] {
        let index = self.index.map_or_else(String::new, |index| format!("shard = {index}\n"));
        [index, format!("\n[shards]\ncount = {}\n", self.count)]
    }
}

impl EngineConfig {
    /// The shard that this is; `None`: one engine for everything, or all shards together.
    pub fn shard(&self) -> Option<Shard> {
        let Shards { count, index, .. } = self.shards.as_ref()?;
        Shard::new((*index)?, *count)
    }

    /// Its share of every account's limits.
    pub fn share(&self) -> Share {
        let share = self.shard().and_then(|shard| Share::new(shard.index(), shard.count()));
        share.unwrap_or(Share::WHOLE)
    }

    /// What leaves out the other shards' part of a feed; `None`: there is nothing to leave out.
    pub fn filter(&self, feed: &FeedConfig) -> Option<ShardFilter> {
        Some(ShardFilter::new(self.shard()?, feed.silence_ns))
    }

    /// How hot threads wait on a host of so many processors: those of every shard want some.
    pub fn wait_on(&self, cpus: usize) -> Wait {
        let shards = self.shards.as_ref().map_or(1, |shards| shards.count);
        self.wait.settled(cpus / usize::from(shards.max(1)))
    }

    /// Makes a shard of what all together are: a name, cores and folders of its own.
    pub(super) fn divide(&mut self, index: u16) {
        self.name = format!("{}-{index}", self.name);
        let cpus = self.shards.as_ref().and_then(|shards| shards.cpus.get(usize::from(index)));
        self.cpus = cpus.copied().unwrap_or_default();
        if let Some(journal) = &mut self.journal {
            journal.folder.push(index.to_string());
        }
        if let Some(audit) = &mut self.audit {
            audit.folder.push(index.to_string());
            audit.checkpoints.as_mut_os_string().push(format!("-{index}"));
        }
    }

    /// Checks what several engines cannot share.
    pub(super) fn check_shards(&self, rules: &Rules, errors: &mut ConfigErrors) {
        let Some(Shards { count: 2.., index, .. }) = self.shards else { return };
        for text in shared::unshared(rules) {
            errors.note(Config::LIMITS.as_ref(), text);
        }
        let mut note = |text: &str| errors.note("engine.toml".as_ref(), text.into());
        if self.mode == Mode::Live {
            note(
                "[shards]: a session with a venue serves one engine: `count` above 1 is for paper",
            );
        }
        let unicast = |feed: &FeedConfig| match &feed.source {
            FeedSource::Lines(lines) => lines.lines.iter().any(|line| !line.ip().is_multicast()),
            FeedSource::Captures(_) | FeedSource::Server(_) | FeedSource::Stream(_) => false,
        };
        if self.feeds.iter().any(unicast) {
            note(
                "[shards]: each shard hears `lines` by itself, so that they must be multicast groups",
            );
        }
        let digits = if index.is_some() { 0 } else { "-63".len() };
        if self.name.len() + digits > NAME_MAX {
            note("[shards]: `name` must leave room for `-` and the number of the shard");
        }
    }
}

impl Config {
    /// The configurations of the engines that run under this one: itself, or one for each of its shards.
    pub fn engines(&self) -> Vec<Config> {
        match &self.engine.shards {
            Some(Shards { count, index: None, .. }) => {
                (0..*count).map(|index| self.of_shard(index)).collect()
            }
            _ => vec![self.clone()],
        }
    }

    /// The configuration of one shard: the same files behind a line that says which.
    fn of_shard(&self, index: u16) -> Config {
        let mut config = self.clone();
        if let Some(file) = config.files.first_mut() {
            file.text.insert_str(0, &format!("shard = {index}\n"));
        }
        if let Some(shards) = &mut config.engine.shards {
            shards.index = Some(index);
        }
        config.engine.divide(index);
        config
    }
}
