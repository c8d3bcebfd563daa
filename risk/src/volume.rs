//! Money of an account's orders within a window.

use model::{Money, Ts};

use crate::money;

/// Parts that a window is counted in.
const PARTS: u64 = 8;
/// Parts looked back on: the present one, and as many whole ones as make the window.
const KEPT: usize = PARTS as usize + 1;

/// Sums by eighths of the window. What it says is never less than what the window holds: a part counts until
/// all of it is out.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct VolumeWindow {
    part_ns: u64,
    sums: [Money; KEPT],
    /// Number of the newest part.
    newest: u64,
    /// When the newest part ends: until then nothing leaves the window, and nobody has to divide.
    ends: Ts,
    /// Sum of all parts.
    total: Money,
}

impl VolumeWindow {
    pub(crate) fn new(window_ns: u64) -> VolumeWindow {
        let part_ns = window_ns.div_ceil(PARTS).max(1);
        let sums = [Money::ZERO; KEPT];
        VolumeWindow { part_ns, sums, newest: 0, ends: Ts(part_ns), total: Money::ZERO }
    }

    /// The same sums in a window of another length. They count from now: longer than they would, never shorter.
    pub(crate) fn over(&self, window_ns: u64, now: Ts) -> VolumeWindow {
        let mut other = VolumeWindow::new(window_ns);
        if other.part_ns == self.part_ns {
            return self.clone();
        }
        other.count(now, self.used(now));
        other
    }

    /// Money within the window that ends at `now`.
    #[inline]
    pub(crate) fn used(&self, now: Ts) -> Money {
        if now < self.ends { self.total } else { self.left(now) }
    }

    /// Counts money.
    #[inline]
    pub(crate) fn count(&mut self, now: Ts, money: Money) {
        if now >= self.ends {
            self.begin_part(now);
        }
        let place = self.place(self.newest);
        if let Some(sum) = self.sums.get_mut(place) {
            sum.0 = money::plus(sum.0, money.0);
            self.total.0 = money::plus(self.total.0, money.0);
        }
    }

    /// Money of the parts that are still within the window when the newest one is over.
    fn left(&self, now: Ts) -> Money {
        let gone = (now.0 / self.part_ns).saturating_sub(self.newest);
        let kept = (KEPT as u64).saturating_sub(gone);
        let parts = (0..kept).filter_map(|back| self.newest.checked_sub(back));
        let sums = parts.filter_map(|part| self.sums.get(self.place(part)));
        Money(sums.fold(0_i128, |sum, part| sum.saturating_add(part.0)))
    }

    fn begin_part(&mut self, now: Ts) {
        self.total = self.left(now);
        let part = now.0 / self.part_ns;
        let gone = part.saturating_sub(self.newest).min(KEPT as u64);
        for back in 0..gone {
            let place = self.place(part - back);
            if let Some(sum) = self.sums.get_mut(place) {
                *sum = Money::ZERO;
            }
        }
        self.newest = part;
        self.ends = Ts((part + 1).saturating_mul(self.part_ns));
    }

    fn place(&self, part: u64) -> usize {
        (part % KEPT as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: it says at least what the window holds, and nothing that is an eighth older. Method: random
        /// gaps and sums against a plain list.
        #[test]
        fn between_the_window_and_an_eighth_more(
            window_ns in 1_u64..100,
            steps in prop::collection::vec((0_u64..40, 0_i128..10), 1..80),
        ) {
            let mut window = VolumeWindow::new(window_ns);
            let (mut now, mut all) = (0, Vec::new());
            for (gap, money) in steps {
                now += gap;
                let within = |ns: u64| {
                    all.iter().filter(|(at, _)| now - at < ns).map(|(_, money)| money).sum::<i128>()
                };
                let used = window.used(Ts(now)).0;
                prop_assert!(used >= within(window_ns));
                prop_assert!(used <= within(KEPT as u64 * window_ns.div_ceil(PARTS)));
                window.count(Ts(now), Money(money));
                all.push((now, money));
            }
        }

        /// Goal: a change of the window forgets no money that is within both. Method: random windows and sums, against a
        /// plain list.
        #[test]
        fn a_change_counts_no_less(
            (window_ns, then_ns) in (1_u64..100, 1_u64..100),
            steps in prop::collection::vec((0_u64..40, 0_i128..10), 1..40),
            gaps in prop::collection::vec(0_u64..40, 1..10),
        ) {
            let mut window = VolumeWindow::new(window_ns);
            let (mut now, mut all) = (0, Vec::new());
            for (gap, money) in steps {
                now += gap;
                window.count(Ts(now), Money(money));
                all.push((now, money));
            }
            let changed = now;
            let then = window.over(then_ns, Ts(now));
            for gap in gaps {
                now += gap;
                let counts = |at: u64| changed - at < window_ns && now - at < then_ns;
                let within = all.iter().filter(|(at, _)| counts(*at)).map(|(_, money)| money);
                prop_assert!(then.used(Ts(now)).0 >= within.sum::<i128>());
            }
        }
    }
}
