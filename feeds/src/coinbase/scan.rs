//! The hot texts: books and trades as the venue writes them.

use model::{Px, Qty, Side, Ts};

use super::{Match, Said, head, side};
use crate::json::{Cursor, JsonCause, JsonError};
use crate::stream::{BookKind, Message, Parsed, StreamSymbol, Symbols, Trade, rfc3339};

/// Reads a text; `None`: not one of these shapes, or not whole.
pub(super) fn read(text: &[u8], symbols: &Symbols, parsed: &mut Parsed) -> Option<Said> {
    let mut c = Cursor::new(text);
    if c.take(b"{\"type\":\"l2update\",\"product_id\":") {
        book(&mut c, BookKind::Delta, symbols, parsed).ok().map(Said::Message)
    } else if c.take(b"{\"type\":\"snapshot\",\"product_id\":") {
        book(&mut c, BookKind::Snapshot, symbols, parsed).ok().map(Said::Message)
    } else if c.take(b"{\"type\":\"match\",") {
        trade(&mut c, Match::New, symbols, parsed).ok()
    } else if c.take(b"{\"type\":\"last_match\",") {
        trade(&mut c, Match::Last, symbols, parsed).ok()
    } else {
        None
    }
}

/// The product that a text names where the scanner looks for it, whatever else is wrong with the text.
pub(super) fn symbol(text: &[u8], symbols: &Symbols) -> Option<u16> {
    symbols.index(Cursor::new(text).named(b"product_id")?)
}

fn time(c: &mut Cursor<'_>) -> Result<Ts, JsonError> {
    rfc3339(c.string()?).ok_or_else(|| c.error(JsonCause::Shape))
}

/// From the value of `product_id` on.
fn book(
    c: &mut Cursor<'_>,
    kind: BookKind,
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, JsonError> {
    let index = symbols.index(c.string()?);
    let (Some(index), Some(symbol)) = (index, index.and_then(|index| symbols.get(index))) else {
        return Ok(Message::UnknownSymbol);
    };
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    let (mut ts, mut told) = (Ts(0), 0);
    while c.take(b",") {
        let key = c.string()?;
        c.expect(b":")?;
        told += 1;
        match (key, kind) {
            (b"bids", BookKind::Snapshot) => c.levels(decimals, &mut parsed.bids)?,
            (b"asks", BookKind::Snapshot) => c.levels(decimals, &mut parsed.asks)?,
            (b"changes", BookKind::Delta) => changes(c, symbol, parsed)?,
            (b"time", _) => {
                ts = time(c)?;
                told -= 1;
            }
            _ => {
                c.skip_plain()?;
                told -= 1;
            }
        }
    }
    c.expect(b"}")?;
    c.end()?;
    let whole = if kind == BookKind::Snapshot { 2 } else { 1 };
    if told == whole { Ok(head(index, kind, ts)) } else { Err(c.error(JsonCause::Shape)) }
}

fn changes(
    c: &mut Cursor<'_>,
    symbol: &StreamSymbol,
    parsed: &mut Parsed,
) -> Result<(), JsonError> {
    c.array(|c| {
        c.expect(b"[")?;
        let to = match side(c.string()?) {
            Some(Side::Buy) => &mut parsed.bids,
            Some(Side::Sell) => &mut parsed.asks,
            None => return Err(c.error(JsonCause::Shape)),
        };
        c.expect(b",")?;
        let px = c.decimal(symbol.px_decimals)?;
        c.expect(b",")?;
        let qty = c.decimal(symbol.qty_decimals)?;
        c.expect(b"]")?;
        to.push(Px(px), Qty(qty)).map_err(|cause| c.error(cause))
    })
}

/// From the second key on. The product, which says how to read price and size, comes after them.
fn trade(
    c: &mut Cursor<'_>,
    kind: Match,
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Said, JsonError> {
    let (mut id, mut px, mut qty, mut resting, mut index, mut ts_venue) =
        (0, None, None, None, None, Ts(0));
    let mut known = false;
    loop {
        let key = c.string()?;
        c.expect(b":")?;
        let here = *c;
        match key {
            b"trade_id" => id = c.uint()?,
            b"side" => resting = side(c.string()?),
            b"product_id" => {
                index = symbols.index(c.string()?);
                known = true;
            }
            b"time" => ts_venue = time(c)?,
            _ => c.skip_plain()?,
        }
        match key {
            b"price" => px = Some(here),
            b"size" => qty = Some(here),
            _ => {}
        }
        if !c.take(b",") {
            break;
        }
    }
    c.expect(b"}")?;
    c.end()?;
    let shape = c.error(JsonCause::Shape);
    let (true, Some(mut px), Some(mut qty), 1..) = (known, px, qty, id) else { return Err(shape) };
    let (Some(index), Some(symbol)) = (index, index.and_then(|index| symbols.get(index))) else {
        return Ok(Said::Message(Message::UnknownSymbol));
    };
    let (px, qty) = (px.decimal(symbol.px_decimals)?, qty.decimal(symbol.qty_decimals)?);
    let trade = Trade { symbol: index, px: Px(px), qty: Qty(qty), id, resting, ts_venue };
    parsed.push_trade(trade).map_err(|cause| c.error(cause))?;
    Ok(Said::Match(kind))
}
