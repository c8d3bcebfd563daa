//! What is halted from the start.

use model::{HaltCause, HaltLevel, HaltScope, Note, Ts, Why};
use switch::{Halt, Scope, latch_file};

use super::Plan;
use crate::runtime::keeper::{Changed, Keeper, latch_path};
use crate::sequencer::Sequencer;

/// Halts what the latch file says, and begins to keep it. A file that cannot be read halts everything. An engine that
/// nobody can find has no latch file: nobody could resume it.
pub(super) fn latched(plan: &Plan, sequencer: &mut Sequencer, started: Ts) -> Keeper {
    let path = latch_path(&plan.config);
    let read = if plan.shared { latch_file::read(&path) } else { Ok(Vec::new()) };
    let readable = read.is_ok();
    let halts = read.unwrap_or_else(|error| {
        tracing::error!("{error}; what was halted is not known, so everything is");
        latch_file::set_aside(&path);
        vec![Halt {
            scope: Scope::All,
            level: HaltLevel::Halted,
            cause: HaltCause::Invariant,
            operator: String::new(),
            reason: "the latch file cannot be read".into(),
            since_ns: started.0,
        }]
    });
    let accounts = plan.config.rules.accounts.iter().map(|account| account.name).collect();
    let mut keeper = Keeper::new(path, accounts, halts.clone());
    for halt in &halts {
        tracing::warn!("{} is {}: {} {}", halt.scope, halt.level, halt.operator, halt.reason);
        if let Some(control) = keeper.control(halt, &sequencer.engine) {
            let now = sequencer.engine.now();
            sequencer.input(now, model::Body::Control(control), &mut ());
        }
    }
    begin_at(plan.config.engine.start_level, sequencer);
    sequencer.out.halts.take(usize::MAX, |_| ()); // All that is in force is said here.
    let engine = &sequencer.engine;
    let in_force = engine.latches().in_force().filter_map(|slot| Changed::of(engine, slot));
    in_force.for_each(|changed| keeper.say(&changed, started.0));
    keeper.settle(readable.then_some(&halts));
    if plan.shared {
        keeper.keep();
    }
    keeper
}

/// An engine that trades for real comes up without new orders: until somebody compared its books with the venue's.
fn begin_at(level: HaltLevel, sequencer: &mut Sequencer) {
    let (engine, scope) = (&sequencer.engine, HaltScope::All);
    if engine.risk().halt(scope).is_some_and(|standing| standing < level) {
        let note = Note::lossy("started, not reconciled yet");
        let why = Why { note, ..Why::of(HaltCause::Start) };
        let now = engine.now();
        let control = model::Control::Halt { scope, level, why };
        sequencer.input(now, model::Body::Control(control), &mut ());
    }
}
