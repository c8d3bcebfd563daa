use model::page::Permission;
use model::{
    AccountId, Announced, DeskId, HaltLevel, HaltScope, Link, Money, Order, OrderType, Origin, Px,
    Reject, Side, Tif, Verdict,
};

use super::{BOTH, account_floor, money};
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, FACTOR, Floor};
use crate::{AccountLimits, Basket, Risk};

/// What one share is worth at 100.00.
const SHARE: i128 = 1_000_000;

impl Floor {
    /// A leg of a basket of `announced` shares, of which others are worth `others`.
    fn leg(&mut self, side: Side, qty: i64, announced: i128, others: i128) -> Order {
        let [announced, others] = [announced, others].map(|shares| money(shares * SHARE));
        self.moment.basket = Some(Basket { announced, others });
        let mut order = self.order(side, qty, 1_000_000);
        order.conditions.link = Some(Link::Basket(7));
        order
    }

    fn announces(&self, origin: Origin, legs: u8, money: Money) -> Vec<Reject> {
        let basket = Announced { number: 7, legs, money };
        self.risk.announce(ACCOUNT, origin, &basket, self.moment).failed().collect()
    }
}

fn at_most(shares: i128) -> Floor {
    account_floor(|limits| limits.basket_max = Some(money(shares * SHARE)))
}

/// Goal: all legs together are within what was announced and within the limit, whichever is less, both sides added up; off, only
/// what was announced counts. Method: others worth 15, each of the two at 20, −1 / 0 / +1 of what is left.
#[test]
fn legs_sum_up() {
    for side in BOTH {
        for (max, announced) in [(Some(20), 20), (Some(20), 90), (Some(90), 20), (None, 20)] {
            let mut floor = max.map_or_else(Floor::new, at_most);
            for (qty, refused) in [(4, false), (5, false), (6, true), (i64::MAX, true)] {
                let leg = floor.leg(side, qty, announced, 15);
                assert_eq!(floor.fails(&leg, Reject::Basket), refused, "{side} {max:?} {qty}");
            }
            let leg = floor.leg(side, 6, announced, 15);
            let found = floor.finds(&leg, Reject::Basket);
            let [limit, used] = [20, 21].map(|shares| money(shares * SHARE).0);
            assert_eq!((found.limit, found.used), (limit, used));
            assert_eq!(floor.risk.headroom(&leg, &floor.market, floor.moment).qty.0, 5);
        }
    }
}

/// Goal: what is no leg is not counted, a leg of no basket is refused, and what does not fit the type too. Method: each.
#[test]
fn only_legs_of_open_baskets() {
    let mut floor = at_most(1);
    let mut leg = floor.leg(Side::Buy, 1, i128::MAX / money(SHARE).0, i128::MAX / money(SHARE).0);
    assert!(floor.fails(&leg, Reject::Basket), "the sum of all is beyond its type");
    floor.moment.basket = None;
    assert!(floor.fails(&leg, Reject::Basket));
    leg.conditions.link = None;
    leg.qty.0 = 1_000;
    assert!(!floor.fails(&leg, Reject::Basket));
    let mut stop = floor.leg(Side::Buy, 1, 1, 0);
    (stop.order_type, stop.conditions.stop_px) = (OrderType::StopLimit, Px(1_010_000));
    assert!(floor.fails(&stop, Reject::Unsupported), "a stop waits for something else");
    let mut parent = floor.leg(Side::Buy, 1, 1, 0);
    parent.conditions.parent_only = true;
    assert!(floor.fails(&parent, Reject::Unsupported));
}

/// Goal: an account above counts the baskets of those beneath it. Method: its limit at −1 / 0 / +1, of legs and of what is
/// announced; the account's own is off.
#[test]
fn the_account_above_counts() {
    let mut floor = at_most(20);
    let beneath = AccountLimits { parent: Some(ACCOUNT), ..ACCOUNT_LIMITS() };
    let desk = floor.risk.add_account(beneath).unwrap();
    let pair = crate::fixture::PAIR_LIMITS;
    floor.risk.set_pair_limits(desk, crate::fixture::INSTRUMENT, pair).unwrap();
    for (qty, refused) in [(4, false), (5, false), (6, true)] {
        let leg = Order { account: desk, ..floor.leg(Side::Buy, qty, 90, 15) };
        assert_eq!(floor.fails(&leg, Reject::Basket), refused);
        let basket = Announced { number: 1, legs: 2, money: money(i128::from(qty + 15) * SHARE) };
        let verdict = floor.risk.announce(desk, Origin::File, &basket, floor.moment);
        assert_eq!(verdict.passed(), !refused);
    }
}

/// Goal: a basket that may not be is refused when it is announced. Method: money at −1 / 0 / +1 of the limit and at the ends of
/// its type; legs at both ends; then each condition alone.
#[test]
fn announced() {
    let mut floor = at_most(20);
    let most = money(20 * SHARE).0;
    let one = Origin::File;
    for (sum, codes) in [
        (most - 1, &[][..]),
        (most, &[]),
        (most + 1, &[Reject::Basket]),
        (i64::MAX.into(), &[Reject::Basket]),
        (i128::MAX, &[Reject::Overflow, Reject::Basket]),
        (0, &[Reject::Unsupported]),
        (-1, &[Reject::Unsupported]),
    ] {
        assert_eq!(floor.announces(one, 2, Money(sum)), codes, "{sum}");
    }
    for (legs, is_one) in [(0, false), (1, true), (32, true), (33, false), (255, false)] {
        assert_eq!(floor.announces(one, legs, Money(most)).is_empty(), is_one, "{legs}");
    }
    let refused = |floor: &Floor, origin| floor.announces(origin, 2, Money(most));
    let unlimited = Floor::new();
    assert_eq!(unlimited.announces(one, 2, Money(1 << 90)), [], "off");
    let stranger = Announced { number: 1, legs: 1, money: Money(1) };
    let verdict: Verdict = floor.risk.announce(AccountId(9), one, &stranger, floor.moment);
    assert!(verdict.failed().any(|code| code == Reject::UnknownAccount));
    for permission in Permission::ALL {
        let closed = account_floor(|limits| {
            (limits.permission, limits.clients) = (*permission, false);
        });
        let expected = *permission == Permission::Read;
        assert_eq!(refused(&closed, one).contains(&Reject::NotPermitted), expected);
        assert_eq!(refused(&closed, Origin::Desk(DeskId(1))), [Reject::NotPermitted]);
    }
    type Flag = fn(&mut crate::Moment) -> &mut bool;
    let flags: [(Flag, Reject); 4] = [
        (|moment| &mut moment.journal_full, Reject::JournalFull),
        (|moment| &mut moment.audit_full, Reject::AuditFull),
        (|moment| &mut moment.tables_full, Reject::Capacity),
        (|moment| &mut moment.reconciling, Reject::Reconciling),
    ];
    for (flag, code) in flags {
        *flag(&mut floor.moment) = true;
        assert_eq!(refused(&floor, one), [code]);
        *flag(&mut floor.moment) = false;
    }
    for (level, code) in
        [(HaltLevel::ReduceOnly, None), (HaltLevel::CancelOnly, Some(Reject::Halted))]
    {
        for scope in [HaltScope::All, HaltScope::Account(ACCOUNT)] {
            let mut floor = at_most(20);
            assert!(floor.risk.raise_halt(scope, level));
            assert_eq!(refused(&floor, one).first().copied(), code);
        }
    }
}

/// Goal: a sale without a limit counts at the collar's upper edge, a leg with one at its price. Method: a collar of 1 %.
#[test]
fn a_market_sale_counts_at_its_most() {
    let mut floor = Floor::new();
    let limit = floor.order(Side::Sell, 3, 990_000);
    let sale = Order { order_type: OrderType::Market, tif: Tif::Ioc, ..limit };
    let worth = |risk: &Risk, order| risk.worth(order, &floor.market, floor.moment.now).0 / FACTOR;
    assert_eq!(worth(&floor.risk, &limit), 3 * 990_000);
    assert_eq!(worth(&floor.risk, &sale), 3 * 1_010_000);
    assert_eq!(worth(&floor.risk, &Order { side: Side::Buy, ..sale }), 3 * 990_000);
}

/// Goal: new terms of a leg that was sent are those of any order. Method: of a basket that is over.
#[test]
fn new_terms_of_a_leg_are_no_leg() {
    let mut floor = at_most(20);
    let leg = floor.leg(Side::Buy, 4, 20, 0);
    let (_, mut held) = floor.clear(leg).unwrap();
    floor.moment.basket = None;
    let fewer = floor.order(Side::Buy, 3, 1_000_000);
    let fewer = Order { conditions: leg.conditions, ..fewer };
    assert!(floor.risk.clear_replace(fewer, &mut held, &floor.market, floor.moment).is_ok());
}
