//! Since when each book is live, or is not. Books that are not stand in a list, the one that has not been for longest first:
//! whether one is due is a look at its head.

use model::{InstrumentId, Ts};

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum State {
    /// Never live, or not live for so long that it was told.
    Out,
    /// Live, and trading or not.
    Live,
    /// Not live, and in the list.
    Waiting,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
struct Place {
    state: State,
    /// Since when it is live, and trades if it does, or is not live.
    since: Ts,
    trades: bool,
    before: u32,
    after: u32,
    /// Whether an order of ours stands in it: only while a lapse is under way.
    hit: bool,
}

/// Every book.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(in crate::step) struct Gaps {
    /// `None`: nothing lapses.
    after_ns: Option<u64>,
    /// `None`: a book counts at once.
    live_ns: Option<u64>,
    #[serde(with = "model::snapshot::table")]
    places: Vec<Place>,
    first: u32,
    last: u32,
    /// Books in the list.
    count: u64,
    /// Those that lapsed in this step.
    #[serde(with = "model::snapshot::reserved")]
    lapsed: Vec<u32>,
}

impl Gaps {
    pub fn new(instruments: usize, after_ns: Option<u64>, live_ns: Option<u64>) -> Gaps {
        let place = Place {
            state: State::Out,
            since: Ts(0),
            trades: false,
            before: NONE,
            after: NONE,
            hit: false,
        };
        Gaps {
            after_ns,
            live_ns,
            places: vec![place; instruments],
            first: NONE,
            last: NONE,
            count: 0,
            lapsed: Vec::with_capacity(if after_ns.is_some() { instruments } else { 0 }),
        }
    }

    /// Bytes that a book takes here.
    pub const EACH: usize = size_of::<Place>() + size_of::<u32>();

    /// The venue trades the instrument, or does not: what begins to trade must stay live as long as what becomes live.
    pub fn note_trading(&mut self, instrument: InstrumentId, trades: bool, now: Ts) {
        let Some(place) = self.places.get_mut(instrument.0 as usize) else { return };
        let traded = std::mem::replace(&mut place.trades, trades);
        if trades && !traded && place.state == State::Live {
            place.since = now;
        }
    }

    /// A book is live from now on, or not.
    pub fn note(&mut self, instrument: InstrumentId, live: bool, now: Ts) {
        let id = instrument.0;
        let Some(place) = self.places.get(id as usize).copied() else { return };
        match (place.state, live) {
            (State::Waiting, true) => self.take_out(id, place),
            (State::Live, false) if self.after_ns.is_some() => self.put_last(id),
            (State::Out, true) | (State::Live, false) => {}
            // Since when it is so stands.
            (State::Live, true) | (State::Out | State::Waiting, false) => return,
        }
        let Some(place) = self.places.get_mut(id as usize) else { return };
        place.since = now;
        place.state = match live {
            true => State::Live,
            false if self.after_ns.is_some() => State::Waiting,
            false => State::Out,
        };
    }

    /// Whether a live book has not been live, and traded, for long enough yet.
    pub fn is_settling(&self, instrument: u32, now: Ts) -> bool {
        let Some(live_ns) = self.live_ns else { return false };
        let place = self.places.get(instrument as usize);
        place.is_none_or(|place| place.state != State::Live || now.since(place.since) < live_ns)
    }

    /// Whether some book has not been live for too long.
    #[inline]
    pub fn is_due(&self, now: Ts) -> bool {
        let Some(first) = self.places.get(self.first as usize) else { return false };
        self.after_ns.is_some_and(|after| now.since(first.since) > after)
    }

    /// Takes every book out of the list that has not been live for too long; whether there is one.
    pub fn lapse(&mut self, now: Ts) -> bool {
        self.lapsed.clear();
        while self.is_due(now) {
            let id = self.first;
            let Some(place) = self.places.get(id as usize).copied() else { break };
            self.take_out(id, place);
            self.lapsed.push(id); // Within its capacity: each is in the list once at most.
            if let Some(place) = self.places.get_mut(id as usize) {
                place.state = State::Out;
            }
        }
        !self.lapsed.is_empty()
    }

    /// An order of ours stands in this book.
    pub fn hit(&mut self, instrument: InstrumentId) {
        if let Some(place) = self.places.get_mut(instrument.0 as usize) {
            place.hit = true;
        }
    }

    /// How many lapsed.
    pub fn lapsed(&self) -> usize {
        self.lapsed.len()
    }

    /// One of them, if an order of ours stands in it.
    pub fn hit_at(&self, place: usize) -> Option<InstrumentId> {
        let id = *self.lapsed.get(place)?;
        self.places.get(id as usize).filter(|place| place.hit).map(|_| InstrumentId(id))
    }

    /// Whether it lapsed in this step, and an order of ours stands in it.
    pub fn is_hit(&self, instrument: InstrumentId) -> bool {
        let place = self.places.get(instrument.0 as usize);
        place.is_some_and(|place| place.hit && place.state == State::Out)
    }

    /// Ends a lapse.
    pub fn settle(&mut self) {
        self.places.iter_mut().for_each(|place| place.hit = false);
        self.lapsed.clear();
    }

    /// Books in the list, and for how long the first of them is not live.
    pub fn waiting(&self, now: Ts) -> (u64, u64) {
        let first = self.places.get(self.first as usize);
        (self.count, first.map_or(0, |first| now.since(first.since)))
    }

    fn put_last(&mut self, id: u32) {
        let last = std::mem::replace(&mut self.last, id);
        match self.places.get_mut(last as usize) {
            Some(last) => last.after = id,
            None => self.first = id,
        }
        if let Some(place) = self.places.get_mut(id as usize) {
            (place.before, place.after) = (last, NONE);
        }
        self.count += 1;
    }

    fn take_out(&mut self, id: u32, place: Place) {
        let Place { before, after, .. } = place;
        match self.places.get_mut(before as usize) {
            Some(before) => before.after = after,
            None => self.first = after,
        }
        match self.places.get_mut(after as usize) {
            Some(after) => after.before = before,
            None => self.last = before,
        }
        if let Some(place) = self.places.get_mut(id as usize) {
            (place.before, place.after) = (NONE, NONE);
        }
        self.count -= 1;
    }
}
