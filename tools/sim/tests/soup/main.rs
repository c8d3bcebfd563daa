//! The feed over a connection of `feeds` against the simulated venue, on virtual time: two programs written
//! apart from one specification.

#[path = "../venue/twin.rs"]
mod twin;
mod world;

use model::{Cause, Integrity};
use sim::soup::{Config, Faults};
use twin::truth;
use world::World;

const OVER: (Integrity, Cause) = (Integrity::Stale, Cause::SessionEnd);
const SEEDS: u64 = 240;

fn day(seed: u64) -> Vec<Vec<u8>> {
    let config = synth::Config { seed, messages: 1_200, symbols: 6, ..synth::Config::SAMPLE };
    synth::Day::new(config).map(|message| message.encode(&mut [0; 50]).to_vec()).collect()
}

/// What goes wrong by a seed: every kind by itself, then all of them.
fn faults(seed: u64) -> Faults {
    let plans = [
        "drop=4000",
        "stall=1500,stall-time=20s",
        "stall=1500,stall-time=5s",
        "garbage=2000",
        "session=2500",
        "misplace=400,drop=3000",
        "reject=400,drop=3000",
        "drop=2000,stall=500,garbage=600,session=900,misplace=150,reject=150",
    ];
    Faults { seed, ..plans[seed as usize % plans.len()].parse().unwrap() }
}

/// Goal: through drops, stalls, garbage, rejections, wrong sequences and other sessions each sequence comes once
/// and in order, the books end as those of the clean run, and they were never live while they differed or
/// lagged. Method: schedules by seed; the world checks every belief.
#[test]
fn equals_the_clean_run() {
    let mut harm = [0; 7];
    for seed in 0..SEEDS {
        let messages = day(seed / 8);
        let truth = truth(&messages);
        let mut clean = World::new(Config::default(), &messages, &truth, seed, 0);
        clean.run();
        assert_eq!((clean.believed, clean.events.len()), (Some(OVER), messages.len()));
        assert_eq!(clean.core.counters().logins, 1);

        let config = Config { faults: faults(seed), ..Config::default() };
        let mut faulty = World::new(config, &messages, &truth, seed, 0);
        faulty.run();
        assert_eq!(faulty.believed, Some(OVER), "seed {seed}");
        assert_eq!(faulty.feed.counters().lost, 0, "seed {seed}");
        assert!(faulty.events == clean.events, "seed {seed}: not the same events");
        assert_eq!(faulty.twin, *truth.last().unwrap(), "seed {seed}: not the same books");
        assert!(faulty.live > 0, "seed {seed}: never live");
        let seen = faulty.core.counters();
        let all = [
            seen.dropped,
            seen.stalled,
            seen.garbage,
            seen.misplaced,
            seen.sessions,
            seen.rejected,
            faulty.feed.counters().repeated,
        ];
        harm.iter_mut().zip(all).for_each(|(sum, of_seed)| *sum += of_seed);
    }
    println!("dropped, stalled, garbage, misplaced, sessions, rejected, repeated: {harm:?}");
    assert!(harm.iter().all(|sum| *sum > 20), "{harm:?}");
}

/// Goal: who comes late hears the whole day, and is live only when it is heard. Method: 12 times of the day.
#[test]
fn late_joins() {
    let messages = day(3);
    let truth = truth(&messages);
    for minute in 1..=12 {
        let mut late = World::new(Config::default(), &messages, &truth, minute, minute * 60);
        late.run();
        assert_eq!((late.believed, late.events.len()), (Some(OVER), messages.len()));
        assert_eq!(late.twin, *truth.last().unwrap());
    }
}
