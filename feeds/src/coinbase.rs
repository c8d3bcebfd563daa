//! Coinbase Exchange over WebSocket: price levels, with the numbers of trades as the only proof of the connection; or every
//! order, in a sequence ([`CoinbaseFull`]). See `coinbase/COINBASE.md`.

mod full;
mod scan;
mod tree;

pub use full::CoinbaseFull;

use model::{Side, Ts};

use crate::stream::{
    BookHead, Judgement, Message, ParseError, Parsed, Position, Rules, SECOND, StreamConfig,
    Symbols, Venue,
};

/// Products of one request.
const CHUNK: usize = 100;

/// Coinbase Exchange.
#[derive(Debug)]
pub struct Coinbase {
    /// By index of the symbol.
    tapes: Vec<Tape>,
    /// Whether this connection was asked for more than books.
    asked: bool,
}

/// What is known of the trades of a product.
#[derive(Clone, Copy, Debug, Default)]
struct Tape {
    /// Number of the last trade; zero: none yet.
    last: u64,
    /// Number that the last heartbeat named.
    named: u64,
}

/// A trade as the venue writes it: of a real one, or the last before the subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    New,
    Last,
}

/// What a text says, before the numbers of its trades are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Message(Message),
    /// One trade, in [`Parsed::trades`].
    Match(Match),
    Heartbeat {
        symbol: u16,
        trade: u64,
    },
}

impl Coinbase {
    /// The venue for these symbols. The depth is always the whole book.
    pub fn new(config: &StreamConfig) -> Coinbase {
        Coinbase { tapes: vec![Tape::default(); config.symbols.len()], asked: false }
    }

    /// Looks for a hole in the trades: it means that the connection lost something, perhaps of a book.
    fn prove(&mut self, said: Said, parsed: &mut Parsed) -> Message {
        match said {
            Said::Message(message) => {
                // Perhaps of the trades: they are asked for again with the next book.
                self.asked &= !matches!(message, Message::Refused { .. });
                message
            }
            Said::Match(kind) => self.on_match(kind, parsed),
            Said::Heartbeat { symbol, trade } => match self.tapes.get_mut(usize::from(symbol)) {
                Some(tape) if tape.last != 0 && tape.last < tape.named => Message::Reset,
                Some(tape) => {
                    tape.named = trade;
                    Message::Heartbeat { symbol: Some(symbol), sequence: None }
                }
                None => Message::Other,
            },
        }
    }

    fn on_match(&mut self, kind: Match, parsed: &mut Parsed) -> Message {
        let Some(trade) = parsed.trades.first() else { return Message::Other };
        let Some(tape) = self.tapes.get_mut(usize::from(trade.symbol)) else {
            return Message::Other;
        };
        let known = tape.last;
        tape.last = known.max(trade.id);
        if known != 0 && trade.id.saturating_sub(known) > 1 {
            return Message::Reset;
        }
        if kind == Match::Last || (known != 0 && trade.id <= known) {
            parsed.trades.clear();
            return Message::Other;
        }
        Message::Trades
    }
}

fn request(kind: &str, channels: &str, symbols: &Symbols, which: &[u16], out: &mut Vec<String>) {
    for chunk in which.chunks(CHUNK) {
        let names: Vec<String> = chunk
            .iter()
            .filter_map(|index| symbols.get(*index))
            .map(|symbol| format!("\"{}\"", symbol.venue_symbol))
            .collect();
        let names = names.join(",");
        out.push(format!(
            "{{\"type\":\"{kind}\",\"product_ids\":[{names}],\"channels\":[{channels}]}}"
        ));
    }
}

impl Venue for Coinbase {
    const NAME: &'static str = "coinbase";

    fn rules(&self) -> Rules {
        // A heartbeat comes each second.
        Rules { idle_ns: 10 * SECOND, ..Rules::DEFAULT }
    }

    fn ws_url(&self, base: Option<&str>, _: &Symbols) -> String {
        base.unwrap_or("wss://ws-feed.exchange.coinbase.com").to_owned()
    }

    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        if !self.asked {
            self.asked = true;
            request("subscribe", "\"matches\",\"heartbeat\"", symbols, which, out);
        }
        request("subscribe", "\"level2_batch\"", symbols, which, out);
    }

    /// Of the books alone: the trades must go on without a hole.
    fn unsubscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        request("unsubscribe", "\"level2_batch\"", symbols, which, out);
    }

    fn opened(&mut self) {
        self.asked = false;
        self.tapes.fill(Tape::default());
    }

    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError> {
        if let Some(said) = scan::read(text, symbols, parsed) {
            return Ok(self.prove(said, parsed));
        }
        parsed.clear();
        let said = tree::read(text, symbols, parsed).map_err(|error| {
            let symbol = error.symbol.or_else(|| scan::symbol(text, symbols));
            ParseError { symbol, ..error }
        })?;
        Ok(self.prove(said, parsed))
    }

    fn judge(&self, _: &BookHead, _: Position) -> Judgement {
        Judgement::Next
    }
}

/// The side of a book, or of the order that made a trade.
fn side(text: &[u8]) -> Option<Side> {
    match text {
        b"buy" => Some(Side::Buy),
        b"sell" => Some(Side::Sell),
        _ => None,
    }
}

fn head(symbol: u16, kind: crate::stream::BookKind, ts_venue: Ts) -> Message {
    Message::Book(BookHead {
        symbol,
        kind,
        first: 0,
        last: 0,
        prev: None,
        checksum: None,
        ts_venue,
    })
}

#[cfg(test)]
mod tests;
