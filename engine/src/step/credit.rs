//! Slices of limits that engines share, as an input: `risk/CREDIT.md`.

use model::{AccountId, CreditKind, Ts};
use risk::Credit;

use super::Engine;
use crate::output::Output;
use crate::treasury::View;

/// What became of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credited {
    /// Whose.
    pub account: AccountId,
    /// Of which limit.
    pub limit: CreditKind,
    /// The slice in force from here on; `None`: nothing changed.
    pub slice: Option<i128>,
    /// Engine time.
    pub at: Ts,
}

impl Engine {
    /// Takes another slice of a limit, never more than the whole, and leaves what it is now in `out`. A slice of other limits is
    /// none: it was worked out before somebody reloaded.
    pub(super) fn on_credit(
        &mut self,
        account: AccountId,
        limit: CreditKind,
        to: i128,
        version: u32,
        out: &mut Output,
    ) {
        let total = self.total(account, limit).filter(|_| version == self.limits_version);
        let slice =
            total.and_then(|total| self.risk.set_credit(account, limit, to.min(total), self.now));
        let folded = slice.unwrap_or(-1);
        self.hash.fold_pair(folded as u64, (folded >> 64) as u64);
        out.credited = Some(Credited { account, limit, slice, at: self.now });
    }

    /// A whole limit, of which engines may have slices, by the rules in force; `None`: no such account, or it is off.
    pub fn total(&self, account: AccountId, limit: CreditKind) -> Option<i128> {
        let rule = self.rules.accounts.get(usize::from(account.0))?;
        rule.limits(|name| self.rules.account(name))?.credit(limit)
    }

    /// What the treasury sees of a slice; `None`: there is no such account, or the limit is off.
    pub fn view(&self, account: AccountId, limit: CreditKind) -> Option<View> {
        let Credit { slice, used } = self.risk.credit(account, limit, self.now)?;
        let total = self.total(account, limit)?;
        let (seq, at, version) = (self.seq, self.now, self.limits_version);
        Some(View { seq, at, version, account, limit, total, slice, used })
    }
}
