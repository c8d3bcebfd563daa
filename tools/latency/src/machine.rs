//! The machine that a figure was measured on.

use std::fs::read_to_string;
use std::time::Duration;

use doctor::{Host, Outcome, Pinned, Subject, checks};
use serde::{Deserialize, Serialize};

/// What a reader must know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Processors that are online.
    pub cpus: usize,
    /// The kernel.
    pub kernel: String,
    /// Whether it is a guest of another machine.
    pub is_guest: bool,
    /// Processors on which the kernel schedules nothing by itself.
    pub isolated: String,
    /// Load average of the last minute, at the start.
    pub load: String,
    /// Required checks of `tickgate doctor` that fail for these cores.
    pub fails: Vec<String>,
    /// Gaps over 100 us a second of these cores at rest, and where they touched memory; `None`: not measured.
    #[serde(default)]
    pub long_gaps: Option<[u64; 2]>,
}

/// How long the cores are watched for that, each time.
const WATCHED: Duration = Duration::from_millis(500);

impl Machine {
    /// This one, judged for hot threads on these cores.
    pub fn this(cpus: [usize; 2]) -> Machine {
        let read = |path: &str| read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpuinfo = read("/proc/cpuinfo");
        let field = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
        };
        let [feed, engine] = cpus.map(Some);
        let pinned =
            Pinned { feed, engine, engines: 1, journal: None, lock_memory: true, spins: true };
        let host = Host::this();
        let subject = Subject::configured(&host, true, pinned);
        let findings = checks::run(&host, &subject);
        let (pair, for_ns) = ([feed, engine], WATCHED.as_nanos() as u64);
        let at_rest = doctor::long_gaps(&subject, &doctor::measure_gaps(&pair, for_ns));
        let touching = doctor::long_gaps(&subject, &doctor::measure_touches(&pair, for_ns));
        let failed = findings.iter().filter(|finding| finding.outcome == Outcome::Failed);
        Machine {
            processor: field("model name").to_owned(),
            cpus: subject.online.len(),
            kernel: read("/proc/sys/kernel/osrelease"),
            is_guest: field("flags").split(' ').any(|flag| flag == "hypervisor"),
            isolated: read("/sys/devices/system/cpu/isolated"),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            fails: failed.map(|finding| format!("{}: {}", finding.check, finding.found)).collect(),
            long_gaps: at_rest.zip(touching).map(|(rest, touch)| [rest, touch]),
        }
    }

    /// Whether figures of both can be compared.
    pub fn is_like(&self, other: &Machine) -> bool {
        let kind = |machine: &Machine| (machine.processor.clone(), machine.cpus, machine.is_guest);
        kind(self) == kind(other)
    }
}
