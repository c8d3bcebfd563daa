//! Binance captures. They are not part of the repository: without them these tests say so and pass.

mod captured;

use std::collections::BTreeMap;
use std::path::PathBuf;

use captured::capture;
use feeds::binance::{Binance, Market};
use feeds::source::LineFile;
use feeds::stream::{Phase, StreamConfig, StreamFeed, StreamSymbol};
use model::{Event, FeedId, Flags, Integrity, Kind, Symbol, Ts};
use serde_json::Value;

/// Best bid and ask: price and quantity, in units.
type Best = [(i64, i64); 2];

/// What a capture came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// Diffs applied that some ticker before them can be held against.
    compared: u64,
    /// Those whose book's best was another than the ticker's, by their last update.
    different: Vec<u64>,
    /// Changes of belief.
    beliefs: Vec<Integrity>,
    crossed: u64,
}

fn units(value: &Value, decimals: u32) -> i64 {
    model::parse_decimal(value.as_str().unwrap(), decimals).unwrap()
}

/// The independent best prices of a capture, by their update.
fn tickers(paths: &[PathBuf], [px, qty]: [u8; 2]) -> BTreeMap<u64, Best> {
    let mut tickers = BTreeMap::new();
    for path in paths {
        let mut lines = LineFile::open(path).unwrap();
        while let Some(line) = lines.next_line().unwrap() {
            let value: Value = serde_json::from_slice(line.text).unwrap();
            let data = value.get("data").unwrap_or(&value);
            if data.get("B").is_some() {
                let side = |p, q| (units(&data[p], px.into()), units(&data[q], qty.into()));
                tickers.insert(data["u"].as_u64().unwrap(), [side("b", "B"), side("a", "A")]);
            }
        }
    }
    tickers
}

fn play(
    market: Market,
    names: &[&str],
    decimals: [u8; 2],
) -> Option<(Outcome, StreamFeed<Binance>)> {
    let paths: Vec<PathBuf> = names.iter().filter_map(|name| capture(name)).collect();
    if paths.len() < names.len() {
        return None;
    }
    let tickers = tickers(&paths, decimals);
    let [px_decimals, qty_decimals] = decimals;
    let symbol = StreamSymbol {
        venue_symbol: "BTCUSDT".into(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        px_decimals,
        qty_decimals,
    };
    let config = StreamConfig {
        feed: FeedId(1),
        symbols: vec![symbol],
        depth: 1_000,
        seed: 1,
        ws_url: None,
        rest_url: None,
    };
    let mut feed = StreamFeed::new(Binance::new(market), config).unwrap();
    let mut book: [BTreeMap<i64, i64>; 2] = Default::default();
    let mut outcome = Outcome::default();
    let mut seq = 0;
    let mut take = |event: Event, book: &mut [BTreeMap<i64, i64>; 2]| {
        assert_eq!(Event::from_words(&event.to_words()), Ok(event));
        assert!(event.seq <= seq + 1, "a hole in the events");
        seq = event.seq;
        match event.kind {
            Kind::Clear => *book = Default::default(),
            Kind::Level => {
                let side = &mut book[event.side.unwrap().index()];
                match event.qty.0 {
                    0 => side.remove(&event.px.0),
                    qty => side.insert(event.px.0, qty),
                };
                let [bids, asks] = &*book;
                let crossed = bids.keys().next_back() >= asks.keys().next() && !asks.is_empty();
                let done = event.flags.has(Flags::EVENT_COMPLETE);
                outcome.crossed += u64::from(done && crossed);
            }
            Kind::Integrity => outcome.beliefs.push(event.believed().unwrap().0),
            _ => {}
        }
    };
    feed.start(Ts(0), &mut |event| take(event, &mut book));
    for path in &paths {
        let mut lines = LineFile::open(path).unwrap();
        while let Some(line) = lines.next_line().unwrap() {
            let before = feed.counters().applied;
            feed.on_line(line.text, line.ts.unwrap(), &mut |event| take(event, &mut book));
            if feed.counters().applied == before {
                continue;
            }
            let value: Value = serde_json::from_slice(line.text).unwrap();
            let Some(u) = value["data"]["u"].as_u64() else { continue };
            if let Some((_, ticker)) = tickers.range(..=u).next_back() {
                let [bids, asks] = &book;
                let best = [bids.iter().next_back(), asks.iter().next()];
                let best = best.map(|level| level.map_or((0, 0), |(px, qty)| (*px, *qty)));
                outcome.compared += 1;
                if best != *ticker {
                    outcome.different.push(u);
                }
            }
        }
    }
    Some((outcome, feed))
}

/// Goal: two captured days of spot, one feed, are the venue's own book after every diff. Method: its best prices against the
/// ticker of the same stream with the latest update up to the diff's.
#[test]
fn spot() {
    let names = ["binance/spot-btcusdt-20240808.gz", "binance/spot-btcusdt-20240809.gz"];
    let Some((outcome, feed)) = play(Market::Spot, &names, [2, 6]) else { return };
    let counters = feed.counters();
    assert_eq!((counters.bad, counters.gaps, counters.slow), (0, 0, 0));
    assert_eq!(outcome.crossed, 0);
    assert!(outcome.compared > 6_000, "{}", outcome.compared);
    // Two tickers of the second day were overtaken within their diff by updates that no ticker tells.
    assert_eq!(outcome.different, [50_093_478_174, 50_093_480_542]);
    assert_eq!(feed.phase(Symbol::new("BTCUSDT").unwrap()), Some(Phase::Live));
    use Integrity::{Incomplete, Live, Recovering};
    assert_eq!(outcome.beliefs, [Incomplete, Recovering, Live]);
}

/// Goal: a captured day of futures is the venue's own book after every diff. Method: the same.
#[test]
fn usdm() {
    let names = ["binance/usdm-btcusdt-20240808.gz"];
    let Some((outcome, feed)) = play(Market::Usdm, &names, [2, 3]) else { return };
    let counters = feed.counters();
    assert_eq!((counters.bad, counters.gaps, counters.slow), (0, 0, 0));
    assert_eq!((outcome.crossed, outcome.different.as_slice()), (0, [].as_slice()));
    assert!(outcome.compared > 6_000, "{}", outcome.compared);
    assert_eq!(counters.trades, 21_313);
}
