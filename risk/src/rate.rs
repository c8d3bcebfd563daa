//! An exact sliding window over the times of an account's requests.

use model::Ts;

/// The last `max` times. Exact: in no window of `window_ns` can more than `max` requests pass.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct RateWindow {
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
    pub(crate) fn new(max: u32, window_ns: u64) -> RateWindow {
        RateWindow { window_ns, times: vec![Ts(u64::MAX); max as usize], next: 0, recent: 0 }
    }

    /// Requests in the window that ends at `now`; at most the limit, which is all that a verdict needs.
    pub(crate) fn used(&self, now: Ts) -> u32 {
        let inside = |back: usize| now.since(self.back(back)) < self.window_ns;
        if self.recent == 0 || inside(self.recent) {
            return self.recent as u32;
        }
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
    pub(crate) fn count(&mut self, now: Ts, used: u32) {
        self.recent = (used as usize + 1).min(self.times.len());
        if let Some(time) = self.times.get_mut(self.next) {
            *time = now;
            self.next = if self.next + 1 == self.times.len() { 0 } else { self.next + 1 };
        }
    }

    /// The `back`-th last time, from 1.
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
    }
}
