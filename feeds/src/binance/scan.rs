//! The hot texts: diffs, trades and tickers as the venue writes them.

use model::{Px, Qty, Side, Ts};

use super::{Ids, time};
use crate::json::{Cursor, JsonCause, JsonError};
use crate::stream::{Message, Parsed, StreamSymbol, Symbols, Ticker, Trade};

/// Reads a text; `None`: not one of these shapes, or not whole.
pub(super) fn read(text: &[u8], symbols: &Symbols, parsed: &mut Parsed) -> Option<Message> {
    let mut c = Cursor::new(text);
    let wrapped = c.take(b"{\"stream\":");
    if wrapped {
        c.string().ok()?;
        c.expect(b",\"data\":").ok()?;
    }
    let message = if c.take(b"{\"e\":\"depthUpdate\",\"E\":") {
        depth(&mut c, symbols, parsed)
    } else if c.take(b"{\"e\":\"trade\",\"E\":") {
        trade(&mut c, b",\"t\":", symbols, parsed)
    } else if c.take(b"{\"e\":\"aggTrade\",\"E\":") {
        trade(&mut c, b",\"a\":", symbols, parsed)
    } else if c.take(b"{\"e\":\"bookTicker\",\"u\":") || c.take(b"{\"u\":") {
        ticker(&mut c, symbols, parsed)
    } else {
        return None;
    };
    let message = message.ok()?;
    if message == Message::UnknownSymbol {
        return Some(message); // What is left of it is nobody's.
    }
    if wrapped {
        c.expect(b"}").ok()?;
    }
    c.end().ok()?;
    Some(message)
}

/// The symbol that a text names where the scanner looks for it, whatever else is wrong with the text.
pub(super) fn named(text: &[u8], symbols: &Symbols) -> Option<u16> {
    let mut c = Cursor::new(text);
    if c.take(b"{\"stream\":") {
        c.string().ok()?;
        c.expect(b",\"data\":").ok()?;
    }
    symbols.index(c.named(b"s")?)
}

/// The symbol that a text goes on with.
fn symbol<'s>(
    c: &mut Cursor<'_>,
    symbols: &'s Symbols,
) -> Result<Option<(u16, &'s StreamSymbol)>, JsonError> {
    c.expect(b",\"s\":")?;
    let name = c.string()?;
    Ok(symbols.index(name).and_then(|index| Some((index, symbols.get(index)?))))
}

/// From the value of `E` on.
fn depth(c: &mut Cursor<'_>, symbols: &Symbols, parsed: &mut Parsed) -> Result<Message, JsonError> {
    let mut ids = Ids { sent: c.uint()?, ..Ids::default() };
    if c.take(b",\"T\":") {
        ids.made = c.uint()?;
    }
    let Some((index, symbol)) = symbol(c, symbols)? else { return Ok(Message::UnknownSymbol) };
    if c.take(b",\"ps\":") {
        c.string()?;
    }
    c.expect(b",\"U\":")?;
    ids.first = Some(c.uint()?);
    c.expect(b",\"u\":")?;
    ids.last = Some(c.uint()?);
    if c.take(b",\"pu\":") {
        ids.prev = Some(c.uint()?);
    }
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    c.expect(b",\"b\":")?;
    c.levels(decimals, &mut parsed.bids)?;
    c.expect(b",\"a\":")?;
    c.levels(decimals, &mut parsed.asks)?;
    c.expect(b"}")?;
    ids.head(index).map(Message::Book).ok_or_else(|| c.error(JsonCause::Shape))
}

/// From the value of `E` on.
fn trade(
    c: &mut Cursor<'_>,
    id_key: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, JsonError> {
    let mut ms = c.uint()?;
    if c.take(b",\"T\":") {
        ms = c.uint()?;
    }
    let Some((index, symbol)) = symbol(c, symbols)? else { return Ok(Message::UnknownSymbol) };
    c.expect(id_key)?;
    let id = c.uint()?;
    c.expect(b",\"p\":")?;
    let px = Px(c.quoted(symbol.px_decimals)?);
    c.expect(b",\"q\":")?;
    let qty = Qty(c.quoted(symbol.qty_decimals)?);
    for key in [&b",\"f\":"[..], b",\"l\":"] {
        if c.take(key) {
            c.uint()?;
        }
    }
    if c.take(b",\"T\":") {
        ms = c.uint()?;
    }
    if c.take(b",\"X\":") {
        c.string()?;
    }
    c.expect(b",\"m\":")?;
    let resting = Some(if c.take(b"true") { Side::Buy } else { Side::Sell });
    if resting == Some(Side::Sell) {
        c.expect(b"false")?;
    }
    if c.take(b",\"M\":") && !c.take(b"true") {
        c.expect(b"false")?;
    }
    c.expect(b"}")?;
    let ts_venue: Ts = time(ms).ok_or_else(|| c.error(JsonCause::Number))?;
    let trade = Trade { symbol: index, px, qty, id, resting, ts_venue };
    parsed.push_trade(trade).map_err(|cause| c.error(cause))?;
    Ok(Message::Trades)
}

/// From the value of `u` on.
fn ticker(
    c: &mut Cursor<'_>,
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, JsonError> {
    let last = c.uint()?;
    let Some((index, symbol)) = symbol(c, symbols)? else { return Ok(Message::UnknownSymbol) };
    if c.take(b",\"ps\":") {
        c.string()?;
    }
    let mut side = |px: &[u8], qty: &[u8]| {
        c.expect(px)?;
        let px = Px(c.quoted(symbol.px_decimals)?);
        c.expect(qty)?;
        Ok((px, Qty(c.quoted(symbol.qty_decimals)?)))
    };
    let bid = side(b",\"b\":", b",\"B\":")?;
    let ask = side(b",\"a\":", b",\"A\":")?;
    for key in [&b",\"T\":"[..], b",\"E\":"] {
        if c.take(key) {
            c.uint()?;
        }
    }
    c.expect(b"}")?;
    parsed.ticker = Ticker { symbol: index, last, bid, ask };
    Ok(Message::Ticker)
}
