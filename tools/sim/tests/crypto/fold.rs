//! Books folded from the events of a feed, and held against what a simulated venue knows.
#![allow(dead_code, reason = "two tests include this file, and neither uses all of it")]

use std::collections::BTreeMap;

use feeds::stream::{StreamConfig, StreamSymbol};
use model::{Event, FeedId, Flags, Integrity, Kind, Side, Symbol};
use sim::crypto::{CryptoVenue, Levels, Protocol};

/// One book, as a reader of events knows it.
#[derive(Default)]
pub struct Folded {
    pub levels: Levels,
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
            Kind::Clear => self.of(event.number.0).for_each(|book| book.levels = Levels::default()),
            Kind::Level => {
                let levels = &mut self.books.get_mut(&event.number.0).expect("listed").levels;
                let is_ask = event.side == Some(Side::Sell);
                let side = if is_ask { &mut levels.asks } else { &mut levels.bids };
                match event.qty.0 as u64 {
                    0 => side.remove(&(event.px.0 as u64)),
                    qty => side.insert(event.px.0 as u64, qty),
                };
            }
            _ => {}
        }
    }

    fn of(&mut self, number: u32) -> impl Iterator<Item = &mut Folded> {
        let is_it = move |(n, _): &(&u32, &mut Folded)| number == 0 || **n == number;
        self.books.iter_mut().filter(is_it).map(|(_, book)| book)
    }

    /// Every book that is live is the venue's at the version that its subscriber knows.
    pub fn check(&mut self, venue: &CryptoVenue, connected: bool, versions: &[u64]) {
        let depth = depth(venue.config().protocol);
        for (place, book) in self.books.values().enumerate().filter(|(_, book)| book.is_live) {
            assert!(connected, "live without a connection");
            let truth = venue.levels(place, versions[place], depth).expect("remembered");
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
        Protocol::Kraken => feeds::Venue::Kraken,
        Protocol::Okx => feeds::Venue::Okx,
    }
}
