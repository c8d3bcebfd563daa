//! The three market depths of hftbacktest that take single orders.

use std::hint::black_box;

use ::hftbacktest::depth::{
    BTreeMarketDepth, HashMapMarketDepth, INVALID_MAX, INVALID_MIN, L3MarketDepth,
    ROIVectorMarketDepth,
};
use benches::SYMBOLS;
use model::{Px, Qty, Side};

use super::OpBook;
use crate::day::{Op, OpKind};

/// Dollars of one unit of price.
const UNIT: f64 = 1e-4;
/// Most price steps of a book that is one long array.
const STEPS_MAX: i64 = 4_000_000;

/// A depth for each symbol.
pub struct Depths<D>(Vec<(D, i64)>);

/// Step, lowest and highest price of each symbol, in units: the whole step where every price is a whole cent.
fn scales(ops: &[Op]) -> Vec<(i64, i64, i64)> {
    let mut scales = vec![(100, i64::MAX, 0); usize::from(SYMBOLS) + 1];
    for op in ops {
        if let Some((step, low, high)) = scales.get_mut(usize::from(op.book)) {
            *step = if op.px % *step == 0 { *step } else { 1 };
            (*low, *high) = (op.px.min(*low), op.px.max(*high));
        }
    }
    scales
}

fn depths<D>(ops: &[Op], make: impl Fn((i64, i64, i64)) -> D) -> Depths<D> {
    Depths(scales(ops).into_iter().map(|scale| (make(scale), scale.0)).collect())
}

/// Levels in a hash map.
pub fn hash_maps(ops: &[Op]) -> Depths<HashMapMarketDepth> {
    depths(ops, |(step, ..)| HashMapMarketDepth::new(step as f64 * UNIT, 1.0))
}

/// Levels in a sorted map.
pub fn b_trees(ops: &[Op]) -> Depths<BTreeMarketDepth> {
    depths(ops, |(step, ..)| BTreeMarketDepth::new(step as f64 * UNIT, 1.0))
}

/// Levels in an array over all prices of the day, which one would have to know before it.
pub fn roi_vectors(ops: &[Op]) -> Result<Depths<ROIVectorMarketDepth>, String> {
    let widest = scales(ops).iter().map(|(step, low, high)| high.saturating_sub(*low) / step).max();
    if widest.is_some_and(|steps| steps > STEPS_MAX) {
        return Err(format!("not run: prices {widest:?} steps apart"));
    }
    Ok(depths(ops, |(step, low, high)| {
        let low = if low > high { high } else { low };
        ROIVectorMarketDepth::new(step as f64 * UNIT, 1.0, low as f64 * UNIT, high as f64 * UNIT)
    }))
}

impl<D: L3MarketDepth> Depths<D> {
    fn of(&self, book: u16) -> (&D, i64) {
        let (depth, step) = &self.0[usize::from(book)];
        (depth, *step)
    }
}

impl<D: L3MarketDepth> OpBook for Depths<D> {
    #[inline]
    fn apply(&mut self, op: &Op) {
        let (depth, _) = &mut self.0[usize::from(op.book)];
        let (px, qty) = (op.px as f64 * UNIT, op.qty as f64);
        match (op.kind, op.side) {
            (OpKind::Add, Side::Buy) => {
                _ = black_box(depth.add_buy_order(op.order, px, qty, 0).is_ok())
            }
            (OpKind::Add, Side::Sell) => {
                _ = black_box(depth.add_sell_order(op.order, px, qty, 0).is_ok())
            }
            (OpKind::Reduce, _) => _ = black_box(depth.modify_order(op.order, px, qty, 0).is_ok()),
            (OpKind::Delete, _) => _ = black_box(depth.delete_order(op.order, 0).is_ok()),
        }
    }

    #[inline]
    fn read(&self, book: u16) {
        let (depth, _) = self.of(book);
        black_box([depth.best_bid_tick(), depth.best_ask_tick()]);
    }

    fn best(&self, book: u16, side: Side) -> Option<(Px, Qty)> {
        let (depth, step) = self.of(book);
        let (tick, qty) = match side {
            Side::Buy => (depth.best_bid_tick(), depth.best_bid_qty()),
            Side::Sell => (depth.best_ask_tick(), depth.best_ask_qty()),
        };
        (tick != INVALID_MIN && tick != INVALID_MAX).then_some((Px(tick * step), Qty(qty as i64)))
    }
}
