//! Crosses, and the halts that end with one.

use feeds::nasdaq::Price4;
use feeds::nasdaq::message::{
    CrossTrade, LuldAuctionCollar, NetOrderImbalance, OperationalHalt, OrderExecutedWithPrice,
    StockTradingAction,
};
use model::Side;

use super::{Day, Moment, State, Symbol};
use crate::book::Slot;

/// Orders that are sent for the cross that ends a halt.
const AUCTION_ORDERS: u64 = 16;

impl Day {
    /// How long a halt lasts: a sixtieth of the session.
    pub(super) fn halt_time(&self) -> u64 {
        (self.hours.close - self.hours.open) / 60
    }

    /// A volatility pause of all markets, with an auction at its end.
    pub(super) fn pause(&mut self, symbol: u16) {
        if self.symbols[usize::from(symbol)].state == State::Trading {
            self.symbols[usize::from(symbol)].state = State::Halted;
            self.trading_action(symbol, b'P', *b"LUDP");
            self.at(self.now + self.halt_time(), Moment::QuoteOnly(symbol));
        }
    }

    /// A halt at this venue alone.
    pub(super) fn halt(&mut self, symbol: u16) {
        if self.symbols[usize::from(symbol)].state == State::Trading {
            self.symbols[usize::from(symbol)].state = State::Halted;
            self.operational(symbol, b'H');
            self.at(self.now + self.halt_time(), Moment::Resume(symbol));
        }
    }

    pub(super) fn resume(&mut self, symbol: u16) {
        self.symbols[usize::from(symbol)].state = State::Trading;
        self.operational(symbol, b'T');
    }

    fn operational(&mut self, symbol: u16, action: u8) {
        self.emit(symbol, |header, stock| {
            OperationalHalt { header, stock, market: b'Q', action }.into()
        });
    }

    pub(super) fn trading_action(&mut self, symbol: u16, state: u8, reason: [u8; 4]) {
        self.emit(symbol, |header, stock| {
            StockTradingAction { header, stock, state, reserved: b' ', reason }.into()
        });
    }

    /// Quotes are taken, until the cross.
    pub(super) fn quote_only(&mut self, symbol: u16) {
        self.symbols[usize::from(symbol)].state = State::QuoteOnly;
        self.trading_action(symbol, b'Q', *b"    ");
        let Symbol { fair, step, .. } = self.symbols[usize::from(symbol)];
        let (upper, lower) = (Price4(fair + 10 * step), Price4(fair.saturating_sub(10 * step)));
        self.emit(symbol, |header, stock| {
            let reference = Price4(fair);
            LuldAuctionCollar { header, stock, reference, upper, lower, extension: 0 }.into()
        });
        let length = self.halt_time() / 4;
        for _ in 0..AUCTION_ORDERS {
            let time = self.now + self.rng.below(length);
            self.at(time, Moment::AuctionOrder(symbol));
        }
        self.at(self.now + length / 2, Moment::Imbalance(symbol, b'H'));
        self.at(self.now + length, Moment::Cross(symbol, b'H'));
    }

    /// An order for the cross, free to cross the other side.
    pub(super) fn auction_order(&mut self, symbol: u16) {
        let side = if self.rng.chance(1, 2) { Side::Buy } else { Side::Sell };
        let Symbol { fair, step, .. } = self.symbols[usize::from(symbol)];
        let fair = fair - fair % step;
        let px = fair + step * self.rng.below(9) as u32 - 4 * step;
        self.add_at(symbol, side, px);
    }

    /// The imbalance before a cross.
    pub(super) fn imbalance(&mut self, symbol: u16, cross_type: u8) {
        if matches!(self.symbols[usize::from(symbol)].state, State::Absent | State::Halted) {
            return;
        }
        let price = Price4(self.symbols[usize::from(symbol)].fair);
        let (paired, imbalance) = (100 * self.rng.below(500), 100 * self.rng.below(50));
        let direction = match imbalance {
            0 => b'N',
            _ if self.rng.chance(1, 2) => b'B',
            _ => b'S',
        };
        self.emit(symbol, |header, stock| {
            let (far, near, reference, price_variation) = (price, price, price, b'L');
            NetOrderImbalance {
                header,
                paired,
                imbalance,
                direction,
                stock,
                far,
                near,
                reference,
                cross_type,
                price_variation,
            }
            .into()
        });
    }

    /// A cross: displayed orders trade at one price, each reported but not printable, then the bulk print.
    pub(super) fn cross(&mut self, symbol: u16, cross_type: u8) {
        let state = self.symbols[usize::from(symbol)].state;
        if matches!(state, State::Absent | State::Halted) {
            return;
        }
        let match_number = self.next_match();
        let (px, fills) = match self.crossing(symbol) {
            Some(crossing) => crossing,
            None => self.through_touch(symbol),
        };
        let price = Price4(px);
        let mut executed = 0;
        for (slot, shares) in fills {
            executed += u64::from(shares);
            let order = self.orders.get(slot).reference;
            self.symbols[usize::from(symbol)].book.reduce(&mut self.orders, slot, shares);
            self.emit(symbol, |header, _| {
                let printable = b'N';
                OrderExecutedWithPrice { header, order, shares, match_number, printable, price }
                    .into()
            });
        }
        let shares = if px == 0 { 0 } else { executed + 100 * self.rng.below(200) };
        self.emit(symbol, |header, stock| {
            CrossTrade { header, shares, stock, price, match_number, cross_type }.into()
        });
        if state == State::QuoteOnly {
            self.symbols[usize::from(symbol)].state = State::Trading;
            self.trading_action(symbol, b'T', *b"    ");
        }
    }

    /// Orders of both sides that cross each other, and a price that is inside the limits of all of them.
    /// `None` if the book is not crossed.
    fn crossing(&self, symbol: u16) -> Option<(u32, Vec<(Slot, u32)>)> {
        let book = &self.symbols[usize::from(symbol)].book;
        let mut bids = book.queue(Side::Buy).map(|slot| (slot, self.orders.get(slot)));
        let mut asks = book.queue(Side::Sell).map(|slot| (slot, self.orders.get(slot)));
        let (mut bid, mut ask) = (bids.next(), asks.next());
        let mut fills: Vec<(Slot, u32)> = Vec::new();
        let mut px = None;
        while let (Some((buyer, buy)), Some((seller, sell))) = (&mut bid, &mut ask) {
            if buy.px < sell.px {
                break;
            }
            px = Some(sell.px + (buy.px - sell.px) / 2);
            let shares = buy.shares.min(sell.shares);
            fills.extend([(*buyer, shares), (*seller, shares)]);
            buy.shares -= shares;
            sell.shares -= shares;
            if buy.shares == 0 {
                bid = bids.next();
            }
            if ask.is_some_and(|(_, sell)| sell.shares == 0) {
                ask = asks.next();
            }
        }
        px.map(|px| (px, fills))
    }

    /// Interest that is not displayed pushes the cross one or two levels through the touch of one side:
    /// every order there with a better limit trades, and the head at the price itself. Price zero: no
    /// cross, that side is empty.
    fn through_touch(&mut self, symbol: u16) -> (u32, Vec<(Slot, u32)>) {
        let side = if self.rng.chance(1, 2) { Side::Buy } else { Side::Sell };
        let depth = self.rng.below(2) as usize;
        let book = &self.symbols[usize::from(symbol)].book;
        let Some(px) = book.nth_px(side, depth) else { return (0, Vec::new()) };
        let mut fills = Vec::new();
        for slot in book.queue(side) {
            let order = self.orders.get(slot);
            fills.push((slot, order.shares));
            if order.px == px {
                break;
            }
        }
        (px, fills)
    }
}
