//! An exact sliding window over the times of an account's requests.

use model::Ts;

/// A place that no time is in yet.
const NEVER: Ts = Ts(u64::MAX);

/// The last `max` times. Exact: in no window of `window_ns` can more than `max` requests pass.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct RateWindow {
    window_ns: u64,
    /// Ring of the last times; its length is the limit.
    #[serde(with = "model::snapshot::table")]
    times: Vec<Ts>,
    /// Where the next time goes.
    next: usize,
    /// How many of the last times were within the window when the last one came.
    recent: usize,
}

impl RateWindow {
    /// Allocates the ring and touches its memory; nothing allocates afterwards.
    pub fn new(max: u32, window_ns: u64) -> RateWindow {
        RateWindow { window_ns, times: vec![NEVER; max as usize], next: 0, recent: 0 }
    }

    /// The most that it can tell of.
    pub(crate) fn max(&self) -> u32 {
        self.times.len() as u32
    }

    /// Requests in the window that ends at `now`; at most the limit, which is all that a verdict needs.
    #[inline]
    pub fn used(&self, now: Ts) -> u32 {
        if self.recent == 0 || self.is_inside(self.recent, now) {
            return self.recent as u32;
        }
        self.still_used(now)
    }

    /// Forgets what left the window, so that [`RateWindow::used`] finds it at once.
    #[inline]
    pub(crate) fn settle(&mut self, now: Ts) {
        self.recent = self.used(now) as usize;
    }

    /// What was used when it was settled.
    #[inline]
    pub(crate) fn settled(&self) -> u32 {
        self.recent as u32
    }

    #[inline]
    fn is_inside(&self, back: usize, now: Ts) -> bool {
        now.since(self.back(back)) < self.window_ns
    }

    fn still_used(&self, now: Ts) -> u32 {
        let inside = |back: usize| self.is_inside(back, now);
        // Mostly few have left the window since the last request: double the step from the oldest on, then
        // halve it.
        let mut outside = 1;
        while outside < self.recent && !inside(self.recent - outside) {
            outside *= 2;
        }
        let (mut low, mut high) = (self.recent.saturating_sub(outside), self.recent - outside / 2);
        while low + 1 < high {
            let middle = low.midpoint(high);
            if inside(middle) { low = middle } else { high = middle }
        }
        low as u32
    }

    /// Counts a request, passed or refused, when `used` were in the window before it.
    pub fn count(&mut self, now: Ts, used: u32) {
        self.recent = (used as usize + 1).min(self.times.len());
        if let Some(time) = self.times.get_mut(self.next) {
            *time = now;
            self.next = if self.next + 1 == self.times.len() { 0 } else { self.next + 1 };
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.recent = 0;
    }

    /// Goes on from where another window stands, with as many of its last times as there is room for. A window of more
    /// requests, or over a longer time, knows only of those that the other one kept.
    pub(crate) fn take_over(&mut self, other: &RateWindow) {
        let known = (1..=other.times.len()).take_while(|back| other.back(*back) != NEVER).count();
        let kept = known.min(self.times.len());
        self.recent = 0;
        for back in (1..=kept).rev() {
            let time = other.back(back);
            if let Some(place) = self.times.get_mut(self.next) {
                *place = time;
            }
            self.next = if self.next + 1 == self.times.len() { 0 } else { self.next + 1 };
            self.recent += usize::from(other.back(1).since(time) < self.window_ns);
        }
    }

    /// The `back`-th last time, from 1.
    #[inline]
    fn back(&self, back: usize) -> Ts {
        let place =
            if back <= self.next { self.next - back } else { self.next + self.times.len() - back };
        self.times.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Goal: what was forgotten is not counted. Method: fill, clear, count one.
    #[test]
    fn clears() {
        let mut window = RateWindow::new(2, 10);
        window.count(Ts(1), 0);
        window.count(Ts(2), 1);
        assert_eq!(window.used(Ts(3)), 2);
        window.clear();
        assert_eq!(window.used(Ts(3)), 0);
        window.count(Ts(3), 0);
        assert_eq!((window.used(Ts(12)), window.used(Ts(13))), (1, 0));
    }

    proptest! {
        /// Goal: the ring counts as a plain list does. Method: random gaps, bursts and limits, against a list
        /// of all times.
        #[test]
        fn equals_a_list(
            max in 0_u32..9,
            window_ns in 0_u64..50,
            gaps in prop::collection::vec(0_u64..20, 1..80),
        ) {
            let mut window = RateWindow::new(max, window_ns);
            let (mut now, mut all) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                let inside = all.iter().filter(|t| now - **t < window_ns).count() as u32;
                prop_assert_eq!(window.used(Ts(now)), inside.min(max));
                let used = window.used(Ts(now));
                window.count(Ts(now), used);
                all.push(now);
            }
        }

        /// Goal: after a change of the limit the ring counts what both rings could know. Method: random limits before and
        /// after, against a list of all times.
        #[test]
        fn a_change_forgets_nothing_that_fits(
            (max, then_max) in (0_u32..9, 0_u32..9),
            (window_ns, then_ns) in (1_u64..50, 1_u64..50),
            gaps in prop::collection::vec(0_u64..20, 0..40),
            later in prop::collection::vec(0_u64..20, 1..40),
        ) {
            let mut window = RateWindow::new(max, window_ns);
            let (mut now, mut all) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                let used = window.used(Ts(now));
                window.count(Ts(now), used);
                all.push(now);
            }
            let mut then = RateWindow::new(then_max, then_ns);
            then.take_over(&window);
            let forgotten = all.len().saturating_sub(max as usize);
            all.drain(..forgotten);
            for gap in later {
                now += gap;
                let inside = all.iter().filter(|t| now - **t < then_ns).count() as u32;
                let used = then.used(Ts(now));
                prop_assert_eq!(used, inside.min(then_max));
                then.count(Ts(now), used);
                all.push(now);
            }
        }
    }
}
