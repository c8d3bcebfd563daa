//! The hot texts of WebSocket v2: books and trades. Their numbers are JSON numbers whose text counts, so that the scanner alone
//! may read them: the general parser makes floats of them.

use model::{Px, Qty, Side, Ts};

use super::Shown;
use crate::json::{Cursor, JsonCause, JsonError, Levels};
use crate::stream::{
    BookHead, BookKind, Message, ParseError, Parsed, StreamSymbol, Symbols, Trade, rfc3339,
};

/// Reads a book or trades; `None`: another text.
pub(super) fn scan(
    text: &[u8],
    symbols: &Symbols,
    shown: &mut Shown,
    parsed: &mut Parsed,
) -> Result<Option<Message>, ParseError> {
    let mut c = Cursor::new(text);
    if c.take(b"{\"channel\":\"book\",\"type\":") {
        book(text, &mut c, symbols, shown, parsed).map(Some)
    } else if c.take(b"{\"channel\":\"trade\",\"type\":\"update\",\"data\":") {
        trades(&mut c, symbols, parsed).map(Some)
    } else if text == b"{\"channel\":\"heartbeat\"}" {
        Ok(Some(Message::Heartbeat { symbol: None, sequence: None }))
    } else {
        Ok(None)
    }
}

fn book(
    text: &[u8],
    c: &mut Cursor<'_>,
    symbols: &Symbols,
    shown: &mut Shown,
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    let kind = match c.string()? {
        b"snapshot" => BookKind::Snapshot,
        b"update" => BookKind::Delta,
        _ => return Err(c.error(JsonCause::Shape).into()),
    };
    c.expect(b",\"data\":[")?;
    let Some(index) = symbols.index(name(*c)?) else { return Ok(Message::UnknownSymbol) };
    let Some(symbol) = symbols.get(index) else { return Ok(Message::UnknownSymbol) };
    let mut head = BookHead {
        symbol: index,
        kind,
        first: 0,
        last: 0,
        prev: None,
        checksum: None,
        ts_venue: Ts(0),
    };
    let read = c.object(|c, key| {
        match key {
            b"bids" => levels(text, c, symbol, shown, &mut parsed.bids)?,
            b"asks" => levels(text, c, symbol, shown, &mut parsed.asks)?,
            b"checksum" => {
                let sum = u32::try_from(c.uint()?);
                head.checksum = Some(sum.map_err(|_| c.error(JsonCause::Number))?);
            }
            b"timestamp" => head.ts_venue = time(c)?,
            _ => c.skip_plain()?,
        }
        Ok(())
    });
    match read.and_then(|()| c.expect(b"]}")).and_then(|()| c.end()) {
        Ok(()) => Ok(Message::Book(head)),
        Err(error) => Err(ParseError { error, symbol: Some(index) }),
    }
}

/// The symbol that an element is of, which must stand first: it says how to read the rest.
fn name(mut c: Cursor<'_>) -> Result<&[u8], JsonError> {
    c.expect(b"{\"symbol\":")?;
    c.string()
}

fn time(c: &mut Cursor<'_>) -> Result<Ts, JsonError> {
    rfc3339(c.string()?).ok_or_else(|| c.error(JsonCause::Shape))
}

fn levels(
    text: &[u8],
    c: &mut Cursor<'_>,
    symbol: &StreamSymbol,
    shown: &mut Shown,
    to: &mut Levels,
) -> Result<(), JsonError> {
    c.array(|c| {
        c.expect(b"{\"price\":")?;
        let px = shown.decimal(c, text, 0, symbol.px_decimals)?;
        c.expect(b",\"qty\":")?;
        let qty = shown.decimal(c, text, 1, symbol.qty_decimals)?;
        c.expect(b"}")?;
        to.push(Px(px), Qty(qty)).map_err(|cause| c.error(cause))
    })
}

fn trades(
    c: &mut Cursor<'_>,
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    // Whose trade is being read: the elements may be of many symbols, and an error is of one.
    let (mut unknown, mut whose) = (false, None);
    let read = c.array(|c| {
        whose = None;
        let index = symbols.index(name(*c)?);
        let symbol = index.and_then(|index| symbols.get(index));
        let (Some(index), Some(symbol)) = (index, symbol) else {
            unknown = true;
            return c.object(|c, _| c.skip_plain());
        };
        whose = Some(index);
        let trade = trade(c, index, symbol)?;
        parsed.push_trade(trade).map_err(|cause| c.error(cause))?;
        whose = None;
        Ok(())
    });
    read.map_err(|error| ParseError { error, symbol: whose })?;
    c.expect(b"}")?;
    c.end()?;
    Ok(if unknown && parsed.trades.is_empty() { Message::UnknownSymbol } else { Message::Trades })
}

fn trade(c: &mut Cursor<'_>, index: u16, symbol: &StreamSymbol) -> Result<Trade, JsonError> {
    let (mut px, mut qty, mut id, mut side, mut ts_venue) = (None, None, 0, None, Ts(0));
    c.object(|c, key| {
        match key {
            b"price" => px = Some(c.decimal(symbol.px_decimals)?),
            b"qty" => qty = Some(c.decimal(symbol.qty_decimals)?),
            b"trade_id" => id = c.uint()?,
            b"side" => side = resting(c.string()?),
            b"timestamp" => ts_venue = time(c)?,
            _ => c.skip_plain()?,
        }
        Ok(())
    })?;
    let (Some(px), Some(qty)) = (px, qty) else { return Err(c.error(JsonCause::Shape)) };
    Ok(Trade { symbol: index, px: Px(px), qty: Qty(qty), id, resting: side, ts_venue })
}

/// The side that rested when this one took.
pub(super) fn resting(taker: &[u8]) -> Option<Side> {
    match taker {
        b"buy" | b"b" => Some(Side::Sell),
        b"sell" | b"s" => Some(Side::Buy),
        _ => None,
    }
}
