use model::page::AsOf;
use model::{HaltCause, HaltLevel, HaltScope, Px, Qty, Side};

use super::*;
use crate::Market;
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, FACTOR, Floor, INSTRUMENT, PAIR_LIMITS, instrument};

fn account_page(floor: &Floor) -> model::page::Account {
    floor.risk.account_page(ACCOUNT, AsOf::default(), floor.moment.now).unwrap()
}

/// Goal: a mark moves the exposure of whoever is exposed, stays when the market is gone until a trade comes, and no order moves
/// it. Method: a mid; none; half of one, beside the trade from before and another; an order refused before that was marked.
#[test]
fn marks_move_exposure() {
    let mut floor = Floor::new();
    floor.hold(Side::Sell, 10);
    floor.market.bid = Some(Px(1_999_900));
    floor.market.ask = Some(Px(2_000_100));
    floor.risk.mark(INSTRUMENT, &floor.market);
    assert_eq!(account_page(&floor).gross, Money(20_000_000 * FACTOR));
    floor.risk.mark(INSTRUMENT, &Market::UNKNOWN);
    assert_eq!(account_page(&floor).gross, Money(20_000_000 * FACTOR));
    floor.market.ask = None;
    floor.risk.mark(INSTRUMENT, &floor.market);
    assert_eq!(account_page(&floor).gross, Money(20_000_000 * FACTOR), "that trade was before");
    let last = floor.market.last.unwrap();
    floor.market.last = Some(crate::LastTrade { px: Px(1_500_000), at: model::Ts(last.at.0 + 1) });
    let order = floor.order(Side::Buy, -1, 1_500_000);
    assert!(floor.risk.clear(order, &floor.market, floor.moment).is_err());
    assert_eq!(account_page(&floor).gross, Money(20_000_000 * FACTOR), "nobody's asking marks");
    floor.risk.mark(INSTRUMENT, &floor.market);
    assert_eq!(account_page(&floor).gross, Money(15_000_000 * FACTOR));
}

/// Goal: whatever changed is taken once. Method: an order, a mark, a halt, all of it for a new reader.
#[test]
fn changes_are_taken_once() {
    let mut floor = Floor::new();
    let taken = |floor: &mut Floor| {
        let lines: Vec<u32> = std::iter::from_fn(|| floor.risk.take_changed_line()).collect();
        let accounts: Vec<_> = std::iter::from_fn(|| floor.risk.take_changed_account()).collect();
        (lines, accounts)
    };
    let mut held = floor.pass(Side::Buy, 1, 1_000_000);
    floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    assert_eq!(taken(&mut floor), (vec![0], vec![ACCOUNT]));
    assert_eq!(taken(&mut floor), (vec![], vec![]));
    floor.market.bid = Some(Px(999_901));
    floor.risk.mark(INSTRUMENT, &floor.market);
    assert_eq!(taken(&mut floor), (vec![0], vec![ACCOUNT]));
    floor.risk.set_halt(HaltScope::All, HaltLevel::ReduceOnly);
    assert_eq!(taken(&mut floor), (vec![], vec![ACCOUNT]));
    let refused = floor.order(Side::Buy, -1, 1_000_000);
    assert!(floor.clear(refused).is_err());
    assert_eq!(taken(&mut floor), (vec![], vec![ACCOUNT]));
    floor.risk.show_all();
    assert_eq!(taken(&mut floor), (vec![0], vec![ACCOUNT]));
}

/// Goal: bad limits and facts are refused by name. Method: one of each.
#[test]
fn loading_errors() {
    let mut floor = Floor::new();
    let (risk, good) = (&mut floor.risk, ACCOUNT_LIMITS());
    let most = Money(crate::money::WORTH_MAX / 2 - 1);
    let no_currency = AccountLimits { currency: [0; 8], ..good };
    assert_eq!(risk.add_account(no_currency), Err(LimitError::NoCurrency));
    for bad in [
        AccountLimits { cash: Money(-1), ..good },
        AccountLimits { gross_max: Money(most.0 + 1), ..good },
        AccountLimits { rate_max: crate::RATE_MAX + 1, ..good },
    ] {
        assert_eq!(risk.add_account(bad), Err(LimitError::OutOfRange));
    }
    assert_eq!(risk.add_account(AccountLimits { gross_max: most, ..good }), Ok(AccountId(1)));
    assert_eq!(risk.add_account(good), Err(LimitError::TooManyAccounts));
    let negative = PairLimits { long_max: Qty(-1), ..PAIR_LIMITS };
    assert_eq!(risk.set_pair_limits(ACCOUNT, INSTRUMENT, negative), Err(LimitError::OutOfRange));
    let beyond = InstrumentId(3);
    let unknown = risk.set_pair_limits(ACCOUNT, beyond, PAIR_LIMITS);
    assert_eq!(unknown, Err(LimitError::UnknownInstrument));
    let unknown = risk.set_pair_limits(AccountId(2), INSTRUMENT, PAIR_LIMITS);
    assert_eq!(unknown, Err(LimitError::UnknownAccount));
    assert_eq!(risk.list(&instrument(beyond)), Err(LimitError::UnknownInstrument));
    let rescaled = Instrument { px_decimals: 2, ..instrument(INSTRUMENT) };
    assert_eq!(risk.list(&rescaled), Err(LimitError::BadScale));
    let too_fine = Instrument { px_decimals: 9, qty_decimals: 9, ..instrument(InstrumentId(1)) };
    assert_eq!(risk.list(&too_fine), Err(LimitError::BadScale));
}

/// A floor whose account holds ten at 100.00, and the exit side of the market as many price units below.
fn long_floor(limits: AccountLimits) -> Floor {
    let mut floor = Floor::with(limits, PAIR_LIMITS);
    floor.hold(Side::Buy, 10);
    floor
}

fn bid(floor: &mut Floor, px: i64) -> Option<(AccountId, HaltLevel, HaltCause)> {
    floor.market.bid = Some(Px(px));
    floor.risk.mark(INSTRUMENT, &floor.market);
    floor.risk.take_loss()
}

/// Goal: a loss is told when it is beyond its limit, once, and again when a halt was lowered while it is there. Method: the bid
/// at −1 / 0 / +1 of the limit, further down, back, a halt raised and lowered; a limit that is off.
#[test]
fn losses_are_told_once() {
    let limits = AccountLimits { loss_max: Some(Money(10 * 200 * FACTOR)), ..ACCOUNT_LIMITS() };
    let mut floor = long_floor(limits);
    let told = Some((ACCOUNT, HaltLevel::ReduceOnly, HaltCause::Loss));
    assert_eq!((bid(&mut floor, 999_801), bid(&mut floor, 999_800)), (None, None));
    assert!(!floor.risk.has_losses());
    floor.market.bid = Some(Px(999_799));
    floor.risk.mark(INSTRUMENT, &floor.market);
    assert!(floor.risk.has_losses());
    assert_eq!((floor.risk.take_loss(), floor.risk.take_loss()), (told, None));
    assert_eq!(bid(&mut floor, 999_700), None, "told already");
    let scope = HaltScope::Account(ACCOUNT);
    floor.risk.set_halt(scope, HaltLevel::ReduceOnly);
    assert_eq!(bid(&mut floor, 999_600), None, "raised is not lowered");
    floor.risk.set_halt(scope, HaltLevel::Active);
    assert_eq!(bid(&mut floor, 999_601), told);
    floor.risk.set_halt(scope, HaltLevel::Halted);
    floor.risk.set_halt(scope, HaltLevel::Active);
    assert_eq!(bid(&mut floor, 999_900), None, "it is gone");
    for px in [999_700, 999_900] {
        floor.market.bid = Some(Px(px));
        floor.risk.mark(INSTRUMENT, &floor.market);
    }
    assert_eq!(floor.risk.take_loss(), told, "it was there, if only for a moment");

    assert_eq!(bid(&mut long_floor(ACCOUNT_LIMITS()), 1), None, "off");
}

/// Goal: a drawdown is told as a loss is, by what the account stops. Method: equity of exactly a hundred million units at the
/// highest, then at −1 / 0 / +1 of one percent below.
#[test]
fn drawdowns_are_told() {
    let limits = AccountLimits {
        cash: Money(100_001_000 * FACTOR),
        drawdown_max_bps: Some(100),
        loss_stops: crate::LossStops::All,
        ..ACCOUNT_LIMITS()
    };
    let mut floor = long_floor(limits);
    // The highest equity was before the first trade, less nothing: all the cash.
    let one_percent = 100_001_000 / 100;
    let at = |lost: i64| 1_000_000 - lost / 10;
    assert_eq!(bid(&mut floor, at(one_percent) + 1), None);
    assert_eq!(bid(&mut floor, at(one_percent)), None);
    let told = Some((ACCOUNT, HaltLevel::CancelOnly, HaltCause::Drawdown));
    assert_eq!(bid(&mut floor, at(one_percent) - 1), told);
}
