//! Every text, in any order of keys.

use model::{Px, Qty, Side, Ts};
use simd_json::BorrowedValue;
use simd_json::prelude::{ValueAsArray, ValueAsScalar, ValueObjectAccess};

use super::{Match, Said, head, side};
use crate::json::tree::shape;
use crate::json::{JsonCause, JsonError, Levels, decimal, tree};
use crate::stream::{
    BookKind, Message, ParseError, Parsed, StreamSymbol, Symbols, Ticker, Trade, rfc3339,
};

/// Reads a text.
pub(super) fn read(
    text: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Said, ParseError> {
    let Parsed { tree, bids, asks, trades, ticker, slow, .. } = parsed;
    let value = tree.read(text)?;
    let word = |key| value.get(key).and_then(ValueAsScalar::as_str);
    let kind = word("type").ok_or_else(shape)?;
    match kind {
        "subscriptions" => return Ok(Said::Message(Message::Ack)),
        // Only the words of the answer name the product.
        "error" => {
            let symbol = word("reason").and_then(|words| symbols.named_in(words));
            return Ok(Said::Message(Message::Refused { symbol }));
        }
        "snapshot" | "l2update" | "match" | "last_match" => *slow += 1,
        "heartbeat" | "ticker" => {}
        _ => return Ok(Said::Message(Message::Other)),
    }
    let name = word("product_id").ok_or_else(shape)?;
    let index = symbols.index(name.as_bytes());
    let (Some(index), Some(symbol)) = (index, index.and_then(|index| symbols.get(index))) else {
        return Ok(Said::Message(Message::UnknownSymbol));
    };
    let wrong = |error| ParseError { error, symbol: Some(index) };
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    let ts = match word("time") {
        None => Ts(0),
        Some(time) => rfc3339(time.as_bytes()).ok_or_else(|| wrong(shape()))?,
    };
    match kind {
        "heartbeat" => {
            let trade = tree::uint(&value, "last_trade_id").map_err(wrong)?;
            Ok(Said::Heartbeat { symbol: index, trade })
        }
        "snapshot" => {
            tree::levels(&value, "bids", decimals, bids).map_err(wrong)?;
            tree::levels(&value, "asks", decimals, asks).map_err(wrong)?;
            Ok(Said::Message(head(index, BookKind::Snapshot, ts)))
        }
        "l2update" => {
            changes(&value, symbol, bids, asks).map_err(wrong)?;
            Ok(Said::Message(head(index, BookKind::Delta, ts)))
        }
        "ticker" => {
            let Some(quote) = quote(&value, symbol) else {
                return Ok(Said::Message(Message::Other));
            };
            *ticker = Ticker { symbol: index, ..quote };
            Ok(Said::Message(Message::Ticker))
        }
        _ => {
            let trade = trade(&value, index, symbol).map_err(wrong)?;
            trades.push(Trade { ts_venue: ts, ..trade });
            let kind = if kind == "match" { Match::New } else { Match::Last };
            Ok(Said::Match(kind))
        }
    }
}

fn changes(
    value: &BorrowedValue<'_>,
    symbol: &StreamSymbol,
    bids: &mut Levels,
    asks: &mut Levels,
) -> Result<(), JsonError> {
    let list = value.get("changes").and_then(ValueAsArray::as_array).ok_or_else(shape)?;
    for change in list {
        let [word, px, qty] = change.as_array().ok_or_else(shape)?.as_slice() else {
            return Err(shape());
        };
        let number = |value: &BorrowedValue<'_>, decimals| {
            let text = value.as_str().ok_or_else(shape)?;
            decimal(text.as_bytes(), decimals).ok_or(JsonError::whole(JsonCause::Number))
        };
        let to = match side(word.as_str().ok_or_else(shape)?.as_bytes()) {
            Some(Side::Buy) => &mut *bids,
            Some(Side::Sell) => &mut *asks,
            None => return Err(shape()),
        };
        let (px, qty) = (number(px, symbol.px_decimals)?, number(qty, symbol.qty_decimals)?);
        to.push(Px(px), Qty(qty)).map_err(JsonError::whole)?;
    }
    Ok(())
}

/// The best prices; sizes are zero where they are not told.
fn quote(value: &BorrowedValue<'_>, symbol: &StreamSymbol) -> Option<Ticker> {
    let number = |key, decimals| tree::decimal_text(value, key, decimals).ok();
    let px = |key| number(key, symbol.px_decimals).map(Px);
    let qty = |key| Qty(number(key, symbol.qty_decimals).unwrap_or(0));
    Some(Ticker {
        symbol: 0,
        last: 0,
        bid: (px("best_bid")?, qty("best_bid_size")),
        ask: (px("best_ask")?, qty("best_ask_size")),
    })
}

fn trade(value: &BorrowedValue<'_>, index: u16, symbol: &StreamSymbol) -> Result<Trade, JsonError> {
    let id = tree::uint(value, "trade_id")?;
    let maker = value.get("side").and_then(ValueAsScalar::as_str).unwrap_or("");
    if id == 0 {
        return Err(shape());
    }
    Ok(Trade {
        symbol: index,
        px: Px(tree::decimal_text(value, "price", symbol.px_decimals)?),
        qty: Qty(tree::decimal_text(value, "size", symbol.qty_decimals)?),
        id,
        resting: side(maker.as_bytes()),
        ts_venue: Ts(0),
    })
}
