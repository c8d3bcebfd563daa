//! Random messages: mostly sensible, some not.

use super::*;

/// What both books are told to do.
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
    next_reference: u64,
}

impl Stream {
    pub fn new(seed: u64) -> Stream {
        Stream { state: seed, next_reference: 1 }
    }

    /// splitmix64 (Steele, Lea and Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random() % n
    }

    /// The next action, given what rests now.
    pub fn next(&mut self, naive: &Naive) -> Action {
        let book = self.below(BOOKS as u64) as usize;
        match self.below(100_000) {
            0 => return Action::ClearAll,
            1..5 => return Action::Clear(book),
            5..2_000 => return Action::Trust(book),
            _ => {}
        }
        let known = self.known(naive);
        let (home, event) = match known {
            Some((reference, home, side, px, open)) if self.below(100) < 55 => {
                (home, self.change(reference, side, px, open))
            }
            _ => (book, self.addition(book)),
        };
        let is_garbage = self.below(10) == 0;
        if is_garbage { self.spoil(home, event) } else { Action::Apply(home, event) }
    }

    /// A resting order: one of the latest, or any.
    fn known(&mut self, naive: &Naive) -> Option<(u64, usize, Side, i64, i64)> {
        let count = naive.live.len() as u64;
        let back = if self.below(2) == 0 { self.below(64) } else { self.below(count.max(1)) };
        let reference = naive.live.get(count.checked_sub(1 + back)? as usize)?;
        let (home, side, px, open) = naive.find(*reference)?;
        Some((reference.0, home, side, px.0, open.0))
    }

    /// References rise with gaps; a few are enormous, or lower than those before.
    fn reference(&mut self) -> u64 {
        self.next_reference += 1 + self.below(7);
        match self.below(100) {
            0 => self.random(),
            1 => self.below(self.next_reference),
            _ => self.next_reference,
        }
    }

    /// Prices crowd at a touch that differs by book: three books on whole cents, three on any price
    /// unit.
    fn px(&mut self, book: usize, side: Side) -> i64 {
        let step = if book.is_multiple_of(2) { 100 } else { 1 };
        let far = match self.below(50) {
            0 => self.below(2_000_000),
            1..8 => self.below(5_000),
            _ => self.below(4) * self.below(12),
        };
        let away = far as i64 * step;
        let px = match side {
            Side::Buy => 3_000_000 - away,
            Side::Sell => 3_000_100 + away,
        };
        px.max(1)
    }

    fn addition(&mut self, book: usize) -> Event {
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let (reference, px) = (self.reference(), self.px(book, side));
        add(reference, side, px, 1 + self.below(500) as i64)
    }

    fn change(&mut self, reference: u64, side: Side, px: i64, open: i64) -> Event {
        let part = 1 + self.below(open as u64) as i64;
        match self.below(12) {
            0 | 1 => change(Kind::Execute, reference, part),
            2 => change(Kind::ExecuteAt, reference, open),
            3 => change(Kind::Reduce, reference, part),
            4 | 5 => {
                let px = match side {
                    Side::Buy => px - 100,
                    Side::Sell => px + 100,
                };
                replace(reference, self.reference(), px, part)
            }
            6 | 7 => {
                let px = [px, px, px + 100, px - 100][self.below(4) as usize];
                let qty = [part, part, open, open.saturating_add(part)][self.below(4) as usize];
                Event { px: Px(px), ..change(Kind::Modify, reference, qty) }
            }
            _ => change(Kind::Delete, reference, 0),
        }
    }

    /// Makes nonsense of a sensible message, one way or another.
    fn spoil(&mut self, book: usize, mut event: Event) -> Action {
        match self.below(9) {
            0 => event.order = OrderRef(self.random()),
            1 => event.aux = event.order.0,
            2 => event.qty = Qty(i64::MAX - self.below(2) as i64),
            3 => event.qty = Qty(-(self.below(3) as i64)),
            4 => event.px = Px(-(self.below(3) as i64)),
            5 => event.px = Px((self.random() >> self.below(64)) as i64),
            6 => event.side = None,
            7 => event.kind = Kind::Trade,
            _ => return Action::Apply((book + 1) % BOOKS, event),
        }
        Action::Apply(book, event)
    }
}
