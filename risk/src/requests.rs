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

#[cfg(test)]
mod tests {
    use model::{Order, OrderType, Px, Side};

    use crate::fixture::{ACCOUNT, Floor};

    /// Goal: every request is counted, passed or refused; of a triggered stop only that it is refused. Method: each of them,
    /// twice.
    #[test]
    fn each_is_counted() {
        let mut floor = Floor::new();
        let counted = |floor: &Floor| {
            let now = floor.moment.now;
            let page = floor.risk.account_page(ACCOUNT, Default::default(), now).unwrap();
            (page.orders_passed, page.orders_refused, page.rate_used)
        };
        let stop = floor.order(Side::Buy, 1, 1_000_500);
        let mut stop = Order { order_type: OrderType::StopLimit, ..stop };
        stop.conditions.stop_px = Px(1_000_200);
        let mut held = floor.risk.clear_held(&stop, None, &floor.market, floor.moment).unwrap();
        let fired = Order { order_type: OrderType::Limit, ..stop };
        assert_eq!(counted(&floor), (1, 0, 1));
        for refused in 1..=2 {
            floor.moment.journal_full = true;
            let order = floor.order(Side::Buy, 1, 1_000_000);
            assert!(floor.clear(order).is_err());
            assert_eq!(counted(&floor), (1, 2 * refused - 1, 1 + refused as u32));
            let again = floor.risk.clear_triggered(fired, &mut held, &floor.market, floor.moment);
            assert!(again.is_err());
            assert_eq!(counted(&floor), (1, 2 * refused, 1 + refused as u32));
        }
        floor.moment.journal_full = false;
        assert!(floor.risk.clear_triggered(fired, &mut held, &floor.market, floor.moment).is_ok());
        assert_eq!(counted(&floor), (1, 4, 3));
    }
}
