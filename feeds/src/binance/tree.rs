//! Every text, in any order of keys, and whole books.

use model::{Px, Qty, Side};
use simd_json::BorrowedValue;
use simd_json::prelude::{ValueAsArray, ValueAsScalar, ValueObjectAccess};

use super::{Check, Ids, time};
use crate::json::tree::shape;
use crate::json::{JsonError, tree};
use crate::stream::{
    BookHead, BookKind, Message, ParseError, Parsed, StreamSymbol, Symbols, Ticker, Trade,
};

/// Reads a text.
pub(super) fn read(
    text: &[u8],
    symbols: &Symbols,
    check: Check,
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    let Parsed { tree, bids, asks, trades, ticker, slow, .. } = parsed;
    let value = tree.read(text)?;
    let data = value.get("data").unwrap_or(&value);
    let kind = data.get("e").and_then(ValueAsScalar::as_str);
    let is_ticker = kind == Some("bookTicker") || kind.is_none() && data.get("B").is_some();
    let known = is_ticker || matches!(kind, Some("depthUpdate" | "trade" | "aggTrade"));
    if !known {
        return Ok(other(&value, kind, check));
    }
    *slow += 1;
    let name = tree::text(data, "s")?;
    let Some(index) = symbols.index(name.as_bytes()) else { return Ok(Message::UnknownSymbol) };
    let symbol = symbols.get(index).ok_or_else(shape)?;
    let wrong = |error| ParseError { error, symbol: Some(index) };
    if is_ticker {
        *ticker = read_ticker(data, index, symbol).map_err(wrong)?;
        return Ok(Message::Ticker);
    }
    if kind != Some("depthUpdate") {
        trades.push(read_trade(data, index, symbol).map_err(wrong)?);
        return Ok(Message::Trades);
    }
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    tree::levels(data, "b", decimals, bids).map_err(wrong)?;
    tree::levels(data, "a", decimals, asks).map_err(wrong)?;
    let number = |key| data.get(key).and_then(ValueAsScalar::as_u64);
    let ids = Ids {
        first: number("U"),
        last: number("u"),
        prev: number("pu"),
        made: optional(data, "T").map_err(wrong)?,
        sent: optional(data, "E").map_err(wrong)?,
    };
    Ok(Message::Book(ids.head(index).ok_or_else(|| wrong(shape()))?))
}

/// What is not about a market: answers to requests, and the notice that the connection is about to end.
fn other(value: &BorrowedValue<'_>, kind: Option<&str>, check: Check) -> Message {
    let id = value.get("id").and_then(ValueAsScalar::as_u64);
    if check.request != 0 && id == Some(check.request) {
        // Whatever the answer is, the venue is there; unless it names too few streams: a request was lost on it.
        let list = value.get("result").and_then(ValueAsArray::as_array);
        let is_short = list.is_some_and(|list| list.len() < check.streams);
        if is_short { Message::Reset } else { Message::Pong }
    } else if kind == Some("serverShutdown") {
        Message::Reset
    } else if value.get("error").is_some() || value.get("code").is_some() {
        Message::Refused { symbol: None }
    } else if value.get("result").is_some() {
        Message::Ack
    } else {
        Message::Other
    }
}

/// Reads a whole book.
pub(super) fn snapshot(
    symbol: u16,
    body: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<BookHead, ParseError> {
    let wrong = |error| ParseError { error, symbol: Some(symbol) };
    let known = symbols.get(symbol).ok_or_else(|| wrong(shape()))?;
    let decimals = [known.px_decimals, known.qty_decimals];
    let Parsed { tree, bids, asks, .. } = parsed;
    let value = tree.read(body).map_err(wrong)?;
    tree::levels(&value, "bids", decimals, bids).map_err(wrong)?;
    tree::levels(&value, "asks", decimals, asks).map_err(wrong)?;
    let last = tree::uint(&value, "lastUpdateId").map_err(wrong)?;
    let made = optional(&value, "T").map_err(wrong)?;
    let ts_venue = time(made).ok_or_else(|| wrong(shape()))?;
    let (kind, first) = (BookKind::Snapshot, last);
    Ok(BookHead { symbol, kind, first, last, prev: None, checksum: None, ts_venue })
}

fn optional(value: &BorrowedValue<'_>, key: &str) -> Result<u64, JsonError> {
    if value.get(key).is_some() { tree::uint(value, key) } else { Ok(0) }
}

fn read_trade(
    data: &BorrowedValue<'_>,
    index: u16,
    symbol: &StreamSymbol,
) -> Result<Trade, JsonError> {
    let number = |key| data.get(key).and_then(ValueAsScalar::as_u64);
    let buyer_rested = data.get("m").and_then(ValueAsScalar::as_bool);
    let made =
        if data.get("T").is_some() { tree::uint(data, "T")? } else { tree::uint(data, "E")? };
    Ok(Trade {
        symbol: index,
        px: Px(tree::decimal_text(data, "p", symbol.px_decimals)?),
        qty: Qty(tree::decimal_text(data, "q", symbol.qty_decimals)?),
        id: number("t").or(number("a")).ok_or_else(shape)?,
        resting: Some(if buyer_rested.ok_or_else(shape)? { Side::Buy } else { Side::Sell }),
        ts_venue: time(made).ok_or_else(shape)?,
    })
}

fn read_ticker(
    data: &BorrowedValue<'_>,
    index: u16,
    symbol: &StreamSymbol,
) -> Result<Ticker, JsonError> {
    let side = |px, qty| {
        let px = Px(tree::decimal_text(data, px, symbol.px_decimals)?);
        Ok((px, Qty(tree::decimal_text(data, qty, symbol.qty_decimals)?)))
    };
    let (bid, ask) = (side("b", "B")?, side("a", "A")?);
    Ok(Ticker { symbol: index, last: tree::uint(data, "u")?, bid, ask })
}
