//! Network devices and sockets, as far as the kernel's files tell. What only a driver knows is asked for with ethtool.

use super::{Check, Need};
use crate::{CpuSet, Group, Host, Seen, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "rmem_max",
        group: Group::Network,
        need: Need::Never,
        why: "the kernel gives a line a smaller buffer than it asks for: a burst, or a stall of the feed thread, drops packets",
        look: rmem_max,
    },
    Check {
        name: "backlog",
        group: Group::Network,
        need: Need::Never,
        why: "packets that come faster than the kernel takes them wait in a queue of this length, and are dropped behind it",
        look: backlog,
    },
    Check {
        name: "nic_node",
        group: Group::Network,
        need: Need::Never,
        why: "each packet crosses the link between the sockets before the feed thread sees it",
        look: nic_node,
    },
    Check {
        name: "nic_coalescing",
        group: Group::Network,
        need: Need::Never,
        why: "a device that gathers packets before it interrupts holds the first of each burst back, 10 to 100 us",
        look: nic_coalescing,
    },
];

/// Devices with hardware behind them, without loopback, bridges and tunnels.
fn devices(host: &Host) -> Vec<String> {
    let names = host.names("sys/class/net").into_iter();
    names.filter(|name| host.has(&format!("sys/class/net/{name}/device"))).collect()
}

fn rmem_max(host: &Host, subject: &Subject) -> Seen {
    let asked = subject.receive_buffer;
    let wanted = format!("{asked} bytes or more");
    match host.number("proc/sys/net/core/rmem_max") {
        Some(bytes) => Seen::of(
            u64::try_from(bytes).is_ok_and(|bytes| bytes >= asked),
            format!("{bytes} bytes"),
            wanted,
        )
        .fix(format!("sysctl -w net.core.rmem_max={asked}")),
        None => Seen::unknown("/proc/sys/net/core/rmem_max is absent", wanted),
    }
}

fn backlog(host: &Host, _: &Subject) -> Seen {
    let wanted = "10000 or more";
    match host.number("proc/sys/net/core/netdev_max_backlog") {
        Some(packets) => Seen::of(packets >= 10_000, format!("{packets} packets"), wanted)
            .fix("sysctl -w net.core.netdev_max_backlog=10000"),
        None => Seen::unknown("/proc/sys/net/core/netdev_max_backlog is absent", wanted),
    }
}

fn nic_node(host: &Host, subject: &Subject) -> Seen {
    let wanted = "hot cores on the device's node";
    let mut found = Vec::new();
    let mut far = false;
    for name in devices(host) {
        let node = host.number(&format!("sys/class/net/{name}/device/numa_node")).unwrap_or(-1);
        let cpus = host.cpus(&format!("sys/devices/system/node/node{node}/cpulist"));
        // -1: the machine has one node, or does not tell.
        far |= cpus.as_ref().is_some_and(|cpus: &CpuSet| !subject.hot.without(cpus).is_empty());
        found.push(if node < 0 {
            format!("{name} on no node")
        } else {
            format!("{name} on node {node}")
        });
    }
    if found.is_empty() || subject.hot.is_empty() {
        let text = if found.is_empty() { "no device is listed".into() } else { found.join(", ") };
        return Seen::unknown(format!("{text}; nothing to compare"), wanted);
    }
    Seen::of(!far, found.join(", "), wanted)
        .fix("engine.toml, [threads]: cores of the device's node")
}

fn nic_coalescing(host: &Host, _: &Subject) -> Seen {
    let wanted = "rx-usecs 0, adaptive-rx off";
    let devices = devices(host);
    let flush = |name: &String| {
        host.number(&format!("sys/class/net/{name}/gro_flush_timeout")).unwrap_or(0)
    };
    let late: Vec<&String> = devices.iter().filter(|name| flush(name) > 0).collect();
    if let Some(name) = late.first() {
        let found = format!("{name} holds packets for {} ns (gro_flush_timeout)", flush(name));
        return Seen::of(false, found, wanted)
            .fix(format!("echo 0 > /sys/class/net/{name}/gro_flush_timeout"));
    }
    let seen = Seen::unknown("only the driver knows", wanted);
    devices.iter().fold(seen, |seen, name| {
        seen.fix(format!("ethtool -c {name}; then ethtool -C {name} adaptive-rx off rx-usecs 0"))
    })
}
