//! The flow of orders: who acts when, and what they do to the book.

use feeds::nasdaq::message::{
    AddOrder, AddOrderMpid, BrokenTrade, OrderCancel, OrderDelete, OrderExecuted,
    OrderExecutedWithPrice, OrderReplace, RetailInterest, Trade,
};
use feeds::nasdaq::{Mpid, Price4};
use model::Side;

use super::{Day, State, Symbol};
use crate::book::Slot;

/// Thousandths of the flow in each part of the day: before the open, the first thirteenth of the session,
/// its middle, its last thirteenth, after the close.
const FLOW: [u64; 5] = [60, 180, 580, 140, 40];

/// A part of the day.
pub(super) struct Part {
    /// Index in [`FLOW`] of the part after this one.
    pub next: usize,
    /// When this one ends, and how many messages should have been made by then.
    pub end: u64,
    pub made_at_end: u64,
}

/// Actions come in bursts, most of one on the same symbol.
#[derive(Default)]
pub(super) struct Burst {
    /// Actions left.
    left: u64,
    symbol: u16,
    /// Messages made before it.
    made_before: u64,
    /// Messages of a burst, times 64: a moving average, so that the pauses between bursts come out right.
    usual: u64,
}

/// What an action does, in thousandths of all on a symbol that trades; adding and deleting share the rest.
const SWEEP: u64 = 38;
const REPLACE: u64 = 50;
const CANCEL: u64 = 25;
const REQUOTE: u64 = 60;
const HIDDEN: u64 = 6;
const IMPROVE: u64 = 4;

impl Day {
    /// When the flow goes on; `None` after the last part.
    pub(super) fn next_flow(&mut self) -> Option<u64> {
        while self.flow_at >= self.part.end || self.made >= self.part.made_at_end {
            let shares = FLOW.get(self.part.next..).filter(|shares| !shares.is_empty())?;
            self.flow_at = self.flow_at.max(self.part.end);
            let left = self.messages.saturating_sub(self.made);
            let part = left * shares[0] / shares.iter().sum::<u64>();
            let thirteenth = (self.hours.close - self.hours.open) / 13;
            self.part.end = match self.part.next {
                0 => self.hours.open,
                1 => self.hours.open + thirteenth,
                2 => self.hours.close - thirteenth,
                3 => self.hours.close,
                _ => self.hours.system_end,
            };
            self.part.made_at_end = self.made + part;
            self.part.next += 1;
        }
        Some(self.flow_at)
    }

    /// Nanoseconds until the next action.
    pub(super) fn gap(&mut self) -> u64 {
        if self.burst.left > 0 {
            self.burst.left -= 1;
            return 200 + self.rng.exponential(3_000);
        }
        let made = self.made - self.burst.made_before;
        self.burst.usual = (self.burst.usual * 63 + made * 64) / 64;
        self.burst.made_before = self.made;
        let long = self.rng.chance(1, 60);
        self.burst.left = self.rng.exponential(if long { 150 } else { 6 });
        self.burst.symbol = self.draw();
        let time = self.part.end.saturating_sub(self.now);
        let messages = self.part.made_at_end.saturating_sub(self.made).max(1);
        let mean = u128::from(time) * u128::from(self.burst.usual.max(64)) / u128::from(messages);
        self.rng.exponential((mean / 64) as u64)
    }

    /// A symbol by its activity.
    fn draw(&mut self) -> u16 {
        let total = self.weights.last().copied().unwrap_or(0);
        let draw = self.rng.below(total);
        self.weights.partition_point(|weight| *weight <= draw) as u16
    }

    /// One action of somebody.
    pub(super) fn flow(&mut self) {
        let same = self.burst.left > 0 && self.rng.chance(7, 10);
        let symbol = if same { self.burst.symbol } else { self.draw() };
        let Symbol { state, live_aim, .. } = self.symbols[usize::from(symbol)];
        if state == State::Absent {
            return;
        }
        self.drift(symbol);
        let live = self.symbols[usize::from(symbol)].book.live().len() as u64;
        let mut dice = self.rng.below(1000);
        let mut hits = |part: u64| {
            let hit = dice < part;
            dice = dice.wrapping_sub(part);
            hit
        };
        if state == State::Trading {
            if hits(SWEEP) {
                return self.sweep(symbol);
            } else if hits(HIDDEN) {
                return self.hidden(symbol);
            } else if hits(IMPROVE) {
                return self.improve(symbol);
            }
        }
        if hits(REPLACE) {
            self.replace(symbol);
        } else if hits(CANCEL) {
            self.cancel(symbol);
        } else if hits(REQUOTE) {
            self.delete(symbol);
            self.add(symbol);
        } else if self.rng.below(2 * live_aim) >= live {
            self.add(symbol);
        } else {
            self.delete(symbol);
        }
        if self.rng.chance(1, 3000) {
            self.aside(symbol);
        }
    }

    /// Moves what the symbol is worth, never far from its touch.
    fn drift(&mut self, symbol: u16) {
        let Day { rng, symbols, .. } = self;
        let symbol = &mut symbols[usize::from(symbol)];
        if rng.chance(1, 400) {
            symbol.rising = !symbol.rising;
        }
        if rng.chance(1, 100) {
            let step = symbol.step;
            symbol.fair = if symbol.rising == rng.chance(2, 3) {
                symbol.fair + step
            } else {
                symbol.fair.saturating_sub(step).max(20 * step)
            };
            if let (Some(bid), Some(ask)) =
                (symbol.book.best(Side::Buy), symbol.book.best(Side::Sell))
            {
                let (low, high) = (bid.saturating_sub(4 * step).max(20 * step), ask + 4 * step);
                symbol.fair = symbol.fair.clamp(low, high.max(low));
            }
        }
    }

    /// A price for a new order, by its distance from the touch of its own side, that does not cross the
    /// other.
    fn price(&mut self, symbol: u16, side: Side) -> u32 {
        let Day { rng, symbols, .. } = self;
        let Symbol { step, fair, ref book, .. } = symbols[usize::from(symbol)];
        let away = match rng.below(100) {
            0..26 if rng.chance(1, 3) => -1,
            0..26 => 0,
            26..63 => rng.between(1, 5) as i64,
            63..80 => rng.between(6, 10) as i64,
            _ => 11 + rng.exponential(15).min(200) as i64,
        };
        let (step, fair) = (i64::from(step), i64::from(fair));
        let fair = fair - fair % step;
        let other = book.best(side.opposite()).map(i64::from);
        let touch = book.best(side).map(i64::from);
        let px = match side {
            Side::Buy => {
                let px = touch.unwrap_or(fair - step) - away * step;
                // Nobody bids above what it is worth, nor at the ask.
                let most = if away < 0 { fair.max(touch.unwrap_or(0)) } else { i64::MAX };
                px.min(most).min(other.map_or(i64::MAX, |ask| ask - step))
            }
            Side::Sell => {
                let px = touch.unwrap_or(fair + step) + away * step;
                let least = if away < 0 { fair.min(touch.unwrap_or(i64::MAX)) } else { 0 };
                px.max(least).max(other.map_or(0, |bid| bid + step))
            }
        };
        u32::try_from(px.max(0)).unwrap_or(u32::MAX)
    }

    fn side(&mut self) -> Side {
        if self.rng.chance(1, 2) { Side::Buy } else { Side::Sell }
    }

    fn shares(&mut self) -> u32 {
        match self.rng.below(100) {
            0..45 => 100,
            45..65 => 100 * self.rng.between(2, 5) as u32,
            65..72 => 100 * self.rng.between(6, 50) as u32,
            _ => self.rng.between(1, 99) as u32,
        }
    }

    fn add(&mut self, symbol: u16) {
        let side = self.side();
        let px = self.price(symbol, side);
        if px > 0 {
            self.add_at(symbol, side, px);
        }
    }

    pub(super) fn add_at(&mut self, symbol: u16, side: Side, px: u32) {
        let (order, shares) = (self.next_reference(), self.shares());
        self.symbols[usize::from(symbol)].book.add(&mut self.orders, order, side, px, shares);
        let attribution = self.rng.chance(1, 25).then(|| self.mpid());
        let price = Price4(px);
        self.emit(symbol, |header, stock| match attribution {
            None => AddOrder { header, order, side, shares, stock, price }.into(),
            Some(attribution) => {
                AddOrderMpid { header, order, side, shares, stock, price, attribution }.into()
            }
        });
    }

    pub(super) fn mpid(&mut self) -> Mpid {
        const MPIDS: [Mpid; 4] = [Mpid(*b"SYNA"), Mpid(*b"SYNB"), Mpid(*b"SYNC"), Mpid(*b"SYND")];
        MPIDS[self.rng.below(4) as usize]
    }

    /// An order to act upon: at a touch that has become too good, else a young one or any.
    fn pick(&mut self, symbol: u16) -> Option<Slot> {
        let Symbol { fair, ref book, .. } = self.symbols[usize::from(symbol)];
        let live = book.live();
        let stale = [
            book.best(Side::Sell).filter(|ask| *ask <= fair).map(|_| Side::Sell),
            book.best(Side::Buy).filter(|bid| *bid >= fair).map(|_| Side::Buy),
        ];
        let stale = stale.into_iter().flatten().next();
        if let Some(side) = stale.filter(|_| self.rng.chance(1, 3)) {
            return book.head(side);
        }
        let among = if self.rng.chance(1, 2) { live.len().min(16) } else { live.len() };
        let back = self.rng.below(among as u64) as usize;
        live.get(live.len().checked_sub(1 + back)?).copied()
    }

    fn delete(&mut self, symbol: u16) {
        let Some(slot) = self.pick(symbol) else { return };
        let order = self.orders.get(slot).reference;
        self.symbols[usize::from(symbol)].book.remove(&mut self.orders, slot);
        self.emit(symbol, |header, _| OrderDelete { header, order }.into());
    }

    fn cancel(&mut self, symbol: u16) {
        let Some(slot) = self.pick(symbol) else { return };
        let order = self.orders.get(slot);
        if order.shares < 2 {
            return self.delete(symbol);
        }
        let shares = self.rng.between(1, u64::from(order.shares) - 1) as u32;
        self.symbols[usize::from(symbol)].book.reduce(&mut self.orders, slot, shares);
        self.emit(symbol, |header, _| {
            OrderCancel { header, order: order.reference, shares }.into()
        });
    }

    fn replace(&mut self, symbol: u16) {
        let Some(slot) = self.pick(symbol) else { return };
        let original = self.orders.get(slot);
        let same_px = self.rng.chance(1, 4);
        let px = if same_px { original.px } else { self.price(symbol, original.side) };
        if px == 0 {
            return;
        }
        let (order, shares) = (self.next_reference(), self.shares());
        let book = &mut self.symbols[usize::from(symbol)].book;
        book.remove(&mut self.orders, slot);
        book.add(&mut self.orders, order, original.side, px, shares);
        let (original, price) = (original.reference, Price4(px));
        self.emit(symbol, |header, _| {
            OrderReplace { header, original, order, shares, price }.into()
        });
    }

    /// The side whose resting orders somebody takes: towards what the symbol is worth.
    fn taken_side(&mut self, symbol: u16) -> Side {
        let Symbol { fair, ref book, .. } = self.symbols[usize::from(symbol)];
        let bid = book.best(Side::Buy).unwrap_or(0);
        let ask = book.best(Side::Sell).unwrap_or(u32::MAX);
        match fair {
            fair if fair >= ask && self.rng.chance(9, 10) => Side::Sell,
            fair if fair <= bid && self.rng.chance(9, 10) => Side::Buy,
            _ => self.side(),
        }
    }

    /// Somebody takes what is displayed, in order, at most eight orders.
    fn sweep(&mut self, symbol: u16) {
        let side = self.taken_side(symbol);
        let mut wanted = self.shares() * self.rng.between(1, 3) as u32;
        for _ in 0..8 {
            let book = &mut self.symbols[usize::from(symbol)].book;
            let Some(slot) = book.head(side).filter(|_| wanted > 0) else { return };
            let order = self.orders.get(slot);
            let shares = wanted.min(order.shares);
            wanted -= shares;
            book.reduce(&mut self.orders, slot, shares);
            let (order, match_number) = (order.reference, self.next_match());
            self.emit(symbol, |header, _| {
                OrderExecuted { header, order, shares, match_number }.into()
            });
        }
    }

    /// The head of the queue trades better than its limit.
    fn improve(&mut self, symbol: u16) {
        let side = self.taken_side(symbol);
        let book = &mut self.symbols[usize::from(symbol)].book;
        let Some(slot) = book.head(side) else { return };
        let order = self.orders.get(slot);
        let shares = order.shares.div_ceil(2);
        book.reduce(&mut self.orders, slot, shares);
        let price = Price4(match side {
            Side::Buy => order.px - 1,
            Side::Sell => order.px + 1,
        });
        let (order, match_number) = (order.reference, self.next_match());
        self.emit(symbol, |header, _| {
            let printable = b'Y';
            OrderExecutedWithPrice { header, order, shares, match_number, printable, price }.into()
        });
    }

    /// A trade against an order that nobody saw, inside the spread.
    fn hidden(&mut self, symbol: u16) {
        let book = &self.symbols[usize::from(symbol)].book;
        let (Some(bid), Some(ask)) = (book.best(Side::Buy), book.best(Side::Sell)) else { return };
        let price = Price4(bid + (ask - bid) / 2);
        let (shares, match_number) = (self.shares(), self.next_match());
        self.emit(symbol, |header, stock| {
            Trade { header, order: 0, side: Side::Buy, shares, stock, price, match_number }.into()
        });
    }

    /// What has nothing to do with the book.
    fn aside(&mut self, symbol: u16) {
        if self.rng.chance(1, 20) {
            let match_number = self.match_number;
            return self.emit(symbol, |header, _| BrokenTrade { header, match_number }.into());
        }
        if self.rng.chance(1, 4) {
            return self.position(symbol);
        }
        let interest = b"BSAN"[self.rng.below(4) as usize];
        self.emit(symbol, |header, stock| RetailInterest { header, stock, interest }.into());
    }
}
