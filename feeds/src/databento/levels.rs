//! The levels that an MBP record shows, against those that were told before.

use dbn::{BidAskPair, UNDEF_PRICE};
use model::{Px, Qty, Side};

/// Levels of a side in the deepest schema, MBP-10.
pub(super) const LEVELS: usize = 10;

/// A price and its total quantity; zero: no level.
pub(super) type Level = (i64, u32);

/// The best levels of both sides, as last told: bids, asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tops([[Level; LEVELS]; 2]);

impl Default for Tops {
    fn default() -> Tops {
        Tops([[(0, 0); LEVELS]; 2])
    }
}

impl Tops {
    /// The levels of a record, each better than the one behind it; `None` if they are not. A price that is undefined is no
    /// level.
    pub fn of(pairs: &[BidAskPair]) -> Option<Tops> {
        let mut tops = Tops::default();
        let Tops([bids, asks]) = &mut tops;
        for ((bid, ask), pair) in bids.iter_mut().zip(&mut *asks).zip(pairs) {
            *bid = level(pair.bid_px, pair.bid_sz);
            *ask = level(pair.ask_px, pair.ask_sz);
        }
        let shown = |levels: &[Level; LEVELS]| levels.map(|(px, size)| (size != 0).then_some(px));
        let falls = shown(bids).into_iter().flatten().is_sorted_by(|a, b| a > b);
        let rises = shown(asks).into_iter().flatten().is_sorted_by(|a, b| a < b);
        (falls && rises).then_some(tops)
    }

    /// Says what changes from these levels to `next`: first what is gone from both sides, so that the book never crosses
    /// between two that do not, then what is new or has another quantity.
    pub fn changes(&self, next: &Tops, mut say: impl FnMut(Side, Px, Qty)) {
        let Tops(before) = self;
        let Tops(after) = next;
        let sides = || [Side::Buy, Side::Sell].into_iter().zip(before).zip(after);
        for ((side, before), after) in sides() {
            for (was, now) in before.iter().zip(after).filter(|(was, _)| was.1 != 0) {
                let stays = |level: &Level| level.1 != 0 && level.0 == was.0;
                // Most levels stay where they were.
                if !stays(now) && !after.iter().any(stays) {
                    say(side, Px(was.0), Qty(0));
                }
            }
        }
        for ((side, before), after) in sides() {
            for (was, now) in before.iter().zip(after).filter(|(_, now)| now.1 != 0) {
                if was != now && !before.contains(now) {
                    say(side, Px(now.0), Qty(now.1.into()));
                }
            }
        }
    }
}

fn level(px: i64, size: u32) -> Level {
    if px == UNDEF_PRICE { (0, 0) } else { (px, size) }
}
