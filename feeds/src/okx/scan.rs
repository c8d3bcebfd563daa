//! The hot texts: books and trades as the venue writes them.

use model::{Px, Qty, Ts};

use super::{Ids, resting};
use crate::json::{Cursor, JsonCause, JsonError};
use crate::stream::{BookKind, Message, Parsed, StreamSymbol, Symbols, Trade};

/// Reads a text; `None`: not one of these shapes, or not whole.
pub(super) fn read(text: &[u8], symbols: &Symbols, parsed: &mut Parsed) -> Option<Message> {
    let mut c = Cursor::new(text);
    if c.take(b"{\"arg\":{\"channel\":\"books\",\"instId\":") {
        book(&mut c, symbols, parsed).ok().flatten()
    } else if c.take(b"{\"arg\":{\"channel\":\"trades\",\"instId\":") {
        trades(&mut c, symbols, parsed).ok()
    } else {
        None
    }
}

/// The symbol that a text names where the scanner looks for it, whatever else is wrong with the text.
pub(super) fn symbol(text: &[u8], symbols: &Symbols) -> Option<u16> {
    let mut c = Cursor::new(text);
    c.expect(b"{\"arg\":").ok()?;
    symbols.index(c.named(b"instId")?)
}

fn book(
    c: &mut Cursor<'_>,
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Option<Message>, JsonError> {
    let index = symbols.index(c.string()?);
    c.expect(b"},\"action\":")?;
    let (Some(index), Some(symbol)) = (index, index.and_then(|index| symbols.get(index))) else {
        return Ok(Some(Message::UnknownSymbol));
    };
    let kind = match c.string()? {
        b"snapshot" => BookKind::Snapshot,
        b"update" => BookKind::Delta,
        _ => return Ok(None),
    };
    c.expect(b",\"data\":[")?;
    let decimals = [symbol.px_decimals, symbol.qty_decimals];
    let mut ids = Ids::default();
    c.object(|c, key| {
        match key {
            b"asks" => c.levels(decimals, &mut parsed.asks)?,
            b"bids" => c.levels(decimals, &mut parsed.bids)?,
            b"ts" => ids.ts_ms = c.decimal(0)?.unsigned_abs(),
            b"checksum" => ids.checksum = c.int()?,
            b"seqId" => ids.seq = Some(c.int()?),
            b"prevSeqId" => ids.prev = Some(c.int()?),
            _ => c.skip_plain()?,
        }
        Ok(())
    })?;
    c.expect(b"]}")?;
    c.end()?;
    Ok(ids.head(index, kind).map(Message::Book))
}

fn trades(
    c: &mut Cursor<'_>,
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Result<Message, JsonError> {
    let index = symbols.index(c.string()?);
    c.expect(b"},\"data\":")?;
    let (Some(index), Some(symbol)) = (index, index.and_then(|index| symbols.get(index))) else {
        return Ok(Message::UnknownSymbol);
    };
    c.array(|c| {
        let trade = trade(c, index, symbol)?;
        parsed.push_trade(trade).map_err(|cause| c.error(cause))
    })?;
    c.expect(b"}")?;
    c.end()?;
    Ok(Message::Trades)
}

fn trade(c: &mut Cursor<'_>, index: u16, symbol: &StreamSymbol) -> Result<Trade, JsonError> {
    let (mut px, mut qty, mut id, mut side, mut ts_ms) = (None, None, 0, None, 0);
    c.object(|c, key| {
        match key {
            b"px" => px = Some(c.decimal(symbol.px_decimals)?),
            b"sz" => qty = Some(c.decimal(symbol.qty_decimals)?),
            b"tradeId" => id = c.decimal(0)?.unsigned_abs(),
            b"side" => side = resting(c.string()?),
            b"ts" => ts_ms = c.decimal(0)?.unsigned_abs(),
            _ => c.skip_plain()?,
        }
        Ok(())
    })?;
    let ts = u64::checked_mul(ts_ms, 1_000_000);
    let (Some(px), Some(qty), Some(ts)) = (px, qty, ts) else {
        return Err(c.error(JsonCause::Shape));
    };
    Ok(Trade { symbol: index, px: Px(px), qty: Qty(qty), id, resting: side, ts_venue: Ts(ts) })
}
