//! A live feed's end of its ring to the engine thread.

use feeds::ShardFilter;
use model::Event;
use shm::EventSender;

/// Takes events of a feed; in a shard, what is of its own instruments and what is of the whole feed.
pub(super) struct FeedRing {
    ring: EventSender,
    filter: Option<ShardFilter>,
}

impl FeedRing {
    pub fn new(ring: EventSender, filter: Option<ShardFilter>) -> FeedRing {
        FeedRing { ring, filter }
    }

    /// Offers an event; `false`: the ring is full, and it is to be offered again.
    #[inline]
    pub fn push(&mut self, event: Event) -> bool {
        let Some(filter) = &mut self.filter else { return self.ring.push(&event) };
        // Looked at first: an event that is offered again is filtered once.
        self.ring.has_room(1) && filter.pass(event).is_none_or(|event| self.ring.push(&event))
    }

    /// Whether the engine thread has ended.
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

#[cfg(test)]
mod tests {
    use feeds::Shard;
    use model::{Kind, Symbol, VenueNumber};

    use super::*;

    /// Goal: what waits for room is numbered once, and what is of another shard needs no room. Method: a ring of two places.
    #[test]
    fn offered_again() {
        let shard = |index| Shard::new(index, 2).unwrap();
        let symbol = |index| {
            let names = (0..).map(|n: u32| Symbol::new(&format!("S{n}")).unwrap());
            names.into_iter().find(|name| shard(index).owns(*name)).unwrap()
        };
        let named = |seq, index: u16| Event {
            seq,
            ..Event::directory(VenueNumber(1 + u32::from(index)), symbol(index), 4, 0)
        };
        let (ring, mut events) = shm::event_ring(2);
        let mut ring = FeedRing::new(ring, Some(ShardFilter::new(shard(1), 1_000_000)));
        assert!(ring.push(named(1, 0)), "another's");
        assert!(ring.push(named(2, 1)) && ring.push(named(3, 1)));
        let add = Event { seq: 4, number: VenueNumber(2), ..Event::empty(Kind::Add) };
        assert!(!ring.push(add) && !ring.push(add), "full");
        let mut batch = [add; 2];
        assert_eq!((events.take(&mut batch), batch.map(|event| event.seq)), (2, [1, 2]));
        assert!(ring.push(add));
        assert_eq!((events.take(&mut batch), batch[0].seq), (1, 3));
    }
}
