//! Naive books of what a feed says.

use std::collections::{BTreeMap, HashMap};

use model::{Event, Flags, Integrity, Kind, Side, VenueNumber};

/// A book of one instrument: orders by reference, levels by side and price.
#[derive(Default)]
pub struct Twin {
    pub orders: HashMap<u64, (Side, i64, i64)>,
    pub levels: [BTreeMap<i64, i64>; 2],
    pub integrity: Option<Integrity>,
    /// Changes that made no sense.
    pub faults: u64,
}

/// The books of a feed, and whether what it says keeps to the rules.
#[derive(Default)]
pub struct Twins {
    pub books: HashMap<VenueNumber, Twin>,
    pub symbols: HashMap<VenueNumber, String>,
    /// As the engine counts it.
    pub seq: u64,
    /// Jumps of the sequence that nobody told.
    pub holes: u64,
    pub events: u64,
}

impl Twins {
    pub fn take(&mut self, event: &Event) {
        assert_eq!(Event::from_words(&event.to_words()), Ok(*event));
        self.events += 1;
        if event.kind == Kind::Integrity {
            self.seq = event.seq;
        } else if !event.flags.has(Flags::SNAPSHOT) {
            self.holes += u64::from(event.seq > self.seq + 1);
            self.seq = event.seq;
        }
        if let Some((symbol, px_decimals, qty_decimals)) = event.listing_of_directory() {
            assert_eq!((px_decimals, qty_decimals), (9, 0));
            self.symbols.insert(event.number, symbol);
            self.books.entry(event.number).or_default();
        } else if event.number != VenueNumber(0) {
            let book = self.books.get_mut(&event.number).expect("told of before it is named");
            book.take(event);
        } else if event.kind == Kind::Clear {
            self.books.values_mut().for_each(|book| book.take(event));
        } else if let Some((integrity, _)) =
            event.believed().filter(|_| event.kind == Kind::Integrity)
        {
            self.books.values_mut().for_each(|book| book.integrity = Some(integrity));
        }
    }

    /// The one book.
    pub fn only(&self) -> &Twin {
        assert_eq!(self.books.len(), 1);
        self.books.values().next().unwrap()
    }
}

trait Listing {
    fn listing_of_directory(&self) -> Option<(String, u8, u8)>;
}

impl Listing for Event {
    fn listing_of_directory(&self) -> Option<(String, u8, u8)> {
        let (symbol, px, qty) = self.listing().filter(|_| self.kind == Kind::Directory)?;
        Some((symbol.to_string(), px, qty))
    }
}

impl Twin {
    fn add(&mut self, side: Side, px: i64, qty: i64) {
        let levels = &mut self.levels[side.index()];
        let total = levels.entry(px).or_default();
        *total += qty;
        if *total == 0 {
            levels.remove(&px);
        }
    }

    pub fn take(&mut self, event: &Event) {
        let (reference, px, qty) = (event.order.0, event.px.0, event.qty.0);
        match event.kind {
            Kind::Add => {
                let side = event.side.unwrap();
                let twice = self.orders.insert(reference, (side, px, qty));
                self.faults += u64::from(twice.is_some());
                self.add(side, px, qty);
            }
            Kind::Modify | Kind::Reduce | Kind::Delete => {
                let Some((side, old_px, old_qty)) = self.orders.remove(&reference) else {
                    self.faults += 1;
                    return;
                };
                self.add(side, old_px, -old_qty);
                let (px, qty) = match event.kind {
                    Kind::Modify => (px, qty),
                    Kind::Reduce => (old_px, old_qty - qty),
                    _ => (old_px, 0),
                };
                self.faults += u64::from(qty < 0);
                if qty > 0 {
                    self.orders.insert(reference, (side, px, qty));
                    self.add(side, px, qty);
                }
            }
            Kind::Clear => {
                self.orders.clear();
                self.levels = Default::default();
            }
            Kind::Level => {
                let levels = &mut self.levels[event.side.unwrap().index()];
                match qty {
                    0 => self.faults += u64::from(levels.remove(&px).is_none()),
                    _ => _ = levels.insert(px, qty),
                }
            }
            Kind::Integrity => self.integrity = event.believed().map(|(integrity, _)| integrity),
            _ => {}
        }
    }

    pub fn best(&self) -> [Option<(i64, i64)>; 2] {
        let [bids, asks] = &self.levels;
        let bid = bids.iter().next_back().map(|(px, qty)| (*px, *qty));
        [bid, asks.iter().next().map(|(px, qty)| (*px, *qty))]
    }

    pub fn is_live(&self) -> bool {
        self.integrity == Some(Integrity::Live)
    }
}
