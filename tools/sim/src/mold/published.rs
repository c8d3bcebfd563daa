//! What the venue has said so far.

use super::{Book, Store};

/// All that the servers answer from. It changes by whole packets.
#[derive(Clone, Debug)]
pub struct Published {
    session: [u8; 10],
    store: Store,
    book: Book,
}

impl Published {
    pub(super) fn new(session: [u8; 10], store: Store) -> Published {
        Published { session, store, book: Book::default() }
    }

    pub(super) fn add(&mut self, message: Vec<u8>) {
        self.book.apply(&message);
        self.store.push(message);
    }

    /// Name of the session.
    pub const fn session(&self) -> [u8; 10] {
        self.session
    }

    /// Sequence of the next message.
    pub fn next(&self) -> u64 {
        self.store.next()
    }

    /// What can be asked for again.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// What a snapshot holds.
    pub const fn book(&self) -> &Book {
        &self.book
    }
}
