//! Every order of Coinbase Exchange: the channel `full` in its sequence, whole books over HTTP.

mod scan;
mod table;
mod tree;

use model::{Kind, OrderRef, Px, Qty, Side, Ts};
use table::{Resting, Table};

use super::{request, side};
use crate::stream::{
    BookHead, BookKind, Judgement, Message, Mismatch, ORDERS_MAX, OrderChange, ParseError, Parsed,
    Position, Rules, SECOND, SnapshotBy, StreamConfig, StreamSymbol, Symbols, Venue,
};

/// Orders of a product that were received and need not rest yet.
const RECEIVED_MAX: usize = 256;

/// Coinbase Exchange, order by order.
#[derive(Debug)]
pub struct CoinbaseFull {
    orders: Table,
    /// By index of the symbol.
    products: Vec<Product>,
    /// The last reference that was given: no two orders ever have the same.
    last_order: u64,
}

/// What is known of a product beside its orders.
#[derive(Clone, Debug)]
struct Product {
    /// Number of the last trade that was told of on this connection; zero: none.
    last_trade: u64,
    /// The orders received last, in a ring.
    received: Vec<u128>,
    next: usize,
}

impl CoinbaseFull {
    /// The venue for these symbols, with room for [`ORDERS_MAX`] orders.
    pub fn new(config: &StreamConfig) -> CoinbaseFull {
        CoinbaseFull::with_room(config, ORDERS_MAX)
    }

    /// The same with room for so many orders, of all books together, half of it at most for one of several. A book with more
    /// is in doubt until it has fewer.
    pub fn with_room(config: &StreamConfig, orders: usize) -> CoinbaseFull {
        let product = Product { last_trade: 0, received: vec![0; RECEIVED_MAX], next: 0 };
        CoinbaseFull {
            orders: Table::new(orders.min(ORDERS_MAX), config.symbols.len(), config.seed),
            products: vec![product; config.symbols.len()],
            last_order: 0,
        }
    }

    /// Keeps of the trades of a text what was not told before.
    fn only_new(&mut self, parsed: &mut Parsed) {
        let products = &mut self.products;
        parsed.trades.retain(|trade| {
            let Some(product) = products.get_mut(usize::from(trade.symbol)) else { return false };
            let is_new = trade.id > product.last_trade;
            product.last_trade = product.last_trade.max(trade.id);
            is_new
        });
    }

    /// Does to the orders what a change says, and makes of it what the engine's book is to do. `is_trade`: it is told of here
    /// for the first time, if it is one.
    fn change(
        &mut self,
        symbol: u16,
        change: &mut OrderChange,
        is_trade: bool,
    ) -> Result<(), Mismatch> {
        match change.kind {
            Kind::Add => self.open(symbol, change),
            Kind::Execute => self.trade(symbol, change, is_trade),
            Kind::Modify => self.modify(symbol, change),
            Kind::Delete => {
                match self.orders.get(change.id, symbol) {
                    Some(resting) => {
                        change.order = OrderRef(resting.order);
                        self.orders.remove(change.id, symbol);
                    }
                    // It never rested, or the trades have left nothing of it.
                    None => change.kind = Kind::Notice,
                }
                Ok(())
            }
            _ => {
                if let Some(product) = self.products.get_mut(usize::from(symbol)) {
                    product.receive(change.id);
                }
                Ok(())
            }
        }
    }

    fn open(&mut self, symbol: u16, change: &mut OrderChange) -> Result<(), Mismatch> {
        let Some(side) = change.side.filter(|_| change.px.0 > 0 && change.qty.0 > 0) else {
            return Err(Mismatch::BadOrder);
        };
        self.last_order += 1;
        change.order = OrderRef(self.last_order);
        let (px, qty) = (change.px.0, change.qty.0);
        self.orders.insert(change.id, Resting { order: self.last_order, px, qty, symbol, side })
    }

    /// A resting order has traded.
    fn trade(
        &mut self,
        symbol: u16,
        change: &mut OrderChange,
        is_trade: bool,
    ) -> Result<(), Mismatch> {
        let resting = self.orders.get(change.id, symbol).ok_or(Mismatch::UnknownOrder)?;
        let left = resting.qty - change.qty.0;
        if change.qty.0 <= 0 || left < 0 {
            return Err(Mismatch::BadOrder);
        }
        if left > 0 {
            self.orders.set(change.id, symbol, resting.px, left);
        } else {
            self.orders.remove(change.id, symbol);
        }
        change.order = OrderRef(resting.order);
        if !is_trade {
            (change.kind, change.px, change.trade) = (Kind::Reduce, Px(0), 0);
        } else if change.px.0 == resting.px {
            change.px = Px(0);
        } else {
            change.kind = Kind::ExecuteAt;
        }
        Ok(())
    }

    fn modify(&mut self, symbol: u16, change: &mut OrderChange) -> Result<(), Mismatch> {
        let Some(resting) = self.orders.get(change.id, symbol) else {
            // The venue also speaks of orders that it has received and not put on the book.
            let product = self.products.get(usize::from(symbol));
            change.kind = Kind::Notice;
            let is_known = product.is_some_and(|product| product.received.contains(&change.id));
            return if is_known { Ok(()) } else { Err(Mismatch::UnknownOrder) };
        };
        if change.qty.0 <= 0 {
            return Err(Mismatch::BadOrder);
        }
        if change.px == Px(0) {
            change.px = Px(resting.px);
        }
        change.order = OrderRef(resting.order);
        self.orders.set(change.id, symbol, change.px.0, change.qty.0);
        Ok(())
    }
}

impl Product {
    fn receive(&mut self, id: u128) {
        if let Some(place) = self.received.get_mut(self.next) {
            *place = id;
        }
        self.next = (self.next + 1) % RECEIVED_MAX;
    }
}

impl Venue for CoinbaseFull {
    const NAME: &'static str = "coinbase_full";

    fn rules(&self) -> Rules {
        Rules {
            // Whole books of every order are large, and the venue cuts those off that ask for many.
            snapshot: SnapshotBy::Rest { per_minute: 20 },
            subscribes_again: true,
            // A heartbeat comes each second.
            idle_ns: 10 * SECOND,
            ..Rules::DEFAULT
        }
    }

    fn ws_url(&self, base: Option<&str>, _: &Symbols) -> String {
        base.unwrap_or("wss://ws-feed.exchange.coinbase.com").to_owned()
    }

    fn subscribe(&mut self, symbols: &Symbols, which: &[u16], _: u16, out: &mut Vec<String>) {
        request("subscribe", "\"full\",\"heartbeat\"", symbols, which, out);
    }

    fn snapshot_url(&self, base: Option<&str>, symbol: &StreamSymbol, _: u16) -> String {
        let (base, name) =
            (base.unwrap_or("https://api.exchange.coinbase.com"), &symbol.venue_symbol);
        format!("{base}/products/{name}/book?level=3")
    }

    fn opened(&mut self) {
        self.orders.clear();
        self.products.iter_mut().for_each(|product| product.last_trade = 0);
    }

    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError> {
        let scanned = scan::read(text, symbols, parsed);
        let message = match scanned {
            Some(message) => message,
            None => {
                parsed.clear();
                tree::read(text, symbols, parsed).map_err(|error| ParseError {
                    symbol: error.symbol.or_else(|| super::scan::symbol(text, symbols)),
                    ..error
                })?
            }
        };
        self.only_new(parsed);
        Ok(message)
    }

    fn parse_snapshot(
        &mut self,
        symbol: u16,
        body: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<BookHead, ParseError> {
        if let Some(head) = scan::snapshot(symbol, body, symbols, parsed) {
            return Ok(head);
        }
        parsed.clear();
        tree::snapshot(symbol, body, symbols, parsed)
    }

    fn is_snapshot(&self, text: &[u8]) -> bool {
        [&b"{\"bids\":"[..], b"{\"asks\":", b"{\"sequence\":"]
            .iter()
            .any(|start| text.starts_with(start))
    }

    /// Numbers step by one. One before the last, once messages have followed, shows that either was wrong.
    fn judge(&self, head: &BookHead, position: Position) -> Judgement {
        let Position { last, bridged } = position;
        if head.last == last || !bridged && head.last < last {
            Judgement::Old
        } else if head.last < last || head.first > last.saturating_add(1) {
            Judgement::Gap
        } else {
            Judgement::Next
        }
    }

    fn apply(&mut self, head: &BookHead, parsed: &mut Parsed) -> Result<(), Mismatch> {
        let is_trade = !parsed.trades.is_empty();
        for change in &mut parsed.orders {
            self.change(head.symbol, change, is_trade)?;
        }
        parsed.trades.clear(); // The orders tell of them.
        Ok(())
    }

    fn forget(&mut self, symbol: u16) {
        self.orders.forget(symbol);
        if let Some(product) = self.products.get_mut(usize::from(symbol)) {
            product.received.fill(0);
        }
    }
}

/// The kinds of messages that step the sequence of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Received,
    Open,
    Match,
    Change,
    Done,
}

impl Said {
    fn of(word: &[u8]) -> Option<Said> {
        Some(match word {
            b"received" => Said::Received,
            b"open" => Said::Open,
            b"match" => Said::Match,
            b"change" => Said::Change,
            b"done" => Said::Done,
            _ => return None,
        })
    }

    /// What it is of an order.
    const fn kind(self) -> Kind {
        match self {
            Said::Received => Kind::Notice,
            Said::Open => Kind::Add,
            Said::Match => Kind::Execute,
            Said::Change => Kind::Modify,
            Said::Done => Kind::Delete,
        }
    }
}

fn head(symbol: u16, kind: BookKind, sequence: u64, ts_venue: Ts) -> BookHead {
    let (first, last) = (sequence, sequence);
    BookHead { symbol, kind, first, last, prev: None, checksum: None, ts_venue }
}

/// An order of a whole book.
const fn resting(id: u128, side: Side, px: i64, qty: i64) -> OrderChange {
    let (side, px, qty) = (Some(side), Px(px), Qty(qty));
    OrderChange { id, kind: Kind::Add, side, px, qty, trade: 0, order: OrderRef(0) }
}

/// `f3a1…`: 32 hexadecimal digits, with dashes behind the 8th, 12th, 16th and 20th.
fn uuid(text: &[u8]) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    let mut value = 0;
    for (place, byte) in text.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests;
