//! Orders that were refused for a soft limit alone and wait for an operator's word, and those that have it.
//!
//! An approval is of one order's terms, once, until a time: the asker sends the order again, and it passes the gate as any other
//! but for the soft limits. Nothing here can loosen another check.

use model::{
    AccountId, Conditions, InstrumentId, Order, OrderId, OrderType, Px, Qty, Side, Tif, Ts,
};
use risk::Excess;

use crate::output::Dirty;

/// Orders that wait or are approved, at most.
pub const APPROVALS_MAX: usize = 64;
/// Orders of one account that wait, at most: one more takes the place of its oldest, so that no account fills the table.
const WAITING_PER_ACCOUNT: usize = 8;

/// What an approval is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sought {
    /// Who pays.
    pub account: AccountId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How it is priced.
    pub order_type: OrderType,
    /// How long it lives.
    pub tif: Tif,
    /// What else is asked of it: one that may only reduce is another one without that.
    pub conditions: Conditions,
    /// The order that it changes; zero: it is a new one.
    pub replaces: OrderId,
    /// At most this quantity, in quantity units; of a change the whole new one.
    pub qty: Qty,
    /// At this price or, of a buy, a lower, of a sale, a higher one; in price units.
    pub px: Px,
}

impl Sought {
    /// What this order, or this change of the order `replaces`, needs.
    pub fn of(order: &Order, replaces: OrderId) -> Sought {
        let Order { account, instrument, side, order_type, tif, conditions, qty, px, .. } = *order;
        Sought { account, instrument, side, order_type, tif, conditions, replaces, qty, px }
    }

    /// Whether an approval of this covers `other`, but for its quantity.
    fn covers(&self, other: &Sought) -> bool {
        let no_worse = match self.side {
            Side::Buy => other.px <= self.px,
            Side::Sell => other.px >= self.px,
        };
        no_worse && Sought { qty: self.qty, px: self.px, ..*other } == *self
    }
}

/// One order that waits, or is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Approval {
    /// Its number, by which it is approved; never used again within a journal.
    pub number: u32,
    /// Its terms.
    pub sought: Sought,
    /// Which soft limits it is beyond: the approval is of no other.
    pub excess: Excess,
    /// Since when it waits: engine time.
    pub since: Ts,
    /// Until when it may come again; `None`: nobody approved it.
    pub until: Option<Ts>,
}

/// All of them.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Approvals {
    #[serde(with = "model::snapshot::table")]
    slots: Vec<Option<Approval>>,
    /// The last number.
    last: u32,
    /// How many are approved, those whose time is over among them.
    granted: u32,
}

impl Default for Approvals {
    fn default() -> Approvals {
        Approvals { slots: vec![None; APPROVALS_MAX], last: 0, granted: 0 }
    }
}

impl Approvals {
    /// What is in a slot.
    pub fn at(&self, slot: u32) -> Option<Approval> {
        self.slots.get(slot as usize).copied().flatten()
    }

    /// The one of this number.
    pub fn get(&self, number: u32) -> Option<&Approval> {
        self.slots.iter().flatten().find(|approval| approval.number == number)
    }

    /// Whether any is approved.
    #[inline]
    pub fn has_granted(&self) -> bool {
        self.granted > 0
    }

    /// The largest quantity that is approved of an order like this one, which is beyond `excess` now; zero: none.
    #[cold]
    pub fn allows(&self, sought: &Sought, excess: Excess, now: Ts) -> Qty {
        let valid = self.valid(sought, excess, now).map(|approval| approval.sought.qty);
        valid.max().unwrap_or(Qty(0))
    }

    fn valid(&self, sought: &Sought, excess: Excess, now: Ts) -> impl Iterator<Item = &Approval> {
        let in_time = move |approval: &&Approval| approval.until.is_some_and(|until| now <= until);
        let all = self.slots.iter().flatten().filter(in_time);
        all.filter(move |approval| approval.excess.covers(excess) && approval.sought.covers(sought))
    }

    /// The number under which an order waits; `None`: it does not.
    pub fn waiting(&self, sought: &Sought) -> Option<u32> {
        self.at(self.place(sought)? as u32).map(|approval| approval.number)
    }

    /// Where an order waits.
    fn place(&self, sought: &Sought) -> Option<usize> {
        self.slots.iter().position(|slot| {
            slot.is_some_and(|approval| approval.until.is_none() && approval.sought == *sought)
        })
    }

    /// Lets an order wait, if it does not already. The number by which it can be approved; zero: the table is full of orders
    /// that are.
    #[cold]
    pub fn seek(&mut self, sought: Sought, excess: Excess, now: Ts, changed: &mut Dirty) -> u32 {
        let known = self.place(&sought);
        let before = known.and_then(|slot| self.at(slot as u32));
        if let Some(approval) = before.filter(|approval| approval.excess.covers(excess)) {
            return approval.number;
        }
        // Beyond more than an operator may have looked at: it waits under another number.
        let Some(slot) = known.or_else(|| self.room(sought.account, now)) else { return 0 };
        let Some(number) = self.last.checked_add(1) else { return 0 };
        self.last = number;
        self.put(slot, Some(Approval { number, sought, excess, since: now, until: None }), changed);
        number
    }

    /// Where the next order of an account can wait: its own oldest place if it has as many as it may, else a free one, one
    /// whose time is over, the oldest that waits.
    fn room(&self, account: AccountId, now: Ts) -> Option<usize> {
        let oldest = |of: &dyn Fn(&Approval) -> bool| {
            let all = self.slots.iter().enumerate();
            let all = all.filter_map(|(slot, approval)| approval.map(|approval| (slot, approval)));
            let first = all.filter(|(_, approval)| of(approval)).min_by_key(|(_, a)| a.number);
            first.map(|(slot, _)| slot)
        };
        let waits = |approval: &Approval| approval.until.is_none();
        let own = |approval: &Approval| waits(approval) && approval.sought.account == account;
        if self.slots.iter().flatten().filter(|a| own(a)).count() >= WAITING_PER_ACCOUNT {
            return oldest(&own);
        }
        let free = self.slots.iter().position(Option::is_none);
        free.or_else(|| oldest(&|approval| approval.until.is_some_and(|until| until < now)))
            .or_else(|| oldest(&waits))
    }

    /// Approves what waits under this number, until `until`. `false`: nothing does.
    #[must_use]
    pub fn grant(&mut self, number: u32, until: Ts, changed: &mut Dirty) -> bool {
        let waits = |approval: &Approval| approval.number == number && approval.until.is_none();
        let Some(slot) = self.slots.iter().position(|slot| slot.as_ref().is_some_and(waits)) else {
            return false;
        };
        let approval = self.at(slot as u32).map(|a| Approval { until: Some(until), ..a });
        self.put(slot, approval, changed);
        true
    }

    /// Uses up the approval under which an order passed: the oldest that covers it. Its number; zero: there is none.
    #[cold]
    pub fn take(&mut self, sought: &Sought, excess: Excess, now: Ts, changed: &mut Dirty) -> u32 {
        let enough = |approval: &&Approval| approval.sought.qty >= sought.qty;
        let valid = self.valid(sought, excess, now).filter(enough);
        let oldest = valid.map(|approval| approval.number).min();
        let Some(number) = oldest else { return 0 };
        let is = |slot: &Option<Approval>| slot.is_some_and(|approval| approval.number == number);
        if let Some(slot) = self.slots.iter().position(is) {
            self.put(slot, None, changed);
        }
        number
    }

    /// Forgets all of them: a split makes other quantities and prices of the same terms.
    #[cold]
    pub fn clear(&mut self, changed: &mut Dirty) {
        for slot in 0..self.slots.len() {
            if self.at(slot as u32).is_some() {
                self.put(slot, None, changed);
            }
        }
    }

    fn put(&mut self, slot: usize, approval: Option<Approval>, changed: &mut Dirty) {
        let is_granted =
            |approval: Option<Approval>| u32::from(approval.is_some_and(|a| a.until.is_some()));
        let Some(place) = self.slots.get_mut(slot) else { return };
        self.granted = self.granted - is_granted(*place) + is_granted(approval);
        *place = approval;
        changed.mark(slot as u32);
    }
}

#[cfg(test)]
mod tests;
