//! Slices of limits: where several engines share an account, each in instruments of its own, each has a slice of every limit
//! that counts over instruments. The gate judges by the slice as by any limit. That all slices together are within the limit
//! is the business of whoever moves them; that a slice never falls below what is used is decided here, in the step.
//! `CREDIT.md` says which limits are shared, and why the sum holds.

use model::{AccountId, CreditKind, Money, Ts};

use crate::ledger::Risk;
use crate::limits::{AccountLimits, VolumeLimit};
use crate::money::{WORTH_MAX, half_up};

/// Which one of how many engines share the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Share {
    number: u16,
    count: u16,
}

/// A slice, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Most that may be used here, in units of [`Money`] or a number.
    pub slice: i128,
    /// What the check counts now, before another order; not negative. Of a rate at most the whole limit.
    pub used: i128,
}

impl Share {
    /// One engine has all of it.
    pub const WHOLE: Share = Share { number: 0, count: 1 };

    /// The `number`-th, from zero, of `count`; `None` if there is none such.
    pub const fn new(number: u16, count: u16) -> Option<Share> {
        if number < count { Some(Share { number, count }) } else { None }
    }

    /// Whether nothing is shared.
    pub const fn is_whole(self) -> bool {
        self.count == 1
    }

    /// The equal part of a total that is not negative; the first one has what does not divide.
    ///
    /// ```
    /// use risk::Share;
    /// let parts = [0, 1, 2].map(|number| Share::new(number, 3).unwrap().of(11));
    /// assert_eq!(parts, [5, 3, 3]);
    /// ```
    pub const fn of(self, total: i128) -> i128 {
        let count = self.count as i128;
        total / count + if self.number == 0 { total % count } else { 0 }
    }
}

impl AccountLimits {
    /// A limit that is shared in slices, in units of [`Money`] or a number; `None`: it is off.
    pub fn credit(&self, limit: CreditKind) -> Option<i128> {
        match limit {
            CreditKind::Gross => Some(self.gross_max.0),
            CreditKind::Net => self.net_max.map(|max| max.0),
            CreditKind::DayGross => self.day_gross_max.map(|max| max.0),
            CreditKind::Loss => self.loss_max.map(|max| max.0),
            CreditKind::OpenOrders => Some(self.open_orders_max.into()),
            CreditKind::Rate => Some(self.rate_max.into()),
            CreditKind::Volume => self.volume.map(|volume| volume.max.0),
            CreditKind::Executions => self.executions_max.map(i128::from),
        }
    }

    /// Puts another number in the place of one that is on; `None`: it is off, or the number is none for it.
    fn set_credit(&mut self, limit: CreditKind, to: i128) -> Option<()> {
        let money = Some(Money(to)).filter(|_| (0..WORTH_MAX / 2).contains(&to));
        match limit {
            CreditKind::Gross => self.gross_max = money?,
            CreditKind::Net => *self.net_max.as_mut()? = money?,
            CreditKind::DayGross => *self.day_gross_max.as_mut()? = money?,
            CreditKind::Loss => *self.loss_max.as_mut()? = money?,
            CreditKind::OpenOrders => self.open_orders_max = u32::try_from(to).ok()?,
            CreditKind::Rate => self.rate_max = u32::try_from(to).ok()?,
            CreditKind::Volume => {
                let VolumeLimit { max, .. } = self.volume.as_mut()?;
                *max = money?;
            }
            CreditKind::Executions => *self.executions_max.as_mut()? = u32::try_from(to).ok()?,
        }
        Some(())
    }

    /// The equal part of everything that is shared, and of the cash.
    pub(crate) fn part(&self, share: Share) -> AccountLimits {
        let mut part = AccountLimits { cash: Money(share.of(self.cash.0)), ..*self };
        for limit in CreditKind::ALL {
            if let Some(total) = self.credit(*limit) {
                part.set_credit(*limit, share.of(total));
            }
        }
        part
    }

    /// What an engine that has these slices of the limits `old` has of these limits, which are the new ones. A limit that became
    /// tighter leaves it at most its equal part, so that all slices are within it as soon as every engine has it; of one that
    /// became looser it has what it had, and the rest is to be given out.
    pub(crate) fn part_after(
        &self,
        old: &AccountLimits,
        slices: &AccountLimits,
        share: Share,
    ) -> AccountLimits {
        let mut part = self.part(share);
        for limit in CreditKind::ALL {
            let (was, is) = (old.credit(*limit), self.credit(*limit));
            if let (Some(was), Some(is), Some(slice)) = (was, is, slices.credit(*limit)) {
                let equal = share.of(is);
                part.set_credit(*limit, if is < was { slice.min(equal) } else { slice });
            }
        }
        part
    }
}

impl Risk {
    /// Makes this one of several engines that share the accounts. To be called before the first is added: each then begins with
    /// its equal part.
    pub fn share(&mut self, share: Share) {
        self.share = share;
    }

    /// A slice of an account, at engine time `now`, and what is used of it at the marks that the account was counted at last.
    /// Where nothing is shared it is the limit. `None`: no such account, or the limit is off.
    pub fn credit(&self, id: AccountId, limit: CreditKind, now: Ts) -> Option<Credit> {
        let account = self.account(id)?;
        let slice = account.limits.credit(limit)?;
        let used = match limit {
            CreditKind::Gross => half_up(account.worth().gross2).0,
            CreditKind::Net => {
                let worth = account.worth();
                half_up(worth.long2.max(worth.short2)).0
            }
            CreditKind::DayGross => account.day(account.limits.currency, 0),
            CreditKind::Loss => half_up(account.lost2(account.present_profit2())).0,
            CreditKind::OpenOrders => account.open_orders.into(),
            CreditKind::Rate => account.rate.used(now).into(),
            CreditKind::Volume => account.volume.used(now).0,
            CreditKind::Executions => account.executions.into(),
        };
        Some(Credit { slice, used: used.max(0) })
    }

    /// Gives an account another slice of a limit, from the next order on. More is taken as it is; less only down to what is used
    /// at this moment, and what is used beyond the slice already leaves it where it is. The slice that the account has then;
    /// `None`: nothing is shared here, there is no such account, the limit is off, or the number is none for it. Never allocates.
    pub fn set_credit(
        &mut self,
        id: AccountId,
        limit: CreditKind,
        to: i128,
        now: Ts,
    ) -> Option<i128> {
        if self.share.is_whole() {
            return None;
        }
        self.settle_marks(id);
        let Credit { slice, used } = self.credit(id, limit, now)?;
        let next = if to < slice { to.max(used.min(slice)) } else { to };
        let account = self.accounts.get_mut(usize::from(id.0))?;
        if limit == CreditKind::Rate && next > account.rate.max().into() {
            return None; // The window could not tell whether so many came.
        }
        account.limits.set_credit(limit, next)?;
        self.note_account(id);
        Some(next)
    }
}

#[cfg(test)]
mod tests;
