//! A passphrase that is checked, for a control that goes to the engine thread if it is right.

use std::thread::JoinHandle;
use std::time::Instant;

use model::{Control, HaltLevel, OperatorName};
use switch::{Answer, Passphrase, Scope, Ticket};

use super::{Act, OperatorDesk, Outbox, Waiting, stands_still};

/// On a thread of its own: it takes as long as it is meant to.
pub(super) struct Check {
    pub thread: JoinHandle<bool>,
    ticket: Ticket,
    /// What is let go, for the log.
    what: String,
    control: Control,
    scope: Scope,
    act: Act,
    name: OperatorName,
    reason: String,
    /// Whether what a resume is to lower was halted again meanwhile.
    overtaken: bool,
}

impl OperatorDesk {
    /// Has a passphrase checked.
    pub(super) fn begin_check(
        &mut self,
        ticket: Ticket,
        (control, scope, act): (Control, Scope, Act),
        what: String,
        (operator, name, reason): (String, OperatorName, String),
        passphrase: Passphrase,
        now: Instant,
    ) -> Result<(), Answer> {
        let operators = self.may_check(now)?;
        let check = move || operators.verify(&operator, &passphrase);
        let thread = std::thread::Builder::new().name("passphrase".into()).spawn(check);
        let thread =
            thread.map_err(|_| Answer::refused("busy", "no thread to check the passphrase on"))?;
        let overtaken = false;
        let check = Check { thread, ticket, what, control, scope, act, name, reason, overtaken };
        self.check = Some(check);
        Ok(())
    }

    /// A scope was halted to a level, by whomever: a resume of it that is being checked may not lower what its asker had not
    /// seen.
    pub(in crate::runtime) fn overtake(&mut self, scope: &Scope, level: HaltLevel) {
        if let Some(check) = &mut self.check
            && let Act::Resumes(standing) = check.act
        {
            check.overtaken |= check.scope == *scope && level >= standing;
        }
    }

    pub(super) fn end_check(&mut self, now: Instant, outbox: &mut Outbox, stalled: bool) {
        let Some(check) = self.check.take_if(|check| check.thread.is_finished()) else { return };
        let Check { thread, ticket, what, control, scope, act, name, reason, overtaken } = check;
        let right = thread.join().unwrap_or(false);
        self.attempts.note(right, now.saturating_duration_since(self.begun));
        if !right {
            tracing::warn!("{what} refused: not operator {name}'s passphrase");
            let text = "no such operator, or not this one's passphrase";
            return self.socket.answer(ticket, &Answer::refused("wrong_passphrase", text), now);
        }
        if stalled {
            // Behind the watchdog's halt it would undo it.
            return self.socket.answer(ticket, &stands_still(), now);
        }
        if overtaken {
            tracing::warn!("{what} refused: it was halted meanwhile");
            let text = "it was halted again while the passphrase was checked; look, then ask again";
            return self.socket.answer(ticket, &Answer::refused("halted_meanwhile", text), now);
        }
        tracing::warn!("{what}, operator {name}: {reason}");
        let waiting = Waiting { ticket: Some(ticket), since: now, scope, act };
        outbox.unsent.push_back((control, Some(waiting)));
    }
}
