//! Every check on trees that look like hosts: a good one, and what is bad, absent or hostile in one place of it.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::{CpuSet, Outcome, Pinned};

/// A host of four cores in one L3, of which 2 and 3 are hot, with one network device.
const GOOD: &[(&str, &str)] = &[
    (
        "proc/cmdline",
        "quiet isolcpus=managed_irq,domain,2-3 nohz_full=2-3 rcu_nocbs=2-3 mitigations=auto\n",
    ),
    ("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc sse2\n"),
    (
        "proc/meminfo",
        "MemAvailable:   8388608 kB\nSwapTotal:  0 kB\nHugePages_Total:  0\nHugepagesize:  2048 kB\n",
    ),
    ("proc/self/limits", LIMITS),
    ("proc/self/status", "Name:\ttickgate-doctor\nCapEff:\t0000000000000000\n"),
    ("proc/1/comm", "systemd\n"),
    ("proc/210/comm", "chronyd\n"),
    ("proc/irq/default_smp_affinity", "3\n"),
    ("proc/irq/0/smp_affinity_list", "0-3\n"), // Nobody listens to it.
    ("proc/irq/24/smp_affinity_list", "0-3\n"),
    ("proc/irq/24/effective_affinity_list", "1\n"),
    ("proc/irq/24/eth0-rx-0/", ""),
    ("proc/sys/kernel/numa_balancing", "0\n"),
    ("proc/sys/kernel/osrelease", "6.18.4\n"),
    ("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n"),
    ("proc/sys/kernel/sched_rt_runtime_us", "-1\n"),
    ("proc/sys/kernel/watchdog", "1\n"),
    ("proc/sys/kernel/watchdog_cpumask", "0-1\n"),
    ("proc/sys/vm/compaction_proactiveness", "0\n"),
    ("proc/sys/vm/stat_interval", "120\n"),
    ("proc/sys/vm/swappiness", "60\n"),
    ("proc/sys/net/core/rmem_max", "33554432\n"),
    ("proc/sys/net/core/netdev_max_backlog", "10000\n"),
    ("sys/class/net/eth0/device/numa_node", "0\n"),
    ("sys/class/net/eth0/gro_flush_timeout", "0\n"),
    ("sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n"),
    ("sys/class/net/lo/queues/rx-0/rps_cpus", "0\n"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
    ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet\n"),
    ("sys/devices/system/cpu/cpu2/cache/index3/shared_cpu_list", "0-3\n"),
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state0/latency", "0\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state1/latency", "170\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "1\n"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3,7\n"), // Core 7 is offline.
    ("sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n"),
    ("sys/devices/system/cpu/isolated", "2-3\n"),
    ("sys/devices/system/cpu/nohz_full", "2-3\n"),
    ("sys/devices/system/cpu/online", "0-3\n"),
    ("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n"),
    ("sys/devices/system/node/node0/cpulist", "0-3\n"),
    ("sys/devices/virtual/workqueue/cpumask", "00000003\n"),
    ("sys/kernel/mm/ksm/run", "0\n"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
    ("sys/kernel/mm/transparent_hugepage/defrag", "always defer [madvise] never\n"),
];
const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            65536                65536                files     \n\
                      Max locked memory         unlimited            unlimited            bytes     \n\
                      Max realtime priority     50                   50                             \n";

/// What one file must say, or that it must be gone, for a check to come out so.
type Row = (&'static str, &'static str, Option<&'static str>, Outcome);

use Outcome::{Advice, Failed, Good, Unknown};

const ROWS: &[Row] = &[
    ("isolated", "sys/devices/system/cpu/isolated", Some("3"), Failed),
    ("isolated", "sys/devices/system/cpu/isolated", Some(""), Failed),
    ("isolated", "sys/devices/system/cpu/isolated", None, Failed),
    ("nohz_full", "sys/devices/system/cpu/nohz_full", Some("(null)"), Advice),
    ("nohz_full", "sys/devices/system/cpu/nohz_full", None, Unknown),
    ("rcu_nocbs", "proc/cmdline", Some("rcu_nocbs=2"), Advice),
    ("rcu_nocbs", "proc/cmdline", Some("rcu_nocbs=2 nohz_full=3"), Good),
    ("rcu_nocbs", "proc/cmdline", Some("rcu_nocbs=all"), Good),
    ("rcu_nocbs", "proc/cmdline", Some("rcu_nocbs=0-N:1/2"), Advice),
    ("rcu_nocbs", "proc/cmdline", None, Unknown),
    (
        "smt_sibling",
        "sys/devices/system/cpu/cpu3/topology/thread_siblings_list",
        Some("1,3"),
        Failed,
    ),
    (
        "smt_sibling",
        "sys/devices/system/cpu/cpu3/topology/thread_siblings_list",
        Some("2-3"),
        Failed,
    ),
    ("smt_sibling", "sys/devices/system/cpu/cpu3/topology/thread_siblings_list", None, Failed),
    ("shared_l3", "sys/devices/system/cpu/cpu2/cache/index3/shared_cpu_list", Some("0-2"), Advice),
    ("shared_l3", "sys/devices/system/cpu/cpu2/cache/index3/shared_cpu_list", None, Unknown),
    ("workqueues", "sys/devices/virtual/workqueue/cpumask", Some("f"), Advice),
    ("workqueues", "sys/devices/virtual/workqueue/cpumask", None, Unknown),
    ("watchdog", "proc/sys/kernel/watchdog_cpumask", Some("0-3"), Advice),
    ("watchdog", "proc/sys/kernel/watchdog", Some("0"), Good),
    ("watchdog", "proc/sys/kernel/watchdog", None, Unknown),
    ("governor", "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", Some("powersave"), Advice),
    ("governor", "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", None, Unknown),
    ("c_states", "sys/devices/system/cpu/cpu2/cpuidle/state1/disable", Some("0"), Advice),
    ("c_states", "sys/devices/system/cpu/cpu2/cpuidle/state1/disable", None, Advice),
    ("c_states", "sys/devices/system/cpu/cpuidle/current_driver", Some("none"), Good),
    ("irq_affinity", "proc/irq/24/effective_affinity_list", Some("3"), Failed),
    ("irq_affinity", "proc/irq/24/effective_affinity_list", Some(""), Failed),
    ("irq_affinity", "proc/irq/24/effective_affinity_list", None, Failed),
    ("irq_affinity", "proc/irq/24/effective_affinity_list", Some("rubbish"), Failed),
    ("irq_default", "proc/irq/default_smp_affinity", Some("f"), Advice),
    ("irq_default", "proc/irq/default_smp_affinity", None, Unknown),
    ("irqbalance", "proc/1/comm", Some("irqbalance"), Advice),
    ("rps", "sys/class/net/eth0/queues/rx-0/rps_cpus", Some("4"), Advice),
    (
        "clock_source",
        "sys/devices/system/clocksource/clocksource0/current_clocksource",
        Some("hpet"),
        Failed,
    ),
    (
        "clock_source",
        "sys/devices/system/clocksource/clocksource0/current_clocksource",
        None,
        Failed,
    ),
    (
        "clock_source",
        "sys/devices/system/clocksource/clocksource0/current_clocksource",
        Some("kvm-clock"),
        Good,
    ),
    ("tsc", "proc/cpuinfo", Some("flags : tsc constant_tsc"), Failed),
    ("tsc", "proc/cpuinfo", None, Failed),
    ("time_sync", "proc/210/comm", Some("bash"), Advice),
    ("memory", "proc/meminfo", Some("MemAvailable: 409600 kB"), Good),
    ("memory", "proc/meminfo", Some("MemAvailable: 409598 kB"), Failed),
    ("memory", "proc/meminfo", None, Failed),
    ("swap", "proc/meminfo", Some("SwapTotal: 1024 kB"), Advice),
    ("swap", "proc/meminfo", None, Unknown),
    ("thp", "sys/kernel/mm/transparent_hugepage/enabled", Some("[always] madvise never"), Advice),
    ("thp", "sys/kernel/mm/transparent_hugepage/enabled", Some("always madvise [never]"), Good),
    ("thp", "sys/kernel/mm/transparent_hugepage/enabled", None, Unknown),
    ("thp_defrag", "sys/kernel/mm/transparent_hugepage/defrag", Some("[always] never"), Advice),
    ("thp_defrag", "sys/kernel/mm/transparent_hugepage/defrag", Some("always"), Unknown),
    ("huge_pages", "proc/meminfo", Some("HugePages_Total: 512\nHugepagesize: 2048 kB"), Advice),
    ("huge_pages", "proc/meminfo", Some("HugePages_Total: 512"), Unknown),
    ("ksm", "sys/kernel/mm/ksm/run", Some("1"), Advice),
    ("ksm", "sys/kernel/mm/ksm/run", Some("x"), Unknown),
    ("ksm", "sys/kernel/mm/ksm/run", None, Good),
    ("numa_balancing", "proc/sys/kernel/numa_balancing", Some("1"), Good), // One node.
    ("numa_balancing", "sys/devices/system/node/node1/cpulist", Some("4-5"), Good),
    ("numa_node", "sys/devices/system/node/node1/cpulist", Some("3-4"), Advice),
    ("numa_node", "sys/devices/system/node/node0/cpulist", None, Unknown),
    ("stat_interval", "proc/sys/vm/stat_interval", Some("1"), Advice),
    ("stat_interval", "proc/sys/vm/stat_interval", None, Unknown),
    ("compaction", "proc/sys/vm/compaction_proactiveness", Some("20"), Advice),
    ("compaction", "proc/sys/vm/compaction_proactiveness", None, Unknown),
    ("memlock", "proc/self/limits", Some("Max locked memory  8388608  8388608 bytes"), Failed),
    ("memlock", "proc/self/limits", None, Failed),
    ("nofile", "proc/self/limits", Some("Max open files  1024  4096 files"), Advice),
    ("nofile", "proc/self/limits", None, Unknown),
    ("rtprio", "proc/self/limits", Some("Max realtime priority  0  0"), Advice),
    ("rtprio", "proc/self/status", Some("CapEff: 0000000000800000"), Good),
    ("rtprio", "proc/self/limits", None, Unknown),
    ("rt_throttle", "proc/sys/kernel/sched_rt_runtime_us", Some("950000"), Advice),
    ("rt_throttle", "proc/sys/kernel/sched_rt_runtime_us", None, Unknown),
    ("rmem_max", "proc/sys/net/core/rmem_max", Some("212992"), Advice),
    ("rmem_max", "proc/sys/net/core/rmem_max", Some("-1"), Advice),
    ("rmem_max", "proc/sys/net/core/rmem_max", None, Unknown),
    ("backlog", "proc/sys/net/core/netdev_max_backlog", Some("1000"), Advice),
    ("backlog", "proc/sys/net/core/netdev_max_backlog", None, Unknown),
    ("nic_node", "sys/devices/system/node/node0/cpulist", Some("0-2"), Advice),
    ("nic_coalescing", "sys/class/net/eth0/gro_flush_timeout", Some("20000"), Advice),
    ("kernel", "proc/sys/kernel/osrelease", Some("5.10.0-33-amd64"), Failed),
    ("kernel", "proc/sys/kernel/osrelease", Some("5.11"), Good),
    ("kernel", "proc/sys/kernel/osrelease", Some("6"), Failed),
    ("virtual_machine", "proc/cpuinfo", Some("flags: hypervisor"), Advice),
    ("virtual_machine", "proc/cpuinfo", None, Unknown),
    ("mitigations", "proc/cmdline", Some("quiet"), Advice),
    ("mitigations", "proc/cmdline", None, Unknown),
];

/// A tree, and what a live engine on cores 2 and 3 finds in it.
struct Tree(tempfile::TempDir);

impl Tree {
    fn good() -> Tree {
        let tree = Tree(tempfile::tempdir().unwrap());
        GOOD.iter().for_each(|(path, text)| tree.write(path, text.as_bytes()));
        tree
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let is_folder = path.ends_with('/');
        let path = self.0.path().join(path);
        if is_folder {
            return std::fs::create_dir_all(path).unwrap();
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.0.path().join(path)).unwrap();
    }

    fn findings(&self) -> Vec<Finding> {
        run(&self.host(), &self.subject())
    }

    fn host(&self) -> Host {
        Host::at(self.0.path())
    }

    fn subject(&self) -> Subject {
        let pinned = Pinned {
            feed: Some(2),
            engine: Some(3),
            engines: 1,
            journal: Some(1),
            lock_memory: true,
            spins: true,
        };
        let memory = Some(200 << 20);
        let huge = Some((true, 200 << 20));
        Subject { memory, huge, ..Subject::configured(&self.host(), true, pinned) }
    }
}

fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.check == check).unwrap()
}

/// Goal: a host that is set up by the checklist is told to be, with nothing to change. Method: the good tree; only what no file
/// tells is unknown.
#[test]
fn a_good_host() {
    for finding in Tree::good().findings() {
        let expected = if finding.check == "nic_coalescing" { Unknown } else { Good };
        assert_eq!(finding.outcome, expected, "{finding:?}");
        assert!(finding.outcome != Good || finding.fix.is_empty());
    }
}

/// Goal: each check sees what is wrong, alone, and says what to do. Method: the good tree with one file changed or gone; every
/// check that can be bad has a row.
#[test]
fn what_is_wrong_is_seen() {
    for (check, path, text, expected) in ROWS {
        let tree = Tree::good();
        match text {
            Some(text) => tree.write(path, text.as_bytes()),
            None => tree.remove(path),
        }
        let findings = tree.findings();
        let finding = of(&findings, check);
        assert_eq!(finding.outcome, *expected, "{path} = {text:?}: {finding:?}");
        let says = !finding.fix.is_empty();
        assert!(says || *expected != Advice, "{finding:?}");
    }
    let with_rows: BTreeSet<_> = ROWS.iter().filter(|row| row.3 != Good).map(|row| row.0).collect();
    let elsewhere = ["pinned", "lock_memory", "numa_balancing", "huge_tables"];
    for check in all().filter(|check| !elsewhere.contains(&check.name)) {
        assert!(with_rows.contains(check.name), "no row shows that `{}` can fail", check.name);
    }
}

/// Goal: what a configuration pins is judged. Method: each way in which threads share a core, or have none.
#[test]
fn what_is_pinned() {
    let tree = Tree::good();
    let outcome = |feed, engine, spins| {
        let pinned = Pinned { feed, engine, spins, ..Pinned::default() };
        let subject = Subject::configured(&tree.host(), true, pinned);
        of(&run(&tree.host(), &subject), "pinned").outcome
    };
    assert_eq!(outcome(Some(2), Some(3), true), Good);
    assert_eq!(outcome(Some(2), Some(3), false), Failed);
    assert_eq!(outcome(Some(2), Some(2), true), Failed);
    assert_eq!(outcome(Some(2), None, true), Failed);
    assert_eq!(outcome(Some(2), Some(9), true), Failed, "core 9 is not online");
    let shards = |hot: &str| {
        let (feed, engine, engines, spins) = (Some(0), Some(1), 2, true);
        let pinned = Pinned { feed, engine, engines, spins, ..Pinned::default() };
        let hot = CpuSet::parse_list(hot).unwrap();
        let subject = Subject { hot, ..Subject::configured(&tree.host(), true, pinned) };
        run(&tree.host(), &subject).into_iter().find(|finding| finding.check == "pinned").unwrap()
    };
    tree.write("sys/devices/system/cpu/online", b"0-4");
    assert_eq!(shards("0-3").outcome, Good, "two cores for each of two");
    let few = shards("0-2");
    assert_eq!(few.outcome, Failed, "two threads share one");
    assert!(few.fix.iter().any(|fix| fix.contains("[shards]")), "{few:?}");
    tree.write("sys/devices/system/cpu/online", b"2-3");
    assert_eq!(outcome(Some(2), Some(3), true), Failed, "no core is left for everything else");
    tree.write("sys/devices/system/cpu/online", b"0-3");
    let bare = Subject::configured(&tree.host(), true, Pinned::default());
    assert_eq!(of(&run(&tree.host(), &bare), "lock_memory").outcome, Advice);
    let unconfigured = Subject::unconfigured(&tree.host());
    assert_eq!(unconfigured.hot, CpuSet::parse_list("2-3").unwrap(), "the isolated ones");
    assert_eq!(of(&run(&tree.host(), &unconfigured), "pinned").outcome, Good);
}

/// Goal: the line to type switches off just the states that are called slow, of the hot cores alone; where none is known it names
/// none. Method: a slow state in use, with and without hot cores.
#[test]
fn idle_states_to_switch_off() {
    let tree = Tree::good();
    tree.write("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", b"0");
    let line = |subject: &Subject| of(&run(&tree.host(), subject), "c_states").fix[0].clone();
    let typed = line(&tree.subject());
    assert_eq!(
        typed, "cpupower --cpu 2-3 idle-set --disable-by-latency 3",
        "it takes 3 itself too"
    );
    let nobody = Subject { hot: CpuSet::default(), ..tree.subject() };
    assert_eq!(line(&nobody), "cpupower --cpu A-B idle-set --disable-by-latency 3");
}

/// Goal: tables that asked for huge pages and got none are told of; those that did not ask are as they should be. Method: each.
#[test]
fn huge_tables_that_were_refused() {
    let tree = Tree::good();
    let outcome = |huge| {
        let subject =
            Subject { huge, ..Subject::configured(&tree.host(), true, Pinned::default()) };
        of(&run(&tree.host(), &subject), "huge_tables").outcome
    };
    assert_eq!(outcome(Some((true, 2 << 20))), Good);
    assert_eq!(outcome(Some((true, 0))), Advice);
    assert_eq!(outcome(Some((false, 0))), Good);
    assert_eq!(outcome(None), Unknown);
}

/// Goal: with one node there is nothing to balance; with two, balancing takes pages away. Method: both.
#[test]
fn balancing_needs_two_nodes() {
    let tree = Tree::good();
    let outcome = || of(&tree.findings(), "numa_balancing").outcome;
    tree.write("proc/sys/kernel/numa_balancing", b"1");
    assert_eq!(outcome(), Good);
    tree.write("sys/devices/system/node/node1/cpulist", b"4-5");
    assert_eq!(outcome(), Advice);
    tree.write("proc/sys/kernel/numa_balancing", b"x");
    assert_eq!(outcome(), Unknown);
}

/// Goal: what is required for live trading is advice for paper trading. Method: a host without isolation, for both.
#[test]
fn paper_is_not_live() {
    let tree = Tree::good();
    tree.write("sys/devices/system/cpu/isolated", b"\n");
    let subject = |live| Subject { live, ..tree.subject() };
    let outcome = |live| of(&run(&tree.host(), &subject(live)), "isolated").outcome;
    assert_eq!([true, false].map(outcome), [Failed, Advice]);
}

/// Goal: an empty tree says nothing, and nothing of it is taken for good. Method: no file at all, as for a host that hides them.
#[test]
fn nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::at(folder.path());
    let subject = Subject::unconfigured(&host);
    for finding in run(&host, &subject) {
        let good = ["irqbalance", "ksm", "numa_balancing"].contains(&finding.check);
        assert!(good || finding.outcome != Good, "{finding:?}");
        assert_eq!(
            finding.required && finding.outcome != Good,
            finding.outcome == Failed,
            "{finding:?}"
        );
    }
}

/// Goal: whatever the files hold, each check answers, shortly, and does not take it for good. Method: every file of the tree
/// in turn replaced by one endless line, by bytes that are no text, by a folder, by nothing.
#[test]
fn hostile_trees() {
    let endless = "9".repeat(1 << 18);
    let masks = "f,".repeat(1 << 17);
    let hostile: [&[u8]; 5] =
        [endless.as_bytes(), masks.as_bytes(), &[0xff, 0, 0x1b, b'['], b"-", b""];
    let tree = Tree::good();
    for (path, text) in GOOD.iter().filter(|(path, _)| !path.ends_with('/')) {
        for bytes in hostile {
            tree.write(path, bytes);
            all_are_short(&tree, path);
        }
        tree.remove(path);
        std::fs::create_dir(tree.0.path().join(path)).unwrap();
        all_are_short(&tree, path);
        std::fs::remove_dir(tree.0.path().join(path)).unwrap();
        tree.write(path, text.as_bytes());
    }
}

fn all_are_short(tree: &Tree, path: &str) {
    let findings = tree.findings();
    assert_eq!(findings.len(), all().count());
    for finding in findings {
        let texts = finding.fix.iter().chain([&finding.found, &finding.wanted]);
        for text in texts {
            assert!(
                text.chars().count() <= TEXT_MAX + 1 && !text.contains(char::is_control),
                "{path}: {finding:?}"
            );
        }
    }
}

/// Goal: names are stable and tell checks apart, and the operator's page explains each. Method: the list against itself and
/// the page.
#[test]
fn every_check_is_on_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/host.md");
    let page = std::fs::read_to_string(page).unwrap();
    let names: Vec<&str> = all().map(|check| check.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for name in names {
        assert!(page.contains(&format!("| `{name}` |")), "deploy/host.md has no row of `{name}`");
    }
}
