//! The copy of a book that Kraken's depth and checksum rules need.

use super::requests;
use crate::stream::{BookKind, Crc32, Mirror, StreamConfig};

/// Levels a side that the checksum covers.
const CHECKED: usize = 10;

/// A book and the venue's decimals of its symbol.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) mirror: Mirror,
    /// Levels a side that the venue sends; `None`: not as many as it was asked for.
    pub(super) depth: Option<u16>,
    /// Levels a side that it was asked for; `None`: as many as a capture has.
    asked: Option<u16>,
    /// Decimals that prices and quantities are configured with.
    ours: [u8; 2],
    /// What prices and quantities are to be in the venue's units: multiplied by the first, divided by the second.
    scales: [(u64, u64); 2],
    /// The venue's decimals as the `instrument` channel told them.
    pub(super) told: Option<[u8; 2]>,
}

impl Book {
    /// An empty book that is subscribed to with the depth of a configuration.
    pub(super) fn new(wanted: u16, px_decimals: u8, qty_decimals: u8) -> Book {
        let depth = requests::depth(wanted);
        Book {
            // A message may insert before it removes, so that a side is larger in its midst.
            mirror: Mirror::new(2 * usize::from(depth) + 64),
            depth: Some(depth),
            asked: (wanted != StreamConfig::AS_RECORDED).then_some(depth),
            ours: [px_decimals, qty_decimals],
            scales: [(1, 1); 2],
            told: None,
        }
    }

    /// The venue says how many levels a side it sends; whether as many as it was asked for.
    pub(super) fn grant(&mut self, depth: Option<u16>) -> bool {
        let is_right = |depth: &u16| {
            requests::is_on_offer(*depth) && self.asked.is_none_or(|asked| asked == *depth)
        };
        self.depth = depth.filter(is_right);
        self.depth.is_some()
    }

    /// The same where each message says it: a book that is held changes at its own depth alone.
    pub(super) fn grant_again(&mut self, kind: BookKind, depth: Option<u16>) -> bool {
        let is_held = !(self.mirror.bids.is_empty() && self.mirror.asks.is_empty());
        if kind == BookKind::Delta && is_held {
            return depth.is_some() && depth == self.depth;
        }
        self.grant(depth)
    }

    /// Takes over the venue's decimals.
    pub(super) fn set_places(&mut self, places: [u8; 2]) {
        for ((scale, ours), places) in self.scales.iter_mut().zip(self.ours).zip(places) {
            let power = |more: u8| 10_u64.saturating_pow(more.into());
            *scale = (power(places.saturating_sub(ours)), power(ours.saturating_sub(places)));
        }
    }

    /// The venue's checksum of the book.
    pub(super) fn checksum(&self) -> u32 {
        let mut crc = Crc32::default();
        let scaled = |value: i64, (times, divisor): (u64, u64)| {
            value.unsigned_abs().saturating_mul(times) / divisor
        };
        let [px_scale, qty_scale] = self.scales;
        let asks = self.mirror.asks.iter().take(CHECKED);
        for (px, qty) in asks.chain(self.mirror.bids.iter().take(CHECKED)) {
            crc.digits(scaled(px.0, px_scale));
            crc.digits(scaled(qty.0, qty_scale));
        }
        crc.finish()
    }
}

#[cfg(test)]
mod tests {
    use model::{Px, Qty};

    use super::*;

    /// Goal: the checksum of the v1 guide. Method: its book, with the venue's decimals, with more, and with fewer.
    #[test]
    fn guide_v1() {
        // Decimals of ours, and what 0.05000 and 0.00000500 are in them.
        for ([px_decimals, qty_decimals], px_times, qty_units) in
            [([5, 8], 1, 500), ([8, 11], 1_000, 500_000), ([5, 6], 1, 5)]
        {
            let mut book = Book::new(10, px_decimals, qty_decimals);
            book.set_places([5, 8]);
            let level = |n: i64| (Px(n * px_times), Qty(qty_units));
            let bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950, 4945];
            let asks = [5005, 5010, 5015, 5020, 5025, 5030, 5035, 5040, 5045, 5050, 5055];
            let (bids, asks) = (bids.into_iter().map(level), asks.into_iter().map(level));
            assert_eq!(book.mirror.set_all(bids, asks), Ok(()));
            assert_eq!(book.checksum(), 974_947_235);
        }
    }
}
