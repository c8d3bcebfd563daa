//! How far a book may be believed, and what is told of it.
//!
//! Snapshot records stand outside the sequence: where they end, the sequence is told anew.

use model::{Cause, Event, Flags, Integrity, VenueNumber};

use super::{Decoder, clear, last};
use crate::databento::instruments::{Belief, number};
use crate::databento::view::View;

impl Decoder {
    /// Counts a record; what its events have in common.
    pub(super) fn stamp(&mut self, view: &View) -> Event {
        self.counters.records += 1;
        self.counters.last_sequence = view.sequence;
        self.counters.bad_ts_recv += u64::from(view.flags.is_bad_ts_recv());
        self.counters.maybe_bad_book += u64::from(view.flags.is_maybe_bad_book());
        // Levels are told as what changes, snapshot or not.
        let is_snapshot = view.flags.is_snapshot() && self.tells_orders() == Some(true);
        let flags = if is_snapshot { Flags::SNAPSHOT } else { Flags::NONE };
        Event { flags, ..view.stamp(self.counters.records, self.feed) }
    }

    /// Says what comes before the events of a record: the number of its instrument, and whether a snapshot of it begins;
    /// `None`: it is none that is told of.
    pub(super) fn enter(
        &mut self,
        view: &View,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) -> Option<(u16, bool)> {
        self.begin_feed(stamp, emit);
        let is_snapshot = stamp.flags.has(Flags::SNAPSHOT);
        if !is_snapshot {
            self.end_snapshot(view, stamp, emit);
            self.tell_sequence(stamp, emit);
        }
        let Some(named) = self.name(view, stamp, emit) else {
            self.tell_sequence(stamp, emit);
            emit(Event { flags: Flags::LAST_OF_PACKET, ..*stamp });
            return None;
        };
        if view.flags.is_maybe_bad_book() {
            self.doubt(named, Cause::Gap, stamp, emit);
        }
        let began = is_snapshot && self.go_on(named, view, stamp, emit);
        Some((named, began))
    }

    /// A snapshot record: a snapshot begins, `true`, or goes on.
    fn go_on(
        &mut self,
        named: u16,
        view: &View,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) -> bool {
        let Some(known) = self.instruments.get_mut(named) else { return false };
        let began = !std::mem::replace(&mut known.in_snapshot, true);
        let begins_whole = began && !view.flags.is_maybe_bad_book();
        if begins_whole || known.belief == Belief::Live {
            known.belief = Belief::Recovering;
            self.say(named, stamp, emit);
        }
        if began {
            self.counters.snapshots += 1;
            emit(Event { number: number(named), ..clear(stamp) });
        }
        began
    }

    /// The first record of an instrument that is no part of its snapshot: the snapshot was whole.
    fn end_snapshot(&mut self, view: &View, stamp: &Event, emit: &mut impl FnMut(Event)) {
        let Some(named) = self.instruments.find(view.id) else { return };
        let Some(known) = self.instruments.get_mut(named) else { return };
        if !known.in_snapshot || known.publisher != view.publisher {
            return;
        }
        known.in_snapshot = false;
        if known.belief == Belief::Recovering {
            known.belief = Belief::Live;
            self.untold = None;
            self.say(named, stamp, emit);
        }
    }

    /// Says the last event of a record, and whether the book is whole by it.
    pub(super) fn leave(
        &mut self,
        named: u16,
        view: &View,
        event: Option<Event>,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) {
        let tells_orders = self.tells_orders() == Some(true);
        let is_snapshot = stamp.flags.has(Flags::SNAPSHOT);
        self.untold = is_snapshot.then_some(named);
        let Some(known) = self.instruments.get_mut(named) else { return };
        let is_whole = match known.belief {
            Belief::Live => false,
            _ if view.flags.is_maybe_bad_book() => false,
            Belief::Recovering => is_snapshot && view.flags.is_last(),
            // A trade's levels may be all that its schema tells: no book to rely on.
            Belief::NotStarted | Belief::Doubtful(Cause::SessionEnd) if !tells_orders => {
                view.action != b'T'
            }
            Belief::NotStarted | Belief::Doubtful(_) if view.action == b'R' => !is_snapshot,
            Belief::Doubtful(_) => !tells_orders && view.flags.is_snapshot(),
            Belief::NotStarted => false,
        };
        if !is_whole {
            return event.into_iter().for_each(|event| emit(last(event)));
        }
        known.belief = Belief::Live;
        self.untold = None;
        event.into_iter().for_each(&mut *emit);
        let next = Event { seq: stamp.seq + 1, ..*stamp };
        self.say(named, &next, &mut |event| emit(last(event)));
    }

    /// The book of an instrument may be wrong. That outweighs a stream's end, after which levels need no snapshot.
    pub(super) fn doubt(
        &mut self,
        named: u16,
        cause: Cause,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) {
        let Some(known) = self.instruments.get_mut(named) else { return };
        if !matches!(known.belief, Belief::Doubtful(before) if before != Cause::SessionEnd) {
            known.belief = Belief::Doubtful(cause);
            self.say(named, stamp, emit);
        }
    }

    /// The instrument of a number has another one from here on, or its id has another instrument.
    pub(super) fn forget(&mut self, named: u16, stamp: &Event, emit: &mut impl FnMut(Event)) {
        let Some(known) = self.instruments.get_mut(named) else { return };
        (known.belief, known.in_snapshot) = (Belief::Doubtful(Cause::SessionEnd), false);
        self.say(named, stamp, emit);
    }

    /// The first record of a stream: nothing is known of any book, and what a stream before told is none of this one.
    #[inline]
    pub(super) fn begin_feed(&mut self, stamp: &Event, emit: &mut impl FnMut(Event)) {
        if !std::mem::take(&mut self.is_new) {
            return;
        }
        let cause = if stamp.seq == 1 { Cause::NotStarted } else { Cause::SessionEnd };
        emit(integrity(VenueNumber(0), (Integrity::Incomplete, cause), stamp));
        emit(clear(stamp));
        self.untold = None;
    }

    /// Tells the sequence up to the record, if the ones before it were of a snapshot.
    pub(super) fn tell_sequence(&mut self, stamp: &Event, emit: &mut impl FnMut(Event)) {
        if let Some(named) = self.untold.take() {
            self.say(named, stamp, emit);
        }
    }

    /// Says how far a book may be believed, as of the record before.
    pub(super) fn say(&mut self, named: u16, stamp: &Event, emit: &mut impl FnMut(Event)) {
        let Some(known) = self.instruments.get_mut(named) else { return };
        let believed = match known.belief {
            Belief::NotStarted => (Integrity::Incomplete, Cause::NotStarted),
            Belief::Recovering => (Integrity::Recovering, Cause::Snapshot),
            Belief::Live => (Integrity::Live, Cause::None),
            Belief::Doubtful(cause) => (Integrity::Incomplete, cause),
        };
        emit(integrity(number(named), believed, stamp));
    }
}

fn integrity(number: VenueNumber, believed: (Integrity, Cause), stamp: &Event) -> Event {
    let Event { ts_venue, ts_recv, seq, feed, .. } = *stamp;
    let said = Event::integrity(number, believed.0, believed.1);
    Event { ts_venue, ts_recv, seq: seq.saturating_sub(1), feed, ..said }
}
