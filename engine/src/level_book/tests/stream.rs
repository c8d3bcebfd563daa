//! Random levels, each book in its own manner.

use super::*;

/// What both books are told to do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Apply(usize, Event),
    /// The book is believed again.
    Trust(usize),
    Clear(usize),
    ClearAll,
}

/// A seeded source of actions.
pub struct Stream {
    state: u64,
    /// Where each book's touch is.
    mid: [i64; BOOKS],
    /// How many levels each book's venue keeps.
    depths: [Option<u32>; BOOKS],
    /// The book of the last action.
    last: usize,
}

impl Stream {
    pub fn new(seed: u64) -> Stream {
        Stream { state: seed, mid: [6_000_000; BOOKS], depths: [None; BOOKS], last: 0 }
    }

    /// splitmix64 (Steele, Lea and Flood 2014).
    pub fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.random() % n
    }

    /// The next action, given what the books hold now.
    pub fn next(&mut self, naive: &Naive) -> Action {
        if let Some(event) = naive.beyond(self.last, self.depths[self.last]) {
            return Action::Apply(self.last, event);
        }
        let book = self.below(BOOKS as u64) as usize;
        self.last = book;
        match self.below(100_000) {
            0 => return Action::ClearAll,
            1..4 => return Action::Clear(book),
            4..40 => self.depths[book] = self.depth(book),
            40..1_000 => return Action::Trust(book),
            _ => {}
        }
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let px = match self.below(8) {
            0 => naive.best(book, side).map_or(0, |best| best.px.0),
            _ => self.px(book, side),
        };
        let qty = if self.below(10) < 3 { 0 } else { 1 + self.below(1_000) as i64 };
        let mut event = set(side, px, qty);
        match self.below(300) {
            0 => event.side = None,
            1 => event.qty = Qty(-1 - self.below(5) as i64),
            2 => event.qty = Qty(i64::MAX),
            _ => {}
        }
        Action::Apply(book, event)
    }

    /// Some books are shallow, the others cut only now and then.
    fn depth(&mut self, book: usize) -> Option<u32> {
        match (book, self.below(16)) {
            (0, dice) => Some([1, 10, 100, 1_000][dice as usize % 4]),
            (2, 0..12) | (_, 0) => Some(500),
            _ => None,
        }
    }

    /// A price of a book: 0 a stock, whose touch wanders; 1 deep, on long steps; 2 one with steps
    /// that change; 3 one whose touch leaps; 4 any price at all; 5 negative and wide.
    fn px(&mut self, book: usize, side: Side) -> i64 {
        let spread = 1 + self.geometric();
        let (step, away) = match book {
            0 => (1, spread),
            1 => (250_000_000, self.below(40_000) as i64),
            2 => ([1, 10, 100, 7][(self.mid[2] / 1_000 % 4) as usize], spread * 3),
            3 => (5, self.below(3_000) as i64),
            4 => return (self.random() >> self.below(64)) as i64 ^ -(self.below(2) as i64),
            _ => (1, self.below(300_000) as i64),
        };
        match (book, self.below(3_000)) {
            (3, 0..3) => self.mid[3] += self.below(400_000) as i64 - 200_000,
            (5, 0..3) => self.mid[5] = self.below(200_000) as i64 - 100_000,
            (_, 0..300) => self.mid[book] += self.below(201) as i64 - 100,
            _ => {}
        }
        let away = if side == Side::Buy { -away } else { away };
        (self.mid[book] + away).wrapping_mul(step)
    }

    /// Mostly near, at times far.
    fn geometric(&mut self) -> i64 {
        let scale = self.below(16);
        self.below(1 << scale) as i64
    }
}
