//! Whole engines that share their accounts: what passes in any of them is within the firm's limits, by a recount of all.

mod shard;
mod world;

use std::path::PathBuf;

use feeds::Venue;
use model::page::AnswerKind;
use model::{
    Ask, Body, ClientOrderId, Conditions, Event, Flags, Input, InstrumentId, Integrity, Kind, Note,
    OrderId, OrderType, Origin, Px, Qty, Request, Side, Symbol, Terms, Tif, TradingState,
    VenueNumber,
};

use super::*;
use crate::config::{Capacity, Captures, Config, FeedConfig, FeedSource, Shards, Speed};
use crate::output::Output;
use crate::step::{Credited, Engine};
use shard::{Pass, Shard, Told, config, counts, limits_text};
use world::World;

const MS: u64 = 1_000_000;
/// Money of a price unit and a share: prices have four decimals.
const FACTOR: i128 = 100_000_000;
/// The first two of every account's, and all of them.
const ACCOUNTS: [&str; 3] = ["house", "agent", "probe"];
const WINDOW_NS: u64 = 500 * MS;
/// Four seconds before a session begins.
const BEGIN: u64 = 5 * 3_600_000 * MS - 4_000 * MS;
const SESSION_AT: u64 = 5 * 3_600_000 * MS;
/// The best prices where they do not move: 100.00 and 100.10.
const BID: i64 = 1_000_000;
const ASK: i64 = 1_001_000;

#[derive(Clone, Copy, Debug)]
enum Op {
    Order { shard: usize, account: u16, side: Side, qty: i64, away: i64, ioc: bool },
    Replace { shard: usize, pick: usize, qty: i64 },
    Cancel { shard: usize, pick: usize },
    Quote { shard: usize, by: i64 },
    Burst { shard: usize, account: u16, side: Side, qty: i64, count: usize },
    Round { quarters: [i128; 4], syncs: u8 },
    Wait { ms: u64 },
    Serve { shard: usize },
    Look { shard: usize, quarters: i128 },
    Hear { shard: usize, count: usize },
    Sync { shard: usize, pick: usize },
    Tick,
    Settle,
    Crash { shard: usize, pick: usize },
    CrashAll { pick: usize },
}

fn ops() -> impl Strategy<Value = Op> {
    let shard = || prop_oneof![3 => Just(0_usize), 2 => 0_usize..4];
    let side = prop::sample::select(&[Side::Buy, Side::Sell][..]);
    let burst = (shard(), 1_u16..3, side.clone(), 1_i64..15, 1_usize..6);
    let quarters = || prop::sample::select(&[0_i128, 2, 4, 5, 8, 40][..]);
    let order = (shard(), 1_u16..3, side, 1_i64..40, 0_i64..4, any::<bool>());
    prop_oneof![
        16 => order.prop_map(|(shard, account, side, qty, away, ioc)| {
            Op::Order { shard, account, side, qty, away, ioc }
        }),
        4 => (shard(), any::<usize>(), 1_i64..60)
            .prop_map(|(shard, pick, qty)| Op::Replace { shard, pick, qty }),
        6 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Cancel { shard, pick }),
        3 => (shard(), -5_i64..6).prop_map(|(shard, by)| Op::Quote { shard, by }),
        8 => (0_u64..200).prop_map(|ms| Op::Wait { ms }),
        8 => shard().prop_map(|shard| Op::Serve { shard }),
        4 => (shard(), quarters()).prop_map(|(shard, quarters)| Op::Look { shard, quarters }),
        10 => burst.prop_map(|(shard, account, side, qty, count)| {
            Op::Burst { shard, account, side, qty, count }
        }),
        16 => (prop::array::uniform4(quarters()), any::<u8>(), any::<u8>())
            .prop_map(|(quarters, one, other)| Op::Round { quarters, syncs: one | other }),
        6 => (shard(), 1_usize..60).prop_map(|(shard, count)| Op::Hear { shard, count }),
        6 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Sync { shard, pick }),
        8 => Just(Op::Tick),
        2 => Just(Op::Settle),
        3 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Crash { shard, pick }),
        2 => any::<usize>().prop_map(|pick| Op::CrashAll { pick }),
    ]
}

/// `TICKGATE_LONG=1` runs a hundred times more.
fn runs() -> ProptestConfig {
    let long = std::env::var_os("TICKGATE_LONG").is_some();
    ProptestConfig::with_cases(if long { 20_000 } else { 200 })
}

proptest! {
    #![proptest_config(runs())]
    /// Goal: no order passes in any engine that a recount over all of them would refuse; no window and no session holds more than
    /// the limit; the slices are within it at every moment, also after crashes. Where prices move, and what is used moves with
    /// them, the slices are still within it. Method: one to four whole engines with clocks that differ, random orders, moves at
    /// any stage, and crashes to any input that may be the last of the journal; a recount from orders and fills alone.
    #[test]
    fn nothing_passes_beyond_the_firms_limits(
        count in 1_u16..5,
        lags in prop::collection::vec((0_u64..400).prop_map(|ms| ms * MS), 4),
        still in prop::bool::weighted(0.75),
        ops in prop::collection::vec(ops(), 100..400),
    ) {
        let mut world = World::new(count, &lags, still);
        for op in ops {
            world.apply(op);
            world.slices_are_within();
        }
        world.windows_are_within();
    }
}

/// Goal: an engine that needs more than its equal part gets it: what one engine of everything would let pass, passes. Method: two
/// engines; buys in one of them up to its limit, with and without a treasury.
#[test]
fn slices_follow_the_orders() {
    let order = |world: &mut World, shard: usize, side| {
        world.now += 600 * MS;
        let at = world.at(shard);
        let px = if side == Side::Buy { ASK } else { BID };
        world.shards[shard].order(at, AccountId(1), side, 5, px, Tif::Ioc)
    };
    // Five shares are worth 500; the agent may have 11,250 net, each engine half of that.
    let mut alone = World::new(2, &[0, 0], true);
    let passed = (0..40).take_while(|_| order(&mut alone, 0, Side::Buy)).count();
    assert_eq!(passed, 11);
    let mut world = World::new(2, &[0, 0], true);
    let mut bought = 0;
    for _ in 0..40 {
        world.settle();
        bought += usize::from(order(&mut world, 0, Side::Buy));
    }
    // All but the quarter of a part that the other one keeps, and what is not worth a move.
    assert!((18..=20).contains(&bought), "{bought}");
    world.slices_are_within();
    // When it has sold, the other one gets what it needs.
    (0..bought).for_each(|_| assert!(order(&mut world, 0, Side::Sell)));
    for _ in 0..15 {
        world.settle();
        assert!(order(&mut world, 1, Side::Buy));
    }
    world.slices_are_within();
}

/// Goal: a slice is part of the state: the same inputs make the same engine, one with another slice has other hashes, and a
/// snapshot keeps it. Method: a run with moves, again and through its bytes; and one whose last input differs.
#[test]
fn a_slice_is_state() {
    use model::snapshot::Sizes;

    let mut world = World::new(2, &[0, 0], true);
    let at = world.at(0);
    assert!(world.shards[0].order(at, AccountId(1), Side::Buy, 50, ASK, Tif::Day));
    world.settle();
    let Shard { config, engine, inputs, .. } = &world.shards[0];
    assert!(inputs.iter().any(|input| matches!(input.body, Body::Control(Control::Credit { .. }))));
    let run = |inputs: &[Input]| {
        let mut engine = Engine::new(config).unwrap();
        let mut out = engine.output();
        for input in inputs {
            engine.step(input, &mut out, &mut ());
            out.forget();
        }
        engine
    };
    let again = run(inputs);
    assert_eq!((again.state_hash(), again.full_hash()), (engine.state_hash(), engine.full_hash()));
    let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&Engine::new(config).unwrap()).unwrap());
    let bytes = postcard::to_stdvec(engine).unwrap();
    let (read, took_all) = sizes.within(|| postcard::from_bytes::<Engine>(&bytes));
    let read = read.unwrap();
    assert!(took_all);
    assert_eq!(read.full_hash(), engine.full_hash());
    let (account, limit) = (AccountId(1), CreditKind::Gross);
    assert_eq!(read.view(account, limit), engine.view(account, limit));
    let last = |to| {
        let control = Control::Credit { account, limit, to, version: 1 };
        let seq = inputs.len() as u64 + 1;
        let more = Input { seq, now: engine.now(), body: Body::Control(control) };
        run(&[&inputs[..], &[more]].concat())
    };
    let whole = engine.total(account, limit).unwrap();
    let [first, second] = [whole - 1, whole].map(last);
    assert_ne!(first.state_hash(), second.state_hash());
    assert_ne!(first.full_hash(), second.full_hash());
    assert_eq!(second.view(account, limit).unwrap().slice, whole);
    // No engine ever has more than the whole, nor takes a slice of limits that are not in force.
    assert_eq!(last(whole + 1).view(account, limit).unwrap().slice, whole);
    let control = Control::Credit { account, limit, to: 1, version: 2 };
    let mut other = run(inputs);
    let mut out = other.output();
    let seq = inputs.len() as u64 + 1;
    let more = Input { seq, now: engine.now(), body: Body::Control(control) };
    other.step(&more, &mut out, &mut ());
    assert_eq!(out.credited.unwrap().slice, None);
    assert_eq!(
        other.view(account, limit).unwrap().slice,
        engine.view(account, limit).unwrap().slice
    );
}

/// Goal: what of limits cannot be shared is refused with its reason, of every account. Method: shipped limits, which have a
/// drawdown, and a ratio of orders.
#[test]
fn what_is_no_sum_is_refused() {
    let shared = config(0, 2);
    let refused = |old: &str, new: &str| {
        let text = limits_text();
        assert!(text.contains(old));
        shared.with_limits(&text.replace(old, new)).unwrap_err().to_string()
    };
    let said = refused("drawdown_max_bps = \"off\"", "drawdown_max_bps = 500");
    assert!(ACCOUNTS.iter().all(|name| said.contains(&format!("`{name}`: `drawdown_max_bps`"))));
    let ratio = "order_to_trade_max = 9\norder_to_trade_free = 9";
    let said = refused("order_to_trade_max = \"off\"", ratio);
    assert!(said.contains("`house`: `order_to_trade_max`"), "{said}");
    assert!(shared.with_limits(&limits_text()).is_ok());
}
