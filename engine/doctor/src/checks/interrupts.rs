//! Who else may interrupt a processor.

use super::{Check, Need};
use crate::{CpuSet, Group, Host, Seen, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "irq_affinity",
        group: Group::Interrupts,
        need: Need::LiveAndHot,
        why: "each interrupt of a device takes a hot thread's core for 2 to 50 us, and cools its caches",
        look: irq_affinity,
    },
    Check {
        name: "irq_default",
        group: Group::Interrupts,
        need: Need::Never,
        why: "a device that comes later, or a driver that starts again, puts its interrupts on a hot core",
        look: irq_default,
    },
    Check {
        name: "irqbalance",
        group: Group::Interrupts,
        need: Need::Never,
        why: "it moves interrupts where it finds cores idle, also to hot ones, every ten seconds",
        look: irqbalance,
    },
    Check {
        name: "rps",
        group: Group::Interrupts,
        need: Need::Never,
        why: "the kernel hands packets of other programs to a hot core",
        look: rps,
    },
];

/// Where an interrupt goes: what the hardware took, else what was asked for.
fn affinity(host: &Host, irq: &str) -> Option<CpuSet> {
    let list = |file: &str| host.cpus(&format!("proc/irq/{irq}/{file}"));
    list("effective_affinity_list")
        .filter(|set| !set.is_empty())
        .or_else(|| list("smp_affinity_list"))
}

/// Devices behind an interrupt: the folders in its folder.
fn devices(host: &Host, irq: &str) -> Vec<String> {
    const FILES: [&str; 8] = [
        "affinity_hint",
        "effective_affinity",
        "effective_affinity_list",
        "node",
        "smp_affinity",
        "smp_affinity_list",
        "spurious",
        "active",
    ];
    let names = host.names(&format!("proc/irq/{irq}"));
    names.into_iter().filter(|name| !FILES.contains(&name.as_str())).collect()
}

fn irq_affinity(host: &Host, subject: &Subject) -> Seen {
    let wanted = "no device's interrupt on a hot core";
    if subject.hot.is_empty() {
        return Seen::unknown("no hot core is known", wanted);
    }
    let irqs = host.names("proc/irq").into_iter().filter(|name| name.parse::<u32>().is_ok());
    let (mut total, mut on_hot, mut silent) = (0, Vec::new(), 0);
    for irq in irqs {
        let devices = devices(host, &irq);
        if devices.is_empty() {
            continue; // Nobody listens: it cannot come.
        }
        total += 1;
        match affinity(host, &irq) {
            None => silent += 1,
            Some(set) if !set.and(&subject.hot).is_empty() => on_hot.push((irq, devices.join("+"))),
            Some(_) => {}
        }
    }
    if total == 0 || silent > 0 {
        return Seen::unknown(
            format!("/proc/irq does not tell where {silent} of {total} interrupts go"),
            wanted,
        );
    }
    if on_hot.is_empty() {
        return Seen::of(true, format!("{total} interrupts, none on {}", subject.hot), wanted);
    }
    let named: Vec<String> =
        on_hot.iter().take(4).map(|(irq, device)| format!("{irq} ({device})")).collect();
    let more = if on_hot.len() > named.len() { ", …" } else { "" };
    let found =
        format!("{} of {total} on {}: {}{more}", on_hot.len(), subject.hot, named.join(", "));
    let first = on_hot.first().map_or("N", |(irq, _)| irq);
    Seen::of(false, found, wanted)
        .fix(format!(
            "echo {} > /proc/irq/{first}/smp_affinity_list   # each of them",
            subject.rest_text()
        ))
        .fix(format!("or boot with irqaffinity={}", subject.rest_text()))
}

fn irq_default(host: &Host, subject: &Subject) -> Seen {
    let path = "proc/irq/default_smp_affinity";
    let wanted = "no hot core";
    let Some(set) = host.mask(path) else {
        return Seen::unknown(format!("/{path} is absent or no mask"), wanted);
    };
    // The mask may name cores that there are not.
    let set = if subject.online.is_empty() { set } else { set.and(&subject.online) };
    let good = !subject.hot.is_empty() && set.and(&subject.hot).is_empty();
    Seen::of(good, format!("new interrupts go to {set}"), wanted)
        .fix(format!("boot with irqaffinity={}", subject.rest_text()))
}

fn irqbalance(host: &Host, _: &Subject) -> Seen {
    let wanted = "not running, or told to keep off the hot cores";
    match host.processes(|name| name == "irqbalance").first() {
        None if host.names("proc").is_empty() => Seen::unknown("/proc lists no processes", wanted),
        None => Seen::of(true, "not running", wanted),
        Some((pid, _)) => Seen::of(false, format!("runs (process {pid})"), wanted)
            .fix("systemctl disable --now irqbalance"),
    }
}

fn rps(host: &Host, subject: &Subject) -> Seen {
    let wanted = "no hot core in rps_cpus";
    let (mut queues, mut on_hot) = (0, Vec::new());
    for device in host.names("sys/class/net") {
        let folder = format!("sys/class/net/{device}/queues");
        for queue in host.names(&folder).into_iter().filter(|queue| queue.starts_with("rx-")) {
            let path = format!("{folder}/{queue}/rps_cpus");
            let Some(set) = host.mask(&path) else { continue };
            queues += 1;
            if !set.and(&subject.hot).is_empty() {
                on_hot.push(path);
            }
        }
    }
    if queues == 0 {
        return Seen::unknown("no receive queue is listed", wanted);
    }
    let found = format!("{} of {queues} receive queues", on_hot.len());
    let seen = Seen::of(on_hot.is_empty(), found, wanted);
    let mask = if subject.splits() { subject.rest().to_mask() } else { "0".into() };
    on_hot.iter().take(4).fold(seen, |seen, path| seen.fix(format!("echo {mask} > /{path}")))
}
