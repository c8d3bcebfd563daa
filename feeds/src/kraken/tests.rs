use model::{FeedId, Px, Side, Symbol};

use super::*;

fn venue(depth: u16) -> (Kraken, Symbols) {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 1,
        qty_decimals: 4,
    };
    let symbols = vec![symbol("BTC/USD"), symbol("ETH/USD")];
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth, seed: 0, ws_url: None, rest_url: None };
    (Kraken::new(&config), Symbols::new(config.symbols).unwrap())
}

fn parse(text: &str) -> (Result<Message, ParseError>, Parsed) {
    let ((mut venue, symbols), mut parsed) = (venue(10), Parsed::default());
    (venue.parse(text.as_bytes(), &symbols, &mut parsed), parsed)
}

/// Goal: requests name depth and symbols as the venue demands. Method: their texts.
#[test]
fn requests() {
    let (mut venue, symbols) = venue(11);
    let mut out = Vec::new();
    venue.subscribe(&symbols, &[0, 1], 11, &mut out);
    assert_eq!(
        out,
        [
            r#"{"method":"subscribe","params":{"channel":"instrument"}}"#,
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","ETH/USD"],"depth":25,"snapshot":true}}"#,
            r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","ETH/USD"],"snapshot":false}}"#,
        ]
    );
    out.clear();
    venue.unsubscribe(&symbols, &[1], 11, &mut out);
    let book =
        r#"{"method":"unsubscribe","params":{"channel":"book","symbol":["ETH/USD"],"depth":25}}"#;
    assert_eq!((out.len(), out[0].as_str()), (2, book));
    assert_eq!((requests::depth(0), requests::depth(10), requests::depth(5_000)), (10, 10, 1_000));
}

/// Goal: every text is known for what it is. Method: one of each.
#[test]
fn kinds() {
    for (text, message) in [
        (r#"{"channel":"heartbeat"}"#, Message::Heartbeat { symbol: None, sequence: None }),
        (r#"{"event":"heartbeat"}"#, Message::Heartbeat { symbol: None, sequence: None }),
        (r#"{"channel":"status","type":"update","data":[{"system":"online"}]}"#, Message::Other),
        (r#"{"method":"pong","req_id":1}"#, Message::Pong),
        (r#"{"method":"subscribe","result":{"symbol":"BTC/USD"},"success":true}"#, Message::Ack),
        (
            r#"{"error":"no","method":"subscribe","success":false,"symbol":"ETH/USD"}"#,
            Message::Refused { symbol: Some(1) },
        ),
        (
            r#"{"channel":"book","type":"update","data":[{"symbol":"X/Y","bids":[]}]}"#,
            Message::UnknownSymbol,
        ),
        (r#"[1,{"a":[["1.0","2.0","3.0"]],"c":"1"},"book-10","X/Y"]"#, Message::UnknownSymbol),
        (r#"[1,{"x":1},"ohlc-5","BTC/USD"]"#, Message::Other),
        (r#"{"channel":"trade","type":"snapshot","data":[{"symbol":"BTC/USD"}]}"#, Message::Other),
    ] {
        assert_eq!(parse(text).0, Ok(message), "{text}");
    }
}

/// Goal: what cannot be read exactly names its book. Method: floats, depths and levels that may not be.
#[test]
fn refused() {
    for (text, symbol) in [
        (
            r#"{"channel":"book","type":"update","data":[{"symbol":"ETH/USD","bids":[{"price":1e3,"qty":1}]}]}"#,
            Some(1),
        ),
        (
            r#"{"channel":"book","type":"update","data":[{"symbol":"ETH/USD","bids":[{"price":1.23,"qty":1}]}]}"#,
            Some(1),
        ),
        (
            r#"{"channel":"book","type":"update","data":[{"symbol":"ETH/USD","bids":[{"price":1.2,"qty":-1}]}]}"#,
            Some(1),
        ),
        (
            r#"{"channel":"book","type":"update","data":[{"symbol":"ETH/USD","checksum":4294967296}]}"#,
            Some(1),
        ),
        (
            r#"{"channel":"book","type":"update","data":[{"symbol":"ETH/USD"},{"symbol":"ETH/USD"}]}"#,
            Some(1),
        ),
        (r#"[1,{"a":[["1.0","2.0","3.0"]],"c":"1"},"book-25","BTC/USD"]"#, Some(0)),
        (r#"{"type":"update","channel":"book","data":[{"symbol":"ETH/USD"}]}"#, Some(1)),
        (
            r#"{"type":"update","channel":"trade","data":[{"symbol":"ETH/USD"},{"symbol":"BTC/USD"}]}"#,
            None,
        ),
        (
            concat!(
                r#"{"channel":"trade","type":"update","data":["#,
                r#"{"symbol":"ETH/USD","price":1.2,"qty":1},{"symbol":"BTC/USD","price":1.23,"qty":1}]}"#,
            ),
            Some(0),
        ),
        (
            r#"{"channel":"trade","type":"update","data":[{"symbol":"ETH/USD","price":1.2}]}"#,
            Some(1),
        ),
        (
            r#"{"channel":"trade","type":"update","data":[{"symbol":"ETH/USD","price":1.2,"qty":1},{}]}"#,
            None,
        ),
        (r#"{"channel":"book""#, None),
        ("", None),
    ] {
        assert_eq!(parse(text).0.unwrap_err().symbol, symbol, "{text}");
    }
}

/// Goal: trades of both dialects mean the same. Method: one each; the side is that of the order that rested.
#[test]
fn trades() {
    let v2 = concat!(
        r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","#,
        r#""price":5541.2,"qty":0.15,"trade_id":46,"timestamp":"1970-01-01T00:00:02.5Z"}]}"#,
    );
    let v1 = r#"[0,[["5541.20000","0.15000000","2.500000","s","l",""]],"trade","BTC/USD"]"#;
    for (text, id) in [(v2, 46), (v1, 0)] {
        let (message, parsed) = parse(text);
        assert_eq!(message, Ok(Message::Trades), "{text}");
        let (px, qty) = (Px(55_412), Qty(1_500));
        let ts_venue = Ts(2_500_000_000);
        let trade =
            crate::stream::Trade { symbol: 0, px, qty, id, resting: Some(Side::Buy), ts_venue };
        assert_eq!(parsed.trades, [trade]);
    }
}

/// Goal: the depth is cut by us, after the whole message, and the cut is told. Method: a level that pushes another off,
/// after one that is set and removed again.
#[test]
fn cut() {
    let ((mut venue, symbols), mut parsed) = (venue(10), Parsed::default());
    let levels: Vec<_> = (1..=10).map(|n| format!("[\"{n}.0\",\"1.0000\",\"1.0\"]")).collect();
    let text = format!("[1,{{\"as\":[],\"bs\":[{}]}},\"book-10\",\"BTC/USD\"]", levels.join(","));
    let mut play = |venue: &mut Kraken, text: &str| {
        parsed.clear();
        let Ok(Message::Book(head)) = venue.parse(text.as_bytes(), &symbols, &mut parsed) else {
            panic!("{text}");
        };
        (venue.apply(&head, &mut parsed), parsed.bids.as_slice().to_vec())
    };
    assert_eq!(play(&mut venue, &text).0, Ok(()));
    let text = r#"[1,{"b":[["12.0","1.0","1"],["11.0","1.0000","1"],["12.0","0.0","1"]],"c":"SUM"},"book-10","BTC/USD"]"#;
    let mut crc = flate2::Crc::new();
    (2..=11).rev().for_each(|n| crc.update(format!("{n}010000").as_bytes()));
    let (applied, bids) = play(&mut venue, &text.replace("SUM", &crc.sum().to_string()));
    assert_eq!(applied, Ok(()));
    let told: Vec<_> = bids.iter().map(|(px, qty)| (px.0, qty.0)).collect();
    assert_eq!(told, [(120, 10_000), (110, 10_000), (120, 0), (10, 0)]);
    assert_eq!(
        play(&mut venue, r#"[1,{"b":[["1.0","0.0000","1.0"]]},"book-10","BTC/USD"]"#).0,
        Err(Mismatch::Checksum)
    );
}

/// Goal: the list of instruments counts, unless the texts know better. Method: a list that is right, and one that is not.
#[test]
fn instruments() {
    let ((mut venue, symbols), mut parsed) = (venue(10), Parsed::default());
    for places in [1, 0] {
        let list = format!(
            "{{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{{\"assets\":[],\"pairs\":[\
             {{\"symbol\":\"X\"}},{{\"symbol\":\"BTC/USD\",\"price_precision\":{places},\"qty_precision\":4}}]}}}}"
        );
        assert_eq!(venue.parse(list.as_bytes(), &symbols, &mut parsed), Ok(Message::Other));
        assert_eq!(venue.books[0].told, Some([places, 4]));
        let mut crc = flate2::Crc::new();
        crc.update(b"1001020000");
        let text = format!(
            "{{\"channel\":\"book\",\"type\":\"snapshot\",\"data\":[{{\"symbol\":\"BTC/USD\",\"bids\":[\
             {{\"price\":1001.0,\"qty\":2.0000}}],\"asks\":[],\"checksum\":{}}}]}}",
            crc.sum()
        );
        parsed.clear();
        let Ok(Message::Book(head)) = venue.parse(text.as_bytes(), &symbols, &mut parsed) else {
            panic!("{text}");
        };
        assert_eq!(venue.apply(&head, &mut parsed), Ok(()), "{places}");
    }
}

/// Goal: a book is of the depth that was asked for, or none. Method: answers to subscriptions, each before a snapshot without a
/// level; and the same where a capture's depth is any that is on offer.
#[test]
fn granted() {
    let depth = |depth: &str| {
        format!(
            r#"{{"method":"subscribe","result":{{"channel":"book","depth":{depth},"symbol":"ETH/USD"}},"success":true}}"#
        )
    };
    let snapshot = r#"{"channel":"book","type":"snapshot","data":[{"symbol":"ETH/USD","bids":[],"asks":[],"checksum":0}]}"#;
    for (asked, told, is_right) in [
        (25, "25", true),
        (25, "10", false),
        (25, "\"25\"", false),
        (StreamConfig::AS_RECORDED, "25", true),
        (StreamConfig::AS_RECORDED, "10", true),
        (StreamConfig::AS_RECORDED, "11", false),
        (StreamConfig::AS_RECORDED, "null", false),
    ] {
        let ((mut venue, symbols), mut parsed) = (venue(asked), Parsed::default());
        let answer = venue.parse(depth(told).as_bytes(), &symbols, &mut parsed);
        let known = if is_right { Message::Ack } else { Message::Refused { symbol: Some(1) } };
        assert_eq!(answer, Ok(known), "{asked} {told}");
        let Ok(Message::Book(head)) = venue.parse(snapshot.as_bytes(), &symbols, &mut parsed)
        else {
            panic!("{asked} {told}");
        };
        let applied = if is_right { Ok(()) } else { Err(Mismatch::Checksum) };
        assert_eq!(venue.apply(&head, &mut parsed), applied, "{asked} {told}");
    }
}
