//! Orders of ours that rest at the paper venue, by instrument and side, in order of priority.

use model::{OrderId, Px, Qty, Side, Ts};

use crate::book::Arrival;

/// One order that rests.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Resting {
    pub order: OrderId,
    pub instrument: u32,
    pub side: Side,
    pub px: Px,
    /// Total quantity, filled part included.
    pub total: Qty,
    /// Open quantity.
    pub leaves: Qty,
    /// What of it is displayed, and can fill.
    pub shown: Qty,
    /// The most that is displayed at a time; zero: all.
    pub display: Qty,
    /// Whether it stays over the end of the day.
    pub keeps: bool,
    /// Displayed quantity in front of it at its price.
    pub ahead: Qty,
    /// What totals of its level took off `ahead`, less trades told since: they may be those that the totals counted.
    pub untold: Qty,
    /// Engine time of the last such total.
    pub untold_at: Ts,
    /// When it joined its level.
    pub arrival: Arrival,
}

impl Resting {
    /// The part that is displayed when it joins its queue.
    pub fn part(&self) -> Qty {
        if self.display.0 > 0 { self.leaves.min(self.display) } else { self.leaves }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Node {
    resting: Resting,
    /// Slot of the next in priority.
    next: Option<u32>,
}

/// Linked lists through one slot for each order of ours; the order id names the slot.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Queues {
    #[serde(with = "model::snapshot::table")]
    nodes: Vec<Option<Node>>,
    #[serde(with = "model::snapshot::table")]
    heads: Vec<[Option<u32>; 2]>,
    /// Slots in use, so that the end of a day need not search.
    used: usize,
}

impl Queues {
    pub fn new(instruments: usize, own_orders: usize) -> Queues {
        Queues { nodes: vec![None; own_orders], heads: vec![[None; 2]; instruments], used: 0 }
    }

    /// Bytes that [`Queues::new`] takes.
    pub fn bytes(instruments: u64, own_orders: u64) -> u64 {
        own_orders * size_of::<Option<Node>>() as u64
            + instruments * size_of::<[Option<u32>; 2]>() as u64
    }

    /// Whether an order rests in the instrument.
    #[inline]
    pub fn any(&self, instrument: u32) -> bool {
        self.heads.get(instrument as usize).is_some_and(|heads| heads.iter().any(Option::is_some))
    }

    /// Every order that rests, by slot, with the slot of the one behind it.
    pub fn resting(&self) -> impl Iterator<Item = &impl core::fmt::Debug> {
        self.nodes.iter().flatten()
    }

    /// The order with the highest priority.
    pub fn first(&self, instrument: u32, side: Side) -> Option<Resting> {
        self.node(self.head(instrument, side)?).map(|node| node.resting)
    }

    /// The order behind `resting`.
    pub fn after(&self, resting: &Resting) -> Option<Resting> {
        let next = self.node(resting.order.slot() as u32)?.next?;
        self.node(next).map(|node| node.resting)
    }

    /// An order that rests.
    pub fn get(&self, order: OrderId) -> Option<Resting> {
        let resting = self.node(order.slot() as u32)?.resting;
        (resting.order == order).then_some(resting)
    }

    /// Puts an order in behind all of its price or better; `false`: its slot or instrument is out of range or in use.
    pub fn insert(&mut self, resting: Resting) -> bool {
        let slot = resting.order.slot() as u32;
        let Some(None) = self.nodes.get(slot as usize) else { return false };
        if self.heads.get(resting.instrument as usize).is_none() {
            return false;
        }
        let mut before = None;
        let mut next = self.head(resting.instrument, resting.side);
        while let Some(at) = next {
            let Some(node) = self.node(at) else { break };
            if super::is_better(resting.side, resting.px, node.resting.px) {
                break;
            }
            before = Some(at);
            next = node.next;
        }
        if let Some(place) = self.nodes.get_mut(slot as usize) {
            *place = Some(Node { resting, next });
        }
        self.link(resting.instrument, resting.side, before, Some(slot));
        self.used += 1;
        true
    }

    /// Takes an order out.
    pub fn remove(&mut self, order: OrderId) -> Option<Resting> {
        let resting = self.get(order)?;
        let slot = order.slot() as u32;
        let mut before = None;
        let mut at = self.head(resting.instrument, resting.side);
        while let Some(place) = at.filter(|place| *place != slot) {
            before = at;
            at = self.node(place).and_then(|node| node.next);
        }
        let next = self.node(slot).and_then(|node| node.next);
        self.link(resting.instrument, resting.side, before, next);
        if let Some(place) = self.nodes.get_mut(slot as usize) {
            *place = None;
        }
        self.used -= 1;
        Some(resting)
    }

    /// Takes out any order of the day that rests in one of the instruments meant; `None` if there is none.
    pub fn pop_any(&mut self, of: impl Fn(u32) -> bool) -> Option<OrderId> {
        if self.used == 0 {
            return None;
        }
        let mut resting = self.nodes.iter().flatten().map(|node| node.resting);
        let order = resting.find(|resting| !resting.keeps && of(resting.instrument))?.order;
        self.remove(order).map(|resting| resting.order)
    }

    /// Takes `qty` off what an order shows, and the order out if nothing is left; whether it has more, but shows none of it.
    pub fn fill(&mut self, order: OrderId, qty: Qty) -> bool {
        let left = self.change(order, |resting| {
            resting.leaves.0 -= qty.0;
            resting.shown.0 -= qty.0;
            (resting.leaves, resting.shown)
        });
        if left.is_some_and(|(left, _)| left.0 <= 0) {
            self.remove(order);
        }
        left.is_some_and(|(left, shown)| left.0 > 0 && shown.0 <= 0)
    }

    /// Gives an order less quantity in its place.
    pub fn shrink(&mut self, order: OrderId, total: Qty, leaves: Qty) {
        self.change(order, |resting| {
            (resting.total, resting.leaves) = (total, leaves);
            resting.shown = resting.shown.min(leaves);
        });
    }

    /// Sets the quantity in front of an order.
    pub fn set_ahead(&mut self, order: OrderId, ahead: Qty) {
        self.change(order, |resting| resting.ahead = ahead);
    }

    /// The same where a level's total, or a trade, tells how much left.
    pub fn set_ahead_of_level(&mut self, order: OrderId, ahead: Qty, untold: (Qty, Ts)) {
        self.change(order, |resting| {
            resting.ahead = ahead;
            (resting.untold, resting.untold_at) = untold;
        });
    }

    /// Puts an order behind `ahead` that stands there now, and behind nothing that comes.
    pub fn rejoin(&mut self, order: OrderId, ahead: Qty, arrival: Arrival) {
        self.change(order, |resting| {
            (resting.ahead, resting.untold, resting.arrival) = (ahead, Qty(0), arrival);
        });
    }

    fn change<T>(&mut self, order: OrderId, change: impl FnOnce(&mut Resting) -> T) -> Option<T> {
        let node = self.nodes.get_mut(order.slot())?.as_mut()?;
        (node.resting.order == order).then(|| change(&mut node.resting))
    }

    fn node(&self, slot: u32) -> Option<Node> {
        *self.nodes.get(slot as usize)?
    }

    fn head(&self, instrument: u32, side: Side) -> Option<u32> {
        *self.heads.get(instrument as usize)?.get(side.index())?
    }

    /// Lets `before`, or the head, point to `next`.
    fn link(&mut self, instrument: u32, side: Side, before: Option<u32>, next: Option<u32>) {
        let place = match before {
            Some(slot) => self
                .nodes
                .get_mut(slot as usize)
                .and_then(Option::as_mut)
                .map(|node| &mut node.next),
            None => self
                .heads
                .get_mut(instrument as usize)
                .and_then(|heads| heads.get_mut(side.index())),
        };
        if let Some(place) = place {
            *place = next;
        }
    }
}
