//! Seeded schedules of faults.

use feeds::session::SessionId;
use feeds::session::arbiter::Line;
use feeds::session::channel::ChannelOptions;
use feeds::session::glimpse::GlimpseOptions;
use feeds::session::soup::Login;
use model::{Cause, FeedId, Integrity, Ts};

use crate::day::{Day, Dice};
use crate::world::{Faults, MS, World};

fn options(glimpse: bool) -> ChannelOptions {
    let mut options = ChannelOptions::new(FeedId(3), Ts(0));
    options.arbiter.held_packets_max = 64;
    options.arbiter.held_bytes_max = 16 << 10;
    options.arbiter.line_dead_ns = 60 * MS;
    options.arbiter.switch_ns = 30 * MS;
    if glimpse {
        let login = Login::new("user", "password").unwrap();
        let back_off_ns = 20 * MS;
        options.glimpse = Some(GlimpseOptions {
            back_off_ns,
            back_off_ns_max: 1_000 * MS,
            same_session: true,
            ..GlimpseOptions::new(login)
        });
    }
    options
}

fn world(seed: u64) -> World {
    let mut dice = Dice(seed);
    let sessions = if dice.percent(30) { 2 } else { 1 };
    let days = (0..sessions)
        .map(|day| {
            let length = 100 + dice.below(600) as usize;
            Day::new(&mut dice, SessionId([b'0' + day; 10]), length)
        })
        .collect();
    let mut options = options(dice.percent(60));
    if dice.percent(25) {
        options.bridge_bytes_max = 500 + dice.below(3_000) as usize;
    }
    if dice.percent(20) {
        options.arbiter.held_packets_max = 4;
    }
    if dice.percent(20) {
        options.arbiter.attempts_max = 0;
    }
    let start = dice.below(60 * MS);
    let dead = (start, start + dice.below(200 * MS));
    let faults = Faults {
        loss: [dice.below(31), dice.below(31)],
        duplicate: dice.below(31),
        late: dice.below(31),
        dead: match dice.below(4) {
            0 => [dead, (0, 0)],
            1 => [(0, 0), (0, u64::MAX)],
            2 => [dead, dead],
            _ => [(0, 0); 2],
        },
        request_loss: dice.below(40),
        answer_max: if dice.percent(85) { 1 + dice.below(30) } else { 0 },
        snapshot_fails: dice.below(40),
        ..Faults::default()
    };
    World::new(options, days, faults, (dice.percent(30), 20_000 * MS), seed)
}

/// Goal: whatever the lines, the re-request server and the snapshot server do, each message comes once and
/// in order or is reported as lost once; a book that is live equals the clean run's at that sequence; and
/// at the end it is live again, or what is missing is gone for good. Method: 400 seeds on virtual time; the
/// reader checks every event (`world.rs`), this test the end and the counts.
#[test]
fn schedules() {
    let (mut gaps, mut lost, mut snapshots, mut overflows, mut whole) = (0, 0, 0, 0, 0);
    for seed in 0..400 {
        let world = world(seed);
        let glimpse = world.channel.glimpse().is_some();
        let mut ran = run(seed, world);
        let day = ran.days.last().unwrap();
        let length = day.messages.len() as u64;
        let (arbiter, counters) = (ran.channel.arbiter_counters(), ran.channel.counters());
        let reader = &mut ran.reader;
        assert_eq!(ran.channel.arbiter().next(), length + 1, "seed {seed}");
        assert_eq!((counters.bad, counters.lost), (0, arbiter.lost), "seed {seed}");
        if ran.days.len() == 1 && !glimpse {
            let joined = length - counters.messages - counters.lost;
            assert_eq!(joined, 0, "seed {seed}: each message once, or lost once");
        }
        // The last heartbeats of both lines may be lost, too.
        let good = [
            (Integrity::Live, Cause::None),
            (Integrity::Stale, Cause::SessionEnd),
            (Integrity::Stale, Cause::Silent),
        ];
        if good.contains(&reader.believed.unwrap()) {
            assert_eq!(reader.seq, length, "seed {seed}");
            assert_eq!(reader.twin, day.twin_at(length as usize), "seed {seed}");
            whole += 1;
        } else {
            let lost = counters.lost > 0 && !glimpse;
            assert!(lost, "seed {seed}: {:?}", (reader.believed, ran.faults));
        }
        for line in [Line::A, Line::B, Line::Answer] {
            let line = ran.channel.line_counters(line);
            let told = line.wins + line.duplicates + line.dropped;
            assert_eq!(line.messages, told, "seed {seed}: {line:?}");
        }
        gaps += arbiter.gaps;
        lost += u64::from(counters.lost > 0);
        snapshots += u64::from(counters.snapshots > 0);
        overflows += u64::from(counters.overflows > 0);
    }
    eprintln!("{gaps} gaps; seeds: lost {lost}, snapshots {snapshots}, overflows {overflows}");
    assert!(gaps > 1_000 && lost > 50 && snapshots > 50 && overflows > 5 && whole > 200);
}

/// Runs a world; a panic names the seed.
fn run(seed: u64, mut world: World) -> World {
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        world.run();
        world
    }));
    ran.unwrap_or_else(|_| panic!("seed {seed}"))
}

/// At the end the books are the day's, if they say so, and with snapshots they do.
fn ends_well(seed: u64, world: &World) {
    let day = world.days.last().unwrap();
    let length = day.messages.len() as u64;
    let glimpse = world.channel.glimpse().is_some();
    let reader = &world.reader;
    assert_eq!(world.channel.arbiter().session(), day.session, "seed {seed}");
    assert_eq!(world.channel.arbiter().next(), length + 1, "seed {seed}");
    if matches!(reader.integrity(), Some(Integrity::Live | Integrity::Stale)) {
        assert_eq!(reader.seq, length, "seed {seed}");
        assert_eq!(reader.twin, day.twin_at(length as usize), "seed {seed}");
    } else {
        assert!(!glimpse, "seed {seed}: {:?}", (reader.believed, world.faults));
    }
}

/// Goal: packets that nobody of the venue sent make no wrong book live, and the books heal when they cease: names
/// of other sessions, sequences near and far, ends of session, answers without a question, packets of long ago.
/// Method: 400 seeds of them, over lines and servers that are bad besides.
#[test]
fn hostile() {
    let (mut disbelieved, mut foreign, mut sessions, mut live) = (0, 0, 0, 0);
    for seed in 1_000..1_400 {
        let mut world = world(seed);
        world.add_hostile(if seed % 2 == 0 { 100 * MS } else { 2_000 * MS });
        let ran = run(seed, world);
        ends_well(seed, &ran);
        let counters = ran.channel.arbiter_counters();
        disbelieved += counters.disbelieved;
        sessions += counters.sessions;
        foreign += ran.channel.line_counters(Line::A).foreign;
        live += u64::from(ran.reader.integrity() != Some(Integrity::Incomplete));
    }
    eprintln!("{disbelieved} disbelieved, {foreign} foreign, {sessions} sessions, {live} whole");
    assert!(disbelieved > 400 && foreign > 4_000 && sessions > 500 && live > 200);
}

/// Goal: a venue that begins a session again from 1 is followed. Method: 100 seeds of two days of one name, a
/// night between them.
#[test]
fn begun_again() {
    let mut live = 0;
    for seed in 2_000..2_100 {
        let mut dice = Dice(seed);
        let days = (0..2).map(|_| {
            let length = 100 + dice.below(600) as usize;
            Day::new(&mut dice, SessionId(*b"0000000001"), length)
        });
        let days = days.collect();
        let faults = Faults {
            loss: [dice.below(20), dice.below(20)],
            duplicate: dice.below(20),
            late: dice.below(20),
            answer_max: 1 + dice.below(30),
            night_ns: 600 * MS,
            ..Faults::default()
        };
        let options = options(dice.percent(50));
        let world = World::new(options, days, faults, (dice.percent(30), 20_000 * MS), seed);
        let ran = run(seed, world);
        ends_well(seed, &ran);
        assert_eq!(ran.channel.arbiter_counters().sessions, 2, "seed {seed}");
        live += u64::from(ran.reader.integrity() != Some(Integrity::Incomplete));
    }
    assert!(live > 80, "{live}");
}

/// Goal: two good lines need no help, and line B is all duplicates. Method: no faults.
#[test]
fn clean() {
    let day = Day::new(&mut Dice(1), SessionId(*b"0000000001"), 500);
    let mut world = World::new(options(true), vec![day], Faults::default(), (false, MS), 1);
    world.run();
    let [a, b] = [Line::A, Line::B].map(|line| world.channel.line_counters(line));
    assert_eq!((a.wins + b.wins, a.duplicates + b.duplicates), (500, 500));
    assert_eq!((a.losses, b.losses), (0, 0));
    assert_eq!(world.channel.arbiter_counters().requests, 0);
    assert_eq!(world.reader.believed, Some((Integrity::Live, Cause::None)));
    let seen: Vec<_> = world.reader.seen.keys().copied().collect();
    assert_eq!(seen, [(Integrity::Live, Cause::None), (Integrity::Incomplete, Cause::NotStarted)],);
}
