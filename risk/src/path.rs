//! The accounts that an order counts on: its own first, then upwards.

use model::{AccountId, HaltLevel, InstrumentId};

use crate::account::Account;
use crate::ledger::{Pair, Risk};
use crate::limits::{DEPTH_MAX, PairLimits};
use crate::line::NO_SLOT;

/// Their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Path {
    accounts: [AccountId; DEPTH_MAX],
    depth: u8,
}

/// One of them, with what it has and may do in an instrument.
#[derive(Clone, Copy)]
pub(crate) struct ChainEntry<'a> {
    pub(crate) id: AccountId,
    /// The account; if it is not configured, one without rights and with every limit zero.
    pub(crate) account: &'a Account,
    /// Its pair; one that was never traded if there is none.
    pub(crate) pair: &'a Pair,
    /// What the operator allows the pair; `None`: nothing.
    pub(crate) limits: Option<&'a PairLimits>,
}

/// All of them, looked up once.
#[derive(Clone, Copy)]
pub(crate) struct AccountChain<'a> {
    pub(crate) risk: &'a Risk,
    entries: [ChainEntry<'a>; DEPTH_MAX],
    depth: u8,
    /// Their highest halt.
    pub(crate) halt: HaltLevel,
    /// How many of them have no place in the list of lines yet.
    pub(crate) missing: u8,
    /// Tops of the heaps of the prices that work beneath the one at the top, buys and sells.
    pub(crate) quotes: [u32; 2],
}

impl Path {
    /// Of an account without one above it.
    pub(crate) fn of(id: AccountId) -> Path {
        Path { accounts: [id; DEPTH_MAX], depth: 1 }
    }

    /// Of an account beneath those of `above`; `None` if they are too many.
    pub(crate) fn beneath(id: AccountId, above: Path) -> Option<Path> {
        let mut path = Path { depth: above.depth + 1, ..Path::of(id) };
        let places = path.accounts.get_mut(1..usize::from(path.depth))?;
        places.iter_mut().zip(above.accounts).for_each(|(place, id)| *place = id);
        Some(path)
    }

    /// The same, of its own.
    pub(crate) fn accounts(self) -> impl Iterator<Item = AccountId> {
        self.accounts.into_iter().take(self.depth.into())
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = AccountId> {
        self.accounts.get(..self.depth.into()).unwrap_or_default().iter().copied()
    }

    /// The account at the top: the owner.
    pub(crate) fn owner(&self) -> AccountId {
        let top = usize::from(self.depth).saturating_sub(1);
        self.accounts.get(top).copied().unwrap_or_default()
    }
}

impl<'a> AccountChain<'a> {
    /// The accounts that `account` counts on, in `instrument`.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn new(
        risk: &'a Risk,
        account: AccountId,
        instrument: InstrumentId,
    ) -> AccountChain<'a> {
        let own = ChainEntry::new(risk, account, instrument);
        let Path { accounts: [_, above @ ..], depth } = own.account.path;
        let (halt, missing, quotes) = (own.account.halt, own.is_missing(), own.pair.quotes);
        let mut chain =
            AccountChain { risk, entries: [own; DEPTH_MAX], depth, halt, missing, quotes };
        let [_, entries @ ..] = &mut chain.entries;
        for (entry, id) in entries.iter_mut().zip(above).take(usize::from(depth - 1)) {
            *entry = ChainEntry::new(risk, id, instrument);
            chain.halt = chain.halt.max(entry.account.halt);
            chain.missing += entry.is_missing();
            chain.quotes = entry.pair.quotes;
        }
        chain
    }

    #[inline(always)] // As gate::each_check.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ChainEntry<'a>> {
        self.entries.get(..self.depth.into()).unwrap_or_default().iter()
    }

    /// The one that the order itself is of.
    pub(crate) fn own(&self) -> &ChainEntry<'a> {
        let [own, ..] = &self.entries;
        own
    }
}

impl<'a> ChainEntry<'a> {
    #[inline(always)] // As gate::each_check.
    fn new(risk: &'a Risk, id: AccountId, instrument: InstrumentId) -> ChainEntry<'a> {
        let pair = risk.pair(id, instrument).unwrap_or(&Pair::EMPTY);
        let account = risk.account(id).unwrap_or(&risk.nobody);
        ChainEntry { id, account, pair, limits: risk.limits(pair) }
    }

    fn is_missing(&self) -> u8 {
        u8::from(self.pair.line.slot == NO_SLOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a path names the account, then all above it, as many as may be. Method: grow one to its end.
    #[test]
    fn paths_grow_upwards() {
        let mut path = Path::of(AccountId(0));
        for number in 1..DEPTH_MAX as u16 {
            path = Path::beneath(AccountId(number), path).unwrap();
            let expected: Vec<_> = (0..=number).rev().map(AccountId).collect();
            assert_eq!(path.iter().collect::<Vec<_>>(), expected);
            assert_eq!(path.owner(), AccountId(0));
        }
        assert_eq!(Path::beneath(AccountId(9), path), None);
    }
}
