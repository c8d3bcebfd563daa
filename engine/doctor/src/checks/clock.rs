//! How time is read.

use super::{Check, Need};
use crate::{Group, Host, Seen, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "clock_source",
        group: Group::Clock,
        need: Need::Live,
        why: "with any other source the kernel distrusts the processor's counter, and each look at the clock is a system call",
        look: clock_source,
    },
    Check {
        name: "tsc",
        group: Group::Clock,
        need: Need::Live,
        why: "a counter that changes its rate or stops when the processor sleeps cannot be used as a clock",
        look: tsc,
    },
    Check {
        name: "time_sync",
        group: Group::Clock,
        need: Need::Never,
        why: "venues' times cannot be compared with ours, and a wall clock that drifts halts live trading (clock_error_ms)",
        look: time_sync,
    },
];

fn clock_source(host: &Host, _: &Subject) -> Seen {
    let folder = "sys/devices/system/clocksource/clocksource0";
    let wanted = "tsc, or the hypervisor's page over it";
    let Some(source) = host.text(&format!("{folder}/current_clocksource")) else {
        return Seen::unknown(format!("/{folder} does not tell"), wanted);
    };
    let good = matches!(source.as_str(), "tsc" | "kvm-clock" | "hyperv_clocksource_tsc_page");
    let offered = host.text(&format!("{folder}/available_clocksource")).unwrap_or_default();
    let seen = Seen::of(good, format!("{source} (offered: {offered})"), wanted);
    if offered.split_ascii_whitespace().any(|word| word == "tsc") {
        return seen.fix(format!("echo tsc > /{folder}/current_clocksource"));
    }
    seen.fix("look why the kernel dropped it: dmesg | grep -i tsc")
        .fix("if the counters are known to agree, boot with tsc=reliable")
}

fn tsc(host: &Host, _: &Subject) -> Seen {
    let wanted = "constant_tsc nonstop_tsc";
    let Some(flags) = host.field("proc/cpuinfo", "flags") else {
        return Seen::unknown("/proc/cpuinfo lists no flags", wanted);
    };
    let has = |flag: &str| flags.split_ascii_whitespace().any(|word| word == flag);
    let missing: Vec<&str> = wanted.split(' ').filter(|flag| !has(flag)).collect();
    if missing.is_empty() {
        return Seen::of(true, wanted, wanted);
    }
    Seen::of(false, format!("without {}", missing.join(" ")), wanted)
        .fix("another machine; of a virtual one, pass the host's counter on (libvirt: <feature policy='require' name='invtsc'/>)")
}

fn time_sync(host: &Host, _: &Subject) -> Seen {
    const NAMES: [&str; 5] = ["chronyd", "ntpd", "ptp4l", "phc2sys", "systemd-timesyn"];
    let wanted = "chronyd, or ptp4l with phc2sys";
    let found = host.processes(|name| NAMES.contains(&name));
    let mut names: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
    names.dedup();
    let running =
        if names.is_empty() { "nothing of the kind runs".into() } else { names.join(" ") };
    Seen::of(!names.is_empty(), running, wanted).fix("systemctl enable --now chronyd")
}
