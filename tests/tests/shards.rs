//! Engines that share the instruments: together they are what one engine of all is.

#[path = "../../tools/sim/tests/venue/twin.rs"]
mod twin;
#[path = "../../tools/sim/tests/venue/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use engine::config::{Config, Shards as ShardsConfig};
use engine::journal::lease::Lease;
use engine::replay::Replay;
use engine::runtime::{Finished, Plan, RunError, Shards};
use engine::script::Script;
use engine::sequencer::Sequencer;
use engine::step::Engine;
use feeds::{Shard, ShardFilter};
use model::page::{AnswerKind, Board};
use model::{Integrity, OrderState, Px, Qty, Side, Symbol, Ts};
use serde_json::json;
use sim::faults::FaultPlan;
use sim::mold::{Pace, RequestPlan};
use tests::place::{Place, Trader, halted, until};
use tests::{Stage, WIDE_LIMITS};
use twin::truth;
use world::World;

const COUNT: u16 = 3;

/// The hashes that two shards of the day of these tests come to, on every build.
const HASHES: [u64; 2] = [0xda48_e231_5087_9f73, 0xfe54_e4d3_2840_c498];

/// The configuration of all, divided among so many.
fn divided(config: Config, count: u16) -> Config {
    let mut engine = config.engine.clone();
    engine.shards = Some(ShardsConfig { count, index: None, cpus: Vec::new() });
    config.with_engine(engine)
}

/// Plays the feed through every engine of a configuration.
fn run(config: &Config) -> Result<Vec<(String, Finished)>, RunError> {
    let plan = |config: Config| {
        let (script, drive_stream) = (Script::default(), None);
        Plan { config, script, shared: false, ends_with_feed: true, drive_stream }
    };
    let mut shards = Shards::start(config.engines().into_iter().map(plan).collect())?;
    while !shards.poll()? {
        std::thread::sleep(Duration::from_millis(5));
    }
    shards.finish()
}

type Levels = Vec<(Px, Qty, u32)>;

/// What is told of an instrument, whichever engine has it.
fn told(board: &Board) -> Board {
    let (as_of, instrument) = Default::default();
    Board { as_of, instrument, since: Ts(0), ..*board }
}

/// Books and boards of an engine, by symbol.
fn books(engine: &Engine) -> BTreeMap<Symbol, (Board, [Levels; 2])> {
    let of = |id: u32| {
        let sides = [Side::Buy, Side::Sell].map(|side| {
            let levels = engine.books_of(id).unwrap().levels(id as usize, side);
            levels.map(|level| (level.px, level.qty, level.orders)).collect()
        });
        (told(&engine.board(id).unwrap()), sides)
    };
    let listed = engine.instruments().iter().map(|listed| listed.instrument);
    listed.map(|instrument| (instrument.symbol, of(instrument.id.0))).collect()
}

/// Goal: every symbol is in exactly one shard, and books, indicators and figures of the day are those of an engine of all.
/// Method: a day through one engine, then through three.
#[test]
fn together_they_are_the_whole() {
    let stage = Stage::new(120_000, 20);
    let config = stage.config("whole");
    let mut engine = config.engine.clone();
    engine.strategies.clear(); // They count trades, of which each shard has its own.
    let config = config.with_engine(engine);
    let [(_, whole)] = &run(&config).unwrap()[..] else { panic!("one engine") };
    let mut all = books(&whole.engine);
    assert_eq!(all.len(), 20);
    let shards = run(&divided(config, COUNT)).unwrap();
    for (index, (name, shard)) in (0..).zip(&shards) {
        assert_eq!(*name, format!("whole-{index}"));
        assert!(!shard.engine.instruments().is_empty());
        assert_eq!(shard.feeds[0].messages, whole.feeds[0].messages, "all is heard");
        for (symbol, book) in books(&shard.engine) {
            assert_eq!(Shard::of(symbol, COUNT), index, "{symbol}");
            assert_eq!(Some(book), all.remove(&symbol), "{symbol}");
        }
    }
    assert!(all.is_empty(), "nobody has {all:?}");
    let live = |engine: &Engine| engine.live_orders();
    assert_eq!(
        shards.iter().map(|(_, shard)| live(&shard.engine)).sum::<usize>(),
        live(&whole.engine)
    );
}

/// Goal: the hash of each shard is the same in every run and in the replay of its journal, deeply; each journal replays alone
/// and goes on as the shard that it is, and no other goes on with it. Method: two runs with a trading strategy, replays, a
/// third run on the journals of the second; another number of shards.
#[test]
fn hashes_repeat() {
    let stage = Stage::new(120_000, 20);
    let config = divided(stage.config("repeat"), 2);
    let journal = config.engine.journal.clone().unwrap().folder;
    let hashes = |shards: &[(String, Finished)]| {
        let hash =
            |(_, shard): &(String, Finished)| (shard.engine.state_hash(), shard.engine.passed());
        shards.iter().map(hash).collect::<Vec<_>>()
    };
    let first = hashes(&run(&config).unwrap());
    assert!(first.iter().all(|(_, passed)| *passed > 10), "{first:?}");
    let found = [first[0].0, first[1].0];
    assert_eq!(found, HASHES, "{found:016x?}");
    for (index, (hash, _)) in first.iter().enumerate() {
        let mut replay = Replay::open(&journal.join(index.to_string())).unwrap().unwrap();
        replay.deep = true;
        replay.run(None, |_| ()).unwrap();
        assert_eq!(replay.engine.state_hash(), *hash);
        assert_eq!(replay.config.engine.name, format!("repeat-{index}"));
        assert!(replay.closed && replay.full_checkpoints == 1, "{}", replay.full_checkpoints);
    }
    std::fs::remove_dir_all(&journal).unwrap();
    assert_eq!(hashes(&run(&config).unwrap()), first);

    run(&config).expect("a shard goes on with its journal");
    let Err(RunError::Shard { index: 0, error }) = run(&divided(config.clone(), COUNT)) else {
        panic!("shards of three go on with journals of two")
    };
    assert!(matches!(*error, RunError::OtherConfig(_)), "{error}");
}

/// Goal: a shard that cannot start is named, and those before it have not begun. Method: the second finds the journal of the
/// first.
#[test]
fn one_that_fails_is_named() {
    let stage = Stage::new(60_000, 10);
    let config = divided(stage.config("fails"), 2);
    let journal = config.engine.journal.clone().unwrap().folder;
    let [first, second] = ["0", "1"].map(|index| journal.join(index));
    run(&config).unwrap();
    std::fs::remove_dir_all(&second).unwrap();
    std::fs::rename(&first, &second).unwrap();
    let error = run(&config).map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("shard 1: "), "{error}");
    assert_eq!(files_of(&first), ["lock"]);
    Lease::take(&first).expect("nobody has it");
}

fn files_of(folder: &Path) -> Vec<OsString> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// Goal: no journal is begun before all shards have what they need of others, and what the first has is left. Method: the place
/// of the second one's operator socket is taken.
#[test]
fn none_begins_before_all_are_open() {
    let place = Place::with("open", WIDE_LIMITS, |_, engine| {
        engine.shards = Some(ShardsConfig { count: 2, index: None, cpus: Vec::new() });
    });
    let socket = place.operator_socket().with_file_name("open-1.operator.sock");
    DirBuilder::new().recursive(true).mode(0o700).create(socket.join("taken")).unwrap();
    let (code, said) = place.run("tickgate", &["run", "--config", &place.config_path()]);
    assert!(code != 0 && said.contains("shard 1: "), "{code} {said}");
    assert_eq!(files_of(&place.journal().join("0")), ["lock"]);
    let sockets = files_of(socket.parent().unwrap());
    let is_socket = |name: &OsString| name.to_string_lossy().ends_with(".sock");
    assert!(
        sockets.iter().filter(|name| is_socket(name)).eq(["open-1.operator.sock"]),
        "{sockets:?}"
    );
    std::fs::remove_dir_all(socket).unwrap();
    place.start().ends();
}

/// Goal: while a feed loses, heals and joins late, each book is believed by its shard exactly when an engine of all believes it,
/// and is the same. Method: days over two bad lines; both are looked at after every event.
#[test]
fn they_believe_alike() {
    let stage = Stage::new(1_000, 2);
    let config = stage.config("believe");
    let mut engine = config.engine.clone();
    (engine.strategies, engine.journal) = (Vec::new(), None);
    let (config, silence_ns) = (config.with_engine(engine.clone()), engine.feeds[0].silence_ns);
    let make = || Sequencer::new(Engine::new(&config).unwrap(), None);
    let (mut looks, mut doubts, mut skipped) = (0_u64, 0_u64, 0_u64);
    for seed in 1..=30 {
        let synth = synth::Config { seed, messages: 2_500, symbols: 6, ..synth::Config::SAMPLE };
        let messages = synth::Day::new(synth).map(|message| message.encode(&mut [0; 50]).to_vec());
        let messages: Vec<Vec<u8>> = messages.collect();
        let truth = truth(&messages);
        let join_ns = seed % 3 * 20_000_000;
        let mut world = World::new(bad_lines(seed), &messages, &truth, seed, join_ns, true);
        world.run();

        let mut whole = make();
        let shards = (0..COUNT).map(|index| Shard::new(index, COUNT).unwrap());
        let mut shards: Vec<_> =
            shards.map(|shard| (ShardFilter::new(shard, silence_ns), make())).collect();
        for event in &world.heard {
            whole.event(event, &mut ());
            whole.out.forget();
            for (filter, shard) in &mut shards {
                match filter.pass(*event) {
                    Some(event) => shard.event(&event, &mut ()),
                    None => skipped += 1,
                }
                shard.out.forget();
            }
            for listed in whole.engine.instruments().iter() {
                let symbol = listed.instrument.symbol;
                let (_, shard) = &shards[usize::from(Shard::of(symbol, COUNT))];
                let mut own = shard.engine.instruments().iter();
                let own = own.find(|own| own.instrument.symbol == symbol).unwrap().instrument.id.0;
                let expected = whole.engine.board(listed.instrument.id.0).unwrap();
                let found = shard.engine.board(own).unwrap();
                assert_eq!(told(&found), told(&expected), "seed {seed}, {symbol} after {event:?}");
                looks += 1;
                doubts += u64::from(expected.integrity != Integrity::Live);
            }
        }
        let all = books(&whole.engine);
        let each = shards.iter().flat_map(|(_, shard)| books(&shard.engine)).collect();
        assert_eq!(all, each, "seed {seed}");
    }
    println!("{looks} looks, {doubts} of them in doubt; {skipped} events skipped");
    let live = looks - doubts;
    assert!(doubts > 10_000 && live > 10_000 && skipped > 50_000, "{doubts} {live} {skipped}");
}

/// Two lines of which much is lost, re-requests of which half fail, snapshots for the rest.
fn bad_lines(seed: u64) -> sim::mold::Config {
    let text =
        "loss=100,burst=6,burst-packets=8,duplicate=20,reorder=30,hold=3ms,delay=100us,jitter=80us";
    let plan = FaultPlan { seed, ..text.parse().unwrap() };
    sim::mold::Config {
        pace: Pace::PacketsPerSecond(2_000),
        packet_messages_max: 3,
        lines: [plan, FaultPlan { seed: seed + 50, ..plan }],
        requests: RequestPlan { seed, loss_per_mille: 500, ..RequestPlan::default() },
        ..sim::mold::Config::default()
    }
}

/// Goal: two shards run as engines of one process: each takes orders, one command halts both and tells of both, a command that is
/// for one engine is refused until one is named; both are halted after a restart; both journals replay. Method: the programs.
#[test]
fn two_shards_in_one_process() {
    let place = Place::with("two", WIDE_LIMITS, |_, engine| {
        engine.shards = Some(ShardsConfig { count: 2, index: None, cpus: Vec::new() });
    });
    let names = ["two-0", "two-1"];
    let engine = place.start();
    let mut traders = names.map(|name| place.trader_of(name));
    let [one, other] = traders.each_ref().map(|trader| trader.symbol());
    assert_ne!(one, other);
    let rests = traders.each_mut().map(|trader| trader.rests());

    let (code, said) =
        place.run("tickgate-reload", &["--config", &place.config_path(), "--dry-run"]);
    assert!(code == 4 && said.contains("name one: two-0, two-1"), "{code} {said}");
    let done = place.done("tickgate-halt", &["--engine", "two-0", "--account", "probe"]);
    assert_eq!(done["latched"], true, "{done}");
    let status = place.status();
    let counts = names.map(|name| status["shards"][name]["halt_count"].clone());
    assert_eq!(counts, [json!(1), json!(0)], "{status:#}");

    let done = place.done("tickgate-halt", &["--engine", "two", "--reason", "both"]);
    assert!(names.iter().all(|name| done["shards"][name]["latched"] == true), "{done}");
    for (trader, order) in traders.iter_mut().zip(rests) {
        assert!(halted(&trader.asks()));
        trader.reaches(order, OrderState::Cancelled);
    }
    drop(traders);
    engine.ends();

    let words = ["--config", &place.config_path(), "--symbol", "LATER"];
    let latched = place.done("tickgate-halt", &words);
    assert!(names.iter().all(|name| latched["shards"][name]["answer"] == "latched"), "{latched}");
    let engine = place.start();
    until("both are up", || {
        let (code, said) = place.run("tickgate-status", &["--json"]);
        code == 0 && names.iter().all(|name| said.contains(name))
    });
    for name in names {
        let status = &place.status()["shards"][name];
        assert!(status["halts"].to_string().contains("both"), "{status:#}");
        assert!(status["halts"].to_string().contains("LATER"), "{status:#}");
        assert!(halted(&place.trader_of(name).asks()));
    }
    engine.ends();
    for index in ["0", "1"] {
        let journal = place.journal().join(index).display().to_string();
        let (code, said) = place.run("tickgate-journal", &["verify", &journal, "--deep"]);
        assert_eq!(code, 0, "{said}");
    }
}

/// Goal: a client in one shard gets more than its equal part of a limit of its account while nobody uses the rest, and both
/// together never have more than the limit, also after a kill; the moves are in the journals, which replay. Method: the programs;
/// orders that rest in one shard until it has five eighths of what both may have open.
#[test]
fn slices_follow_the_orders() {
    let limits = WIDE_LIMITS
        .replacen("open_orders_max = 65536", "open_orders_max = 40", 1)
        .replace("clients = true", "clients = true\ncancel_on_disconnect = false");
    let place = Place::with("leased", &limits, |_, engine| {
        engine.shards = Some(ShardsConfig { count: 2, index: None, cpus: Vec::new() });
    });
    let traders = || ["leased-0", "leased-1"].map(|name| place.trader_of(name));
    // That of the one that takes is read first: what it was given is gone from the other by then.
    let slices = |traders: &[Trader; 2]| {
        let of = |trader: &Trader| {
            trader.client.account(trader.account.0.into()).unwrap().open_orders_max
        };
        traders.each_ref().map(of)
    };
    let engine = place.start();
    let mut asks = traders();
    assert_eq!(slices(&asks), [20, 20]);
    until("one has more than its part", || {
        if asks[0].asks().kind != AnswerKind::Accepted {
            asks[0].looks_again();
        }
        let [one, other] = slices(&asks);
        assert!(one + other <= 40, "{one} and {other}");
        one >= 25
    });
    drop(asks);
    engine.dies();

    let engine = place.start();
    let [one, other] = slices(&traders());
    assert!(one > 20 && one + other <= 40, "{one} and {other}");
    engine.ends();
    for index in ["0", "1"] {
        let journal = place.journal().join(index).display().to_string();
        let (code, said) = place.run("tickgate-journal", &["verify", &journal, "--deep"]);
        assert_eq!(code, 0, "{said}");
    }
    let journal = place.journal().join("0").display().to_string();
    let rows = place.journal().join("rows.csv");
    let to = rows.display().to_string();
    let (code, said) =
        place.run("tickgate-journal", &["export", &journal, "--to", &to, "--kind", "control"]);
    assert_eq!(code, 0, "{said}");
    let rows = std::fs::read_to_string(rows).unwrap();
    assert!(rows.contains("open_orders_max to "), "{rows}");
}
