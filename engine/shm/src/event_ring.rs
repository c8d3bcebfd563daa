//! Events from one thread to another of the same process, each in one cache line that says itself whether it is there.
//!
//! A ring with a shared count of what was written costs its reader two lines in turn for each event: the count, then the event.
//! Here the last word of an event is written last, and a bit of it that no event uses tells by the number of the lap
//! whether the event is this lap's. The reader looks at nothing else; the writer looks at the reader's count when a lap
//! seems full. One writer, one reader; neither waits.
//!
//! `cargo bench -p benches --bench hop` measures it beside rtrb, which it replaced: 0.87 of its time for a hop between cores of
//! one cache, where the two threads belong; 1.16 between cores of two.

use std::sync::Arc;

use model::{Event, Flags, Kind};

use crate::sync::{AtomicU64, Ordering::*};

/// The bit of an event's last word that tells the lap: the highest of its marks, of which [`model::Flags`] defines five.
const LAP: u64 = 1 << 55;
const _: () = assert!(Flags::from_bits((LAP >> 48) as u8).is_none());

/// One event, as its words.
#[repr(align(64))]
struct Slot([AtomicU64; Event::WORDS]);

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
    fn slot(&self, number: u64) -> Option<&[AtomicU64; Event::WORDS]> {
        self.slots.get(number as usize & (self.slots.len() - 1)).map(|slot| &slot.0)
    }

    /// What the bit of event `number` says when it is there. Slots begin as zeros: the first lap sets it.
    fn lap(&self, number: u64) -> u64 {
        if number & self.slots.len() as u64 == 0 { LAP } else { 0 }
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
    let slot = |_| Slot(core::array::from_fn(|_| AtomicU64::new(0)));
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
        let Some([first @ .., last]) = self.shared.slot(self.sent) else { return false };
        let [words @ .., marks] = event.to_words();
        first.iter().zip(words).for_each(|(to, word)| to.store(word, Relaxed));
        last.store(marks | self.shared.lap(self.sent), Release);
        self.sent += 1;
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
    #[inline]
    pub fn take(&mut self, batch: &mut [Event]) -> usize {
        let mut count = 0;
        for place in batch.iter_mut() {
            let Some(event) = self.next(self.taken + count as u64) else { break };
            *place = event;
            count += 1;
        }
        if count > 0 {
            self.taken += count as u64;
            self.shared.taken.0.store(self.taken, Release);
        }
        count
    }

    /// The slot of an event and its last word; `None`: it is not there yet.
    #[inline]
    fn filled(&self, number: u64) -> Option<(&[AtomicU64; Event::WORDS], u64)> {
        let slot @ [.., last] = self.shared.slot(number)?;
        let marks = last.load(Acquire);
        (marks & LAP == self.shared.lap(number)).then_some((slot, marks))
    }

    #[inline]
    fn next(&self, number: u64) -> Option<Event> {
        let (slot, marks) = self.filled(number)?;
        let mut words = slot.each_ref().map(|word| word.load(Relaxed));
        let [.., last] = &mut words;
        *last = marks & !LAP;
        // What was an event when it was sent is one.
        Some(Event::from_words(&words).unwrap_or(Event::empty(Kind::Notice)))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.filled(self.taken).is_none()
    }

    /// Whether the writer is gone: what waits still then is the last.
    pub fn is_abandoned(&self) -> bool {
        self.shared.ended.0.load(Acquire) != 0
    }
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
    use model::{Side, Ts};
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
