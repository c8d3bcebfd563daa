//! What the next events need is asked for before they come.

use model::Event;

use super::Engine;
use crate::feed_books::FeedBooks;

/// The books of so many instruments stay in a second-level cache, and asking for them ahead would take longer than it saves: 3 %
/// of a step with 300. With 1,000 it saves 2 %, with 10,000 a tenth.
const FEW: usize = 512;

impl Engine {
    /// Brings into the cache what the events behind `events[at]`, all of one feed, will need. Changes nothing.
    #[inline]
    pub fn look_ahead(&self, events: &[Event], at: usize) {
        let feed = events.get(at).map_or(0, |event| usize::from(event.feed.0));
        let Some(FeedBooks::Orders(books)) = self.books.get(feed) else { return };
        let book_of = |event: &Event| {
            let found = self.instruments.find(event.feed, event.number);
            found.map_or(usize::MAX, |id| id as usize)
        };
        books.look_ahead(events, at, (self.instruments.len() > FEW).then_some(book_of));
    }
}
