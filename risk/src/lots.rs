//! First in, first out: the lots that a position is made of, for the profit that is reported beside the one at
//! average cost. No check looks at it.
//!
//! Only the cost of what is open is kept: realised − cost is the cash flow, whatever is closed first, so that
//! realised(FIFO) = realised(average) − cost(average) + cost(FIFO). Where lots cannot be kept the profit of that
//! line is unknown, and says why, until the position is flat: then both kinds are the cash flow again.

use model::page::NoFifo;
use model::{Money, Px, Qty};

use crate::ledger::Risk;
use crate::line::{Line, share};
use crate::money;
use crate::split::Ratio;

const NIL: u32 = u32::MAX;

/// What one trade opened, or several in a row at one price.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
struct Lot {
    /// `None` after a split: lots are not joined any more.
    px: Option<Px>,
    /// What is still open of it; negative is short.
    qty: i64,
    /// Signed price · quantity of that.
    cost: i128,
    /// The lot after it; of a free one, the next free one.
    next: u32,
}

/// The lots of one line.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
struct Queue {
    first: u32,
    last: u32,
    /// Of all its lots.
    cost: i128,
    gap: Option<NoFifo>,
}

/// The lots of all lines, in one pool.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lots {
    #[serde(with = "model::snapshot::table")]
    pool: Vec<Lot>,
    /// The lot given back last; [`NIL`]: none is there.
    free: u32,
    /// The first one that was never used: all behind it are equal, which keeps what is written of them short.
    fresh: u32,
    /// By the slot of the line.
    #[serde(with = "model::snapshot::table")]
    queues: Vec<Queue>,
}

impl Queue {
    const EMPTY: Queue = Queue { first: NIL, last: NIL, cost: 0, gap: None };
}

impl Lots {
    /// Room for so many lots of so many lines; nothing allocates afterwards.
    pub(crate) fn new(capacity: u32, lines: u32) -> Lots {
        let lot = Lot { px: None, qty: 0, cost: 0, next: NIL };
        Lots {
            pool: vec![lot; capacity as usize],
            free: NIL,
            fresh: 0,
            queues: vec![Queue::EMPTY; lines as usize],
        }
    }

    /// Bytes that [`Lots::new`] takes.
    pub(crate) fn bytes(capacity: u64, lines: u64) -> u64 {
        capacity * size_of::<Lot>() as u64 + lines * size_of::<Queue>() as u64
    }

    /// Cost of what is open of a line that has `position`, first in, first out.
    pub(crate) fn cost(&self, slot: u32, position: Qty) -> Result<Money, NoFifo> {
        match self.queues.get(slot as usize) {
            _ if position.0 == 0 => Ok(Money::ZERO),
            None => Err(NoFifo::Unrecorded),
            Some(Queue { gap: Some(gap), .. }) => Err(*gap),
            Some(queue) => Ok(Money(queue.cost)),
        }
    }

    /// Forgets the lots of a line; it is unknown from here on, until it is flat.
    pub(crate) fn forget(&mut self, slot: u32, gap: NoFifo) {
        self.clear(slot);
        if let Some(queue) = self.queues.get_mut(slot as usize) {
            queue.gap = Some(gap);
        }
    }

    /// Moves the lots of a line of `position` by a trade that it does not have yet: `by` is the quantity, negative if it is a
    /// sale.
    pub(crate) fn trade(&mut self, slot: u32, position: i64, by: i128, px: Px, factor: i64) {
        let position = i128::from(position);
        let opposed = position.signum() == -by.signum();
        if opposed && by.abs() < position.abs() {
            return self.close(slot, by);
        }
        if opposed || position == 0 {
            self.clear(slot); // Nothing is left of what was: from here on all is known.
        }
        let opened = if opposed { position + by } else { by };
        if opened != 0 {
            self.open(slot, opened, px, factor);
        }
    }

    /// Takes what a trade of the other side closes from the oldest lots: less than there is.
    fn close(&mut self, slot: u32, by: i128) {
        let Some(mut queue) = self.queues.get(slot as usize).copied() else { return };
        let mut left = by.abs();
        while left > 0
            && let Some(lot) = self.pool.get_mut(queue.first as usize)
        {
            let whole = i128::from(lot.qty).abs();
            let part = left.min(whole);
            let released = share(lot.cost, part, whole);
            (left, queue.cost) = (left - part, queue.cost - released);
            lot.cost -= released;
            lot.qty = (i128::from(lot.qty) - i128::from(lot.qty.signum()) * part) as i64;
            if part == whole {
                let place = std::mem::replace(&mut queue.first, lot.next);
                lot.next = std::mem::replace(&mut self.free, place);
            }
        }
        if let Some(place) = self.queues.get_mut(slot as usize) {
            *place = queue;
        }
    }

    fn open(&mut self, slot: u32, qty: i128, px: Px, factor: i64) {
        let Some(mut queue) = self.queues.get(slot as usize).copied() else { return };
        if queue.gap.is_some() {
            return;
        }
        let fits = i64::try_from(qty).ok().and_then(|qty| {
            let cost = money::notional(px, Qty(qty), factor)?.0;
            queue.cost = queue.cost.checked_add(cost)?;
            Some((qty, cost))
        });
        let Some((qty, cost)) = fits else { return self.forget(slot, NoFifo::Overflow) };
        let last = self.pool.get_mut(queue.last as usize);
        if let Some(lot) = last.filter(|lot| lot.px == Some(px))
            && let (Some(qty), Some(cost)) = (lot.qty.checked_add(qty), lot.cost.checked_add(cost))
        {
            (lot.qty, lot.cost) = (qty, cost);
        } else {
            let place = if self.free == NIL { self.fresh } else { self.free };
            let Some(lot) = self.pool.get_mut(place as usize) else {
                return self.forget(slot, NoFifo::LotsFull);
            };
            match self.free {
                NIL => self.fresh += 1,
                _ => self.free = lot.next,
            }
            *lot = Lot { px: Some(px), qty, cost, next: NIL };
            match self.pool.get_mut(queue.last as usize) {
                Some(before) => before.next = place,
                None => queue.first = place,
            }
            queue.last = place;
        }
        if let Some(place) = self.queues.get_mut(slot as usize) {
            *place = queue;
        }
    }

    /// Scales every lot of a line; forgets them if one is no whole number of new units.
    pub(crate) fn split(&mut self, slot: u32, ratio: Ratio) {
        let Some(Queue { first, gap: None, .. }) = self.queues.get(slot as usize).copied() else {
            return;
        };
        let mut place = first;
        while let Some(lot) = self.pool.get_mut(place as usize) {
            let Ok(qty) = ratio.whole(lot.qty) else { return self.forget(slot, NoFifo::Split) };
            (lot.qty, lot.px) = (qty, None);
            place = lot.next;
        }
    }

    /// Gives all lots of a line back.
    fn clear(&mut self, slot: u32) {
        let Some(queue) = self.queues.get_mut(slot as usize) else { return };
        let Queue { first, last, .. } = std::mem::replace(queue, Queue::EMPTY);
        if let Some(lot) = self.pool.get_mut(last as usize) {
            lot.next = std::mem::replace(&mut self.free, first);
        }
    }

    /// What a line's lots are, oldest first, and why they are not known; for the full hash.
    pub(crate) fn describe(
        &self,
        slot: u32,
    ) -> (Option<NoFifo>, impl Iterator<Item = (Option<Px>, i64, i128)> + '_) {
        let queue = self.queues.get(slot as usize).copied().unwrap_or(Queue::EMPTY);
        let lot = |place: u32| self.pool.get(place as usize).map(|lot| (place, *lot));
        let lots = std::iter::successors(lot(queue.first), move |(place, before)| {
            lot(before.next).filter(|_| *place != queue.last)
        });
        (queue.gap, lots.map(|(_, lot)| (lot.px, lot.qty, lot.cost)))
    }
}

impl Risk {
    /// Realised profit of a line, first in, first out.
    pub(crate) fn realised_fifo(&self, line: &Line) -> Result<Money, NoFifo> {
        let open = self.lots.cost(line.slot, line.exposure.position)?;
        let flow = line.realised.minus(line.cost).and_then(|flow| flow.plus(open));
        flow.ok_or(NoFifo::Overflow)
    }
}

#[cfg(test)]
mod tests;
