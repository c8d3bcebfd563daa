//! What a venue's books really are, at every version of them.

use std::collections::BTreeMap;

use model::Scaled;

pub const PX_DECIMALS: u8 = 1;
pub const QTY_DECIMALS: u8 = 3;

/// A small seeded generator (splitmix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True in `permille` of 1,000 cases.
    pub fn one_in(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }
}

/// Levels of the buy side and of the sell side, by price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides(pub [BTreeMap<i64, i64>; 2]);

/// Changes of the buy side and of the sell side; zero removes.
pub type Changes = [Vec<(i64, i64)>; 2];

impl Sides {
    /// The best `depth` levels of each.
    pub fn top(&self, depth: usize) -> Sides {
        let [bids, asks] = &self.0;
        Sides([
            bids.iter().rev().take(depth).map(|(px, qty)| (*px, *qty)).collect(),
            asks.iter().take(depth).map(|(px, qty)| (*px, *qty)).collect(),
        ])
    }

    /// All levels, best first.
    pub fn levels(&self) -> Changes {
        let [bids, asks] = &self.0;
        [
            bids.iter().rev().map(|(px, qty)| (*px, *qty)).collect(),
            asks.iter().map(|(px, qty)| (*px, *qty)).collect(),
        ]
    }

    /// What leads from `self` to `after`.
    pub fn changes(&self, after: &Sides) -> Changes {
        [0, 1].map(|side| {
            let (old, new) = (&self.0[side], &after.0[side]);
            let gone = old.keys().filter(|px| !new.contains_key(px)).map(|px| (*px, 0));
            let set = new.iter().filter(|(px, qty)| old.get(px) != Some(qty));
            gone.chain(set.map(|(px, qty)| (*px, *qty))).collect()
        })
    }
}

/// A symbol's book, whole, and what a subscriber sees of it at each version.
pub struct Truth {
    pub symbol: &'static str,
    full: Sides,
    mid: i64,
    depth: usize,
    /// By version.
    pub seen: Vec<Sides>,
}

impl Truth {
    pub fn new(symbol: &'static str, depth: usize, rng: &mut Rng) -> Truth {
        let mut truth =
            Truth { symbol, full: Sides::default(), mid: 1_000, depth, seen: Vec::new() };
        for _ in 0..40 {
            truth.change(rng);
        }
        truth.seen.push(truth.full.top(depth));
        truth
    }

    pub fn version(&self) -> usize {
        self.seen.len() - 1
    }

    pub fn now(&self) -> &Sides {
        self.seen.last().unwrap()
    }

    /// The whole book, beyond what a subscriber sees.
    pub fn full(&self) -> &Sides {
        &self.full
    }

    fn change(&mut self, rng: &mut Rng) {
        if rng.one_in(100) {
            self.mid += rng.below(7) as i64 - 3;
            let mid = self.mid;
            self.full.0[0].retain(|px, _| *px < mid);
            self.full.0[1].retain(|px, _| *px >= mid);
        }
        let side = rng.below(2) as usize;
        let away = rng.below(20) as i64;
        let px = if side == 0 { self.mid - 1 - away } else { self.mid + away };
        match rng.below(8) as i64 * 250 {
            0 => self.full.0[side].remove(&px),
            qty => self.full.0[side].insert(px, qty),
        };
    }

    /// Time passes: what changed for a subscriber, if anything did; then there is a new version.
    pub fn evolve(&mut self, rng: &mut Rng) -> Option<Changes> {
        for _ in 0..=rng.below(4) {
            self.change(rng);
        }
        let after = self.full.top(self.depth);
        let changes = self.now().changes(&after);
        if changes.iter().all(Vec::is_empty) {
            return None;
        }
        self.seen.push(after);
        Some(changes)
    }
}

pub fn px(units: i64) -> String {
    Scaled { value: units.into(), decimals: PX_DECIMALS.into() }.to_string()
}

pub fn qty(units: i64) -> String {
    Scaled { value: units.into(), decimals: QTY_DECIMALS.into() }.to_string()
}

/// `["price","quantity"…],…`
pub fn pairs(levels: &[(i64, i64)], tail: &str) -> String {
    let pair = |(p, q): &(i64, i64)| format!("[\"{}\",\"{}\"{tail}]", px(*p), qty(*q));
    levels.iter().map(pair).collect::<Vec<_>>().join(",")
}
