//! The kill switch: halt levels of everything, an account, an instrument, a strategy, a desk. The effective one is the
//! highest.

use model::{AccountId, HaltLevel, HaltScope, InstrumentId, Origin};

use crate::account::Losses;
use crate::ledger::Risk;
use crate::path::Path;

/// Levels that hang on no account and no instrument.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Halts {
    /// Of everything.
    pub(crate) all: HaltLevel,
    /// By the strategy's place.
    #[serde(with = "model::snapshot::array")]
    strategies: [HaltLevel; 256],
    /// By the desk's number.
    #[serde(with = "model::snapshot::array")]
    desks: [HaltLevel; 256],
}

impl Halts {
    pub(crate) const ACTIVE: Halts = Halts {
        all: HaltLevel::Active,
        strategies: [HaltLevel::Active; 256],
        desks: [HaltLevel::Active; 256],
    };

    /// The higher one of everything's level and that of whoever asks: one look-up.
    #[inline]
    pub(crate) fn of(&self, origin: Origin) -> HaltLevel {
        let own = match origin {
            Origin::Strategy(place) => self.strategies.get(usize::from(place)),
            Origin::Desk(desk) => self.desks.get(usize::from(desk.0)),
            Origin::File => None,
        };
        own.map_or(self.all, |own| self.all.max(*own))
    }
}

impl Risk {
    /// The level that was set for this scope alone; `None` if the scope does not exist.
    pub fn halt(&self, scope: HaltScope) -> Option<HaltLevel> {
        match scope {
            HaltScope::All => Some(self.halts.all),
            HaltScope::Account(id) => self.account(id).map(|account| account.halt),
            HaltScope::Instrument(id) => self.listing(id).map(|listing| listing.halt),
            HaltScope::Strategy(place) => self.halts.strategies.get(usize::from(place)).copied(),
            HaltScope::Desk(desk) => self.halts.desks.get(usize::from(desk.0)).copied(),
        }
    }

    /// The level that applies to an order of this account in this instrument, asked for by `origin`.
    pub fn effective_halt(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        origin: Origin,
    ) -> HaltLevel {
        let listing = self.listing(instrument).map_or(HaltLevel::Active, |listing| listing.halt);
        self.halts.of(origin).max(self.halt_on(self.path(account))).max(listing)
    }

    /// The highest level of the accounts of a path.
    pub(crate) fn halt_on(&self, path: Path) -> HaltLevel {
        let accounts = path.iter().filter_map(|id| self.account(id));
        accounts.map(|account| account.halt).max().unwrap_or(HaltLevel::Active)
    }

    /// Whether what `account` does counts on `above`: it is that account, or beneath it.
    pub fn counts_on(&self, account: AccountId, above: AccountId) -> bool {
        self.path(account).iter().any(|id| id == above)
    }

    /// The accounts that an order of this one counts on: its own first, then upwards.
    pub fn counted_on(&self, account: AccountId) -> impl Iterator<Item = AccountId> + use<> {
        let path = self.path(account);
        path.accounts()
    }

    /// Sets a level, up or down: the operator's way. Whether it changed anything; a scope that does not exist
    /// is left alone.
    pub fn set_halt(&mut self, scope: HaltScope, level: HaltLevel) -> bool {
        let place = match scope {
            HaltScope::All => Some(&mut self.halts.all),
            HaltScope::Account(id) => self.accounts.get_mut(usize::from(id.0)).map(|a| &mut a.halt),
            HaltScope::Instrument(id) => {
                self.listings.get_mut(id.0 as usize).map(|listing| &mut listing.halt)
            }
            HaltScope::Strategy(place) => self.halts.strategies.get_mut(usize::from(place)),
            HaltScope::Desk(desk) => self.halts.desks.get_mut(usize::from(desk.0)),
        };
        let Some(place) = place.filter(|place| **place != level) else { return false };
        let lowers = level < *place;
        *place = level;
        if lowers {
            self.tell_losses_again(scope, level);
        }
        self.note_halt(scope);
        true
    }

    /// Raises a level, never lowers it: the way of requests. Whether it changed anything.
    pub fn raise_halt(&mut self, scope: HaltScope, level: HaltLevel) -> bool {
        self.halt(scope).is_some_and(|standing| standing < level) && self.set_halt(scope, level)
    }

    /// A halt of an account that is lowered is raised again by the next change if the loss is still there.
    fn tell_losses_again(&mut self, scope: HaltScope, level: HaltLevel) {
        let HaltScope::Account(id) = scope else { return };
        self.catch_up();
        let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
        if level == HaltLevel::Active {
            account.resume();
        }
        account.losses = Losses::Due;
    }

    /// Marks the accounts whose page shows the halt.
    fn note_halt(&mut self, scope: HaltScope) {
        match scope {
            HaltScope::All => {
                for number in 0..self.accounts.len() {
                    self.note_account(AccountId(number as u16));
                }
            }
            HaltScope::Account(above) => {
                for id in (0..self.accounts.len()).map(|number| AccountId(number as u16)) {
                    if self.counts_on(id, above) {
                        self.note_account(id);
                    }
                }
            }
            HaltScope::Instrument(_) | HaltScope::Strategy(_) | HaltScope::Desk(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use model::DeskId;

    use super::*;
    use crate::fixture::{ACCOUNT, Floor, INSTRUMENT};

    /// Goal: the highest scope counts; requests only tighten. Method: raise, try to lower, lower as operator.
    #[test]
    fn highest_counts_and_requests_only_tighten() {
        let mut floor = Floor::new();
        let risk = &mut floor.risk;
        let level = |risk: &Risk| risk.effective_halt(ACCOUNT, INSTRUMENT, Origin::File);
        assert!(risk.raise_halt(HaltScope::Instrument(INSTRUMENT), HaltLevel::ReduceOnly));
        assert!(risk.raise_halt(HaltScope::Account(ACCOUNT), HaltLevel::CancelOnly));
        assert_eq!(level(risk), HaltLevel::CancelOnly);
        assert!(!risk.raise_halt(HaltScope::Account(ACCOUNT), HaltLevel::Active));
        assert!(!risk.raise_halt(HaltScope::Account(AccountId(9)), HaltLevel::Halted));
        assert!(risk.set_halt(HaltScope::Account(ACCOUNT), HaltLevel::Active));
        assert_eq!(level(risk), HaltLevel::ReduceOnly);
        assert!(risk.set_halt(HaltScope::All, HaltLevel::Halted));
        assert_eq!(level(risk), HaltLevel::Halted);
        assert_eq!(risk.halt(HaltScope::Instrument(InstrumentId(u32::MAX))), None);
    }

    /// Goal: a halt of a strategy or a desk stops its orders and nobody else's, the highest number too. Method: halt one
    /// of each, ask for the level of every neighbour.
    #[test]
    fn halts_of_an_origin_are_its_own() {
        let mut floor = Floor::new();
        let risk = &mut floor.risk;
        assert!(risk.raise_halt(HaltScope::Strategy(255), HaltLevel::Halted));
        assert!(risk.raise_halt(HaltScope::Desk(DeskId(3)), HaltLevel::CancelOnly));
        let level = |origin| risk.effective_halt(ACCOUNT, INSTRUMENT, origin);
        assert_eq!(level(Origin::Strategy(255)), HaltLevel::Halted);
        assert_eq!(level(Origin::Desk(DeskId(3))), HaltLevel::CancelOnly);
        for other in [Origin::Strategy(3), Origin::Desk(DeskId(255)), Origin::File] {
            assert_eq!(level(other), HaltLevel::Active, "{other:?}");
        }
    }
}
