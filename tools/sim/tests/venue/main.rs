//! The sessions of `feeds` against the simulated venue, on virtual time: two programs written apart
//! from one specification.

mod twin;
mod world;

use model::{Cause, Integrity};
use sim::faults::FaultPlan;
use sim::mold::{Config, Pace, RequestPlan};
use twin::truth;
use world::World;

const MS: u64 = 1_000_000;
const OVER: (Integrity, Cause) = (Integrity::Stale, Cause::SessionEnd);

fn day(seed: u64) -> Vec<Vec<u8>> {
    let config = synth::Config { seed, messages: 2_500, symbols: 6, ..synth::Config::SAMPLE };
    synth::Day::new(config).map(|message| message.encode(&mut [0; 50]).to_vec()).collect()
}

/// Paces that differ from seed to seed, so that packets are full, small, or come together.
fn config(seed: u64) -> Config {
    let paces = [
        Pace::PacketsPerSecond(2_000),
        Pace::Recorded { per_cent: 10_000 },
        Pace::PacketsPerSecond(300),
    ];
    Config {
        pace: paces[seed as usize % 3],
        packet_messages_max: [3, 64, 9][seed as usize % 3],
        gather_ns: MS,
        ..Config::default()
    }
}

/// Goal: a channel over lossy lines and a faulty re-request server says exactly what it says over
/// whole lines. Method: 20 seeds, every event compared, receive times and lines apart.
#[test]
fn equals_the_clean_run() {
    let (mut requests, mut gone) = (0, 0);
    for seed in 1..=20 {
        let messages = day(seed);
        let truth = truth(&messages);
        let mut clean = World::new(config(seed), &messages, &truth, seed, 0, false);
        clean.run();
        assert_eq!(clean.believed, Some(OVER));
        assert_eq!(clean.events.len(), messages.len());

        let text = "loss=60,burst=4,burst-packets=6,duplicate=20,reorder=30,hold=3ms,\
                    delay=100us,jitter=80us";
        let plan = FaultPlan { seed, ..text.parse().unwrap() };
        let b = FaultPlan { seed: seed + 50, dead_ns: Some((200 * MS, 300 * MS)), ..plan };
        let asked = RequestPlan {
            seed,
            loss_per_mille: 100,
            short_per_mille: 200,
            ..RequestPlan::default()
        };
        let config = Config { lines: [plan, b], requests: asked, ..config(seed) };
        let mut faulty = World::new(config, &messages, &truth, seed, 0, false);
        faulty.run();
        assert_eq!(faulty.believed, Some(OVER), "seed {seed}");
        assert_eq!(faulty.channel.counters().lost, 0, "seed {seed}");
        assert!(faulty.events == clean.events, "seed {seed}: not the same events");
        assert_eq!(faulty.twin, *truth.last().unwrap(), "seed {seed}: not the same books");
        requests += faulty.channel.arbiter_counters().requests;
        gone += faulty.core.line_counters().iter().map(|line| line.dropped).sum::<u64>();
    }
    assert!(requests > 100 && gone > 1_000, "{requests} requests, {gone} packets gone");
}

/// Goal: a channel that joins late is whole after one snapshot, at any place. Method: 20 places;
/// live only while the books equal the truth at their sequence, which the world checks.
#[test]
fn late_joins() {
    let messages = day(7);
    let truth = truth(&messages);
    for place in 1..=20 {
        let plan: FaultPlan = "delay=2ms,jitter=1ms,reorder=20".parse().unwrap();
        let lines = [plan, FaultPlan { seed: place, delay_ns: 300_000, ..plan }];
        let config = Config { lines, ..config(0) };
        let mut late = World::new(config, &messages, &truth, place, place * 20 * MS, true);
        late.run();
        assert_eq!(late.believed, Some(OVER), "joined at {place}");
        assert_eq!(late.twin, *truth.last().unwrap(), "joined at {place}");
        assert_eq!(late.snapshots.served, 1, "joined at {place}");
    }
}

/// Goal: where re-requests are of no use, snapshots heal. Method: 20 seeds of lossy lines and a
/// server that loses all requests.
#[test]
fn snapshots_heal() {
    let mut served = 0;
    for seed in 1..=20 {
        let messages = day(seed);
        let truth = truth(&messages);
        let plan = FaultPlan { seed, ..("loss=150,burst=10,delay=100us".parse().unwrap()) };
        let lines = [plan, FaultPlan { seed: seed + 50, ..plan }];
        let requests = RequestPlan { loss_per_mille: 1_000, ..RequestPlan::default() };
        let config = Config { lines, requests, ..config(seed) };
        let mut world = World::new(config, &messages, &truth, seed, 0, true);
        world.run();
        assert_eq!(world.twin, *truth.last().unwrap(), "seed {seed}: not the same books");
        served += world.snapshots.served;
    }
    assert!(served > 20, "{served} snapshots");
}

/// Goal: the same day again is a new day of the same session. Method: three days; books begin empty
/// at each.
#[test]
fn repeated_days() {
    let messages = day(3);
    let three: Vec<_> = std::iter::repeat_n(messages.clone(), 3).flatten().collect();
    let truth = truth(&three);
    let mut framed = Vec::new();
    for message in &messages {
        framed.extend_from_slice(&(message.len() as u16).to_be_bytes());
        framed.extend_from_slice(message);
    }
    framed.extend_from_slice(&[0, 0]);
    let source = Box::new(sim::source::for_ever(framed).take(three.len()));
    let mut world = World::of(config(1), source, &truth, 1, 0, true);
    world.run();
    assert_eq!(world.believed, Some(OVER));
    assert_eq!(world.events.len(), three.len());
    let starts = world
        .events
        .iter()
        .filter(|event| event.kind == model::Kind::Session && event.aux == u64::from(b'O'));
    let days: Vec<u64> = starts.map(|event| event.ts_venue.0 / model::DAY_NS).collect();
    assert_eq!(days, [0, 1, 2]);
    assert_eq!(world.channel.counters().backwards, 0);
}
