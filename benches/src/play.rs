//! How books of orders are played: in rounds with the look-ahead, as the engine thread takes events from its ring.

use std::hint::black_box;

use engine::book::Books;
use model::{Event, Flags, Kind, Side};

use crate::{AHEAD_BYTES, DECODER, EVENTS_PER_ROUND, frames};

/// What [`Books::look_ahead`] is told where there are so few books that they stay in the caches.
pub const FEW: Option<fn(&Event) -> usize> = None;

/// Applies events in rounds, and calls `then` with the book after each.
#[inline(always)]
pub fn apply(books: &mut Books, events: &[Event], then: impl Fn(&Books, usize)) {
    let ahead = AHEAD_BYTES / size_of::<Event>();
    for (number, round) in events.chunks(EVENTS_PER_ROUND).enumerate() {
        for (at, event) in round.iter().enumerate() {
            host::prefetch(events, number * EVENTS_PER_ROUND + at + ahead);
            books.look_ahead(round, at, FEW);
            apply_one(books, event, &then);
        }
    }
}

/// Applies one event, and calls `then` with the book. By reference: else the bench would copy what it looks at.
#[inline(always)]
pub fn apply_one(books: &mut Books, event: &Event, then: impl Fn(&Books, usize)) {
    let book = event.number.0 as usize;
    black_box(&books.apply(book, event));
    then(books, book);
}

/// Decodes framed messages round by round, and applies them.
pub fn apply_bytes(books: &mut Books, bytes: &[u8]) {
    let mut messages = frames(bytes).zip(1..);
    let mut round = [Event::empty(Kind::Notice); EVENTS_PER_ROUND];
    loop {
        let mut used = 0;
        for (place, (message, seq)) in round.iter_mut().zip(&mut messages) {
            if let Ok(event) = DECODER.decode(message, seq, Flags::LAST_OF_PACKET) {
                *place = event;
                used += 1;
            }
        }
        let Some(events) = round.get(..used).filter(|events| !events.is_empty()) else { return };
        apply(books, events, read_best);
    }
}

/// Reads both best prices of a book.
#[inline(always)]
pub fn read_best(books: &Books, book: usize) {
    black_box(&[Side::Buy, Side::Sell].map(|side| books.best(book, side)));
}
