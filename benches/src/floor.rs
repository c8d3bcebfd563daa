//! The floor that the benches of the gate trade on: accounts beneath a firm, instruments of one live market, orders that pass.

use std::hint::black_box;

use model::page::Permission;
use model::{
    AccountId, ClientOrderId, DeskId, Instrument, InstrumentId, Integrity, Money, Note, Order,
    OrderId, OrderType, Origin, Px, Qty, Side, Symbol, Tif, TradingState, Ts,
};
use risk::{
    AccountLimits, Capacity, Duplicates, Fee, LastTrade, Margin, Market, Moment, OrderToTrade,
    PairLimits, Reference, Reservation, Risk, SoftLimits, VolumeLimit,
};

/// Orders of one round, and client order ids of an account: few enough that all tables but those of 10,000 instruments
/// stay in the processor's own caches. Every round begins with new books of account.
pub const ORDERS: usize = 2048;
/// Engine time from one order to the next, nanoseconds.
pub const GAP: u64 = 1_000;

const USD: [u8; 8] = *b"USD\0\0\0\0\0";
/// Engine time before the first order.
pub const NOW: u64 = 1_000_000_000;
const PX: Px = Px(1_000_000);
/// Buys and sells are this far from it, so that they do not meet.
const AWAY: i64 = 100;
const MUCH: Money = Money(1 << 80);

/// Bid and ask of every instrument, just now.
pub const MARKET: Market = Market {
    triggers: [None; 2],
    settling: false,
    state: TradingState::Trading,
    market_halted: false,
    integrity: Integrity::Live,
    bid: Some(Px(PX.0 - AWAY)),
    ask: Some(Px(PX.0 + AWAY)),
    last: Some(LastTrade { px: PX, at: Ts(NOW) }),
    updated: Ts(NOW),
    channel_updated: Ts(NOW),
};

/// What the orders of a row meet.
#[derive(Clone, Copy)]
pub struct Row {
    /// How many.
    pub instruments: u32,
    /// How many, beneath one firm.
    pub accounts: u16,
    /// Whether every limit is on that can be off.
    pub all: bool,
}

impl Row {
    /// Its name among the figures.
    pub fn name(self) -> String {
        let Row { instruments, accounts, all } = self;
        let limits = if all { "all" } else { "least" };
        format!("{instruments}_instruments_{accounts}_accounts_{limits}")
    }

    fn account(self) -> AccountLimits {
        let least = AccountLimits {
            name: Symbol::new("agent").expect("a name"),
            permission: Permission::Trade,
            clients: true,
            currency: USD,
            cash: MUCH,
            gross_max: MUCH,
            open_orders_max: ORDERS as u32,
            rate_max: 2_000,
            rate_window_ns: 1_000 * GAP,
            ..AccountLimits::BLOCKED
        };
        if !self.all {
            return least;
        }
        AccountLimits {
            net_max: Some(MUCH),
            day_gross_max: Some(MUCH),
            loss_max: Some(MUCH),
            drawdown_max_bps: Some(5_000),
            volume: Some(VolumeLimit { max: MUCH, window_ns: 1_000_000_000 }),
            basket_max: Some(MUCH),
            order_to_trade: Some(OrderToTrade { ratio_max: 100, free: u32::MAX }),
            executions_max: Some(u32::MAX),
            duplicates: Some(Duplicates { max: 8, window_ns: GAP }),
            no_self_trade: true,
            ..least
        }
    }

    fn pair(self) -> PairLimits {
        let least = PairLimits {
            clip_max: Qty(1_000),
            notional_max: MUCH,
            band_bps: 100,
            long_max: Qty(1_000_000),
            short_max: Qty(1_000_000),
            age_max_ns: 1_000_000_000,
            reference_age_max_ns: 1_000_000_000,
            symbol_age_alone: false,
            ..PairLimits::BLOCKED
        };
        if !self.all {
            return least;
        }
        let soft = SoftLimits {
            clip_max: Some(least.clip_max),
            notional_max: Some(least.notional_max),
            band_bps: Some(least.band_bps),
        };
        PairLimits {
            band_px: AWAY,
            margin: Some(Margin { long_bps: 5_000, short_bps: 5_000 }),
            soft,
            spread_max_bps: Some(100),
            adv_max_bps: Some(100),
            venue_band: true,
            located: Some(Qty(1_000_000)),
            fee: Fee::new(300, Money::ZERO, Money(10_000_000_000), 100_000_000).expect("a fee"),
            ..least
        }
    }

    /// A firm and the accounts beneath it; with the least limits the accounts stand alone.
    pub fn books_of_account(self) -> Risk {
        let accounts = self.accounts + 1;
        let mut risk = Risk::new(Capacity {
            accounts,
            instruments: self.instruments,
            lines: self.instruments * u32::from(accounts),
            ids_per_account: ORDERS as u32,
            orders: ORDERS as u32,
            lots: 1 << 20,
            rows: 1,
        });
        let firm = risk.add_account(self.account()).expect("limits in range");
        for _ in 0..self.accounts {
            let parent = self.all.then_some(firm);
            risk.add_account(AccountLimits { parent, ..self.account() }).expect("limits in range");
        }
        let symbol = Symbol::new("TEST").expect("a name");
        for id in (0..self.instruments).map(InstrumentId) {
            let facts =
                Instrument { id, symbol, px_decimals: 4, px_step: Px(100), ..Default::default() };
            risk.list(&Instrument { lot: Qty(1), currency: USD, ..facts }).expect("room for it");
            let adv = Some((Qty(1_000_000), Ts(u64::MAX)));
            let band = Some((Px(PX.0 / 2), Px(PX.0 * 2)));
            risk.set_reference(id, Reference { adv, band }).expect("listed");
            for account in 0..accounts {
                risk.set_pair_limits(AccountId(account), id, self.pair()).expect("limits in range");
            }
            risk.mark(id, &MARKET);
        }
        risk
    }

    /// An order of its own client order id, over instruments and accounts in a scattered order.
    pub fn order(self, number: u32, client_id: ClientOrderId) -> Order {
        let scattered = number.wrapping_mul(0x9E37_79B1);
        let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let account = 1 + (scattered >> 8) % u32::from(self.accounts);
        Order {
            id: OrderId::new(number, 1),
            client_id,
            account: AccountId(account as u16),
            instrument: InstrumentId(scattered % self.instruments),
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(if side == Side::Buy { PX.0 - AWAY } else { PX.0 + AWAY }),
            qty: Qty(1),
            conditions: model::Conditions::NONE,
            origin: Origin::Desk(DeskId(0)),
            note: Note::default(),
        }
    }
}

/// Books of account and the orders to come.
pub struct Floor {
    row: Row,
    risk: Risk,
    ids: Vec<ClientOrderId>,
    held: Vec<Reservation>,
    now: u64,
}

impl Floor {
    /// New books of account, and nothing judged.
    pub fn new(row: Row) -> Floor {
        let id = |number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough");
        let ids: Vec<_> = (0..ORDERS).map(id).collect();
        let order = row.order(0, ids[0]);
        let passed = row.books_of_account().clear(order, &MARKET, Moment::at(Ts(NOW)));
        // Its memory is there before anything is timed: a missing page would be taken for the gate's.
        let mut held = vec![passed.expect("it passes").1; ORDERS];
        held.clear();
        Floor { row, risk: row.books_of_account(), ids, held, now: NOW }
    }

    /// Judges the next order, which passes.
    ///
    /// # Panics
    ///
    /// If it is refused, or there were [`ORDERS`] already.
    #[inline(always)]
    pub fn judge(&mut self, number: usize) {
        self.now += GAP;
        let order = self.row.order(number as u32, self.ids[number]);
        let moment = Moment::at(Ts(self.now));
        let passed = self.risk.clear(order, black_box(&MARKET), moment);
        let (cleared, held) = passed.map_err(|v| v.bits).expect("every order passes every check");
        black_box(cleared.order());
        self.held.push(held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a row of every limit has every one on, and its orders pass. Method: look for one that is off, and judge a whole
    /// round.
    #[test]
    fn every_limit_is_on() {
        let row = Row { instruments: 2, accounts: 2, all: true };
        let account = row.account();
        let AccountLimits { net_max, day_gross_max, loss_max, volume, basket_max, .. } = account;
        let sums = [net_max, day_gross_max, loss_max, volume.map(|volume| volume.max), basket_max];
        assert!(sums.iter().all(Option::is_some));
        let counts = [account.drawdown_max_bps, account.executions_max];
        assert!(counts.iter().all(Option::is_some));
        assert!(account.order_to_trade.is_some() && account.duplicates.is_some());
        assert!(account.no_self_trade && account.cash_binds);
        let pair = row.pair();
        let SoftLimits { clip_max, notional_max, band_bps } = pair.soft;
        assert!(clip_max.is_some() && notional_max.is_some() && band_bps.is_some());
        assert!(pair.spread_max_bps.is_some() && pair.adv_max_bps.is_some() && pair.venue_band);
        assert!(pair.located.is_some() && pair.margin.is_some() && pair.band_px > 0);
        let mut floor = Floor::new(row);
        (0..ORDERS).for_each(|number| floor.judge(number));
    }
}
