//! Bybit against a capture.
#![allow(missing_docs)]

mod captured;
mod fold;

use std::io::Read;

use captured::capture;
use feeds::bybit::{Bybit, Product};
use feeds::stream::{StreamConfig, StreamFeed, StreamSymbol};
use fold::Fold;
use model::{FeedId, Symbol, Ts};

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
