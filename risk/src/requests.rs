//! What a request counts on every account of its path, passed or refused.

use model::{AccountId, Money, Order, Ts, Verdict};

use crate::ids::{Place, Recorded, Wording};
use crate::ledger::{Risk, note_account};
use crate::same_terms::Seen;
use crate::view::Way;

impl Risk {
    /// Forgets which client order ids were used: only where no order is real, for a request that comes again is taken for
    /// another one then.
    pub fn forget_ids(&mut self) {
        self.accounts.iter_mut().for_each(|account| account.ids.forget());
    }

    /// Lets what left the windows of an account and of all above it be forgotten once, not at each look.
    #[inline]
    pub(crate) fn settle_rates(&mut self, id: AccountId, now: Ts) {
        for id in self.path(id).iter() {
            if let Some(account) = self.accounts.get_mut(usize::from(id.0)) {
                account.rate.settle(now);
            }
        }
    }

    /// Records a request that was judged, where the gate looked its id and its terms up, and counts it; `notional` is its money
    /// if it passed.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn note_request(
        &mut self,
        order: &Order,
        way: Way,
        now: Ts,
        (id, same_terms): (Place, Seen),
        verdict: Verdict,
        notional: Option<Money>,
    ) {
        if way == Way::Trigger {
            return self.count_trigger(order.account, verdict.passed());
        }
        let is_replace = way == Way::Replace;
        if let Some(account) = self.accounts.get_mut(usize::from(order.account.0)) {
            let recorded = Recorded { order: order.id, verdict };
            account.ids.record(id, order.client_id, Wording::new(order, is_replace), recorded);
            account.same_terms.count(same_terms, order, now);
        }
        let notional = if way == Way::Parent { Some(Money::ZERO) } else { notional };
        self.count(order, now, is_replace, notional.filter(|_| verdict.passed()));
    }

    /// A triggered stop was counted as it was asked for; only that it is refused now is news.
    fn count_trigger(&mut self, id: AccountId, passed: bool) {
        for id in self.path(id).iter() {
            let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
            account.refused += u64::from(!passed);
            self.note_account(id);
        }
    }

    /// Counts a request on every account of its path; `passed`: its money if it passed.
    #[inline(always)]
    fn count(&mut self, order: &Order, now: Ts, is_replace: bool, passed: Option<Money>) {
        let currency = self.money_of(order.instrument);
        for id in self.path(order.account).iter() {
            let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
            account.rate.count(now, account.rate.settled());
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
            note_account(account, id, &mut self.changed_accounts);
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
