//! Executions that a venue reported: each is booked once, however often it is told, and found again if it is taken back.
//!
//! Bounded: executions of the session in force and of the one before are kept. When there is no room for another, no new
//! order passes; one that comes all the same is booked, and its account halted, for its double would not be noticed.

use model::{InstrumentId, Money, OrderId};
use risk::Deal;

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Execution {
    /// The venue's number of it.
    pub id: u64,
    /// Of which order; zero if it is not known.
    pub order: OrderId,
    /// What was traded, and for whom.
    pub deal: Deal,
    /// What was paid for it.
    pub fee: Money,
    /// Whether it was booked.
    pub is_booked: bool,
    /// Whether the venue took it back, be it before it was booked.
    pub is_busted: bool,
    /// Whether its instrument was split since, so that it is in units that are no more.
    pub is_split: bool,
}

/// The table: a ring in the order of arrival, and an index of it by open addressing.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Executions {
    #[serde(with = "model::snapshot::reserved")]
    ring: Vec<Execution>,
    capacity: usize,
    /// Number of the oldest one kept; numbers go up and never wrap.
    first: u64,
    /// Number of the next one.
    next: u64,
    /// Number of the first one of the session in force.
    session: u64,
    /// A number + 1, or zero.
    #[serde(with = "model::snapshot::table")]
    index: Vec<u64>,
}

impl Executions {
    /// Room for `capacity` executions.
    pub fn new(capacity: u32) -> Executions {
        let capacity = capacity as usize;
        let index = vec![0; (2 * capacity).next_power_of_two()];
        Executions {
            ring: Vec::with_capacity(capacity),
            capacity,
            first: 0,
            next: 0,
            session: 0,
            index,
        }
    }

    /// Bytes that [`Executions::new`] takes.
    pub fn bytes(capacity: u64) -> u64 {
        (2 * capacity).next_power_of_two() * 8 + capacity * size_of::<Execution>() as u64
    }

    /// Whether another one finds room.
    pub fn has_room(&self) -> bool {
        self.next - self.first < self.capacity as u64
    }

    /// An execution, to change it.
    pub fn get_mut(&mut self, instrument: InstrumentId, id: u64) -> Option<&mut Execution> {
        let (_, number) = self.find(instrument, id)?;
        let place = self.place(number);
        self.ring.get_mut(place)
    }

    /// Notes one that is not noted yet; whether there was room.
    pub fn note(&mut self, execution: Execution) -> bool {
        if !self.has_room() {
            return false;
        }
        let place = self.place(self.next);
        match self.ring.get_mut(place) {
            Some(old) => *old = execution,
            None => self.ring.push(execution), // Within its capacity.
        }
        let mut slot = self.slot(execution.deal.instrument, execution.id);
        while self.index.get(slot).is_some_and(|number| *number != 0) {
            slot = self.after(slot);
        }
        if let Some(place) = self.index.get_mut(slot) {
            *place = self.next + 1;
        }
        self.next += 1;
        true
    }

    /// Another session begins: those from before the one that ends are forgotten.
    pub fn begin_session(&mut self) {
        while self.first < self.session {
            let place = self.place(self.first);
            if let Some(old) = self.ring.get(place).copied() {
                self.forget(old.deal.instrument, old.id);
            }
            self.first += 1;
        }
        self.session = self.next;
    }

    /// An instrument was split.
    pub fn split(&mut self, instrument: InstrumentId) {
        let of_it =
            self.ring.iter_mut().filter(|execution| execution.deal.instrument == instrument);
        of_it.for_each(|execution| execution.is_split = true);
    }

    /// Those kept, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Execution> {
        (self.first..self.next).filter_map(|number| self.ring.get(self.place(number)))
    }

    fn find(&self, instrument: InstrumentId, id: u64) -> Option<(usize, u64)> {
        let mut slot = self.slot(instrument, id);
        loop {
            let number = self.index.get(slot)?.checked_sub(1)?;
            let execution = self.ring.get(self.place(number))?;
            if (execution.deal.instrument, execution.id) == (instrument, id) {
                return Some((slot, number));
            }
            slot = self.after(slot);
        }
    }

    /// Takes one out of the index and closes the gap: every one behind it that may stand nearer to its own slot moves up.
    fn forget(&mut self, instrument: InstrumentId, id: u64) {
        let Some((mut gap, _)) = self.find(instrument, id) else { return };
        let mut at = gap;
        loop {
            at = self.after(at);
            let Some(number) = self.index.get(at).and_then(|number| number.checked_sub(1)) else {
                break;
            };
            let Some(execution) = self.ring.get(self.place(number)) else { break };
            let home = self.slot(execution.deal.instrument, execution.id);
            let mask = self.index.len() - 1;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(gap) & mask) {
                if let Some(place) = self.index.get_mut(gap) {
                    *place = number + 1;
                }
                gap = at;
            }
        }
        if let Some(place) = self.index.get_mut(gap) {
            *place = 0;
        }
    }

    fn place(&self, number: u64) -> usize {
        (number % (self.capacity as u64).max(1)) as usize
    }

    fn slot(&self, instrument: InstrumentId, id: u64) -> usize {
        let mixed = (id ^ u64::from(instrument.0) << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize & (self.index.len() - 1)
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.index.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use model::{AccountId, Px, Qty, Side};
    use proptest::prelude::*;

    use super::*;

    fn execution(instrument: u32, id: u64) -> Execution {
        let (account, instrument) = (AccountId(0), InstrumentId(instrument));
        let deal = Deal { account, instrument, side: Side::Buy, px: Px(1), qty: Qty(1) };
        let (order, fee) = (OrderId(1), Money::ZERO);
        let (is_booked, is_busted, is_split) = (true, false, false);
        Execution { id, order, deal, fee, is_booked, is_busted, is_split }
    }

    proptest! {
        /// Goal: the table knows what was noted in this session and the last, and nothing else. Method: random notes,
        /// look-ups and sessions beside a plain list.
        #[test]
        fn table_is_a_list(steps in prop::collection::vec((0_u8..6, 0_u32..3, 0_u64..40), 1..300)) {
            let mut table = Executions::new(13);
            let mut plain: VecDeque<(u64, u32, u64)> = VecDeque::new();
            let mut session = 0;
            for (kind, instrument, id) in steps {
                let known = plain.iter().any(|(_, i, e)| (*i, *e) == (instrument, id));
                prop_assert_eq!(table.get_mut(InstrumentId(instrument), id).is_some(), known);
                if kind == 0 {
                    table.begin_session();
                    plain.retain(|(of, _, _)| *of == session);
                    session += 1;
                } else if !known {
                    let room = plain.len() < 13;
                    prop_assert_eq!(table.has_room(), room);
                    prop_assert_eq!(table.note(execution(instrument, id)), room);
                    if room {
                        plain.push_back((session, instrument, id));
                    }
                }
                let kept: Vec<_> = table.iter().map(|e| (e.deal.instrument.0, e.id)).collect();
                let expected: Vec<_> = plain.iter().map(|(_, i, e)| (*i, *e)).collect();
                prop_assert_eq!(kept, expected);
            }
        }
    }

    /// Goal: a table without room knows nothing and says so. Method: capacity zero.
    #[test]
    fn none_fit_into_none() {
        let mut table = Executions::new(0);
        assert!(!table.has_room() && !table.note(execution(1, 1)));
        assert_eq!(table.get_mut(InstrumentId(1), 1), None);
    }
}
