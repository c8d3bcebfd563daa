//! Kraken spot: price levels over WebSocket v2, proved by a checksum; v1 as captures have it. See `kraken/KRAKEN.md`.

mod book;
mod requests;
mod tree;
mod v1;
mod v2;

use model::{Qty, Ts};

use crate::json::{Cursor, JsonError};
use crate::stream::{
    BookHead, BookKind, Judgement, Message, Mismatch, ParseError, Parsed, Position, Rules, SECOND,
    StreamConfig, StreamSymbol, Symbols, Venue,
};
use book::Book;

/// Kraken spot.
#[derive(Debug)]
pub struct Kraken {
    /// By index of the symbol.
    books: Vec<Book>,
    /// Levels a side to ask for.
    depth: u16,
    /// Most decimals that the levels of the last text show.
    shown: Shown,
    /// Whether this connection was asked for the list of instruments.
    listed: bool,
}

/// Most decimals that the texts of prices and of quantities show.
#[derive(Clone, Copy, Debug, Default)]
struct Shown([u8; 2]);

impl Shown {
    /// Reads a price (`which` 0) or a quantity (1) and notes how many decimals its text has.
    #[inline]
    fn decimal(
        &mut self,
        c: &mut Cursor<'_>,
        text: &[u8],
        which: usize,
        decimals: u8,
    ) -> Result<i64, JsonError> {
        let start = c.at() as usize;
        let value = c.decimal(decimals)?;
        let number = text.get(start..c.at() as usize).unwrap_or(&[]);
        let behind = number.iter().rev().skip_while(|byte| **byte == b'"');
        let places = behind.take_while(|byte| **byte != b'.').count();
        if let Some(shown) = self.0.get_mut(which)
            && number.contains(&b'.')
        {
            *shown = (places.min(18) as u8).max(*shown);
        }
        Ok(value)
    }
}

impl Kraken {
    /// The venue for these symbols, with the depth of the configuration or the next that is on offer: 10, 25, 100, 500, 1,000.
    pub fn new(config: &StreamConfig) -> Kraken {
        let depth = requests::depth(config.depth);
        let book = |symbol: &StreamSymbol| {
            Book::new(config.depth, symbol.px_decimals, symbol.qty_decimals)
        };
        let books = config.symbols.iter().map(book).collect();
        Kraken { books, depth, shown: Shown::default(), listed: false }
    }
}

impl Venue for Kraken {
    const NAME: &'static str = "kraken";

    fn rules(&self) -> Rules {
        // The venue takes 150 connections in 10 minutes from one address.
        Rules {
            idle_ns: 15 * SECOND,
            ping_ns: 5 * SECOND,
            attempts_per_minute: 10,
            ..Rules::DEFAULT
        }
    }

    fn ws_url(&self, base: Option<&str>, _: &Symbols) -> String {
        base.unwrap_or("wss://ws.kraken.com/v2").to_owned()
    }

    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        if !self.listed {
            let list = "{\"method\":\"subscribe\",\"params\":{\"channel\":\"instrument\"}}";
            out.push(list.to_owned());
            self.listed = true;
        }
        let book = format!(",\"depth\":{},\"snapshot\":true", self.depth);
        requests::request("subscribe", "book", &book, (symbols, which), out);
        requests::request("subscribe", "trade", ",\"snapshot\":false", (symbols, which), out);
    }

    fn unsubscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        let book = format!(",\"depth\":{}", self.depth);
        requests::request("unsubscribe", "book", &book, (symbols, which), out);
        requests::request("unsubscribe", "trade", "", (symbols, which), out);
    }

    fn ping(&mut self, _: Ts) -> Option<String> {
        Some("{\"method\":\"ping\"}".to_owned())
    }

    fn opened(&mut self) {
        self.listed = false;
    }

    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError> {
        self.shown = Shown::default();
        let read = if text.starts_with(b"[") {
            v1::scan(text, symbols, &mut self.books, &mut self.shown, parsed)?
        } else {
            v2::scan(text, symbols, &mut self.shown, parsed)?
        };
        match read {
            Some(message) => Ok(message),
            None => tree::read(text, symbols, &mut self.books, parsed),
        }
    }

    fn judge(&self, _: &BookHead, _: Position) -> Judgement {
        Judgement::Next
    }

    fn apply(&mut self, head: &BookHead, parsed: &mut Parsed) -> Result<(), Mismatch> {
        let book = self.books.get_mut(usize::from(head.symbol)).ok_or(Mismatch::Checksum)?;
        let depth = book.depth.ok_or(Mismatch::Checksum)?;
        if head.kind == BookKind::Snapshot {
            book.mirror.clear();
            book.set_places(book.told.unwrap_or(self.shown.0));
        }
        let Parsed { bids, asks, .. } = parsed;
        let levels = (bids.as_slice().iter().copied(), asks.as_slice().iter().copied());
        book.mirror.set_all(levels.0, levels.1).map_err(|_| Mismatch::Checksum)?;
        for (side, levels) in [(&mut book.mirror.bids, bids), (&mut book.mirror.asks, asks)] {
            while let Some((px, _)) = side.pop_beyond(depth.into()) {
                levels.push(px, Qty(0)).map_err(|_| Mismatch::Checksum)?;
            }
        }
        let Some(checksum) = head.checksum else {
            // The snapshots of v1 have none.
            return if head.kind == BookKind::Snapshot { Ok(()) } else { Err(Mismatch::Checksum) };
        };
        if checksum != book.checksum() && head.kind == BookKind::Snapshot {
            // The texts may know better than the list of instruments.
            book.set_places(self.shown.0);
        }
        if checksum == book.checksum() { Ok(()) } else { Err(Mismatch::Checksum) }
    }

    fn forget(&mut self, symbol: u16) {
        if let Some(book) = self.books.get_mut(usize::from(symbol)) {
            book.mirror.clear();
        }
    }
}

#[cfg(test)]
mod tests;
