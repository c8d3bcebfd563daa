//! What a request counts on every account of its path, passed or refused.

use model::{AccountId, Money, Order, Ts};

use crate::ledger::Risk;

impl Risk {
    /// Lets what left the windows of an account and of all above it be forgotten once, not at each look.
    #[inline]
    pub(crate) fn settle_rates(&mut self, id: AccountId, now: Ts) {
        for id in self.path(id).iter() {
            if let Some(account) = self.accounts.get_mut(usize::from(id.0)) {
                account.rate.settle(now);
            }
        }
    }

    /// A triggered stop was counted as it was asked for; only that it is refused now is news.
    pub(crate) fn count_trigger(&mut self, id: AccountId, passed: bool) {
        for id in self.path(id).iter() {
            let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
            account.refused += u64::from(!passed);
            self.note_account(id);
        }
    }

    /// Counts a request on every account of its path; `passed`: its money if it passed.
    pub(crate) fn count(
        &mut self,
        order: &Order,
        now: Ts,
        is_replace: bool,
        passed: Option<Money>,
    ) {
        let currency = self.money_of(order.instrument);
        for id in self.path(order.account).iter() {
            let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
            account.rate.count(now, account.rate.used(now));
            account.orders += if is_replace { 2 } else { 1 };
            match passed {
                Some(notional) => {
                    account.passed += 1;
                    if account.limits.volume.is_some() {
                        account.volume.count(now, Money(account.amount(currency, notional.0)));
                    }
                }
                None => account.refused += 1,
            }
            self.note_account(id);
        }
    }
}
