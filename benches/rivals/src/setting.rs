//! What every row is told.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::Options;
use crate::day::Day;

/// What was asked for, and what rows share.
pub struct Setting {
    /// Rounds of each contender.
    pub rounds: u32,
    /// Python with the rivals' packages.
    pub python: Option<PathBuf>,
    /// Where tickgate's programs are.
    pub programs: PathBuf,
    /// The processor of rows that stay on one, and one for their partner; the same one if there is no other.
    pub cpus: [usize; 2],
    messages: u64,
    only: Vec<String>,
    day: OnceLock<Day>,
}

impl Setting {
    /// Takes the options.
    pub fn new(options: &Options) -> Setting {
        let cpus = host::cpus();
        let here = cpus.first().copied().unwrap_or(0);
        let there = cpus.last().copied().unwrap_or(0);
        Setting {
            rounds: options.rounds,
            python: options.python.clone(),
            programs: options.programs.clone(),
            cpus: [here, there],
            messages: options.messages,
            only: options.only.clone(),
            day: OnceLock::new(),
        }
    }

    /// Whether a contender was asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only))
    }

    /// The day, made when it is first asked for.
    pub fn day(&self) -> &Day {
        self.day.get_or_init(|| Day::new(self.messages))
    }
}
