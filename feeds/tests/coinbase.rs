//! Coinbase Exchange against a capture.

mod captured;
mod fold;

use captured::{capture, lines};
use feeds::coinbase::Coinbase;
use feeds::stream::{StreamConfig, StreamFeed, StreamSymbol};
use fold::Fold;
use model::{FeedId, Symbol, Ts};

const PRODUCTS: [&str; 10] = [
    "SKL-USD", "SKL-BTC", "BAND-GBP", "NMR-EUR", "BAND-BTC", "YFI-BTC", "DASH-BTC", "NU-GBP",
    "CRV-EUR", "SKL-GBP",
];

fn feed() -> StreamFeed<Coinbase> {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 8,
        qty_decimals: 8,
    };
    let symbols = PRODUCTS.map(symbol).to_vec();
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth: 0, seed: 1, ws_url: None, rest_url: None };
    StreamFeed::new(Coinbase::new(&config), config).unwrap()
}

/// Goal: a real day decodes whole and never crosses, and its trades have no hole. Method: the whole capture; what it
/// holds is counted.
#[test]
fn whole_capture() {
    let Some(path) = capture("coinbase/COINBASE.ws.28.0.gz") else { return };
    let (mut feed, mut fold) = (feed(), Fold::default());
    let mut matches = 0;
    feed.start(Ts(0), &mut |event| fold.apply(event));
    for (ts, text) in lines(&path) {
        matches += u64::from(text.starts_with("{\"type\":\"match\""));
        feed.on_line(text.as_bytes(), Ts(ts), &mut |event| fold.apply(event));
        assert!(!fold.books.values().any(fold::Folded::is_crossed), "{text}");
    }
    let counters = feed.counters();
    assert_eq!((counters.bad, counters.slow, counters.closes), (0, 0, 0), "{counters:?}");
    assert_eq!((counters.snapshots, counters.applied, counters.early), (10, 9_719, 0));
    assert!(matches > 0 && counters.trades == matches);
    assert!(fold.books.values().all(fold::Folded::is_live));
}
