use super::*;
use crate::crypto::dialect::Protocol;

fn subscribe(protocol: Protocol) -> String {
    let [name, _] = protocol.symbols();
    match protocol {
        Protocol::Bybit => format!("{{\"op\":\"subscribe\",\"args\":[\"orderbook.50.{name}\"]}}"),
        Protocol::Coinbase => format!(
            "{{\"type\":\"subscribe\",\"product_ids\":[\"{name}\"],\"channels\":[\"level2\",\"matches\",\"heartbeat\"]}}"
        ),
        Protocol::CoinbaseFull => format!(
            "{{\"type\":\"subscribe\",\"product_ids\":[\"{name}\"],\"channels\":[\"full\",\"heartbeat\"]}}"
        ),
        Protocol::Kraken => format!(
            "{{\"method\":\"subscribe\",\"params\":{{\"channel\":\"book\",\"symbol\":[\"{name}\"],\"depth\":10}}}}"
        ),
        Protocol::Okx => format!(
            "{{\"op\":\"subscribe\",\"args\":[{{\"channel\":\"books\",\"instId\":\"{name}\"}}]}}"
        ),
        _ => {
            let name = name.to_lowercase();
            format!(
                "{{\"method\":\"SUBSCRIBE\",\"params\":[\"{name}@depth@100ms\",\"{name}@bookTicker\",\"{name}@trade\"],\"id\":1}}"
            )
        }
    }
}

/// Everything that a client hears in a minute.
fn hear(config: CryptoConfig) -> (CryptoVenue, Vec<(Frame, Option<Tag>)>) {
    let (protocol, start) = (config.protocol, config.start);
    let mut venue = CryptoVenue::new(config);
    let mut heard = Vec::new();
    let mut session = venue.open(start);
    for tenth in 0..600 {
        let now = start + tenth * SECOND / 10;
        match session {
            Some(_) if tenth == 1 => venue.on_text(session.unwrap(), &subscribe(protocol), now),
            Some(_) => {}
            None => session = venue.open(now),
        }
        while let Some(frame) = session.and_then(|session| venue.poll(session, now)) {
            heard.push(frame);
        }
    }
    (venue, heard)
}

/// Goal: without faults a client hears JSON alone, of every version once and in order, each tagged; a heartbeat of WebSocket too.
/// Method: a minute of each protocol.
#[test]
fn a_clean_minute() {
    for protocol in Protocol::ALL {
        let (venue, heard) = hear(CryptoConfig::new(*protocol, 3));
        let mut version = 0;
        let mut books = 0;
        for (frame, tag) in &heard {
            let Frame::Text(text) = frame else { continue };
            serde_json::from_str::<serde_json::Value>(text).expect(text);
            assert_eq!(venue.tag_of(text.as_bytes()), *tag, "{text}");
            if let Some(tag) = tag {
                assert!(tag.version >= version, "{text}");
                (version, books) = (tag.version, books + 1);
            }
        }
        assert!(books > 100, "{protocol:?}: {books}");
        // What happens beyond the depth is not told.
        assert!(version + 30 >= venue.version(0));
        assert!(heard.iter().any(|(frame, _)| *frame == Frame::Ping));
        assert!(!heard.iter().any(|(frame, _)| *frame == Frame::Close));
        assert_eq!(venue.counters().spoilt, 0);
    }
}

/// Goal: the same seed gives the same frames, another gives others; faults happen, and are counted. Method: the same
/// minute again with faults.
#[test]
fn a_bad_minute() {
    for protocol in Protocol::ALL {
        let config = |seed| CryptoConfig {
            faults: CryptoFaults::all().with(Fault::RefuseOpen, 0).with(Fault::Oversize, 0),
            ..CryptoConfig::new(*protocol, seed)
        };
        let (venue, once) = hear(config(1));
        assert!(once == hear(config(1)).1, "{protocol:?}");
        assert!(once != hear(config(2)).1, "{protocol:?}");
        assert!(venue.counters().spoilt + venue.counters().cut > 0);
    }
}

/// Goal: the book at a number is the one that its message led to, and bodies carry that number. Method: Binance's
/// snapshot, whose levels are put beside the truth at its `lastUpdateId`.
#[test]
fn bodies() {
    let config = CryptoConfig::new(Protocol::BinanceSpot, 9);
    let start = config.start;
    let mut venue = CryptoVenue::new(config);
    for second in 1..30 {
        let answer = venue.get("/api/v3/depth?symbol=ETHUSDT&limit=5000", start + second * SECOND);
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let truth = venue.truth(1, body["lastUpdateId"].as_u64().unwrap(), usize::MAX).unwrap();
        assert_eq!(truth.bids.len(), body["bids"].as_array().unwrap().len());
        let best = truth.all().asks[0];
        let text = crate::crypto::text::fixed(best.0, 2, 8);
        assert_eq!(body["asks"][0][0], text.as_str());
    }
    for (path, status) in [
        ("/api/v3/depth?symbol=ETHUSDT&limit=5001", 400),
        ("/api/v3/depth?symbol=NOTHING", 400),
        ("/fapi/v1/depth?symbol=ETHUSDT", 400),
        ("/api/v3/depth?symbol=BTCUSDT", 200),
    ] {
        assert_eq!(venue.get(path, start + 40 * SECOND).status, status, "{path}");
    }
}

/// Goal: a client that never reads costs a bounded memory and is cut off. Method: a venue that floods, and nobody
/// polls; then whoever polls hears the end.
#[test]
fn a_slow_reader() {
    let faults = CryptoFaults::NONE.with(Fault::Flood, 1_000);
    let mut config = CryptoConfig { faults, ..CryptoConfig::new(Protocol::Okx, 9) };
    config.history_max = 256;
    config.listings.pop();
    let start = config.start;
    let mut venue = CryptoVenue::new(config);
    let session = venue.open(start).unwrap();
    venue.on_text(session, &subscribe(Protocol::Okx), start);
    venue.advance(start + 24 * SECOND);
    assert_eq!(venue.counters().cut, 1);
    assert_eq!(venue.poll(session, start + 24 * SECOND), Some((Frame::Close, None)));
    assert!(venue.levels(0, 1, 10).is_none() && venue.levels(0, venue.version(0), 10).is_some());
}
