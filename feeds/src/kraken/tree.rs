//! Everything that is neither a book nor trades: answers, status, instruments.

use simd_json::BorrowedValue;
use simd_json::prelude::{ValueAsArray, ValueAsScalar, ValueObjectAccess};

use super::book::Book;
use crate::json::{JsonCause, JsonError};
use crate::stream::{Message, ParseError, Parsed, Symbols};

/// Reads a text.
pub(super) fn read(
    text: &[u8],
    symbols: &Symbols,
    books: &mut [Book],
    parsed: &mut Parsed,
) -> Result<Message, ParseError> {
    let value = parsed.tree.read(text)?;
    let word = |key| value.get(key).and_then(ValueAsScalar::as_str);
    match (word("channel"), word("method"), word("event")) {
        // Numbers are floats here: too late for exact ones.
        (Some("book"), ..) => Err(inexact(&value, symbols)),
        (Some("trade"), ..) if word("type") == Some("update") => Err(inexact(&value, symbols)),
        (Some("heartbeat"), ..) | (_, _, Some("heartbeat")) => {
            Ok(Message::Heartbeat { symbol: None, sequence: None })
        }
        (Some("instrument"), ..) => {
            instruments(&value, symbols, books);
            Ok(Message::Other)
        }
        (_, Some("pong"), _) | (_, _, Some("pong")) => Ok(Message::Pong),
        (_, Some("subscribe" | "unsubscribe"), _) => {
            let granted = value.get("success").and_then(ValueAsScalar::as_bool) == Some(true);
            let symbol = word("symbol").and_then(|name| symbols.index(name.as_bytes()));
            Ok(if granted { grant(&value, symbols, books) } else { Message::Refused { symbol } })
        }
        (_, _, Some("subscriptionStatus")) if word("status") == Some("error") => {
            let symbol = word("pair").and_then(|name| symbols.index(name.as_bytes()));
            Ok(Message::Refused { symbol })
        }
        (_, _, Some("subscriptionStatus")) => Ok(Message::Ack),
        _ => Ok(Message::Other),
    }
}

/// A request was granted. A subscription to a book says how deep it is: refused if that is not what was asked for.
fn grant(value: &BorrowedValue<'_>, symbols: &Symbols, books: &mut [Book]) -> Message {
    let is_new = value.get("method").and_then(ValueAsScalar::as_str) == Some("subscribe");
    let Some(result) = value.get("result").filter(|_| is_new) else { return Message::Ack };
    let word = |key| result.get(key).and_then(ValueAsScalar::as_str);
    let symbol = word("symbol").and_then(|name| symbols.index(name.as_bytes()));
    let book = symbol.and_then(|index| books.get_mut(usize::from(index)));
    let told = result.get("depth").filter(|_| word("channel") == Some("book"));
    let (Some(book), Some(depth)) = (book, told) else { return Message::Ack };
    if book.grant(depth.as_u16()) { Message::Ack } else { Message::Refused { symbol } }
}

/// What cannot be read exactly, and whose it is if all of it is of one symbol.
fn inexact(value: &BorrowedValue<'_>, symbols: &Symbols) -> ParseError {
    let data = value.get("data").and_then(ValueAsArray::as_array);
    let mut named = data.into_iter().flatten().map(|element| {
        let name = element.get("symbol").and_then(ValueAsScalar::as_str)?;
        symbols.index(name.as_bytes())
    });
    let first = named.next().flatten();
    let symbol = first.filter(|_| named.all(|other| other == first));
    ParseError { error: JsonError::whole(JsonCause::Shape), symbol }
}

/// Takes over the decimals of prices and quantities that the venue lists.
fn instruments(value: &BorrowedValue<'_>, symbols: &Symbols, books: &mut [Book]) {
    let pairs = value.get("data").and_then(|data| data.get("pairs"));
    for pair in pairs.and_then(ValueAsArray::as_array).into_iter().flatten() {
        let places = |key| {
            let places = pair.get(key).and_then(ValueAsScalar::as_u8)?;
            (places <= 18).then_some(places)
        };
        let name = pair.get("symbol").and_then(ValueAsScalar::as_str);
        let index = name.and_then(|name| symbols.index(name.as_bytes()));
        let book = index.and_then(|index| books.get_mut(usize::from(index)));
        if let (Some(book), Some(px), Some(qty)) =
            (book, places("price_precision"), places("qty_precision"))
        {
            book.told = Some([px, qty]);
        }
    }
}
