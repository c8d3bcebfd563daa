use model::page::{AsOf, NoFifo};
use model::{AccountId, Px, Side};
use proptest::prelude::*;

use super::*;
use crate::Market;
use crate::fixture::{ACCOUNT, Floor, INSTRUMENT, PAIR_LIMITS};

const fn ratio(num: u32, den: u32) -> Ratio {
    Ratio { num, den }
}

fn line(floor: &Floor) -> model::page::Line {
    floor.risk.line_page(0, AsOf::default()).unwrap()
}

fn account(floor: &Floor) -> model::page::Account {
    floor.risk.account_page(ACCOUNT, AsOf::default(), floor.moment.now).unwrap()
}

/// Goal: three for two and back, with the lots; what would leave part of a unit, an order that works, a number that is none
/// and one that does not fit change nothing. Method: each, by hand.
#[test]
fn all_or_nothing() {
    let mut floor = Floor::new();
    floor.hold(Side::Buy, 4);
    floor.hold(Side::Buy, 2);
    floor.market.bid = Some(Px(899_900));
    floor.market.ask = Some(Px(900_100));
    floor.risk.mark(INSTRUMENT, &floor.market);
    let before = (line(&floor), account(&floor));
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(1, 4)), Err(BooksRefusal::Fraction));
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(0, 4)), Err(BooksRefusal::BadNumber));
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(4, 0)), Err(BooksRefusal::BadNumber));
    let unknown = floor.risk.split(InstrumentId(99), ratio(2, 1));
    assert_eq!(unknown, Err(BooksRefusal::UnknownSymbol));
    let mut working = floor.pass(Side::Sell, 1, 900_000);
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(2, 1)), Err(BooksRefusal::Working));
    floor.risk.release(&mut working);
    assert_eq!(line(&floor), before.0);

    assert_eq!(floor.risk.may_split(INSTRUMENT, ratio(3, 2)), Ok(1));
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(3, 2)), Ok(()));
    let after = line(&floor);
    assert_eq!(
        (after.position, after.cost, after.mark),
        (Qty(9), before.0.cost, Some(Px(600_000)))
    );
    assert_eq!((after.long_max, after.clip_max), (before.0.long_max, before.0.clip_max));
    assert_eq!(account(&floor).gross, before.1.gross);
    assert_eq!(account(&floor).cash, before.1.cash);
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(2, 3)), Ok(()));
    assert_eq!((line(&floor).position, line(&floor).mark), (Qty(6), Some(Px(900_000))));

    let mut held = floor.pass(Side::Buy, 1, 900_000);
    for _ in 0..2 {
        floor.risk.fill(&mut held, Px(1), Qty(1 << 61)).unwrap();
    }
    assert_eq!(floor.risk.split(INSTRUMENT, ratio(4, 1)), Err(BooksRefusal::Overflow));
    assert_eq!(line(&floor).position, Qty((1 << 62) + 6));
}

/// Goal: lots that stay whole keep the profit first in, first out; others make it unknown until flat. Method: two lots of one,
/// joined two for one; then two lots of two.
#[test]
fn lots_stay_whole_or_unknown() {
    for (each, gap) in [(1, Err(NoFifo::Split)), (2, Ok(model::Money(0)))] {
        let mut floor = Floor::new();
        for px in [1_000_000, 1_000_100] {
            let mut held = floor.pass(Side::Buy, each, 1_000_000);
            floor.risk.fill(&mut held, Px(px), Qty(each)).unwrap();
        }
        floor.risk.split(INSTRUMENT, ratio(1, 2)).unwrap();
        assert_eq!(line(&floor).realised_fifo, gap);
        let mut held = floor.pass(Side::Sell, each, 1_000_000);
        floor.risk.fill(&mut held, Px(2_000_200), Qty(each)).unwrap();
        assert_eq!(line(&floor).realised_fifo, Ok(line(&floor).realised), "flat");
    }
}

proptest! {
    /// Goal: no money moves: cost, realised profit of both kinds, cash, fees, and exposure and profit at the scaled marks stay
    /// as they were; marks that do not divide count against the holder, by less than one price unit for each new unit. Method:
    /// random fills of two accounts one above the other, random ratios and marks.
    #[test]
    fn money_stays(
        fills in prop::collection::vec((any::<bool>(), 1_i64..9, 1_i64..50), 1..30),
        num in 1_u32..7,
        den in 1_u32..5,
        scale in 1_i64..3,
        mid in 50_000_i64..2_000_000,
    ) {
        let mut floor = Floor::new();
        let parent = Some(ACCOUNT);
        let below = crate::AccountLimits { parent, ..crate::fixture::ACCOUNT_LIMITS() };
        let id = floor.risk.add_account(below).unwrap();
        floor.risk.set_pair_limits(id, INSTRUMENT, PAIR_LIMITS).unwrap();
        for (buys, qty, px) in fills {
            let side = if buys { Side::Buy } else { Side::Sell };
            let order = model::Order { account: id, ..floor.order(side, 1, 1_000_000) };
            let mut held = floor.clear(order).unwrap().1;
            let qty = Qty(qty * if scale == 1 { i64::from(den) } else { 1 });
            floor.risk.fill(&mut held, Px(px * 20_000), qty).unwrap();
        }
        let market = Market { bid: Some(Px(mid - 1)), ask: Some(Px(mid + 1)), ..floor.market };
        floor.risk.mark(INSTRUMENT, &market);
        let pages = |floor: &Floor| {
            [ACCOUNT, id].map(|id: AccountId| {
                let account = floor.risk.account_page(id, AsOf::default(), floor.moment.now).unwrap();
                let slot = (0..2).find(|slot| floor.risk.line_pair(*slot).unwrap().0 == id).unwrap();
                (account, floor.risk.line_page(slot, AsOf::default()).unwrap())
            })
        };
        let before = pages(&floor);
        let position = before[0].1.position.0;
        let divides = position * i64::from(num) % i64::from(den) == 0;
        let done = floor.risk.split(INSTRUMENT, ratio(num, den));
        prop_assert_eq!(done.is_ok(), divides);
        let after = pages(&floor);
        if !divides {
            prop_assert_eq!(before, after);
            return Ok(());
        }
        let new = Qty(position * i64::from(num) / i64::from(den));
        for ((old, old_line), (account, line)) in before.into_iter().zip(after) {
            prop_assert_eq!(line.position, new);
            prop_assert_eq!((line.cost, line.realised), (old_line.cost, old_line.realised));
            let fifo = line.realised_fifo;
            prop_assert!(fifo == old_line.realised_fifo || fifo == Err(NoFifo::Split));
            prop_assert!(scale > 1 || fifo.is_ok(), "every lot is a multiple");
            prop_assert_eq!((account.cash, account.realised, account.fees), (old.cash, old.realised, old.fees));
            let unit = i128::from(new.0.abs()) * crate::fixture::FACTOR;
            let exact = (mid * 2 * i64::from(den)) % i64::from(num) == 0;
            let more = account.gross.0 - old.gross.0;
            prop_assert!((0..=unit).contains(&more) && (!exact || more == 0), "{}", more);
            let less = old.unrealised.0 - account.unrealised.0;
            prop_assert!((0..=unit).contains(&less), "{}", less);
        }
    }
}
