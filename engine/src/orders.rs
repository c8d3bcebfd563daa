//! The order table: every order of ours from the gate on, in a fixed number of slots.

mod life;

use model::page::{AsOf, OrderCell};
use model::{Money, Order, OrderId, OrderState, Qty, Reject, Ts};
use risk::Reservation;

pub use life::{Change, GivenBack, Life, Restated};

/// One order of ours.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OrderRecord {
    /// The order, with the terms that the venue works.
    pub order: Order,
    /// Where it stands: what follows from `life`.
    pub state: OrderState,
    /// What the venue said of it, and what it is asked.
    pub life: Life,
    /// Why a change of it was refused last, if one was.
    pub reject: Option<Reject>,
    /// Quantity filled so far.
    pub filled: Qty,
    /// Σ price · quantity of its fills.
    pub notional_filled: Money,
    /// What it holds of the account's limits.
    pub reservation: Reservation,
    /// The stop that takes its place if that is triggered; zero: none.
    pub stop: OrderId,
    /// How it counts among the children of its parent, or they with it.
    pub family: Family,
    /// Engine time when it passed the gate.
    pub ts_created: Ts,
    /// Engine time of its last change.
    pub ts_updated: Ts,
}

/// How an order counts among the children of a parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Family {
    /// Of a child: what it filled and may still fill, as its parent counts it. Of a parent: the sum.
    pub counted: Qty,
    /// Of a child: what it filled, as its parent counts it.
    pub filled: Qty,
}

impl OrderRecord {
    /// What it filled and may still fill, the larger of old and new terms while a replace is on its way.
    pub fn reach(&self) -> Qty {
        if !self.state.is_open() {
            return self.filled;
        }
        // The venue may have counted more fills than have come, of terms that are smaller by now.
        let held = Qty(self.filled.0.saturating_add(self.reservation.open().0));
        let then = self.life.replacing().map_or(Qty(0), |change| change.qty);
        self.order.qty.max(then).max(held)
    }

    /// Open quantity.
    pub fn leaves(&self) -> Qty {
        Qty(self.order.qty.0.saturating_sub(self.filled.0).max(0))
    }

    /// The page that readers see. `ahead` is the quantity in front of it, if it rests.
    pub fn page(&self, as_of: AsOf, ahead: Option<Qty>) -> OrderCell {
        OrderCell {
            as_of,
            order: self.order,
            state: self.state,
            reject: self.reject,
            filled: self.filled,
            notional_filled: self.notional_filled,
            ahead,
            children: if self.order.conditions.parent_only { self.family.counted } else { Qty(0) },
            ts_created: self.ts_created,
            ts_updated: self.ts_updated,
        }
    }
}

/// All orders of ours. A closed order stays readable until its slot is used again; the slot closed longest is used first.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct OrderTable {
    #[serde(with = "model::snapshot::table")]
    slots: Vec<Option<OrderRecord>>,
    #[serde(with = "model::snapshot::table")]
    generations: Vec<u64>,
    /// The lowest generation of the epoch in force.
    floor: u64,
    #[serde(with = "model::snapshot::reserved")]
    free: std::collections::VecDeque<u32>,
    used: u32,
}

impl OrderTable {
    /// A table of `capacity` slots, at most 2^[`OrderId::SLOT_BITS`].
    pub fn new(capacity: u32) -> OrderTable {
        let capacity = capacity.min(1 << OrderId::SLOT_BITS);
        OrderTable {
            slots: vec![None; capacity as usize],
            generations: vec![0; capacity as usize],
            floor: OrderId::generation(0, 0),
            free: (0..capacity).collect(),
            used: 0,
        }
    }

    /// Bytes that [`OrderTable::new`] takes.
    pub(crate) fn bytes(capacity: u32) -> u64 {
        let each = size_of::<Option<OrderRecord>>() + size_of::<u64>() + size_of::<u32>();
        u64::from(capacity) * each as u64
    }

    /// Begins an epoch: ids from here on carry it. One that is not later than the one in force changes nothing.
    pub fn begin_epoch(&mut self, epoch: u32) {
        self.floor = self.floor.max(OrderId::generation(epoch.min(OrderId::EPOCH_MAX), 0));
    }

    /// The id of the next order, `None` if every slot holds an open one. Taking it is [`OrderTable::insert`].
    pub fn next_id(&self) -> Option<OrderId> {
        let slot = *self.free.front()?;
        Some(OrderId::new(slot, self.next_generation(slot)?))
    }

    /// The next generation of a slot: a later one than any before, in the epoch in force; `None` once that has no more.
    fn next_generation(&self, slot: u32) -> Option<u64> {
        let next = self.generations.get(slot as usize)?.max(&self.floor) + 1;
        (next >> OrderId::USE_BITS == self.floor >> OrderId::USE_BITS).then_some(next)
    }

    /// Puts an order in, under the id that [`OrderTable::next_id`] gave it.
    pub fn insert(&mut self, record: OrderRecord) {
        let Some(slot) = self.free.pop_front() else { return };
        let next = self.next_generation(slot);
        if let (Some(place), Some(generation), Some(next)) =
            (self.slots.get_mut(slot as usize), self.generations.get_mut(slot as usize), next)
        {
            *generation = next;
            *place = Some(record);
            self.used = self.used.max(slot + 1);
        }
    }

    /// An order, open or closed, as long as its slot was not used again.
    pub fn get(&self, id: OrderId) -> Option<&OrderRecord> {
        self.slots.get(id.slot())?.as_ref().filter(|record| record.order.id == id)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, id: OrderId) -> Option<&mut OrderRecord> {
        self.slots.get_mut(id.slot())?.as_mut().filter(|record| record.order.id == id)
    }

    /// The order in a slot.
    pub fn at(&self, slot: u32) -> Option<&OrderRecord> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Whether this id was ever given: an order that is not found under it was forgotten.
    pub fn was_given(&self, id: OrderId) -> bool {
        let generation = id.0 >> OrderId::SLOT_BITS;
        let last = self.generations.get(id.slot()).copied().unwrap_or_default();
        0 < generation && generation <= last
    }

    /// Gives the slot of an order that just closed back.
    pub fn release(&mut self, id: OrderId) {
        if self.get(id).is_some_and(|record| !record.state.is_open()) {
            self.free.push_back(id.slot() as u32); // Within its capacity: each slot is in it once at most.
        }
    }

    /// Every order that is open, by slot.
    pub fn open(&self) -> impl Iterator<Item = &OrderRecord> {
        self.slots.iter().flatten().filter(|record| record.state.is_open())
    }

    /// Folds every order, open or closed, and which id is given next where.
    pub(crate) fn fold(&self, text: &mut crate::step::Text<'_>) {
        let OrderTable { slots, generations, floor, free, used } = self;
        let places = slots.iter().zip(generations).enumerate();
        for place in places.filter(|(_, (_, generation))| **generation != 0) {
            text.fold(&place);
        }
        text.fold(&(floor, used));
        text.fold(free);
    }

    /// Slots.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Slots that were ever used.
    pub fn used(&self) -> u32 {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: no id is given twice, whatever epochs begin, and one that is used up gives none rather than another's.
    /// Method: one slot at its edges.
    #[test]
    fn ids_never_repeat() {
        let mut table = OrderTable::new(1);
        assert_eq!(table.next_id(), Some(OrderId::new(0, 1)), "epoch zero");
        table.begin_epoch(3);
        assert_eq!(table.next_id(), Some(OrderId::new(0, OrderId::generation(3, 1))));
        table.begin_epoch(2);
        assert_eq!(table.next_id().unwrap().epoch(), 3, "never back");
        table.generations = vec![OrderId::generation(3, (1 << 24) - 2)];
        assert_eq!(table.next_id(), Some(OrderId::new(0, OrderId::generation(3, (1 << 24) - 1))));
        table.generations = vec![OrderId::generation(3, (1 << 24) - 1)];
        assert_eq!(table.next_id(), None, "used up");
        table.begin_epoch(4);
        assert_eq!(table.next_id(), Some(OrderId::new(0, OrderId::generation(4, 1))));
    }
}
