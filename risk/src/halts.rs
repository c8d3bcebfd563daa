//! The kill switch: halt levels of everything, an account, an instrument. The effective one is the highest.

use model::{AccountId, HaltLevel, HaltScope, InstrumentId};

use crate::ledger::Risk;

impl Risk {
    /// The level that was set for this scope alone; `None` if the scope does not exist.
    pub fn halt(&self, scope: HaltScope) -> Option<HaltLevel> {
        match scope {
            HaltScope::All => Some(self.halt),
            HaltScope::Account(id) => self.account(id).map(|account| account.halt),
            HaltScope::Instrument(id) => self.listing(id).map(|listing| listing.halt),
        }
    }

    /// The level that applies to an order of this account in this instrument.
    pub fn effective_halt(&self, account: AccountId, instrument: InstrumentId) -> HaltLevel {
        let account = self.account(account).map_or(HaltLevel::Active, |account| account.halt);
        let listing = self.listing(instrument).map_or(HaltLevel::Active, |listing| listing.halt);
        self.halt.max(account).max(listing)
    }

    /// Sets a level, up or down: the operator's way. Whether it changed anything; a scope that does not exist
    /// is left alone.
    pub fn set_halt(&mut self, scope: HaltScope, level: HaltLevel) -> bool {
        let place = match scope {
            HaltScope::All => Some(&mut self.halt),
            HaltScope::Account(id) => self.accounts.get_mut(usize::from(id.0)).map(|a| &mut a.halt),
            HaltScope::Instrument(id) => {
                self.listings.get_mut(id.0 as usize).map(|listing| &mut listing.halt)
            }
        };
        let Some(place) = place.filter(|place| **place != level) else { return false };
        *place = level;
        self.note_halt(scope);
        true
    }

    /// Raises a level, never lowers it: the way of requests. Whether it changed anything.
    pub fn raise_halt(&mut self, scope: HaltScope, level: HaltLevel) -> bool {
        self.halt(scope).is_some_and(|standing| standing < level) && self.set_halt(scope, level)
    }

    /// Marks the accounts whose page shows the halt.
    fn note_halt(&mut self, scope: HaltScope) {
        match scope {
            HaltScope::All => {
                for number in 0..self.accounts.len() {
                    self.note_account(AccountId(number as u16));
                }
            }
            HaltScope::Account(id) => self.note_account(id),
            HaltScope::Instrument(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{ACCOUNT, Floor, INSTRUMENT};

    /// Goal: the highest scope counts; requests only tighten. Method: raise, try to lower, lower as operator.
    #[test]
    fn highest_counts_and_requests_only_tighten() {
        let mut floor = Floor::new();
        let risk = &mut floor.risk;
        assert!(risk.raise_halt(HaltScope::Instrument(INSTRUMENT), HaltLevel::ReduceOnly));
        assert!(risk.raise_halt(HaltScope::Account(ACCOUNT), HaltLevel::CancelOnly));
        assert_eq!(risk.effective_halt(ACCOUNT, INSTRUMENT), HaltLevel::CancelOnly);
        assert!(!risk.raise_halt(HaltScope::Account(ACCOUNT), HaltLevel::Active));
        assert!(!risk.raise_halt(HaltScope::Account(AccountId(9)), HaltLevel::Halted));
        assert!(risk.set_halt(HaltScope::Account(ACCOUNT), HaltLevel::Active));
        assert_eq!(risk.effective_halt(ACCOUNT, INSTRUMENT), HaltLevel::ReduceOnly);
        assert!(risk.set_halt(HaltScope::All, HaltLevel::Halted));
        assert_eq!(risk.effective_halt(ACCOUNT, INSTRUMENT), HaltLevel::Halted);
        assert_eq!(risk.halt(HaltScope::Instrument(InstrumentId(u32::MAX))), None);
    }
}
