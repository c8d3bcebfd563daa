//! What Coinbase says of its orders, read by serde_json and plain arithmetic: the slow twin of the decoder.

use feeds::coinbase::CoinbaseFull;
use feeds::stream::{
    Message, OrderChange, Parsed, StreamConfig, StreamSymbol, Symbols, Venue, rfc3339,
};
use model::{FeedId, Kind, Side, Symbol};
use serde_json::Value;

use super::{PX_DECIMALS, QTY_DECIMALS, is_ambiguous, units};

pub const NAMES: [&str; 2] = ["BTC-USD", "ETH-EUR"];

/// What happens to an order: name, kind, side, price, quantity, trade.
type Change = (u128, Kind, Option<Side>, i64, i64, u64);

/// What a text says of one of the products.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Order { symbol: u16, sequence: u64, ns: u64, change: Change, resting: Option<Side> },
    Beat { symbol: u16, sequence: u64 },
}

/// What a whole book says: its sequence, its time, and its orders, bids first.
type Body = (u64, u64, Vec<Change>);

fn config() -> StreamConfig {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: PX_DECIMALS,
        qty_decimals: QTY_DECIMALS,
    };
    let symbols = NAMES.map(symbol).to_vec();
    StreamConfig { feed: FeedId(0), symbols, depth: 0, seed: 0, ws_url: None, rest_url: None }
}

/// The decoder, and what it works in.
pub struct Readers {
    symbols: Symbols,
    venue: CoinbaseFull,
    parsed: Parsed,
}

impl Default for Readers {
    fn default() -> Readers {
        let config = config();
        Readers {
            symbols: Symbols::new(config.symbols.clone()).unwrap(),
            venue: CoinbaseFull::with_room(&config, 8),
            parsed: Parsed::default(),
        }
    }
}

fn plain(change: &OrderChange) -> Change {
    let OrderChange { id, kind, side, px, qty, trade, .. } = *change;
    (id, kind, side, px.0, qty.0, trade)
}

impl Readers {
    /// The decoder's own answer, and whether the scanner gave it. `Err`: refused. `None`: not about one of the products.
    pub fn ours(&mut self, text: &[u8]) -> (Result<Option<Said>, ()>, bool) {
        let Readers { symbols, venue, parsed } = self;
        venue.opened(); // Every trade is a new one.
        parsed.clear();
        let before = parsed.slow;
        let message = venue.parse(text, symbols, parsed);
        let scanned = parsed.slow == before;
        let said = match message {
            Err(_) => return (Err(()), scanned),
            Ok(Message::Book(head)) => {
                assert!(head.first == head.last && head.prev.is_none());
                let [change] = parsed.orders.as_slice() else { panic!("one order a text") };
                let trade = parsed.trades.first();
                assert_eq!(trade.is_some(), change.kind == Kind::Execute);
                if let Some(trade) = trade {
                    assert_eq!(
                        (trade.px, trade.qty, trade.id),
                        (change.px, change.qty, change.trade)
                    );
                    assert_eq!((trade.symbol, trade.ts_venue), (head.symbol, head.ts_venue));
                }
                Said::Order {
                    symbol: head.symbol,
                    sequence: head.last,
                    ns: head.ts_venue.0,
                    change: plain(change),
                    resting: trade.and_then(|trade| trade.resting),
                }
            }
            Ok(Message::Heartbeat { symbol: Some(symbol), sequence: Some(sequence) }) => {
                Said::Beat { symbol, sequence }
            }
            Ok(_) => return (Ok(None), scanned),
        };
        (Ok(Some(said)), scanned)
    }

    fn body(&mut self, text: &[u8]) -> Result<Body, ()> {
        let Readers { symbols, venue, parsed } = self;
        parsed.clear();
        let head = venue.parse_snapshot(1, text, symbols, parsed).map_err(drop)?;
        assert!(head.symbol == 1 && parsed.trades.is_empty());
        let mut orders: Vec<Change> = parsed.orders.iter().map(plain).collect();
        orders.sort_by_key(|(_, _, side, ..)| *side == Some(Side::Sell));
        Ok((head.last, head.ts_venue.0, orders))
    }

    /// Holds all three readers of a text against one another.
    ///
    /// # Panics
    ///
    /// If two of them read differently, or one reads what another refuses.
    pub fn check(&mut self, text: &[u8]) {
        let (said, scanned) = self.ours(text);
        // Only the general parser takes a blank in front.
        let (general, _) = self.ours(&[b" ", text].concat());
        if is_ambiguous(text) {
            return;
        }
        let shown = String::from_utf8_lossy(text);
        // A text of nobody's product is read for no more than that.
        if !(scanned && said == Ok(None)) {
            assert_eq!(said, general, "with and without the scanner: {shown}");
            assert_eq!(said, twin(text), "serde_json: {shown}");
        }
    }

    /// The same of a whole book.
    ///
    /// # Panics
    ///
    /// As [`Readers::check`].
    pub fn check_body(&mut self, text: &[u8]) {
        let (ours, general) = (self.body(text), self.body(&[b" ", text].concat()));
        if !is_ambiguous(text) {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(ours, general, "with and without the scanner: {shown}");
            assert_eq!(ours, twin_body(text).ok_or(()), "serde_json: {shown}");
        }
    }
}

/// The twin's answer.
fn twin(text: &[u8]) -> Result<Option<Said>, ()> {
    let value: Value = serde_json::from_slice(text).map_err(drop)?;
    let kind = value.get("type").and_then(Value::as_str).ok_or(())?;
    if !["received", "open", "match", "change", "done", "heartbeat"].contains(&kind) {
        return Ok(None);
    }
    let name = value.get("product_id").and_then(Value::as_str).ok_or(())?;
    let Some(symbol) = NAMES.iter().position(|known| *known == name) else { return Ok(None) };
    read(&value, kind, symbol as u16).map(Some).ok_or(())
}

fn read(value: &Value, kind: &str, symbol: u16) -> Option<Said> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let px = |key: &str| units(text(key)?, PX_DECIMALS);
    let qty = |key: &str| units(text(key)?, QTY_DECIMALS);
    let is_told = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
    let sequence = value.get("sequence")?.as_u64()?;
    if kind == "heartbeat" {
        return Some(Said::Beat { symbol, sequence });
    }
    let ns = text("time").map_or(Some(0), |time| Some(rfc3339(time.as_bytes())?.0))?;
    let of = |key: &str| name(text(key)?);
    let (change, resting) = match kind {
        "received" => ((of("order_id")?, Kind::Notice, None, 0, 0, 0), None),
        "done" => ((of("order_id")?, Kind::Delete, None, 0, 0, 0), None),
        "open" => {
            let side = side(text("side")?)?;
            let (px, qty) = (px("price")?, qty("remaining_size")?);
            ((of("order_id")?, Kind::Add, Some(side), px, qty, 0), None)
        }
        "match" => {
            let trade = value.get("trade_id")?.as_u64().filter(|trade| *trade > 0)?;
            let (px, qty) = (px("price")?, qty("size")?);
            let change = (of("maker_order_id")?, Kind::Execute, None, px, qty, trade);
            (change, text("side").and_then(side))
        }
        _ if is_told("new_size") => {
            let px = if is_told("new_price") { px("new_price")? } else { 0 };
            ((of("order_id")?, Kind::Modify, None, px, qty("new_size")?, 0), None)
        }
        _ => ((of("order_id")?, Kind::Notice, None, 0, 0, 0), None),
    };
    Some(Said::Order { symbol, sequence, ns, change, resting })
}

fn side(word: &str) -> Option<Side> {
    match word {
        "buy" => Some(Side::Buy),
        "sell" => Some(Side::Sell),
        _ => None,
    }
}

/// 32 hexadecimal digits in five parts.
fn name(text: &str) -> Option<u128> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = parts.concat();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = lengths == [8, 4, 4, 4, 12] && is_hex;
    if is_name { u128::from_str_radix(&digits, 16).ok() } else { None }
}

fn twin_body(text: &[u8]) -> Option<Body> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let mut orders = Vec::new();
    for (key, side) in [("bids", Side::Buy), ("asks", Side::Sell)] {
        for entry in value.get(key)?.as_array()? {
            let [px, qty, id] = entry.as_array()?.as_slice() else { return None };
            let (px, qty) =
                (units(px.as_str()?, PX_DECIMALS)?, units(qty.as_str()?, QTY_DECIMALS)?);
            orders.push((name(id.as_str()?)?, Kind::Add, Some(side), px, qty, 0));
        }
    }
    let time = value.get("time").and_then(Value::as_str);
    let ns = time.map_or(Some(0), |time| Some(rfc3339(time.as_bytes())?.0))?;
    Some((value.get("sequence")?.as_u64()?, ns, orders))
}
