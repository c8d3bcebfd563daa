//! Segments that came before their turn: a fixed number of places, taken once.

use std::ops::Range;

use model::Ts;

/// Segments that may wait.
const SLOTS: usize = 256;
/// Bytes of one, at most: more than any network carries in a frame.
const SLOT_BYTES: usize = 2_048;

/// A segment that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Sequence of its first message, and of the one behind its last.
    pub sequence: (u64, u64),
    /// When it was received, as its messages say.
    pub ts_recv: Ts,
    /// When it began to wait, by the clock that waiting is measured by.
    since: Ts,
    place: u16,
    length: u16,
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits.
    Kept,
    /// It waits already.
    Duplicate,
    /// There is no room, or it is longer than any place.
    Full,
}

/// The segments, by sequence.
pub(super) struct Hold {
    bytes: Box<[u8]>,
    slots: Vec<Slot>,
    free: Vec<u16>,
}

impl Hold {
    pub fn new() -> Hold {
        Hold {
            bytes: vec![0; SLOTS * SLOT_BYTES].into_boxed_slice(),
            slots: Vec::with_capacity(SLOTS),
            free: (0..SLOTS as u16).rev().collect(),
        }
    }

    /// Keeps a segment with the messages of `sequence`.
    pub fn put(&mut self, sequence: (u64, u64), payload: &[u8], (ts_recv, since): (Ts, Ts)) -> Put {
        let at = self.slots.partition_point(|slot| slot.sequence < sequence);
        if self.slots.get(at).is_some_and(|slot| slot.sequence == sequence) {
            return Put::Duplicate;
        }
        if payload.len() > SLOT_BYTES {
            return Put::Full;
        }
        let Some(place) = self.free.pop() else { return Put::Full };
        let (slot, length) = (range(place, payload.len()), payload.len() as u16);
        if let Some(bytes) = self.bytes.get_mut(slot) {
            bytes.copy_from_slice(payload);
        }
        self.slots.insert(at, Slot { sequence, ts_recv, since, place, length });
        Put::Kept
    }

    /// The one that is due first.
    pub fn first(&self) -> Option<&Slot> {
        self.slots.first()
    }

    /// Since when the one that waits longest does.
    pub fn since(&self) -> Option<Ts> {
        self.slots.iter().map(|slot| slot.since).min()
    }

    /// Takes the one that is due first. Its bytes stay until the next is put.
    pub fn pop(&mut self) -> Option<Slot> {
        let slot = *self.slots.first()?;
        self.slots.remove(0);
        self.free.push(slot.place);
        Some(slot)
    }

    /// The bytes of one.
    pub fn payload(&self, slot: &Slot) -> &[u8] {
        self.bytes.get(range(slot.place, slot.length.into())).unwrap_or_default()
    }
}

fn range(place: u16, length: usize) -> Range<usize> {
    let start = usize::from(place) * SLOT_BYTES;
    start..start + length
}
