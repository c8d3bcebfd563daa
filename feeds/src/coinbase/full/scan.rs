//! The texts of the channel as the venue writes them, in any order of their keys, and whole books.

use model::{OrderRef, Px, Qty, Side, Ts};

use super::{Said, head, resting, side, uuid};
use crate::json::{Cursor, JsonCause, JsonError};
use crate::stream::{
    BookHead, BookKind, Message, OrderChange, Parsed, StreamSymbol, Symbols, Trade, rfc3339,
};

/// Where the values of a message stand. How to read most of them is known at its end.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    said: Option<Said>,
    product: Option<&'a [u8]>,
    sequence: Option<u64>,
    trade: Option<u64>,
    order: Option<&'a [u8]>,
    maker: Option<&'a [u8]>,
    side: Option<Side>,
    time: Option<&'a [u8]>,
    price: Option<Cursor<'a>>,
    size: Option<Cursor<'a>>,
    remaining: Option<Cursor<'a>>,
    new_price: Option<Cursor<'a>>,
    new_size: Option<Cursor<'a>>,
}

/// Reads a text; `None`: none of this channel, or one that the other parser has to judge.
pub(super) fn read(text: &[u8], symbols: &Symbols, parsed: &mut Parsed) -> Option<Message> {
    let mut c = Cursor::new(text);
    let mut fields = Fields::default();
    c.object(|c, key| fields.take(c, key)).ok()?;
    c.end().ok()?;
    let said = fields.said?;
    let index = match symbols.index(fields.product?) {
        None => return Some(Message::UnknownSymbol),
        Some(index) => index,
    };
    let ts_venue = fields.time.map_or(Some(Ts(0)), rfc3339)?;
    let symbol = symbols.get(index)?;
    let change = fields.change(said, symbol)?;
    if said == Said::Match {
        let (px, qty, resting) = (change.px, change.qty, fields.side);
        let trade = Trade { symbol: index, px, qty, id: change.trade, resting, ts_venue };
        parsed.push_trade(trade).ok()?;
    }
    parsed.push_order(change).ok()?;
    Some(Message::Book(head(index, BookKind::Delta, fields.sequence?, ts_venue)))
}

impl<'a> Fields<'a> {
    /// Passes the value of a key.
    fn take(&mut self, c: &mut Cursor<'a>, key: &[u8]) -> Result<(), JsonError> {
        let here = *c;
        match key {
            b"type" => self.said = Some(Said::of(c.string()?).ok_or(c.error(JsonCause::Shape))?),
            b"product_id" => self.product = Some(c.string()?),
            b"sequence" => self.sequence = Some(c.uint()?),
            b"trade_id" => self.trade = Some(c.uint()?),
            b"order_id" => self.order = Some(c.string()?),
            b"maker_order_id" => self.maker = Some(c.string()?),
            b"side" => self.side = side(c.string()?),
            b"time" => self.time = Some(c.string()?),
            _ => {
                c.skip_plain()?;
                match key {
                    b"price" => self.price = Some(here),
                    b"size" => self.size = Some(here),
                    b"remaining_size" => self.remaining = Some(here),
                    b"new_price" => self.new_price = Some(here),
                    b"new_size" => self.new_size = Some(here),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What the message does to an order.
    fn change(&self, said: Said, symbol: &StreamSymbol) -> Option<OrderChange> {
        let px = |at: Option<Cursor<'a>>| Some(Px(at?.quoted(symbol.px_decimals).ok()?));
        let qty = |at: Option<Cursor<'a>>| Some(Qty(at?.quoted(symbol.qty_decimals).ok()?));
        let id = uuid(if said == Said::Match { self.maker? } else { self.order? })?;
        let change = OrderChange {
            id,
            kind: said.kind(),
            side: None,
            px: Px(0),
            qty: Qty(0),
            trade: 0,
            order: OrderRef(0),
        };
        Some(match said {
            Said::Received | Said::Done => change,
            Said::Open => OrderChange {
                side: Some(self.side?),
                px: px(self.price)?,
                qty: qty(self.remaining)?,
                ..change
            },
            Said::Match => OrderChange {
                px: px(self.price)?,
                qty: qty(self.size)?,
                trade: self.trade.filter(|trade| *trade > 0)?,
                ..change
            },
            // Without a new size: the funds of an order that does not rest. The other parser knows nulls.
            Said::Change => OrderChange {
                px: if self.new_price.is_some() { px(self.new_price)? } else { Px(0) },
                qty: qty(self.new_size)?,
                ..change
            },
        })
    }
}

/// Reads a whole book; `None`: not whole, or one that the other parser has to judge.
pub(super) fn snapshot(
    index: u16,
    body: &[u8],
    symbols: &Symbols,
    parsed: &mut Parsed,
) -> Option<BookHead> {
    let symbol = symbols.get(index)?;
    let (mut sequence, mut ts, mut told) = (None, Ts(0), 0);
    let mut c = Cursor::new(body);
    c.object(|c, key| {
        match key {
            b"bids" => orders(c, Side::Buy, symbol, parsed)?,
            b"asks" => orders(c, Side::Sell, symbol, parsed)?,
            b"sequence" => sequence = Some(c.uint()?),
            b"time" => ts = rfc3339(c.string()?).ok_or_else(|| c.error(JsonCause::Shape))?,
            _ => return c.skip_plain(),
        }
        told += u32::from(matches!(key, b"bids" | b"asks"));
        Ok(())
    })
    .ok()?;
    c.end().ok()?;
    (told == 2).then_some(head(index, BookKind::Snapshot, sequence?, ts))
}

/// Passes one side of a whole book: `[["price","size","id"],…]`.
fn orders(
    c: &mut Cursor<'_>,
    side: Side,
    symbol: &StreamSymbol,
    parsed: &mut Parsed,
) -> Result<(), JsonError> {
    c.array(|c| {
        c.expect(b"[")?;
        let px = c.quoted(symbol.px_decimals)?;
        c.expect(b",")?;
        let qty = c.quoted(symbol.qty_decimals)?;
        c.expect(b",")?;
        let id = uuid(c.string()?).ok_or_else(|| c.error(JsonCause::Shape))?;
        c.expect(b"]")?;
        parsed.push_order(resting(id, side, px, qty)).map_err(|cause| c.error(cause))
    })
}
