//! The hot threads allocate nothing, fault nothing and call nothing once they are warm.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::config::{Config, Speed, Wait};
use engine::runtime::{self, Plan};
use engine::script::Script;
use feeds::Venue;
use model::Integrity;
use tests::rogue::attach;
use tests::{Stage, armed_limits, levels, program};

/// Threads that can be told apart.
const THREADS: usize = 128;

static COUNTS: [AtomicU64; THREADS] = [const { AtomicU64::new(0) }; THREADS];
static THREAD_IDS: [AtomicU32; THREADS] = [const { AtomicU32::new(0) }; THREADS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SLOT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Counts what each thread takes from the heap.
struct Counting;

impl Counting {
    fn count() {
        let slot = SLOT.get();
        let slot = if slot == usize::MAX {
            let slot = NEXT.fetch_add(1, Ordering::Relaxed).min(THREADS - 1);
            SLOT.set(slot);
            THREAD_IDS[slot]
                .store(rustix::thread::gettid().as_raw_nonzero().get() as u32, Ordering::Relaxed);
            slot
        } else {
            slot
        };
        COUNTS[slot].fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Counting::count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Two of these tests at a time would disturb each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Allocations and page faults of the thread of this process with this name.
fn thread_counts(name: &str) -> Option<(u64, u64)> {
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let comm = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim() != name {
            continue;
        }
        let id: u32 = task.file_name().to_str()?.parse().ok()?;
        let slot = THREAD_IDS.iter().position(|thread| thread.load(Ordering::Relaxed) == id);
        let allocations = slot.map_or(0, |slot| COUNTS[slot].load(Ordering::Relaxed));
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let faults = fields.get(7)?.parse::<u64>().ok()? + fields.get(9)?.parse::<u64>().ok()?;
        return Some((allocations, faults));
    }
    None
}

/// Memory of this process that the kernel may not take away, KiB.
fn locked_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}

/// Plays a feed at full speed, with clients' pages published and the journal written, and counts what feed and engine thread
/// take of heap and kernel while the engine steps the second half of `inputs`. Memory is locked where the host lets us: else
/// the first use of a page of code is a fault, and faults are only printed.
fn play_warm(config: Config, inputs: u64) {
    let mut engine = config.engine.clone();
    engine.capacity.book_orders = 1 << 19;
    engine.lock_memory = true;
    let plan = Plan {
        config: config.with_engine(engine),
        script: Script::default(),
        shared: true,
        ends_with_feed: false,
        drive_stream: None,
    };
    let running = runtime::start(plan).unwrap();
    let stepped = || running.progress().inputs.load(Ordering::Relaxed);
    let wait_for = |count: u64| {
        let begun = Instant::now();
        while stepped() < count {
            assert!(begun.elapsed() < Duration::from_secs(120), "stuck at {}", stepped());
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    wait_for(1); // More, if it goes on with a journal.
    wait_for(stepped() + inputs / 2);
    let before = ["feed", "engine"].map(|name| thread_counts(name).expect(name));
    let from = stepped();
    wait_for(from + inputs / 2);
    let after = ["feed", "engine"].map(|name| thread_counts(name).expect(name));
    let stepped = stepped() - from;
    let locked = locked_kib() > 0;
    let engine = running.finish().unwrap().engine;
    for listed in engine.instruments().iter() {
        assert_eq!(listed.integrity, Integrity::Live, "{:?}", listed.instrument.symbol);
    }
    for (name, (before, after)) in ["feed", "engine"].iter().zip(before.into_iter().zip(after)) {
        println!(
            "{name}: {stepped} inputs, {} allocations, {} faults",
            after.0 - before.0,
            after.1 - before.1
        );
        assert!(before.0 > 0, "{name}: the allocator counts");
        assert_eq!(after.0, before.0, "{name}: allocations");
        if locked {
            assert_eq!(after.1, before.1, "{name}: page faults");
        } else {
            eprintln!("SKIPPED: memory could not be locked, so page faults are not judged");
        }
    }
}

/// The shipped configuration with a capture of price levels for its feed.
fn of_levels(stage: &Stage, name: &str, updates: u64) -> Config {
    let path = stage.folder.path().join("levels.texts");
    levels::write_texts(&path, updates).unwrap();
    let config = stage.config(name);
    let mut engine = config.engine.clone();
    engine.feeds[0].venue = Venue::BybitLinear;
    let captures = engine.feeds[0].captures_mut().unwrap();
    captures.files = vec![path];
    captures.symbols = levels::symbols();
    config.with_engine(engine)
}

/// Goal: 0 allocations and 0 page faults on feed and engine thread over a million orders after warm-up. Method: a Nasdaq day;
/// count at two moments of it.
#[test]
fn no_allocation_and_no_fault_when_warm() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = Stage::new(3_000_000, 50);
    play_warm(stage.config_with("hot-path", &armed_limits()), 2_000_000);
}

/// Goal: nor does what is only done when nothing else is to do: what would pass, what is rehearsed. Method: the same day at a
/// pace, and a client that reads what was worked out.
#[test]
fn no_allocation_and_no_fault_when_idle() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = Stage::new(200_000, 8);
    let config = stage.config_with("hot-idle", &armed_limits());
    let mut engine = config.engine.clone();
    engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(50_000);
    engine.feeds[0].silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
    engine.strategies[0].every = 10;
    engine.wait = Wait::Spin; // Else nothing is rehearsed.
    let ended = std::sync::atomic::AtomicBool::new(false);
    let has_ended = || ended.load(Ordering::Relaxed);
    let read = || {
        let (mut client, mut seen, begun) = (None, BTreeSet::new(), Instant::now());
        while !has_ended() && begun.elapsed() < Duration::from_secs(120) {
            client = client.or_else(|| attach("hot-idle", has_ended));
            let lines =
                client.iter().flat_map(|client| (0..8).filter_map(|at| client.line(at).ok()));
            seen.extend(lines.filter_map(|line| Some(line.headroom?.engine_seq)));
            std::thread::sleep(Duration::from_millis(1));
        }
        seen.len()
    };
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(read);
        play_warm(config.with_engine(engine), 40_000);
        ended.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("{seen} times read what would pass");
    assert!(seen > 100, "{seen}");
}

/// Goal: the same over price levels. Method: texts of three markets, 20 levels each.
#[test]
fn no_allocation_and_no_fault_over_levels() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = Stage::new(1_000, 2);
    play_warm(of_levels(&stage, "hot-levels", 60_000), 1_000_000);
}

/// Goal: nor after a restart from a snapshot: all memory is taken when it is read, none of it later. Method: a first part of
/// the day, stopped cleanly, which leaves one; then go on.
#[test]
fn no_allocation_and_no_fault_from_a_snapshot() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = Stage::new(3_000_000, 50);
    let config = stage.config("hot-snapshot");
    play_warm(config.clone(), 600_000);
    let journal = config.engine.journal.as_ref().unwrap().folder.clone();
    let listed = engine::snapshot::list(&journal).unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    play_warm(config, 1_000_000);
}

/// Goal: the audit log changes nothing of that: the thread only pushes into a ring. Method: the same day with a log.
#[test]
fn no_allocation_and_no_fault_with_an_audit_log() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = Stage::new(3_000_000, 50);
    let (config, _) = stage.audited(stage.config("hot-audit"));
    play_warm(config, 2_000_000);
}

/// Goal: nor does a venue outside: the thread only pushes into a ring and takes from one. Method: the same day in live
/// mode, with a strategy that sends orders to a simulated venue all the time.
#[test]
fn no_allocation_and_no_fault_with_a_venue() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let credentials = sim::mold::Credentials { user: "t".into(), password: String::new() };
    let config = sim::ouch::Config { credentials, ..Default::default() };
    let server = sim::ouch::Server::start(([127, 0, 0, 1], 0).into(), config).unwrap();
    let stage = Stage::new(3_000_000, 50);
    let (config, _) = stage.audited(stage.config("hot-venue"));
    let mut engine = config.engine.clone();
    engine.mode = model::Mode::Live;
    engine.hiccup_max = engine::config::HiccupMax::Off;
    engine.strategies[0].every = 20;
    engine.venue =
        Some(engine::config::VenueConfig::plain(60_000_000_000, 1 << 16, server.address()));
    play_warm(config.with_engine(engine), 2_000_000);
    let counters = server.counters();
    println!("{counters:?}");
    assert!(counters.orders > 100 && counters.twice == 0 && counters.bad == 0, "{counters:?}");
}

/// System calls of the engine thread of `tickgate replay` with these arguments, under wait = spin, by name; `None`, said loudly,
/// where they cannot be counted.
fn calls(stage: &Stage, config: Config, arguments: &[&str]) -> Option<BTreeMap<String, usize>> {
    if Command::new("strace").arg("--version").output().is_err() {
        eprintln!("SKIPPED: strace is not installed, so system calls cannot be counted");
        return None;
    }
    let mut engine = config.engine.clone();
    engine.wait = Wait::Spin;
    engine.journal = None;
    let file = engine.feeds[0].captures_mut().unwrap().files[0].clone();
    let engine_toml = stage.write_config(&config.with_engine(engine));
    let log = stage.folder.path().join("calls");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&log)
        .arg(program("tickgate"))
        .arg("replay")
        .arg(&file)
        .args(arguments)
        .arg("--config")
        .arg(&engine_toml)
        .arg("--json")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let log = std::fs::read_to_string(&log).unwrap();
    let thread = log.lines().find(|line| line.contains("PR_SET_NAME, \"engine\""));
    let id = thread.expect("the engine thread").split_whitespace().next().unwrap();
    let mut calls = BTreeMap::new();
    for line in log.lines().filter_map(|line| line.strip_prefix(id)) {
        // What is left are the second halves of interrupted calls, signals and the end of the thread.
        if let Some((name, _)) = line.trim_start().split_once('(')
            && name.bytes().all(|letter| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_'
            })
        {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    Some(calls)
}

/// Holds the counts of two runs, the second of ten times as many messages, to be the same: what the thread calls at start and
/// end is, so any call for a message would show. The clock is left out: the kernel answers it in user space, but on a machine
/// that was held up too long to keep time it asks for the call (vdso(7)), and the thread reads it once a second.
fn judge(calls: [Option<BTreeMap<String, usize>>; 2]) {
    println!("system calls of the engine thread: {calls:?}");
    let [Some(few), Some(many)] = &calls else { return };
    let count = |calls: &BTreeMap<String, usize>| {
        calls.iter().filter(|(name, _)| *name != "clock_gettime").map(|(_, times)| times).sum()
    };
    let [few, many]: [usize; 2] = [count(few), count(many)];
    assert!((1..100).contains(&few), "{calls:?}");
    assert!(many <= few + 8, "ten times as many messages took {calls:?}");
}

/// Goal: 0 system calls on the engine thread under wait = spin. Method: trace two runs over a Nasdaq day.
#[test]
fn no_system_call_on_the_engine_thread() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    judge([30_000, 300_000].map(|messages| {
        let stage = Stage::new(messages, 20);
        let config = stage.config("calls");
        calls(&stage, config, &[])
    }));
}

/// Goal: the same with an audit log. Method: trace two runs of a strategy that asks all the time.
#[test]
fn no_system_call_with_an_audit_log() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    judge([30_000, 300_000].map(|messages| {
        let stage = Stage::new(messages, 20);
        let (config, _) = stage.audited(stage.config("audit-calls"));
        let mut engine = config.engine.clone();
        engine.strategies[0].every = 10;
        calls(&stage, config.with_engine(engine), &["--audit"])
    }));
}

/// Goal: the same over price levels. Method: trace two runs over texts of three markets.
#[test]
fn no_system_call_over_levels() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let symbols: Vec<String> = levels::MARKETS.map(|name| format!("{name}:2:3")).into();
    let mut arguments = vec!["--venue", "bybit_linear"];
    symbols.iter().for_each(|symbol| arguments.extend(["--symbol", symbol]));
    judge([1_500, 15_000].map(|updates| {
        let stage = Stage::new(1_000, 2);
        let config = of_levels(&stage, "level-calls", updates);
        calls(&stage, config, &arguments)
    }));
}
