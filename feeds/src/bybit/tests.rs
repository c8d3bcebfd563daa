use model::{FeedId, Symbol};
use proptest::prelude::*;

use super::*;
use crate::stream::{Action, ConfigError, Phase, StreamFeed};

fn venue(depth: u16) -> (Bybit, Symbols) {
    let symbol = |name: &str| crate::stream::StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 1,
        qty_decimals: 4,
    };
    let symbols = vec![symbol("BTCUSDT"), symbol("BTC-27MAR26")];
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth, seed: 0, ws_url: None, rest_url: None };
    (Bybit::new(&config, Product::Spot), Symbols::new(config.symbols).unwrap())
}

fn parse(text: &str) -> (Result<Message, ParseError>, Parsed) {
    let ((mut venue, symbols), mut parsed) = (venue(50), Parsed::default());
    (venue.parse(text.as_bytes(), &symbols, &mut parsed), parsed)
}

/// Goal: requests name depth and symbols as the venue demands. Method: their texts, for more symbols than one may name.
#[test]
fn requests() {
    let ((mut venue, symbols), mut out) = (venue(51), Vec::new());
    venue.subscribe(&symbols, &[1, 0, 1, 0, 1, 0], 51, &mut out);
    let first =
        r#"{"op":"subscribe","args":["orderbook.200.BTC-27MAR26","publicTrade.BTC-27MAR26","#;
    assert!(out.len() == 2 && out[0].starts_with(first), "{out:?}");
    assert_eq!(
        out[1],
        r#"{"op":"subscribe","args":["orderbook.200.BTCUSDT","publicTrade.BTCUSDT"]}"#
    );
    assert_eq!(venue.ws_url(None, &symbols), "wss://stream.bybit.com/v5/public/spot");
}

fn config(count: usize) -> StreamConfig {
    let symbol = |place| crate::stream::StreamSymbol {
        venue_symbol: format!("S{place}"),
        symbol: Symbol::new(&format!("S{place}")).unwrap(),
        px_decimals: 1,
        qty_decimals: 1,
    };
    let symbols = (0..count).map(symbol).collect();
    StreamConfig { feed: FeedId(0), symbols, depth: 1, seed: 0, ws_url: None, rest_url: None }
}

fn feed(count: usize) -> StreamFeed<Bybit> {
    let config = config(count);
    let mut feed = StreamFeed::new(Bybit::new(&config, Product::Linear), config).unwrap();
    feed.start(Ts(0), &mut |_| {});
    feed.on_open(Ts(0), &mut |_| {});
    feed
}

/// Goal: the venue hears a ping each 20 s, however much it says itself. Method: a text each second of a minute.
#[test]
fn pings() {
    let mut feed = feed(1);
    let mut pings = Vec::new();
    for second in 1..=60 {
        let now = Ts(second * SECOND);
        feed.on_text(br#"{"topic":"tickers.X","data":{}}"#, now, &mut |_| {});
        feed.on_time(now, &mut |_| {});
        while let Some(action) = feed.next_action() {
            if action == (Action::Send { text: r#"{"op":"ping"}"#.to_owned() }) {
                pings.push(second);
            }
        }
    }
    assert_eq!(pings, [20, 40, 60]);
}

/// Goal: more symbols than the venue takes are refused at the start. Method: as many, and one more.
#[test]
fn too_many() {
    let new = |count| {
        let config = config(count);
        StreamFeed::new(Bybit::new(&config, Product::Linear), config).map(|_| ())
    };
    assert_eq!(new(400), Ok(()));
    assert_eq!(new(401), Err(ConfigError::TooManyForVenue { got: 401, most: 400 }));
}

/// Goal: a text that puts every book in doubt costs a few books their subscriptions, and many the connection. Method: both.
#[test]
fn doubt_of_all() {
    for (count, closes) in [(4, 0), (5, 1)] {
        let mut feed = feed(count);
        feed.on_text(b"{", Ts(1), &mut |_| {});
        assert_eq!((feed.counters().bad, feed.counters().closes), (1, closes), "{count}");
        let actions: Vec<_> = std::iter::from_fn(|| feed.next_action()).collect();
        assert_eq!(actions.contains(&Action::Close), closes == 1, "{actions:?}");
    }
}

/// Goal: a refusal that names a symbol is of no account to the others; one that names none puts in doubt what was asked for of
/// late, and nothing else. Method: a live book, refused soon and late.
#[test]
fn refusals() {
    for (words, at, phase) in [
        ("topic:orderbook.1.S1", 2, Phase::Live),
        ("too many requests", 2, Phase::Resync),
        ("too many requests", 40, Phase::Live),
    ] {
        let mut feed = feed(2);
        let snapshot =
            r#"{"topic":"orderbook.1.S0","type":"snapshot","data":{"b":[],"a":[],"u":5}}"#;
        feed.on_text(snapshot.as_bytes(), Ts(1), &mut |_| {});
        let refusal = format!(r#"{{"success":false,"ret_msg":"{words}","op":"subscribe"}}"#);
        feed.on_text(refusal.as_bytes(), Ts(at * SECOND), &mut |_| {});
        assert_eq!(feed.phase(Symbol::new("S0").unwrap()), Some(phase), "{words} {at}");
        assert_eq!(feed.phase(Symbol::new("S1").unwrap()), Some(Phase::Resync), "{words} {at}");
    }
}

/// Goal: every text is known for what it is. Method: one of each.
#[test]
fn kinds() {
    for (text, message) in [
        (r#"{"success":true,"ret_msg":"pong","conn_id":"a","op":"ping"}"#, Message::Pong),
        (r#"{"args":["1"],"op":"pong"}"#, Message::Pong),
        (r#"{"success":true,"ret_msg":"","op":"subscribe"}"#, Message::Ack),
        (
            r#"{"success":false,"ret_msg":"error:handler not found","op":"subscribe"}"#,
            Message::Refused { symbol: None },
        ),
        (
            r#"{"success":false,"ret_msg":"topic:orderbook.50.BTCUSDT","op":"subscribe"}"#,
            Message::Refused { symbol: Some(0) },
        ),
        (r#"{"topic":"tickers.BTCUSDT","type":"delta","data":{}}"#, Message::Other),
        (r#"{"topic":"orderbook.50.X","type":"delta","data":{}}"#, Message::UnknownSymbol),
    ] {
        assert_eq!(parse(text).0, Ok(message), "{text}");
    }
    for text in [
        r#"{"topic":"orderbook.50.BTC-27MAR26","type":"delta","data":{"b":[],"a":[]}}"#,
        r#"{"topic":"orderbook.50.BTC-27MAR26","type":"other","data":{"b":[],"a":[],"u":5}}"#,
        r#"{"topic":"orderbook.50.BTC-27MAR26","type":"delta","data":{"b":[["x","1"]],"a":[],"u":5}}"#,
    ] {
        assert_eq!(parse(text).0.unwrap_err().symbol, Some(1), "{text}");
        let cut = &text[..text.len() - 1];
        assert_eq!(parse(cut).0.unwrap_err().symbol, Some(1), "{cut}");
    }
}

/// Goal: as many trades as the venue puts into one message are read, by both parsers. Method: 1,024 of them, for the scanner
/// and behind a blank.
#[test]
fn trades_of_a_message() {
    let trade = r#"{"T":1,"s":"BTCUSDT","S":"Buy","v":"1","p":"1.5","i":"2"}"#;
    let list = vec![trade; 1_024].join(",");
    let text =
        format!(r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{list}]}}"#);
    for text in [text.clone(), format!(" {text}")] {
        let (message, parsed) = parse(&text);
        assert_eq!((message, parsed.trades.len()), (Ok(Message::Trades), 1_024));
    }
}

/// Goal: the chain, and number 1. Method: a book at 10 and each number beside it.
#[test]
fn chain() {
    let (venue, _) = venue(50);
    for (u, kind, judgement) in [
        (11, BookKind::Delta, Judgement::Next),
        (10, BookKind::Delta, Judgement::Old),
        (12, BookKind::Delta, Judgement::Gap),
        (9, BookKind::Delta, Judgement::Gap),
        (2, BookKind::Delta, Judgement::Gap),
        (1, BookKind::Snapshot, Judgement::Gap),
    ] {
        let text = format!(
            "{{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"delta\",\"ts\":2,\"data\":{{\"s\":\"BTCUSDT\",\"b\":[],\
             \"a\":[],\"u\":{u},\"seq\":9}},\"cts\":1}}"
        );
        let Ok(Message::Book(head)) = parse(&text).0 else { panic!("{text}") };
        assert_eq!((head.kind, head.ts_venue), (kind, Ts(1_000_000)));
        let position = Position { last: 10, bridged: true };
        assert_eq!(venue.judge(&head, position), judgement, "{u}");
    }
}

proptest! {
    /// Goal: scanner and general parser agree. Method: books and trades, as they are and behind a blank, which the scanner
    /// does not know.
    #[test]
    fn parsers_agree(
        levels in prop::collection::vec((0_u32..99_999, 0_u32..99_999, any::<bool>()), 0..30),
        snapshot in any::<bool>(), u in any::<u16>(), trades in any::<bool>(),
    ) {
        let (mut bids, mut asks, mut list) = (Vec::new(), Vec::new(), Vec::new());
        for (px, qty, buy) in levels {
            let (px, qty) = (format!("{}.{}", px / 10, px % 10), format!("0.{:04}0", qty % 10_000));
            if buy { &mut bids } else { &mut asks }.push(format!("[\"{px}\",\"{qty}\"]"));
            list.push(format!(
                "{{\"T\":1672304486865,\"s\":\"BTCUSDT\",\"S\":\"{}\",\"v\":\"{qty}\",\"p\":\"{px}\",\"L\":\"PlusTick\",\
                 \"i\":\"{}\",\"BT\":false,\"seq\":1783284617}}",
                if buy { "Buy" } else { "Sell" }, if buy { "20f43950-d8dd" } else { "229" },
            ));
        }
        let (bids, asks, list) = (bids.join(","), asks.join(","), list.join(","));
        let kind = if snapshot { "snapshot" } else { "delta" };
        let text = if trades {
            format!("{{\"topic\":\"publicTrade.BTCUSDT\",\"type\":\"snapshot\",\"ts\":1,\"data\":[{list}]}}")
        } else {
            format!(
                "{{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"{kind}\",\"ts\":1672304486868,\"data\":{{\
                 \"s\":\"BTCUSDT\",\"b\":[{bids}],\"a\":[{asks}],\"u\":{u},\"seq\":7}},\"cts\":1672304486865}}"
            )
        };
        let ((fast, scanned), (slow, read)) = (parse(&text), parse(&format!(" {text}")));
        let inexact = u64::from(fast.is_err());
        prop_assert_eq!(fast.map_err(|e| e.symbol), slow.map_err(|e| e.symbol));
        prop_assert_eq!((&scanned.bids, &scanned.asks, &scanned.trades), (&read.bids, &read.asks, &read.trades));
        prop_assert_eq!((scanned.slow, read.slow), (inexact, 1));
    }
}
