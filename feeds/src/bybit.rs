//! Bybit v5: price levels over WebSocket, numbered by one. See `bybit/BYBIT.md`.

mod scan;
mod top;
mod tree;

use model::{Side, Ts};

use crate::stream::{
    BookHead, BookKind, Judgement, Message, Mismatch, ParseError, Parsed, Position, Rules, SECOND,
    StreamConfig, Symbols, Venue,
};
use top::Top;

/// Topics of one request: the limit of spot.
const CHUNK: usize = 10;
/// Symbols of one connection: the venue takes 21,000 characters of topics, and a symbol costs up to 50.
const SYMBOLS: u16 = 400;
/// Depths that the venue offers for every product.
const DEPTHS: [u16; 4] = [1, 50, 200, 1_000];

/// What is traded, each on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Futures and perpetuals settled in USDT or USDC.
    Linear,
    /// Futures and perpetuals settled in the coin.
    Inverse,
    /// Spot.
    Spot,
}

/// Bybit v5.
#[derive(Debug)]
pub struct Bybit {
    product: Product,
    depth: u16,
    /// By index of the symbol: the book, where its last message was a whole one of this kind.
    tops: Vec<Option<Top>>,
}

impl Bybit {
    /// The venue for one product, with the depth of the configuration or the next that is on offer: 1, 50, 200, 1,000.
    pub fn new(config: &StreamConfig, product: Product) -> Bybit {
        let [.., largest] = DEPTHS;
        let depth = DEPTHS.into_iter().find(|depth| *depth >= config.depth).unwrap_or(largest);
        Bybit { product, depth, tops: vec![None; config.symbols.len()] }
    }

    fn request(&self, op: &str, symbols: &Symbols, which: &[u16], out: &mut Vec<String>) {
        for chunk in which.chunks(CHUNK / 2) {
            let symbols = chunk.iter().filter_map(|index| symbols.get(*index));
            let topics: Vec<String> = symbols
                .map(|symbol| {
                    let (depth, name) = (self.depth, &symbol.venue_symbol);
                    format!("\"orderbook.{depth}.{name}\",\"publicTrade.{name}\"")
                })
                .collect();
            out.push(format!("{{\"op\":\"{op}\",\"args\":[{}]}}", topics.join(",")));
        }
    }
}

impl Venue for Bybit {
    const NAME: &'static str = "bybit";

    fn rules(&self) -> Rules {
        // Of depth 1 futures send the last book again after 3 s; nothing is said of that for spot and other depths.
        let repeats = self.depth == 1 && self.product != Product::Spot;
        Rules {
            book_idle_ns: if repeats { 15 * SECOND } else { 0 },
            ping_ns: 20 * SECOND,
            ping_always: true,
            symbols_max: SYMBOLS,
            ..Rules::DEFAULT
        }
    }

    fn ws_url(&self, base: Option<&str>, _: &Symbols) -> String {
        let product = match self.product {
            Product::Linear => "linear",
            Product::Inverse => "inverse",
            Product::Spot => "spot",
        };
        base.map_or_else(|| format!("wss://stream.bybit.com/v5/public/{product}"), str::to_owned)
    }

    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        self.request("subscribe", symbols, which, out);
    }

    fn unsubscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        self.request("unsubscribe", symbols, which, out);
    }

    fn ping(&mut self, _: Ts) -> Option<String> {
        Some("{\"op\":\"ping\"}".to_owned())
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
        tree::read(text, symbols, parsed).map_err(|error| {
            let symbol = error.symbol.or_else(|| scan::symbol(text, symbols));
            ParseError { symbol, ..error }
        })
    }

    fn judge(&self, head: &BookHead, position: Position) -> Judgement {
        if head.last == position.last.saturating_add(1) {
            Judgement::Next
        } else if head.last == position.last {
            Judgement::Old
        } else {
            // A lower number might be the second after a restart whose first was lost: never merely old.
            Judgement::Gap
        }
    }

    fn apply(&mut self, head: &BookHead, parsed: &mut Parsed) -> Result<(), Mismatch> {
        let Some(held) = self.tops.get_mut(usize::from(head.symbol)) else { return Ok(()) };
        let next = Top::of(parsed).filter(|_| head.kind == BookKind::Snapshot);
        let before = std::mem::replace(held, next);
        let (Some(before), Some(next)) = (before, next) else { return Ok(()) };
        before.changes(&next, parsed).map_err(|_| Mismatch::Capacity)
    }

    /// Depth 1 sends nothing but whole books.
    fn goes_on(&self, head: &BookHead, parsed: &Parsed) -> bool {
        let held = self.tops.get(usize::from(head.symbol));
        held.is_some_and(Option::is_some) && Top::of(parsed).is_some()
    }

    fn forget(&mut self, symbol: u16) {
        if let Some(top) = self.tops.get_mut(usize::from(symbol)) {
            *top = None;
        }
    }
}

/// Depth and symbol of a topic `orderbook.50.BTCUSDT`.
fn book_topic(topic: &[u8]) -> Option<&[u8]> {
    let rest = topic.strip_prefix(b"orderbook.")?;
    let point = rest.iter().position(|byte| *byte == b'.')?;
    let (depth, name) = rest.split_at_checked(point)?;
    depth.iter().all(u8::is_ascii_digit).then(|| name.strip_prefix(b"."))?
}

/// The symbol of a topic `publicTrade.BTCUSDT`.
fn trade_topic(topic: &[u8]) -> Option<&[u8]> {
    topic.strip_prefix(b"publicTrade.")
}

/// What a book message says of itself.
#[derive(Clone, Copy, Default)]
struct Ids {
    kind: Option<BookKind>,
    u: Option<u64>,
    /// When the matching engine made it, else when the message was made; ms.
    cts_ms: u64,
    ts_ms: u64,
}

impl Ids {
    /// The head of the message; `None` if something is missing or cannot be.
    fn head(&self, symbol: u16) -> Option<BookHead> {
        let u = self.u?;
        // Whatever it is called: number 1 is the whole book after a restart of the service.
        let kind = if u == 1 { BookKind::Snapshot } else { self.kind? };
        let ms = if self.cts_ms > 0 { self.cts_ms } else { self.ts_ms };
        let ts_venue = Ts(ms.checked_mul(1_000_000)?);
        Some(BookHead { symbol, kind, first: u, last: u, prev: None, checksum: None, ts_venue })
    }
}

fn kind(text: &[u8]) -> Option<BookKind> {
    match text {
        b"snapshot" => Some(BookKind::Snapshot),
        b"delta" => Some(BookKind::Delta),
        _ => None,
    }
}

/// The side that rested when this one took.
fn resting(taker: &[u8]) -> Option<Side> {
    match taker {
        b"Buy" => Some(Side::Sell),
        b"Sell" => Some(Side::Buy),
        _ => None,
    }
}

/// A trade's number; zero if it is a UUID.
fn trade_id(text: &[u8]) -> u64 {
    crate::json::decimal(text, 0).map_or(0, i64::unsigned_abs)
}

#[cfg(test)]
mod tests;
