//! The copy of a book that OKX's checksum needs.

use crate::stream::{Crc32, Mirror};

/// Levels a side that the checksum covers.
const CHECKED: usize = 25;
/// Room a side: the venue keeps 400, and a message may insert before it removes.
const ROOM: usize = 1_024;

/// A book and the decimals of its symbol.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) mirror: Mirror,
    px_decimals: u8,
    qty_decimals: u8,
    /// Whether the venue sends checksums: those of the last snapshot decide. Else nothing is kept.
    checked: bool,
}

impl Book {
    /// An empty book.
    pub(super) fn new(px_decimals: u8, qty_decimals: u8) -> Book {
        Book { mirror: Mirror::new(ROOM), px_decimals, qty_decimals, checked: false }
    }

    /// Starts over, before a snapshot with or without a checksum.
    pub(super) fn restart(&mut self, checked: bool) {
        self.mirror.clear();
        self.checked = checked;
    }

    /// Whether it is kept.
    pub(super) fn is_checked(&self) -> bool {
        self.checked
    }

    /// The venue's checksum of the book, by its bits.
    pub(super) fn checksum(&self) -> u32 {
        let mut crc = Crc32::default();
        let (mut bids, mut asks) = (self.mirror.bids.iter(), self.mirror.asks.iter());
        let mut first = true;
        for _ in 0..CHECKED {
            for (px, qty) in [bids.next(), asks.next()].into_iter().flatten() {
                if !first {
                    crc.byte(b':');
                }
                first = false;
                crc.decimal(px.0.unsigned_abs(), self.px_decimals);
                crc.byte(b':');
                crc.decimal(qty.0.unsigned_abs(), self.qty_decimals);
            }
        }
        crc.finish()
    }
}

#[cfg(test)]
mod tests {
    use model::{Px, Qty};

    use super::*;

    /// Goal: sides alternate, a short side is skipped, needless zeros are left out. Method: the text by hand.
    #[test]
    fn interleaved() {
        let mut book = Book::new(1, 4);
        book.restart(true);
        let bids = [(Px(33_665), Qty(70_000)), (Px(33_660), Qty(5))];
        let asks = [(Px(33_668), Qty(90_100)), (Px(33_680), Qty(80_000)), (Px(33_720), Qty(1))];
        assert_eq!(book.mirror.set_all(bids.into_iter(), asks.into_iter()), Ok(()));
        let text = "3366.5:7:3366.8:9.01:3366:0.0005:3368:8:3372:0.0001";
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        assert_eq!(book.checksum(), crc.sum());
    }
}
