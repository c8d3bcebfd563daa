//! Every crypto venue through seeded faults on virtual time: no book is ever live while it is wrong, nothing is asked for more
//! often than the rules allow, and in the end every book is live and right.

mod binance;
mod bybit;
mod coinbase;
#[path = "../fold/mod.rs"]
mod fold;
mod kraken;
mod model;
mod okx;
mod truth;
mod world;

use ::model::{FeedId, Symbol};
use feeds::stream::{StreamConfig, StreamCounters, StreamFeed, StreamSymbol, Venue};
use model::Model;
use truth::{PX_DECIMALS, QTY_DECIMALS};
use world::World;

const SEEDS: u64 = 1_000;

fn config<M: Model>(seed: u64) -> StreamConfig {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: PX_DECIMALS,
        qty_decimals: QTY_DECIMALS,
    };
    let symbols = M::SYMBOLS.map(symbol).to_vec();
    let depth = M::DEPTH.min(1_000) as u16;
    StreamConfig { feed: FeedId(0), symbols, depth, seed, ws_url: None, rest_url: None }
}

/// Runs every seed; what all of them together have seen.
fn run<M: Model, V: Venue>(venue: impl Fn(&StreamConfig) -> V) -> StreamCounters {
    let mut sum = StreamCounters::default();
    let mut proofs = 0;
    for seed in 0..SEEDS {
        let config = config::<M>(seed);
        let venue = venue(&config);
        let rules = venue.rules();
        let feed = StreamFeed::new(venue, config).unwrap();
        let mut world = World::<M, V>::new(feed, &rules, seed);
        let run = std::panic::AssertUnwindSafe(|| world.run());
        if let Err(cause) = std::panic::catch_unwind(run) {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(cause);
        }
        let seen = world.counters();
        sum.bad += seen.bad;
        sum.gaps += seen.gaps;
        sum.old += seen.old;
        sum.mismatches += seen.mismatches;
        sum.snapshots += seen.snapshots;
        sum.snapshots_failed += seen.snapshots_failed;
        sum.applied += seen.applied;
        sum.closes += seen.closes;
        proofs += world.proofs;
    }
    println!("{}: {proofs} proofs, {sum:?}", V::NAME);
    assert!(proofs > SEEDS * 100 && sum.bad > SEEDS / 2 && sum.closes > SEEDS / 2);
    sum
}

/// Goal: a checksum alone keeps a book from being live while it is wrong. Method: losses, repeats, wrong checksums, broken
/// texts and connections, stalls and late answers.
#[test]
fn kraken() {
    let sum = run::<kraken::Kraken, _>(feeds::kraken::Kraken::new);
    assert!(sum.mismatches > SEEDS / 2, "{sum:?}");
}

/// Goal: a chain of ids, with keep-alives and resets, and a checksum in half of the books. Method: the same, and disorder.
#[test]
fn okx() {
    let sum = run::<okx::Okx, _>(feeds::okx::Okx::new);
    assert!(sum.mismatches > SEEDS / 4 && sum.gaps > SEEDS / 2 && sum.old > SEEDS / 2, "{sum:?}");
}

/// Goal: numbers that rise by one, with restarts of the service. Method: the same.
#[test]
fn bybit() {
    let venue =
        |config: &StreamConfig| feeds::bybit::Bybit::new(config, feeds::bybit::Product::Linear);
    let sum = run::<bybit::Bybit, _>(venue);
    assert!(sum.gaps > SEEDS / 2 && sum.old > SEEDS / 2, "{sum:?}");
}

/// Goal: what a venue without sequence or checksum can prove. Method: the same, but for book messages that are lost or
/// late, which nothing shows; lost trades do show.
#[test]
fn coinbase() {
    run::<coinbase::Coinbase, _>(feeds::coinbase::Coinbase::new);
}

/// Goal: snapshots that are asked for are joined to the stream by both rules of Binance. Method: the same, with answers
/// that are late, too old, refused or never come.
#[test]
fn binance() {
    use feeds::binance::{Binance, Market};
    let spot = run::<binance::Binance<false>, _>(|_| Binance::new(Market::Spot));
    let futures = run::<binance::Binance<true>, _>(|_| Binance::new(Market::Usdm));
    for sum in [spot, futures] {
        assert!(sum.gaps > SEEDS / 2 && sum.snapshots_failed > SEEDS / 4, "{sum:?}");
    }
}
