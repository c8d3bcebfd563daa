//! The gateway against a simulated venue that takes orders, on virtual time: the bytes of OUCH 5.0 over SoupBinTCP between them,
//! connections that drop in the middle of everything, and an engine that is killed and goes on from its journal.

mod world;

use model::page::TapeKind;
use model::{HaltLevel, HaltScope, Money};
use sim::ouch::{Counters, Faults};
use tests::rogue::Dice;
use world::World;

/// How many schedules are tried; `TICKGATE_SCHEDULES` sets another number.
const SCHEDULES: u64 = 200;

const KINDS: [TapeKind; 9] = [
    TapeKind::Replaced,
    TapeKind::Unknown,
    TapeKind::NotSent,
    TapeKind::Bust,
    TapeKind::Fill,
    TapeKind::Restated,
    TapeKind::VenueRefused,
    TapeKind::Cancelled,
    TapeKind::Expired,
];

fn faults(dice: &mut Dice, honest: bool) -> Faults {
    let mut at_most = |most: u64| dice.below(most + 1) as u16;
    Faults {
        seed: 1 + u64::from(at_most(60_000)),
        trade_per_mille: 5 + at_most(200),
        cross_ms: u64::from(at_most(300)),
        lock_per_mille: at_most(500),
        update_per_mille: at_most(20),
        refuse_per_mille: at_most(100),
        cancel_per_mille: at_most(20),
        break_per_mille: if honest { 0 } else { at_most(20) },
        keep_per_mille: at_most(100),
        delay_ns: u64::from(at_most(20)) * 1_000_000,
        drop_ms: 0,
    }
}

/// Goal: whatever the line does, and whenever the engine is killed, engine and venue come to the same orders, positions and cash,
/// nothing stays reserved, no order is sent twice, nothing new is sent until all is reconciled, and a venue that breaks no
/// trade halts nobody. Method: seeded schedules on virtual time; a restart replays what was recorded, and loses what was
/// not.
#[test]
fn engine_and_venue_converge() {
    let schedules = std::env::var("TICKGATE_SCHEDULES").map_or(SCHEDULES, |n| n.parse().unwrap());
    let first = std::env::var("TICKGATE_FIRST").map_or(0, |n| n.parse().unwrap());
    let config = world::config();
    let mut seen = [0; KINDS.len()];
    let mut venue = Counters::default();
    let [mut sessions, mut restarts, mut lost, mut whole] = [0; 4];
    for seed in first..first + schedules {
        let mut dice = Dice(seed);
        let honest = seed % 3 != 0;
        let faults = faults(&mut dice, honest);
        let drops = if seed % 4 == 0 { 0 } else { 1 + dice.below(20) };
        let kills = if seed % 2 == 0 { 0 } else { 1 + dice.below(6) };
        let run = || schedule(seed, faults, [drops, kills], honest, &config);
        let world = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
            .unwrap_or_else(|_| panic!("seed {seed}: {faults:?}, drops {drops}, kills {kills}"));
        let counters = world.venue.counters();
        venue.orders += counters.orders;
        venue.trades += counters.trades;
        venue.dead += counters.dead;
        venue.slid += counters.slid;
        venue.refreshed += counters.refreshed;
        venue.crosses += counters.crosses;
        whole +=
            world.venue.orders().filter(|order| order.min_qty > 0 && order.cum > 0).count() as u64;
        sessions += world.sessions;
        restarts += world.restarts;
        lost += world.lost;
        for (count, kind) in seen.iter_mut().zip(KINDS) {
            *count += world.told(kind);
        }
    }
    println!(
        "{schedules} schedules: {} orders, {} trades, {sessions} sessions, {restarts} restarts, which lost \
         {lost} inputs",
        venue.orders, venue.trades
    );
    let Counters { dead, slid, refreshed, crosses, .. } = venue;
    println!(
        "{whole} filled whole or not at all, {dead} dead, {slid} slid, {refreshed} refreshed, {crosses} crosses"
    );
    assert!(
        [dead, slid, refreshed, crosses, whole].iter().all(|count| *count > 0) || schedules < 100
    );
    for (count, kind) in seen.iter().zip(KINDS) {
        println!("{kind:>14} {count}");
        assert!(*count > 0 || schedules < 100, "{kind} never happened");
    }
}

fn schedule(
    seed: u64,
    faults: Faults,
    odds: [u64; 2],
    honest: bool,
    config: &engine::config::Config,
) -> World {
    let mut world = World::new(seed, faults, odds, config);
    let cash = world.account().cash;
    (0..800).for_each(|_| world.tick(true));
    assert!(
        world.settle(),
        "engine and venue do not agree: {:?}\nvenue: {:?}",
        world.engine.orders().open().next(),
        world.venue.open().next(),
    );
    assert_eq!(world.venue.counters().twice, 0, "an order was sent twice");
    assert_eq!(world.venue.counters().bad, 0, "the venue did not understand");
    assert_eq!(world.position(), world.venue_position());
    for order in world.venue.orders().filter(|order| order.min_qty > 0) {
        assert!(order.cum == 0 || order.cum == order.min_qty, "filled in part: {order:?}");
    }
    let account = world.account();
    assert_eq!((account.reserved, account.open_orders), (Money::ZERO, 0));
    let paid: i128 = world
        .whole_trades()
        .map(|(sign, qty, px)| i128::from(sign * qty) * i128::from(px) * 100_000_000)
        .sum();
    assert_eq!(account.cash, Money(cash.0 - paid));
    let halt = world.engine.risk().halt(HaltScope::Account(model::AccountId(0)));
    if honest {
        assert_eq!(halt, Some(HaltLevel::Active), "a venue that breaks no trade");
        assert_eq!(world.told(TapeKind::OverFill) + world.told(TapeKind::LateFill), 0);
        assert_eq!(world.told(TapeKind::Mismatch), 0);
    }
    world
}
