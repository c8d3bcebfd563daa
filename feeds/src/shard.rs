//! Which part of a feed an engine takes, where several share its instruments.
//!
//! A shard hears everything, and passes on what is of its own instruments and what is of the whole feed. What is left out must
//! not look lost: the messages that are passed on are numbered anew, and a hole among all messages is the same hole among those.

use model::{Event, Flags, Kind, Symbol, Ts, VenueNumber};

/// Most shards.
pub const SHARDS_MAX: u16 = 64;

/// Venue numbers below this are told apart, as many as an engine lists.
const NUMBERS: usize = 1 << 16;

/// Longest time of the feed without an event for a shard: so far its clock may lag behind what was heard.
const PULSE_NS: u64 = 10_000_000;

/// One of several engines that share the instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    count: u16,
}

impl Shard {
    /// Shard `index` of `count`; `None` if there is none.
    pub const fn new(index: u16, count: u16) -> Option<Shard> {
        if index < count && count <= SHARDS_MAX { Some(Shard { index, count }) } else { None }
    }

    /// Which of `count` shards has a symbol: the same on every machine and in every version, for journals are filtered by it
    /// again. FNV-1a over the letters, its halves folded, on whatever feed they come.
    pub fn of(symbol: Symbol, count: u16) -> u16 {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = symbol.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, fold);
        ((hash ^ hash >> 32) % u64::from(count.max(1))) as u16
    }

    /// Whether a symbol is this shard's.
    pub fn owns(self, symbol: Symbol) -> bool {
        Shard::of(symbol, self.count) == self.index
    }

    /// From 0.
    pub const fn index(self) -> u16 {
        self.index
    }

    /// How many there are.
    pub const fn count(self) -> u16 {
        self.count
    }
}

/// Venue numbers of a shard's instruments. What is of a number that nobody named is the first shard's, so that it is counted
/// once.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    shard: Shard,
    /// A bit for each number.
    own: Box<[u64]>,
}

impl Numbers {
    pub fn new(shard: Shard) -> Numbers {
        let word = if shard.index == 0 { u64::MAX } else { 0 };
        Numbers { shard, own: vec![word; NUMBERS / 64].into() }
    }

    #[inline]
    pub fn has(&self, number: VenueNumber) -> bool {
        match self.own.get(number.0 as usize / 64) {
            Some(word) => word >> (number.0 % 64) & 1 == 1,
            None => self.shard.index == 0,
        }
    }

    /// Notes whose a number is from here on; whether it is this shard's. `None`: the event names nothing.
    #[cold]
    pub fn name(&mut self, event: &Event) -> Option<bool> {
        let (symbol, ..) = event.listing()?;
        let own = self.shard.owns(symbol);
        if let Some(word) = self.own.get_mut(event.number.0 as usize / 64) {
            let bit = 1 << (event.number.0 % 64);
            if own { *word |= bit } else { *word &= !bit }
        }
        Some(own)
    }
}

/// Leaves out of one feed what is of other shards.
///
/// - What was passed on or lost so far is the sequence of what is passed on: several events of one message keep one number, and a
///   hole of so many messages stays one of so many.
/// - A hole is told with the next message, whosesoever that is: else the books behind it would be believed meanwhile.
/// - So is the time, every 10 ms or four times in what makes a feed silent: a feed that speaks of others is not silent. Such an
///   event is a [`Kind::Notice`] of the whole feed.
#[derive(Clone, Debug)]
pub struct ShardFilter {
    numbers: Numbers,
    pulse_ns: u64,
    /// Sequence of the last message that was heard, or that the feed accounted for.
    heard: u64,
    /// Whether it was passed on.
    passed: bool,
    /// Messages passed on or lost.
    seq: u64,
    /// Receive time of the last event that was passed on.
    last: Ts,
}

impl ShardFilter {
    /// For a feed whose books are stale after so much silence. All its memory is taken here.
    pub fn new(shard: Shard, silence_ns: u64) -> ShardFilter {
        ShardFilter {
            numbers: Numbers::new(shard),
            pulse_ns: PULSE_NS.min(silence_ns / 4),
            heard: 0,
            passed: false,
            seq: 0,
            last: Ts(0),
        }
    }

    /// The next event of the feed, as the shard is to have it; `None`: it is not to have it.
    #[inline]
    pub fn pass(&mut self, mut event: Event) -> Option<Event> {
        let named = if event.kind == Kind::Directory { self.numbers.name(&event) } else { None };
        let of_all = event.number == VenueNumber(0);
        let own = named.unwrap_or_else(|| of_all || self.numbers.has(event.number));
        let counts = event.kind != Kind::Integrity && !event.flags.has(Flags::SNAPSHOT);
        let mut hole = false;
        if counts {
            hole = self.count(event.seq);
        } else if event.kind == Kind::Integrity {
            self.account(event.seq);
        }
        if !own {
            let due = hole || event.ts_recv.since(self.last) >= self.pulse_ns;
            if !(counts && due) {
                return None;
            }
            event = pulse(&event);
        }
        if counts && !self.passed {
            self.passed = true;
            self.seq = self.seq.saturating_add(1);
        }
        self.last = event.ts_recv;
        Some(Event { seq: self.seq, ..event })
    }

    /// Takes a message of which only number and receive time are known, and that it is about an order of another shard's
    /// instrument; `false`: nothing is taken, and it is to be passed like any other, for the shard is told of it.
    #[inline]
    pub(crate) fn leave_out(&mut self, seq: u64, ts_recv: Ts) -> bool {
        let follows = seq == self.heard.wrapping_add(1);
        if !follows || ts_recv.since(self.last) >= self.pulse_ns {
            return false;
        }
        (self.heard, self.passed) = (seq, false);
        true
    }

    /// Takes a message of the sequence; whether some are missing before it. As in the step, one that comes again or from before
    /// is no hole.
    fn count(&mut self, seq: u64) -> bool {
        if seq == self.heard {
            return false; // Another event of the same message.
        }
        let lost = seq.saturating_sub(self.heard.saturating_add(1));
        self.seq = self.seq.saturating_add(lost);
        (self.heard, self.passed) = (seq, false);
        lost > 0
    }

    /// The feed stands at `seq`, and says itself what is missing before it.
    fn account(&mut self, seq: u64) {
        if seq != self.heard {
            (self.heard, self.passed) = (seq, false);
        }
    }
}

/// What a shard is told of a message of another: that there was one, and when.
#[cold]
fn pulse(event: &Event) -> Event {
    let Event { ts_venue, ts_recv, feed, .. } = *event;
    Event { ts_venue, ts_recv, feed, ..Event::empty(Kind::Notice) }
}

#[cfg(test)]
mod tests;
