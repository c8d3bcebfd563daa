//! Every text, in any order of keys.

use model::{Px, Qty, Ts};
use simd_json::BorrowedValue;
use simd_json::prelude::{ValueAsArray, ValueAsScalar, ValueObjectAccess};

use super::{Ids, resting};
use crate::json::tree::shape;
use crate::json::{JsonCause, JsonError, decimal, tree};
use crate::stream::{BookKind, Message, ParseError, Parsed, StreamSymbol, Symbols, Trade};

/// The venue is about to close this connection for an upgrade.
const CLOSING: &str = "64008";

/// Reads a text.
pub(super) fn read(
    text: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    let Parsed { tree, bids, asks, trades, slow, .. } = parsed;
    let value = tree.read(text)?;
    let word = |key| value.get(key).and_then(ValueAsScalar::as_str);
    let arg = value.get("arg");
    let arg_word = |key| arg.and_then(|arg| arg.get(key)).and_then(ValueAsScalar::as_str);
    let index = arg_word("instId").and_then(|name| symbols.index(name.as_bytes()));
    match word("event") {
        Some("subscribe" | "unsubscribe") => return Ok(Message::Ack),
        Some("notice") if word("code") == Some(CLOSING) => return Ok(Message::Reset),
        Some("error") => {
            let named = word("msg").and_then(|words| symbols.named_in(words));
            return Ok(Message::Refused { symbol: index.or(named) });
        }
        Some("channel-conn-count-error") => return Ok(Message::Refused { symbol: index }),
        Some(_) => return Ok(Message::Other),
        None => {}
    }
    let channel = arg_word("channel");
    if !matches!(channel, Some("books" | "trades")) {
        return Ok(Message::Other);
    }
    *slow += 1;
    let Some(index) = index else { return Ok(Message::UnknownSymbol) };
    let symbol = symbols.get(index).ok_or_else(shape)?;
    let wrong = |error| ParseError { error, symbol: Some(index) };
    let data = value.get("data").and_then(ValueAsArray::as_array).ok_or_else(|| wrong(shape()))?;
    if channel == Some("trades") {
        for element in data {
            let trade = trade(element, index, symbol).map_err(wrong)?;
            if trades.len() >= crate::stream::TRADES_MAX {
                return Err(wrong(JsonError::whole(JsonCause::TooMany)));
            }
            trades.push(trade);
        }
        return Ok(Message::Trades);
    }
    let kind = match word("action") {
        Some("snapshot") => BookKind::Snapshot,
        Some("update") => BookKind::Delta,
        _ => return Err(wrong(shape())),
    };
    let [element] = data.as_slice() else { return Err(wrong(shape())) };
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    tree::levels(element, "bids", decimals, bids).map_err(wrong)?;
    tree::levels(element, "asks", decimals, asks).map_err(wrong)?;
    let head = ids(element).and_then(|ids| ids.head(index, kind)).ok_or_else(|| wrong(shape()))?;
    Ok(Message::Book(head))
}

fn ids(element: &BorrowedValue<'_>) -> Option<Ids> {
    let int = |key| match element.get(key) {
        None => Some(None),
        Some(value) => value.as_i64().map(Some),
    };
    Some(Ids {
        ts_ms: match element.get("ts") {
            None => 0,
            Some(ts) => decimal(ts.as_str()?.as_bytes(), 0)?.unsigned_abs(),
        },
        checksum: int("checksum")?.unwrap_or(0),
        seq: int("seqId")?,
        prev: int("prevSeqId")?,
    })
}

fn trade(
    element: &BorrowedValue<'_>,
    index: u16,
    symbol: &StreamSymbol,
) -> Result<Trade, JsonError> {
    let whole = |key| match element.get(key) {
        None => Ok(0),
        Some(_) => tree::decimal_text(element, key, 0).map(i64::unsigned_abs),
    };
    let side = element.get("side").and_then(ValueAsScalar::as_str).unwrap_or("");
    Ok(Trade {
        symbol: index,
        px: Px(tree::decimal_text(element, "px", symbol.px_decimals)?),
        qty: Qty(tree::decimal_text(element, "sz", symbol.qty_decimals)?),
        id: whole("tradeId")?,
        resting: resting(side.as_bytes()),
        ts_venue: Ts(whole("ts")?.checked_mul(1_000_000).ok_or_else(shape)?),
    })
}
