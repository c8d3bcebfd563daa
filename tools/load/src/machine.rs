//! Who had the processors during a run. What others took is part of the figure: a machine that is busy with something else
//! measures that.

use std::fs::read_to_string;

/// Ticks of the processors up to a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    cpus: u64,
    total: u64,
    idle: u64,
    own: u64,
    threads: Vec<(String, u64)>,
}

/// Who had the processors, in processors: 1.0 is all of one, all the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processors of this machine.
    pub cpus: u64,
    /// Threads of this process, the busiest first.
    pub threads: Vec<(String, f64)>,
    /// Everything else on this machine, what its host took from it included.
    pub others: f64,
    /// Load average of the last minute, at the end.
    pub load: f64,
}

impl Machine {
    /// Up to now; zeros where the host does not say.
    pub(crate) fn now() -> Machine {
        let stat = read_to_string("/proc/stat").unwrap_or_default();
        let cpus = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
        // user nice system idle iowait irq softirq steal; what follows is part of user.
        let ticks = |line: &str| -> Vec<u64> {
            line.split_whitespace().skip(1).take(8).filter_map(|word| word.parse().ok()).collect()
        };
        let all = stat.lines().next().map(ticks).unwrap_or_default();
        let idle = all.iter().skip(3).take(2).sum();
        let threads = threads();
        Machine {
            cpus: cpus.count() as u64,
            total: all.iter().sum(),
            idle,
            own: of_stat(&read_to_string("/proc/self/stat").unwrap_or_default()),
            threads,
        }
    }

    /// What came after `earlier`.
    pub(crate) fn since(&self, earlier: &Machine) -> Usage {
        let ticks = self.total.saturating_sub(earlier.total);
        let each = ticks as f64 / self.cpus.max(1) as f64;
        let share = |ticks: u64| ticks as f64 / each.max(1.0);
        let before = |name: &str| {
            let found = earlier.threads.iter().find(|(thread, _)| thread == name);
            found.map_or(0, |(_, ticks)| *ticks)
        };
        let mut threads: Vec<_> = self
            .threads
            .iter()
            .map(|(name, ticks)| (name.clone(), share(ticks.saturating_sub(before(name)))))
            .filter(|(_, share)| *share >= 0.005)
            .collect();
        threads.sort_by(|a, b| b.1.total_cmp(&a.1));
        let busy = ticks.saturating_sub(self.idle.saturating_sub(earlier.idle));
        let own = self.own.saturating_sub(earlier.own);
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().and_then(|word| word.parse().ok());
        Usage {
            cpus: self.cpus,
            threads,
            others: share(busy.saturating_sub(own)),
            load: load.unwrap_or(0.0),
        }
    }
}

/// The threads of this process by name.
fn threads() -> Vec<(String, u64)> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let read = |path: std::path::PathBuf| read_to_string(path).unwrap_or_default();
    let task = |task: std::fs::DirEntry| {
        let name = read(task.path().join("comm"));
        (name.trim().to_string(), of_stat(&read(task.path().join("stat"))))
    };
    tasks.flatten().map(task).collect()
}

/// User and system ticks of a process or thread; its name, in brackets, may hold anything.
fn of_stat(stat: &str) -> u64 {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what this process burns is its own, by thread, and nobody else's. Method: spin for a while under a name.
    #[test]
    fn a_busy_thread_is_seen() {
        let before = Machine::now();
        let spin = || {
            let begun = std::time::Instant::now();
            while begun.elapsed().as_millis() < 300 {
                std::hint::spin_loop();
            }
            Machine::now().since(&before)
        };
        let spinner = std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("spinner".into())
                .spawn_scoped(scope, spin)
                .unwrap()
                .join()
        });
        let usage = spinner.unwrap();
        let share =
            usage.threads.iter().find(|(name, _)| name == "spinner").map(|(_, share)| *share);
        assert!(usage.cpus > 0 && usage.others >= 0.0);
        assert!(share.is_some_and(|share| share > 0.02 && share < 1.3), "{usage:?}");
    }
}
