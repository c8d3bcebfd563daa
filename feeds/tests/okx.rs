//! OKX against a capture from before its sequence ids, whose every book message has a checksum.

mod captured;
mod fold;

use captured::{capture, lines};
use feeds::okx::Okx;
use feeds::stream::{StreamConfig, StreamFeed, StreamSymbol};
use fold::Fold;
use model::{FeedId, Symbol, Ts};

fn feed() -> StreamFeed<Okx> {
    let symbol = |name: &str, px_decimals, qty_decimals| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals,
        qty_decimals,
    };
    let symbols = vec![
        symbol("BTC-USD-220527", 1, 0),
        symbol("UNI-USD-SWAP", 3, 0),
        symbol("BTC-USDT", 2, 8),
    ];
    let config = StreamConfig {
        feed: FeedId(0),
        symbols,
        depth: 400,
        seed: 1,
        ws_url: None,
        rest_url: None,
    };
    StreamFeed::new(Okx::new(&config), config).unwrap()
}

/// Goal: every checksum of a real day is that of our book. Method: the whole capture; what it holds is counted.
#[test]
fn whole_capture() {
    let Some(path) = capture("okx/OKX.ws.1.0.gz") else { return };
    let (mut feed, mut fold) = (feed(), Fold::default());
    feed.start(Ts(0), &mut |event| fold.apply(event));
    for (ts, text) in lines(&path) {
        feed.on_line(text.as_bytes(), Ts(ts), &mut |event| fold.apply(event));
        assert!(!fold.books.values().any(fold::Folded::is_crossed), "{text}");
    }
    let counters = feed.counters();
    assert_eq!((counters.bad, counters.mismatches, counters.slow), (0, 0, 0), "{counters:?}");
    assert_eq!((counters.snapshots, counters.applied), (3, 287));
    assert!(fold.books.values().all(fold::Folded::is_live));
    assert_eq!(fold.books[&3].sides.each_ref().map(std::collections::BTreeMap::len), [400, 400]);
    assert!(counters.trades > 0);
}

/// Goal: a lost message is noticed by the next checksum that its levels touch, and the book stays in doubt. Method: leave
/// one out.
#[test]
fn capture_with_a_hole() {
    let Some(path) = capture("okx/OKX.ws.1.0.gz") else { return };
    let (mut feed, mut fold) = (feed(), Fold::default());
    feed.start(Ts(0), &mut |event| fold.apply(event));
    let mut updates = 0;
    for (ts, text) in lines(&path) {
        updates += u32::from(text.contains("\"update\""));
        if updates != 40 {
            feed.on_line(text.as_bytes(), Ts(ts), &mut |event| fold.apply(event));
        }
    }
    assert_eq!(feed.counters().mismatches, 1);
    assert_eq!(fold.books.values().filter(|book| !book.is_live()).count(), 1);
}
