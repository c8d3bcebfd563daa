//! What the log must have of inputs that the journal has. The journal is ahead of it after an unclean stop: records wait in a
//! ring, and after a loss of power those behind the last checkpoint are gone. Whoever replays the journal lays a [`Trail`],
//! and [`super::open`] writes what is missing before anything new.

use std::collections::VecDeque;

use audit::{Actor, AuditKind, AuditRecord};
use model::{Input, Symbol};

use super::{Takes, Tap};
use crate::config::Config;
use crate::output::Output;
use crate::step::Engine;

/// The last records of the steps that were replayed, as the engine made them.
pub struct Trail {
    tap: Tap<Kept>,
}

/// The last of what is taken.
struct Kept {
    records: VecDeque<AuditRecord>,
    most: usize,
    /// Of this input, and of those before it, not all is here.
    after: u64,
}

impl Takes for Kept {
    fn take(&mut self, record: AuditRecord) -> bool {
        if self.records.len() == self.most
            && let Some(forgotten) = self.records.pop_front()
        {
            self.after = forgotten.engine_seq;
        }
        self.records.push_back(record);
        true
    }
}

impl Trail {
    /// A trail of the steps that `engine` takes from here on; `None`: its configuration wants no log. It holds more than the
    /// log of this configuration can be behind.
    pub fn of(config: &Config, engine: &Engine) -> Option<Trail> {
        let of_log = config.engine.audit.as_ref()?;
        let ring = super::ring_places(config) as u64;
        let most = of_log.checkpoint_records.saturating_add(2 * ring) as usize;
        let kept = Kept { records: VecDeque::new(), most, after: engine.seq() };
        Some(Trail { tap: Tap::to(kept).stamped(strategies(config)) })
    }

    /// Takes what one step left behind, with nothing of other steps on its tape.
    pub fn observe(&mut self, engine: &Engine, input: &Input, out: &Output) {
        self.tap.observe(engine, input, out, 0);
    }

    /// What is missing in a log that ends with `log`, the records of its last input; `engine` has come to the end of the
    /// journal.
    pub(super) fn missing(self, engine: &Engine, log: &[AuditRecord]) -> Vec<AuditRecord> {
        let Some((last, first)) = log.last().zip(first_missing(log)) else { return Vec::new() };
        let Kept { records, after, .. } = self.tap.to;
        let mut known = log.iter();
        let is_missing = |record: &AuditRecord| {
            record.engine_seq > last.engine_seq
                || record.engine_seq >= first && !known.any(|known| is_same(known, record))
        };
        let missing = records.into_iter().filter(is_missing).collect::<Vec<_>>();
        if first > after {
            return missing;
        }
        let gap = AuditRecord::bare(AuditKind::Lost, Actor::Engine, after, engine.now());
        let gap = AuditRecord { code: 1, bits: first, aux: after, ..gap };
        std::iter::once(gap).chain(missing).collect()
    }
}

/// The first input of which records may be missing in a log that ends with `log`, the records of its last input; `None`: a log
/// without records begins with the next start.
pub(crate) fn first_missing(log: &[AuditRecord]) -> Option<u64> {
    // Whoever started or stopped there had brought the log to that point.
    let is_end =
        |r: &AuditRecord| r.kind == AuditKind::Start || r.kind == AuditKind::Stop && r.code == 0;
    let is_whole = log.iter().any(is_end);
    Some(log.last()?.engine_seq.saturating_add(is_whole.into()))
}

/// Whether two records say the same of the same step. A clock that only one of them has read and a count of what was no input
/// are left out.
fn is_same(a: &AuditRecord, b: &AuditRecord) -> bool {
    let bits = if a.kind == AuditKind::Sink { a.bits } else { b.bits };
    *a == AuditRecord { mono_ns: a.mono_ns, bits, ..*b }
}

/// Names of the strategies, by their place.
pub(super) fn strategies(config: &Config) -> Vec<Symbol> {
    vec![Symbol::new("probe").unwrap_or_default(); config.engine.strategies.len()]
}
