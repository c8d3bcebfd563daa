//! Money of fills within a window, to the fill.

use std::collections::VecDeque;

use model::{Money, Ts};

/// Fills that are kept one by one. Of more within one window the newest are taken together, and leave with the last of them.
const FILLS_MAX: usize = 1024;

/// A sum over the fills of a window. Never less than what the window holds.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct MoneyWindow {
    max: Money,
    window_ns: u64,
    /// Oldest first.
    #[serde(with = "model::snapshot::reserved")]
    fills: VecDeque<(Ts, Money)>,
    sum: Money,
}

impl MoneyWindow {
    pub fn new(max: Money, window_ns: u64) -> MoneyWindow {
        // Its memory is touched here: no page of it is missing at the first fills.
        let mut fills = VecDeque::from(vec![(Ts(u64::MAX), Money::ZERO); FILLS_MAX]);
        fills.clear();
        MoneyWindow { max, window_ns, fills, sum: Money::ZERO }
    }

    /// Most that the window may hold.
    pub fn max(&self) -> Money {
        self.max
    }

    /// Adds a fill; what the window holds then. Constant time a fill: each leaves once.
    pub fn count(&mut self, now: Ts, money: Money) -> Money {
        while let Some((at, gone)) = self.fills.front().copied()
            && now.since(at) >= self.window_ns
        {
            self.fills.pop_front();
            self.sum.0 -= gone.0;
        }
        // A sum beyond the type is beyond every limit; what is left of the range keeps it exact.
        let money = Money(money.0.clamp(0, i128::MAX - self.sum.0));
        self.sum.0 += money.0;
        let is_full = self.fills.len() == FILLS_MAX;
        match self.fills.back_mut() {
            Some((at, newest)) if is_full => {
                (*at, newest.0) = (now, newest.0 + money.0);
            }
            _ => self.fills.push_back((now, money)),
        }
        self.sum
    }

    /// What the window that ends at `now` holds.
    pub fn used(&self, now: Ts) -> Money {
        let gone = self.fills.iter().take_while(|(at, _)| now.since(*at) >= self.window_ns);
        Money(self.sum.0 - gone.map(|(_, money)| money.0).sum::<i128>())
    }

    /// Forgets all of it.
    pub fn clear(&mut self) {
        self.fills.clear();
        self.sum = Money::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: up to the bound it is exact, beyond it never less. Method: random gaps and sums, few and many, against a plain
        /// list.
        #[test]
        fn equals_a_list(
            window_ns in 1_u64..3_000,
            steps in prop::collection::vec((0_u64..3, 0_i128..10), 1..2_500),
        ) {
            let mut window = MoneyWindow::new(Money(0), window_ns);
            let (mut now, mut all, mut most) = (0, Vec::new(), 0);
            for (gap, money) in steps {
                now += gap;
                all.push((now, money));
                let inside = all.iter().rev().take_while(|(at, _)| now - at < window_ns);
                let (count, sum) = inside.fold((0, 0), |(n, sum), (_, money)| (n + 1, sum + money));
                let counted = window.count(Ts(now), Money(money)).0;
                prop_assert_eq!(counted, window.used(Ts(now)).0);
                most = count.max(most);
                let is_right = counted == sum || most > FILLS_MAX && counted > sum;
                prop_assert!(is_right, "{} of {} in {}", counted, sum, count);
            }
        }
    }

    /// Goal: a sum beyond the type stays beyond every limit, and leaves. Method: the largest twice, then time.
    #[test]
    fn does_not_wrap() {
        let mut window = MoneyWindow::new(Money(0), 10);
        for _ in 0..2 {
            assert_eq!(window.count(Ts(0), Money(i128::MAX)), Money(i128::MAX));
        }
        assert_eq!(window.count(Ts(10), Money(1)), Money(1));
    }
}
