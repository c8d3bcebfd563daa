//! The engine's end of a request ring whose every byte the client may change at any moment.
//!
//! The engine keeps its cursor to itself, reads the client's count once a poll, copies a record
//! once and judges only the copy. A poll takes at most one record, so its work is the same whatever
//! the bytes say.

use model::{BadWord, DeskId, Origin, Request};

use crate::ring::Ring;

/// The ring of a desk.
pub type DeskRing<'a> = Ring<'a, { Request::WORDS }>;

/// What is wrong with a desk's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskFault {
    /// The client claims more requests than its ring holds: nothing there can be believed any more.
    Overrun,
    /// A claimed record is not the one that its number promises, or not whole. It was skipped.
    Torn,
    /// A whole record that is no request. It was skipped.
    Malformed {
        /// What stands where a request has its id; from the client, never judged.
        request: u64,
        /// The first word that holds no legal value.
        bad: BadWord,
    },
}

/// The engine's private place in a desk's ring.
#[derive(Debug, Default)]
pub struct DeskCursor(u64);

impl DeskCursor {
    /// Requests taken so far, skipped ones included; published for the client, never read back.
    pub fn taken(&self) -> u64 {
        self.0
    }

    /// Takes the next request, if there is one. Its origin is `desk`, whatever its bytes say.
    ///
    /// # Errors
    ///
    /// See [`DeskFault`]; after [`DeskFault::Overrun`] every further poll says the same.
    pub fn poll(
        &mut self,
        ring: &DeskRing<'_>,
        desk: DeskId,
    ) -> Result<Option<Request>, DeskFault> {
        let waiting = ring.head().wrapping_sub(self.0);
        if waiting == 0 {
            return Ok(None);
        }
        if waiting > ring.slots() {
            return Err(DeskFault::Overrun);
        }
        let record = ring.get(self.0).ok_or(DeskFault::Torn);
        self.0 = self.0.wrapping_add(1);
        let record = record?;
        let [request, ..] = record;
        match Request::from_words(&record) {
            Ok(request) => Ok(Some(Request { origin: Origin::Desk(desk), ..request })),
            Err(bad) => Err(DeskFault::Malformed { request, bad }),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
