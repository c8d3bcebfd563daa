//! Other limits on the engine thread: recorded, stepped, and the old ones handed back.

use model::{Control, ResumeRefusal};

use super::{EngineThread, Loop};
use crate::step::NewRules;

/// Limits on their way to the engine thread, and those that it is done with on their way back, to be dropped there.
pub(in crate::runtime) struct LimitsPost {
    pub new: rtrb::Consumer<Box<NewRules>>,
    pub spent: rtrb::Producer<Box<NewRules>>,
}

impl EngineThread {
    /// Puts limits in force whose text can be recorded. While it cannot, nothing new passes anyway, and they are refused.
    pub(super) fn relimit(&mut self, control: Control, state: &Loop) -> Result<(), ResumeRefusal> {
        // Sent before the control was: they are there.
        let Ok(rules) = self.limits.new.pop() else { return Err(ResumeRefusal::UnknownScope) };
        let refusal = match (state.journal.full, state.audit.full) {
            (true, _) => Err(ResumeRefusal::JournalFull),
            (_, true) => Err(ResumeRefusal::AuditFull),
            _ if !rules.is_meant(&control) => Err(ResumeRefusal::UnknownScope),
            _ => Ok(()),
        };
        let version = rules.version();
        let (spent, refused) = match refusal {
            Err(refusal) => (Some(rules), Err(refusal)),
            Ok(()) => {
                let now = self.now(state.clock.now_ns());
                match self.sequencer.limits(now, rules, control, &mut ()) {
                    Ok(spent) => (spent, Ok(())),
                    Err(rules) => (Some(rules), Err(ResumeRefusal::JournalFull)),
                }
            }
        };
        if let Some(spent) = spent {
            let _ = self.limits.spent.push(spent); // There is room: no more are sent before these are back.
        }
        refused?;
        let in_force = self.sequencer.engine.limits_version() == version;
        if in_force { Ok(()) } else { Err(ResumeRefusal::UnknownScope) }
    }
}
