//! A small trading floor for the unit tests: one account, one instrument, a live market, room in every limit.

use model::page::Permission;
use model::{
    AccountId, ClientOrderId, Finding, Instrument, InstrumentId, Integrity, Money, Order, OrderId,
    OrderType, Origin, Px, Qty, Reject, Side, Symbol, Tif, TradingState, Ts, Verdict,
};

use crate::{
    AccountLimits, Capacity, Cleared, Market, Moment, PairLimits, Reservation, Risk, Share,
};

pub(crate) const ACCOUNT: AccountId = AccountId(0);
pub(crate) const INSTRUMENT: InstrumentId = InstrumentId(0);
pub(crate) const USD: [u8; 8] = *b"USD\0\0\0\0\0";

/// Price unit 10^-4, so that one price unit times one share is this much money.
pub(crate) const FACTOR: i128 = 100_000_000;

pub(crate) const ACCOUNT_LIMITS: fn() -> AccountLimits = || AccountLimits {
    name: Symbol::new("agent").unwrap(),
    permission: Permission::Trade,
    clients: true,
    currency: USD,
    cash: Money(100_000_000_000 * FACTOR),
    gross_max: Money(100_000_000_000 * FACTOR),
    open_orders_max: 100,
    rate_max: 1000,
    rate_window_ns: 1_000,
    ..AccountLimits::BLOCKED
};

pub(crate) const PAIR_LIMITS: PairLimits = PairLimits {
    clip_max: Qty(1_000),
    notional_max: Money(10_000_000_000 * FACTOR),
    band_bps: 100,
    long_max: Qty(2_000),
    short_max: Qty(2_000),
    age_max_ns: 50,
    reference_age_max_ns: 50,
    symbol_age_alone: false,
    ..PairLimits::BLOCKED
};

/// Bid 99.99, ask 100.01, last 100.00.
pub(crate) const MARKET: Market = Market {
    state: TradingState::Trading,
    market_halted: false,
    integrity: Integrity::Live,
    settling: false,
    bid: Some(Px(999_900)),
    ask: Some(Px(1_000_100)),
    last: Some(crate::LastTrade { px: Px(1_000_000), at: Ts(10_000) }),
    triggers: [Some(Px(1_000_000)); 2],
    updated: Ts(10_000),
    channel_updated: Ts(10_000),
};

pub(crate) struct Floor {
    pub(crate) risk: Risk,
    pub(crate) market: Market,
    pub(crate) moment: Moment,
    next_id: u64,
}

impl Floor {
    pub(crate) fn new() -> Floor {
        Floor::with(ACCOUNT_LIMITS(), PAIR_LIMITS)
    }

    pub(crate) fn with(account: AccountLimits, pair: PairLimits) -> Floor {
        Floor::sharing(Share::WHOLE, account, pair)
    }

    /// The same of one of several engines that share the account.
    pub(crate) fn sharing(share: Share, account: AccountLimits, pair: PairLimits) -> Floor {
        let capacity = Capacity {
            accounts: 2,
            instruments: 3,
            lines: 4,
            ids_per_account: 2_000,
            orders: 1_000,
            lots: 1_000,
            rows: 8,
        };
        let mut risk = Risk::new(capacity);
        risk.share(share);
        risk.add_account(account).unwrap();
        risk.list(&instrument(INSTRUMENT)).unwrap();
        risk.set_pair_limits(ACCOUNT, INSTRUMENT, pair).unwrap();
        let moment = Moment::at(Ts(10_000));
        Floor { risk, market: MARKET, moment, next_id: 1 }
    }

    /// Sizes of the books.
    pub(crate) fn risk_capacity(&self) -> Capacity {
        self.risk.capacity
    }

    /// A valid order with an id that nobody used.
    pub(crate) fn order(&mut self, side: Side, qty: i64, px: i64) -> Order {
        let id = self.next_id;
        self.next_id += 1;
        Order {
            id: OrderId(id),
            client_id: ClientOrderId::new(&format!("c{id}")).unwrap(),
            account: ACCOUNT,
            instrument: INSTRUMENT,
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(px),
            qty: Qty(qty),
            conditions: model::Conditions::NONE,
            origin: Origin::File,
            note: Default::default(),
        }
    }

    pub(crate) fn clear(&mut self, order: Order) -> Result<(Cleared, Reservation), Verdict> {
        self.risk.mark(order.instrument, &self.market);
        self.risk.clear(order, &self.market, self.moment)
    }

    /// Passes the order and keeps what it holds.
    pub(crate) fn pass(&mut self, side: Side, qty: i64, px: i64) -> Reservation {
        let order = self.order(side, qty, px);
        self.clear(order).unwrap().1
    }

    /// Makes a position by a passed and filled order.
    pub(crate) fn hold(&mut self, side: Side, qty: i64) {
        let mut held = self.pass(side, qty, 1_000_000);
        self.risk.fill(&mut held, Px(1_000_000), Qty(qty)).unwrap();
    }

    /// Puts other limits in place of those that the books were made under. The rate is counted under the new
    /// ones.
    pub(crate) fn relimit(&mut self, limits: AccountLimits, pair: PairLimits) {
        let account = &mut self.risk.accounts[0];
        account.sums.cash.0 += limits.cash.0 - account.limits.cash.0;
        account.limits = limits;
        account.same_terms = crate::same_terms::SameTerms::new(limits.duplicates);
        account.rate = crate::rate::RateWindow::new(limits.rate_max, limits.rate_window_ns);
        account.rate.count(self.moment.now, 0);
        account.rate.count(self.moment.now, 1);
        self.risk.set_pair_limits(ACCOUNT, INSTRUMENT, pair).unwrap();
    }

    /// What one check finds, without consuming anything.
    pub(crate) fn finds(&self, order: &Order, code: Reject) -> Finding {
        let (_, findings) = self.risk.check(order, &self.market, self.moment);
        findings.into_iter().flatten().find(|finding| finding.code == code).unwrap()
    }

    /// Whether one check refuses the order.
    pub(crate) fn fails(&self, order: &Order, code: Reject) -> bool {
        let (verdict, _) = self.risk.check(order, &self.market, self.moment);
        assert_eq!(self.finds(order, code).failed, verdict.bits & Verdict::bit(code) != 0);
        verdict.bits & Verdict::bit(code) != 0
    }
}

pub(crate) fn instrument(id: InstrumentId) -> Instrument {
    Instrument {
        id,
        symbol: Symbol::new("AAPL").unwrap(),
        px_decimals: 4,
        qty_decimals: 0,
        px_step: Px(100),
        lot: Qty(1),
        currency: USD,
        ..Default::default()
    }
}
