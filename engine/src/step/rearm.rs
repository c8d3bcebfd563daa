//! What must hold before a halt is lowered. The whole list, in the order in which a refusal names it:
//!
//! | precondition | else |
//! |---|---|
//! | the scope exists | [`ResumeRefusal::UnknownScope`] |
//! | the level asked for is below the one in force | [`ResumeRefusal::NotLower`] |
//! | the journal takes inputs | [`ResumeRefusal::JournalFull`] |
//! | the audit log takes records | [`ResumeRefusal::AuditFull`] |
//! | to let anything new pass: where orders stand at the venue is known | [`ResumeRefusal::Reconciling`] |
//! | no order of the scope waits for the venue | [`ResumeRefusal::OrderInDoubt`] |
//! | to let a symbol trade freely: its book is live | [`ResumeRefusal::BookNotLive`] |
//!
//! Who may ask, and by which passphrase, is settled before the request becomes an input. Decided in the step: a journal
//! replays to the same answer. To add a precondition: a code in `engine/model/src/state.rs` and its line here.

use model::{
    HaltLevel, HaltScope, InstrumentId, Integrity, Order, OrderState, ResumeRefusal, Symbol,
};

use super::Engine;

impl Engine {
    /// Whether the level of a scope may be lowered to `level` now.
    pub(super) fn may_resume(
        &self,
        scope: HaltScope,
        level: HaltLevel,
    ) -> Result<(), ResumeRefusal> {
        self.is_lower(self.risk.halt(scope), level)?;
        self.is_reconciled(level)?;
        self.is_settled(|order| self.covers(scope, order))?;
        match scope {
            HaltScope::Instrument(instrument) => self.is_live(instrument.0, level),
            // Their books are judged by the gate, order by order.
            HaltScope::All
            | HaltScope::Account(_)
            | HaltScope::Strategy(_)
            | HaltScope::Desk(_) => Ok(()),
        }
    }

    /// The same for every instrument of a symbol at once.
    pub(super) fn may_resume_symbol(
        &self,
        symbol: Symbol,
        level: HaltLevel,
    ) -> Result<(), ResumeRefusal> {
        self.is_lower(self.symbol_halt(symbol), level)?;
        self.is_reconciled(level)?;
        self.is_settled(|order| self.has_symbol(order.instrument.0, symbol))?;
        let scope = |number| HaltScope::Instrument(InstrumentId(number));
        (0..self.instruments.len() as u32)
            .filter(|number| self.has_symbol(*number, symbol))
            .filter(|number| self.risk.halt(scope(*number)) > Some(level))
            .try_for_each(|number| self.is_live(number, level))
    }

    /// The scope exists, there is something to lower, and what follows can be recorded.
    fn is_lower(&self, standing: Option<HaltLevel>, level: HaltLevel) -> Result<(), ResumeRefusal> {
        match standing {
            None => Err(ResumeRefusal::UnknownScope),
            Some(standing) if standing <= level => Err(ResumeRefusal::NotLower),
            Some(_) if self.journal_full => Err(ResumeRefusal::JournalFull),
            Some(_) if self.audit_full => Err(ResumeRefusal::AuditFull),
            Some(_) => Ok(()),
        }
    }

    /// Else orders would pass by themselves once the venue has said where everything stands, which may be long after somebody
    /// looked.
    fn is_reconciled(&self, level: HaltLevel) -> Result<(), ResumeRefusal> {
        let good = level >= HaltLevel::CancelOnly || !self.is_unreconciled();
        if good { Ok(()) } else { Err(ResumeRefusal::Reconciling) }
    }

    /// No order that is meant waits for an answer of the venue.
    fn is_settled(&self, meant: impl Fn(&Order) -> bool) -> Result<(), ResumeRefusal> {
        let doubt = |state| match state {
            OrderState::PendingNew
            | OrderState::PendingCancel
            | OrderState::PendingReplace
            | OrderState::Unknown => true,
            OrderState::Working
            | OrderState::PartiallyFilled
            | OrderState::Held
            | OrderState::Expired
            | OrderState::Filled
            | OrderState::Cancelled
            | OrderState::Rejected => false,
        };
        let in_doubt = self.orders.open().any(|record| {
            doubt(record.state) && !record.life.only_waits_to_cancel() && meant(&record.order)
        });
        if in_doubt { Err(ResumeRefusal::OrderInDoubt) } else { Ok(()) }
    }

    fn is_live(&self, instrument: u32, level: HaltLevel) -> Result<(), ResumeRefusal> {
        let good = level > HaltLevel::Active || self.integrity(instrument).0 == Integrity::Live;
        if good { Ok(()) } else { Err(ResumeRefusal::BookNotLive) }
    }
}
