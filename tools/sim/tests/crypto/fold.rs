//! Books folded from the events of a feed, and held against what a simulated venue knows.
#![allow(dead_code, reason = "two tests include this file, and neither uses all of it")]

use std::collections::{BTreeMap, BTreeSet};

use feeds::stream::{StreamConfig, StreamSymbol};
use model::{Event, FeedId, Flags, Integrity, Kind, Side, Symbol};
use sim::crypto::{CryptoVenue, Levels, Order, Protocol};

/// One book, as a reader of events knows it.
#[derive(Default)]
pub struct Folded {
    pub levels: Levels,
    /// By reference, where every order is told.
    pub orders: BTreeMap<u64, Order>,
    /// Numbers of trades that were told.
    trades: BTreeSet<u64>,
    pub is_live: bool,
    pub why: String,
}

/// All books of a feed, by venue number.
#[derive(Default)]
pub struct Fold {
    pub books: BTreeMap<u32, Folded>,
    seq: u64,
    /// By book: the version that it was held against last, and the truth at it.
    truths: BTreeMap<usize, (u64, Levels)>,
    /// How often a book was found live and right.
    pub proofs: u64,
}

impl Fold {
    pub fn apply(&mut self, event: &Event) {
        let outside = event.flags.has(Flags::SNAPSHOT) || event.kind == Kind::Integrity;
        if event.seq > self.seq + 1 && !outside {
            self.of(0).for_each(|book| book.is_live = false);
        }
        self.seq = self.seq.max(event.seq);
        match event.kind {
            Kind::Directory => _ = self.books.entry(event.number.0).or_default(),
            Kind::Integrity => {
                let (integrity, cause) = event.believed().unwrap();
                for book in self.of(event.number.0) {
                    book.is_live = integrity == Integrity::Live;
                    book.why = format!("{integrity:?} {cause:?}");
                }
            }
            Kind::Clear => self.of(event.number.0).for_each(|book| {
                (book.levels, book.orders) = (Levels::default(), BTreeMap::new());
            }),
            Kind::Level => {
                let levels = &mut self.books.get_mut(&event.number.0).expect("listed").levels;
                let is_ask = event.side == Some(Side::Sell);
                let side = if is_ask { &mut levels.asks } else { &mut levels.bids };
                match event.qty.0 as u64 {
                    0 => side.remove(&(event.px.0 as u64)),
                    qty => side.insert(event.px.0 as u64, qty),
                };
            }
            Kind::Trade => {
                let book = self.books.get_mut(&event.number.0).expect("listed");
                let is_new = book.trades.insert(event.aux);
                assert!(is_new || !book.has_orders(), "told twice: {event:?}");
            }
            Kind::Add
            | Kind::Execute
            | Kind::ExecuteAt
            | Kind::Reduce
            | Kind::Modify
            | Kind::Delete => {
                self.books.get_mut(&event.number.0).expect("listed").on_order(event);
            }
            _ => {}
        }
    }

    fn of(&mut self, number: u32) -> impl Iterator<Item = &mut Folded> {
        let is_it = move |(n, _): &(&u32, &mut Folded)| number == 0 || **n == number;
        self.books.iter_mut().filter(is_it).map(|(_, book)| book)
    }

    /// Every book that is live is the venue's at the version that its subscriber knows.
    pub fn check(
        &mut self,
        venue: &CryptoVenue,
        connected: bool,
        versions: &[u64],
        bodies: &[u64],
    ) {
        let depth = depth(venue.config().protocol);
        for (place, book) in self.books.values().enumerate().filter(|(_, book)| book.is_live) {
            assert!(connected, "live without a connection");
            let mut version = versions[place];
            let mut truth = venue.levels(place, version, depth).expect("remembered");
            if book.levels != truth && bodies[place] > version && book.has_orders() {
                // Nothing has come since the whole book, and the venue says that there is nothing.
                version = bodies[place];
                truth = venue.levels(place, version, depth).expect("remembered");
            }
            if let Some(orders) = venue.orders(place, version) {
                assert_eq!(book.list(), sorted(orders), "orders of book {place} at {version}");
            }
            assert!(
                book.levels == truth,
                "book {place} at {versions:?}: {}",
                difference(book, &truth)
            );
            self.proofs += 1;
        }
    }

    /// Every book is live, and the venue's as it is now.
    pub fn is_healed(&self, venue: &CryptoVenue) -> bool {
        let depth = depth(venue.config().protocol);
        self.books.values().enumerate().all(|(place, book)| {
            let truth = venue.levels(place, venue.version(place), depth).expect("remembered");
            book.is_live && book.levels == truth
        })
    }

    /// What is wrong with each book, and how it differs from the venue's as it is now.
    pub fn differences(&self, venue: &CryptoVenue) -> String {
        let depth = depth(venue.config().protocol);
        let of = |(place, book): (usize, &Folded)| {
            let version = venue.version(place);
            let truth = venue.levels(place, version, depth).expect("remembered");
            format!("book {place} of {version}: {}", difference(book, &truth))
        };
        self.books.values().enumerate().map(of).collect::<Vec<_>>().join("; ")
    }
}

/// All orders without their numbers, in the order of what they are.
fn sorted(orders: impl IntoIterator<Item = Order>) -> Vec<(bool, u64, u64)> {
    let mut list: Vec<_> =
        orders.into_iter().map(|order| (order.buys, order.px, order.qty)).collect();
    list.sort_unstable();
    list
}

impl Folded {
    fn has_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    fn list(&self) -> Vec<(bool, u64, u64)> {
        sorted(self.orders.values().copied())
    }

    /// What happens to one order, strictly.
    fn on_order(&mut self, event: &Event) {
        let (number, px, qty) = (event.order.0, event.px.0 as u64, event.qty.0 as u64);
        if event.kind == Kind::Add {
            let order = Order { number, buys: event.side == Some(Side::Buy), px, qty };
            assert!(qty > 0 && self.orders.insert(number, order).is_none(), "{event:?}");
            return self.fill(order, qty as i64);
        }
        let old = self.orders.remove(&number).unwrap_or_else(|| panic!("unknown: {event:?}"));
        self.fill(old, -(old.qty as i64));
        if matches!(event.kind, Kind::Execute | Kind::ExecuteAt) {
            assert!(self.trades.insert(event.aux), "told twice: {event:?}");
        }
        let new = match event.kind {
            Kind::Modify => Order { px, qty, ..old },
            Kind::Delete => return,
            _ => Order { qty: old.qty.checked_sub(qty).expect("more than is open"), ..old },
        };
        if new.qty > 0 {
            self.orders.insert(number, new);
            self.fill(new, new.qty as i64);
        }
    }

    /// Adds to the level of an order.
    fn fill(&mut self, order: Order, qty: i64) {
        let side = if order.buys { &mut self.levels.bids } else { &mut self.levels.asks };
        let total = side.entry(order.px).or_default();
        *total = total.checked_add_signed(qty).unwrap();
        if *total == 0 {
            side.remove(&order.px);
        }
    }
}

fn difference(book: &Folded, truth: &Levels) -> String {
    format!("{} {:?}", book.why, book.levels.changes(truth))
}

/// Levels a side that a subscriber knows.
pub const fn depth(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Kraken => 10,
        Protocol::Bybit => 50,
        Protocol::Okx => 400,
        _ => usize::MAX,
    }
}

/// The feed that hears all that the venue lists.
pub fn config(venue: &CryptoVenue) -> StreamConfig {
    let symbol = |listing: &sim::crypto::Listing| StreamSymbol {
        venue_symbol: listing.name.clone(),
        symbol: Symbol::new(&listing.name).unwrap(),
        px_decimals: listing.px_decimals,
        qty_decimals: listing.qty_decimals,
    };
    let told = venue.config();
    StreamConfig {
        feed: FeedId(0),
        symbols: told.listings.iter().map(symbol).collect(),
        depth: depth(told.protocol).min(1_000) as u16,
        seed: told.seed,
        ws_url: None,
        rest_url: None,
    }
}

/// The venue of a protocol, as feeds name it.
pub const fn feed(protocol: Protocol) -> feeds::Venue {
    match protocol {
        Protocol::BinanceSpot => feeds::Venue::BinanceSpot,
        Protocol::BinanceUsdm => feeds::Venue::BinanceUsdm,
        Protocol::BinanceCoinm => feeds::Venue::BinanceCoinm,
        Protocol::Bybit => feeds::Venue::BybitLinear,
        Protocol::Coinbase => feeds::Venue::Coinbase,
        Protocol::CoinbaseFull => feeds::Venue::CoinbaseFull,
        Protocol::Kraken => feeds::Venue::Kraken,
        Protocol::Okx => feeds::Venue::Okx,
    }
}
