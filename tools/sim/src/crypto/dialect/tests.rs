use super::*;
use program::eprintln;

use crate::crypto::venue::Listing;

fn listing(name: &str, px_decimals: u8, qty_decimals: u8) -> Listing {
    Listing { name: name.to_owned(), px_decimals, qty_decimals }
}

/// Goal: Kraken's checksum is that of its guide. Method: the example of v1, whose book is regular but for one bid that is
/// not there: prices five units apart, five hundred units each.
#[test]
fn kraken_checksum() {
    let asks = (0..10).map(|place| (5_005 + 5 * place, 500)).collect();
    let bids = (0..11).map(|place| (5_000 - 5 * place, 500)).filter(|(px, _)| *px != 4_985);
    let levels = Levels { asks, bids: bids.collect() };
    assert_eq!(kraken::checksum(&listing("XBT/USD", 5, 8), &levels), 974_947_235);
}

/// Goal: the checksums that venues have sent are those that are sent here. Method: captures, if they are there: the
/// example of Kraken's v2 guide.
#[test]
fn kraken_checksum_of_capture() {
    let root = std::env::var_os("TICKGATE_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(root.join("kraken/kraken_v2_btcusd_doc_example.json"))
    else {
        eprintln!("SKIPPED: no capture of Kraken; set TICKGATE_DATA");
        return;
    };
    let units = |value: &serde_json::Value, decimals: i32| {
        (value.as_f64().unwrap() * 10_f64.powi(decimals)).round() as u64
    };
    let text: serde_json::Value = serde_json::from_str(&text).unwrap();
    let book = &text["data"][0];
    let side = |name: &str| {
        let level =
            |level: &serde_json::Value| (units(&level["price"], 1), units(&level["qty"], 8));
        book[name].as_array().unwrap().iter().map(level).collect()
    };
    let levels = Levels { bids: side("bids"), asks: side("asks") };
    let sum = kraken::checksum(&listing("BTC/USD", 1, 8), &levels);
    assert_eq!(u64::from(sum), book["checksum"].as_u64().unwrap());
}

/// Goal: OKX's checksum interleaves the sides, and goes on with one when the other ends. Method: a small book, its
/// text written by hand.
#[test]
fn okx_checksum() {
    let levels = Levels {
        bids: [(33_661, 15), (33_660, 20)].into(),
        asks: [(33_665, 10), (33_670, 70), (33_680, 100)].into(),
    };
    let text = "3366.1:1.5:3366.5:1:3366:2:3367:7:3368:10";
    let expected = crate::crypto::checksum::crc32(text.as_bytes()) as i32;
    assert_eq!(okx::checksum(&listing("BTC-USDT", 1, 1), &levels), expected);
}

/// Goal: every protocol grants what its clients ask for, refuses a symbol that it does not list, and writes JSON.
/// Method: one request of each kind; every text is read again by a parser.
#[test]
fn requests() {
    use Protocol::*;
    let book = |protocol, name: &str| match protocol {
        BinanceSpot | BinanceUsdm | BinanceCoinm => {
            let name = name.to_lowercase();
            format!(
                "{{\"method\":\"SUBSCRIBE\",\"params\":[\"{name}@depth@100ms\",\"{name}@trade\"],\"id\":3}}"
            )
        }
        Bybit => format!(
            "{{\"op\":\"subscribe\",\"args\":[\"orderbook.50.{name}\",\"publicTrade.{name}\"]}}"
        ),
        Coinbase => format!(
            "{{\"type\":\"subscribe\",\"product_ids\":[\"{name}\"],\"channels\":[\"level2_batch\",\"matches\"]}}"
        ),
        CoinbaseFull => format!(
            "{{\"type\":\"subscribe\",\"product_ids\":[\"{name}\"],\"channels\":[\"full\",\"heartbeat\"]}}"
        ),
        Kraken => format!(
            "{{\"method\":\"subscribe\",\"params\":{{\"channel\":\"book\",\"symbol\":[\"{name}\"],\"depth\":10}}}}"
        ),
        Okx => format!(
            "{{\"op\":\"subscribe\",\"args\":[{{\"channel\":\"books\",\"instId\":\"{name}\"}},\
             {{\"channel\":\"trades\",\"instId\":\"{name}\"}}]}}"
        ),
    };
    for protocol in Protocol::ALL {
        let dialect = protocol.dialect(true);
        let listings = protocol.symbols().map(|name| listing(name, 2, 4)).to_vec();
        let effects = dialect.request(&book(*protocol, protocol.symbols()[1]), &listings, 7);
        let subscribes = |effect: &&Effect| matches!(effect, Effect::Subscribe(Topic::Book(_), 1));
        assert_eq!(effects.iter().filter(subscribes).count(), 1, "{protocol:?} {effects:?}");
        let nothing = dialect.request(&book(*protocol, "NOTHING"), &listings, 7);
        assert!(!nothing.iter().any(|effect| matches!(effect, Effect::Subscribe(..))));
        let rubbish = dialect.request("rubbish", &listings, 7);
        for effect in effects.iter().chain(&nothing).chain(&rubbish) {
            if let Effect::Say(text) = effect {
                serde_json::from_str::<serde_json::Value>(text).expect(text);
            }
        }
        assert_eq!(Protocol::from_name(protocol.name()), Some(*protocol));
    }
}

/// Goal: Binance says what a client is subscribed to. Method: one that asks, and one that asks for something else.
#[test]
fn binance_lists_subscriptions() {
    let dialect = Protocol::BinanceSpot.dialect(false);
    let listings = Protocol::BinanceSpot.symbols().map(|name| listing(name, 2, 4));
    let topics = [(Topic::Book(usize::MAX), 1), (Topic::Trades, 0)];
    let ask = |text: &str| dialect.subscriptions(text, &topics, &listings);
    assert_eq!(
        ask(r#"{"method":"LIST_SUBSCRIPTIONS","id":4}"#).as_deref(),
        Some(r#"{"result":["ethusdt@depth@100ms","btcusdt@trade"],"id":4}"#)
    );
    assert_eq!(ask(r#"{"method":"SUBSCRIBE","params":[],"id":4}"#), None);
}
