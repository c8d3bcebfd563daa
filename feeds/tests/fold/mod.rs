//! Books folded from events, the slow and obvious way.
#![allow(dead_code, reason = "not every test that includes this file needs all")]

use std::collections::BTreeMap;

use model::{Cause, Event, Flags, Integrity, Kind, Side, Symbol};

/// One book, as a reader of events knows it.
#[derive(Clone, Debug)]
pub struct Folded {
    pub symbol: Symbol,
    /// The buy side and the sell side: quantity by price.
    pub sides: [BTreeMap<i64, i64>; 2],
    pub integrity: Integrity,
    pub cause: Cause,
    pub levels: u64,
    pub trades: u64,
    pub snapshots: u64,
}

impl Folded {
    pub fn is_live(&self) -> bool {
        self.integrity == Integrity::Live
    }

    pub fn best(&self) -> (Option<i64>, Option<i64>) {
        (self.sides[0].keys().next_back().copied(), self.sides[1].keys().next().copied())
    }

    pub fn is_crossed(&self) -> bool {
        matches!(self.best(), (Some(bid), Some(ask)) if bid >= ask)
    }
}

/// All books of a feed, by venue number.
#[derive(Default)]
pub struct Fold {
    pub books: BTreeMap<u32, Folded>,
    pub seq: u64,
    pub jumps: u64,
}

impl Fold {
    fn of(&mut self, number: u32) -> impl Iterator<Item = &mut Folded> {
        let all = number == 0;
        self.books.iter_mut().filter(move |(n, _)| all || **n == number).map(|(_, book)| book)
    }

    pub fn apply(&mut self, event: Event) {
        let outside = event.flags.has(Flags::SNAPSHOT) || event.kind == Kind::Integrity;
        if event.seq > self.seq + 1 && !outside {
            self.jumps += 1;
            for book in self.of(0) {
                (book.integrity, book.cause) = (Integrity::Incomplete, Cause::Gap);
            }
        }
        self.seq = self.seq.max(event.seq);
        let number = event.number.0;
        match event.kind {
            Kind::Directory => {
                let (symbol, ..) = event.listing().unwrap();
                let book = Folded {
                    symbol,
                    sides: Default::default(),
                    integrity: Integrity::Incomplete,
                    cause: Cause::NotStarted,
                    levels: 0,
                    trades: 0,
                    snapshots: 0,
                };
                self.books.entry(number).or_insert(book);
            }
            Kind::Integrity => {
                let (integrity, cause) = event.believed().unwrap();
                for book in self.of(number) {
                    (book.integrity, book.cause) = (integrity, cause);
                }
            }
            Kind::Clear => {
                for book in self.of(number) {
                    book.sides = Default::default();
                    book.snapshots += 1;
                }
            }
            Kind::Level => {
                let book = self.books.get_mut(&number).expect("listed");
                let side = &mut book.sides[usize::from(event.side == Some(Side::Sell))];
                book.levels += 1;
                assert!(event.qty.0 >= 0 && event.side.is_some(), "{event:?}");
                match event.qty.0 {
                    0 => side.remove(&event.px.0),
                    qty => side.insert(event.px.0, qty),
                };
            }
            Kind::Trade => self.books.get_mut(&number).expect("listed").trades += 1,
            _ => {}
        }
    }
}
