//! The reorder buffer: packets that came before their turn.

use std::collections::VecDeque;

use model::Ts;

use super::Line;

/// A packet that waits. Its blocks lie in the arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) first: u64,
    /// Sequence after its last message.
    pub(super) end: u64,
    pub(super) line: Line,
    pub(super) ts_recv: Ts,
    /// Receipt by the clock that waiting is measured by.
    pub(super) seen: Ts,
    at: usize,
    len: usize,
}

impl Slot {
    /// Messages from `first` to before `end`, received and seen at these times, in no place yet.
    pub(super) fn new((first, end): (u64, u64), line: Line, (ts_recv, seen): (Ts, Ts)) -> Slot {
        Slot { first, end, line, ts_recv, seen, at: 0, len: 0 }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Kept,
    Duplicate,
    /// No room, and all that is held is due earlier.
    Full,
}

/// Slots in the order of their sequences, over one arena of bytes. Everything is allocated at the start.
#[derive(Debug)]
pub(super) struct Held {
    slots: VecDeque<Slot>,
    slots_max: usize,
    arena: Box<[u8]>,
    /// What is held moves here when the arena's end is reached, and the two change places.
    spare: Box<[u8]>,
    /// Bytes of the arena in use, given back ones included.
    tail: usize,
    /// Bytes of the slots.
    used: usize,
}

impl Held {
    pub(super) fn new(packets_max: usize, bytes_max: usize) -> Held {
        Held {
            slots: VecDeque::with_capacity(packets_max),
            slots_max: packets_max,
            arena: vec![0; bytes_max].into_boxed_slice(),
            spare: vec![0; bytes_max].into_boxed_slice(),
            tail: 0,
            used: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn front(&self) -> Option<&Slot> {
        self.slots.front()
    }

    pub(super) fn last(&self) -> Option<&Slot> {
        self.slots.back()
    }

    /// Sequence after the highest that is held.
    pub(super) fn end(&self) -> u64 {
        self.slots.iter().map(|slot| slot.end).max().unwrap_or(0)
    }

    /// The bytes of a slot.
    pub(super) fn blocks(&self, slot: &Slot) -> &[u8] {
        self.arena.get(slot.at..slot.at + slot.len).unwrap_or_default()
    }

    /// Gives the first slot back; its bytes stay readable until the next [`Held::put`].
    pub(super) fn pop(&mut self) -> Option<Slot> {
        let slot = self.slots.pop_front()?;
        self.release(slot);
        Some(slot)
    }

    fn release(&mut self, slot: Slot) {
        self.used -= slot.len;
        if self.slots.is_empty() {
            (self.tail, self.used) = (0, 0);
        }
    }

    /// Keeps a packet. Without room the packets that are due last make way, each told to `dropped`.
    pub(super) fn put(&mut self, slot: Slot, blocks: &[u8], dropped: &mut impl FnMut(Slot)) -> Put {
        let (first, end, len) = (slot.first, slot.end, blocks.len());
        let place = self.slots.partition_point(|slot| slot.first <= first);
        let before = place.checked_sub(1).and_then(|place| self.slots.get(place));
        if before.is_some_and(|slot| slot.end >= end) {
            return Put::Duplicate;
        }
        let most = self.arena.len();
        if len > most {
            return Put::Full;
        }
        // Closing the holes must free an eighth, so that it is paid for by as many bytes that came.
        let room = |held: &Held| {
            let used = held.used + len;
            held.slots.len() < held.slots_max
                && (held.tail + len <= most || used <= most - most / 8 || held.used == 0)
        };
        while !room(self) {
            if self.slots.back().is_none_or(|last| last.first <= first) {
                return Put::Full;
            }
            if let Some(last) = self.slots.pop_back() {
                self.release(last);
                dropped(last);
            }
        }
        if self.tail + len > most {
            self.compact();
        }
        let at = self.tail;
        let Some(room) = self.arena.get_mut(at..at + len) else { return Put::Full };
        room.copy_from_slice(blocks);
        self.tail += len;
        self.used += len;
        self.slots.insert(place, Slot { at, len, ..slot });
        Put::Kept
    }

    /// Closes the holes that given back slots left: at most one arena is copied.
    fn compact(&mut self) {
        let mut tail = 0;
        for slot in &mut self.slots {
            let from = self.arena.get(slot.at..slot.at + slot.len);
            let to = self.spare.get_mut(tail..tail + slot.len);
            if let (Some(from), Some(to)) = (from, to) {
                to.copy_from_slice(from);
                slot.at = tail;
                tail += slot.len;
            }
        }
        std::mem::swap(&mut self.arena, &mut self.spare);
        self.tail = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(held: &mut Held, first: u64, blocks: &[u8]) -> (Put, Vec<u64>) {
        let mut dropped = Vec::new();
        let slot = Slot::new((first, first + 1), Line::A, (Ts(0), Ts(0)));
        let put = held.put(slot, blocks, &mut |slot| dropped.push(slot.first));
        (put, dropped)
    }

    /// Goal: order, bounds and bytes survive any way of filling. Method: full by slots, full by bytes,
    /// through many rounds of the arena.
    #[test]
    fn keeps_the_earliest() {
        let mut held = Held::new(3, 12);
        for first in [9, 5, 7] {
            assert_eq!(put(&mut held, first, &[first as u8; 2]).0, Put::Kept);
        }
        assert_eq!(put(&mut held, 7, &[0; 2]).0, Put::Duplicate);
        assert_eq!(put(&mut held, 11, &[0; 2]), (Put::Full, vec![]));
        assert_eq!(put(&mut held, 6, &[6; 2]), (Put::Kept, vec![9]));
        assert_eq!(put(&mut held, 4, &[4; 8]), (Put::Kept, vec![7, 6]));
        assert_eq!((held.len(), held.end()), (2, 6));
        for round in 6..1_000 {
            let slot = held.pop().unwrap();
            assert!(held.blocks(&slot).iter().all(|byte| *byte == slot.first as u8));
            assert_eq!(slot.first, round - 2);
            assert_eq!(put(&mut held, round, &[round as u8; 3]).0, Put::Kept);
        }
    }

    /// Goal: a full buffer does not move all that it holds for every packet. Method: a thousand packets, each due
    /// before all that are held; bytes moved, told by what had to make way at once.
    #[test]
    fn full_buffer_makes_room_once() {
        let mut held = Held::new(1_000, 6_400);
        for first in 2_000..2_100 {
            assert_eq!(put(&mut held, first, &[1; 64]), (Put::Kept, vec![]));
        }
        let mut moved = 0;
        for first in (1_000..2_000).rev() {
            let (put, dropped) = put(&mut held, first, &[2; 64]);
            assert_eq!(put, Put::Kept);
            moved += usize::from(!dropped.is_empty()) * 64 * held.len();
        }
        assert!(moved <= 8 * 64 * 1_000, "{moved} bytes moved for 64,000 that came");
    }
}
