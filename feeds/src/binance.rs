//! Binance: spot, and futures margined in stablecoins (USD-M) or coins (COIN-M): diffs of price levels over
//! WebSocket, whole books over HTTP. See `binance/BINANCE.md`.

mod scan;
mod tree;

use model::Ts;

use crate::stream::{
    BookHead, BookKind, Judgement, Message, ParseError, Parsed, Position, Rules, SECOND,
    SnapshotBy, StreamSymbol, Symbols, Venue,
};

/// Longest request, bytes: the venue does not answer one of more than 4,088.
const REQUEST_MAX: usize = 4_000;
/// What a request has beside its streams, at most, bytes.
const FRAME: usize = 64;
/// Symbols of one connection: so many, with names of 24 characters, fit in four requests. The venue closes a connection that
/// sends more than five messages a second, answers to its pings among them.
const SYMBOLS: u16 = 200;

/// What is traded, each with its own addresses and its own rule of sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    /// Spot.
    Spot,
    /// Futures margined in stablecoins.
    Usdm,
    /// Futures margined in coins.
    Coinm,
}

/// Binance.
#[derive(Debug)]
pub struct Binance {
    market: Market,
    /// Number of the last request.
    request: u64,
    check: Check,
}

/// What an answer to our question for subscriptions is held against.
#[derive(Clone, Copy, Debug, Default)]
struct Check {
    /// Number of the last such question; zero before the first.
    request: u64,
    /// Streams that the connection is subscribed to.
    streams: usize,
}

impl Binance {
    /// The venue for one market.
    pub fn new(market: Market) -> Binance {
        Binance { market, request: 0, check: Check::default() }
    }

    fn ask(&mut self, method: &str, symbols: &Symbols, which: &[u16], out: &mut Vec<String>) {
        let mut streams = String::new();
        for symbol in which.iter().filter_map(|index| symbols.get(*index)) {
            let name = symbol.venue_symbol.to_lowercase();
            let more = format!("\"{name}@depth@100ms\",\"{name}@trade\"");
            if streams.len() + more.len() + FRAME > REQUEST_MAX {
                self.request(method, &std::mem::take(&mut streams), out);
            }
            if !streams.is_empty() {
                streams.push(',');
            }
            streams.push_str(&more);
            self.check.streams += 2;
        }
        if !streams.is_empty() {
            self.request(method, &streams, out);
        }
    }

    fn request(&mut self, method: &str, streams: &str, out: &mut Vec<String>) {
        self.request += 1;
        let id = self.request;
        out.push(format!("{{\"method\":\"{method}\",\"params\":[{streams}],\"id\":{id}}}"));
    }
}

impl Venue for Binance {
    const NAME: &'static str = "binance";

    fn rules(&self) -> Rules {
        Rules {
            // A whole book of 5,000 levels costs 250 of 6,000 a minute on spot, one of 1,000 costs 20 of 2,400 elsewhere.
            snapshot: SnapshotBy::Rest { per_minute: 20 },
            // The venue's own pings are the transport's. A quiet book is told from a dead connection by a request of ours, and
            // so is one whose subscription was lost while others talk.
            idle_ns: 60 * SECOND,
            ping_ns: 20 * SECOND,
            ping_always: true,
            age_ns: 23 * 3600 * SECOND,
            symbols_max: SYMBOLS,
            ..Rules::DEFAULT
        }
    }

    fn ws_url(&self, base: Option<&str>, _: &Symbols) -> String {
        let own = match self.market {
            Market::Spot => "wss://stream.binance.com:9443/stream",
            Market::Usdm => "wss://fstream.binance.com/stream",
            Market::Coinm => "wss://dstream.binance.com/stream",
        };
        base.unwrap_or(own).to_owned()
    }

    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        self.ask("SUBSCRIBE", symbols, which, out);
    }

    fn snapshot_url(&self, base: Option<&str>, symbol: &StreamSymbol, depth: u16) -> String {
        let (own, path, limits): (&str, &str, &[u16]) = match self.market {
            Market::Spot => ("https://api.binance.com", "api/v3", &[100, 500, 1_000, 5_000]),
            Market::Usdm => ("https://fapi.binance.com", "fapi/v1", &[100, 500, 1_000]),
            Market::Coinm => ("https://dapi.binance.com", "dapi/v1", &[100, 500, 1_000]),
        };
        let largest = limits.last().copied().unwrap_or(depth);
        let limit = limits.iter().copied().find(|limit| *limit >= depth).unwrap_or(largest);
        let (base, name) = (base.unwrap_or(own), &symbol.venue_symbol);
        format!("{base}/{path}/depth?symbol={name}&limit={limit}")
    }

    fn ping(&mut self, _: Ts) -> Option<String> {
        self.request += 1;
        self.check.request = self.request;
        Some(format!("{{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":{}}}", self.request))
    }

    fn opened(&mut self) {
        self.check = Check::default();
    }

    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError> {
        if let Some(message) = scan::read(text, symbols, parsed) {
            return Ok(message);
        }
        parsed.clear();
        tree::read(text, symbols, self.check, parsed).map_err(|error| {
            let symbol = error.symbol.or_else(|| scan::named(text, symbols));
            ParseError { symbol, ..error }
        })
    }

    fn parse_snapshot(
        &mut self,
        symbol: u16,
        body: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<BookHead, ParseError> {
        tree::snapshot(symbol, body, symbols, parsed)
    }

    fn is_snapshot(&self, text: &[u8]) -> bool {
        text.starts_with(b"{\"lastUpdateId\":")
    }

    fn judge(&self, head: &BookHead, position: Position) -> Judgement {
        match self.market {
            Market::Spot => judge_spot(head, position),
            Market::Usdm | Market::Coinm => judge_futures(head, position),
        }
    }
}

/// Numbers run without a hole: a diff must not begin behind the next. One that ends before the last may be a repeat, but no
/// more than the last it may have been wrong: to drop all such would keep a book that nothing reaches any more.
fn judge_spot(head: &BookHead, position: Position) -> Judgement {
    let Position { last, bridged } = position;
    if head.last == last || !bridged && head.last < last {
        Judgement::Old
    } else if head.last < last || head.first > last.saturating_add(1) {
        Judgement::Gap
    } else {
        Judgement::Next
    }
}

/// Numbers are shared with other streams: the first diff spans the snapshot, each other names the one before it. One that ends
/// before the last is what it is on spot.
fn judge_futures(head: &BookHead, position: Position) -> Judgement {
    let Position { last, bridged } = position;
    let is_old = if bridged { head.last == last } else { head.last < last };
    if is_old {
        Judgement::Old
    } else if if bridged { head.last > last && head.prev == Some(last) } else { head.first <= last }
    {
        Judgement::Next
    } else {
        Judgement::Gap
    }
}

/// What a diff says of itself.
#[derive(Clone, Copy, Default)]
struct Ids {
    first: Option<u64>,
    last: Option<u64>,
    prev: Option<u64>,
    /// When the engine made it, else when the message was made; ms, or µs where the connection asks for them.
    made: u64,
    sent: u64,
}

impl Ids {
    /// The head of the message; `None` if something is missing or cannot be.
    fn head(&self, symbol: u16) -> Option<BookHead> {
        let (first, last) = (self.first?, self.last?);
        let ts_venue = time(if self.made > 0 { self.made } else { self.sent })?;
        let (kind, prev) = (BookKind::Delta, self.prev);
        (first <= last).then_some(BookHead {
            symbol,
            kind,
            first,
            last,
            prev,
            checksum: None,
            ts_venue,
        })
    }
}

/// Milliseconds or microseconds, told apart by their size: a millisecond of the year 5138 is a microsecond of 1973.
fn time(value: u64) -> Option<Ts> {
    let factor = if value < 100_000_000_000_000 { 1_000_000 } else { 1_000 };
    value.checked_mul(factor).map(Ts)
}

#[cfg(test)]
mod tests;
