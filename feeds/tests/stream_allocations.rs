//! The texts that come all day cost no allocation, whichever venue sends them.

use std::alloc::System;

use feeds::binance::{Binance, Market};
use feeds::bybit::{Bybit, Product};
use feeds::coinbase::{Coinbase, CoinbaseFull};
use feeds::kraken::Kraken;
use feeds::okx::Okx;
use feeds::stream::{Action, Phase, StreamConfig, StreamFeed, StreamSymbol, Venue};
use host::{Counting, allocations};
use model::{FeedId, Symbol, Ts};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting(System);

/// Feeds a snapshot, then the updates over and over; what they took from the heap after the first round.
fn play<V: Venue>(
    name: &str,
    venue: impl Fn(&StreamConfig) -> V,
    snapshot: &str,
    updates: &[Vec<String>],
) -> (u64, u64) {
    let symbol = Symbol::new(name).unwrap();
    let venue_symbol = name.to_owned();
    let symbols = vec![StreamSymbol { venue_symbol, symbol, px_decimals: 1, qty_decimals: 4 }];
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth: 10, seed: 1, ws_url: None, rest_url: None };
    let mut feed = StreamFeed::new(venue(&config), config).unwrap();
    feed.start(Ts(1), &mut |_| {});
    feed.on_open(Ts(1), &mut |_| {});
    feed.on_text(snapshot.as_bytes(), Ts(2), &mut |_| {});
    measure(&mut feed, updates)
}

/// The same with a snapshot that is asked for once an update waits.
fn play_asked<V: Venue>(
    name: &str,
    venue: impl Fn(&StreamConfig) -> V,
    snapshot: &str,
    waiting: &str,
    updates: &[Vec<String>],
) -> (u64, u64) {
    let symbol = Symbol::new(name).unwrap();
    let venue_symbol = name.to_owned();
    let symbols = vec![StreamSymbol { venue_symbol, symbol, px_decimals: 1, qty_decimals: 4 }];
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth: 10, seed: 1, ws_url: None, rest_url: None };
    let mut feed = StreamFeed::new(venue(&config), config).unwrap();
    feed.start(Ts(1), &mut |_| {});
    feed.on_open(Ts(1), &mut |_| {});
    feed.on_text(waiting.as_bytes(), Ts(2), &mut |_| {});
    let actions = std::iter::from_fn(|| feed.next_action());
    let request = actions.filter_map(|action| match action {
        Action::Get { request, .. } => Some(request),
        _ => None,
    });
    let request = request.last().unwrap();
    feed.on_response(request, Ok(snapshot.as_bytes()), Ts(2), &mut |_| {});
    assert_eq!(feed.phase(symbol), Some(Phase::Live));
    let (taken, seen) = measure(&mut feed, updates);
    (taken, seen - 1)
}

/// Plays the updates; what they took from the heap after the first round, and how many were of use.
fn measure<V: Venue>(feed: &mut StreamFeed<V>, updates: &[Vec<String>]) -> (u64, u64) {
    let mut said = 0_u64;
    let mut before = 0;
    for (round, texts) in updates.iter().enumerate() {
        if round == 1 {
            before = allocations();
        }
        for text in texts {
            feed.on_text(text.as_bytes(), Ts(round as u64 + 3), &mut |event| said += event.seq);
        }
    }
    let taken = allocations() - before;
    let counters = feed.counters();
    assert!(said > 0 && counters.bad + counters.slow + counters.mismatches + counters.gaps == 0);
    (taken, counters.applied + counters.trades)
}

fn crc(text: &str) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

const ROUNDS: u64 = 200;

/// Goal: no allocation after the first of a kind. Method: a book message and a trade of each venue, many times, counted.
#[test]
fn none_per_text() {
    let level = |price: u64| format!("{{\"price\":100.{price},\"qty\":2.0000}}");
    let book = |kind: &str, bid: u64, asks: &str, sum: String| {
        format!(
            "{{\"channel\":\"book\",\"type\":\"{kind}\",\"data\":[{{\"symbol\":\"BTC/USD\",\"bids\":[{}],\"asks\":[{asks}],\
             \"checksum\":{},\"timestamp\":\"2024-01-01T00:00:00.5Z\"}}]}}",
            level(bid),
            crc(&sum)
        )
    };
    let trade = "{\"channel\":\"trade\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\",\"side\":\"sell\",\
                 \"price\":5.1,\"qty\":4.0,\"trade_id\":4,\"timestamp\":\"2024-01-01T00:00:00.5Z\"}]}";
    let ask = "100920000";
    let snapshot = book("snapshot", 1, &level(9), format!("{ask}100120000"));
    let update = book("update", 1, "", format!("{ask}100120000"));
    let texts = vec![vec![update, trade.to_owned()]; ROUNDS as usize];
    assert_eq!(play("BTC/USD", Kraken::new, &snapshot, &texts), (0, 2 * ROUNDS));

    let book = |kind: &str, prev: i64, seq: u64| {
        format!(
            "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"BTC-USDT\"}},\"action\":\"{kind}\",\"data\":[{{\"asks\":[[\
             \"100.9\",\"2\",\"0\",\"1\"]],\"bids\":[[\"100.1\",\"2\",\"0\",\"1\"]],\"ts\":\"1700000000000\",\
             \"checksum\":{},\"prevSeqId\":{prev},\"seqId\":{seq}}}]}}",
            crc("100.1:2:100.9:2").cast_signed()
        )
    };
    let trade = "{\"arg\":{\"channel\":\"trades\",\"instId\":\"BTC-USDT\"},\"data\":[{\"instId\":\"BTC-USDT\",\
                 \"tradeId\":\"1\",\"px\":\"1.5\",\"sz\":\"2\",\"side\":\"buy\",\"ts\":\"1700000000000\"}]}";
    let texts: Vec<_> = (1..=ROUNDS)
        .map(|seq| vec![book("update", seq as i64 - 1, seq), trade.to_owned()])
        .collect();
    assert_eq!(play("BTC-USDT", Okx::new, &book("snapshot", -1, 0), &texts), (0, 2 * ROUNDS));

    let book = |kind: &str, u: u64| {
        format!(
            "{{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"{kind}\",\"ts\":2,\"data\":{{\"s\":\"BTCUSDT\",\"b\":[[\
             \"100.1\",\"2\"]],\"a\":[[\"100.9\",\"2\"]],\"u\":{u},\"seq\":1}},\"cts\":1}}"
        )
    };
    let trade = "{\"topic\":\"publicTrade.BTCUSDT\",\"type\":\"snapshot\",\"ts\":1,\"data\":[{\"T\":1,\"s\":\
                 \"BTCUSDT\",\"S\":\"Buy\",\"v\":\"1\",\"p\":\"1.5\",\"i\":\"2\",\"BT\":false}]}";
    let texts: Vec<_> =
        (1..=ROUNDS).map(|n| vec![book("delta", n + 10), trade.to_owned()]).collect();
    let venue = |config: &StreamConfig| Bybit::new(config, Product::Linear);
    assert_eq!(play("BTCUSDT", venue, &book("snapshot", 10), &texts), (0, 2 * ROUNDS));

    let snapshot = "{\"type\":\"snapshot\",\"product_id\":\"BTC-USD\",\"asks\":[[\"100.9\",\"2\"]],\"bids\":[]}";
    let update = "{\"type\":\"l2update\",\"product_id\":\"BTC-USD\",\"changes\":[[\"buy\",\"100.1\",\"1.0\"]],\
                  \"time\":\"2024-01-01T00:00:00.5Z\"}";
    let trade = |id: u64| {
        format!(
            "{{\"type\":\"match\",\"trade_id\":{id},\"side\":\"buy\",\"size\":\"1\",\"price\":\"1.5\",\"product_id\":\
             \"BTC-USD\",\"time\":\"2024-01-01T00:00:00.5Z\"}}"
        )
    };
    let texts: Vec<_> = (1..=ROUNDS).map(|id| vec![update.to_owned(), trade(id)]).collect();
    assert_eq!(play("BTC-USD", Coinbase::new, snapshot, &texts), (0, 2 * ROUNDS));

    for market in [Market::Spot, Market::Usdm] {
        let book = |last: u64| {
            format!(
                "{{\"stream\":\"btcusdt@depth\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"BTCUSDT\",\
                 \"U\":{last},\"u\":{last},\"pu\":{},\"b\":[[\"100.1\",\"2\"]],\"a\":[[\"100.9\",\"2\"]]}}}}",
                last - 1
            )
        };
        let trade = "{\"e\":\"trade\",\"E\":1,\"T\":1,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1.5\",\"q\":\"2\",\
                     \"X\":\"MARKET\",\"m\":true}";
        let ticker =
            "{\"u\":1,\"s\":\"BTCUSDT\",\"b\":\"1.5\",\"B\":\"2\",\"a\":\"1.6\",\"A\":\"2\"}";
        let snapshot = "{\"lastUpdateId\":10,\"bids\":[[\"100.1\",\"1\"]],\"asks\":[]}";
        let first = if market == Market::Spot { 11 } else { 10 };
        let texts: Vec<_> = (1..=ROUNDS)
            .map(|n| vec![book(first + n), trade.to_owned(), ticker.to_owned()])
            .collect();
        let venue = |_: &StreamConfig| Binance::new(market);
        let seen = play_asked("BTCUSDT", venue, snapshot, &book(first), &texts);
        assert_eq!(seen, (0, 2 * ROUNDS));
    }
}

/// Goal: the same where every order is told. Method: the whole life of an order, many times, counted.
#[test]
fn none_per_order() {
    let text = |kind: &str, sequence: u64, rest: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"product_id\":\"BTC-USD\",\"sequence\":{sequence},\"time\":\"2024-01-01T00:00:00.5Z\",\
             {rest}}}"
        )
    };
    let life = |round: u64| {
        let id = format!("\"order_id\":\"{round:08x}-0000-4000-8000-0123456789ab\"");
        let of = |step: u64| 10 + 5 * (round - 1) + step;
        vec![
            text("received", of(1), &id),
            text(
                "open",
                of(2),
                &format!("{id},\"side\":\"buy\",\"price\":\"1.5\",\"remaining_size\":\"2\""),
            ),
            text("change", of(3), &format!("{id},\"new_size\":\"1.5\"")),
            text(
                "match",
                of(4),
                &format!(
                    "\"trade_id\":{round},\"maker_{},\"price\":\"1.5\",\"size\":\"1\"",
                    &id[1..]
                ),
            ),
            text("done", of(5), &id),
        ]
    };
    let snapshot = "{\"bids\":[],\"asks\":[],\"sequence\":9}";
    let waiting = text("received", 10, "\"order_id\":\"ffffffff-0000-4000-8000-0123456789ab\"");
    let texts: Vec<_> = (1..=ROUNDS).map(life).collect();
    let venue = |config: &StreamConfig| CoinbaseFull::with_room(config, 1_000);
    // Five messages a round, and one trade.
    let seen = play_asked("BTC-USD", venue, snapshot, &waiting, &texts);
    assert_eq!(seen, (0, 6 * ROUNDS));
}
