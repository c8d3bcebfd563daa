//! Kraken against a capture of v1 and the example of the v2 documentation.

mod captured;
mod fold;

use std::collections::BTreeMap;

use captured::{capture, lines};
use feeds::capture::Capture;
use feeds::kraken::Kraken;
use feeds::stream::{StreamConfig, StreamFeed, StreamSymbol};
use feeds::{Counters, FeedOptions, Next, Venue};
use fold::Fold;
use model::{FeedId, Symbol, Ts};

fn feed(symbols: Vec<StreamSymbol>, depth: u16) -> StreamFeed<Kraken> {
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth, seed: 1, ws_url: None, rest_url: None };
    StreamFeed::new(Kraken::new(&config), config).unwrap()
}

fn symbol(name: &str, px_decimals: u8, qty_decimals: u8) -> StreamSymbol {
    let symbol = Symbol::new(name).unwrap();
    StreamSymbol { venue_symbol: name.to_owned(), symbol, px_decimals, qty_decimals }
}

/// Decimals of price and quantity by the name of the pair, from the REST list of pairs.
fn listed() -> Option<BTreeMap<String, (u8, u8)>> {
    let path = capture("kraken/KRAKEN.0.gz")?;
    let text = std::fs::File::open(path).map(flate2::read::GzDecoder::new);
    let text = std::io::read_to_string(text.unwrap()).unwrap();
    let (_, body) = text.lines().next().unwrap().split_once(": ").unwrap();
    let list: serde_json::Value = serde_json::from_str(body).unwrap();
    let pairs = list["result"].as_object().unwrap().values();
    let decimals = |pair: &serde_json::Value, key| pair[key].as_u64().unwrap() as u8;
    let pair = |pair: &serde_json::Value| {
        let name = pair["wsname"].as_str()?.to_owned();
        Some((name, (decimals(pair, "pair_decimals"), decimals(pair, "lot_decimals"))))
    };
    Some(pairs.filter_map(pair).collect())
}

const PAIRS: [&str; 10] = [
    "WAVES/EUR",
    "XMR/USD",
    "KSM/XBT",
    "GRT/ETH",
    "SC/EUR",
    "ETH/CHF",
    "OCEAN/XBT",
    "OMG/USD",
    "XBT/CHF",
    "ADA/XBT",
];

/// Goal: every checksum of a real day is that of our book, with the decimals that the venue lists and with more than it ever
/// sends. Method: the whole capture; what it holds is counted.
#[test]
fn v1_capture() {
    let (Some(path), Some(listed)) = (capture("kraken/KRAKEN.ws.50.0.gz"), listed()) else {
        return;
    };
    let lines = lines(&path);
    for more in [false, true] {
        // XBT/CHF has a level at 9,999,999,997: more than 8 decimals would not fit.
        let decimals = |name: &str| if more { (8, 9) } else { listed[name] };
        let symbols = PAIRS.map(|name| symbol(name, decimals(name).0, decimals(name).1));
        let mut feed = feed(symbols.to_vec(), 1_000);
        let mut fold = Fold::default();
        feed.start(Ts(lines[0].0), &mut |event| fold.apply(event));
        for (ts, text) in &lines {
            feed.on_line(text.as_bytes(), Ts(*ts), &mut |event| fold.apply(event));
            assert!(!fold.books.values().any(fold::Folded::is_crossed), "{text}");
        }
        let counters = feed.counters();
        assert_eq!((counters.bad, counters.mismatches, counters.gaps), (0, 0, 0), "{counters:?}");
        assert_eq!((counters.snapshots, counters.applied, counters.closes), (10, 4_269, 0));
        assert!(fold.books.values().all(fold::Folded::is_live));
        assert_eq!(fold.jumps, 0);
    }
}

/// Goal: a wrong book is not live for one message more. Method: change one level of the capture, and see the checksum fail.
#[test]
fn v1_capture_spoilt() {
    let Some(path) = capture("kraken/KRAKEN.ws.50.0.gz") else { return };
    let mut feed = feed(PAIRS.map(|name| symbol(name, 8, 8)).to_vec(), 1_000);
    let mut fold = Fold::default();
    let mut seen = 0;
    feed.start(Ts(0), &mut |event| fold.apply(event));
    for (ts, text) in lines(&path) {
        let is_update = text.contains("\"b\":[[\"354.15000000\",\"5.00000000\"");
        let text = if is_update { text.replace("\"5.0000", "\"5.0001") } else { text };
        feed.on_line(text.as_bytes(), Ts(ts), &mut |event| fold.apply(event));
        seen += u32::from(is_update);
        if is_update {
            assert!(!fold.books[&2].is_live());
        }
    }
    assert!(seen > 0 && feed.counters().mismatches == 1);
    assert!(!fold.books[&2].is_live(), "nothing but a snapshot heals it");
    assert_eq!(fold.books.values().filter(|book| book.is_live()).count(), 9);
}

/// Goal: the documentation's vector. Method: its snapshot, with the decimals that it shows and with more.
#[test]
fn v2_document() {
    let Some(path) = capture("kraken/kraken_v2_btcusd_doc_example.json") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    for (px_decimals, qty_decimals) in [(1, 8), (4, 10)] {
        let mut feed = feed(vec![symbol("BTC/USD", px_decimals, qty_decimals)], 10);
        let mut fold = Fold::default();
        feed.start(Ts(1), &mut |event| fold.apply(event));
        let spoilt = text.trim().replace("3310070434", "3310070435");
        feed.on_line(spoilt.as_bytes(), Ts(2), &mut |event| fold.apply(event));
        assert_eq!(feed.counters().mismatches, 1);
        assert!(!fold.books[&1].is_live() && fold.books[&1].levels == 0);
        feed.on_line(text.trim().as_bytes(), Ts(3), &mut |event| fold.apply(event));
        assert!(fold.books[&1].is_live(), "{:?}", feed.counters());
        assert_eq!(fold.books[&1].sides.each_ref().map(BTreeMap::len), [10, 10]);
    }
}

/// Prices of bids, best first.
type Bids = Vec<u64>;

/// The checksum of bids of one each, with a decimal and none.
fn checksum(bids: &[u64]) -> u32 {
    let mut crc = flate2::Crc::new();
    bids.iter().take(10).for_each(|px| crc.update(format!("{px}01").as_bytes()));
    crc.sum()
}

/// A book message of either dialect: bids of one each, and of nothing.
fn message(
    is_v2: bool,
    depth: usize,
    kind: &str,
    (set, gone): (&[u64], &[u64]),
    sum: u32,
) -> String {
    let level = |px: &u64, qty: u8| match is_v2 {
        true => format!("{{\"price\":{px}.0,\"qty\":{qty}}}"),
        false => format!("[\"{px}.0\",\"{qty}\",\"1.0\"]"),
    };
    let (set, gone) = (set.iter().map(|px| level(px, 1)), gone.iter().map(|px| level(px, 0)));
    let bids = set.chain(gone).collect::<Vec<_>>().join(",");
    match (is_v2, kind) {
        (true, _) => format!(
            "{{\"channel\":\"book\",\"type\":\"{kind}\",\"data\":[{{\"symbol\":\"BTC/USD\",\"bids\":[{bids}],\
             \"asks\":[],\"checksum\":{sum}}}]}}"
        ),
        (false, "snapshot") => {
            format!("[1,{{\"as\":[],\"bs\":[{bids}]}},\"book-{depth}\",\"BTC/USD\"]")
        }
        _ => format!("[1,{{\"b\":[{bids}],\"c\":\"{sum}\"}},\"book-{depth}\",\"BTC/USD\"]"),
    }
}

/// A capture of a book of so many bids: one comes on top and pushes the last off, then two go and one comes back below.
fn recorded(is_v2: bool, depth: usize) -> (Vec<String>, Bids) {
    let answer = format!(
        "{{\"method\":\"subscribe\",\"result\":{{\"channel\":\"book\",\"depth\":{depth},\"snapshot\":true,\
         \"symbol\":\"BTC/USD\"}},\"success\":true}}"
    );
    let mut bids: Bids = (0..depth as u64).map(|place| 900 - place).collect();
    let mut texts = if is_v2 { vec![answer] } else { Vec::new() };
    texts.push(message(is_v2, depth, "snapshot", (&bids, &[]), checksum(&bids)));
    bids.insert(0, 901);
    let last = bids.pop().unwrap();
    texts.push(message(is_v2, depth, "update", (&[901], &[]), checksum(&bids)));
    let gone: Bids = bids.drain(1..3).collect();
    bids.push(last - 7);
    texts.push(message(is_v2, depth, "update", (&[last - 7], &gone), checksum(&bids)));
    (texts, bids)
}

fn play(texts: &[String]) -> (Fold, Counters) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture");
    let lines = (1..).zip(texts).map(|(second, text)| format!("{second}.0: {text}\n"));
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    let symbols = [symbol("BTC/USD", 1, 0)];
    let mut capture =
        Capture::open(Venue::Kraken, &[path], FeedOptions::default(), &symbols).unwrap();
    let mut fold = Fold::default();
    while let Next::Event(event) = capture.next().unwrap() {
        fold.apply(event);
    }
    (fold, capture.counters())
}

/// Goal: the books of a capture are as deep as whoever recorded it asked for. Method: captures of both dialects in which a level
/// falls off without a word, at depths on offer.
#[test]
fn recorded_depths() {
    for (is_v2, depth) in [(true, 10), (true, 25), (false, 10), (false, 25)] {
        let (texts, bids) = recorded(is_v2, depth);
        let (fold, counters) = play(&texts);
        let book = &fold.books[&1];
        let held: Bids = book.sides[0].keys().rev().map(|px| *px as u64 / 10).collect();
        assert_eq!((counters.bad, counters.gaps), (0, 0), "{is_v2} {depth}");
        assert!(book.is_live(), "{is_v2} {depth} {:?}", book.cause);
        assert_eq!(held, bids, "{is_v2} {depth}");
    }
}

/// Goal: what a capture's books lack is counted, and what is of nobody's symbol. Method: a message of two left out, and one of
/// another symbol.
#[test]
fn recorded_losses() {
    let (mut texts, _) = recorded(true, 10);
    texts.remove(2);
    texts.push(texts[1].replace("BTC/USD", "X/USD"));
    let (fold, counters) = play(&texts);
    assert!(!fold.books[&1].is_live());
    assert_eq!((counters.gaps, counters.unlisted, counters.bad), (1, 1, 0));
}
