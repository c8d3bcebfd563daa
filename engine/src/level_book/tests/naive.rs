//! Books so simple that they must be right: sorted maps.

use super::*;
use std::collections::BTreeMap;

/// The books, with the same interface as [`LevelBooks`].
pub struct Naive {
    books: Vec<[BTreeMap<i64, i64>; 2]>,
    integrity: Vec<(Integrity, Cause)>,
}

const NOT_STARTED: (Integrity, Cause) = (Integrity::Incomplete, Cause::NotStarted);

impl Naive {
    pub fn new(books: usize) -> Naive {
        Naive {
            books: vec![[BTreeMap::new(), BTreeMap::new()]; books],
            integrity: vec![NOT_STARTED; books],
        }
    }

    /// The removal of a level beyond a depth, as a feed tells it.
    pub fn beyond(&self, book: usize, depth: Option<u32>) -> Option<Event> {
        let deep = |side: &Side| Some(self.level_count(book, *side)) > depth;
        let side = [Side::Buy, Side::Sell].into_iter().find(deep).filter(|_| depth.is_some())?;
        let levels = &self.books[book][side.index()];
        let worst = match side {
            Side::Buy => levels.first_key_value(),
            Side::Sell => levels.last_key_value(),
        };
        worst.map(|(px, _)| set(side, *px, 0))
    }

    pub fn apply(&mut self, book: usize, event: &Event) -> LevelChange {
        let (Some(side), 0..) = (event.side, event.qty.0) else {
            if self.integrity[book].0 != Integrity::Incomplete
                || self.integrity[book] == NOT_STARTED
            {
                self.integrity[book] = (Integrity::Incomplete, Cause::BadEvent);
            }
            return LevelChange { level: None, fault: Some(Cause::BadEvent) };
        };
        let levels = &mut self.books[book][side.index()];
        let before = if event.qty.0 == 0 {
            levels.remove(&event.px.0)
        } else {
            levels.insert(event.px.0, event.qty.0)
        };
        let before = Qty(before.unwrap_or(0));
        let touch = LevelTouch { side, px: event.px, before, qty: event.qty };
        LevelChange { level: Some(touch), fault: None }
    }

    pub fn levels(&self, book: usize, side: Side) -> impl Iterator<Item = PageLevel> + '_ {
        let levels = self.books[book][side.index()].iter().map(|(px, qty)| level((*px, *qty)));
        let best_first: Box<dyn Iterator<Item = PageLevel>> = match side {
            Side::Buy => Box::new(levels.rev()),
            Side::Sell => Box::new(levels),
        };
        best_first
    }

    pub fn best(&self, book: usize, side: Side) -> Option<Quote> {
        let PageLevel { px, qty, orders } = self.levels(book, side).next()?;
        Some(Quote { px, qty, orders })
    }

    pub fn level(&self, book: usize, side: Side, px: Px) -> Option<PageLevel> {
        let qty = self.books[book][side.index()].get(&px.0)?;
        Some(level((px.0, *qty)))
    }

    pub fn level_count(&self, book: usize, side: Side) -> u32 {
        self.books[book][side.index()].len() as u32
    }

    /// Filled quantity, cost and worst price, from the whole walk.
    pub fn sweep_cost(&self, book: usize, side: Side, qty: Qty) -> Sweep {
        let mut sweep = Sweep::default();
        for level in self.levels(book, side) {
            let taken = level.qty.0.min(qty.0 - sweep.filled.0);
            if taken > 0 {
                sweep.filled.0 += taken;
                sweep.cost += i128::from(level.px.0) * i128::from(taken);
                sweep.worst = Some(level.px);
            }
        }
        sweep
    }

    pub fn integrity(&self, book: usize) -> (Integrity, Cause) {
        self.integrity[book]
    }

    pub fn set_integrity(&mut self, book: usize, integrity: Integrity, cause: Cause) {
        self.integrity[book] = (integrity, cause);
    }

    pub fn clear(&mut self, book: usize) {
        self.books[book] = [BTreeMap::new(), BTreeMap::new()];
        self.integrity[book] = NOT_STARTED;
    }

    pub fn clear_all(&mut self) {
        (0..self.books.len()).for_each(|book| self.clear(book));
    }
}

fn level((px, qty): (i64, i64)) -> PageLevel {
    PageLevel { px: Px(px), qty: Qty(qty), orders: 0 }
}
