//! What it would cost to take a quantity from a side.

use model::page::Level;
use model::{Px, Qty};

/// What an order that takes the best levels first, and each whole before the next, would meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Quantity that it would get, in quantity units: what it asks for, or all there is.
    pub filled: Qty,
    /// Sum of price times quantity of what it would get, in price units times quantity units.
    pub cost: i128,
    /// Price of the last level that it would reach; `None`: it would get nothing.
    pub worst: Option<Px>,
}

impl Sweep {
    /// Walks levels, best first, until a quantity is filled. Quantities are positive; what is asked
    /// for may be anything, and nothing is met by nothing.
    pub fn of(levels: impl Iterator<Item = Level>, qty: Qty) -> Sweep {
        let mut sweep = Sweep::default();
        let mut open = qty.0;
        for level in levels {
            if open <= 0 {
                break;
            }
            let taken = level.qty.0.min(open);
            open -= taken;
            sweep.filled.0 += taken;
            sweep.cost += i128::from(level.px.0) * i128::from(taken);
            sweep.worst = Some(level.px);
        }
        sweep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whole levels, a part of the last, and the ends of all ranges. Method: by hand.
    #[test]
    fn costs_by_hand() {
        let level = |px, qty| Level { px: Px(px), qty: Qty(qty), orders: 0 };
        let sweep = |levels: &[Level], qty| {
            let Sweep { filled, cost, worst } = Sweep::of(levels.iter().copied(), Qty(qty));
            (filled.0, cost, worst.map(|px| px.0))
        };
        let asks = [level(100, 5), level(103, 10)];
        assert_eq!(sweep(&asks, 0), (0, 0, None));
        assert_eq!(sweep(&asks, -1), (0, 0, None));
        assert_eq!(sweep(&asks, 5), (5, 500, Some(100)));
        assert_eq!(sweep(&asks, 6), (6, 603, Some(103)));
        assert_eq!(sweep(&asks, i64::MAX), (15, 1_530, Some(103)));
        assert_eq!(sweep(&[], 1), (0, 0, None));
        let huge = [level(i64::MIN, i64::MAX), level(i64::MIN, i64::MAX)];
        let cost = i128::from(i64::MIN) * i128::from(i64::MAX);
        assert_eq!(sweep(&huge, i64::MAX), (i64::MAX, cost, Some(i64::MIN)));
    }
}
