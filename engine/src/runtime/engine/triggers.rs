//! What the engine thread notices itself and makes an input of: sinks that take no more, or fall behind, and clients that fell
//! silent.

use model::{Body, Control, HaltCause, HaltLevel, HaltScope, Note, Why};

use super::dead_man;
use super::{EngineThread, Loop};
use crate::config::Durability;

/// How often figures for the status are written, nanoseconds.
const FIGURES_NS: u64 = 100_000_000;

impl EngineThread {
    /// Tells the core whether journal and audit log take more; whether it was told something.
    pub(super) fn poll_sinks(&mut self, state: &mut Loop) -> bool {
        let now_ns = state.clock.now_ns();
        let recorder = self.sequencer.recorder.as_ref();
        let has_room = recorder.is_none_or(|recorder| {
            if state.journal.full { recorder.has_recovered() } else { recorder.has_room() }
        });
        let handed = recorder.map_or(0, |recorder| recorder.handed());
        let recorded = self.recorded();
        let latched = self.journal.as_ref().is_some_and(|(j, _)| j.failed() || j.full());
        let lags = recorder.is_some() && state.lag.look(handed, recorded, now_ns);
        let full = latched || lags || !has_room;
        let mut busy = false;
        if full != state.journal.full && self.has_reserve() {
            state.journal.set(full, now_ns);
            self.input(Body::Control(Control::JournalFull(full)), state);
            busy = true;
        }
        let audit = self.sequencer.audit.as_mut();
        let full = audit.is_some_and(|audit| audit.is_full(now_ns));
        if full != state.audit.full && self.has_reserve() {
            state.audit.set(full, now_ns);
            self.input(Body::Control(Control::AuditFull(full)), state);
            busy = true;
        }
        busy | self.latch_sinks(state, now_ns)
    }

    /// Halts everything to cancel-only when one of them has taken nothing for too long.
    fn latch_sinks(&mut self, state: &mut Loop, now_ns: u64) -> bool {
        if !self.has_reserve() {
            return false;
        }
        let after_ns = self.sequencer.engine.rules().triggers.sink_latch_ns;
        let journal = (&mut state.journal, HaltCause::Journal, "the journal takes nothing");
        let audit = (&mut state.audit, HaltCause::Audit, "the audit log takes nothing");
        let late = [journal, audit].map(|(sink, cause, note)| {
            sink.latches(after_ns, now_ns)
                .then(|| Why { note: Note::lossy(note), ..Why::of(cause) })
        });
        for why in late.iter().flatten() {
            let (scope, level) = (HaltScope::All, HaltLevel::CancelOnly);
            self.input(Body::Control(Control::Halt { scope, level, why: *why }), state);
        }
        late.iter().any(Option::is_some)
    }

    /// Whether the journal's ring has room for what may wait: without it the market stays in the rings of its feeds and nobody
    /// asks for timers or credit, so that the engine thread never waits for the disk.
    pub(super) fn has_room(&self) -> bool {
        self.sequencer.recorder.as_ref().is_none_or(|recorder| recorder.has_room())
    }

    /// Whether it has room for what must always pass: cancels, controls, reports.
    pub(super) fn has_reserve(&self) -> bool {
        self.sequencer.recorder.as_ref().is_none_or(|recorder| recorder.has_reserve())
    }

    /// The last input that is recorded as durably as the mode demands.
    pub(super) fn recorded(&self) -> u64 {
        match &self.journal {
            None => u64::MAX,
            Some((journal, Durability::Written)) => journal.written(),
            Some((journal, Durability::Synced)) => journal.synced(),
        }
    }

    /// Tells the core of clients that said nothing for too long while orders of theirs work.
    #[cold]
    pub(super) fn look_at_desks(&mut self, state: &mut Loop, now_ns: u64) {
        state.dead_men.look(now_ns);
        while self.has_reserve()
            && let Some((desk, account)) =
                state.dead_men.next(dead_man::open(&self.sequencer.engine))
        {
            self.input(Body::Control(Control::DeskSilent { desk, account }), state);
            self.publish(state);
        }
    }

    /// Writes what each trigger counts.
    pub(super) fn show_figures(&self, state: &mut Loop, now_ns: u64) {
        if now_ns >= state.figures_at {
            state.figures_at = now_ns + FIGURES_NS;
            let sinks = [&state.journal, &state.audit];
            let engine = &self.sequencer.engine;
            self.figures.show(engine, &state.dead_men, &state.lag, sinks, now_ns);
        }
    }
}
