//! Kernel and machine.

use super::{Check, Need};
use crate::{Group, Host, Seen, Subject};

/// First kernel with everything that the engine asks of one (memfd seals, busy polling).
const KERNEL: (u32, u32) = (5, 11);

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "kernel",
        group: Group::Machine,
        need: Need::Live,
        why: "older ones cannot seal shared memory against writes by clients",
        look: kernel,
    },
    Check {
        name: "virtual_machine",
        group: Group::Machine,
        need: Need::Never,
        why: "the hypervisor takes the processor away as it pleases, and nothing inside keeps it: the gaps tell how often",
        look: virtual_machine,
    },
    Check {
        name: "mitigations",
        group: Group::Machine,
        need: Need::Never,
        why: "each system call and each interrupt pays for them: off or on is a decision that belongs on the command line",
        look: mitigations,
    },
];

fn kernel(host: &Host, _: &Subject) -> Seen {
    let wanted = format!("{}.{} or later", KERNEL.0, KERNEL.1);
    let release = host.text("proc/sys/kernel/osrelease");
    let version = release.as_deref().and_then(|text| {
        let mut parts = text.split(|c: char| !c.is_ascii_digit());
        Some((parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?))
    });
    let (Some(release), Some(version)) = (release, version) else {
        return Seen::unknown("/proc/sys/kernel/osrelease does not tell", wanted);
    };
    let build = host.text("proc/sys/kernel/version").unwrap_or_default();
    let preempt = build.split_ascii_whitespace().find(|word| word.starts_with("PREEMPT"));
    let found = format!("{release}, {}", preempt.unwrap_or("without PREEMPT"));
    Seen::of(version >= KERNEL, found, wanted).fix("a later kernel")
}

fn virtual_machine(host: &Host, _: &Subject) -> Seen {
    let wanted = "a machine of its own";
    let Some(flags) = host.field("proc/cpuinfo", "flags") else {
        return Seen::unknown("/proc/cpuinfo lists no flags", wanted);
    };
    let kind = host.text("sys/hypervisor/type");
    let product = host.text("sys/class/dmi/id/product_name");
    let name = kind.or(product).map_or(String::new(), |name| format!(" ({name})"));
    let is_guest = flags.split_ascii_whitespace().any(|flag| flag == "hypervisor");
    let found = if is_guest { format!("a virtual machine{name}") } else { "no hypervisor".into() };
    Seen::of(!is_guest, found, wanted)
        .fix("bare metal, or virtual processors that are pinned to cores of their own on the host")
}

fn mitigations(host: &Host, _: &Subject) -> Seen {
    let wanted = "mitigations= on the kernel's command line, as decided";
    let folder = "sys/devices/system/cpu/vulnerabilities";
    let said = host.boot("mitigations");
    let texts =
        host.names(folder).into_iter().filter_map(|name| host.text(&format!("{folder}/{name}")));
    let (mut active, mut open) = (0, 0);
    for text in texts {
        active += usize::from(text.starts_with("Mitigation"));
        open += usize::from(text.starts_with("Vulnerable"));
    }
    let counts = format!("{active} active, {open} vulnerable");
    match said {
        Some(said) => Seen::of(true, format!("mitigations={said}; {counts}"), wanted),
        None if !host.has("proc/cmdline") => Seen::unknown("/proc/cmdline is absent", wanted),
        None => Seen::of(false, format!("nothing is said; {counts}"), wanted).fix(
            "boot with mitigations=auto, or with mitigations=off if nobody else's code runs here",
        ),
    }
}
