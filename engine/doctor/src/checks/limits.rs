//! What the user that runs the engine may do: as this process sees it, so run it as that user.

use super::{Check, Need};
use crate::{Group, Host, Seen, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "lock_memory",
        group: Group::Limits,
        need: Need::Never,
        why: "without it the kernel may take a page that a hot thread needs, and the thread waits for it",
        look: lock_memory,
    },
    Check {
        name: "memlock",
        group: Group::Limits,
        need: Need::LockedMemory,
        why: "[threads] lock_memory is refused, and the engine runs without",
        look: memlock,
    },
    Check {
        name: "nofile",
        group: Group::Limits,
        need: Need::Never,
        why: "sockets, clients and segment files need descriptors; without one an attach or a segment fails",
        look: nofile,
    },
    Check {
        name: "rtprio",
        group: Group::Limits,
        need: Need::Never,
        why: "if its cores are not isolated, only a real-time priority (chrt) keeps other threads from a hot one's core",
        look: rtprio,
    },
    Check {
        name: "rt_throttle",
        group: Group::Limits,
        need: Need::Never,
        why: "a thread of real-time priority that spins is stopped for 50 ms of each second",
        look: rt_throttle,
    },
];

/// Soft limit of a line of /proc/self/limits; `u64::MAX`: unlimited.
fn soft(host: &Host, name: &str) -> Option<u64> {
    let text = host.text("proc/self/limits")?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    match rest.split_ascii_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Whether the process has a capability, by its number (capability.h).
fn may(host: &Host, capability: u32) -> bool {
    let mask = host
        .field("proc/self/status", "CapEff")
        .and_then(|text| u64::from_str_radix(&text, 16).ok());
    mask.is_some_and(|mask| mask >> capability & 1 == 1)
}

fn lock_memory(_: &Host, subject: &Subject) -> Seen {
    let wanted = "[threads] lock_memory = true";
    match subject.pinned {
        None => Seen::unknown("no configuration was given", wanted),
        Some(pinned) => {
            Seen::of(pinned.lock_memory, format!("lock_memory = {}", pinned.lock_memory), wanted)
                .fix("engine.toml, [threads]: lock_memory = true")
        }
    }
}

fn memlock(host: &Host, _: &Subject) -> Seen {
    const CAP_IPC_LOCK: u32 = 14;
    let wanted = "unlimited";
    if may(host, CAP_IPC_LOCK) {
        return Seen::of(true, "this user may lock any amount (CAP_IPC_LOCK)", wanted);
    }
    let seen = match soft(host, "Max locked memory") {
        Some(u64::MAX) => return Seen::of(true, wanted, wanted),
        Some(bytes) => Seen::of(false, format!("{} KiB", bytes >> 10), wanted),
        None => Seen::unknown("/proc/self/limits does not tell", wanted),
    };
    seen.fix("systemd unit: LimitMEMLOCK=infinity")
        .fix("or /etc/security/limits.d: USER - memlock unlimited")
}

fn nofile(host: &Host, _: &Subject) -> Seen {
    let wanted = "4096 or more";
    match soft(host, "Max open files") {
        Some(files) => Seen::of(files >= 4096, files.to_string(), wanted)
            .fix("systemd unit: LimitNOFILE=65536"),
        None => Seen::unknown("/proc/self/limits does not tell", wanted),
    }
}

fn rtprio(host: &Host, _: &Subject) -> Seen {
    const CAP_SYS_NICE: u32 = 23;
    let wanted = "1 or more";
    if may(host, CAP_SYS_NICE) {
        return Seen::of(true, "this user may set any priority (CAP_SYS_NICE)", wanted);
    }
    match soft(host, "Max realtime priority") {
        Some(priority) => {
            Seen::of(priority > 0, priority.to_string(), wanted).fix("systemd unit: LimitRTPRIO=50")
        }
        None => Seen::unknown("/proc/self/limits does not tell", wanted),
    }
}

fn rt_throttle(host: &Host, _: &Subject) -> Seen {
    super::sysctl(host, "kernel.sched_rt_runtime_us", -1)
}
