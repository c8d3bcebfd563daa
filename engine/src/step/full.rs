//! The full hash: everything that the engine holds, read again from the state itself.
//!
//! The running hash folds what changed, as it changes. This one looks at what there is: a bit that flipped in a book, a
//! sum that nothing touched since, a table that two ways of replaying would fill differently. It says nothing of where in
//! memory things lie, nor of what readers were shown.
//!
//! Order: the head; each feed's channel and books (book by book, bids before asks, best level first, oldest order first);
//! instruments with their indicators; strategies; accounts and lines; the order table; the paper venue; what waits.

use core::fmt::{self, Write};

use model::Side;

use super::Engine;
use crate::feed_books::FeedBooks;
use crate::hash::StateHash;

/// Folds the text of what is written. Plain records go in by their `Debug` text: all their fields, and one that is added
/// later is in from the first day.
pub(crate) struct Text<'a>(pub &'a mut StateHash);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.fold_bytes(text.as_bytes());
        Ok(())
    }
}

impl Text<'_> {
    /// Folds a record. Cannot fail: nothing is written anywhere.
    pub fn fold(&mut self, record: &impl fmt::Debug) {
        let _ = write!(self, "{record:?};");
    }
}

impl Engine {
    /// The hash of everything that the engine holds. Takes a look at all of it: for the end of a run, not for its course.
    pub fn full_hash(&self) -> u64 {
        let Engine {
            seq,
            now,
            mode,
            books,
            instruments,
            indicators,
            channels,
            strategies,
            risk,
            orders,
            paper,
            outside,
            held,
            approvals,
            baskets,
            rules: _, // Configuration, whose bytes are in the journal; what it allows stands in `risk`.
            rule_index: _, // The same, by symbol.
            limits_version,
            config_digest: _,
            limits: _,  // The text of `rules`.
            offered: _, // Not in force yet, or any more.
            journal_full,
            audit_full,
            stopping,
            next_session,
            quiet_until: _, // Follows from what waits.
            latches,
            triggers,
            passed,
            refused,
            hash: running,
            moved: _,
        } = self;
        let mut hash = StateHash::default();
        let full = [journal_full, audit_full, stopping];
        let full = full.into_iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        hash.fold_words(&[*seq, now.0, full, next_session.0, *passed, running.value()]);
        hash.fold((*limits_version).into());
        hash.fold_words(refused);
        Text(&mut hash).fold(mode);
        Text(&mut hash).fold(latches);
        Text(&mut hash).fold(triggers);
        for (channel, books) in channels.iter().zip(books) {
            Text(&mut hash).fold(channel);
            fold_books(&mut hash, books, indicators.len());
        }
        for (listed, indicators) in instruments.iter().zip(indicators) {
            Text(&mut hash).fold(listed);
            Text(&mut hash).fold(indicators);
        }
        instruments.numbers().for_each(|[feed, number, ours]| {
            hash.fold_pair(feed << 32 | number, ours);
        });
        strategies.iter().for_each(|strategy| Text(&mut hash).fold(strategy));
        let _ = risk.describe(&mut Text(&mut hash));
        orders.fold(&mut Text(&mut hash));
        paper.fold(&mut hash);
        held.fold(&mut Text(&mut hash));
        Text(&mut hash).fold(approvals);
        Text(&mut hash).fold(baskets);
        if let Some(outside) = outside {
            outside.fold(&mut Text(&mut hash));
        }
        hash.value()
    }
}

/// Folds the books of a feed, the empty ones too: how far each may be believed is part of it.
fn fold_books(hash: &mut StateHash, books: &FeedBooks, count: usize) {
    for book in 0..count {
        Text(hash).fold(&books.integrity(book));
        for side in [Side::Buy, Side::Sell] {
            hash.fold(books.level_count(book, side).into());
            for level in books.levels(book, side) {
                hash.fold_pair(level.px.0.cast_unsigned(), level.qty.0.cast_unsigned());
                hash.fold(level.orders.into());
                let FeedBooks::Orders(books) = books else { continue };
                for resting in books.queue(book, side, level.px) {
                    hash.fold_pair(resting.order.0, resting.qty.0.cast_unsigned());
                    hash.fold(resting.arrival.0.into());
                }
            }
        }
    }
    if let FeedBooks::Orders(books) = books {
        hash.fold(books.next_arrival().0.into());
    }
}

#[cfg(test)]
mod tests {
    use model::{Cause, HaltLevel, HaltScope, Integrity};

    use super::*;
    use crate::config::Config;

    fn engine() -> Engine {
        let files = [
            ("engine.toml", include_str!("../../../deploy/engine.toml")),
            ("instruments.toml", include_str!("../../../deploy/instruments.toml")),
            ("limits.toml", include_str!("../../../deploy/limits.toml")),
        ];
        let files = files.map(|(name, text)| (name.into(), text.to_owned()));
        let config = Config::from_texts(files.into()).unwrap();
        let mut engine = config.engine.clone();
        engine.capacity.instruments = 8;
        engine.capacity.book_orders = 1024;
        engine.capacity.levels = 1024;
        engine.capacity.ref_pages = 1;
        engine.capacity.own_orders = 16;
        engine.capacity.client_ids = 64;
        Engine::new(&config.with_engine(engine)).unwrap()
    }

    /// Goal: the full hash sees what the running one was not told of, wherever it lies. Method: change one thing behind the
    /// engine's back; every change comes to another hash, and none of them to another running hash.
    #[test]
    fn sees_what_nobody_folded() {
        let changes: [fn(&mut Engine); 8] = [
            |_| (),
            |engine| engine.books[0].set_integrity(3, Integrity::Live, Cause::None),
            |engine| engine.channels[0].lost += 1,
            |engine| engine.journal_full = true,
            |engine| engine.audit_full = true,
            |engine| engine.orders.begin_epoch(1),
            |engine| engine.refused[4] += 1,
            |engine| {
                engine.risk.set_halt(HaltScope::All, HaltLevel::CancelOnly);
            },
        ];
        let mut seen = std::collections::BTreeSet::new();
        for change in changes {
            let mut engine = engine();
            let running = engine.state_hash();
            change(&mut engine);
            assert_eq!(engine.state_hash(), running);
            assert!(seen.insert(engine.full_hash()));
            assert_eq!(engine.full_hash(), engine.full_hash(), "looking changes nothing");
        }
    }
}
