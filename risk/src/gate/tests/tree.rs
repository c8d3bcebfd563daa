use model::page::Permission;
use model::{AccountId, HaltLevel, HaltScope, Money, Order, Px, Qty, Reject, Side, Symbol};

use super::money;
use crate::fixture::{ACCOUNT_LIMITS, Floor, INSTRUMENT, MARKET, PAIR_LIMITS, instrument};
use crate::{AccountLimits, Capacity, LimitError, LossStops, PairLimits, Risk};

const FIRM: AccountId = AccountId(0);
const DESKS: [AccountId; 2] = [AccountId(1), AccountId(2)];

/// A firm and two accounts beneath it. The accounts themselves have room; the firm's limits are changed.
fn firm(limits: impl Fn(&mut AccountLimits), pair: impl Fn(&mut PairLimits)) -> Floor {
    firm_of(3, limits, pair)
}

/// The same with room for so many lines.
fn firm_of(
    lines: u32,
    limits: impl Fn(&mut AccountLimits),
    pair: impl Fn(&mut PairLimits),
) -> Floor {
    let mut floor = Floor::new();
    floor.risk = Risk::new(Capacity {
        accounts: 3,
        instruments: 1,
        lines,
        ids_per_account: 100,
        orders: 100,
        lots: 1_000,
        rows: 2,
    });
    floor.risk.list(&instrument(INSTRUMENT)).unwrap();
    let mut top = AccountLimits { permission: Permission::Read, ..ACCOUNT_LIMITS() };
    limits(&mut top);
    assert_eq!(floor.risk.add_account(top), Ok(FIRM));
    for desk in DESKS {
        let below = AccountLimits { parent: Some(FIRM), ..ACCOUNT_LIMITS() };
        assert_eq!(floor.risk.add_account(below), Ok(desk));
        floor.risk.set_pair_limits(desk, INSTRUMENT, PAIR_LIMITS).unwrap();
    }
    let mut row = PAIR_LIMITS;
    pair(&mut row);
    floor.risk.set_pair_limits(FIRM, INSTRUMENT, row).unwrap();
    floor
}

impl Floor {
    fn order_of(&mut self, account: AccountId, side: Side, qty: i64) -> Order {
        Order { account, ..self.order(side, qty, 1_000_000) }
    }

    /// Passes an order of an account and fills it.
    fn hold_on(&mut self, account: AccountId, side: Side, qty: i64) {
        let order = self.order_of(account, side, qty);
        let (_, mut held) = self.clear(order).unwrap();
        self.risk.fill(&mut held, Px(1_000_000), Qty(qty)).unwrap();
    }
}

/// Goal: every limit of the account above counts what all beneath it do. Method: one account uses a part of
/// each limit, the other meets the rest at −1 / 0 / +1.
#[test]
fn the_firm_counts_both() {
    let rest = |code: Reject, limits: fn(&mut AccountLimits), pair: fn(&mut PairLimits)| {
        let mut floor = firm(limits, pair);
        floor.hold_on(DESKS[0], Side::Buy, 4);
        for (qty, refused) in [(5, false), (6, false), (7, true)] {
            let order = floor.order_of(DESKS[1], Side::Buy, qty);
            assert_eq!(floor.fails(&order, code), refused, "{code} {qty}");
        }
        let own = floor.order_of(DESKS[1], Side::Buy, 7);
        let verdict = floor.clear(own).unwrap_err();
        assert_eq!(verdict.failed().collect::<Vec<_>>(), [code]);
    };
    rest(Reject::Position, |_| (), |pair| pair.long_max = Qty(10));
    rest(Reject::Gross, |limits| limits.gross_max = money(10 * 1_000_000), |_| ());
    rest(Reject::Net, |limits| limits.net_max = Some(money(10 * 1_000_000)), |_| ());
    rest(Reject::DayGross, |limits| limits.day_gross_max = Some(money(10 * 1_000_000)), |_| ());
}

/// Goal: positions of opposite sides net above, and each account keeps its own. Method: one long, one short,
/// at limits that only the net fits.
#[test]
fn positions_net_above() {
    let mut floor = firm(
        |limits| limits.gross_max = money(6 * 1_000_000),
        |pair| (pair.long_max, pair.short_max) = (Qty(6), Qty(6)),
    );
    floor.hold_on(DESKS[0], Side::Buy, 6);
    let more = floor.order_of(DESKS[1], Side::Buy, 1);
    assert!(floor.fails(&more, Reject::Position) && floor.fails(&more, Reject::Gross));
    floor.hold_on(DESKS[1], Side::Sell, 6);
    let more = floor.order_of(DESKS[0], Side::Buy, 6);
    assert!(!floor.fails(&more, Reject::Position) && !floor.fails(&more, Reject::Gross));
    let positions: Vec<i64> = (0..floor.risk.lines() as u32)
        .map(|slot| floor.risk.line_page(slot, Default::default()).unwrap())
        .map(|line| line.position.0)
        .collect();
    assert_eq!(positions, [6, 0, -6]);
}

/// Goal: rate, open orders, loss, halts and missing rows of the account above stop those beneath. Method: one
/// of each.
#[test]
fn what_stops_the_firm_stops_all() {
    let mut floor = firm(|limits| (limits.rate_max, limits.open_orders_max) = (2, 1), |_| ());
    let orders = DESKS.map(|desk| floor.order_of(desk, Side::Buy, 1));
    let (_, _held) = floor.clear(orders[0]).unwrap();
    assert!(floor.fails(&orders[1], Reject::OpenOrders) && !floor.fails(&orders[1], Reject::Rate));
    assert!(floor.clear(orders[1]).is_err());
    assert!(floor.fails(&orders[1], Reject::Rate));

    let mut floor = firm(
        |limits| (limits.loss_max, limits.loss_stops) = (Some(Money::ZERO), LossStops::All),
        |_| (),
    );
    floor.hold_on(DESKS[0], Side::Buy, 1);
    let order = floor.order_of(DESKS[1], Side::Sell, 1);
    assert!(floor.fails(&order, Reject::Loss), "the spread is lost");

    let mut floor = firm(|_| (), |_| ());
    floor.risk.set_halt(HaltScope::Account(FIRM), HaltLevel::CancelOnly);
    let order = floor.order_of(DESKS[0], Side::Sell, 1);
    assert!(floor.fails(&order, Reject::Halted));

    let mut floor = firm(|_| (), |pair| pair.clip_max = Qty(0));
    let order = floor.order_of(DESKS[0], Side::Sell, 1);
    let found = floor.finds(&order, Reject::Clip);
    assert_eq!((found.failed, found.limit), (true, 0), "the tightest is told");
}

/// Goal: what an account does counts on it and on all above it, and nowhere else. Method: every pair of three.
#[test]
fn counts_upwards() {
    let floor = firm(|_| (), |_| ());
    for desk in DESKS {
        assert!(floor.risk.counts_on(desk, desk) && floor.risk.counts_on(desk, FIRM));
        assert!(!floor.risk.counts_on(FIRM, desk));
    }
    assert!(floor.risk.counts_on(FIRM, FIRM) && !floor.risk.counts_on(DESKS[0], DESKS[1]));
}

/// Goal: orders of two accounts of one owner do not meet; those of two owners may. Method: both.
#[test]
fn owners_do_not_meet_themselves() {
    let mut floor = firm(|limits| limits.no_self_trade = true, |_| ());
    let order = floor.order_of(DESKS[0], Side::Buy, 1);
    let (_, _held) = floor.clear(order).unwrap();
    let meets = floor.order_of(DESKS[1], Side::Sell, 1);
    assert!(floor.fails(&meets, Reject::SelfTrade));

    let mut floor =
        Floor::with(AccountLimits { no_self_trade: true, ..ACCOUNT_LIMITS() }, PAIR_LIMITS);
    let other = AccountLimits { name: Symbol::new("other").unwrap(), ..ACCOUNT_LIMITS() };
    assert_eq!(floor.risk.add_account(other), Ok(AccountId(1)));
    floor.risk.set_pair_limits(AccountId(1), INSTRUMENT, PAIR_LIMITS).unwrap();
    let order = floor.order_of(AccountId(1), Side::Buy, 1);
    let (_, _held) = floor.clear(order).unwrap();
    let free = floor.order_of(AccountId(0), Side::Sell, 1);
    assert!(!floor.fails(&free, Reject::SelfTrade));
}

/// Goal: a tree that cannot be counted is not taken. Method: an account above that is not there, too deep.
#[test]
fn bad_trees() {
    let mut floor = Floor::new();
    floor.market = MARKET;
    let risk = &mut floor.risk;
    let beneath = |parent| AccountLimits { parent: Some(AccountId(parent)), ..ACCOUNT_LIMITS() };
    assert_eq!(risk.add_account(beneath(7)), Err(LimitError::BadParent));
    let mut deep = Risk::new(Capacity { accounts: 9, ..floor.risk_capacity() });
    deep.add_account(ACCOUNT_LIMITS()).unwrap();
    for number in 0..3 {
        assert_eq!(deep.add_account(beneath(number)), Ok(AccountId(number + 1)));
    }
    assert_eq!(deep.add_account(beneath(3)), Err(LimitError::BadParent));
}

/// Goal: of two accounts that leave as much room the order's own is named. Method: a firm with two more than its desk, two of
/// them used by the other.
#[test]
fn the_nearer_is_named() {
    let more = PAIR_LIMITS.long_max.0 + 2;
    let mut floor = firm(|_| (), |pair| pair.long_max = Qty(more));
    floor.hold_on(DESKS[0], Side::Buy, 2);
    let order = floor.order_of(DESKS[1], Side::Buy, 1);
    let found = floor.finds(&order, Reject::Position);
    assert_eq!((found.limit, found.used), (PAIR_LIMITS.long_max.0.into(), 1));
}

/// Goal: an order needs a line on every account that it counts on. Method: room for one, two and three; both desks.
#[test]
fn lines_are_needed_on_the_whole_path() {
    for lines in 1..=3 {
        let mut floor = firm_of(lines, |_| {}, |_| {});
        for (desk, needs) in DESKS.into_iter().zip([2, 3]) {
            let order = floor.order_of(desk, Side::Buy, 1);
            let codes =
                floor.clear(order).err().map(|verdict| verdict.failed().collect::<Vec<_>>());
            assert_eq!(codes, (needs > lines).then(|| vec![Reject::Capacity]), "{lines}");
        }
    }
}
