//! The machine that figures are of, and how much of it was left to us.

use std::fs::read_to_string;
use std::time::{Duration, Instant};

use serde::Serialize;

/// How long the hiccup meter looks.
const LOOK: Duration = Duration::from_millis(100);
/// A gap between two looks at the clock that no program of ours explains.
const GAP: Duration = Duration::from_micros(5);

/// What a figure depends on.
#[derive(Serialize)]
pub struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    rustc: &'static str,
    flags: &'static str,
    date: String,
    /// Tasks that ran or waited, on average over the minute before.
    load: String,
}

impl Machine {
    /// The machine as it is now.
    pub fn now() -> Machine {
        let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.and_then(|line| line.split(':').nth(1)).unwrap_or("unknown");
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let now = time::OffsetDateTime::now_utc();
        let (hour, minute) = (now.hour(), now.minute());
        Machine {
            cpu: model.trim().into(),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            kernel: kernel.trim().into(),
            rustc: env!("BUILT_BY"),
            flags: env!("BUILT_WITH"),
            date: format!("{} {hour:02}:{minute:02} UTC", now.date()),
            load: load.split(' ').next().unwrap_or("unknown").into(),
        }
    }

    /// Two lines about it.
    pub fn text(&self) -> String {
        let Machine { cpu, cores, kernel, rustc, flags, date, load } = self;
        let flags = if flags.is_empty() { "no flags" } else { flags };
        format!(
            "{cpu}, {cores} cores, Linux {kernel}, load {load}, {date}\n\
             {rustc}, {flags}, release, thin LTO, one codegen unit\n"
        )
    }
}

/// How much of this processor went to others just now.
#[derive(Clone, Copy, Serialize)]
pub struct Hiccups {
    /// Of the time, in percent.
    pub lost_percent: f64,
    /// The longest gap, microseconds.
    pub longest_us: f64,
    /// What work takes on this processor while the partner's works, percent of what it takes alone: near 200, both are threads of
    /// one core. `None`: there is no partner, or it was not there.
    pub together_percent: Option<u64>,
}

impl Hiccups {
    /// Spins on the clock for a while and adds up the gaps; then lets two cores work together.
    pub fn look(cpus: [usize; 2]) -> Hiccups {
        let start = Instant::now();
        let (mut before, mut lost, mut longest) = (start, Duration::ZERO, Duration::ZERO);
        while before.duration_since(start) < LOOK {
            let now = Instant::now();
            let gap = now.duration_since(before);
            if gap > GAP {
                lost += gap;
                longest = longest.max(gap);
            }
            before = now;
        }
        let took = before.duration_since(start);
        let together = doctor::measure_together(&[(cpus[0], cpus[1])]);
        Hiccups {
            lost_percent: 100.0 * lost.as_secs_f64() / took.as_secs_f64(),
            longest_us: longest.as_secs_f64() * 1e6,
            together_percent: together.first().map(|pair| pair.median_percent),
        }
    }
}
