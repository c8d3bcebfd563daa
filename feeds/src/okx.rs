//! OKX v5: price levels over WebSocket in a chain of sequence ids, with a checksum where the venue still sends one. See
//! `okx/OKX.md`.

mod book;
mod scan;
mod tree;

use model::{Side, Ts};

use crate::stream::{
    BookHead, BookKind, Judgement, Message, Mismatch, ParseError, Parsed, Position, Rules, SECOND,
    StreamConfig, Symbols, Venue,
};
use book::Book;

/// Arguments of one request.
const CHUNK: usize = 100;

/// OKX v5.
#[derive(Debug)]
pub struct Okx {
    /// By index of the symbol.
    books: Vec<Book>,
}

impl Okx {
    /// The venue for these symbols. The depth is always 400.
    pub fn new(config: &StreamConfig) -> Okx {
        let symbols = config.symbols.iter();
        Okx { books: symbols.map(|s| Book::new(s.px_decimals, s.qty_decimals)).collect() }
    }
}

fn request(op: &str, symbols: &Symbols, which: &[u16], out: &mut Vec<String>) {
    for chunk in which.chunks(CHUNK / 2) {
        let mut args = Vec::with_capacity(CHUNK);
        for channel in ["books", "trades"] {
            for symbol in chunk.iter().filter_map(|index| symbols.get(*index)) {
                let name = &symbol.venue_symbol;
                args.push(format!("{{\"channel\":\"{channel}\",\"instId\":\"{name}\"}}"));
            }
        }
        out.push(format!("{{\"op\":\"{op}\",\"args\":[{}]}}", args.join(",")));
    }
}

impl Venue for Okx {
    const NAME: &'static str = "okx";

    fn rules(&self) -> Rules {
        // The venue cuts after 30 s without a byte, and says of each book that nothing changes after 60 s. It takes 480 requests
        // an hour and connection: to subscribe anew takes two.
        Rules {
            book_idle_ns: 90 * SECOND,
            ping_ns: 20 * SECOND,
            attempts_per_minute: 4,
            ..Rules::DEFAULT
        }
    }

    fn ws_url(&self, base: Option<&str>, _: &Symbols) -> String {
        base.unwrap_or("wss://ws.okx.com:8443/ws/v5/public").to_owned()
    }

    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        request("subscribe", symbols, which, out);
    }

    fn unsubscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        request("unsubscribe", symbols, which, out);
    }

    fn ping(&mut self, _: Ts) -> Option<String> {
        Some("ping".to_owned())
    }

    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError> {
        if text == b"pong" {
            return Ok(Message::Pong);
        }
        if let Some(message) = scan::read(text, symbols, parsed) {
            return Ok(message);
        }
        parsed.clear();
        tree::read(text, symbols, parsed).map_err(|error| {
            let symbol = error.symbol.or_else(|| scan::symbol(text, symbols));
            ParseError { symbol, ..error }
        })
    }

    fn judge(&self, head: &BookHead, position: Position) -> Judgement {
        match head.prev {
            // Captures from before the ids: the checksum alone decides.
            None => Judgement::Next,
            // A keep-alive (the same id again) and a reset by maintenance (a smaller one) name the right predecessor too.
            Some(prev) if prev == position.last => Judgement::Next,
            // A copy of what was last applied. An id below that might be the first after a reset that was lost.
            Some(_) if head.last == position.last => Judgement::Old,
            Some(_) => Judgement::Gap,
        }
    }

    fn apply(&mut self, head: &BookHead, parsed: &mut Parsed) -> Result<(), Mismatch> {
        let book = self.books.get_mut(usize::from(head.symbol)).ok_or(Mismatch::Checksum)?;
        if head.kind == BookKind::Snapshot {
            book.restart(head.checksum.is_some());
        }
        if !book.is_checked() {
            // Without ids there was only the checksum, and nothing is kept that it could be held against.
            let is_blind = head.kind == BookKind::Delta && head.prev.is_none();
            return if is_blind { Err(Mismatch::Checksum) } else { Ok(()) };
        }
        let (bids, asks) = (parsed.bids.as_slice(), parsed.asks.as_slice());
        let set = book.mirror.set_all(bids.iter().copied(), asks.iter().copied());
        match head.checksum {
            // Sent no longer, in mid-stream: the ids go on.
            None => Ok(()),
            Some(checksum) if set.is_ok() && checksum == book.checksum() => Ok(()),
            Some(_) => Err(Mismatch::Checksum),
        }
    }

    fn forget(&mut self, symbol: u16) {
        if let Some(book) = self.books.get_mut(usize::from(symbol)) {
            book.restart(false);
        }
    }
}

/// What an element of `books` says of itself.
#[derive(Clone, Copy, Default)]
struct Ids {
    ts_ms: u64,
    checksum: i64,
    seq: Option<i64>,
    prev: Option<i64>,
}

impl Ids {
    /// The head of the message; `None` if it proves nothing of itself, or what it says cannot be.
    fn head(&self, symbol: u16, kind: BookKind) -> Option<BookHead> {
        let seq = self.seq.map(u64::try_from).transpose().ok()?;
        let prev = match (kind, self.prev) {
            // -1, or nothing.
            (BookKind::Snapshot, _) | (_, None) => None,
            (BookKind::Delta, Some(prev)) => Some(u64::try_from(prev).ok()?),
        };
        // An update with one id alone, or with neither id nor checksum, could not be checked.
        let has_checksum = self.checksum != 0;
        if kind == BookKind::Delta
            && (seq.is_some() != prev.is_some() || !(seq.is_some() || has_checksum))
        {
            return None;
        }
        let checksum = i32::try_from(self.checksum).ok()?.cast_unsigned();
        let last = seq.unwrap_or(0);
        Some(BookHead {
            symbol,
            kind,
            first: last,
            last,
            prev,
            checksum: has_checksum.then_some(checksum),
            ts_venue: Ts(self.ts_ms.checked_mul(1_000_000)?),
        })
    }
}

/// The side that rested when this one took.
fn resting(taker: &[u8]) -> Option<Side> {
    match taker {
        b"buy" => Some(Side::Sell),
        b"sell" => Some(Side::Buy),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
