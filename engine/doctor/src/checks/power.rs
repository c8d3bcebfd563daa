//! How fast a processor wakes and runs.

use super::{Check, Need};
use crate::{CpuSet, Group, Host, Seen, Subject};

/// Microseconds that a sleeping core may take to wake.
const WAKE_US_MAX: i64 = 2;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "governor",
        group: Group::Power,
        need: Need::Never,
        why: "the clock rate follows the load: the first burst after a quiet minute meets a slow core",
        look: governor,
    },
    Check {
        name: "c_states",
        group: Group::Power,
        need: Need::Never,
        why: "a core that sleeps deeply takes 50 to 200 us to wake; threads that spin never sleep, all others do",
        look: c_states,
    },
];

/// The hot cores, or all if none is known.
fn cores(subject: &Subject) -> &CpuSet {
    if subject.hot.is_empty() { &subject.online } else { &subject.hot }
}

fn governor(host: &Host, subject: &Subject) -> Seen {
    let wanted = "performance";
    let of = |cpu: usize| {
        let path = format!("sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor");
        host.text(&path).map(|governor| (cpu, governor))
    };
    let found: Vec<_> = cores(subject).iter().filter_map(of).collect();
    if found.is_empty() || found.len() < cores(subject).len() {
        let text = "no cpufreq here: firmware or hypervisor sets the clock rate";
        return Seen::unknown(text, wanted)
            .fix("firmware: a performance profile; of a virtual machine, ask its host");
    }
    let slow: CpuSet =
        found.iter().filter(|(_, governor)| governor != wanted).map(|(cpu, _)| *cpu).collect();
    let mut names: Vec<&str> = found.iter().map(|(_, governor)| governor.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let seen = Seen::of(slow.is_empty(), names.join(", "), wanted);
    if slow.is_empty() {
        return seen;
    }
    seen.fix(format!("cpupower --cpu {slow} frequency-set --governor performance"))
}

fn c_states(host: &Host, subject: &Subject) -> Seen {
    let wanted = format!("no state that takes more than {WAKE_US_MAX} us to leave");
    let driver = host.text("sys/devices/system/cpu/cpuidle/current_driver");
    let folder = "sys/devices/system/cpu";
    let mut slow = Vec::new();
    let mut seen_any = false;
    for cpu in cores(subject).iter() {
        for state in host.names(&format!("{folder}/cpu{cpu}/cpuidle")) {
            let path = format!("{folder}/cpu{cpu}/cpuidle/{state}");
            let Some(latency) = host.number(&format!("{path}/latency")) else { continue };
            seen_any = true;
            if latency > WAKE_US_MAX && host.number(&format!("{path}/disable")) != Some(1) {
                slow.push(latency);
            }
        }
    }
    let polls = host.boot("idle").as_deref() == Some("poll");
    let none = driver.as_deref() == Some("none");
    if polls || none || seen_any && slow.is_empty() {
        let found = if polls {
            "idle=poll"
        } else if none {
            "the kernel has no idle driver"
        } else {
            "all slow ones off"
        };
        return Seen::of(true, found, wanted);
    }
    if !seen_any {
        return Seen::unknown("the kernel lists no idle states", wanted);
    }
    let slowest = slow.iter().max().copied().unwrap_or_default();
    let name = driver.unwrap_or_else(|| "idle driver".into());
    Seen::of(false, format!("{name}: states of up to {slowest} us are in use"), wanted)
        // It takes those of just that latency too.
        .fix(format!(
            "cpupower --cpu {} idle-set --disable-by-latency {}",
            subject.hot_text(),
            WAKE_US_MAX + 1
        ))
        .fix("or boot with intel_idle.max_cstate=0 processor.max_cstate=1")
}
