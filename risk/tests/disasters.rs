//! What went wrong elsewhere, asked of this gate: each must end in a refusal or a book that is right.

use model::page::{AsOf, Permission};
use model::{
    AccountId, Announced, ClientOrderId, HaltLevel, HaltScope, Instrument, InstrumentId, Integrity,
    Link, Money, Order, OrderId, OrderType, Origin, Px, Qty, Reject, Side, Symbol, Tif,
    TradingState, Ts, Verdict,
};
use risk::{
    AccountLimits, Basket, Capacity, Cleared, ClearedReplace, Duplicates, LastTrade, Market,
    Moment, PairLimits, Reservation, Risk,
};

const CURRENCY: [u8; 8] = *b"JPY\0\0\0\0\0";
/// Prices and quantities are whole.
const ONE: i128 = 1_000_000_000_000;

/// One account, one share at about ¥1,000, and reasonable limits.
struct Desk {
    risk: Risk,
    market: Market,
    now: Ts,
    next_id: u64,
}

impl Desk {
    fn new(reference: i64) -> Desk {
        Desk::with(reference, None)
    }

    fn with(reference: i64, basket_max: Option<Money>) -> Desk {
        let capacity = Capacity {
            accounts: 1,
            instruments: 1,
            lines: 1,
            ids_per_account: 100_000,
            orders: 100_000,
            lots: 1_000,
            rows: 1,
        };
        let mut risk = Risk::new(capacity);
        let account = AccountLimits {
            name: Symbol::new("desk").unwrap(),
            permission: Permission::Trade,
            clients: true,
            currency: CURRENCY,
            cash: Money(1_000_000_000 * ONE),
            gross_max: Money(500_000_000 * ONE),
            day_gross_max: Some(Money(800_000_000 * ONE)),
            open_orders_max: 1_000,
            rate_max: 1_000,
            rate_window_ns: 1_000_000_000,
            duplicates: Some(Duplicates { max: 5, window_ns: 1_000_000_000 }),
            no_self_trade: true,
            basket_max,
            ..AccountLimits::BLOCKED
        };
        assert_eq!(risk.add_account(account), Ok(AccountId(0)));
        let instrument =
            Instrument { px_step: Px(1), lot: Qty(1), currency: CURRENCY, ..Default::default() };
        risk.list(&instrument).unwrap();
        let row = PairLimits {
            clip_max: Qty(10_000),
            notional_max: Money(10_000_000_000 * ONE),
            band_bps: 1_000,
            long_max: Qty(50_000),
            short_max: Qty(50_000),
            age_max_ns: 5_000_000_000,
            reference_age_max_ns: 5_000_000_000,
            ..PairLimits::BLOCKED
        };
        risk.set_pair_limits(AccountId(0), InstrumentId(0), row).unwrap();
        let now = Ts(1_000_000_000);
        let market = Market {
            state: TradingState::Trading,
            integrity: Integrity::Live,
            bid: Some(Px(reference - 1)),
            ask: Some(Px(reference + 1)),
            last: Some(LastTrade { px: Px(reference), at: now }),
            updated: now,
            channel_updated: now,
            ..Market::UNKNOWN
        };
        Desk { risk, market, now, next_id: 0 }
    }

    fn order(&mut self, side: Side, qty: i64, px: i64) -> Order {
        self.next_id += 1;
        Order {
            id: OrderId(self.next_id),
            client_id: ClientOrderId::new(&self.next_id.to_string()).unwrap(),
            account: AccountId(0),
            instrument: InstrumentId(0),
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(px),
            qty: Qty(qty),
            conditions: model::Conditions::NONE,
            origin: Origin::Strategy(0),
            note: Default::default(),
        }
    }

    fn send(&mut self, side: Side, qty: i64, px: i64) -> Result<(Cleared, Reservation), Verdict> {
        let (order, moment) = (self.order(side, qty, px), self.moment());
        self.risk.clear(order, &self.market, moment)
    }

    fn change(
        &mut self,
        held: &mut Reservation,
        side: Side,
        qty: i64,
        px: i64,
    ) -> Result<ClearedReplace, Verdict> {
        let (order, moment) = (self.order(side, qty, px), self.moment());
        self.risk.clear_replace(order, held, &self.market, moment)
    }

    fn moment(&self) -> Moment {
        Moment::at(self.now)
    }

    /// Position and what works on both sides.
    fn books(&self) -> [i64; 3] {
        let line = self.risk.line_page(0, AsOf::default());
        line.map_or([0; 3], |line| [line.position.0, line.working_buy.0, line.working_sell.0])
    }
}

fn codes(verdict: Verdict) -> Vec<Reject> {
    verdict.failed().collect()
}

/// Mizuho Securities, December 2005: one share at ¥610,000 was to be sold, and 610,000 shares at ¥1 were.
///
/// Goal: quantity and price the wrong way round are refused by more than one check. Method: that order, and its parts.
#[test]
fn price_and_quantity_the_wrong_way_round() {
    let mut desk = Desk::new(610_000);
    let failed = codes(desk.send(Side::Sell, 610_000, 1).unwrap_err());
    assert!([Reject::Clip, Reject::Collar, Reject::Position].iter().all(|c| failed.contains(c)));
    assert_eq!(codes(desk.send(Side::Sell, 1, 1).unwrap_err()), [Reject::Collar]);
    assert!(desk.send(Side::Sell, 1, 610_000).is_ok());
}

/// Citigroup, May 2022: a basket of $58 million was entered as one of $444 billion, quantity in the place of money.
///
/// Goal: money in the place of quantity does not pass, and no number of hard blocks can be overridden by the asker: there is no
/// call for it. Method: the notional as quantity.
#[test]
fn money_in_the_place_of_quantity() {
    let mut desk = Desk::new(1_000);
    let failed = codes(desk.send(Side::Buy, 444_000_000_000, 1_000).unwrap_err());
    for code in [Reject::Clip, Reject::Notional, Reject::Position, Reject::Gross, Reject::Cash] {
        assert!(failed.contains(&code), "{code}");
    }
    assert_eq!(desk.books(), [0; 3]);
}

/// The same basket, leg by leg: each is small enough, and the sum is what its desk did not mean to send. The engine's own test
/// of it is in `engine/src/paper/tests/baskets.rs`.
///
/// Goal: a basket of 58 million is stopped with the leg that brings it beyond that, and one of 444 billion before its first; by
/// the account's limit, and without one by what was announced. Method: legs of ¥5 million each on both sides, as many as would be
/// 444 billion at the end.
#[test]
fn a_basket_of_units_that_were_money() {
    const MILLION: i128 = 1_000_000 * ONE;
    for basket_max in [Some(Money(100 * MILLION)), None] {
        let mut desk = Desk::with(1_000, basket_max);
        let meant = |money| Announced { number: 1, legs: 32, money: Money(money) };
        let (account, origin) = (AccountId(0), Origin::Strategy(0));
        let announce = |desk: &Desk, money| {
            let verdict = desk.risk.announce(account, origin, &meant(money), desk.moment());
            codes(verdict)
        };
        assert_eq!(announce(&desk, 58 * MILLION), []);
        let whole = announce(&desk, 444_000 * MILLION);
        assert_eq!(whole, basket_max.map(|_| Reject::Basket).into_iter().collect::<Vec<_>>());
        let (announced, mut others, mut held) = (Money(58 * MILLION), Money::ZERO, Vec::new());
        let stopped = (0..32).find_map(|leg| {
            let side = if leg % 2 == 0 { Side::Sell } else { Side::Buy };
            let mut order = desk.order(side, 5_000 - leg, 1_000 - leg % 2);
            order.conditions.link = Some(Link::Basket(1));
            let moment = Moment { basket: Some(Basket { announced, others }), ..desk.moment() };
            match desk.risk.clear_held(&order, None, &desk.market, moment) {
                Ok(reservation) => held.push(reservation),
                Err(verdict) => return Some((leg, codes(verdict))),
            }
            others.0 += desk.risk.worth(&order, &desk.market, desk.now).0;
            None
        });
        assert_eq!(stopped, Some((11, vec![Reject::Basket])));
        held.iter_mut().for_each(|held| desk.risk.release(held));
        assert_eq!(desk.books(), [0; 3]);
    }
}

/// Knight Capital, August 2012: a dead loop sent millions of child orders that nobody counted.
///
/// Goal: a loop that sends the same order for ever is stopped by checks that do not know of each other, within a number of orders
/// that the limits say. Method: ten thousand of them at a rate of ten thousand a second, all filled at once; then each check
/// alone would have stopped it.
#[test]
fn a_loop_that_sends_for_ever() {
    let mut desk = Desk::new(1_000);
    let (mut passed, mut reasons) = (0, std::collections::BTreeSet::new());
    for _ in 0..10_000 {
        desk.now.0 += 100_000;
        match desk.send(Side::Buy, 100, 1_001) {
            Ok((_, mut held)) => {
                desk.risk.fill(&mut held, Px(1_001), Qty(100)).unwrap();
                passed += 1;
            }
            Err(verdict) => reasons.extend(codes(verdict)),
        }
    }
    assert_eq!(passed, 5, "as often as the same terms may come");
    assert!(reasons.contains(&Reject::DuplicateTerms) && reasons.contains(&Reject::Rate));
    // Terms that differ each time get as far as the position, whatever the rate.
    let mut desk = Desk::new(1_000);
    let mut bought = 0;
    for number in 0..10_000 {
        desk.now.0 += 10_000_000;
        (desk.market.updated, desk.market.channel_updated) = (desk.now, desk.now);
        if let Ok((_, mut held)) = desk.send(Side::Buy, 100 + number % 7, 1_000 + number % 5) {
            let all = held.open();
            desk.risk.fill(&mut held, Px(1_000), all).unwrap();
            bought = desk.books()[0];
        }
    }
    assert!((49_800..=50_000).contains(&bought), "{bought}");
}

/// Goal: an order that is made larger step by step, each step small, meets the limits as one order would. Method: from one share
/// up until it is refused, the venue taking each step; once more with every answer outstanding.
#[test]
fn replaced_up_step_by_step() {
    let mut desk = Desk::new(1_000);
    let (_, mut held) = desk.send(Side::Buy, 1_000, 1_000).unwrap();
    let mut qty = 1_000;
    let refused = loop {
        qty += 1_000;
        match desk.change(&mut held, Side::Buy, qty, 1_000) {
            Ok(_) => desk.risk.replaced(&mut held, Px(1_000), Qty(qty)).unwrap(),
            Err(verdict) => break codes(verdict),
        }
    };
    assert_eq!((qty, refused), (11_000, vec![Reject::Clip]));
    assert_eq!(desk.books(), [0, 10_000, 0]);
    assert!(desk.change(&mut held, Side::Buy, 9_000, 1_000).is_ok());
    assert_eq!(
        codes(desk.change(&mut held, Side::Buy, 9_500, 1_000).unwrap_err()),
        [Reject::ChangePending]
    );
    assert_eq!(desk.books(), [0, 10_000, 0], "until the venue has answered");
}

/// Goal: a fill that crosses a cancel, or comes after it, is a position, counted once, and leaves nothing reserved. Method: all
/// orders of fill, rest and cancel.
#[test]
fn cancels_and_fills_cross() {
    for (before, after) in [(0, 0), (40, 0), (0, 40), (40, 60), (100, 0), (0, 100)] {
        let mut desk = Desk::new(1_000);
        let (_, mut held) = desk.send(Side::Sell, 100, 1_000).unwrap();
        if before > 0 {
            desk.risk.fill(&mut held, Px(1_000), Qty(before)).unwrap();
        }
        desk.risk.release(&mut held);
        if after > 0 {
            desk.risk.fill(&mut held, Px(1_000), Qty(after)).unwrap();
        }
        assert_eq!(desk.books(), [-before - after, 0, 0], "{before} {after}");
        let page = desk.risk.account_page(AccountId(0), AsOf::default(), desk.now).unwrap();
        assert_eq!((page.open_orders, page.reserved), (0, Money::ZERO));
    }
}

/// Goal: a kill switch stops everything but cancels, at every scope, and nobody's request lowers it. Method: each scope halted;
/// an order, a replace that asks for less, the end of an order; a request for a lower level.
#[test]
fn a_kill_switch_fails_closed() {
    for scope in [
        HaltScope::All,
        HaltScope::Account(AccountId(0)),
        HaltScope::Instrument(InstrumentId(0)),
        HaltScope::Strategy(0),
    ] {
        let mut desk = Desk::new(1_000);
        let (_, mut held) = desk.send(Side::Buy, 100, 1_000).unwrap();
        assert!(desk.risk.raise_halt(scope, HaltLevel::Halted));
        assert!(!desk.risk.raise_halt(scope, HaltLevel::Active));
        assert_eq!(codes(desk.send(Side::Sell, 1, 1_001).unwrap_err()), [Reject::Halted]);
        let less = desk.change(&mut held, Side::Buy, 50, 1_000).unwrap_err();
        assert_eq!(codes(less), [Reject::Halted]);
        desk.risk.release(&mut held);
        assert_eq!(desk.books(), [0; 3]);
    }
}

/// Goal: no market order goes round a check: each is priced at the worst that the collar passes and judged there, and without a
/// reference none leaves (brokers whose checks begin "if it has a price"). Method: a market order for a limit order's every
/// refusal; one of a size that only its worst price forbids; one in a market of which nothing is known.
#[test]
fn market_orders_may_not_bypass() {
    let priced = |desk: &mut Desk, side, qty| {
        let order_type = OrderType::Market;
        let order = Order { order_type, tif: Tif::Ioc, ..desk.order(side, qty, 0) };
        let px = desk.risk.collar_px(&order, &desk.market, desk.now);
        Order { px: px.unwrap_or_default(), ..order }
    };
    for side in [Side::Buy, Side::Sell] {
        for qty in [0, 1, 7, 1_000, 50_000, 610_000, i64::MAX] {
            let mut desk = Desk::new(1_000);
            let market = priced(&mut desk, side, qty);
            let limit = Order { order_type: OrderType::Limit, ..market };
            let (as_market, _) = desk.risk.check(&market, &desk.market, desk.moment());
            let (as_limit, _) = desk.risk.check(&limit, &desk.market, desk.moment());
            // A sale that may bring more than its limit is judged by what it may bring.
            let more = as_market.bits & !Verdict::bit(Reject::Notional);
            assert_eq!(more | as_limit.bits & Verdict::bit(Reject::Notional), as_limit.bits);
            assert!(as_market.bits & as_limit.bits == as_limit.bits, "{side} {qty}");
        }
        let mut desk = Desk::new(1_000);
        let unpriced = Order { px: Px(0), ..priced(&mut desk, side, 1) };
        let (verdict, _) = desk.risk.check(&unpriced, &desk.market, desk.moment());
        assert!(!verdict.passed(), "one that the engine forgot to price");
        desk.market = Market::UNKNOWN;
        let blind = priced(&mut desk, side, 1);
        assert_eq!(blind.px, Px(0));
        let refused = desk.risk.clear(blind, &desk.market, desk.moment()).unwrap_err();
        assert!(refused.failed().any(|code| code == Reject::NoReference));
        assert_eq!(desk.books(), [0; 3]);
    }
}
