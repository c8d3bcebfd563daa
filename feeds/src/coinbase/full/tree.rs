//! Every text, in any shape of JSON.

use model::{Kind, OrderRef, Px, Qty, Side, Ts};
use simd_json::BorrowedValue;
use simd_json::prelude::{TypedScalarValue, ValueAsArray, ValueAsScalar, ValueObjectAccess};

use super::{Said, head, resting, side, uuid};
use crate::json::{JsonCause, JsonError, decimal, tree};
use crate::stream::{
    BookHead, BookKind, Message, ORDERS_MAX, OrderChange, ParseError, Parsed, StreamSymbol,
    Symbols, Trade, rfc3339,
};

fn shape() -> JsonError {
    JsonError::whole(JsonCause::Shape)
}

/// Reads a text.
pub(super) fn read(
    text: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    let Parsed { tree, orders, trades, slow, .. } = parsed;
    let value = tree.read(text)?;
    let word = |key| value.get(key).and_then(ValueAsScalar::as_str);
    let kind = word("type").ok_or_else(shape)?;
    let said = Said::of(kind.as_bytes());
    match kind {
        "subscriptions" => return Ok(Message::Ack),
        // Only the words of the answer name the product.
        "error" => {
            let symbol = word("reason").and_then(|words| symbols.named_in(words));
            return Ok(Message::Refused { symbol });
        }
        "heartbeat" => {}
        _ if said.is_some() => *slow += 1,
        _ => return Ok(Message::Other),
    }
    let name = word("product_id").ok_or_else(shape)?;
    let index = symbols.index(name.as_bytes());
    let (Some(index), Some(symbol)) = (index, index.and_then(|index| symbols.get(index))) else {
        return Ok(Message::UnknownSymbol);
    };
    let wrong = |error| ParseError { error, symbol: Some(index) };
    let sequence = tree::uint(&value, "sequence").map_err(wrong)?;
    let Some(said) = said else {
        return Ok(Message::Heartbeat { symbol: Some(index), sequence: Some(sequence) });
    };
    let ts_venue = time(&value).map_err(wrong)?;
    let change = change(&value, said, symbol).map_err(wrong)?;
    if said == Said::Match {
        let resting = word("side").and_then(|word| side(word.as_bytes()));
        let (px, qty, id) = (change.px, change.qty, change.trade);
        trades.push(Trade { symbol: index, px, qty, id, resting, ts_venue });
    }
    orders.push(change);
    Ok(Message::Book(head(index, BookKind::Delta, sequence, ts_venue)))
}

fn time(value: &BorrowedValue<'_>) -> Result<Ts, JsonError> {
    match value.get("time").and_then(ValueAsScalar::as_str) {
        None => Ok(Ts(0)),
        Some(time) => rfc3339(time.as_bytes()).ok_or_else(shape),
    }
}

/// What the message does to an order.
fn change(
    value: &BorrowedValue<'_>,
    said: Said,
    symbol: &StreamSymbol,
) -> Result<OrderChange, JsonError> {
    let px = |key| tree::decimal_text(value, key, symbol.px_decimals).map(Px);
    let qty = |key| tree::decimal_text(value, key, symbol.qty_decimals).map(Qty);
    let is_told = |key| value.get(key).is_some_and(|value| !value.is_null());
    let key = if said == Said::Match { "maker_order_id" } else { "order_id" };
    let id = uuid(tree::text(value, key)?.as_bytes()).ok_or_else(shape)?;
    let kind = said.kind();
    let (px0, qty0, order) = (Px(0), Qty(0), OrderRef(0));
    let change = OrderChange { id, kind, side: None, px: px0, qty: qty0, trade: 0, order };
    Ok(match said {
        Said::Received | Said::Done => change,
        Said::Open => {
            let side = side(tree::text(value, "side")?.as_bytes()).ok_or_else(shape)?;
            OrderChange {
                side: Some(side),
                px: px("price")?,
                qty: qty("remaining_size")?,
                ..change
            }
        }
        Said::Match => {
            let trade = tree::uint(value, "trade_id")?;
            if trade == 0 {
                return Err(shape());
            }
            OrderChange { px: px("price")?, qty: qty("size")?, trade, ..change }
        }
        // The funds of an order that does not rest.
        Said::Change if !is_told("new_size") => OrderChange { kind: Kind::Notice, ..change },
        Said::Change => OrderChange {
            px: if is_told("new_price") { px("new_price")? } else { Px(0) },
            qty: qty("new_size")?,
            ..change
        },
    })
}

/// Reads a whole book.
pub(super) fn snapshot(
    index: u16,
    body: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<BookHead, ParseError> {
    let wrong = |error| ParseError { error, symbol: Some(index) };
    let symbol = symbols.get(index).ok_or_else(|| wrong(shape()))?;
    let Parsed { tree, orders, .. } = parsed;
    let value = tree.read(body).map_err(wrong)?;
    for (key, side) in [("bids", Side::Buy), ("asks", Side::Sell)] {
        let list = value.get(key).and_then(ValueAsArray::as_array).ok_or_else(|| wrong(shape()))?;
        for entry in list {
            if orders.len() >= ORDERS_MAX {
                return Err(wrong(JsonError::whole(JsonCause::TooMany)));
            }
            orders.push(order(entry, side, symbol).map_err(wrong)?);
        }
    }
    let sequence = tree::uint(&value, "sequence").map_err(wrong)?;
    let ts = time(&value).map_err(wrong)?;
    Ok(head(index, BookKind::Snapshot, sequence, ts))
}

/// `["price","size","id"]`.
fn order(
    entry: &BorrowedValue<'_>,
    side: Side,
    symbol: &StreamSymbol,
) -> Result<OrderChange, JsonError> {
    let [px, qty, id] = entry.as_array().ok_or_else(shape)?.as_slice() else {
        return Err(shape());
    };
    let number = |value: &BorrowedValue<'_>, decimals| {
        let text = value.as_str().ok_or_else(shape)?;
        decimal(text.as_bytes(), decimals).ok_or(JsonError::whole(JsonCause::Number))
    };
    let id = id.as_str().and_then(|id| uuid(id.as_bytes())).ok_or_else(shape)?;
    let (px, qty) = (number(px, symbol.px_decimals)?, number(qty, symbol.qty_decimals)?);
    Ok(resting(id, side, px, qty))
}
