//! Events from one thread to another of the same process, each in one cache line that says itself whether it is there.
//!
//! A ring with a shared count of what was written costs its reader two lines in turn for each event: the count, then the event.
//! Here the last word of an event is written last, and a bit of it that no event uses tells by the number of the lap
//! whether the event is this lap's. The reader looks at nothing else; the writer looks at the reader's count when a lap
//! seems full. One writer, one reader; neither waits.
//!
//! Because that bit hands a slot from one thread to the other, the rest of it is plain memory, copied as wide as the processor
//! copies.
//!
//! `cargo bench -p benches --bench hop` measures it beside rtrb, which it replaced; `benches/rivals --row spsc_hop` beside more.

use core::mem::offset_of;
use std::sync::Arc;

use model::{Event, Flags};

use crate::sync::{AtomicU64, Ordering::*, Plain, prefetch_to_write};

/// An event as it lies in memory.
type Bits = [u64; Event::WORDS];
/// All of it but the last word, which tells the lap.
type Rest = [u64; Event::WORDS - 1];

/// The bit of the last word that tells the lap: the highest of its marks, of which [`model::Flags`] defines five.
const LAP: u64 =
    u64::from_le((LAP_MARK as u64) << (8 * (offset_of!(Event, flags) - size_of::<Rest>())));
const LAP_MARK: u8 = 128;
const _: () = assert!(Flags::from_bits(LAP_MARK).is_none());

/// So many slots ahead of what it writes, the writer asks for the line, which the reader has from the lap before: a third less
/// time an event, as fast as it goes, between cores of two caches. More or fewer are no faster.
const AHEAD: u64 = 8;

/// One event.
#[repr(align(64))]
struct Slot {
    rest: Plain<Rest>,
    last: AtomicU64,
}
#[cfg(not(loom))]
const _: () = assert!(size_of::<Slot>() == 64);

/// A word on lines of its own: caches fetch lines in pairs.
#[repr(align(128))]
struct Alone(AtomicU64);

struct Shared {
    slots: Box<[Slot]>,
    /// Events that the reader has copied out.
    taken: Alone,
    /// Whether one end is gone.
    ended: Alone,
}

impl Shared {
    /// The slots. Taken once for many, for what lies beside an atomic is read again after each store of one.
    fn slots(&self) -> Slots<'_> {
        Slots(&self.slots)
    }
}

#[derive(Clone, Copy)]
struct Slots<'a>(&'a [Slot]);

impl<'a> Slots<'a> {
    #[inline(always)]
    fn slot(self, number: u64) -> Option<&'a Slot> {
        self.0.get(number as usize & (self.0.len() - 1))
    }

    /// What the bit of event `number` says when it is there. Slots begin as zeros: the first lap sets it.
    #[inline(always)]
    fn lap(self, number: u64) -> u64 {
        if number & self.0.len() as u64 == 0 { LAP } else { 0 }
    }

    /// The slot of an event and its last word; `None`: it is not there yet.
    #[inline(always)]
    fn filled(self, number: u64) -> Option<(&'a Slot, u64)> {
        let slot = self.slot(number)?;
        let last = slot.last.load(Acquire);
        (last & LAP == self.lap(number)).then_some((slot, last & !LAP))
    }
}

/// The writing end.
pub struct EventSender {
    shared: Arc<Shared>,
    sent: u64,
    /// Events that the reader had taken when this was last looked at.
    taken: u64,
}

/// The reading end.
pub struct EventReceiver {
    shared: Arc<Shared>,
    taken: u64,
}

/// A ring of `slots` events, rounded up to a power of two, its memory touched.
pub fn event_ring(slots: usize) -> (EventSender, EventReceiver) {
    let slot = |_| Slot { rest: Plain::new(Rest::default()), last: AtomicU64::new(0) };
    let slots = (0..EventSender::slots_for(slots)).map(slot).collect();
    let [taken, ended] = [(); 2].map(|()| Alone(AtomicU64::new(0)));
    let shared = Arc::new(Shared { slots, taken, ended });
    (
        EventSender { shared: Arc::clone(&shared), sent: 0, taken: 0 },
        EventReceiver { shared, taken: 0 },
    )
}

impl EventSender {
    /// Slots of a ring that is asked for `slots`.
    pub const fn slots_for(slots: usize) -> usize {
        if slots < 2 { 2 } else { slots.next_power_of_two() }
    }

    /// Slots of the ring.
    pub fn slots(&self) -> usize {
        self.shared.slots.len()
    }

    /// Hands an event over; `false`: there is no room.
    #[inline]
    pub fn push(&mut self, event: &Event) -> bool {
        if !self.has_room(1) {
            return false;
        }
        let slots = self.shared.slots();
        let Some(slot) = slots.slot(self.sent) else { return false };
        let [rest @ .., last] = bits(event);
        // SAFETY: there is room, so the reader has said by `taken`, which was acquired, that it has copied what lay here a lap
        // ago, and it comes back only when the last word says that this lap's event is here.
        unsafe { slot.rest.set(rest) };
        slot.last.store(last | slots.lap(self.sent), Release);
        self.sent += 1;
        if let Some(slot) = slots.slot(self.sent + AHEAD) {
            prefetch_to_write(&slot.last);
        }
        true
    }

    /// Whether there is room for so many events.
    #[inline]
    pub fn has_room(&mut self, events: usize) -> bool {
        let filled = (self.slots() as u64).checked_sub(events as u64);
        filled.is_some_and(|filled| {
            self.sent - self.taken <= filled || self.sent - self.look() <= filled
        })
    }

    #[cold]
    fn look(&mut self) -> u64 {
        self.taken = self.shared.taken.0.load(Acquire);
        self.taken
    }

    /// Whether the reader is gone.
    pub fn is_abandoned(&self) -> bool {
        self.shared.ended.0.load(Acquire) != 0
    }
}

impl EventReceiver {
    /// Copies what waits to the front of `batch`, as far as that goes; how many. Their slots are the writer's again.
    ///
    /// Who finds nothing and comes back at once takes the line away from a writer that was just given it to write. With a pause
    /// between ([`core::hint::spin_loop`]) a hop takes a seventh less between cores of one cache, a quarter less between two.
    #[inline]
    pub fn take(&mut self, batch: &mut [Event]) -> usize {
        let slots = self.shared.slots();
        let mut next = self.taken;
        for place in batch {
            let Some((slot, last)) = slots.filled(next) else { break };
            // SAFETY: the last word says that this lap's event is here, and was acquired; the writer comes back only when
            // `taken` says that it was copied.
            let [a, b, c, d, e, f, g] = unsafe { slot.rest.get() };
            // SAFETY: these are the words of the event that was pushed under this number.
            *place = unsafe { event([a, b, c, d, e, f, g, last]) };
            next += 1;
        }
        let count = next - self.taken;
        if count > 0 {
            self.taken = next;
            self.shared.taken.0.store(next, Release);
        }
        count as usize
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.shared.slots().filled(self.taken).is_none()
    }

    /// Whether the writer is gone: what waits still then is the last.
    pub fn is_abandoned(&self) -> bool {
        self.shared.ended.0.load(Acquire) != 0
    }
}

/// An event as it lies in memory. Not [`Event::to_words`]: who reads need not judge and take apart again what was an event when
/// it was sent, a third of the time of an event as fast as it goes.
#[inline(always)]
fn bits(event: &Event) -> Bits {
    // SAFETY: both are 64 bytes, and those of an event are all of its fields': there is no padding among them.
    unsafe { core::mem::transmute(*event) }
}

/// # Safety
///
/// They are the [`bits`] of an event.
#[inline(always)]
unsafe fn event(bits: Bits) -> Event {
    // SAFETY: guaranteed by the caller (# Safety).
    unsafe { core::mem::transmute(bits) }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.shared.ended.0.store(1, Release);
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        self.shared.ended.0.store(1, Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use model::{Kind, Side, Ts};
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn event(number: u64) -> Event {
        let flags = Flags::from_bits((number % 32) as u8).unwrap();
        let side = [None, Some(Side::Buy), Some(Side::Sell)][number as usize % 3];
        Event { ts_venue: Ts(number), aux: !number, flags, side, ..Event::empty(Kind::Add) }
    }

    proptest! {
        /// Goal: what comes out is what went in, in order, none lost and none twice, and a full ring refuses. Method: any turn of
        /// pushes and takes beside a queue, many laps.
        #[test]
        fn equals_a_queue(slots in 1..20_usize, turns in prop::collection::vec((0..12_u64, 0..12_usize), 1..80)) {
            let (mut sender, mut receiver) = event_ring(slots);
            let room = slots.max(2).next_power_of_two();
            let (mut queue, mut number) = (VecDeque::new(), 0);
            for (pushes, takes) in turns {
                for _ in 0..pushes {
                    prop_assert!(sender.has_room(room - queue.len()));
                    prop_assert!(!sender.has_room(room - queue.len() + 1));
                    prop_assert_eq!(sender.push(&event(number)), queue.len() < room);
                    if queue.len() < room {
                        queue.push_back(event(number));
                        number += 1;
                    }
                }
                let mut batch = vec![Event::empty(Kind::Notice); takes];
                let took = receiver.take(&mut batch);
                prop_assert_eq!(took, takes.min(queue.len()));
                prop_assert!(batch[..took].iter().copied().eq(queue.drain(..took)));
                prop_assert_eq!(receiver.is_empty(), queue.is_empty());
            }
        }
    }

    /// Goal: the end of one end is heard by the other, behind what was sent before it. Method: drop each.
    #[test]
    fn ends_are_heard() {
        let (mut sender, mut receiver) = event_ring(4);
        assert!(sender.push(&event(1)));
        assert!(!receiver.is_abandoned());
        drop(sender);
        assert!(receiver.is_abandoned() && !receiver.is_empty());
        let mut batch = [event(0); 4];
        assert_eq!((receiver.take(&mut batch), batch[0]), (1, event(1)));
        assert!(receiver.is_empty());
        let (sender, receiver) = event_ring(4);
        drop(receiver);
        assert!(sender.is_abandoned());
    }

    /// Goal: two threads hand over every event whole and in order. Method: a million events through a small ring.
    #[test]
    fn two_threads() {
        const COUNT: u64 = 1_000_000;
        let (mut sender, mut receiver) = event_ring(64);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..COUNT {
                    while !sender.push(&event(number)) {
                        std::thread::yield_now();
                    }
                }
            });
            let (mut batch, mut number) = ([event(0); 16], 0);
            while number < COUNT {
                let took = receiver.take(&mut batch);
                for taken in &batch[..took] {
                    assert_eq!(*taken, event(number));
                    number += 1;
                }
                if took == 0 {
                    std::thread::yield_now();
                }
            }
        });
    }
}
