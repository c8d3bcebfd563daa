//! Every halt and its reason, by what it stops: what readers, the latch file and `tickgate status` are told. The levels
//! themselves are where the gate looks, in `risk`.

use model::{AccountId, DeskId, HaltCause, HaltLevel, HaltScope, InstrumentId, Symbol, Why};

/// Symbols whose halt can be remembered before the venue lists them.
const SYMBOLS_MAX: usize = 256;
/// Numbers of strategies, and of desks.
const ORIGINS: usize = 256;

const STRATEGIES: usize = 1;
const DESKS: usize = STRATEGIES + ORIGINS;
const SYMBOLS: usize = DESKS + ORIGINS;
const ACCOUNTS: usize = SYMBOLS + SYMBOLS_MAX;

/// What a latch stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// A scope of the gate.
    Scope(HaltScope),
    /// Every instrument of a symbol, listed or still to be listed.
    Symbol(Symbol),
}

/// A level and why it is that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Latch {
    /// The level; [`HaltLevel::Active`]: nothing is stopped.
    pub level: HaltLevel,
    /// Why; without meaning while nothing is stopped.
    pub why: Why,
}

impl Latch {
    /// Why it stops something; `None`: it stops nothing.
    pub fn cause(&self) -> Option<HaltCause> {
        (self.level > HaltLevel::Active).then_some(self.why.cause)
    }

    fn active() -> Latch {
        Latch { level: HaltLevel::Active, why: Why::of(HaltCause::Human) }
    }
}

/// All latches of an engine, in slots: the numbers under which [`crate::output::Output::halts`] names them.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Latches {
    #[serde(with = "model::snapshot::table")]
    slots: Vec<Latch>,
    /// Of the slots from [`SYMBOLS`] on.
    #[serde(with = "model::snapshot::array")]
    symbols: [Symbol; SYMBOLS_MAX],
    accounts: usize,
}

impl Latches {
    /// Room for these; nothing allocates afterwards.
    pub fn new(accounts: usize, instruments: usize) -> Latches {
        let slots = vec![Latch::active(); ACCOUNTS + accounts + instruments];
        Latches { slots, symbols: [Symbol::default(); SYMBOLS_MAX], accounts }
    }

    /// Bytes that [`Latches::new`] takes.
    pub(crate) fn bytes(accounts: usize, instruments: u32) -> u64 {
        ((ACCOUNTS + accounts + instruments as usize) * size_of::<Latch>()) as u64
    }

    /// Slots.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no slot: never.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A slot, and what it stops.
    pub fn at(&self, slot: u32) -> Option<(Stopped, Latch)> {
        let at = slot as usize;
        let latch = *self.slots.get(at)?;
        let scope = if at < STRATEGIES {
            HaltScope::All
        } else if at < DESKS {
            HaltScope::Strategy((at - STRATEGIES) as u8)
        } else if at < SYMBOLS {
            HaltScope::Desk(DeskId((at - DESKS) as u8))
        } else if at < ACCOUNTS {
            return Some((Stopped::Symbol(*self.symbols.get(at - SYMBOLS)?), latch));
        } else if at < ACCOUNTS + self.accounts {
            HaltScope::Account(AccountId((at - ACCOUNTS) as u16))
        } else {
            HaltScope::Instrument(InstrumentId((at - ACCOUNTS - self.accounts) as u32))
        };
        Some((Stopped::Scope(scope), latch))
    }

    /// Every slot that stops something.
    pub fn in_force(&self) -> impl Iterator<Item = u32> + '_ {
        let in_force = |(slot, latch): (usize, &Latch)| {
            (latch.level > HaltLevel::Active).then_some(slot as u32)
        };
        self.slots.iter().enumerate().filter_map(in_force)
    }

    /// The latch of a scope; none in force if the scope does not exist.
    pub fn of(&self, scope: HaltScope) -> Latch {
        let slot = self.slot(scope);
        self.slots.get(slot as usize).copied().unwrap_or_else(Latch::active)
    }

    /// Sets a latch. Its slot.
    pub(crate) fn set(&mut self, scope: HaltScope, latch: Latch) -> u32 {
        let slot = self.slot(scope);
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = latch;
        }
        slot
    }

    /// What is remembered of a symbol; none in force if nothing is.
    pub(crate) fn of_symbol(&self, symbol: Symbol) -> Latch {
        let slot = self.symbol_slot(symbol).and_then(|slot| self.slots.get(slot));
        slot.copied().unwrap_or_else(Latch::active)
    }

    /// Remembers a symbol's latch. Its slot; `None`: there is no room to remember another symbol.
    pub(crate) fn set_symbol(&mut self, symbol: Symbol, latch: Latch) -> Option<u32> {
        let is_free = |slot: &usize| {
            self.slots.get(*slot).is_some_and(|latch| latch.level == HaltLevel::Active)
        };
        let slot = self.symbol_slot(symbol).or_else(|| (SYMBOLS..ACCOUNTS).find(is_free))?;
        *self.symbols.get_mut(slot - SYMBOLS)? = symbol;
        *self.slots.get_mut(slot)? = latch;
        Some(slot as u32)
    }

    fn symbol_slot(&self, symbol: Symbol) -> Option<usize> {
        self.symbols.iter().position(|known| *known == symbol).map(|place| SYMBOLS + place)
    }

    /// Beyond every slot if the scope does not exist.
    pub(crate) fn slot(&self, scope: HaltScope) -> u32 {
        let slot = match scope {
            HaltScope::All => 0,
            HaltScope::Strategy(place) => STRATEGIES + usize::from(place),
            HaltScope::Desk(desk) => DESKS + usize::from(desk.0),
            HaltScope::Account(id) if usize::from(id.0) < self.accounts => {
                ACCOUNTS + usize::from(id.0)
            }
            HaltScope::Account(_) => return u32::MAX,
            HaltScope::Instrument(id) => ACCOUNTS + self.accounts + id.0 as usize,
        };
        u32::try_from(slot).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: no two scopes share a slot, and each slot names its scope. Method: set the first and last of every kind, read
    /// every slot in force.
    #[test]
    fn slots_are_distinct() {
        let mut latches = Latches::new(3, 5);
        let halted = Latch { level: HaltLevel::Halted, ..Latch::active() };
        let scopes = [
            HaltScope::All,
            HaltScope::Strategy(0),
            HaltScope::Strategy(255),
            HaltScope::Desk(DeskId(0)),
            HaltScope::Desk(DeskId(255)),
            HaltScope::Account(AccountId(0)),
            HaltScope::Account(AccountId(2)),
            HaltScope::Instrument(InstrumentId(0)),
            HaltScope::Instrument(InstrumentId(4)),
        ];
        for (count, scope) in scopes.into_iter().enumerate() {
            assert_eq!(latches.of(scope).level, HaltLevel::Active, "{scope:?}");
            let slot = latches.set(scope, halted);
            assert_eq!(latches.at(slot), Some((Stopped::Scope(scope), halted)));
            assert_eq!(latches.in_force().count(), count + 1);
        }
        for beyond in [HaltScope::Account(AccountId(3)), HaltScope::Instrument(InstrumentId(5))] {
            let slot = latches.set(beyond, halted);
            assert_eq!((latches.at(slot), latches.of(beyond)), (None, Latch::active()));
        }
    }

    /// Goal: symbols are remembered up to the bound, and a symbol that was resumed makes room. Method: fill, add one more,
    /// free one, add it again.
    #[test]
    fn symbols_are_bounded() {
        let mut latches = Latches::new(1, 1);
        let halted = Latch { level: HaltLevel::Halted, ..Latch::active() };
        let name = |n: usize| Symbol::new(&format!("S{n}")).unwrap();
        for n in 0..SYMBOLS_MAX {
            assert!(latches.set_symbol(name(n), halted).is_some(), "{n}");
        }
        assert!(latches.set_symbol(name(0), halted).is_some(), "known already");
        assert_eq!(latches.set_symbol(name(SYMBOLS_MAX), halted), None);
        assert!(latches.set_symbol(name(7), Latch::active()).is_some());
        assert!(latches.set_symbol(name(SYMBOLS_MAX), halted).is_some());
        assert_eq!(latches.of_symbol(name(SYMBOLS_MAX)), halted);
        assert_eq!(latches.of_symbol(name(7)), Latch::active());
    }
}
