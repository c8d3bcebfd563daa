//! `[threads]`: where the threads run, how they wait, and how quiet their cores must be.

use super::table::{ConfigErrors, Table};

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

/// The table, as read.
pub(super) struct Threads {
    pub wait: Wait,
    pub cpus: Cpus,
    pub lock_memory: bool,
    pub hiccup_max: HiccupMax,
}

/// Reads the table; `None` if something of it could not be read, which is noted.
pub(super) fn read(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<Threads> {
    let waits =
        [("auto", Wait::Auto), ("spin", Wait::Spin), ("yield", Wait::Yield), ("park", Wait::Park)];
    let wait = table.choice_or("wait", &waits, Wait::Auto, errors);
    let mut cpu = |key| table.number_maybe(key, 4095, errors).map(|cpu| cpu.map(|n| n as usize));
    let (feed, engine, journal) = (cpu("feed_cpu"), cpu("engine_cpu"), cpu("journal_cpu"));
    let lock_memory = table.flag_or("lock_memory", false, errors);
    let hiccup_max = match table.has("hiccup_max_us") {
        false => Some(HiccupMax::Unsaid),
        true => table
            .number_or_off("hiccup_max_us", 1, 1_000_000, errors)
            .map(|us| us.map_or(HiccupMax::Off, HiccupMax::Us)),
    };
    table.finish(errors);
    Some(Threads {
        wait: wait?,
        cpus: Cpus { feed: feed?, engine: engine?, journal: journal? },
        lock_memory: lock_memory?,
        hiccup_max: hiccup_max?,
    })
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
