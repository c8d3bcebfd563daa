//! The engine with a gateway and a venue that survives it.

mod baskets;
mod books;
mod load;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::BasketEnd;
use serde_json::json;
use sim::ouch::{Faults, Server};
use tests::place::{PATIENCE, Place, Running, venue};
use tests::preload::Disk;
use tests::rogue::Dice;

use books::{End, Told, differences, known, replayed};
use load::{KINDS, Load, Reloads};

/// Processes killed, unless TICKGATE_KILLS says how many.
const KILLS: u64 = 5;
/// Kills of the engines of one journal; then another venue's day and journal begin.
const KILLS_OF_ONE: u64 = 16;

/// What was seen, so that a test that shows nothing fails.
#[derive(Debug, Default)]
struct Seen {
    kills: u64,
    at_start: u64,
    disks: u64,
    torn: u64,
    snapshots: u64,
    reloads: u64,
    orders: u64,
    trades: u64,
    inputs: u64,
    checkpoints: u64,
    kinds: [u64; KINDS.len()],
    /// Kills between the first leg of a basket and its last.
    half: u64,
    /// Baskets by their end, as [`BasketEnd::ALL`] has them.
    baskets: [u64; BasketEnd::ALL.len()],
    /// Baskets that were sent, and of which the venue has a part.
    parted: u64,
}

/// Goal: after kill -9 at any moment, with orders of every kind at a venue and under way: every fill of the venue is booked
/// once, no order is sent twice, nothing is at the venue that is not recorded, nothing that was answered is lost, the state
/// is that of an uninterrupted replay at the last valid record, from a snapshot too, and stays a state that every later
/// replay passes; no leg is at the venue of a basket that was not whole, and what waited for one that is over holds nothing.
/// Method: processes killed at random moments, of their start too, under a load of orders with reloads and
/// followers beside; a venue with faults that goes on trading while nobody is there; after each kill the journal is
/// replayed, the engine started, and its pages compared with the venue's own record when that is quiet.
#[test]
fn killed_while_trading() {
    let kills = super::kills(KILLS);
    let seed = std::env::var("TICKGATE_SEED").map_or(11, |text| text.parse().unwrap());
    let (mut dice, mut seen) = (Dice(seed), Seen::default());
    while seen.kills < kills {
        let count = KILLS_OF_ONE.min(kills - seen.kills);
        Market::new(dice.number()).survives(count, &mut seen);
        println!("{seen:?}");
    }
    for (kind, count) in KINDS.iter().zip(seen.kinds) {
        println!("{kind:>10} {count}");
        assert!(count > 0 || kills < 50, "{kind} was never accepted");
    }
    for (end, count) in BasketEnd::ALL.iter().zip(seen.baskets) {
        assert!(count > 0 || kills < 50, "no basket was ever {end}");
    }
    assert!(seen.orders > 2 * kills && seen.trades > kills, "{seen:?}");
    assert!(
        kills < 50
            || seen.reloads.min(seen.snapshots).min(seen.at_start).min(seen.disks).min(seen.half)
                > 0,
        "{seen:?}"
    );
}

/// A venue, a journal, and whoever trades.
struct Market {
    server: Server,
    place: Place,
    load: Load,
    dice: Dice,
    ends: Vec<End>,
    reloads: Reloads,
}

impl Market {
    fn new(seed: u64) -> Market {
        let server = venue();
        let place = Place::live("crash-live", &baskets::limits(), &server, |engine| {
            let venue = engine.venue.as_mut().unwrap();
            // Of engine time, which is faster than ours.
            (venue.ack_timeout_ns, venue.executions) = (10_000_000_000, 1 << 16);
            engine.basket_timeout_ns = 250_000_000;
        })
        .lied_to();
        let (load, reloads) = (Load::new(seed), Reloads::default());
        Market { server, place, load, dice: Dice(seed), ends: Vec::new(), reloads }
    }

    /// So many kills, and a clean stop.
    fn survives(mut self, kills: u64, seen: &mut Seen) {
        let mut engine = self.place.start();
        for _ in 0..kills {
            if self.dice.below(5) == 0 {
                // The next one before it comes to anything, or while it asks the venue where everything stands.
                engine.dies();
                self.check(seen);
                engine = self.begins();
                self.pause(400);
                engine.dies();
                seen.at_start += 1;
            } else {
                self.lives(engine, seen);
            }
            seen.kills += 1;
            self.check(seen);
            self.pause(50);
            self.server.with(|venue| venue.set_faults(Faults::NONE));
            engine = self.place.start();
            self.agrees();
        }
        engine.ends();
        let told = self.check(seen);
        assert!(told.closed && told.checkpoints > 0);
        let known = known(&self.server);
        for (order, venue) in &known {
            let booked = told.filled.get(order).copied().unwrap_or(0);
            assert_eq!(booked, venue.cum, "{order:?} of {} orders", known.len());
        }
        assert!(told.filled.keys().all(|order| known.contains_key(order)));
        let counters = self.server.counters();
        seen.orders += counters.orders;
        seen.trades += counters.trades;
        seen.inputs += told.end.0;
        seen.checkpoints += told.checkpoints;
        seen.reloads += u64::from(told.limits - 1);
        seen.kinds.iter_mut().zip(self.load.kinds).for_each(|(all, of)| *all += of);
        seen.parted += told.baskets.is_whole(&self.load.baskets, |order| known.contains_key(order));
        let ends = seen.baskets.iter_mut().zip(BasketEnd::ALL);
        ends.for_each(|(all, end)| *all += told.baskets.ended(*end));
    }

    fn begins(&self) -> Running {
        self.place.begin("tickgate", &["run", "--config", &self.place.config_path()])
    }

    fn pause(&mut self, ms: u64) {
        std::thread::sleep(Duration::from_micros(self.dice.below(1_000 * ms)));
    }

    /// Orders are asked for, the venue does what venues do, limits change, somebody follows; until the engine is killed.
    fn lives(&mut self, engine: Running, seen: &mut Seen) {
        let mut some = |most: u64| self.dice.below(most + 1) as u16;
        let faults = Faults {
            seed: u64::from(some(60_000)),
            trade_per_mille: 50 + some(300),
            lock_per_mille: some(200),
            refuse_per_mille: some(50),
            cancel_per_mille: some(10),
            update_per_mille: some(10),
            keep_per_mille: some(50),
            delay_ns: u64::from(some(20)) * 1_000_000,
            drop_ms: u64::from(some(1)) * 300,
            ..Faults::NONE
        };
        self.server.with(|venue| venue.set_faults(faults));
        let journal = self.place.journal().display().to_string();
        let words = [journal.as_str(), "--every", "100"];
        let follower = (some(2) == 0).then(|| self.place.begin("tickgate-follow", &words));
        let reloading = some(2) == 0;
        let disk = match some(9) {
            0 => Disk::NoSpace,
            1 => Disk::IoError,
            2 => Disk::Half,
            _ => Disk::Sound,
        };
        seen.disks += u64::from(disk != Disk::Sound);
        let ms = 50 + u64::from(some(900));
        let stop = AtomicBool::new(false);
        let begun = Instant::now();
        let client = loop {
            if let Some(client) = self.place.client() {
                break client;
            }
            assert!(begun.elapsed() < PATIENCE, "cannot attach: {}", self.place.log());
            std::thread::sleep(Duration::from_millis(1));
        };
        std::thread::scope(|scope| {
            let load = scope.spawn(|| self.load.runs(client, &stop));
            if reloading {
                scope.spawn(|| self.reloads.run(&self.place, &stop));
            }
            std::thread::sleep(Duration::from_millis(ms / 2));
            self.place.preload().set_disk(disk);
            std::thread::sleep(Duration::from_millis(ms / 2));
            engine.dies();
            self.place.preload().set_disk(Disk::Sound);
            stop.store(true, Ordering::Relaxed);
            load.join().unwrap();
        });
        follower.into_iter().for_each(Running::dies);
    }

    /// What a killed engine left is the state of an uninterrupted run, and holds all that anybody was told of.
    fn check(&mut self, seen: &mut Seen) -> Told {
        let (told, from_snapshot) = replayed(&self.place, &self.ends);
        self.ends.push(told.end);
        seen.torn += u64::from(told.torn);
        seen.snapshots += u64::from(from_snapshot);
        let known = known(&self.server);
        for (order, venue) in &known {
            assert!(told.passed.contains(order), "{order:?} is at the venue, and not recorded");
            let booked = told.filled.get(order).copied().unwrap_or(0);
            assert!(booked <= venue.cum, "{order:?}: {booked} booked of {}", venue.cum);
        }
        told.baskets.is_whole(&self.load.baskets, |order| known.contains_key(order));
        seen.half += u64::from(told.baskets.is_half);
        let lost: Vec<_> = self.load.accepted.difference(&told.passed).collect();
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
        let version = self.reloads.version;
        assert!(told.limits >= version, "limits {} of {version}", told.limits);
        let counters = self.server.counters();
        assert_eq!((counters.twice, counters.bad), (0, 0), "{counters:?}");
        told
    }

    /// Waits until engine and venue say the same of everything.
    fn agrees(&self) {
        let begun = Instant::now();
        let client = loop {
            if let Some(client) = self.place.client() {
                break client;
            }
            assert!(begun.elapsed() < PATIENCE, "cannot attach: {}", self.place.log());
        };
        loop {
            let gateway = &self.place.status()["gateway"];
            let is_known = gateway["state"] == "connected" && gateway["in_doubt"] == json!(0);
            let differences = differences(&client, &self.server);
            if is_known && differences.is_empty() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{gateway:#} {differences:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
