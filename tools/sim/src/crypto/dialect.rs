//! The protocols: how each venue says what there is to say.

mod binance;
mod bybit;
mod coinbase;
mod coinbase_full;
mod kraken;
mod okx;

use super::orders::{Order, OrderSaid};
use super::truth::{Changes, Levels, Print};
use super::venue::Listing;
use crate::rng::Rng;

/// A protocol that the venue can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Binance spot: diffs numbered without a hole, whole books by HTTP.
    BinanceSpot,
    /// Binance futures margined in stablecoins: each diff names the one before.
    BinanceUsdm,
    /// Binance futures margined in coins: the same.
    BinanceCoinm,
    /// Bybit v5 `orderbook`: numbers that rise by one, 1 after a restart.
    Bybit,
    /// Coinbase Exchange `level2`: no numbers; those of trades.
    Coinbase,
    /// Coinbase Exchange `full`: every order, numbers that rise by one, whole books by HTTP.
    CoinbaseFull,
    /// Kraken v2 `book`: a checksum.
    Kraken,
    /// OKX v5 `books`: a chain of ids, and a checksum if wanted.
    Okx,
}

impl Protocol {
    /// All of them.
    pub const ALL: &[Protocol] = &[
        Protocol::BinanceSpot,
        Protocol::BinanceUsdm,
        Protocol::BinanceCoinm,
        Protocol::Bybit,
        Protocol::Coinbase,
        Protocol::CoinbaseFull,
        Protocol::Kraken,
        Protocol::Okx,
    ];

    /// The name that commands use.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::BinanceSpot => "binance_spot",
            Protocol::BinanceUsdm => "binance_usdm",
            Protocol::BinanceCoinm => "binance_coinm",
            Protocol::Bybit => "bybit",
            Protocol::Coinbase => "coinbase",
            Protocol::CoinbaseFull => "coinbase_full",
            Protocol::Kraken => "kraken",
            Protocol::Okx => "okx",
        }
    }

    /// The protocol of a name.
    pub fn from_name(name: &str) -> Option<Protocol> {
        Self::ALL.iter().copied().find(|protocol| protocol.name() == name)
    }

    /// Two symbols as the venue writes them.
    pub const fn symbols(self) -> [&'static str; 2] {
        match self {
            Protocol::BinanceSpot | Protocol::BinanceUsdm | Protocol::Bybit => {
                ["BTCUSDT", "ETHUSDT"]
            }
            Protocol::BinanceCoinm => ["BTCUSD_PERP", "ETHUSD_PERP"],
            Protocol::Coinbase | Protocol::CoinbaseFull => ["BTC-USD", "ETH-USD"],
            Protocol::Kraken => ["BTC/USD", "ETH/USD"],
            Protocol::Okx => ["BTC-USDT", "ETH-USDT"],
        }
    }

    /// Whether every order is told.
    pub const fn tells_orders(self) -> bool {
        matches!(self, Protocol::CoinbaseFull)
    }

    /// Whether a book message that is lost shows in a later one.
    pub const fn shows_loss(self) -> bool {
        !matches!(self, Protocol::Coinbase)
    }

    /// Whether a book message that comes late, or once more and late, shows.
    pub const fn shows_order(self) -> bool {
        !matches!(self, Protocol::Coinbase | Protocol::Kraken)
    }

    pub(super) fn dialect(self, checksums: bool) -> Box<dyn Dialect> {
        match self {
            Protocol::BinanceSpot | Protocol::BinanceUsdm | Protocol::BinanceCoinm => {
                Box::new(binance::Binance(self))
            }
            Protocol::Bybit => Box::new(bybit::Bybit),
            Protocol::Coinbase => Box::new(coinbase::Coinbase { full: false }),
            Protocol::CoinbaseFull => Box::new(coinbase::Coinbase { full: true }),
            Protocol::Kraken => Box::new(kraken::Kraken),
            Protocol::Okx => Box::new(okx::Okx { checksums }),
        }
    }
}

/// What is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The book to so many levels a side.
    Book(usize),
    Trades,
    /// The best bid and ask.
    Ticker,
    Heartbeat,
}

/// What a request leads to, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Say(String),
    Subscribe(Topic, usize),
    Unsubscribe(Topic, usize),
}

/// Numbers of a book message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    pub first: u64,
    pub last: u64,
    /// Last number of the message before.
    pub prev: u64,
}

/// A book message before it is written.
pub struct Told<'a> {
    pub listing: &'a Listing,
    pub depth: usize,
    pub ids: Ids,
    /// The levels: of the whole book, or those that changed.
    pub levels: &'a Changes,
    pub whole: bool,
    /// The subscriber's book after this message.
    pub view: &'a Levels,
    /// Nanoseconds since the epoch.
    pub now: u64,
}

/// A whole book that is asked for by address.
pub struct Asked {
    pub symbol: usize,
    pub depth: usize,
}

/// How a venue speaks.
pub trait Dialect: Send {
    /// What it says first on a connection.
    fn greeting(&self, now: u64) -> Option<String> {
        let _ = now;
        None
    }

    /// What a text of the client leads to.
    fn request(&self, text: &str, listings: &[Listing], now: u64) -> Vec<Effect>;

    /// The answer to a client that asks what it is subscribed to; `None`: it asks something else.
    fn subscriptions(
        &self,
        text: &str,
        topics: &[(Topic, usize)],
        listings: &[Listing],
    ) -> Option<String> {
        let _ = (text, topics, listings);
        None
    }

    /// What it says instead, if it will not grant a request.
    fn refusal(&self, text: &str) -> Option<String>;

    /// Whether the stream begins with the whole book.
    fn begins_whole(&self) -> bool {
        true
    }

    /// Whether a subscriber is told which levels fall off the depth.
    fn tells_fallen(&self) -> bool {
        true
    }

    /// Numbers of the message after `last`; whether it has to be a whole book.
    fn number(&self, last: u64, rng: &mut Rng) -> (Ids, bool) {
        let _ = rng;
        (Ids { first: last + 1, last: last + 1, prev: last }, false)
    }

    fn book(&self, told: &Told<'_>) -> String;

    fn trade(&self, listing: &Listing, print: &Print, now: u64) -> String;

    /// A trade from before the subscription, where the venue begins with one.
    fn last_trade(&self, listing: &Listing, id: u64, now: u64) -> Option<String> {
        let _ = (listing, id, now);
        None
    }

    fn ticker(&self, told: &Told<'_>) -> Option<String> {
        let _ = told;
        None
    }

    /// What is said each second about a symbol with a heartbeat, or (`None`) about the connection.
    fn heartbeat(&self, symbol: Option<(&Listing, u64)>, now: u64) -> Option<String> {
        let _ = (symbol, now);
        None
    }

    /// The same where it names the sequence of the book.
    fn beat(&self, listing: &Listing, trade: u64, sequence: u64, now: u64) -> Option<String> {
        let _ = sequence;
        self.heartbeat(Some((listing, trade)), now)
    }

    /// What happens to an order, where orders are told.
    fn order(&self, listing: &Listing, sequence: u64, said: &OrderSaid, now: u64) -> String {
        let _ = (listing, sequence, said, now);
        String::new()
    }

    /// The body of a whole book of orders, oldest first.
    fn order_body(&self, listing: &Listing, sequence: u64, orders: &[Order], now: u64) -> String {
        let _ = (listing, sequence, orders, now);
        String::new()
    }

    /// That nothing changed, where the venue says so.
    fn keep_alive(&self, told: &Told<'_>) -> Option<String> {
        let _ = told;
        None
    }

    /// That the connection is about to end.
    fn farewell(&self) -> Option<String> {
        None
    }

    /// Which book an address asks for.
    fn asked(&self, path: &str, listings: &[Listing]) -> Option<Asked> {
        let _ = (path, listings);
        None
    }

    /// The body of such an answer.
    fn body(&self, told: &Told<'_>) -> String {
        let _ = told;
        String::new()
    }
}

/// `["price","quantity"…],…` with `tail` inside each.
fn pairs(
    levels: &[(u64, u64)],
    px: impl Fn(u64) -> String,
    qty: impl Fn(u64) -> String,
    tail: &str,
) -> String {
    let pair = |(p, q): &(u64, u64)| format!("[\"{}\",\"{}\"{tail}]", px(*p), qty(*q));
    levels.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// The value of a field that is a text.
fn field<'a>(value: &'a serde_json::Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

/// Elements of a field that is a list; none if it is not.
fn list<'a>(value: &'a serde_json::Value, name: &str) -> &'a [serde_json::Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Milliseconds.
const fn ms(ns: u64) -> u64 {
    ns / 1_000_000
}

#[cfg(test)]
mod tests;
