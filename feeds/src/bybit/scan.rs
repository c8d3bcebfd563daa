//! The hot texts: books and trades as the venue writes them.

use model::{Px, Qty, Ts};

use super::{Ids, book_topic, kind, resting, trade_id, trade_topic};
use crate::json::{Cursor, JsonCause, JsonError};
use crate::stream::{Message, Parsed, StreamSymbol, Symbols, Trade};

/// Reads a text; `None`: not one of these shapes, or not whole.
pub(super) fn read(text: &[u8], symbols: &Symbols, parsed: &mut Parsed) -> Option<Message> {
    let mut c = Cursor::new(text);
    c.expect(b"{\"topic\":").ok()?;
    let topic = c.string().ok()?;
    c.expect(b",\"type\":").ok()?;
    if let Some(name) = book_topic(topic) {
        let Some(index) = symbols.index(name) else { return Some(Message::UnknownSymbol) };
        let ids = book(&mut c, symbols.get(index)?, parsed).ok()?;
        ids.head(index).map(Message::Book)
    } else if let Some(name) = trade_topic(topic) {
        let Some(index) = symbols.index(name) else { return Some(Message::UnknownSymbol) };
        trades(&mut c, index, symbols.get(index)?, parsed).ok()?;
        Some(Message::Trades)
    } else {
        None
    }
}

/// The symbol that a text names where the scanner looks for it, whatever else is wrong with the text.
pub(super) fn symbol(text: &[u8], symbols: &Symbols) -> Option<u16> {
    let topic = Cursor::new(text).named(b"topic")?;
    symbols.index(book_topic(topic).or_else(|| trade_topic(topic))?)
}

/// From the value of `type` on.
fn book(c: &mut Cursor<'_>, symbol: &StreamSymbol, parsed: &mut Parsed) -> Result<Ids, JsonError> {
    let mut ids = Ids { kind: kind(c.string()?), ..Ids::default() };
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    while c.take(b",") {
        let key = c.string()?;
        c.expect(b":")?;
        match key {
            b"data" => c.object(|c, key| {
                match key {
                    b"b" => c.levels(decimals, &mut parsed.bids)?,
                    b"a" => c.levels(decimals, &mut parsed.asks)?,
                    b"u" => ids.u = Some(c.uint()?),
                    _ => c.skip_plain()?,
                }
                Ok(())
            })?,
            b"ts" => ids.ts_ms = c.uint()?,
            b"cts" => ids.cts_ms = c.uint()?,
            _ => c.skip_plain()?,
        }
    }
    c.expect(b"}")?;
    c.end()?;
    Ok(ids)
}

fn trades(
    c: &mut Cursor<'_>,
    index: u16,
    symbol: &StreamSymbol,
    parsed: &mut Parsed,
) -> Result<(), JsonError> {
    c.string()?;
    while c.take(b",") {
        let key = c.string()?;
        c.expect(b":")?;
        if key != b"data" {
            c.skip_plain()?;
            continue;
        }
        c.array(|c| {
            let trade = trade(c, index, symbol)?;
            parsed.push_trade(trade).map_err(|cause| c.error(cause))
        })?;
    }
    c.expect(b"}")?;
    c.end()
}

fn trade(c: &mut Cursor<'_>, index: u16, symbol: &StreamSymbol) -> Result<Trade, JsonError> {
    let (mut px, mut qty, mut id, mut side, mut ts_ms) = (None, None, 0, None, 0);
    c.object(|c, key| {
        match key {
            b"p" => px = Some(c.decimal(symbol.px_decimals)?),
            b"v" => qty = Some(c.decimal(symbol.qty_decimals)?),
            b"i" => id = trade_id(c.string()?),
            b"S" => side = resting(c.string()?),
            b"T" => ts_ms = c.uint()?,
            _ => c.skip_plain()?,
        }
        Ok(())
    })?;
    let (Some(px), Some(qty), Some(ts)) = (px, qty, u64::checked_mul(ts_ms, 1_000_000)) else {
        return Err(c.error(JsonCause::Shape));
    };
    Ok(Trade { symbol: index, px: Px(px), qty: Qty(qty), id, resting: side, ts_venue: Ts(ts) })
}
