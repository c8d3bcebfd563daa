use model::page::Permission;
use model::{
    AccountId, Announced, Currency, Finding, HaltLevel, Money, Order, Origin, Reject, Ts, Verdict,
};

use super::notional;
use crate::account::Account;
use crate::ledger::Risk;
use crate::limits::DEPTH_MAX;
use crate::market::{Basket, Market, Moment};
use crate::money::WORTH_MAX;
use crate::path::AccountChain;
use crate::reservation::Reservation;
use crate::view::{Node, View, Way};

/// Refuses a leg with which its basket comes to more than its asker announced, or than the account allows; and one of no
/// basket that is open. In money, whatever the sides: each leg counts as `notional` counts it. New terms of a leg that was
/// sent are those of any order.
///
/// A basket whose units were taken for money is so refused before any of it is sent (FCA, final notice to Citigroup Global
/// Markets, May 2024; RTS 6, article 15(1)(b)).
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    if order.basket().is_none() || view.way == Way::Replace {
        return Finding::holds(Reject::Basket, true);
    }
    let used = notional::used(order, view, node);
    leg(view.moment.basket, node.account, view.listing.money, used)
}

#[cold]
fn leg(basket: Option<Basket>, account: &Account, currency: Currency, used: i128) -> Finding {
    let Some(basket) = basket else { return Finding::holds(Reject::Basket, false) };
    let amount = |money| account.amount(currency, money);
    let sum = basket.others.0.saturating_add(used);
    let announced = amount(basket.announced.0);
    let most = account.limits.basket_max.map_or(announced, |max| announced.min(max.0));
    Finding::at_most(Reject::Basket, amount(sum), most)
}

impl Risk {
    /// Judges a basket that is announced. Nothing of it is reserved: each of its legs passes the whole list.
    #[cold]
    pub fn announce(
        &self,
        account: AccountId,
        origin: Origin,
        basket: &Announced,
        moment: Moment,
    ) -> Verdict {
        let path = self.path(account);
        let limits = self.account(account).map(|account| &account.limits);
        let may_ask = limits.is_some_and(|limits| {
            let is_open = limits.clients || !matches!(origin, Origin::Desk(_));
            is_open && limits.permission != Permission::Read
        });
        let halt = self.halts.of(origin).max(self.halt_on(path));
        let is_one = (1..=Announced::LEGS_MAX).contains(&basket.legs) && basket.money.0 > 0;
        let mut verdict = Verdict::pass();
        for (code, holds) in [
            (Reject::UnknownAccount, limits.is_some()),
            (Reject::NotPermitted, may_ask),
            (Reject::Halted, halt < HaltLevel::CancelOnly),
            (Reject::Overflow, basket.money.0 < WORTH_MAX),
            (Reject::JournalFull, !moment.journal_full),
            (Reject::Capacity, !moment.tables_full),
            (Reject::AuditFull, !moment.audit_full),
            (Reject::Reconciling, !moment.reconciling),
            (Reject::Unsupported, is_one),
        ] {
            verdict.fold(Finding::holds(code, holds));
        }
        let currency = limits.map_or([0; 8], |limits| limits.currency);
        let findings = path.iter().filter_map(|id| {
            let account = self.account(id)?;
            let used = account.amount(currency, basket.money.0);
            Some(Finding::at_most(Reject::Basket, used, account.limits.basket_max?.0))
        });
        if let Some(tightest) = findings.min_by_key(Finding::headroom) {
            verdict.fold(tightest);
        }
        verdict
    }

    /// What a leg counts in its basket: the most that it can trade for, on any account of its path.
    #[cold]
    pub fn worth(&self, order: &Order, market: &Market, now: Ts) -> Money {
        let nothing = Reservation::closed(order);
        let moment = Moment::at(now);
        let chain = AccountChain::new(self, order.account, order.instrument);
        let view = View::new(&chain, order, &nothing, Way::New, market, &moment);
        let nodes = view.nodes(order).take(DEPTH_MAX);
        Money(nodes.map(|node| notional::used(order, &view, &node)).max().unwrap_or(i128::MAX))
    }
}
