use model::{Money, Order, Qty, Reject, Side};

use super::*;
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, Floor, INSTRUMENT, PAIR_LIMITS, instrument};
use crate::{Duplicates, Fee, VolumeLimit};

fn new(old: AccountLimits, new: AccountLimits) -> NewLimits {
    NewLimits::new(&[old], &[new], 4).unwrap()
}

/// Gives the only account and pair of a floor other limits.
fn relimit(floor: &mut Floor, old: AccountLimits, next: AccountLimits, pair: Option<PairLimits>) {
    let now = floor.moment.now;
    let row = |rows: &mut Rows, _, _| pair.and_then(|pair| rows.push(pair));
    floor.risk.relimit(&mut new(old, next), now, row).unwrap();
}

/// Goal: what is tightened holds from the next order on, cancels nothing, and what was counted before counts. Method: a
/// position, a working order and requests, then limits just below and just above what they need.
#[test]
fn books_stay() {
    let limits = ACCOUNT_LIMITS();
    let mut floor = Floor::with(limits, PAIR_LIMITS);
    floor.hold(Side::Buy, 100);
    let (held, now) = (floor.pass(Side::Buy, 50, 1_000_000), floor.moment.now);
    let pair = PairLimits { long_max: Qty(159), ..PAIR_LIMITS };
    let tight = AccountLimits { open_orders_max: 2, rate_max: 3, rate_window_ns: 5_000, ..limits };
    relimit(&mut floor, limits, tight, Some(pair));
    assert!(held.is_open(), "nothing is cancelled");
    let order = floor.order(Side::Buy, 10, 1_000_000);
    assert!(floor.fails(&order, Reject::Position) && !floor.fails(&order, Reject::OpenOrders));
    let finding = floor.finds(&order, Reject::Rate);
    assert_eq!((finding.limit, finding.used, finding.failed), (3, 3, false), "two, and this one");
    for (later_ns, used) in [(4_999, 3), (5_000, 1)] {
        let later = crate::Moment::at(Ts(now.0 + later_ns));
        let (_, findings) = floor.risk.check(&order, &floor.market, later);
        let mut found = findings.into_iter().flatten();
        assert_eq!(found.find(|found| found.code == Reject::Rate).unwrap().used, used);
    }
    let order = floor.order(Side::Buy, 9, 1_000_000);
    assert!(floor.clear(order).is_ok());
    let order = floor.order(Side::Sell, 1, 1_000_100);
    assert!(floor.fails(&order, Reject::Rate) && floor.fails(&order, Reject::OpenOrders));
    relimit(&mut floor, tight, limits, Some(PAIR_LIMITS));
    assert!(!floor.fails(&order, Reject::Rate) && !floor.fails(&order, Reject::OpenOrders));
    assert!(!floor.fails(&order, Reject::Position));
}

/// Goal: a pair without limits lets nothing pass, and its working orders cost what they were to cost. Method: take the rows
/// of two pairs with other fees away under a working order of each, fill them, and give a row back.
#[test]
fn a_row_that_is_gone_blocks_and_still_charges() {
    let limits = ACCOUNT_LIMITS();
    let row = |fee| {
        let fee = Fee::new(0, Money(fee), Money(fee), 100_000_000).unwrap();
        PairLimits { fee, ..PAIR_LIMITS }
    };
    let (mut floor, other) = (Floor::with(limits, row(7)), InstrumentId(1));
    floor.risk.list(&instrument(other)).unwrap();
    floor.risk.set_pair_limits(ACCOUNT, other, row(9)).unwrap();
    let mut working = [INSTRUMENT, other].map(|instrument| {
        let order = Order { instrument, ..floor.order(Side::Buy, 10, 1_000_000) };
        floor.clear(order).unwrap().1
    });
    relimit(&mut floor, limits, limits, None);
    let order = floor.order(Side::Buy, 1, 1_000_000);
    assert!(floor.fails(&order, Reject::Clip) && floor.fails(&order, Reject::Position));
    for (held, fees) in working.iter_mut().zip([70, 70 + 90]) {
        floor.risk.fill(held, model::Px(1_000_000), Qty(10)).unwrap();
        assert_eq!(floor.risk.account(ACCOUNT).unwrap().sums.fees, Money(fees));
    }
    assert_eq!(floor.risk.account(ACCOUNT).unwrap().sums.reserved, Money::ZERO);
    relimit(&mut floor, limits, limits, Some(PAIR_LIMITS));
    assert!(floor.clear(order).is_ok());
    assert_eq!(floor.risk.rows.len(), 1, "rows from before are gone, and pairs share one");
}

/// Goal: a row that goes frees no equity: what is held in its instrument takes as much margin as before. Method: two positions,
/// the row of one is taken away, the sum of both is held against the gate's number before and after.
#[test]
fn a_row_that_is_gone_still_takes_margin() {
    let (limits, other) = (ACCOUNT_LIMITS(), InstrumentId(1));
    let pair = PairLimits {
        margin: Some(crate::Margin { long_bps: 2_500, short_bps: 2_500 }),
        ..PAIR_LIMITS
    };
    let mut floor = Floor::with(limits, pair);
    floor.risk.list(&instrument(other)).unwrap();
    floor.risk.set_pair_limits(ACCOUNT, other, pair).unwrap();
    floor.hold(Side::Buy, 100);
    let asked = |floor: &mut Floor| {
        let order = Order { instrument: other, ..floor.order(Side::Buy, 1, 1_000_000) };
        floor.finds(&order, Reject::Margin).used
    };
    let before = asked(&mut floor);
    let row = |rows: &mut Rows, _, of| rows.push(pair).filter(|_| of == other);
    let now = floor.moment.now;
    floor.risk.relimit(&mut new(limits, limits), now, row).unwrap();
    assert!(before > 0);
    assert_eq!(asked(&mut floor), before);
}

/// Goal: what an account is does not change, limits are checked, and what is refused changes nothing. Method: each of them.
#[test]
fn fixed_facts_are_refused() {
    let limits = ACCOUNT_LIMITS();
    let fails = |next: AccountLimits| NewLimits::new(&[limits], &[next], 1).unwrap_err();
    let other = model::Symbol::new("other").unwrap();
    for next in [
        AccountLimits { name: other, ..limits },
        AccountLimits { parent: Some(ACCOUNT), ..limits },
        AccountLimits { currency: *b"EUR\0\0\0\0\0", ..limits },
        AccountLimits { cash: Money(1), ..limits },
        AccountLimits { mark_at: crate::MarkAt::Mid, ..limits },
    ] {
        assert_eq!(fails(next), LimitError::Fixed);
    }
    assert_eq!(fails(AccountLimits { gross_max: Money(-1), ..limits }), LimitError::OutOfRange);
    let two = NewLimits::new(&[limits], &[limits, limits], 1).unwrap_err();
    assert_eq!(two, LimitError::TooManyAccounts);
    let mut floor = Floor::new();
    let renamed = AccountLimits { name: other, ..limits };
    let now = floor.moment.now;
    let refused = floor.risk.relimit(&mut new(renamed, renamed), now, |_, _, _| None);
    assert_eq!(refused, Err(LimitError::Fixed));
    let order = floor.order(Side::Buy, 1, 1_000_000);
    assert!(floor.clear(order).is_ok());
}

/// Goal: rules of windows come, change and go without losing what they counted. Method: repetition and volume: off, on,
/// another window, off, on.
#[test]
fn windows_come_and_go() {
    let off = ACCOUNT_LIMITS();
    let on = |window_ns| AccountLimits {
        duplicates: Some(Duplicates { max: 1, window_ns }),
        volume: Some(VolumeLimit { max: Money(10_000_000 * 100_000_000), window_ns }),
        ..off
    };
    let mut floor = Floor::with(off, PAIR_LIMITS);
    relimit(&mut floor, off, on(100), Some(PAIR_LIMITS));
    let repeated = |floor: &mut Floor, code| {
        let order = floor.order(Side::Buy, 6, 1_000_000);
        floor.fails(&order, code)
    };
    assert!(!repeated(&mut floor, Reject::DuplicateTerms));
    floor.pass(Side::Buy, 6, 1_000_000);
    for (old, next) in [(on(100), on(5_000)), (on(5_000), off), (off, on(50))] {
        relimit(&mut floor, old, next, Some(PAIR_LIMITS));
        let is_on = next.duplicates.is_some();
        assert_eq!(repeated(&mut floor, Reject::DuplicateTerms), is_on, "{next:?}");
        assert_eq!(repeated(&mut floor, Reject::Volume), is_on, "{next:?}");
    }
}

/// Goal: each pair gets its own row, and a loss that is one under the new limits is told at once. Method: two instruments whose
/// rows change places under an account that lost a little.
#[test]
fn rows_go_to_their_pairs() {
    let (limits, other) = (ACCOUNT_LIMITS(), InstrumentId(1));
    let mut floor = Floor::with(limits, PAIR_LIMITS);
    floor.risk.list(&instrument(other)).unwrap();
    let large = PairLimits { clip_max: Qty(2_000), ..PAIR_LIMITS };
    floor.risk.set_pair_limits(ACCOUNT, other, large).unwrap();
    floor.hold(Side::Buy, 1);
    assert_eq!(floor.risk.take_loss(), None);
    let tight = AccountLimits { loss_max: Some(Money(1)), ..limits };
    let row = |rows: &mut Rows, _, of| rows.push(if of == other { PAIR_LIMITS } else { large });
    let now = floor.moment.now;
    floor.risk.relimit(&mut new(limits, tight), now, row).unwrap();
    let clip = |id| floor.risk.limits(floor.risk.pair(ACCOUNT, id).unwrap()).unwrap().clip_max;
    assert_eq!([INSTRUMENT, other].map(clip), [large.clip_max, PAIR_LIMITS.clip_max]);
    assert_eq!(floor.risk.take_loss().map(|(id, ..)| id), Some(ACCOUNT));
}

/// Goal: a row beyond the table, or out of range, is none; one that is there is that one. Method: fill the table, push again,
/// push another, push what is negative.
#[test]
fn rows_have_an_end() {
    let mut rows = Rows { list: RowTable::new(1), most: 1 };
    assert_eq!(rows.push(PairLimits { clip_max: Qty(-1), ..PAIR_LIMITS }), None);
    assert_eq!((rows.push(PAIR_LIMITS), rows.push(PAIR_LIMITS)), (Some(0), Some(0)));
    assert_eq!(rows.push(PairLimits { clip_max: Qty(0), ..PAIR_LIMITS }), None);
    assert_eq!(rows.blocked(&PairLimits::BLOCKED), None);
    let mut floor = Floor::new();
    let limits = ACCOUNT_LIMITS();
    let now = floor.moment.now;
    for beyond in [0, 9] {
        floor.risk.relimit(&mut new(limits, limits), now, |_, _, _| Some(beyond)).unwrap();
        let order = floor.order(Side::Buy, 1, 1_000_000);
        assert!(floor.fails(&order, Reject::Clip));
        let pair = floor.risk.pair(ACCOUNT, INSTRUMENT).unwrap();
        assert_eq!(floor.risk.limits(pair), Some(&PairLimits::BLOCKED));
    }
}
