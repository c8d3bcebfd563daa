use model::{FeedId, Symbol};
use proptest::prelude::*;

use super::*;
use crate::stream::StreamConfig;

fn symbols() -> Symbols {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 2,
        qty_decimals: 5,
    };
    Symbols::new(vec![symbol("BTCUSDT"), symbol("ETHUSDT")]).unwrap()
}

fn parse(text: &str) -> (Result<Message, ParseError>, Parsed) {
    let mut parsed = Parsed::default();
    let message = Binance::new(Market::Spot).parse(text.as_bytes(), &symbols(), &mut parsed);
    (message, parsed)
}

fn head(first: u64, last: u64, prev: Option<u64>) -> BookHead {
    let (kind, ts_venue) = (BookKind::Delta, Ts(0));
    BookHead { symbol: 0, kind, first, last, prev, checksum: None, ts_venue }
}

/// Goal: both rules of sequence, at their edges. Method: diffs around a snapshot at 100, and around a diff that ended there.
#[test]
fn sequences() {
    use Judgement::{Gap, Next, Old};
    let at = |bridged| Position { last: 100, bridged };
    for (first, last, snapshot, bridged) in [
        (90, 99, Old, Gap),
        (90, 100, Old, Old),
        (90, 101, Next, Next),
        (101, 105, Next, Next),
        (102, 105, Gap, Gap),
    ] {
        assert_eq!(judge_spot(&head(first, last, None), at(false)), snapshot, "{first} {last}");
        assert_eq!(judge_spot(&head(first, last, None), at(true)), bridged, "{first} {last}");
    }
    for (first, last, prev, snapshot, bridged) in [
        (90, 99, 89, Old, Gap),
        (90, 99, 100, Old, Gap),
        (90, 100, 89, Next, Old),
        (100, 105, 99, Next, Gap),
        (101, 105, 100, Gap, Next),
        (103, 109, 100, Gap, Next),
        (103, 109, 102, Gap, Gap),
    ] {
        let head = head(first, last, Some(prev));
        assert_eq!(judge_futures(&head, at(false)), snapshot, "{first} {last}");
        assert_eq!(judge_futures(&head, at(true)), bridged, "{first} {last}");
    }
}

/// Goal: what the venue says beside markets is understood. Method: one text of each kind.
#[test]
fn other_texts() {
    for (text, message) in [
        (r#"{"result":null,"id":1}"#, Message::Ack),
        (r#"{"error":{"code":2,"msg":"x"},"id":1}"#, Message::Refused { symbol: None }),
        (r#"{"stream":"!x","data":{"e":"serverShutdown","E":1}}"#, Message::Reset),
        (r#"{"e":"kline","s":"BTCUSDT"}"#, Message::Other),
        (r#"{"e":"trade","E":1,"s":"DOGEUSDT","t":1}"#, Message::UnknownSymbol),
    ] {
        assert_eq!(parse(text).0, Ok(message), "{text}");
    }
    assert_eq!(parse("{").0.unwrap_err().symbol, None);
    for text in [
        r#"{"stream":"ethusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"ETHUSDT","U":1"#,
        r#"{"e":"trade","E":1,"s":"ETHUSDT","t":1"#,
        r#"{"u":1,"s":"ETHUSDT","b":"1.0"#,
    ] {
        assert_eq!(parse(text).0.unwrap_err().symbol, Some(1), "{text}");
    }
    let mut venue = Binance::new(Market::Spot);
    venue.subscribe(&symbols(), &[0, 1], 10, &mut Vec::new());
    let ping = venue.ping(Ts(0)).unwrap();
    assert_eq!(ping, r#"{"method":"LIST_SUBSCRIPTIONS","id":2}"#);
    for (answer, message) in [
        (r#"{"result":["a","b","c","d"],"id":2}"#, Message::Pong),
        (r#"{"result":["a","b","c"],"id":2}"#, Message::Reset),
        (r#"{"error":{"code":3,"msg":"x"},"id":2}"#, Message::Pong),
        (r#"{"result":null,"id":1}"#, Message::Ack),
    ] {
        let read = venue.parse(answer.as_bytes(), &symbols(), &mut Parsed::default());
        assert_eq!(read, Ok(message), "{answer}");
    }
    let (cut, _) = parse(r#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":2,"u":1,"b":[],"a":[]}"#);
    assert_eq!(cut.map_err(|error| error.symbol), Err(Some(0)), "it ends before it begins");
}

/// Goal: a connection opens with at most four requests that the venue takes, and every stream is in one of them. Method: as many
/// symbols as it takes, with the longest names of the venue.
#[test]
fn few_requests() {
    let symbol = |place| StreamSymbol {
        venue_symbol: format!("{place:0>20}"),
        symbol: Symbol::new(&format!("S{place}")).unwrap(),
        px_decimals: 2,
        qty_decimals: 5,
    };
    for market in [Market::Spot, Market::Usdm, Market::Coinm] {
        let mut venue = Binance::new(market);
        let count = venue.rules().symbols_max;
        let symbols = Symbols::new((0..count).map(symbol).collect()).unwrap();
        let all: Vec<u16> = (0..count).collect();
        let mut texts = Vec::new();
        venue.subscribe(&symbols, &all, 10, &mut texts);
        assert!(count >= 200 && texts.len() <= 4, "{}", texts.len());
        assert!(texts.iter().all(|text| text.len() <= 4_088));
        let mut streams = std::collections::BTreeSet::new();
        for text in &texts {
            let request: serde_json::Value = serde_json::from_str(text).unwrap();
            let params = request["params"].as_array().unwrap();
            streams.extend(params.iter().map(|stream| stream.as_str().unwrap().to_owned()));
        }
        assert_eq!((streams.len(), venue.check.streams), (2 * all.len(), 2 * all.len()));
    }
}

/// Goal: a subscription that was lost is noticed while others talk. Method: a trade each second; the question comes, and an
/// answer that names too few streams ends the connection.
#[test]
fn lost_subscription() {
    let config = StreamConfig {
        feed: FeedId(0),
        symbols: symbols().iter().cloned().collect(),
        depth: 10,
        seed: 1,
        ws_url: None,
        rest_url: None,
    };
    let mut feed = crate::stream::StreamFeed::new(Binance::new(Market::Spot), config).unwrap();
    feed.start(Ts(0), &mut |_| {});
    feed.on_open(Ts(0), &mut |_| {});
    let text = r#"{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.00","q":"1.00000","T":1,"m":true,"M":true}"#;
    let mut asked = 0;
    for second in 1..=60 {
        let now = Ts(second * SECOND);
        feed.on_text(text.as_bytes(), now, &mut |_| {});
        feed.on_time(now, &mut |_| {});
        while let Some(action) = feed.next_action() {
            asked += u32::from(format!("{action:?}").contains("LIST_SUBSCRIPTIONS"));
        }
    }
    assert_eq!(asked, 3);
    let answer = r#"{"result":["btcusdt@depth@100ms","btcusdt@trade"],"id":4}"#;
    feed.on_text(answer.as_bytes(), Ts(60 * SECOND), &mut |_| {});
    assert_eq!(feed.next_action(), Some(crate::stream::Action::Close));
}

/// Goal: snapshots are asked for with a limit on offer, never smaller than wanted; streams of every symbol are subscribed to.
/// Method: urls and texts of each market.
#[test]
fn requests() {
    let symbols = symbols();
    let btc = symbols.get(0).unwrap();
    for (market, depth, url) in [
        (Market::Spot, 600, "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000"),
        (Market::Spot, 9_000, "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5000"),
        (Market::Usdm, 9_000, "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000"),
        (Market::Coinm, 1, "https://dapi.binance.com/dapi/v1/depth?symbol=BTCUSDT&limit=100"),
    ] {
        assert_eq!(Binance::new(market).snapshot_url(None, btc, depth), url);
    }
    let mut texts = Vec::new();
    Binance::new(Market::Spot).subscribe(&symbols, &[0, 1], 10, &mut texts);
    let streams = ["btcusdt@depth@100ms", "btcusdt@trade", "ethusdt@depth@100ms", "ethusdt@trade"];
    let streams = streams.map(|stream| format!("\"{stream}\"")).join(",");
    assert_eq!(texts, [format!(r#"{{"method":"SUBSCRIBE","params":[{streams}],"id":1}}"#)]);
    let config = StreamConfig {
        feed: FeedId(0),
        symbols: symbols.iter().cloned().collect(),
        depth: 10,
        seed: 1,
        ws_url: None,
        rest_url: None,
    };
    assert!(crate::stream::StreamFeed::new(Binance::new(Market::Usdm), config).is_ok());
}

proptest! {
    /// Goal: the scanner reads what the tree reads. Method: texts of each kind and market, and the same with a blank in front,
    /// which only the tree takes; numbers with more places than are kept make both refuse.
    #[test]
    fn scanner_and_tree_agree(
        levels in prop::collection::vec((0_u32..99_999, 0_u32..99_999, any::<bool>()), 0..30),
        kind in 0..3, futures in any::<bool>(), wrapped in any::<bool>(), maker in any::<bool>(),
        ids in (0_u32..9, 0_u32..9), exact in prop::bool::weighted(0.9),
    ) {
        let (mut bids, mut asks) = (Vec::new(), Vec::new());
        for (px, qty, buy) in levels {
            let level = format!("[\"{px}.{:02}000000\",\"0.{qty:05}000\"]", qty % 100);
            if buy { &mut bids } else { &mut asks }.push(level);
        }
        let (bids, asks) = (bids.join(","), asks.join(","));
        let (first, last) = ids;
        let px = if exact { "61837.63000000" } else { "61837.63100000" };
        let sent = "\"E\":1723161255343";
        let made = "\"T\":1723161255342";
        let levels = format!(r#""b":[{bids}],"a":[{asks}]"#);
        let order = format!(r#""t":3735,"p":"{px}","q":"0.02000""#);
        let best = format!(r#""u":500,"s":"BTCUSDT","b":"{px}","B":"3.78","a":"61837.64","A":"1.5""#);
        let data = match (kind, futures) {
            (0, false) => format!(
                r#""e":"depthUpdate",{sent},"s":"BTCUSDT","U":{first},"u":{last},{levels}"#
            ),
            (0, true) => format!(
                r#""e":"depthUpdate",{sent},{made},"s":"BTCUSDT","ps":"X","U":{first},"u":{last},"pu":7,{levels}"#
            ),
            (1, false) => format!(
                r#""e":"trade",{sent},"s":"BTCUSDT",{order},{made},"m":{maker},"M":true"#
            ),
            (1, true) => format!(
                r#""e":"trade",{sent},{made},"s":"ETHUSDT",{order},"X":"MARKET","m":{maker}"#
            ),
            (_, false) => best,
            (_, true) => format!(r#""e":"bookTicker",{best},{made},{sent}"#),
        };
        let data = format!("{{{data}}}");
        let text = if wrapped { format!(r#"{{"stream":"btcusdt@x","data":{data}}}"#) } else { data };
        let ((fast, scanned), (slow, read)) = (parse(&text), parse(&format!(" {text}")));
        let refused = u64::from(fast.is_err());
        prop_assert_eq!(fast.map_err(|e| e.symbol), slow.map_err(|e| e.symbol));
        prop_assert_eq!((&scanned.bids, &scanned.asks, &scanned.trades), (&read.bids, &read.asks, &read.trades));
        prop_assert_eq!((scanned.slow, read.slow), (refused, 1));
        if refused == 0 {
            prop_assert_eq!(scanned.ticker, read.ticker);
        }
    }
}
