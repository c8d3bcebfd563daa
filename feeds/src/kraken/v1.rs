//! The texts of WebSocket v1 that are arrays, as captures have them: `[channel, payload…, name, pair]`.

use model::{Px, Qty, Ts};

use super::Shown;
use super::book::Book;
use super::v2::resting;
use crate::json::{Cursor, JsonCause, JsonError, Levels, decimal};
use crate::stream::{
    BookHead, BookKind, Message, ParseError, Parsed, StreamSymbol, Symbols, Trade,
};

/// Reads a book, whose depth its channel's name says, or trades; another channel is [`Message::Other`].
pub(super) fn scan(
    text: &[u8],
    symbols: &Symbols,
    books: &mut [Book],
    shown: &mut Shown,
    parsed: &mut Parsed,
) -> Result<Option<Message>, ParseError> {
    let text = text.trim_ascii_end();
    let mut c = Cursor::new(text);
    c.expect(b"[")?;
    c.uint()?;
    c.expect(b",")?;
    let Some((name, pair)) = names(text) else { return Err(c.error(JsonCause::Shape).into()) };
    let Some(index) = symbols.index(pair) else { return Ok(Some(Message::UnknownSymbol)) };
    let Some(symbol) = symbols.get(index) else { return Ok(Some(Message::UnknownSymbol)) };
    let read = match name.strip_prefix(b"book-") {
        Some(digits) => book(text, &mut c, symbol, shown, parsed).and_then(|head| {
            let depth = decimal(digits, 0).and_then(|depth| u16::try_from(depth).ok());
            let known = books.get_mut(usize::from(index));
            if known.is_some_and(|known| known.grant_again(head.kind, depth)) {
                Ok(Message::Book(BookHead { symbol: index, ..head }))
            } else {
                Err(c.error(JsonCause::Shape))
            }
        }),
        None if name == b"trade" => trades(&mut c, index, symbol, parsed).map(|()| Message::Trades),
        None => return Ok(Some(Message::Other)),
    };
    read.map(Some).map_err(|error| ParseError { error, symbol: Some(index) })
}

/// Name and pair, which stand last: without the pair nothing before it can be read.
fn names(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = text.strip_suffix(b"\"]")?.rsplit(|byte| *byte == b'"');
    let pair = parts.next()?;
    let comma = parts.next()?;
    let name = parts.next()?;
    (comma == b",").then_some((name, pair))
}

fn end(c: &mut Cursor<'_>) -> Result<(), JsonError> {
    c.string()?;
    c.expect(b",")?;
    c.string()?;
    c.expect(b"]")?;
    c.end()
}

fn book(
    text: &[u8],
    c: &mut Cursor<'_>,
    symbol: &StreamSymbol,
    shown: &mut Shown,
    parsed: &mut Parsed,
) -> Result<BookHead, JsonError> {
    let mut head = BookHead {
        symbol: 0,
        kind: BookKind::Delta,
        first: 0,
        last: 0,
        prev: None,
        checksum: None,
        ts_venue: Ts(0),
    };
    while c.peek() == Some(b'{') {
        c.object(|c, key| {
            if key == b"c" {
                let sum = decimal(c.string()?, 0).and_then(|sum| u32::try_from(sum).ok());
                head.checksum = Some(sum.ok_or_else(|| c.error(JsonCause::Number))?);
                return Ok(());
            }
            let to = match key {
                b"a" | b"as" => &mut parsed.asks,
                b"b" | b"bs" => &mut parsed.bids,
                _ => return c.skip_plain(),
            };
            if key.len() == 2 {
                head.kind = BookKind::Snapshot;
            }
            levels(text, c, symbol, shown, to, &mut head.ts_venue)
        })?;
        c.expect(b",")?;
    }
    end(c)?;
    Ok(head)
}

/// `["price","volume","seconds"(,"r")]` each; the latest time is the message's.
fn levels(
    text: &[u8],
    c: &mut Cursor<'_>,
    symbol: &StreamSymbol,
    shown: &mut Shown,
    to: &mut Levels,
    latest: &mut Ts,
) -> Result<(), JsonError> {
    c.array(|c| {
        c.expect(b"[")?;
        let px = shown.decimal(c, text, 0, symbol.px_decimals)?;
        c.expect(b",")?;
        let qty = shown.decimal(c, text, 1, symbol.qty_decimals)?;
        c.expect(b",")?;
        *latest = seconds(c)?.max(*latest);
        rest(c)?;
        to.push(Px(px), Qty(qty)).map_err(|cause| c.error(cause))
    })
}

fn seconds(c: &mut Cursor<'_>) -> Result<Ts, JsonError> {
    c.decimal(9).map(|ns| Ts(ns.unsigned_abs()))
}

/// What else stands in an array, to its end.
fn rest(c: &mut Cursor<'_>) -> Result<(), JsonError> {
    while c.take(b",") {
        c.skip_plain()?;
    }
    c.expect(b"]")
}

/// `["price","volume","seconds","b"|"s",…]` each.
fn trades(
    c: &mut Cursor<'_>,
    index: u16,
    symbol: &StreamSymbol,
    parsed: &mut Parsed,
) -> Result<(), JsonError> {
    c.array(|c| {
        c.expect(b"[")?;
        let px = Px(c.decimal(symbol.px_decimals)?);
        c.expect(b",")?;
        let qty = Qty(c.decimal(symbol.qty_decimals)?);
        c.expect(b",")?;
        let ts_venue = seconds(c)?;
        c.expect(b",")?;
        let resting = resting(c.string()?);
        rest(c)?;
        let trade = Trade { symbol: index, px, qty, id: 0, resting, ts_venue };
        parsed.push_trade(trade).map_err(|cause| c.error(cause))
    })?;
    c.expect(b",")?;
    end(c)
}
