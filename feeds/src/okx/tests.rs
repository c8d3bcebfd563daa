use model::{FeedId, Symbol};
use proptest::prelude::*;

use super::*;

fn venue() -> (Okx, Symbols) {
    let symbol = |name: &str| crate::stream::StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 1,
        qty_decimals: 4,
    };
    let symbols = vec![symbol("BTC-USDT"), symbol("ETH-USD-SWAP")];
    let config =
        StreamConfig { feed: FeedId(0), symbols, depth: 0, seed: 0, ws_url: None, rest_url: None };
    (Okx::new(&config), Symbols::new(config.symbols).unwrap())
}

fn parse(text: &str) -> (Result<Message, ParseError>, Parsed) {
    let ((mut venue, symbols), mut parsed) = (venue(), Parsed::default());
    (venue.parse(text.as_bytes(), &symbols, &mut parsed), parsed)
}

/// Goal: requests name channels and symbols as the venue demands. Method: their texts.
#[test]
fn requests() {
    let ((mut venue, symbols), mut out) = (venue(), Vec::new());
    venue.subscribe(&symbols, &[1], 0, &mut out);
    venue.unsubscribe(&symbols, &[1], 0, &mut out);
    let args = r#"[{"channel":"books","instId":"ETH-USD-SWAP"},{"channel":"trades","instId":"ETH-USD-SWAP"}]"#;
    let request = |op| format!("{{\"op\":\"{op}\",\"args\":{args}}}");
    assert_eq!(out, [request("subscribe"), request("unsubscribe")]);
    assert_eq!(venue.ping(Ts(0)).as_deref(), Some("ping"));
}

/// Goal: every text is known for what it is. Method: one of each.
#[test]
fn kinds() {
    for (text, message) in [
        ("pong", Message::Pong),
        (r#"{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"}}"#, Message::Ack),
        (r#"{"event":"notice","code":"64008","msg":"upgrade"}"#, Message::Reset),
        (r#"{"event":"notice","code":"1","msg":"x"}"#, Message::Other),
        (r#"{"event":"error","code":"60012","msg":"x"}"#, Message::Refused { symbol: None }),
        (
            r#"{"event":"error","code":"60018","msg":"channel:books,instId:ETH-USD-SWAP doesn't exist"}"#,
            Message::Refused { symbol: Some(1) },
        ),
        (r#"{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[]}"#, Message::Other),
        (
            r#"{"arg":{"channel":"books","instId":"X"},"action":"update","data":[]}"#,
            Message::UnknownSymbol,
        ),
    ] {
        assert_eq!(parse(text).0, Ok(message), "{text}");
    }
}

fn text(snapshot: bool, ids: &str) -> String {
    let action = if snapshot { "snapshot" } else { "update" };
    format!(
        "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"ETH-USD-SWAP\"}},\"action\":\"{action}\",\"data\":[\
         {{\"asks\":[],\"bids\":[],\"ts\":\"5\"{ids}}}]}}"
    )
}

/// Goal: a message that proves nothing of itself, or cannot be, is refused and names its book. Method: ids and checksums.
#[test]
fn proofs() {
    for (snapshot, ids, good) in [
        (true, "", true),
        (true, r#","checksum":0,"prevSeqId":-1,"seqId":7"#, true),
        (false, "", false),
        (false, r#","checksum":0"#, false),
        (false, r#","checksum":-5"#, true),
        (false, r#","seqId":7"#, false),
        (false, r#","prevSeqId":6"#, false),
        (false, r#","prevSeqId":-1,"seqId":7"#, false),
        (false, r#","prevSeqId":6,"seqId":7"#, true),
        (false, r#","prevSeqId":6,"seqId":7,"checksum":2147483648"#, false),
    ] {
        let read = parse(&text(snapshot, ids)).0;
        match read {
            Ok(Message::Book(head)) => assert!(good && head.symbol == 1, "{ids}"),
            error => assert!(!good && error.unwrap_err().symbol == Some(1), "{ids}"),
        }
    }
}

/// Goal: a text that breaks off names its book all the same. Method: one of each channel.
#[test]
fn broken_off() {
    for text in [
        r#"{"arg":{"channel":"books","instId":"ETH-USD-SWAP"},"action":"update","data":[{"#,
        r#"{"arg":{"channel":"trades","instId":"ETH-USD-SWAP"},"data":[{"px":"1"#,
    ] {
        assert_eq!(parse(text).0.unwrap_err().symbol, Some(1), "{text}");
    }
    assert_eq!(parse("{\"arg\":").0.unwrap_err().symbol, None);
}

/// Goal: the chain. Method: a book at 10 and each relation of ids to it.
#[test]
fn chain() {
    let (venue, _) = venue();
    let position = Position { last: 10, bridged: true };
    for (prev, seq, judgement) in [
        (10, 17, Judgement::Next),
        (10, 10, Judgement::Next),
        (10, 3, Judgement::Next),
        (8, 10, Judgement::Old),
        (8, 9, Judgement::Gap),
        (11, 12, Judgement::Gap),
        (3, 5, Judgement::Gap),
    ] {
        let Ok(Message::Book(head)) =
            parse(&text(false, &format!(",\"prevSeqId\":{prev},\"seqId\":{seq}"))).0
        else {
            panic!("{prev} {seq}");
        };
        assert_eq!(venue.judge(&head, position), judgement, "{prev} {seq}");
    }
}

/// Goal: an update without ids never passes unchecked. Method: behind a snapshot without a checksum, and behind one
/// with, by which it is known.
#[test]
fn without_ids() {
    let ((mut venue, symbols), mut parsed) = (venue(), Parsed::default());
    for (snapshot, update, applied) in [
        (r#","seqId":5,"checksum":0"#, r#","checksum":1"#, Err(Mismatch::Checksum)),
        (r#","seqId":5,"checksum":0"#, r#","prevSeqId":5,"seqId":6,"checksum":1"#, Ok(())),
        (r#","seqId":5"#, r#","checksum":-5"#, Err(Mismatch::Checksum)),
    ] {
        let mut play = |is_snapshot, ids| {
            parsed.clear();
            let text = text(is_snapshot, ids);
            let Ok(Message::Book(head)) = venue.parse(text.as_bytes(), &symbols, &mut parsed)
            else {
                panic!("{text}");
            };
            venue.apply(&head, &mut parsed)
        };
        assert_eq!((play(true, snapshot), play(false, update)), (Ok(()), applied), "{update}");
    }
}

proptest! {
    /// Goal: scanner and general parser agree. Method: books and trades, as they are and behind a blank, which the scanner
    /// does not know.
    #[test]
    fn parsers_agree(
        levels in prop::collection::vec((0_u32..99_999, 0_u32..99_999, any::<bool>()), 0..30),
        snapshot in any::<bool>(), ids in any::<(i16, u16, i32)>(), trades in any::<bool>(),
    ) {
        let (mut bids, mut asks, mut list) = (Vec::new(), Vec::new(), Vec::new());
        for (px, qty, buy) in levels {
            let (px, qty) = (format!("{}.{}", px / 10, px % 10), format!("0.{:04}0", qty % 10_000));
            if buy { &mut bids } else { &mut asks }.push(format!("[\"{px}\",\"{qty}\",\"0\",\"3\"]"));
            list.push(format!(
                "{{\"instId\":\"BTC-USDT\",\"tradeId\":\"{}\",\"px\":\"{px}\",\"sz\":\"{qty}\",\"side\":\"{}\",\
                 \"ts\":\"1630048897897\",\"count\":\"3\"}}",
                list.len(), if buy { "buy" } else { "sell" }
            ));
        }
        let (bids, asks, list) = (bids.join(","), asks.join(","), list.join(","));
        let action = if snapshot { "snapshot" } else { "update" };
        let text = if trades {
            format!("{{\"arg\":{{\"channel\":\"trades\",\"instId\":\"BTC-USDT\"}},\"data\":[{list}]}}")
        } else {
            format!(
                "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"BTC-USDT\"}},\"action\":\"{action}\",\"data\":[{{\
                 \"asks\":[{asks}],\"bids\":[{bids}],\"ts\":\"1630048897897\",\"checksum\":{},\"prevSeqId\":{},\
                 \"seqId\":{}}}]}}",
                ids.2, ids.0, ids.1
            )
        };
        let ((fast, scanned), (slow, read)) = (parse(&text), parse(&format!(" {text}")));
        let inexact = u64::from(fast.is_err());
        prop_assert_eq!(fast.map_err(|e| e.symbol), slow.map_err(|e| e.symbol));
        prop_assert_eq!((&scanned.bids, &scanned.asks, &scanned.trades), (&read.bids, &read.asks, &read.trades));
        prop_assert_eq!((scanned.slow, read.slow), (inexact, 1));
    }
}
