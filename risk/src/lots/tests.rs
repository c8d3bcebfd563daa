use std::collections::VecDeque;

use model::Side;
use model::page::AsOf;
use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::fixture::{FACTOR, Floor};

fn page(floor: &Floor) -> model::page::Line {
    floor.risk.line_page(0, AsOf::default()).unwrap()
}

/// Goal: the oldest is closed first, and the two kinds of profit meet when flat. Method: two purchases, sales that
/// close one and a half, a flip, figures worked out by hand.
#[test]
fn oldest_first() {
    let mut floor = Floor::new();
    let mut trade = |side, qty, px| {
        let mut held = floor.pass(side, qty, 1_000_000);
        floor.risk.fill(&mut held, Px(px), Qty(qty)).unwrap();
        let page = page(&floor);
        (page.realised.0 / FACTOR, page.realised_fifo.unwrap().0 / FACTOR)
    };
    assert_eq!(trade(Side::Buy, 4, 1_000_000), (0, 0));
    assert_eq!(trade(Side::Buy, 4, 1_000_400), (0, 0));
    assert_eq!(trade(Side::Sell, 6, 1_000_400), (1_200, 1_600));
    assert_eq!(trade(Side::Sell, 4, 1_000_500), (1_800, 1_800), "flat and beyond");
    assert_eq!(trade(Side::Buy, 2, 1_000_400), (2_000, 2_000));
}

/// Goal: a full pool makes the profit unknown, not wrong, and only of the line that found no room; flat, it is
/// known again. Method: a pool of two lots.
#[test]
fn full_is_unknown() {
    let mut lots = Lots::new(2, 2);
    lots.trade(0, 0, 1, Px(10), 1);
    lots.trade(1, 0, -1, Px(10), 1);
    lots.trade(0, 1, 1, Px(10), 1);
    assert_eq!(lots.cost(0, Qty(2)), Ok(Money(20)), "joined at the same price");
    lots.trade(0, 2, 1, Px(11), 1);
    assert_eq!(lots.cost(0, Qty(3)), Err(NoFifo::LotsFull));
    assert_eq!(lots.cost(1, Qty(-1)), Ok(Money(-10)));
    lots.trade(0, 3, -1, Px(12), 1);
    assert_eq!(lots.cost(0, Qty(2)), Err(NoFifo::LotsFull), "half closed is not flat");
    lots.trade(0, 2, -5, Px(12), 1);
    assert_eq!(lots.cost(0, Qty(-3)), Ok(Money(-36)), "flat on the way");
    lots.forget(0, NoFifo::Bust);
    assert_eq!(lots.cost(0, Qty(-3)), Err(NoFifo::Bust));
    lots.trade(0, -3, 3, Px(1), 1);
    assert_eq!(lots.cost(0, Qty(0)), Ok(Money(0)));
    lots.forget(0, NoFifo::Bust);
    assert_eq!(lots.cost(0, Qty(0)), Ok(Money(0)), "flat is known, whatever was");
    assert_eq!(lots.cost(9, Qty(1)), Err(NoFifo::Unrecorded));
}

/// Goal: the ends of the types are counted or unknown, without a panic. Method: the largest positions and prices.
#[test]
fn ends_of_the_types() {
    let mut lots = Lots::new(4, 1);
    lots.trade(0, 0, -(1 << 63), Px(1), 1);
    lots.trade(0, i64::MIN, (1 << 63) - 1, Px(1), 1);
    assert_eq!(lots.cost(0, Qty(-1)), Ok(Money(-1)));
    lots.trade(0, -1, 1, Px(1), 1);
    lots.trade(0, 0, i64::MAX.into(), Px(i64::MAX), i64::MAX);
    assert_eq!(lots.cost(0, Qty(i64::MAX)), Err(NoFifo::Overflow));
}

proptest! {
    /// Goal: the cost of what is open is that of a plain queue of single units, and profit less cost is the cash flow
    /// after every trade; no lot leaks. Method: random trades of two lines in one pool, units one by one in the twin.
    #[test]
    fn equals_a_plain_queue(
        trades in prop::collection::vec((0_usize..2, -9_i64..10, -3_i64..4), 1..120),
        capacity in 1_u32..12,
    ) {
        let mut lots = Lots::new(capacity, 2);
        let mut queues: [VecDeque<(i64, i64)>; 2] = Default::default();
        let (mut realised, mut flow) = ([BigInt::ZERO, BigInt::ZERO], [BigInt::ZERO, BigInt::ZERO]);
        for (line, by, px) in trades {
            let queue = &mut queues[line];
            let position: i64 = queue.iter().map(|(sign, _)| sign).sum();
            lots.trade(line as u32, position, by.into(), Px(px), 7);
            for _ in 0..by.abs() {
                flow[line] -= px * 7 * by.signum();
                match queue.front() {
                    Some((sign, cost)) if *sign == -by.signum() => {
                        realised[line] += (px - cost) * 7 * sign;
                        queue.pop_front();
                    }
                    _ => queue.push_back((by.signum(), px)),
                }
            }
            for (line, queue) in queues.iter().enumerate() {
                let position: i64 = queue.iter().map(|(sign, _)| sign).sum();
                let cost: i64 = queue.iter().map(|(sign, px)| sign * px * 7).sum();
                prop_assert_eq!(&realised[line] - cost, flow[line].clone());
                let known = lots.cost(line as u32, Qty(position));
                prop_assert!(matches!(known, Ok(Money(kept)) if kept == cost.into())
                    || (known == Err(NoFifo::LotsFull) && capacity < 12), "{:?} {}", known, cost);
                let open: i64 = lots.describe(line as u32).1.map(|(_, qty, _)| qty).sum();
                prop_assert!(known.is_err() || open == position);
            }
            let free = std::iter::successors(Some(lots.free), |place| {
                lots.pool.get(*place as usize).map(|lot| lot.next)
            });
            let free = free.take_while(|place| *place != NIL).count() + lots.pool.len() - lots.fresh as usize;
            let used: usize = (0..2).map(|line| lots.describe(line).1.count()).sum();
            prop_assert_eq!(free + used, capacity as usize);
        }
    }

    /// Goal: with room for every lot nothing is ever unknown. Method: as many lots as trades.
    #[test]
    fn room_is_enough(trades in prop::collection::vec((-9_i64..10, -3_i64..4), 1..60)) {
        let (mut lots, mut position) = (Lots::new(60, 1), 0);
        for (by, px) in trades {
            lots.trade(0, position, by.into(), Px(px), 1);
            position += by;
            prop_assert!(lots.cost(0, Qty(position)).is_ok());
        }
    }
}
