//! What a run writes beside itself: its journal, the audit log, and a snapshot of its end.

use std::sync::Arc;

use model::Ts;

use super::journal::{Opened, open_journal};
use crate::audit::{AuditThread, Tap};
use crate::config::{Config, Durability};
use crate::journal::lease::Lease;
use crate::journal::recorder::Recorder;
use crate::journal::writer::Progress;
use crate::runtime::RunError;
use crate::runtime::ready::{Leaves, Past};
use crate::step::Engine;

/// Both ends of it: what the engine thread tells, and what the threads write.
pub(super) struct Records {
    /// Where the engine thread writes its inputs, until the sequencer takes it.
    pub recorder: Option<Recorder>,
    /// Where it tells what is audited, likewise.
    pub tap: Option<Tap>,
    pub journal: Option<Opened>,
    pub audit: Option<AuditThread>,
    /// What is written once everything has ended.
    pub leaves: Option<Leaves>,
}

impl Records {
    /// Goes on with them, or begins them; without a lease there is no journal.
    ///
    /// # Errors
    ///
    /// [`RunError`] of a journal or an audit log that cannot be written or continued.
    pub fn begin(
        config: &Config,
        engine: &Engine,
        lease: Option<Lease>,
        past: Past,
        started: Ts,
    ) -> Result<Records, RunError> {
        let Past { events, found, snapshots, trail } = past;
        let opened = found.as_ref().map_or(0, |found| found.opened) + 1;
        let (recorder, journal) = match lease {
            None => (None, None),
            Some(lease) => open_journal(config, engine, &events, lease, found)?,
        };
        let log = crate::audit::open(config, engine, started.0, trail)?;
        let (tap, audit) = log.map(|log| (log.tap, log.thread)).unzip();
        let mut records = Records { recorder, tap, journal, audit, leaves: None };
        let epoch = records.epoch();
        records.leaves = snapshots.map(|snapshots| Leaves { snapshots, opened, epoch });
        Ok(records)
    }

    /// Epoch of the journal; zero without one.
    pub fn epoch(&self) -> u32 {
        self.journal.as_ref().map_or(0, |opened| opened.writer.epoch())
    }

    /// How far the journal is written, and what is to wait for that; `None`: there is none.
    pub fn progress(&self) -> Option<(Arc<Progress>, Durability)> {
        self.journal.as_ref().map(|opened| (opened.writer.progress(), opened.durability))
    }
}
