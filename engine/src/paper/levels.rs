//! Fills against a book of levels. Who stands where in a queue is not told, so every doubt counts against us:
//!
//! - An order that rests stands behind the whole level. Trades at its price shorten the queue in front of it; whatever else
//!   leaves the level is taken to have stood behind it, until the level shows less than the queue is thought to be. A trade
//!   that is told behind the total which counts it, but not by more than a second, shortens the queue once.
//! - What was taken from a level stays taken until the level is gone.

use model::{Order, Px, Qty, Side, Ts};

use super::queue::Resting;
use super::taken::Shown;
use super::{Paper, SWEEP_LEVELS, crosses, is_better};
use crate::level_book::{LevelBooks, LevelTouch};

/// How long a trade may be told behind the total that counts it.
const LATE_NS: u64 = 1_000_000_000;

impl Paper {
    /// Takes displayed quantity that `order` crosses: what is left of it, and whether all that crosses was looked at.
    pub(super) fn sweep_levels(
        &mut self,
        order: &Order,
        open: Qty,
        books: &LevelBooks,
    ) -> (Qty, bool) {
        let against = order.side.opposite();
        let mut left = open;
        for (depth, level) in books.levels(order.instrument.0 as usize, against).enumerate() {
            if left.0 == 0 || !crosses(order.side, order.px, level.px) {
                break;
            }
            if depth >= SWEEP_LEVELS || self.taken.is_full() {
                return (left, false);
            }
            let shown = Shown::level(order.instrument.0, against, level.px);
            let want = Qty(self.taken.left_of(shown, level.qty).0.min(left.0));
            if want.0 > 0 && self.taken.take(shown, want) {
                left.0 -= want.0;
                self.execution(order.id, level.px, want);
            }
        }
        (left, true)
    }

    /// Sees that a level has a new total. `trading`: the venue trades.
    pub fn on_level(&mut self, instrument: u32, touch: &LevelTouch, trading: bool, now: Ts) {
        if touch.qty.0 == 0 {
            self.taken.forget(Shown::level(instrument, touch.side, touch.px));
        }
        if !self.queues.any(instrument) {
            return;
        }
        self.shorten(instrument, touch, now);
        if trading && touch.qty.0 > touch.before.0 {
            self.on_level_shown(instrument, touch);
        }
    }

    /// No queue is longer than what its level shows; by what it was, trades to come may be known already.
    fn shorten(&mut self, instrument: u32, touch: &LevelTouch, now: Ts) {
        let mut next = self.queues.first(instrument, touch.side);
        while let Some(resting) = next {
            next = self.queues.after(&resting);
            if is_better(touch.side, touch.px, resting.px) {
                break;
            }
            let gone = resting.ahead.0 - touch.qty.0;
            if resting.px == touch.px && gone > 0 {
                let untold = Qty(resting.untold_by(now).0.saturating_add(gone));
                self.queues.set_ahead_of_level(resting.order, touch.qty, (untold, now));
            }
        }
    }

    /// The other side shows more at or through prices of ours: it fills them at their price.
    fn on_level_shown(&mut self, instrument: u32, touch: &LevelTouch) {
        let ours = touch.side.opposite();
        let shown = Shown::level(instrument, touch.side, touch.px);
        let more = Qty(touch.qty.0 - touch.before.0);
        let mut left = Qty(self.taken.left_of(shown, touch.qty).0.min(more.0));
        let mut next = self.queues.first(instrument, ours);
        while let Some(resting) = next {
            next = self.queues.after(&resting);
            if left.0 == 0 || !crosses(ours, resting.px, touch.px) {
                break;
            }
            let want = Qty(left.0.min(resting.shown.0));
            if want.0 > 0 && self.taken.take(shown, want) {
                left.0 -= self.fill(&resting, want).0;
            }
        }
    }

    /// Sees a trade. `side`: of the order that rested, if it was told.
    pub fn on_level_print(
        &mut self,
        instrument: u32,
        side: Option<Side>,
        (px, qty): (Px, Qty),
        now: Ts,
    ) {
        if !self.queues.any(instrument) {
            return;
        }
        for ours in [Side::Buy, Side::Sell] {
            if side.is_some_and(|side| side != ours) {
                continue;
            }
            let mut filled = 0;
            let mut next = self.queues.first(instrument, ours);
            while let Some(resting) = next {
                next = self.queues.after(&resting);
                if is_better(ours, px, resting.px) {
                    break;
                }
                let here = resting.px == px;
                let untold = resting.untold_by(now).0;
                let known = if here { untold.min(qty.0) } else { 0 };
                let (news, ahead) = (qty.0 - known, if here { resting.ahead.0 } else { 0 });
                let left = Qty((news - ahead - filled).max(0));
                let ahead = Qty((resting.ahead.0 - news).max(0));
                let untold = (Qty(untold - known), resting.untold_at);
                self.queues.set_ahead_of_level(resting.order, ahead, untold);
                if left.0 > 0 {
                    filled += self.fill(&resting, left).0;
                }
            }
        }
    }
}

impl Resting {
    /// What trades that are told at `now` may have been counted of already.
    fn untold_by(&self, now: Ts) -> Qty {
        if now.since(self.untold_at) <= LATE_NS { self.untold } else { Qty(0) }
    }
}

#[cfg(test)]
mod tests;
