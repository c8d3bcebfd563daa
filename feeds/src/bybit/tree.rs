//! Every text, in any order of keys.

use model::{Px, Qty, Ts};
use simd_json::BorrowedValue;
use simd_json::prelude::{ValueAsArray, ValueAsScalar, ValueObjectAccess};

use super::{Ids, book_topic, kind, resting, trade_id, trade_topic};
use crate::json::tree::shape;
use crate::json::{JsonCause, JsonError, tree};
use crate::stream::{Message, ParseError, Parsed, StreamSymbol, Symbols, TRADES_MAX, Trade};

/// Reads a text.
pub(super) fn read(
    text: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    let Parsed { tree, bids, asks, trades, slow, .. } = parsed;
    let value = tree.read(text)?;
    let word = |key| value.get(key).and_then(ValueAsScalar::as_str);
    let Some(topic) = word("topic") else { return Ok(answer(&value, symbols)) };
    let topic = topic.as_bytes();
    let Some(name) = book_topic(topic).or_else(|| trade_topic(topic)) else {
        return Ok(Message::Other);
    };
    *slow += 1;
    let Some(index) = symbols.index(name) else { return Ok(Message::UnknownSymbol) };
    let symbol = symbols.get(index).ok_or_else(shape)?;
    let wrong = |error| ParseError { error, symbol: Some(index) };
    let data = value.get("data").ok_or_else(|| wrong(shape()))?;
    if trade_topic(topic).is_some() {
        for element in data.as_array().ok_or_else(|| wrong(shape()))? {
            if trades.len() >= TRADES_MAX {
                return Err(wrong(JsonError::whole(JsonCause::TooMany)));
            }
            trades.push(trade(element, index, symbol).map_err(wrong)?);
        }
        return Ok(Message::Trades);
    }
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    for (key, levels) in [("b", bids), ("a", asks)] {
        if data.get(key).is_some() {
            tree::levels(data, key, decimals, levels).map_err(wrong)?;
        }
    }
    let ids = Ids {
        kind: word("type").and_then(|text| kind(text.as_bytes())),
        u: data.get("u").and_then(ValueAsScalar::as_u64),
        cts_ms: optional(&value, "cts").map_err(wrong)?,
        ts_ms: optional(&value, "ts").map_err(wrong)?,
    };
    Ok(Message::Book(ids.head(index).ok_or_else(|| wrong(shape()))?))
}

fn optional(value: &BorrowedValue<'_>, key: &str) -> Result<u64, JsonError> {
    if value.get(key).is_some() { tree::uint(value, key) } else { Ok(0) }
}

/// What is not a topic: answers to requests and pings.
fn answer(value: &BorrowedValue<'_>, symbols: &Symbols) -> Message {
    let word = |key| value.get(key).and_then(ValueAsScalar::as_str);
    let refused = value.get("success").and_then(ValueAsScalar::as_bool) == Some(false);
    match word("op") {
        Some("pong") => Message::Pong,
        Some("ping") if word("ret_msg") == Some("pong") => Message::Pong,
        // Only the words of the answer name the topic.
        Some(_) if refused => {
            let symbol = word("ret_msg").and_then(|words| symbols.named_in(words));
            Message::Refused { symbol }
        }
        Some("subscribe" | "unsubscribe") => Message::Ack,
        _ => Message::Other,
    }
}

fn trade(
    element: &BorrowedValue<'_>,
    index: u16,
    symbol: &StreamSymbol,
) -> Result<Trade, JsonError> {
    let word = |key| element.get(key).and_then(ValueAsScalar::as_str).unwrap_or("").as_bytes();
    Ok(Trade {
        symbol: index,
        px: Px(tree::decimal_text(element, "p", symbol.px_decimals)?),
        qty: Qty(tree::decimal_text(element, "v", symbol.qty_decimals)?),
        id: trade_id(word("i")),
        resting: resting(word("S")),
        ts_venue: Ts(optional(element, "T")?.checked_mul(1_000_000).ok_or_else(shape)?),
    })
}
