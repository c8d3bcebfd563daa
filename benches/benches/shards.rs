//! Two shards, each with its feed and its engine thread on one core, beside one engine so, on the same file, alternating:
//! captures → filter → ring → step → journal by reference, everything as `tickgate replay` runs it.
//!
//! `core` is the time that feed and engine thread ran on their core, of two shards the longer one: what the run takes where
//! nobody else wants the core. `wall` is what it took here. The hash of each engine must be the same in every round.
//!
//! The first shard runs by itself too, with the other core at rest. What two shards lose beside it is not work that they do
//! twice, but what their cores share: caches, memory, and where both are threads of one core, everything. Whether they are is
//! measured before and after each run, and rounds where they were do not count.
//!
//! `cargo bench -p benches --bench shards [-- MESSAGES]`

use std::collections::{HashMap, HashSet};
use std::fs::{File, read_dir, read_to_string};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use benches::{DECODER, apart};
use engine::config::{Config, Cpus, JournalConfig, Shards as ShardsConfig, Speed, Wait};
use engine::runtime::{Finished, Plan, Shards};
use engine::script::Script;
use feeds::{Shard, ShardFilter};
use model::Flags;

/// Messages, if nothing is said.
const MESSAGES: u64 = 4_000_000;
/// Symbols: no single one is much of the day.
const SYMBOLS: u16 = 500;
/// Rounds of each: so many, because pairs scatter by a third.
const ROUNDS: usize = 15;
/// Messages of a day that tell how it is dealt.
const LOOKED_AT: usize = 50_000;
/// Between two looks at what runs: some thousandths of a run.
const LOOK: Duration = Duration::from_millis(2);
/// Events between the two threads of a core: what both hold of them stays in the core's own cache.
const RING: u32 = 1_024;

/// What one run took, and what it came to.
struct Round {
    core: Duration,
    wall: Duration,
    /// By engine: inputs, and the hash that they lead to.
    came_to: Vec<(u64, u64)>,
}

fn main() {
    let messages = std::env::args().filter_map(|word| word.parse().ok()).next();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = folder.path().join("day.itch");
    let day = even_day(messages.unwrap_or(MESSAGES));
    let file = BufWriter::new(File::create(&capture).expect("a file"));
    let messages = synth::Day::new(day).write_to(file).expect("a day").messages;
    let [one, two] = [1, 2].map(|count| config(folder.path(), &capture, count));
    let first = two.engines().into_iter().take(1).collect();
    let contenders = [one.engines(), two.engines(), first];
    let names = ["one engine", "two shards", "first shard alone"];
    play(&contenders[0]); // Warms up.
    let (mut turns, mut seen) = ([0, 1, 2], [const { None }; 3]);
    let (rounds, n) = apart::rounds(ROUNDS, || {
        turns.rotate_left(1); // Else the same one would always come first, after the same other.
        let (mut round, mut are_apart) = ([const { None }; 3], Some(true));
        for turn in turns {
            let (played, is_apart) = apart::watched([0, 1], || play(&contenders[turn]));
            let Round { core, wall, came_to } = &played;
            let mark = if is_apart == Some(false) { "  both threads of one core" } else { "" };
            let name = names[turn];
            println!("{name:<17} core {core:>7.1?}  wall {wall:>7.1?}  {came_to:x?}{mark}");
            assert!(came_to == seen[turn].get_or_insert_with(|| came_to.clone()), "a hash differs");
            (round[turn], are_apart) = (Some(played), apart::both(are_apart, is_apart));
        }
        (round.map(|played| played.expect("its turn")), are_apart)
    });
    let [_, two_came_to, first_came_to] = seen.map(Option::unwrap_or_default);
    assert!(first_came_to[0] == two_came_to[0], "a shard is another one alone");
    println!("shards  rounds: {n}");
    let [one, two, first] =
        [0, 1, 2].map(|turn| rounds.iter().map(|round| &round[turn]).collect::<Vec<_>>());
    let (core, wall): (Read, Read) =
        (|round| round.core.as_secs_f64(), |round| round.wall.as_secs_f64());
    for (name, read) in [("core", core), ("wall", wall)] {
        compare(name, [&one, &two], names[1], messages, read);
    }
    compare("core, alone", [&one, &first], names[2], messages, core);
}

/// What is read of a round, in seconds.
type Read = fn(&Round) -> f64;

/// Medians beside each other, then how far to believe them: the least ones, and the pairs of rounds.
fn compare(name: &str, rounds: [&[&Round]; 2], title: &str, messages: u64, read: Read) {
    let [one, other] = rounds.map(|rounds| sorted(rounds.iter().map(|round| read(round))));
    let pairs = sorted(rounds[0].iter().zip(rounds[1]).map(|(one, two)| read(one) / read(two)));
    let rate = |took: f64| messages as f64 / took / 1e6;
    let [median, of_other] = [&one, &other].map(|times| at(times, 2));
    println!(
        "shards/{name}  one engine {:.2} M messages/s, {title} {:.2} M: {:.2} times",
        rate(median),
        rate(of_other),
        median / of_other,
    );
    println!(
        "shards/{name}  least times {:.2}; half of the pairs {:.2} to {:.2}",
        one[0] / other[0],
        at(&pairs, 1),
        at(&pairs, 3)
    );
}

fn at(sorted: &[f64], quarter: usize) -> f64 {
    sorted[(sorted.len() - 1) * quarter / 4]
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The first day of which each of two shards has half: a few symbols are much of a day, and how luck deals those is not what is
/// measured.
fn even_day(messages: u64) -> synth::Config {
    let of = |seed| synth::Config { seed, messages, symbols: SYMBOLS, ..synth::Config::SAMPLE };
    let is_even = |day: &synth::Config| {
        let mut filter = ShardFilter::new(Shard::new(0, 2).expect("a shard"), u64::MAX);
        let (mut all, mut passed) = (0, 0);
        for (message, seq) in synth::Day::new(*day).take(LOOKED_AT).zip(1..) {
            let event = DECODER.decode(message.encode(&mut [0; 50]), seq, Flags::NONE);
            (all, passed) =
                (all + 1, passed + usize::from(filter.pass(event.expect("ITCH")).is_some()));
        }
        (49..=51).contains(&(100 * passed / all))
    };
    (1..).map(of).find(is_even).expect("one of all days")
}

/// The shipped configuration for the whole file at once, shard 0 on core 0 and so on.
fn config(folder: &Path, capture: &Path, count: u16) -> Config {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let config = Config::load(&deploy.join("engine.toml")).expect("the shipped configuration");
    // Falls from a peak are no limit that shards can share.
    let limits =
        config.limits_text().replace("drawdown_max_bps = 500", "drawdown_max_bps = \"off\"");
    let config = config.with_limits(&limits).expect("limits");
    let core = |cpu| Cpus { feed: Some(cpu), engine: Some(cpu), journal: None };
    let mut engine = config.engine.clone();
    engine.wait = Wait::Yield; // Whoever waits gives the core to whom it waits for.
    match count {
        1 => engine.cpus = core(0),
        _ => {
            let cpus = (0..count.into()).map(core).collect();
            engine.shards = Some(ShardsConfig { count, index: None, cpus });
        }
    }
    engine.capacity.feed_ring = RING;
    engine.strategies.clear();
    engine.journal = engine.journal.map(|journal| JournalConfig {
        folder: folder.join(format!("journal-of-{count}")),
        ..journal
    });
    let captures = engine.feeds[0].captures_mut().expect("captures");
    (captures.files, captures.speed, captures.repeat) = (vec![capture.into()], Speed::Max, false);
    config.with_engine(engine)
}

/// Plays the file once, on new journals. Engines start together.
fn play(engines: &[Config]) -> Round {
    for journal in engines.iter().filter_map(|config| config.engine.journal.as_ref()) {
        let _ = std::fs::remove_dir_all(&journal.folder);
    }
    let over = AtomicBool::new(false);
    let (finished, seen) = std::thread::scope(|scope| {
        let clock = scope.spawn(|| watch(&over));
        let engines: Vec<_> =
            engines.iter().map(|config| scope.spawn(|| alone(config.clone()))).collect();
        let finished: Vec<_> =
            engines.into_iter().map(|engine| engine.join().expect("an engine")).collect();
        over.store(true, Ordering::Relaxed);
        (finished, clock.join().expect("the clock"))
    });
    let began = finished.iter().map(|(began, ..)| *began).min().expect("an engine");
    let ended = finished.iter().map(|(_, ended, _)| *ended).max().expect("an engine");
    Round {
        core: seen.into_values().max().expect("a hot core"),
        wall: ended - began,
        came_to: finished
            .iter()
            .map(|(.., run)| (run.engine.seq(), run.engine.state_hash()))
            .collect(),
    }
}

/// One engine, from when it runs until it has ended.
fn alone(config: Config) -> (Instant, Instant, Finished) {
    let (script, drive_stream) = (Script::default(), None);
    let plan = Plan { config, script, shared: false, ends_with_feed: true, drive_stream };
    let mut engine = Shards::start(vec![plan]).expect("an engine");
    let began = Instant::now();
    while !engine.poll().expect("a good file") {
        std::thread::sleep(LOOK);
    }
    let ended = Instant::now();
    (began, ended, engine.finish().expect("a good file").remove(0).1)
}

/// Looks at the hot threads until all is over: by core, how long they ran there. The less it looks at, the less it takes of
/// their cores.
fn watch(over: &AtomicBool) -> HashMap<usize, Duration> {
    let mut ran: HashMap<PathBuf, (usize, Duration)> = HashMap::new();
    let mut others = HashSet::new();
    while !over.load(Ordering::Relaxed) {
        for task in read_dir("/proc/self/task").expect("threads").flatten() {
            let path = task.path();
            if !ran.contains_key(&path) && !others.contains(&path) {
                match read_to_string(path.join("comm")).unwrap_or_default().trim_end() {
                    "feed" | "engine" => _ = ran.insert(path, Default::default()),
                    "journal" | "housekeeping" => _ = others.insert(path),
                    _ => {} // A thread that was just started is not named yet.
                }
            }
        }
        for (task, seen) in &mut ran {
            *seen = look(task).unwrap_or(*seen); // The last one before it was gone.
        }
        std::thread::sleep(LOOK);
    }
    let mut cores = HashMap::new();
    ran.into_values().for_each(|(core, time)| *cores.entry(core).or_default() += time);
    cores
}

/// The core of a thread, and how long it ran; `None`: it is gone.
fn look(task: &Path) -> Option<(usize, Duration)> {
    let read = |file| read_to_string(task.join(file)).ok();
    let ns = read("schedstat")?.split(' ').next()?.parse().ok()?;
    let core = read("stat")?.rsplit(' ').nth(13)?.parse().ok()?;
    Some((core, Duration::from_nanos(ns)))
}
