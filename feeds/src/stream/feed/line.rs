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
    /// that of the first book in need of one; their connection opens with their first line. A body of a symbol that is not
    /// ours, or that no book is in need of, is passed over.
    pub fn on_line(&mut self, text: &[u8], ts: Ts, emit: &mut impl FnMut(Event)) {
        if let Some(mark) = text.strip_prefix(b"{\"tickgate\":") {
            self.on_mark(mark, ts, emit);
        } else if let Some(symbol) = self.awaited.take() {
            self.on_recorded_body(symbol, text, ts, emit);
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

    /// Takes the body that a mark has announced. What came too late is in captures as well.
    fn on_recorded_body(
        &mut self,
        symbol: Option<u16>,
        body: &[u8],
        ts: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        match symbol {
            Some(symbol) if self.core.needs(symbol) => {
                self.core.on_body(symbol, Ok(body), &mut self.parsed, ts, emit);
            }
            Some(_) => self.core.counters.late += 1,
            None => self.core.counters.foreign += 1,
        }
    }

    fn on_mark(&mut self, mark: &[u8], ts: Ts, emit: &mut impl FnMut(Event)) {
        let mut mark = Cursor::new(mark);
        self.awaited = None;
        match mark.string() {
            Ok(b"open") => self.on_open(ts, emit),
            Ok(b"close") => self.on_close(ts, emit),
            Ok(b"get") => {
                let symbol = mark
                    .expect(b",\"request\":")
                    .and_then(|()| mark.uint())
                    .and_then(|_| mark.expect(b",\"symbol\":"))
                    .and_then(|()| mark.string());
                self.awaited = Some(symbol.ok().and_then(|name| self.core.symbols.index(name)));
            }
            _ => {}
        }
    }
}

impl<V: Venue> Core<V> {
    /// The first book in need of a snapshot.
    fn needy(&self) -> Option<u16> {
        (0..self.books.len() as u16).find(|symbol| self.needs(*symbol))
    }

    /// Whether a book is in need of a snapshot.
    fn needs(&self, symbol: u16) -> bool {
        let phase = self.books.get(usize::from(symbol)).map(|book| book.phase);
        matches!(phase, Some(Phase::Buffering | Phase::Snapshot | Phase::Resync))
    }
}

#[cfg(test)]
mod tests {
    use model::{FeedId, Symbol};

    use super::*;
    use crate::binance::{Binance, Market};
    use crate::stream::{StreamConfig, StreamSymbol};

    const OPEN: &str = r#"{"tickgate":"open"}"#;

    fn feed(names: &[&str]) -> StreamFeed<Binance> {
        let symbol = |name: &&str| StreamSymbol {
            venue_symbol: (*name).to_owned(),
            symbol: Symbol::new(name).unwrap(),
            px_decimals: 2,
            qty_decimals: 3,
        };
        let symbols = names.iter().map(symbol).collect();
        let config = StreamConfig {
            feed: FeedId(0),
            symbols,
            depth: 5,
            seed: 1,
            ws_url: None,
            rest_url: None,
        };
        let mut feed = StreamFeed::new(Binance::new(Market::Spot), config).unwrap();
        feed.start(Ts(0), &mut |_| {});
        feed
    }

    fn play(feed: &mut StreamFeed<Binance>, lines: &[&str]) -> [Option<Phase>; 2] {
        for (ts, line) in (1..).zip(lines) {
            feed.on_line(line.as_bytes(), Ts(ts), &mut |_| {});
        }
        ["AUSDT", "BUSDT"].map(|name| feed.phase(Symbol::new(name).unwrap()))
    }

    fn get(name: &str) -> String {
        format!(r#"{{"tickgate":"get","request":1,"symbol":"{name}"}}"#)
    }

    fn body(last: u64) -> String {
        format!(r#"{{"lastUpdateId":{last},"bids":[["1.00","1.000"]],"asks":[]}}"#)
    }

    /// Goal: the body of a symbol that is not ours is no other's book. Method: a capture of A and B for a feed of B alone, and
    /// marks that announce a body that does not come.
    #[test]
    fn body_of_another() {
        let (mut feed, get_a, get_b) = (feed(&["BUSDT"]), get("AUSDT"), get("BUSDT"));
        let phases = play(&mut feed, &[OPEN, &get_a, &body(100)]);
        assert_eq!((phases[1], feed.counters().foreign), (Some(Phase::Buffering), 1));
        play(&mut feed, &[r#"{"tickgate":"get","symbol":"BUSDT"}"#, &body(100)]);
        assert_eq!(
            (feed.counters().snapshots, feed.counters().foreign),
            (0, 2),
            "not a mark of ours"
        );
        let phases = play(&mut feed, &[&get_a, &get_b, &body(7)]);
        assert_eq!((phases[1], feed.counters().snapshots), (Some(Phase::Bridging), 1));
        let text = r#"{"e":"trade","E":1,"s":"BUSDT","t":1,"p":"1.00","q":"1.000","T":1,"m":true,"M":true}"#;
        play(&mut feed, &[&get_a, OPEN, text]);
        assert_eq!(feed.counters().trades, 1, "another connection: the body is lost");
    }

    /// Goal: a body that came too late changes nothing. Method: a book that is live, then a body for it that is none, and one
    /// that is older; and a body while there is no connection.
    #[test]
    fn late_bodies() {
        let (mut feed, get_a) = (feed(&["AUSDT", "BUSDT"]), get("AUSDT"));
        play(&mut feed, &[&get_a, &body(1)]);
        assert_eq!((feed.counters().late, feed.counters().snapshots), (1, 0));
        let diff =
            r#"{"e":"depthUpdate","E":1,"s":"AUSDT","U":8,"u":9,"b":[["2.00","1.000"]],"a":[]}"#;
        play(&mut feed, &[OPEN, &get_a, &body(7), diff]);
        let phases = play(&mut feed, &[&get_a, "{}", &get_a, &body(3)]);
        assert_eq!(phases, [Some(Phase::Live), Some(Phase::Buffering)]);
        let counters = feed.counters();
        assert_eq!((counters.late, counters.snapshots, counters.snapshots_failed), (3, 1, 0));
    }
}
