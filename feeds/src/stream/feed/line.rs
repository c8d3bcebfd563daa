//! Captures: the same texts, line by line, with marks where a connection opened or closed and before what was asked for.

use model::{Event, Ts};

use super::{Core, Phase, StreamFeed};
use crate::json::Cursor;
use crate::stream::venue::Venue;

impl<V: Venue> StreamFeed<V> {
    /// Takes a line of a capture, recorded at `ts`. What the machine wants done is not done: nobody is there to do it.
    ///
    /// Marks of our own captures: `{"tickgate":"open"}`, `{"tickgate":"close"}`, and before the body of a snapshot
    /// `{"tickgate":"get","request":7,"symbol":"BTCUSDT"}`. In captures without marks a body is known by its shape, and is
    /// that of the first book in need of one; their connection opens with their first line.
    pub fn on_line(&mut self, text: &[u8], ts: Ts, emit: &mut impl FnMut(Event)) {
        if let Some(mark) = text.strip_prefix(b"{\"tickgate\":") {
            self.on_mark(mark, ts, emit);
        } else if let Some(symbol) = self.awaited.take() {
            self.core.on_body(symbol, Ok(text), &mut self.parsed, ts, emit);
        } else {
            if !self.core.connection.is_open() {
                self.on_open(ts, emit);
            }
            match self.core.needy().filter(|_| self.core.venue.is_snapshot(text)) {
                Some(symbol) => self.core.on_body(symbol, Ok(text), &mut self.parsed, ts, emit),
                None => self.on_text(text, ts, emit),
            }
        }
        self.core.actions.clear();
    }

    fn on_mark(&mut self, mark: &[u8], ts: Ts, emit: &mut impl FnMut(Event)) {
        let mut mark = Cursor::new(mark);
        match mark.string() {
            Ok(b"open") => self.on_open(ts, emit),
            Ok(b"close") => self.on_close(ts, emit),
            Ok(b"get") => {
                let symbol = mark
                    .expect(b",\"request\":")
                    .and_then(|()| mark.uint())
                    .and_then(|_| mark.expect(b",\"symbol\":"))
                    .and_then(|()| mark.string());
                self.awaited = symbol.ok().and_then(|name| self.core.symbols.index(name));
            }
            _ => {}
        }
    }
}

impl<V: Venue> Core<V> {
    /// The first book in need of a snapshot.
    fn needy(&self) -> Option<u16> {
        let needs = |phase| matches!(phase, Phase::Buffering | Phase::Snapshot | Phase::Resync);
        self.books.iter().position(|book| needs(book.phase)).map(|place| place as u16)
    }
}
