//! The kill switch in the step: what raises a level, what lowers it, and who is told.

use model::page::{TapeKind, TapeRecord, halt_aux};
use model::{
    AccountId, HaltCause, HaltLevel, HaltScope, InstrumentId, Order, ResumeRefusal, Symbol, Why,
};

use super::Engine;
use crate::latches::Latch;
use crate::output::Output;

impl Engine {
    /// Raises a level, never lowers it, and cancels what it covers if it says so. A scope that does not exist is left
    /// alone.
    pub(super) fn trip(&mut self, scope: HaltScope, level: HaltLevel, why: Why, out: &mut Output) {
        if self.risk.halt(scope).is_none() {
            return;
        }
        if self.risk.raise_halt(scope, level) {
            out.halts.mark(self.latches.set(scope, Latch { level, why }));
            show_board(scope, out);
        } else if self.risk.halt(scope) == Some(level) {
            out.halts.mark(self.latches.slot(scope)); // Told all the same: a resume may be on its way that had not seen it.
        }
        self.show_halt(TapeKind::Halt, scope, level.code(), Some(why.cause), out);
        if level == HaltLevel::Halted {
            self.cancel_all(out, |order, engine| engine.covers(scope, order));
        }
    }

    /// Whether a halt of this scope stops an order: that of an account stops all beneath it too.
    pub(super) fn covers(&self, scope: HaltScope, order: &Order) -> bool {
        match scope {
            HaltScope::Account(above) => self.risk.counts_on(order.account, above),
            _ => scope.covers(order),
        }
    }

    /// The same for every instrument of a symbol, and for those that the venue will still list under it. If so many
    /// symbols are halted that this one cannot be remembered, everything is halted.
    pub(super) fn trip_symbol(
        &mut self,
        symbol: Symbol,
        level: HaltLevel,
        why: Why,
        out: &mut Output,
    ) {
        if self.latches.of_symbol(symbol).level < level {
            match self.latches.set_symbol(symbol, Latch { level, why }) {
                Some(slot) => out.halts.mark(slot),
                None => return self.trip(HaltScope::All, level, why, out),
            }
        }
        for number in 0..self.instruments.len() as u32 {
            if self.has_symbol(number, symbol) {
                self.trip(HaltScope::Instrument(InstrumentId(number)), level, why, out);
            }
        }
    }

    /// The venue listed an instrument: a halt of its symbol that was there before holds for it.
    pub(super) fn trip_listed(&mut self, number: u32, symbol: Symbol, out: &mut Output) {
        let Latch { level, why } = self.latches.of_symbol(symbol);
        if level > HaltLevel::Active {
            self.trip(HaltScope::Instrument(InstrumentId(number)), level, why, out);
        }
    }

    /// Books that do not add up halt their account where they are kept: tells everybody, and cancels.
    pub(super) fn trip_broken(&mut self, account: AccountId, out: &mut Output) {
        let scope = HaltScope::Account(account);
        let Some(level) = self.risk.halt(scope) else { return };
        if level > self.latches.of(scope).level {
            let why = Why::of(HaltCause::Invariant);
            out.halts.mark(self.latches.set(scope, Latch { level, why }));
            self.trip(scope, level, why, out);
        }
    }

    /// Accounts that lost more than they may halt, until somebody resumes them: what reduces a position still passes, unless
    /// the account says that nothing shall.
    pub(super) fn trip_losses(&mut self, out: &mut Output) {
        while let Some((account, level, cause)) = self.risk.take_loss() {
            self.trip(HaltScope::Account(account), level, Why::of(cause), out);
        }
    }

    /// Lowers a level if all that it takes holds; orders that the halt cancelled stay cancelled.
    pub(super) fn resume(
        &mut self,
        scope: HaltScope,
        level: HaltLevel,
        why: Why,
        out: &mut Output,
    ) -> Result<(), ResumeRefusal> {
        let outcome = self.may_resume(scope, level);
        match outcome {
            Ok(()) => self.lower(scope, level, why, out),
            Err(refusal) => {
                self.show_halt(TapeKind::ResumeRefused, scope, refusal.code(), None, out)
            }
        }
        outcome
    }

    /// The same for every instrument of a symbol.
    pub(super) fn resume_symbol(
        &mut self,
        symbol: Symbol,
        level: HaltLevel,
        why: Why,
        out: &mut Output,
    ) -> Result<(), ResumeRefusal> {
        self.may_resume_symbol(symbol, level)?;
        let latch = self.latches.of_symbol(symbol);
        if latch.level > level {
            let why = Why { cause: latch.why.cause, ..why };
            self.latches
                .set_symbol(symbol, Latch { level, why })
                .into_iter()
                .for_each(|slot| out.halts.mark(slot));
        }
        for number in 0..self.instruments.len() as u32 {
            let scope = HaltScope::Instrument(InstrumentId(number));
            if self.has_symbol(number, symbol) && self.risk.halt(scope) > Some(level) {
                self.lower(scope, level, why, out);
            }
        }
        Ok(())
    }

    /// The level that stands for a symbol: the highest of its instruments, and what is remembered. `None`: nobody ever
    /// spoke of it.
    pub(super) fn symbol_halt(&self, symbol: Symbol) -> Option<HaltLevel> {
        let remembered = self.latches.of_symbol(symbol).level;
        let of = |number: &u32| self.has_symbol(*number, symbol);
        let instruments = (0..self.instruments.len() as u32).filter(of);
        let level = |number| self.risk.halt(HaltScope::Instrument(InstrumentId(number)));
        let highest = instruments.filter_map(level).max();
        highest.map_or((remembered > HaltLevel::Active).then_some(remembered), |highest| {
            Some(highest.max(remembered))
        })
    }

    pub(super) fn has_symbol(&self, number: u32, symbol: Symbol) -> bool {
        self.instruments.get(number).is_some_and(|listed| listed.instrument.symbol == symbol)
    }

    fn lower(&mut self, scope: HaltScope, level: HaltLevel, why: Why, out: &mut Output) {
        let cause = self.latches.of(scope).why.cause;
        self.risk.set_halt(scope, level);
        if let HaltScope::Account(account) = scope {
            self.risk.allow_executions(account); // Who resumes it has seen what it did.
            self.triggers.clear(account);
        }
        out.halts.mark(self.latches.set(scope, Latch { level, why: Why { cause, ..why } }));
        show_board(scope, out);
        self.show_halt(TapeKind::Resumed, scope, level.code(), Some(cause), out);
    }

    fn show_halt(
        &self,
        kind: TapeKind,
        scope: HaltScope,
        code: u8,
        cause: Option<HaltCause>,
        out: &mut Output,
    ) {
        let (account, instrument) = match scope {
            HaltScope::Account(account) => (account, InstrumentId(0)),
            HaltScope::Instrument(instrument) => (AccountId(0), instrument),
            HaltScope::All | HaltScope::Strategy(_) | HaltScope::Desk(_) => {
                (AccountId(0), InstrumentId(0))
            }
        };
        let aux = halt_aux(scope, cause);
        out.record(TapeRecord { code, aux, account, instrument, ..self.record(kind) });
    }
}

/// The halt of an instrument is on its page.
fn show_board(scope: HaltScope, out: &mut Output) {
    if let HaltScope::Instrument(instrument) = scope {
        out.boards.mark(instrument.0);
    }
}
