//! What Binance says, read by serde_json and plain arithmetic: the slow twin of the decoder.
#![allow(dead_code, reason = "the fuzz target uses a part")]

pub mod coinbase_full;

use std::collections::HashSet;
use std::fmt;

use feeds::binance::{Binance, Market};
use feeds::stream::{Message, Parsed, StreamSymbol, Symbols, Venue};
use model::{Side, Symbol};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

pub const PX_DECIMALS: u8 = 2;
pub const QTY_DECIMALS: u8 = 5;
pub const NAMES: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

/// What a text says of one of the symbols.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Book { symbol: u16, ids: (u64, u64, Option<u64>), ns: u64, sides: [Vec<(i64, i64)>; 2] },
    Trade { symbol: u16, level: (i64, i64), id: u64, resting: Side, ns: u64 },
    Ticker { symbol: u16, last: u64, bid: (i64, i64), ask: (i64, i64) },
}

pub fn symbols() -> Symbols {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: PX_DECIMALS,
        qty_decimals: QTY_DECIMALS,
    };
    Symbols::new(NAMES.map(symbol).to_vec()).unwrap()
}

/// The decoder's own answer, and whether the scanner gave it. `Err`: refused. `None`: not about one of the symbols.
pub fn ours(
    text: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> (Result<Option<Said>, ()>, bool) {
    parsed.clear();
    let before = parsed.slow;
    let message = Binance::new(Market::Usdm).parse(text, symbols, parsed);
    let scanned = parsed.slow == before;
    let side = |levels: &feeds::json::Levels| {
        levels.as_slice().iter().map(|(px, qty)| (px.0, qty.0)).collect()
    };
    let said = match message {
        Err(_) => return (Err(()), scanned),
        Ok(Message::Book(head)) => Said::Book {
            symbol: head.symbol,
            ids: (head.first, head.last, head.prev),
            ns: head.ts_venue.0,
            sides: [side(&parsed.bids), side(&parsed.asks)],
        },
        Ok(Message::Trades) => {
            let [trade] = parsed.trades.as_slice() else { panic!("one trade a text") };
            Said::Trade {
                symbol: trade.symbol,
                level: (trade.px.0, trade.qty.0),
                id: trade.id,
                resting: trade.resting.unwrap(),
                ns: trade.ts_venue.0,
            }
        }
        Ok(Message::Ticker) => {
            let ticker = parsed.ticker;
            let [bid, ask] = [ticker.bid, ticker.ask].map(|(px, qty)| (px.0, qty.0));
            Said::Ticker { symbol: ticker.symbol, last: ticker.last, bid, ask }
        }
        Ok(_) => return (Ok(None), scanned),
    };
    (Ok(Some(said)), scanned)
}

/// The twin's answer.
pub fn twin(text: &[u8]) -> Result<Option<Said>, ()> {
    let value: Value = serde_json::from_slice(text).map_err(drop)?;
    let data = value.get("data").unwrap_or(&value);
    let kind = data.get("e").and_then(Value::as_str);
    let is_ticker = kind == Some("bookTicker") || kind.is_none() && data.get("B").is_some();
    if !is_ticker && !matches!(kind, Some("depthUpdate" | "trade" | "aggTrade")) {
        return Ok(None);
    }
    let name = data.get("s").and_then(Value::as_str).ok_or(())?;
    let Some(symbol) = NAMES.iter().position(|known| *known == name) else { return Ok(None) };
    read(data, kind, symbol as u16).map(Some).ok_or(())
}

fn read(data: &Value, kind: Option<&str>, symbol: u16) -> Option<Said> {
    let number = |key: &str| data.get(key).and_then(Value::as_u64);
    let pair = |px: &Value, qty: &Value| {
        let px = units(px.as_str()?, PX_DECIMALS)?;
        Some((px, units(qty.as_str()?, QTY_DECIMALS)?))
    };
    let optional = |key: &str| match data.get(key) {
        None => Some(0),
        Some(value) => value.as_u64(),
    };
    let ns =
        |value: u64| value.checked_mul(if value < 100_000_000_000_000 { 1_000_000 } else { 1_000 });
    match kind {
        Some("depthUpdate") => {
            let side = |key: &str| {
                let levels = data.get(key)?.as_array()?.iter();
                levels.map(|level| pair(level.get(0)?, level.get(1)?)).collect::<Option<Vec<_>>>()
            };
            let sides = [side("b")?, side("a")?];
            let (made, sent) = (optional("T")?, optional("E")?);
            let ns = ns(if made > 0 { made } else { sent })?;
            let ids = (number("U")?, number("u")?, number("pu"));
            (ids.0 <= ids.1).then_some(Said::Book { symbol, ids, ns, sides })
        }
        Some("trade" | "aggTrade") => {
            let level = pair(data.get("p")?, data.get("q")?)?;
            let id = number("t").or(number("a"))?;
            let resting = if data.get("m")?.as_bool()? { Side::Buy } else { Side::Sell };
            let made = data.get("T").or(data.get("E"))?.as_u64()?;
            Some(Said::Trade { symbol, level, id, resting, ns: ns(made)? })
        }
        _ => {
            let bid = pair(data.get("b")?, data.get("B")?)?;
            let ask = pair(data.get("a")?, data.get("A")?)?;
            Some(Said::Ticker { symbol, last: number("u")?, bid, ask })
        }
    }
}

/// Decimal text in units, digit by digit in 128 bits.
pub fn units(text: &str, decimals: u8) -> Option<i64> {
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) | None if text.contains('.') => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) {
        return None;
    }
    let kept = usize::from(decimals).min(part.len());
    let (kept, beyond) = part.split_at(kept);
    let digits = format!("{whole}{kept:0<width$}", width = decimals.into());
    let digits = digits.trim_start_matches('0');
    if beyond.bytes().any(|byte| byte != b'0') || digits.len() > 30 {
        return None;
    }
    let value = digits.bytes().fold(0_i128, |value, byte| value * 10 + i128::from(byte - b'0'));
    i64::try_from(value).ok()
}

/// Whether the parsers may differ on a text by right: a key that stands twice in an object, of which one takes the first and
/// another the last; a zero with a sign, which is an integer to one and a fraction to another; an integer of more than 64
/// bits, which one refuses and another takes for a fraction.
pub fn is_ambiguous(text: &[u8]) -> bool {
    let is_long = |run: &[u8]| run.iter().filter(|byte| byte.is_ascii_digit()).count() >= 20;
    text.windows(2).any(|pair| pair == b"-0")
        || text.split(|byte| b":,[]{} \"\t\r\n".contains(byte)).any(is_long)
        || serde_json::from_slice::<Once>(text).is_err_and(|e| e.to_string().starts_with("twice"))
}

/// Any JSON whose objects name each key once.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Once, D::Error> {
        from.deserialize_any(Once)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
        let mut seen = HashSet::new();
        while let Some((key, _)) = map.next_entry::<String, Once>()? {
            if !seen.insert(key) {
                return Err(A::Error::custom("twice"));
            }
        }
        Ok(Once)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Once, A::Error> {
        while list.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }
}

/// Holds all three readers of a text against one another.
///
/// # Panics
///
/// If two of them read different integers, or one reads what another refuses.
pub fn check(text: &[u8], symbols: &Symbols, parsed: &mut Parsed) {
    let (said, scanned) = ours(text, symbols, parsed);
    // Only the general parser takes a blank in front.
    let slow = [b" ", text].concat();
    let (general, _) = ours(&slow, symbols, parsed);
    if is_ambiguous(text) {
        return;
    }
    let twin = twin(text);
    let shown = String::from_utf8_lossy(text);
    // A text of nobody's symbol is not read to its end.
    if !(scanned && said == Ok(None)) {
        assert_eq!(said, general, "with and without the scanner: {shown}");
        assert_eq!(said, twin, "serde_json: {shown}");
    }
}
