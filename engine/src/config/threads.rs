//! `[threads]`: where the threads run, how they wait, and how quiet their cores must be.

use super::table::{ConfigErrors, Table};

/// Highest number of a core.
const CPU_MAX: u64 = 4095;

/// How a hot thread waits for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// [`Wait::Spin`] on four cores or more, else [`Wait::Park`].
    Auto,
    /// Never gives the core away: lowest latency, one core each.
    Spin,
    /// Gives the core to whoever else is ready.
    Yield,
    /// Spins, then yields, then sleeps 50 µs at a time.
    Park,
}

impl Wait {
    /// What [`Wait::Auto`] is where a process may use so many processors.
    pub fn settled(self, cpus: usize) -> Wait {
        match self {
            Wait::Auto if cpus >= 4 => Wait::Spin,
            Wait::Auto => Wait::Park,
            chosen => chosen,
        }
    }
}

/// For how long a hot core may stand still while a live start watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiccupMax {
    /// Nothing is said, which is not for live trading.
    Unsaid,
    /// For any time: the host is not watched.
    Off,
    /// So many microseconds.
    Us(u64),
}

/// The core of each thread; `None` leaves it to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpus {
    /// The feed thread's.
    pub feed: Option<usize>,
    /// The engine thread's.
    pub engine: Option<usize>,
    /// The journal thread's.
    pub journal: Option<usize>,
}

impl Cpus {
    /// The lines that read back as the cores of one engine, or of each shard.
    pub(super) fn to_toml(each: &[Cpus], sharded: bool) -> String {
        let of = |key: &str, read: fn(&Cpus) -> Option<usize>| {
            let cpus: Option<Vec<String>> =
                each.iter().map(|cpus| Some(read(cpus)?.to_string())).collect();
            match cpus.filter(|cpus| !cpus.is_empty()) {
                Some(cpus) if sharded => format!("{key} = [{}]\n", cpus.join(", ")),
                Some(cpus) => format!("{key} = {}\n", cpus.concat()),
                None => String::new(),
            }
        };
        of("feed_cpu", |cpus| cpus.feed)
            + &of("engine_cpu", |cpus| cpus.engine)
            + &of("journal_cpu", |cpus| cpus.journal)
    }
}

/// The table, as read.
pub(super) struct Threads {
    pub wait: Wait,
    /// Of the one engine, or of each shard.
    pub cpus: Vec<Cpus>,
    pub lock_memory: bool,
    pub hiccup_max: HiccupMax,
}

/// Reads the table, where `shards` says of how many engines; `None` if something of it could not be read, which is noted.
pub(super) fn read(
    mut table: Table<'_>,
    shards: Option<u16>,
    errors: &mut ConfigErrors,
) -> Option<Threads> {
    let waits =
        [("auto", Wait::Auto), ("spin", Wait::Spin), ("yield", Wait::Yield), ("park", Wait::Park)];
    let wait = table.choice_or("wait", &waits, Wait::Auto, errors);
    let mut cpus = |key| cores(&mut table, key, shards, errors);
    let (feed, engine, journal) = (cpus("feed_cpu"), cpus("engine_cpu"), cpus("journal_cpu"));
    let lock_memory = table.flag_or("lock_memory", false, errors);
    let hiccup_max = match table.has("hiccup_max_us") {
        false => Some(HiccupMax::Unsaid),
        true => table
            .number_or_off("hiccup_max_us", 1, 1_000_000, errors)
            .map(|us| us.map_or(HiccupMax::Off, HiccupMax::Us)),
    };
    table.finish(errors);
    let each = feed?.into_iter().zip(engine?).zip(journal?);
    let cpus = each.map(|((feed, engine), journal)| Cpus { feed, engine, journal });
    Some(Threads {
        wait: wait?,
        cpus: cpus.collect(),
        lock_memory: lock_memory?,
        hiccup_max: hiccup_max?,
    })
}

/// The core of a thread in each engine: a number for one, a list for shards.
fn cores(
    table: &mut Table<'_>,
    key: &str,
    shards: Option<u16>,
    errors: &mut ConfigErrors,
) -> Option<Vec<Option<usize>>> {
    let Some(count) = shards else {
        let cpu = table.number_maybe(key, CPU_MAX, errors)?;
        return Some(vec![cpu.map(|cpu| cpu as usize)]);
    };
    if !table.has(key) {
        return Some(vec![None; count.into()]);
    }
    let cpus = table.numbers(key, CPU_MAX, errors)?;
    if cpus.len() != usize::from(count) {
        table.error(format!("`{key}` must name {count} cores, one for each shard"), errors);
        return None;
    }
    Some(cpus.into_iter().map(|cpu| Some(cpu as usize)).collect())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::config::Config;

    /// Reads a shipped configuration with another line in the place of `hiccup_max_us`.
    fn with(name: &str, line: &str) -> Result<HiccupMax, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        let files = [name, "instruments.toml", "limits.toml"];
        let mut files = files
            .map(|name| (PathBuf::from(name), std::fs::read_to_string(folder.join(name)).unwrap()));
        let text = files[0].1.lines().filter(|line| !line.starts_with("hiccup_max_us"));
        let text: Vec<&str> = text.collect();
        files[0].1 = text.join("\n").replace("[threads]\n", &format!("[threads]\n{line}\n"));
        let config =
            Config::from_texts(files.clone().into()).map_err(|errors| errors.to_string())?;
        let mut again = files;
        again[0].1 = config.engine.to_toml();
        let again = Config::from_texts(again.into()).map_err(|errors| errors.to_string())?;
        assert_eq!(again.engine.hiccup_max, config.engine.hiccup_max, "reads back");
        Ok(config.engine.hiccup_max)
    }

    /// Goal: live trading says how quiet its cores must be, or that it does not care; nothing is guessed. Method: each kind of
    /// value in both modes, and what is none.
    #[test]
    fn live_trading_says_how_quiet() {
        for (name, live) in [("engine.toml", false), ("live.toml", true)] {
            assert_eq!(with(name, "hiccup_max_us = 50"), Ok(HiccupMax::Us(50)));
            assert_eq!(with(name, "hiccup_max_us = \"off\""), Ok(HiccupMax::Off));
            for wrong in ["0", "1000001", "-1", "1.5", "\"none\"", "true"] {
                let said = with(name, &format!("hiccup_max_us = {wrong}")).unwrap_err();
                assert!(
                    said.contains("`hiccup_max_us` must be a whole number from 1"),
                    "{wrong}: {said}"
                );
            }
            match live {
                false => assert_eq!(with(name, ""), Ok(HiccupMax::Unsaid)),
                true => assert!(with(name, "").unwrap_err().contains("`hiccup_max_us` is missing")),
            }
        }
    }

    /// Goal: only `auto` looks at the processors. Method: each way, on three and on four.
    #[test]
    fn auto_spins_on_four() {
        assert_eq!([3, 4].map(|cpus| Wait::Auto.settled(cpus)), [Wait::Park, Wait::Spin]);
        assert_eq!([3, 4].map(|cpus| Wait::Yield.settled(cpus)), [Wait::Yield; 2]);
    }
}
