use model::{FeedId, Kind, Symbol};
use proptest::prelude::*;

use super::*;
use crate::stream::{StreamFeed, StreamSymbol};

fn venue() -> (Coinbase, Symbols) {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 1,
        qty_decimals: 4,
    };
    let symbols = vec![symbol("BTC-USD"), symbol("ETH-EUR")];
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth: 0, seed: 0, ws_url: None, rest_url: None };
    (Coinbase::new(&config), Symbols::new(config.symbols).unwrap())
}

fn parse(text: &str) -> (Result<Message, ParseError>, Parsed) {
    let ((mut venue, symbols), mut parsed) = (venue(), Parsed::default());
    (venue.parse(text.as_bytes(), &symbols, &mut parsed), parsed)
}

/// Goal: a connection is asked for a product's trades once, and a book that starts anew leaves them alone. Method: the texts.
#[test]
fn requests() {
    let ((mut venue, symbols), mut out) = (venue(), Vec::new());
    venue.opened();
    venue.subscribe(&symbols, &[0, 1], 0, &mut out);
    venue.unsubscribe(&symbols, &[1], 0, &mut out);
    venue.subscribe(&symbols, &[1], 0, &mut out);
    assert_eq!(
        out,
        [
            r#"{"type":"subscribe","product_ids":["BTC-USD","ETH-EUR"],"channels":["matches","heartbeat"]}"#,
            r#"{"type":"subscribe","product_ids":["BTC-USD","ETH-EUR"],"channels":["level2_batch"]}"#,
            r#"{"type":"unsubscribe","product_ids":["ETH-EUR"],"channels":["level2_batch"]}"#,
            r#"{"type":"subscribe","product_ids":["ETH-EUR"],"channels":["level2_batch"]}"#,
        ]
    );
}

/// Goal: a refusal leaves no product without trades: of it, of those that have sent nothing yet, and of all if it names none,
/// trades are asked for again, each with its own next book. Method: the texts after refusals.
#[test]
fn refusals() {
    let ((mut venue, symbols), mut parsed) = (venue(), Parsed::default());
    let heartbeat =
        r#"{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"ETH-EUR"}"#;
    let named = r#"{"type":"error","message":"x","reason":"BTC-USD is not a valid product"}"#;
    let unnamed = r#"{"type":"error","message":"x","reason":"too many requests"}"#;
    for (heard, refusal, asked_again) in [
        (true, None, [false, false]),
        (true, Some(named), [true, false]),
        (false, Some(named), [true, true]),
        (true, Some(unnamed), [true, true]),
    ] {
        venue.opened();
        venue.subscribe(&symbols, &[0, 1], 0, &mut Vec::new());
        for text in heard.then_some(heartbeat).into_iter().chain(refusal) {
            parsed.clear();
            venue.parse(text.as_bytes(), &symbols, &mut parsed).unwrap();
        }
        let mut asks = |symbol| {
            let mut out = Vec::new();
            venue.subscribe(&symbols, &[symbol], 0, &mut out);
            out.iter().any(|text| text.contains("\"matches\",\"heartbeat\""))
        };
        assert_eq!([0, 1].map(&mut asks), asked_again, "{heard} {refusal:?}");
        assert_eq!([0, 1].map(&mut asks), [false; 2], "asked already: {refusal:?}");
    }
}

/// Goal: every text is known for what it is. Method: one of each.
#[test]
fn kinds() {
    for (text, message) in [
        (r#"{"type":"subscriptions","channels":[]}"#, Message::Ack),
        (r#"{"type":"error","message":"x","reason":"y"}"#, Message::Refused { symbol: None }),
        (
            r#"{"type":"error","message":"x","reason":"BTC-USD is not a valid product"}"#,
            Message::Refused { symbol: Some(0) },
        ),
        (r#"{"type":"status","products":[]}"#, Message::Other),
        (
            r#"{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"ETH-EUR"}"#,
            Message::Heartbeat { symbol: Some(1), sequence: None },
        ),
        (
            r#"{"type":"ticker","product_id":"ETH-EUR","best_bid":"1.0","best_ask":"1.2","time":"2014-11-07T08:19:28Z"}"#,
            Message::Ticker,
        ),
        (r#"{"type":"l2update","product_id":"X","changes":[]}"#, Message::UnknownSymbol),
    ] {
        assert_eq!(parse(text).0, Ok(message), "{text}");
    }
    for text in [
        r#"{"type":"l2update","product_id":"ETH-EUR","changes":[["up","1.0","1.0"]]}"#,
        r#"{"type":"l2update","product_id":"ETH-EUR","changes":[["buy","1.01","1.0"]]}"#,
        r#"{"type":"l2update","product_id":"ETH-EUR"}"#,
        r#"{"type":"snapshot","product_id":"ETH-EUR","bids":[]}"#,
        r#"{"type":"match","product_id":"ETH-EUR","price":"1.0","size":"1.0"}"#,
        r#"{"type":"l2update","product_id":"ETH-EUR","changes":[["buy""#,
        r#"{"type":"match","trade_id":7,"side":"buy","product_id":"ETH-EUR""#,
    ] {
        assert_eq!(parse(text).0.unwrap_err().symbol, Some(1), "{text}");
    }
}

/// Goal: a whole book that the scanner refuses and the general parser finds too long puts that book in doubt, not all.
/// Method: one of more than 4 MiB with a price that is no whole number of units.
#[test]
fn too_long() {
    let mut text = r#"{"type":"snapshot","product_id":"ETH-EUR","asks":[["1.01","1.0"]"#.to_owned();
    while text.len() <= crate::json::tree::TREE_MAX {
        text.push_str(r#",["100.0","1.0000"]"#);
    }
    text.push_str(r#"],"bids":[]}"#);
    let error = parse(&text).0.unwrap_err();
    assert_eq!((error.error.cause, error.symbol), (crate::json::JsonCause::TooLong, Some(1)));
}

/// Goal: a hole in the trades means a new connection; repeats and `last_match` are no trades. Method: numbers in a row.
#[test]
fn proof_by_trades() {
    let ((mut venue, symbols), mut parsed) = (venue(), Parsed::default());
    let mut say = |venue: &mut Coinbase, kind: &str, id: u64| {
        let text = match kind {
            "heartbeat" => format!(
                "{{\"type\":\"heartbeat\",\"sequence\":1,\"last_trade_id\":{id},\"product_id\":\"BTC-USD\"}}"
            ),
            _ => format!(
                "{{\"type\":\"{kind}\",\"trade_id\":{id},\"side\":\"sell\",\"size\":\"1.0\",\"price\":\"2.0\",\
                 \"product_id\":\"BTC-USD\",\"time\":\"2014-11-07T08:19:28.464459Z\"}}"
            ),
        };
        parsed.clear();
        venue.parse(text.as_bytes(), &symbols, &mut parsed).unwrap()
    };
    let alive = Message::Heartbeat { symbol: Some(0), sequence: None };
    let lost = Message::Hole { symbol: None };
    assert_eq!(say(&mut venue, "heartbeat", 4), alive);
    assert_eq!(say(&mut venue, "last_match", 4), Message::Other);
    assert_eq!(say(&mut venue, "match", 5), Message::Trades);
    assert_eq!(say(&mut venue, "match", 5), Message::Other, "a repeat");
    assert_eq!(say(&mut venue, "heartbeat", 6), alive, "6 may be on its way");
    assert_eq!(say(&mut venue, "match", 6), Message::Trades);
    assert_eq!(say(&mut venue, "heartbeat", 7), alive);
    assert_eq!(say(&mut venue, "heartbeat", 7), lost, "7 is lost");
    let mut venue = self::venue().0;
    assert_eq!(say(&mut venue, "match", 9), Message::Trades);
    assert_eq!(say(&mut venue, "match", 11), lost, "10 is lost");
}

/// Goal: a product whose trades have holes on one connection after the other costs a new connection once; until a minute of
/// heartbeats has proved it, a hole puts its own book in doubt alone, once for each hole. Method: holes of both kinds.
#[test]
fn holes_of_one_product() {
    let ((mut venue, symbols), mut parsed) = (venue(), Parsed::default());
    let mut say = |venue: &mut Coinbase, kind: &str, id: u64| {
        let text = match kind {
            "heartbeat" => format!(
                "{{\"type\":\"heartbeat\",\"sequence\":1,\"last_trade_id\":{id},\"product_id\":\"ETH-EUR\"}}"
            ),
            _ => format!(
                "{{\"type\":\"match\",\"trade_id\":{id},\"side\":\"sell\",\"size\":\"1.0\",\"price\":\"2.0\",\
                 \"product_id\":\"ETH-EUR\",\"time\":\"2014-11-07T08:19:28.464459Z\"}}"
            ),
        };
        parsed.clear();
        venue.parse(text.as_bytes(), &symbols, &mut parsed).unwrap()
    };
    let alive = Message::Heartbeat { symbol: Some(1), sequence: None };
    let [lost, own] = [None, Some(1)].map(|symbol| Message::Hole { symbol });
    for round in 0..3 {
        venue.opened();
        assert_eq!(say(&mut venue, "match", 999), Message::Trades);
        assert_eq!(say(&mut venue, "heartbeat", 1_000), alive);
        let blamed = if round == 0 { lost } else { own };
        assert_eq!(say(&mut venue, "heartbeat", 1_000), blamed, "{round}");
    }
    assert_eq!(say(&mut venue, "heartbeat", 1_000), alive, "once for the hole");
    assert_eq!(say(&mut venue, "match", 1_001), Message::Trades);
    assert_eq!(say(&mut venue, "match", 1_003), own, "another");
    for _ in 0..PROOF {
        assert_eq!(say(&mut venue, "heartbeat", 1_003), alive);
    }
    assert_eq!(say(&mut venue, "match", 1_005), lost, "proved meanwhile");
}

/// Goal: the trade that shows a hole is told, before its book, or all, are doubted. Method: two holes of a product, the second
/// soon after; the events of each in order.
#[test]
fn trade_behind_a_hole() {
    let symbols = venue().1.iter().cloned().collect();
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth: 0, seed: 0, ws_url: None, rest_url: None };
    let mut feed = StreamFeed::new(Coinbase::new(&config), config).unwrap();
    feed.start(Ts(0), &mut |_| {});
    for (ids, number) in [([100, 102], 0), ([200, 202], 2)] {
        feed.on_open(Ts(1), &mut |_| {});
        let book = r#"{"type":"snapshot","product_id":"ETH-EUR","asks":[],"bids":[]}"#;
        feed.on_text(book.as_bytes(), Ts(1), &mut |_| {});
        let mut told = Vec::new();
        for id in ids {
            let text = format!(
                "{{\"type\":\"match\",\"trade_id\":{id},\"side\":\"sell\",\"size\":\"1.0\",\"price\":\"2.0\",\
                 \"product_id\":\"ETH-EUR\",\"time\":\"2014-11-07T08:19:28.464459Z\"}}"
            );
            feed.on_text(text.as_bytes(), Ts(1), &mut |event| {
                told.push((event.kind, event.number.0, event.aux));
            });
        }
        assert_eq!(told[..2], ids.map(|id| (Kind::Trade, 2, id)));
        assert_eq!((told[2].0, told[2].1, told.len()), (Kind::Integrity, number, 3));
    }
    assert_eq!((feed.counters().gaps, feed.counters().bad, feed.counters().trades), (2, 0, 4));
}

proptest! {
    /// Goal: scanner and general parser agree. Method: books and trades, as they are and behind a blank, which the scanner
    /// does not know.
    #[test]
    fn parsers_agree(
        levels in prop::collection::vec((0_u32..99_999, 0_u32..99_999, any::<bool>()), 1..30),
        kind in 0..3,
    ) {
        let (mut bids, mut asks, mut list) = (Vec::new(), Vec::new(), Vec::new());
        for (px, qty, buy) in levels {
            let (px, qty) = (format!("{}.{}", px / 10, px % 10), format!("0.{:04}0", qty % 10_000));
            if buy { &mut bids } else { &mut asks }.push(format!("[\"{px}\",\"{qty}\"]"));
            list.push(format!("[\"{}\",\"{px}\",\"{qty}\"]", if buy { "buy" } else { "sell" }));
        }
        let (bids, asks, list) = (bids.join(","), asks.join(","), list.join(","));
        let end = "\"product_id\":\"BTC-USD\",\"sequence\":5,\"time\":\"2014-11-07T08:19:28.464459Z\"}";
        let text = match kind {
            0 => format!("{{\"type\":\"snapshot\",\"product_id\":\"BTC-USD\",\"asks\":[{asks}],\"bids\":[{bids}]}}"),
            1 => format!(
                "{{\"type\":\"l2update\",\"product_id\":\"BTC-USD\",\"changes\":[{list}],\
                 \"time\":\"2014-11-07T08:19:28.464459Z\"}}"
            ),
            _ => format!(
                "{{\"type\":\"match\",\"trade_id\":7,\"maker_order_id\":\"a\",\"side\":\"buy\",\"size\":\"1.5\",\
                 \"price\":\"{}.5\",{end}",
                list.len()
            ),
        };
        let ((fast, scanned), (slow, read)) = (parse(&text), parse(&format!(" {text}")));
        let inexact = u64::from(fast.is_err());
        prop_assert_eq!(fast.map_err(|e| e.symbol), slow.map_err(|e| e.symbol));
        prop_assert_eq!((&scanned.bids, &scanned.asks, &scanned.trades), (&read.bids, &read.asks, &read.trades));
        prop_assert_eq!((scanned.slow, read.slow), (inexact, 1));
    }
}
