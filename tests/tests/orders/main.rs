//! The life of an order at a venue outside that loses, delays, doubles and reorders what it says, fills after a cancel, goes
//! down in the middle of everything, and takes trades back.

mod venue;
mod world;

use model::page::TapeKind;
use model::{HaltLevel, HaltScope, Money};
use tests::rogue::Dice;
use venue::Faults;
use world::World;

/// How many schedules are tried; `TICKGATE_SCHEDULES` sets another number.
const SCHEDULES: u64 = 300;

fn one_in(dice: &mut Dice, per_mille: u64) -> bool {
    dice.below(1_000) < per_mille
}

fn faults(dice: &mut Dice, honest: bool) -> Faults {
    let mut at_most = |most: u64| dice.below(most + 1);
    Faults {
        lost: at_most(200),
        doubled: at_most(200),
        delay_ms: at_most(40),
        acts: 5 + at_most(200),
        rejects: at_most(100),
        late: if honest { 0 } else { at_most(20) },
        over: if honest { 0 } else { at_most(20) },
        busts: if honest { 0 } else { at_most(20) },
        drops: at_most(20),
        cancels_on_drop: at_most(1_000),
    }
}

/// Goal: whatever the line and the venue do, engine and venue come to the same orders, positions and cash, nothing stays
/// reserved, no order is sent twice, and no subset of what may still happen exceeds a limit, at any time. An honest venue
/// behind a bad line halts nobody. Method: seeded schedules on virtual time; in two of three the venue is honest. What may
/// still happen is worked out from the venue's own books and the messages under way. Every tenth is replayed.
#[test]
fn engine_and_venue_converge() {
    let schedules = std::env::var("TICKGATE_SCHEDULES").map_or(SCHEDULES, |n| n.parse().unwrap());
    let first = std::env::var("TICKGATE_FIRST").map_or(0, |n| n.parse().unwrap());
    let config = world::config();
    let mut seen = [0; KINDS.len()];
    let (mut passed, mut trades) = (0, 0);
    for seed in first..first + schedules {
        let mut dice = Dice(seed);
        let honest = seed % 3 != 0;
        let faults = faults(&mut dice, honest);
        let run = std::panic::AssertUnwindSafe(|| schedule(seed, faults, honest, &config));
        let world =
            std::panic::catch_unwind(run).unwrap_or_else(|_| panic!("seed {seed}: {faults:?}"));
        passed += world.passed;
        trades += world.venue.trades.len();
        for (count, kind) in seen.iter_mut().zip(KINDS) {
            *count += world.told(kind);
        }
    }
    println!("{schedules} schedules, {passed} orders passed, {trades} trades");
    for (count, kind) in seen.iter().zip(KINDS) {
        println!("{kind:>14} {count}");
        assert!(*count > 0 || schedules < 100, "{kind} never happened");
    }
}

const KINDS: [TapeKind; 11] = [
    TapeKind::Basket,
    TapeKind::Triggered,
    TapeKind::Replaced,
    TapeKind::Expired,
    TapeKind::Unknown,
    TapeKind::NotSent,
    TapeKind::Bust,
    TapeKind::LateFill,
    TapeKind::OverFill,
    TapeKind::Restated,
    TapeKind::Mismatch,
];

fn schedule(seed: u64, faults: Faults, honest: bool, config: &engine::config::Config) -> World {
    let mut world = World::new(seed, faults, config);
    let cash = world.account().cash;
    (0..600).for_each(|_| world.tick(true));
    assert!(
        world.settle(),
        "engine and venue do not agree: {:?}",
        world.engine.orders().open().next()
    );

    assert_eq!(world.position(), world.venue.position());
    let account = world.account();
    assert_eq!((account.reserved, account.open_orders), (Money::ZERO, 0));
    let page = world.engine.risk().line_page(0, Default::default());
    assert!(page.is_none_or(|line| (line.working_buy.0, line.working_sell.0) == (0, 0)));
    let paid = world.venue.trades.iter().filter(|trade| !trade.busted);
    let paid: i128 =
        paid.map(|t| i128::from(venue::sign(t.side) * t.qty) * i128::from(t.px) * 1_000).sum();
    assert_eq!(account.cash, Money(cash.0 - paid));
    let halt = world.engine.risk().halt(HaltScope::Account(model::AccountId(0)));
    if honest {
        assert_eq!(halt, Some(HaltLevel::Active), "an honest venue");
        assert_eq!(world.told(TapeKind::OverFill) + world.told(TapeKind::LateFill), 0);
    }
    world.say_position();
    assert_eq!(world.engine.risk().halt(HaltScope::Account(model::AccountId(0))), halt);

    if seed.is_multiple_of(10) {
        let mut again = engine::step::Engine::new(config).expect("an engine");
        let mut out = again.output();
        for input in &world.inputs {
            again.step(input, &mut out, &mut ());
            out.forget();
        }
        assert_eq!(again.full_hash(), world.engine.full_hash(), "a replay comes to the same");
    }
    world
}
