//! Memory of the host, and of the engine in it.

use super::{Check, Need, sysctl};
use crate::{CpuSet, Group, Host, Seen, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "memory",
        group: Group::Memory,
        need: Need::Configured,
        why: "an engine that does not fit is ended by the kernel, or waits for a disk in the middle of an order",
        look: memory,
    },
    Check {
        name: "swap",
        group: Group::Memory,
        need: Need::Never,
        why: "pages that were not used for a while come back from a disk, milliseconds each",
        look: swap,
    },
    Check {
        name: "thp",
        group: Group::Memory,
        need: Need::Never,
        why: "with `always`, the kernel gathers huge pages behind the program's back, and stops its threads to move memory",
        look: thp,
    },
    Check {
        name: "thp_defrag",
        group: Group::Memory,
        need: Need::Never,
        why: "with `always`, a page fault may first tidy up memory, milliseconds long",
        look: thp_defrag,
    },
    Check {
        name: "huge_tables",
        group: Group::Memory,
        need: Need::Never,
        why: "in pages of 4 KiB nearly each order that is looked up is a walk through tables of addresses first",
        look: huge_tables,
    },
    Check {
        name: "huge_pages",
        group: Group::Memory,
        need: Need::Never,
        why: "the engine takes none of those that are set aside: they are memory that nobody else can use",
        look: huge_pages,
    },
    Check {
        name: "ksm",
        group: Group::Memory,
        need: Need::Never,
        why: "the kernel compares pages of all processes, and a write to one that was merged faults",
        look: ksm,
    },
    Check {
        name: "numa_balancing",
        group: Group::Memory,
        need: Need::Never,
        why: "the kernel takes pages away to see who uses them: every access after that is a fault",
        look: numa_balancing,
    },
    Check {
        name: "numa_node",
        group: Group::Memory,
        need: Need::Never,
        why: "memory of another node takes half as long again, and each event crosses the link between the sockets",
        look: numa_node,
    },
    Check {
        name: "stat_interval",
        group: Group::Memory,
        need: Need::Never,
        why: "each second the kernel wakes a worker on each core to add up its statistics",
        look: stat_interval,
    },
    Check {
        name: "compaction",
        group: Group::Memory,
        need: Need::Never,
        why: "the kernel moves memory about in advance, and every move interrupts all cores to forget old addresses",
        look: compaction,
    },
];

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

fn memory(host: &Host, subject: &Subject) -> Seen {
    let available = host.kib("proc/meminfo", "MemAvailable");
    let wanted = match subject.memory {
        Some(bytes) => format!("{} for this configuration, and as much again", mib(bytes)),
        None => "what the configuration takes: tickgate doctor --config FILE".into(),
    };
    let Some(available) = available else {
        return Seen::unknown("/proc/meminfo does not tell", wanted);
    };
    let found = format!("{} available", mib(available));
    match subject.memory {
        None => Seen::unknown(found, wanted),
        Some(bytes) => Seen::of(available / 2 >= bytes, found, wanted)
            .fix("smaller tables in engine.toml, [capacity]; or end what else uses memory: ps aux --sort=-rss | head"),
    }
}

fn swap(host: &Host, _: &Subject) -> Seen {
    let wanted = "no swap, or swappiness 0";
    let Some(total) = host.kib("proc/meminfo", "SwapTotal") else {
        return Seen::unknown("/proc/meminfo does not tell", wanted);
    };
    if total == 0 {
        return Seen::of(true, "no swap", wanted);
    }
    let swappiness = host.number("proc/sys/vm/swappiness");
    let told = swappiness.map_or("unknown".into(), |value| value.to_string());
    let found = format!("{} of swap, swappiness {told}", mib(total));
    Seen::of(swappiness == Some(0), found, wanted)
        .fix("sysctl -w vm.swappiness=0")
        .fix("or swapoff --all")
}

fn transparent(host: &Host, file: &str, bad: &[&str]) -> Seen {
    let path = format!("sys/kernel/mm/transparent_hugepage/{file}");
    let wanted = "madvise";
    match host.chosen(&path) {
        Some(mode) => Seen::of(!bad.contains(&mode.as_str()), mode, wanted)
            .fix(format!("echo madvise > /{path}")),
        None => Seen::unknown(format!("/{path} is absent"), wanted),
    }
}

fn thp(host: &Host, _: &Subject) -> Seen {
    transparent(host, "enabled", &["always"])
}

fn thp_defrag(host: &Host, _: &Subject) -> Seen {
    transparent(host, "defrag", &["always"])
}

fn huge_tables(_: &Host, subject: &Subject) -> Seen {
    let wanted = "the tables in huge pages";
    match subject.huge {
        None => Seen::unknown("not tried: tickgate doctor --config FILE", wanted),
        Some((false, _)) => Seen::of(true, "forbidden by [memory] huge_pages", wanted),
        Some((true, got)) => Seen::of(got > 0, format!("{} of them", mib(got)), wanted)
            .fix("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
    }
}

fn huge_pages(host: &Host, _: &Subject) -> Seen {
    let wanted = "0 set aside";
    let pages =
        host.field("proc/meminfo", "HugePages_Total").and_then(|text| text.parse::<u64>().ok());
    let size = host.kib("proc/meminfo", "Hugepagesize");
    let (Some(pages), Some(size)) = (pages, size) else {
        return Seen::unknown("the kernel has none", wanted);
    };
    let found = format!("{pages} of {} KiB", size / 1024);
    Seen::of(pages == 0, found, wanted)
        .fix("sysctl -w vm.nr_hugepages=0, unless another program uses them")
}

fn ksm(host: &Host, _: &Subject) -> Seen {
    let path = "sys/kernel/mm/ksm/run";
    let wanted = "off";
    match host.number(path) {
        Some(run) => Seen::of(run != 1, if run == 1 { "runs" } else { "off" }, wanted)
            .fix(format!("echo 0 > /{path}")),
        None if host.has(path) => Seen::unknown(format!("/{path} is no number"), wanted),
        None => Seen::of(true, "this kernel has none", wanted),
    }
}

/// Nodes with their processors.
fn nodes(host: &Host) -> Vec<(String, CpuSet)> {
    let folder = "sys/devices/system/node";
    let names = host.names(folder).into_iter().filter(|name| {
        name.strip_prefix("node").is_some_and(|number| number.parse::<u32>().is_ok())
    });
    names
        .filter_map(|name| Some((name.clone(), host.cpus(&format!("{folder}/{name}/cpulist"))?)))
        .collect()
}

fn numa_balancing(host: &Host, _: &Subject) -> Seen {
    if !host.has("proc/sys/kernel/numa_balancing") {
        return Seen::of(true, "this kernel has none", "0");
    }
    let seen = sysctl(host, "kernel.numa_balancing", 0);
    // With one node there is nothing to balance.
    if nodes(host).len() == 1 { Seen { good: Some(true), ..seen } } else { seen }
}

fn numa_node(host: &Host, subject: &Subject) -> Seen {
    let wanted = "all hot cores on one node";
    let nodes = nodes(host);
    if nodes.len() == 1 {
        return Seen::of(true, "one node", wanted);
    }
    if nodes.is_empty() || subject.hot.is_empty() {
        return Seen::unknown(format!("{} nodes; no hot core is known", nodes.len()), wanted);
    }
    let of: Vec<&str> = nodes
        .iter()
        .filter(|(_, cpus)| !cpus.and(&subject.hot).is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    let found = format!("hot cores on {} of {} nodes", of.join(", "), nodes.len());
    let first = of.first().map_or("0", |name| name.trim_start_matches("node"));
    Seen::of(of.len() == 1, found, wanted)
        .fix("engine.toml, [threads]: cores of the node that the network device is on")
        .fix(format!(
            "and start with numactl --cpunodebind={first} --membind={first} tickgate run …"
        ))
}

fn stat_interval(host: &Host, _: &Subject) -> Seen {
    let wanted = "60 or more";
    match host.number("proc/sys/vm/stat_interval") {
        Some(value) => Seen::of(value >= 60, format!("every {value} s"), wanted)
            .fix("sysctl -w vm.stat_interval=120"),
        None => Seen::unknown("/proc/sys/vm/stat_interval is absent", wanted),
    }
}

fn compaction(host: &Host, _: &Subject) -> Seen {
    sysctl(host, "vm.compaction_proactiveness", 0)
}
