//! What a venue makes one event comes in parts. Between them the book is one that the venue never had: the gate is told so,
//! and readers, indicators and strategies are shown it when it is complete.

use model::{Event, Flags, Px, Qty, VenueNumber};

use super::{Engine, Stamp};
use crate::output::Output;

/// What an event is of the one that the venue makes of it and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, for all that the feed says.
    Whole,
    /// A part that others follow.
    Open,
    /// The last of several.
    Last,
}

impl Engine {
    /// Notes whether the book is in the middle of one of the venue's events, where its feed says so of every event.
    #[inline]
    pub(super) fn part(&mut self, id: u32, event: &Event) -> Part {
        if !self.channel(event.feed).is_some_and(|channel| channel.marks_events) {
            return Part::Whole;
        }
        // A snapshot repeats what many events built.
        let Some(listed) = self.instruments.get_mut(id) else { return Part::Whole };
        if event.flags.has(Flags::SNAPSHOT) {
            return Part::Whole;
        }
        let complete = event.flags.has(Flags::EVENT_COMPLETE);
        match (std::mem::replace(&mut listed.mid_event, !complete), complete) {
            (_, false) => Part::Open,
            (true, true) => Part::Last,
            (false, true) => Part::Whole,
        }
    }

    /// An event without content of its own may be the last of the venue's.
    pub(super) fn on_notice(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        let marks = self.channel(event.feed).is_some_and(|channel| channel.marks_events);
        if !marks || event.number == VenueNumber(0) {
            return;
        }
        let Some(id) = self.find(event) else { return };
        if self.part(id, event) == Part::Last {
            self.show_event(id, false, out);
            self.ask_unseen(id, out, stamp);
        }
    }

    /// The venue's event is complete: shows what it made of the book. `rebuilt`: of a snapshot.
    pub(super) fn show_event(&mut self, id: u32, rebuilt: bool, out: &mut Output) {
        out.touch_book(id);
        if self.tell_if_moved(id, rebuilt) {
            self.re_mark(id);
        }
        self.show_integrity(id, out);
    }

    /// Keeps a trade for the strategies until its event is complete.
    pub(super) fn keep_unseen(&mut self, id: u32, px: Px, qty: Qty) {
        let Some(listed) = self.instruments.get_mut(id) else { return };
        let before = listed.unseen.map_or(0, |(_, qty)| qty.0);
        listed.unseen = Some((px, Qty(before.saturating_add(qty.0))));
    }

    /// Lets every strategy see what traded in the event that is complete now.
    #[inline]
    pub(super) fn ask_unseen(&mut self, id: u32, out: &mut Output, stamp: &mut impl Stamp) {
        self.held.may_trigger(id); // Nothing was triggered while the book was none that the venue had.
        let unseen = self.instruments.get_mut(id).and_then(|listed| listed.unseen.take());
        if let Some((px, qty)) = unseen {
            self.ask_strategies(id, px, qty, out, stamp);
        }
    }
}
