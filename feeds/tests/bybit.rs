//! Bybit against a capture.

mod captured;
mod fold;

use std::io::Read;

use captured::capture;
use feeds::bybit::{Bybit, Product};
use feeds::stream::{Action, SECOND, StreamConfig, StreamFeed, StreamSymbol};
use fold::Fold;
use model::{Event, FeedId, Flags, Kind, Symbol, Ts};
use proptest::prelude::*;

fn feed() -> StreamFeed<Bybit> {
    let symbols = vec![StreamSymbol {
        venue_symbol: "XRPUSDT".to_owned(),
        symbol: Symbol::new("XRPUSDT").unwrap(),
        px_decimals: 4,
        qty_decimals: 0,
    }];
    let config = StreamConfig {
        feed: FeedId(0),
        symbols,
        depth: 500,
        seed: 1,
        ws_url: None,
        rest_url: None,
    };
    StreamFeed::new(Bybit::new(&config, Product::Linear), config).unwrap()
}

fn texts() -> Option<Vec<String>> {
    let path = capture("bybit/xrpusdt-ob500.data.zip")?;
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

/// Goal: a real chain is unbroken and whole. Method: the whole capture; what it holds is counted.
#[test]
fn whole_capture() {
    let Some(texts) = texts() else { return };
    let (mut feed, mut fold) = (feed(), Fold::default());
    feed.start(Ts(1), &mut |event| fold.apply(event));
    for (ts, text) in (2..).zip(&texts) {
        feed.on_line(text.as_bytes(), Ts(ts), &mut |event| fold.apply(event));
        let book = &fold.books[&1];
        assert!(book.is_live() && !book.is_crossed());
        assert_eq!(book.sides.each_ref().map(std::collections::BTreeMap::len), [500, 500]);
    }
    let counters = feed.counters();
    assert_eq!((counters.snapshots, counters.applied, counters.gaps), (1, 49, 0), "{counters:?}");
    assert_eq!((counters.bad, counters.slow), (0, 0));
    assert_eq!(fold.books[&1].levels, 1_000 + 2_966);
}

/// Goal: a lost message breaks the chain at once. Method: leave each out in turn.
#[test]
fn holes() {
    let Some(texts) = texts() else { return };
    for hole in 1..texts.len() - 1 {
        let (mut feed, mut fold) = (feed(), Fold::default());
        feed.start(Ts(1), &mut |event| fold.apply(event));
        for (place, text) in texts.iter().enumerate().filter(|(place, _)| *place != hole) {
            feed.on_line(text.as_bytes(), Ts(place as u64 + 2), &mut |event| fold.apply(event));
            assert_eq!(fold.books[&1].is_live(), place < hole);
        }
        assert_eq!(feed.counters().gaps, 1);
    }
}

/// A level in units, if there is one.
type Level = Option<(i64, i64)>;

fn level() -> impl Strategy<Value = Level> {
    prop::option::weighted(0.9, (0..5_i64, 1..3_i64))
}

fn top(u: u64, bid: Level, ask: Level) -> String {
    let side = |level: Level| {
        level.map_or(String::new(), |(px, qty)| format!("[\"0.000{px}\",\"{qty}\"]"))
    };
    let (bid, ask) = (side(bid), side(ask));
    format!(
        "{{\"topic\":\"orderbook.1.XRPUSDT\",\"type\":\"snapshot\",\"ts\":2,\"data\":{{\"s\":\"XRPUSDT\",\"b\":[{bid}],\
         \"a\":[{ask}],\"u\":{u},\"seq\":1}},\"cts\":1}}"
    )
}

proptest! {
    /// Goal: a book that comes whole each time stays live and is told as what changes. Method: any best levels in turn, some of
    /// them twice, some behind a restart of the service; the naive book against each.
    #[test]
    fn depth_of_one(steps in prop::collection::vec((level(), level(), any::<bool>(), 0..9), 1..40)) {
        let (mut feed, mut fold) = (feed(), Fold::default());
        feed.start(Ts(1), &mut |event| fold.apply(event));
        feed.on_open(Ts(1), &mut |event| fold.apply(event));
        let mut u = 7;
        for (place, (bid, ask, is_twice, restart)) in steps.into_iter().enumerate() {
            u = if restart == 0 { 1 } else { u + 1 };
            for is_again in [false, true].into_iter().take(1 + usize::from(is_twice)) {
                let mut told: Vec<Event> = Vec::new();
                let text = top(u, bid, ask.map(|(px, qty)| (px + 5, qty)));
                feed.on_text(text.as_bytes(), Ts(2), &mut |event| told.push(event));
                told.iter().for_each(|event| fold.apply(*event));
                let [bids, asks] = &fold.books[&1].sides;
                prop_assert!(bids.iter().eq(bid.iter().map(|(px, qty)| (px, qty))));
                prop_assert!(asks.iter().map(|(px, qty)| (px - 5, *qty)).eq(ask));
                prop_assert!(fold.books[&1].is_live() && fold.books[&1].snapshots == 1);
                let is_change = |event: &Event| event.kind == Kind::Level && event.flags == Flags::NONE;
                let changes = told.iter().filter(|event| event.kind == Kind::Level).count();
                prop_assert!(changes <= 4 * usize::from(!is_again));
                if place > 0 || is_again {
                    prop_assert!(told.iter().rev().skip(1).all(is_change), "{:?}", told);
                    prop_assert!(told.iter().all(|event| !event.flags.has(Flags::SNAPSHOT)));
                }
            }
        }
        prop_assert_eq!((feed.counters().gaps, feed.counters().bad), (0, 0));
    }
}

/// Goal: a book at depth 1 that was right for a minute starts anew at once. Method: a text each second, then one that cannot be
/// read; a book of more levels in mid-stream starts over.
#[test]
fn depth_of_one_is_proven() {
    let mut feed = feed();
    feed.start(Ts(1), &mut |_| {});
    feed.on_open(Ts(1), &mut |_| {});
    for second in 1..=61 {
        let text = top(second, Some((1, second as i64)), None);
        feed.on_text(text.as_bytes(), Ts(second * SECOND), &mut |_| {});
    }
    while feed.next_action().is_some() {}
    let broken = "{\"topic\":\"orderbook.1.XRPUSDT\",\"type\":";
    feed.on_text(broken.as_bytes(), Ts(62 * SECOND), &mut |_| {});
    assert!(matches!(feed.next_action(), Some(Action::Send { .. })), "without a pause");

    let texts = [top(9, Some((1, 1)), None), top(10, Some((2, 1)), None)];
    let more = top(11, Some((1, 1)), None).replace("]],", "],[\"0.0002\",\"1\"]],");
    for text in texts.iter().chain([&more]) {
        feed.on_text(text.as_bytes(), Ts(63 * SECOND), &mut |_| {});
    }
    assert_eq!(feed.counters().snapshots, 1 + 1 + 1);
}
