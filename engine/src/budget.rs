//! What a configuration takes of memory, table by table, worked out before any of it is taken.
//!
//! Everything is sized by `[capacity]` and taken at the start, so that a sum of sizes is all there is to it. Each table says
//! itself what it takes; what is small and always there stands under threads. `tests/tests/budget.rs` holds the sum against what
//! is really taken.

use core::fmt;

use model::Event;

use crate::book::BookCapacity;
use crate::config::{Config, Memory};
use crate::feed_books::BookKind;
use crate::indicator::Indicators;
use crate::instruments::Instruments;
use crate::journal::Entry;
use crate::latches::Latches;
use crate::level_book::LevelCapacity;
use crate::orders::OrderTable;
use crate::output::Output;
use crate::paper::Paper;
use crate::runtime::{entries_of, rings_of, share_capacity};
use crate::step::{Engine, risk_capacity};

/// Stacks of the threads as far as they are used, small rings, histograms, buffers of files, and the engine that rehearses.
const THREADS: u64 = 24 << 20;

/// Tables of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What they hold.
    pub what: &'static str,
    /// How many of that; zero: of several kinds.
    pub count: u64,
    /// What they take.
    pub bytes: u64,
}

/// All tables of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget(Vec<Part>);

/// A configuration whose tables take more than they may, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    /// More than it allows itself.
    #[error(
        "the tables of this configuration take {wanted} MiB, [memory] max_mib allows {limit}: smaller ones in [capacity]"
    )]
    Allowed {
        /// What they take.
        wanted: u64,
        /// What they may take.
        limit: u64,
    },
    /// More than the host has.
    #[error(
        "the tables of this configuration take {wanted} MiB, the host has {limit} available: smaller ones in [capacity]"
    )]
    Available {
        /// What they take.
        wanted: u64,
        /// What there is.
        limit: u64,
    },
}

impl Budget {
    /// Works it out; `shared`: clients may attach.
    pub fn of(config: &Config, shared: bool) -> Budget {
        let capacity = &config.engine.capacity;
        let part = |what, count: u64, bytes| Part { what, count, bytes };
        let (instruments, own) = (u64::from(capacity.instruments), u64::from(capacity.own_orders));
        let mut parts = Vec::new();
        for kind in [BookKind::Orders, BookKind::Levels] {
            let feeds =
                config.engine.feeds.iter().filter(|feed| feed.books() == kind).count() as u64;
            let of_one = match kind {
                BookKind::Orders => books(&BookKind::orders(capacity)),
                BookKind::Levels => level_books(&BookKind::levels(capacity)),
            };
            let all =
                |part: Part| Part { count: feeds * part.count, bytes: feeds * part.bytes, ..part };
            parts.extend(of_one.into_iter().map(all).filter(|part| part.count > 0));
        }
        let feeds = config.engine.feeds.len();
        let listed = Instruments::bytes(capacity.instruments, feeds)
            + instruments * size_of::<Indicators>() as u64
            + Latches::bytes(config.rules.accounts.len(), capacity.instruments)
            + Engine::bytes_of_instruments(capacity.instruments);
        parts.push(part("instruments", instruments, listed));
        let [held, outside] = Engine::bytes_of_orders(config);
        let orders = OrderTable::bytes(capacity.own_orders)
            + Paper::bytes(capacity.instruments, capacity.own_orders)
            + Output::bytes(capacity.instruments, capacity.own_orders)
            + held;
        parts.push(part("orders of ours", own, orders));
        if let Some(venue) = &config.engine.venue {
            let bytes = outside + crate::gateway::ends::bytes(capacity.own_orders);
            parts.push(part("venue outside", venue.executions.into(), bytes));
        }
        let risk = risk_capacity(capacity, &config.rules);
        let [accounts, lines, lots] = risk::Risk::bytes(&risk);
        parts.push(part("accounts", risk.accounts.into(), accounts));
        parts.push(part("risk lines", u64::from(risk.accounts) * instruments, lines));
        parts.push(part("lots", risk.lots.into(), lots));
        let events = shm::EventSender::slots_for(capacity.feed_ring as usize) * rings_of(config);
        let bytes = (events * size_of::<Event>()) as u64;
        parts.push(part("events in rings", events as u64, bytes));
        if shared {
            parts.push(part("shared pages", 0, share_capacity(config).bytes()));
        }
        if config.engine.journal.is_some() {
            let entries = entries_of(config) as u64;
            parts.push(part("journal", entries, entries * size_of::<Entry>() as u64));
        }
        if config.engine.audit.is_some() {
            parts.push(part("audit log", 0, crate::audit::bytes(config)));
        }
        parts.push(part("threads", 0, THREADS));
        Budget(parts)
    }

    /// Table by table.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// All of it, in bytes.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|part| part.bytes).sum()
    }

    /// Whether it fits now.
    ///
    /// # Errors
    ///
    /// [`OverBudget`], if `[memory]` allows less, or the host has less available; one that does not tell has enough.
    pub fn check(&self, memory: &Memory) -> Result<(), OverBudget> {
        self.within(memory, host::available_bytes())
    }

    /// What all engines of one process take together: none has its rings and pages before the others have their tables, so that
    /// what each finds available says nothing of all.
    pub fn of_all(budgets: impl Iterator<Item = Budget>) -> Budget {
        Budget(budgets.flat_map(|budget| budget.0).collect())
    }

    fn within(&self, memory: &Memory, available: Option<u64>) -> Result<(), OverBudget> {
        let (total, wanted) = (self.total(), mib(self.total()));
        let is_over = |limit: &u64| total > *limit;
        if let Some(limit) = memory.max_bytes.filter(is_over) {
            return Err(OverBudget::Allowed { wanted, limit: limit >> 20 });
        }
        if let Some(limit) = available.filter(is_over) {
            return Err(OverBudget::Available { wanted, limit: limit >> 20 });
        }
        Ok(())
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Part { what, count, bytes } in &self.0 {
            let count = if *count > 0 { count.to_string() } else { String::new() };
            writeln!(f, "{what:<16} {count:>12} {:>8} MiB", mib(*bytes))?;
        }
        write!(f, "{:<16} {:>12} {:>8} MiB", "memory", "", mib(self.total()))
    }
}

/// Rounded up: what there is must be enough.
const fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// The sizes stand at [`BookCapacity`].
fn books(capacity: &BookCapacity) -> Vec<Part> {
    let &BookCapacity { instruments, orders, levels, nodes, ref_pages } = capacity;
    let [instruments, orders, levels, nodes, ref_pages] =
        [instruments, orders, levels, nodes, ref_pages].map(u64::from);
    let (table, pages) = ((2 * orders).next_power_of_two(), ref_pages.next_power_of_two());
    vec![
        Part { what: "books", count: instruments, bytes: 96 * instruments },
        Part { what: "book orders", count: orders, bytes: 32 * orders },
        Part { what: "references", count: orders, bytes: 8 * table },
        Part { what: "reference pages", count: pages, bytes: (16_384 + 8) * pages },
        Part { what: "levels", count: levels, bytes: 36 * levels },
        Part { what: "ladder nodes", count: nodes, bytes: 264 * nodes },
    ]
}

fn level_books(capacity: &LevelCapacity) -> Vec<Part> {
    let [books, windows, leaves] = capacity.bytes();
    vec![
        Part { what: "level books", count: capacity.instruments.into(), bytes: books },
        Part { what: "level windows", count: capacity.windows.into(), bytes: windows },
        Part { what: "far levels", count: capacity.leaves.into(), bytes: leaves },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what does not fit is refused, and the error says by what. Method: one part, around a limit and around what there is.
    #[test]
    fn what_does_not_fit_is_refused() {
        let budget = Budget(vec![Part { what: "books", count: 2, bytes: 5 << 20 }]);
        let allowed = |max_bytes| Memory { max_bytes, ..Memory::default() };
        let within = |max_bytes: Option<u64>, available: Option<u64>| {
            budget.within(&allowed(max_bytes), available).map_err(|error| error.to_string())
        };
        assert_eq!(within(None, None), Ok(()));
        assert_eq!(within(Some(5 << 20), Some(5 << 20)), Ok(()));
        let over = within(Some((5 << 20) - 1), Some(1 << 40)).unwrap_err();
        assert!(over.contains("take 5 MiB, [memory] max_mib allows 4"), "{over}");
        let over = within(Some(6 << 20), Some((5 << 20) - 1)).unwrap_err();
        assert!(over.contains("take 5 MiB, the host has 4 available"), "{over}");
        let both = Budget::of_all([budget.clone(), budget].into_iter());
        let over = both.within(&allowed(None), Some((10 << 20) - 1)).unwrap_err().to_string();
        assert!(over.contains("take 10 MiB, the host has 9 available"), "{over}");
    }
}
