//! What a book really is, at every version of it.

use std::collections::{BTreeMap, VecDeque};

use crate::rng::Rng;

/// Versions from one whole copy to the next.
const STRIDE: u64 = 64;
/// Most that a mid moves at once, in price units.
const MOVE: u64 = 3;

/// The levels of a book: quantity by price, in units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// The buy side.
    pub bids: BTreeMap<u64, u64>,
    /// The sell side.
    pub asks: BTreeMap<u64, u64>,
}

/// Levels of both sides, best first; a quantity of zero removes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Of the buy side.
    pub bids: Vec<(u64, u64)>,
    /// Of the sell side.
    pub asks: Vec<(u64, u64)>,
}

impl Changes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }
}

impl Levels {
    /// The best `depth` levels of each side.
    pub fn top(&self, depth: usize) -> Levels {
        Levels {
            bids: self.bids.iter().rev().take(depth).map(|(px, qty)| (*px, *qty)).collect(),
            asks: self.asks.iter().take(depth).map(|(px, qty)| (*px, *qty)).collect(),
        }
    }

    /// All levels, best first.
    pub fn all(&self) -> Changes {
        Changes {
            bids: self.bids.iter().rev().map(|(px, qty)| (*px, *qty)).collect(),
            asks: self.asks.iter().map(|(px, qty)| (*px, *qty)).collect(),
        }
    }

    /// What leads from here to `after`.
    pub fn changes(&self, after: &Levels) -> Changes {
        let mut bids = differences(&self.bids, &after.bids);
        bids.reverse();
        Changes { bids, asks: differences(&self.asks, &after.asks) }
    }

    fn apply(&mut self, changes: &Changes) {
        for (side, changes) in [(&mut self.bids, &changes.bids), (&mut self.asks, &changes.asks)] {
            for (px, qty) in changes {
                match qty {
                    0 => side.remove(px),
                    qty => side.insert(*px, *qty),
                };
            }
        }
    }
}

fn differences(before: &BTreeMap<u64, u64>, after: &BTreeMap<u64, u64>) -> Vec<(u64, u64)> {
    let mut changes: BTreeMap<u64, u64> =
        before.keys().filter(|px| !after.contains_key(px)).map(|px| (*px, 0)).collect();
    let set = after.iter().filter(|(px, qty)| before.get(px) != Some(qty));
    changes.extend(set.map(|(px, qty)| (*px, *qty)));
    changes.into_iter().collect()
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Its number: each is one more than the last of its symbol.
    pub id: u64,
    /// Price, in units.
    pub px: u64,
    /// Quantity, in units.
    pub qty: u64,
    /// Whether the buyer rested.
    pub buyer_rests: bool,
}

/// One symbol's book and its past.
#[derive(Debug)]
pub struct Truth {
    now: Levels,
    before: Levels,
    mid: u64,
    levels: u64,
    trades: u64,
    /// What led to each version, from [`Truth::oldest`] + 1 on.
    steps: VecDeque<Changes>,
    /// Every [`STRIDE`]th version, from the oldest on.
    wholes: VecDeque<Levels>,
    oldest: u64,
    history_max: u64,
}

impl Truth {
    /// A book of about `levels` levels a side, which remembers `history_max` versions or a few more.
    pub fn new(levels: usize, history_max: u64, rng: &mut Rng) -> Truth {
        let mut truth = Truth {
            now: Levels::default(),
            before: Levels::default(),
            mid: 100_000,
            levels: (levels as u64).max(2),
            trades: 1_000,
            steps: VecDeque::new(),
            wholes: VecDeque::new(),
            oldest: 0,
            history_max: history_max.max(STRIDE),
        };
        (0..levels * 6).for_each(|_| truth.change(rng));
        truth.wholes.push_back(truth.now.clone());
        truth.before = truth.now.clone();
        truth
    }

    /// A book that follows one of orders, which is this now.
    pub fn of(now: Levels, trades: u64, history_max: u64) -> Truth {
        Truth {
            before: now.clone(),
            mid: 0,
            levels: 0,
            trades,
            steps: VecDeque::new(),
            wholes: [now.clone()].into(),
            oldest: 0,
            history_max: history_max.max(STRIDE),
            now,
        }
    }

    /// Number of the version that holds now, from 0.
    pub fn version(&self) -> u64 {
        self.oldest + self.steps.len() as u64
    }

    /// The oldest version that is remembered.
    pub const fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The book.
    pub const fn now(&self) -> &Levels {
        &self.now
    }

    /// The book at the version before.
    pub const fn before(&self) -> &Levels {
        &self.before
    }

    /// Number of the last trade.
    pub const fn last_trade(&self) -> u64 {
        self.trades
    }

    /// The book at a version; `None`: it lies ahead, or is forgotten.
    pub fn at(&self, version: u64) -> Option<Levels> {
        let since = version.checked_sub(self.oldest)?;
        if version > self.version() {
            return None;
        }
        let mut levels = self.wholes.get((since / STRIDE) as usize)?.clone();
        let from = since / STRIDE * STRIDE;
        for step in self.steps.range(from as usize..since as usize) {
            levels.apply(step);
        }
        Some(levels)
    }

    /// The book is this now, a new version whether that changed it or not: it follows a book of orders. With the number of a
    /// trade, if one led there.
    pub fn follow(&mut self, after: Levels, trade: Option<u64>) {
        self.before = std::mem::replace(&mut self.now, after);
        self.trades = trade.unwrap_or(self.trades);
        self.remember(self.before.changes(&self.now));
    }

    /// Time passes: a trade, perhaps, and a new version, unless nothing changed.
    pub fn evolve(&mut self, rng: &mut Rng) -> (Option<Print>, bool) {
        let before = self.now.clone();
        let print = if rng.per_mille(150) { self.trade(rng) } else { None };
        for _ in 0..=rng.below(4) {
            self.change(rng);
        }
        let step = before.changes(&self.now);
        if step.is_empty() {
            return (print, false);
        }
        self.before = before;
        self.remember(step);
        (print, true)
    }

    /// A new version, by this step.
    fn remember(&mut self, step: Changes) {
        self.steps.push_back(step);
        if (self.steps.len() as u64).is_multiple_of(STRIDE) {
            self.wholes.push_back(self.now.clone());
        }
        if self.steps.len() as u64 >= self.history_max + STRIDE {
            self.steps.drain(..STRIDE as usize);
            self.wholes.pop_front();
            self.oldest += STRIDE;
        }
    }

    /// An order takes from the best level of a side.
    fn trade(&mut self, rng: &mut Rng) -> Option<Print> {
        let buyer_rests = rng.per_mille(500);
        let side = if buyer_rests { &mut self.now.bids } else { &mut self.now.asks };
        let best = if buyer_rests { side.last_entry() } else { side.first_entry() };
        let mut best = best?;
        let (px, open) = (*best.key(), *best.get());
        let qty = 1 + rng.below(open);
        if qty == open {
            best.remove();
        } else {
            best.insert(open - qty);
        }
        self.trades += 1;
        Some(Print { id: self.trades, px, qty, buyer_rests })
    }

    fn change(&mut self, rng: &mut Rng) {
        if rng.per_mille(100) {
            self.mid = (self.mid + rng.below(2 * MOVE + 1)).saturating_sub(MOVE).max(1_000);
            // What the mid runs over is gone, and so is what it leaves far behind.
            let (mid, far) = (self.mid, 2 * self.levels);
            self.now.bids.retain(|px, _| (mid - far.min(mid)..mid).contains(px));
            self.now.asks.retain(|px, _| (mid..mid + far).contains(px));
        }
        let buys = rng.per_mille(500);
        let away = rng.below(self.levels + self.levels / 4);
        let px = if buys { self.mid - 1 - away } else { self.mid + away };
        let side = if buys { &mut self.now.bids } else { &mut self.now.asks };
        match rng.below(8) {
            0 => side.remove(&px),
            // Round lots among odd ones: their texts differ in trailing zeros.
            lots => {
                side.insert(px, if rng.per_mille(300) { lots * 100 } else { 1 + rng.below(9_999) })
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every version that is remembered is the book that it was, no book is ever crossed, and the past
    /// is bounded. Method: copies of all versions beside a book that may remember a few hundred.
    #[test]
    fn versions() {
        let mut rng = Rng::new(5);
        let mut truth = Truth::new(20, 256, &mut rng);
        let mut copies = vec![truth.now().clone()];
        let mut trades = 0;
        for _ in 0..2_000 {
            let (print, changed) = truth.evolve(&mut rng);
            trades += u64::from(print.is_some());
            if changed {
                copies.push(truth.now().clone());
                assert_eq!(&copies[copies.len() - 2], truth.before());
            }
            let (bid, ask) =
                (truth.now().bids.last_key_value(), truth.now().asks.first_key_value());
            assert!(bid.is_none() || ask.is_none() || bid.unwrap().0 < ask.unwrap().0);
        }
        assert_eq!(truth.version() as usize, copies.len() - 1);
        assert!(
            truth.version() - truth.oldest() < 256 + STRIDE && truth.oldest() > 0 && trades > 100
        );
        for version in truth.oldest()..=truth.version() {
            assert_eq!(truth.at(version).as_ref(), copies.get(version as usize), "{version}");
        }
        assert_eq!((truth.at(truth.oldest() - 1), truth.at(truth.version() + 1)), (None, None));
    }
}
