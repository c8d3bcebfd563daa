//! `deploy/tune-host.sh` on trees that look like a host's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every file of a tree by its path, without what the script saves.
type Tree = BTreeMap<PathBuf, String>;

const SAVED: &str = "run/tickgate/tune-host.saved";

/// A host as it comes: four cores, nothing tuned.
const HOST: &[(&str, &str)] = &[
    ("proc/cmdline", "quiet nosoftlockup\n"),
    ("proc/12/comm", "irqbalance\n"),
    ("proc/irq/default_smp_affinity", "f\n"),
    ("proc/irq/24/smp_affinity_list", "0-3\n"),
    ("proc/irq/25/smp_affinity_list", "1\n"),
    ("proc/sys/kernel/numa_balancing", "1\n"),
    ("proc/sys/kernel/sched_rt_runtime_us", "950000\n"),
    ("proc/sys/kernel/watchdog", "1\n"),
    ("proc/sys/net/core/rmem_max", "212992\n"),
    ("proc/sys/net/core/netdev_max_backlog", "50000\n"), // More than is wanted: stays.
    ("proc/sys/vm/compaction_proactiveness", "20\n"),
    ("proc/sys/vm/stat_interval", "1\n"),
    ("proc/sys/vm/swappiness", "60\n"),
    ("sys/class/net/eth0/device/vendor", "0x8086\n"),
    ("sys/class/net/eth0/queues/rx-0/rps_cpus", "c\n"),
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state0/latency", "0\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state0/disable", "0\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state1/latency", "170\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "0\n"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state2/latency", "rubbish\n"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "1-2\n"),
    ("sys/devices/system/cpu/cpu1/online", "1\n"),
    ("sys/devices/system/cpu/isolated", "\n"),
    ("sys/devices/system/cpu/online", "0-3\n"),
    ("sys/devices/virtual/workqueue/cpumask", "f\n"),
    ("sys/kernel/mm/ksm/run", "1\n"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
    ("sys/kernel/mm/transparent_hugepage/defrag", "always defer [madvise] never\n"),
];

struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Host {
        let host = Host(tempfile::tempdir().unwrap());
        HOST.iter().for_each(|(path, text)| host.write(path, text));
        host
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        let mut folders = vec![self.0.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(self.0.path()).unwrap().to_path_buf();
                tree.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
        tree.remove(Path::new(SAVED));
        tree
    }

    /// Runs the script; its exit code, and what it said.
    fn run(&self, words: &[&str]) -> (i32, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/tune-host.sh");
        let mut command = Command::new("bash");
        command.arg(script).args(words).arg("--root").arg(self.0.path());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }
}

/// What differs, path by path: before and after.
fn changed<'a>(before: &'a Tree, after: &'a Tree) -> Vec<(&'a str, &'a str, &'a str)> {
    assert!(before.keys().eq(after.keys()), "no file comes or goes");
    let differ = before.iter().zip(after.values()).filter(|((_, before), after)| before != after);
    differ
        .map(|((path, before), after)| (path.to_str().unwrap(), before.trim(), after.trim()))
        .collect()
}

/// Goal: without --apply nothing changes, and what is said is what --apply does; boot parameters are only printed. Method:
/// both on the same tree, file by file.
#[test]
fn shows_and_applies_the_same() {
    let host = Host::new();
    let before = host.tree();
    let (code, shown) = host.run(&["--cpus", "2-3"]);
    assert_eq!((code, host.tree()), (0, before.clone()), "{shown}");
    assert!(!host.0.path().join(SAVED).exists());
    let (code, said) = host.run(&["--cpus", "2-3", "--apply"]);
    assert_eq!(code, 0, "{said}");
    let lines = |text: &str, word: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect()
    };
    assert_eq!(lines(&shown, "would set "), lines(&said, "set "));
    let after = host.tree();
    let expected = [
        ("proc/irq/24/smp_affinity_list", "0-3", "0,1"),
        ("proc/irq/default_smp_affinity", "f", "00000003"),
        ("proc/sys/kernel/numa_balancing", "1", "0"),
        ("proc/sys/kernel/sched_rt_runtime_us", "950000", "-1"),
        ("proc/sys/kernel/watchdog", "1", "0"),
        ("proc/sys/net/core/rmem_max", "212992", "33554432"),
        ("proc/sys/vm/compaction_proactiveness", "20", "0"),
        ("proc/sys/vm/stat_interval", "1", "120"),
        ("proc/sys/vm/swappiness", "60", "0"),
        ("sys/class/net/eth0/queues/rx-0/rps_cpus", "c", "00000003"),
        ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave", "performance"),
        ("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "0", "1"),
        ("sys/devices/virtual/workqueue/cpumask", "f", "00000003"),
        ("sys/kernel/mm/ksm/run", "1", "0"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "madvise"),
    ];
    assert_eq!(changed(&before, &after), expected);
    for part in [
        "    isolcpus=managed_irq,domain,2-3\n",
        "    irqaffinity=0,1\n",
        "    mitigations=auto ",
        "by hand: systemctl disable --now irqbalance",
        "by hand: echo 0 > /sys/devices/system/cpu/cpu1/online",
        "by hand: ethtool -C eth0 ",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(!said.contains("    nosoftlockup"), "it is there already");
}

/// Goal: what was applied is put back as it was, also if it was applied twice. Method: apply, apply, revert; the kernel shows
/// choices in brackets, a file only the word, so words are compared; then there is nothing to put back any more.
#[test]
fn revert_is_the_identity() {
    let host = Host::new();
    let word = |text: &String| match text.split_once('[') {
        Some((_, rest)) => rest.split(']').next().unwrap().to_owned(),
        None => text.trim().to_owned(),
    };
    let words = |host: &Host| host.tree().values().map(word).collect::<Vec<_>>();
    let before = words(&host);
    assert_eq!(host.run(&["--cpus", "2-3", "--apply"]).0, 0);
    let applied = host.tree();
    let (code, said) = host.run(&["--cpus", "2-3", "--apply"]);
    assert!(code == 0 && said.contains("0 set;"), "{said}");
    assert_eq!(host.tree(), applied);
    assert_ne!(words(&host), before);
    let (code, said) = host.run(&["--revert"]);
    assert_eq!((code, words(&host)), (0, before), "{said}");
    assert_eq!(host.run(&["--revert"]).0, 2, "nothing was saved");
}

/// Goal: without hot cores no interrupt is moved; cores that are not there, all cores, and rubbish are refused before anything is
/// set; a saved file that somebody else wrote is not followed. Method: each on a fresh tree.
#[test]
fn what_is_refused() {
    let host = Host::new();
    let before = host.tree();
    for cpus in ["0-3", "2-9", "x", "2-", "$(reboot)", "99999999"] {
        let (code, said) = host.run(&["--cpus", cpus, "--apply"]);
        assert_eq!((code, host.tree()), (2, before.clone()), "{cpus}: {said}");
    }
    for words in [&["--apply", "--revert"][..], &["--cpus"], &["--what"]] {
        assert_eq!(host.run(words).0, 2, "{words:?}");
    }
    for path in ["/etc/passwd", "/proc/sys/../../etc/passwd", "etc/passwd"] {
        host.write("etc/passwd", "root\n");
        host.write(SAVED, &format!("{path}\tus\n"));
        assert_eq!(host.run(&["--revert"]).0, 2, "{path}");
        assert_eq!(host.tree()[Path::new("etc/passwd")], "root\n");
    }
    let host = Host::new();
    let (code, said) = host.run(&["--apply"]);
    assert!(code == 0 && said.contains("no core is isolated"), "{said}");
    let (before, after) = (before, host.tree());
    let changed = changed(&before, &after);
    assert!(
        changed.len() > 5 && changed.iter().all(|(path, ..)| !path.contains("irq")),
        "{changed:?}"
    );
}

/// Goal: what the kernel refused is not saved, and what is as it was is not written: --revert ends well. A file that says nothing
/// is left alone. Method: a value that nobody can write, in place of one of the tree's; then a saved file that holds it all the
/// same; and the governor of a core that is offline.
#[test]
fn what_was_refused_is_not_put_back() {
    let host = Host::new();
    let refused = host.0.path().join("proc/sys/vm/swappiness");
    std::fs::remove_file(&refused).unwrap();
    std::os::unix::fs::symlink("/proc/sys/kernel/ostype", &refused).unwrap();
    let (code, said) = host.run(&["--cpus", "2-3", "--apply"]);
    assert!(
        code == 1 && said.contains("the kernel keeps /proc/sys/vm/swappiness: Linux"),
        "{said}"
    );
    let (code, said) = host.run(&["--revert"]);
    assert!(code == 0 && !said.contains("swappiness"), "{said}");
    host.write(SAVED, "/proc/sys/vm/swappiness\tLinux\n");
    let (code, said) = host.run(&["--revert"]);
    assert_eq!((code, host.0.path().join(SAVED).exists()), (0, false), "{said}");

    let host = Host::new();
    let governor = "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor";
    host.write(governor, "");
    let (code, said) = host.run(&["--cpus", "2-3", "--apply"]);
    assert!(code == 0 && !said.contains(governor), "{said}");
}

/// Goal: a boot parameter is there however its cores are written, and missing where a hot core is not in it, or where interrupts
/// may go to one. Method: the line of `deploy/host.md`, other ways to write it, and lines that lack something.
#[test]
fn boot_parameters_are_compared_by_cores() {
    let missing = |line: &str| {
        let host = Host::new();
        host.write("sys/devices/system/cpu/online", "0-7\n");
        host.write("proc/cmdline", &format!("quiet {line} skew_tick=1\n"));
        let (code, said) = host.run(&["--cpus", "2-3"]);
        assert_eq!(code, 0, "{said}");
        let words = ["isolcpus", "nohz_full", "rcu_nocbs", "irqaffinity", "skew_tick"];
        let lacks = |word: &&str| said.contains(&format!("\n    {word}="));
        words.into_iter().filter(lacks).collect::<Vec<_>>()
    };
    let of_page = "isolcpus=managed_irq,domain,2-3 nohz_full=2-3 rcu_nocbs=2-3 irqaffinity=0-1,4-7";
    assert_eq!(missing(of_page), [""; 0]);
    let others = "isolcpus=domain,managed_irq,3,2 nohz_full=2-N rcu_nocbs=all irqaffinity=4-N,0,1";
    assert_eq!(missing(others), [""; 0]);
    let lacking = "isolcpus=domain,2-3 nohz_full=2 rcu_nocbs=3-N irqaffinity=all";
    assert_eq!(missing(lacking), ["isolcpus", "nohz_full", "rcu_nocbs", "irqaffinity"]);
}

/// Goal: the script has none of the mistakes that shellcheck knows. Method: shellcheck, where it is installed.
#[test]
fn shellcheck_is_content() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/tune-host.sh");
    match Command::new("shellcheck").arg(script).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout))
        }
        Err(_) => eprintln!("SKIPPED: shellcheck is not installed"),
    }
}
