//! Subscriptions that the venue refuses.

use model::{Cause, Event, Ts};

use super::{Core, Phase};
use crate::stream::venue::{SECOND, Venue};

/// Pauses after a refusal are so many times those after another failure, first and longest: it is not for the moment.
const FIRST: u64 = 10;
const LONGEST: u64 = 60;

/// What the venue refused of a book that it named.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusal {
    /// How often, since the book was last proven right.
    count: u32,
    /// When it may be subscribed to again.
    until: Ts,
}

impl Refusal {
    /// Whether the book is subscribed to by a request of its own: one with others would be refused with it.
    pub fn is_apart(&self) -> bool {
        self.count > 0
    }
}

impl<V: Venue> Core<V> {
    /// Those that are subscribed to together.
    pub(super) fn not_apart(&self) -> Vec<u16> {
        let books = (0..).zip(&self.books);
        books.filter(|(_, book)| !book.refusal.is_apart()).map(|(symbol, _)| symbol).collect()
    }

    /// A connection has opened; whether the book is left out of what is subscribed to at once.
    pub(super) fn leave_out(&mut self, symbol: u16, now: Ts) -> bool {
        let Some(book) = self.book(symbol).filter(|book| book.refusal.is_apart()) else {
            return false;
        };
        let due = book.refusal.until.max(Ts(now.0.saturating_add(SECOND)));
        (book.phase, book.due) = (Phase::Resync, Some(due));
        true
    }

    /// The venue refused a subscription: of this book, or of one that was asked for of late. A snapshot of the subscription
    /// before may have made such a book live meanwhile, with nothing to follow it.
    pub(super) fn on_refused(
        &mut self,
        symbol: Option<u16>,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        if self.asks_for_snapshots() {
            // Such a subscription is made once, with the connection.
            return match symbol {
                Some(symbol) => self.set_apart(symbol, now, emit),
                None => self.reconnect(now, emit),
            };
        }
        let late = self.rules.snapshot_ns.max(self.rules.idle_ns);
        for place in 0..self.books.len() as u16 {
            if symbol.is_some_and(|symbol| symbol != place) {
                continue;
            }
            match self.book(place).map(|book| (book.phase, now.since(book.asked))) {
                // Asked for as often as the others, books that are never given would leave these no room.
                Some((Phase::Snapshot, _)) if symbol.is_some() => {
                    self.set_apart(place, now, emit);
                }
                Some((Phase::Snapshot, _)) => self.fail(place, now),
                Some((Phase::Live, age)) if age <= late => {
                    self.doubt(place, Cause::Snapshot, now, emit);
                }
                _ => {}
            }
        }
    }

    /// The venue refused to subscribe to this book, and to all that was asked for with it. It is tried alone from now on, ever
    /// less often; the others go on without it.
    fn set_apart(&mut self, symbol: u16, now: Ts, emit: &mut impl FnMut(Event)) {
        let Core { books, back_off, rules, .. } = self;
        let Some(book) = books.get_mut(usize::from(symbol)) else { return };
        // Said once more of a request that is answered already.
        if book.phase == Phase::Down || book.refusal.until > now {
            return;
        }
        let was_apart = book.refusal.is_apart();
        let (first, longest) = (FIRST * rules.retry_ns, LONGEST * rules.retry_max_ns);
        let pause = back_off.pause(first, longest, book.refusal.count);
        let until = Ts(now.0.saturating_add(pause));
        book.refusal = Refusal { count: book.refusal.count.saturating_add(1), until };
        (book.phase, book.due) = (Phase::Resync, Some(until));
        self.doubt(symbol, Cause::Snapshot, now, emit);
        let others = self.not_apart();
        if !was_apart && self.rules.subscribes_again {
            self.subscribe(&others);
        }
    }
}
