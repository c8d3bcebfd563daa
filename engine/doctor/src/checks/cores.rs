//! Which processors the hot threads have for themselves.

use super::{Check, Need};
use crate::{CpuSet, Group, Host, Pinned, Seen, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "pinned",
        group: Group::Cores,
        need: Need::Live,
        why: "a thread that nobody pinned wanders to a core whose caches are cold, or shares one with the rest of the machine",
        look: pinned,
    },
    Check {
        name: "isolated",
        group: Group::Cores,
        need: Need::Live,
        why: "the scheduler puts other threads on a hot core, and the engine waits for them, milliseconds at a time",
        look: isolated,
    },
    Check {
        name: "nohz_full",
        group: Group::Cores,
        need: Need::Never,
        why: "the timer tick stops a hot thread 100 to 1000 times a second, for some microseconds each",
        look: nohz_full,
    },
    Check {
        name: "rcu_nocbs",
        group: Group::Cores,
        need: Need::Never,
        why: "the kernel frees its own memory on the hot core, in bursts",
        look: rcu_nocbs,
    },
    Check {
        name: "smt_sibling",
        group: Group::Cores,
        need: Need::LiveAndHot,
        why: "two threads of one core share its units and its first caches: each runs at half the speed, as the other pleases",
        look: smt_sibling,
    },
    Check {
        name: "shared_l3",
        group: Group::Cores,
        need: Need::Never,
        why: "between two caches an event takes three to six times as long from feed to engine",
        look: shared_l3,
    },
    Check {
        name: "workqueues",
        group: Group::Cores,
        need: Need::Never,
        why: "the kernel's deferred work runs on a hot core",
        look: workqueues,
    },
    Check {
        name: "watchdog",
        group: Group::Cores,
        need: Need::Never,
        why: "the lockup detector wakes on each core every four seconds, and takes one of its performance counters",
        look: watchdog,
    },
];

fn cpu(number: usize, file: &str) -> String {
    format!("sys/devices/system/cpu/cpu{number}/{file}")
}

fn pinned(_: &Host, subject: &Subject) -> Seen {
    let wanted = "feed_cpu and engine_cpu of each engine, cores of their own that are online, wait = \"spin\"";
    let Some(Pinned { feed, engine, engines, spins, .. }) = subject.pinned else {
        if subject.hot.is_empty() {
            return Seen::of(false, "no configuration was given, and no core is isolated", wanted)
                .fix("tickgate doctor --config deploy/engine.toml");
        }
        return Seen::of(
            true,
            format!("no configuration was given: the isolated cores {}", subject.hot),
            wanted,
        );
    };
    let name = |cpu: Option<usize>| cpu.map_or("nowhere".into(), |cpu| format!("on {cpu}"));
    let waits = if spins { "they spin" } else { "they may sleep" };
    let found = format!("feed {}, engine {}; {waits}", name(feed), name(engine));
    let absent = subject.hot.without(&subject.online);
    let full = subject.rest().is_empty();
    let has_cores = subject.hot.len() == 2 * engines.max(1);
    let good = has_cores && absent.is_empty() && spins && !full;
    let mut seen = Seen::of(good, found, wanted);
    if full {
        let cores = subject.online.len();
        seen = seen.fix(format!(
            "more cores: of {cores}, none is left for journal, kernel and everything else"
        ));
    }
    if feed.is_none() || engine.is_none() {
        seen = seen.fix(
            "engine.toml, [threads]: feed_cpu and engine_cpu, each an isolated core of its own",
        );
    } else if feed == engine {
        seen = seen.fix("engine.toml, [threads]: feed_cpu and engine_cpu must be two cores");
    } else if !has_cores {
        let cores = 2 * engines.max(1);
        seen = seen.fix(format!("engine.toml, [shards]: {cores} cores, two for each shard"));
    }
    if !absent.is_empty() {
        seen =
            seen.fix(format!("engine.toml, [threads]: of {}, {absent} is not online", subject.hot));
    }
    if !spins {
        seen = seen.fix("engine.toml, [threads]: wait = \"spin\"");
    }
    seen
}

fn isolated(host: &Host, subject: &Subject) -> Seen {
    let by_boot = host.cpus("sys/devices/system/cpu/isolated");
    // Partitions of cgroups do the same without a boot parameter.
    let by_group = host.cpus("sys/fs/cgroup/cpuset.cpus.isolated");
    let wanted = format!("{} isolated", subject.hot_text());
    let parameter =
        format!("boot with isolcpus=managed_irq,domain,{} (deploy/host.md)", subject.hot_text());
    if by_boot.is_none() && by_group.is_none() {
        return Seen::unknown("/sys/devices/system/cpu/isolated is absent or no list", wanted)
            .fix(parameter);
    }
    let sets = [by_boot, by_group].into_iter().flatten();
    let isolated: CpuSet = sets.flat_map(|set| set.iter().collect::<Vec<_>>()).collect();
    let found = if isolated.is_empty() { "none".into() } else { isolated.to_string() };
    let left = subject.hot.without(&isolated);
    let good = !subject.hot.is_empty() && left.is_empty();
    let seen = Seen::of(good, found, wanted);
    if subject.online.len() < 4 {
        let cores = subject.online.len();
        return seen.fix(format!(
            "more cores: {cores} leave too little beside feed, engine, journal and the system"
        ));
    }
    seen.fix(parameter)
}

/// Whether a set holds every hot processor.
fn covers(set: Option<CpuSet>, found_if_absent: &str, subject: &Subject, parameter: &str) -> Seen {
    let fix = format!("boot with {parameter}={}", subject.hot_text());
    let wanted = subject.hot_text();
    let Some(set) = set else { return Seen::unknown(found_if_absent, wanted).fix(fix) };
    let good = !subject.hot.is_empty() && subject.hot.without(&set).is_empty();
    let found = if set.is_empty() { "none".into() } else { set.to_string() };
    Seen::of(good, found, wanted).fix(fix)
}

fn nohz_full(host: &Host, subject: &Subject) -> Seen {
    match host.cpus("sys/devices/system/cpu/nohz_full") {
        Some(set) => covers(Some(set), "", subject, "nohz_full"),
        None => Seen::unknown("this kernel cannot stop its tick", subject.hot_text()).fix(format!(
            "a kernel with CONFIG_NO_HZ_FULL; boot with nohz_full={}",
            subject.hot_text()
        )),
    }
}

fn rcu_nocbs(host: &Host, subject: &Subject) -> Seen {
    let sets = ["rcu_nocbs", "nohz_full"]
        .map(|key| host.boot(key).and_then(|list| CpuSet::parse_list(&list)));
    let said: CpuSet =
        sets.into_iter().flatten().flat_map(|set| set.iter().collect::<Vec<_>>()).collect();
    let set = host.has("proc/cmdline").then(|| said.and(&subject.online));
    covers(set, "/proc/cmdline is absent", subject, "rcu_nocbs")
}

fn smt_sibling(host: &Host, subject: &Subject) -> Seen {
    let wanted = "the second thread of each hot core offline";
    if subject.hot.is_empty() {
        return Seen::unknown("no hot core is known", wanted);
    }
    let mut shared = CpuSet::default();
    for hot in subject.hot.iter() {
        let list = cpu(hot, "topology/thread_siblings_list");
        let Some(siblings) = host.cpus(&list) else {
            return Seen::unknown(format!("/{list} is absent or no list"), wanted);
        };
        let others = siblings.iter().filter(|cpu| *cpu != hot && subject.online.has(*cpu));
        shared = shared.iter().chain(others).collect();
    }
    let seen = match shared.is_empty() {
        true => Seen::of(true, "each hot core runs one thread", wanted),
        false => {
            Seen::of(false, format!("{shared} run on the same cores as {}", subject.hot), wanted)
        }
    };
    shared
        .without(&subject.hot)
        .iter()
        .fold(seen, |seen, sibling| seen.fix(format!("echo 0 > /{}", cpu(sibling, "online"))))
}

fn shared_l3(host: &Host, subject: &Subject) -> Seen {
    let wanted = "one L3 cache over all hot cores";
    let Some(first) = subject.hot.iter().next() else {
        return Seen::unknown("no hot core is known", wanted);
    };
    // The third level is index3 wherever instructions and data have a first level each.
    let Some(shared) = host.cpus(&cpu(first, "cache/index3/shared_cpu_list")) else {
        return Seen::unknown("the kernel does not tell which cores share a cache", wanted);
    };
    let outside = subject.hot.without(&shared);
    let found = format!("core {first} shares its L3 with {shared}");
    Seen::of(outside.is_empty(), found, wanted)
        .fix(format!("engine.toml, [threads]: cores of one L3 cache, such as {shared}"))
}

fn workqueues(host: &Host, subject: &Subject) -> Seen {
    let path = "sys/devices/virtual/workqueue/cpumask";
    let wanted = "no hot core";
    let Some(set) = host.mask(path) else {
        return Seen::unknown(format!("/{path} is absent or no mask"), wanted);
    };
    let good = !subject.hot.is_empty() && set.and(&subject.hot).is_empty();
    Seen::of(good, format!("run on {set}"), wanted).fix(match subject.splits() {
        true => format!("echo {} > /{path}", subject.rest().to_mask()),
        false => "deploy/tune-host.sh --cpus A-B --apply".into(),
    })
}

fn watchdog(host: &Host, subject: &Subject) -> Seen {
    let wanted = "off, or no hot core";
    let on = host.number("proc/sys/kernel/watchdog");
    let set = host.cpus("proc/sys/kernel/watchdog_cpumask");
    let (Some(on), Some(set)) = (on, set) else {
        return Seen::unknown("the kernel has none", wanted);
    };
    if on == 0 {
        return Seen::of(true, "off", wanted);
    }
    let good = !subject.hot.is_empty() && set.and(&subject.hot).is_empty();
    Seen::of(good, format!("on, on {set}"), wanted).fix("sysctl -w kernel.watchdog=0")
}
