//! The probe: an order every k-th trade, so that the way from tick to verdict and fill can be measured.

use model::{AccountId, Ask, ClientOrderId, OrderType, Side, Terms, Tif};

use super::Seen;

/// Crosses the spread with one lot, immediate-or-cancel, buying and selling in turn, so that its position stays within
/// one lot. It earns nothing: it pays the spread for a measurement.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Probe {
    /// The account that it trades on.
    pub account: AccountId,
    /// Its place in the list of strategies, part of its order ids.
    place: u8,
    every: u64,
    trades: u64,
    orders: u64,
}

impl Probe {
    /// An order every `every` trades.
    pub const fn new(account: AccountId, place: u8, every: u64) -> Probe {
        Probe { account, place, every, trades: 0, orders: 0 }
    }

    /// Counts a trade; on every k-th asks for an order in what traded.
    pub fn on_trade(&mut self, seen: &Seen<'_>) -> Option<Ask> {
        self.trades += 1;
        if !self.trades.is_multiple_of(self.every) {
            return None;
        }
        let side = if self.orders.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let px = match side {
            Side::Buy => seen.ask?.px,
            Side::Sell => seen.bid?.px,
        };
        self.orders += 1;
        let client_id = self.client_id()?;
        let instrument = seen.instrument.id;
        let qty = seen.instrument.lot;
        Some(Ask::New(Terms {
            client_id,
            instrument,
            side,
            order_type: OrderType::Limit,
            tif: Tif::Ioc,
            px,
            qty,
            conditions: model::Conditions::NONE,
        }))
    }

    /// `p`, the place and the number of the order, in hexadecimal.
    fn client_id(&self) -> Option<ClientOrderId> {
        let mut text = *b"p000000000000000";
        let digit =
            |value: u64| b"0123456789abcdef".get((value & 15) as usize).copied().unwrap_or(b'0');
        for (at, byte) in text.iter_mut().enumerate().skip(1) {
            *byte = match at {
                1 | 2 => digit(u64::from(self.place) >> (4 * (2 - at))),
                _ => digit(self.orders >> (4 * (15 - at))),
            };
        }
        core::str::from_utf8(&text).ok().and_then(|text| ClientOrderId::new(text).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::page::Quote;
    use model::{Instrument, Px, Qty};

    /// Goal: an order on every third trade, alternating, at the far touch, with ids of its own; none without a touch.
    /// Method: nine trades, the book empty at the last period.
    #[test]
    fn every_third_trade() {
        let instrument = Instrument { lot: Qty(100), ..Default::default() };
        let quote = |px| Some(Quote { px: Px(px), qty: Qty(1), orders: 1 });
        let mut probe = Probe::new(AccountId(0), 0xAB, 3);
        let mut asked = Vec::new();
        for trade in 1..=9 {
            let (bid, ask) = if trade < 9 { (quote(10), quote(11)) } else { (None, None) };
            let seen = Seen { instrument: &instrument, px: Px(10), qty: Qty(1), bid, ask };
            if let Some(Ask::New(terms)) = probe.on_trade(&seen) {
                asked.push((trade, terms.side, terms.px, terms.client_id.to_string()));
            }
        }
        assert_eq!(
            asked,
            [
                (3, Side::Buy, Px(11), "pab0000000000001".to_string()),
                (6, Side::Sell, Px(10), "pab0000000000002".to_string()),
            ]
        );
    }
}
