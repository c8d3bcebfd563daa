//! The list of checks, and the only way to a [`Cleared`] order.
//!
//! To add a check:
//! 1. write `gate/<name>.rs`: one pure function `check`, of an order like `gate/lot.rs`, or of an order on each
//!    account that it counts on like `gate/clip.rs`; always inlined, so that a number which no verdict needs is
//!    never worked out, and what is seldom needed in a cold function that is given no view, for one that is handed
//!    on lies in memory whole;
//! 2. give it a code of its own at the end of `model::Reject`;
//! 3. add its `mod` line and its line in [`each_check`];
//! 4. say in `explain.rs` what its numbers are, and when it is off;
//! 5. test it in `gate/tests` one below its limit, on it, and one beyond it.

mod adv;
mod audit_full;
mod basket;
mod below_filled;
mod book_not_live;
mod capacity;
mod cash;
mod change_pending;
mod clip;
mod clock_unsafe;
mod collar;
mod day_gross;
mod drawdown;
mod duplicate_id;
mod duplicate_terms;
mod executions;
mod gross;
mod halted;
mod journal_full;
mod loss;
mod lot;
mod margin;
mod needs_approval;
mod net;
mod no_limits;
mod no_reference;
mod not_open;
mod not_permitted;
mod notional;
mod open_orders;
mod order_to_trade;
mod overflow;
mod overslice;
mod position;
mod px_step;
mod rate;
mod reconciling;
mod reduce_only;
mod restricted;
mod self_trade;
mod short_sale;
mod spread;
mod stale;
#[cfg(test)]
mod tests;
mod too_late;
mod trigger;
mod unknown_account;
mod unknown_instrument;
mod unknown_order;
mod unsupported;
mod venue_band;
mod venue_halted;
mod volume;

use std::ops::ControlFlow;

use model::page::FINDINGS_MAX;
use model::{Finding, Order, OrderType, Px, Reject, Side, Ts, Verdict};

use crate::ids::{Recorded, Wording};
use crate::ledger::Risk;
use crate::limits::DEPTH_MAX;
use crate::market::{Market, Moment, twice};
use crate::path::AccountChain;
use crate::posting::Posting;
use crate::reservation::Reservation;
use crate::view::{Node, View, Way};
pub use needs_approval::Excess;
pub use unsupported::{Done, GATEWAYS};

/// What is said to a check's finding: go on, or ask no more.
pub(crate) const CONTINUE: ControlFlow<()> = ControlFlow::Continue(());
const STOP: ControlFlow<()> = ControlFlow::Break(());

/// Runs every check until `tell` wants no more: those of the order, then those of each account that it counts on.
/// Of a code that fails on several accounts, the verdict has the one that is exceeded most. `tell` hears on which
/// account a check looked; `None`: at the order.
#[inline(always)] // So that the view stays in registers, and what no check reads is never worked out.
pub(crate) fn each_check(
    order: &Order,
    view: &View<'_>,
    mut tell: impl FnMut(Option<&Node<'_>>, Finding) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut found = |finding| tell(None, finding);
    found(unknown_account::check(order, view))?;
    found(unknown_instrument::check(order, view))?;
    found(not_permitted::check(order, view))?;
    found(halted::check(order, view))?;
    found(venue_halted::check(order, view))?;
    found(book_not_live::check(order, view))?;
    found(px_step::check(order, view))?;
    found(lot::check(order, view))?;
    found(duplicate_id::check(order, view))?;
    found(cash::check(order, view))?;
    found(overflow::check(order, view))?;
    found(unknown_order::check(order, view))?;
    found(not_open::check(order, view))?;
    found(change_pending::check(order, view))?;
    found(journal_full::check(order, view))?;
    found(capacity::check(order, view))?;
    found(below_filled::check(order, view))?;
    found(audit_full::check(order, view))?;
    found(reconciling::check(order, view))?;
    found(duplicate_terms::check(order, view))?;
    found(unsupported::check(order, view))?;
    found(too_late::check(order, view))?;
    found(trigger::check(order, view))?;
    found(overslice::check(order, view))?;
    found(clock_unsafe::check(order, view))?;
    if view.way == Way::Parent {
        return each_check_of_parent(order, view, found);
    }
    for entry in view.entries() {
        let node = view.node(order, entry);
        let mut found = |finding| tell(Some(&node), finding);
        found(no_limits::check(order, view, &node))?;
        found(stale::check(order, view, &node))?;
        found(clip::check(order, view, &node))?;
        found(notional::check(order, view, &node))?;
        found(no_reference::check(order, view, &node))?;
        found(collar::check(order, view, &node))?;
        found(position::check(order, view, &node))?;
        found(gross::check(order, view, &node))?;
        found(open_orders::check(order, view, &node))?;
        found(rate::check(order, view, &node))?;
        found(day_gross::check(order, view, &node))?;
        found(net::check(order, view, &node))?;
        found(self_trade::check(order, view, &node))?;
        found(loss::check(order, view, &node))?;
        found(drawdown::check(order, view, &node))?;
        found(reduce_only::check(order, view, &node))?;
        found(restricted::check(order, view, &node))?;
        found(spread::check(order, view, &node))?;
        found(adv::check(order, view, &node))?;
        found(venue_band::check(order, view, &node))?;
        found(short_sale::check(order, view, &node))?;
        found(volume::check(order, view, &node))?;
        found(basket::check(order, view, &node))?;
        found(order_to_trade::check(order, view, &node))?;
        found(executions::check(order, view, &node))?;
        found(margin::check(order, view, &node))?;
        found(needs_approval::check(order, view, &node))?;
    }
    CONTINUE
}

/// The checks of each account that an order which is never sent must pass; its children pass all of them.
#[cold]
fn each_check_of_parent(
    order: &Order,
    view: &View<'_>,
    mut found: impl FnMut(Finding) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for node in view.nodes(order) {
        found(no_limits::check(order, view, &node))?;
        found(open_orders::check(order, view, &node))?;
        found(rate::check(order, view, &node))?;
        found(restricted::check(order, view, &node))?;
    }
    CONTINUE
}

/// What every check found, in the order of the codes: of several accounts the one that refuses, and of those
/// the one with the least headroom, the nearest first.
pub(crate) fn findings(order: &Order, view: &View<'_>) -> [Option<Finding>; FINDINGS_MAX] {
    let mut findings: [Option<Finding>; FINDINGS_MAX] = [None; FINDINGS_MAX];
    let _ = each_check(order, view, |_, finding| {
        let Some(place) = findings.get_mut(finding.code.slot()) else {
            return CONTINUE;
        };
        let urgency = |finding: &Finding| (!finding.failed, finding.headroom());
        if place.as_ref().is_none_or(|known| urgency(&finding) < urgency(known)) {
            *place = Some(finding);
        }
        CONTINUE
    });
    findings
}

/// The bits of the verdict alone: the numbers are not worked out.
pub(crate) fn failing(order: &Order, view: &View<'_>) -> u64 {
    let mut bits = 0;
    let _ = each_check(order, view, |_, finding| {
        if finding.failed {
            bits |= Verdict::bit(finding.code);
        }
        CONTINUE
    });
    bits
}

pub(crate) fn verdict_of(findings: &[Option<Finding>]) -> Verdict {
    let mut verdict = Verdict::pass();
    findings.iter().flatten().for_each(|finding| verdict.fold(*finding));
    verdict
}

/// A new order that the gate let through. Only the gate makes one, and it is not `Clone`: a gateway that
/// takes `Cleared` can send neither an unchecked order nor the same one twice.
///
/// ```compile_fail,E0451
/// fn forged(order: model::Order) -> risk::Cleared {
///     risk::Cleared { order }
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn doubled(cleared: &risk::Cleared) -> risk::Cleared {
///     cleared.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the order is reserved but not sent"]
pub struct Cleared {
    order: Order,
}

/// A replace that the gate let through; the order stands here with its new terms. As [`Cleared`], neither
/// made elsewhere nor copied.
///
/// ```compile_fail,E0451
/// fn forged(order: model::Order) -> risk::ClearedReplace {
///     risk::ClearedReplace { order }
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn doubled(cleared: &risk::ClearedReplace) -> risk::ClearedReplace {
///     cleared.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the change is reserved but not sent"]
pub struct ClearedReplace {
    order: Order,
}

impl Cleared {
    /// The order to send.
    pub fn order(&self) -> &Order {
        &self.order
    }
}

impl ClearedReplace {
    /// The order with the terms to ask for.
    pub fn order(&self) -> &Order {
        &self.order
    }
}

impl Risk {
    /// The price that an order without a limit of its own is judged, reserved and sent at: the worst one within the collar of
    /// every account of its path, and within the venue's band, on the price step. Of a stop, the collar around its trigger.
    /// `None`: there is none, and the gate refuses the order.
    pub fn collar_px(&self, order: &Order, market: &Market, now: Ts) -> Option<Px> {
        let listing = self.listing(order.instrument)?;
        let band = listing.reference.band;
        let step = i128::from(listing.px_step.0);
        let path = self.path(order.account);
        let mut edges = path.iter().take(DEPTH_MAX).map(|id| {
            let limits = self.limits(self.pair(id, order.instrument)?)?;
            let reference2 = match order.order_type {
                OrderType::Stop => twice(order.conditions.stop_px)?,
                _ => market.reference2(limits, now)?,
            };
            let edge = collar::edge(order.side, limits, reference2);
            Some(match (limits.venue_band, band, order.side) {
                (true, Some((_, highest)), Side::Buy) => edge.min(highest.0.into()),
                (true, Some((lowest, _)), Side::Sell) => edge.max(lowest.0.into()),
                _ => edge,
            })
        });
        let first = edges.next()??;
        let edge = edges.try_fold(first, |tightest, edge| {
            Some(match order.side {
                Side::Buy => edge?.min(tightest),
                Side::Sell => edge?.max(tightest),
            })
        })?;
        let px = match order.side {
            Side::Buy => edge.min(i64::MAX.into()).div_euclid(step.max(1)) * step,
            Side::Sell => ((edge - 1).div_euclid(step.max(1)) * step + step).max(step),
        };
        i64::try_from(px).ok().filter(|px| *px > 0).map(Px)
    }

    /// Judges a new order. If it passes, it holds its share of the limits from here on, whatever becomes of
    /// it: the reservation is to be kept beside the order. Passed or refused, it counts in the rate and its
    /// client order id is used.
    ///
    /// Cancels need no leave: there is no such call for them.
    ///
    /// # Errors
    ///
    /// The verdict, with every failed check; nothing is reserved.
    pub fn clear(
        &mut self,
        order: Order,
        market: &Market,
        moment: Moment,
    ) -> Result<(Cleared, Reservation), Verdict> {
        let posting = self.rule(&order, None, Way::New, market, &moment)?;
        let held = self.hold(&Reservation::closed(&order), posting);
        Ok((Cleared { order }, held))
    }

    /// Judges a stop, a leg of a basket, or an order that is never sent: what passes waits in the engine. It holds its share of
    /// the limits as [`Risk::clear`] says; with `instead_of`, the order whose place it takes at its trigger, nothing, and is
    /// judged as if that one held nothing; and nothing either if it is never sent.
    ///
    /// # Errors
    ///
    /// The verdict, with every failed check; nothing is reserved.
    pub fn clear_held(
        &mut self,
        order: &Order,
        instead_of: Option<&Reservation>,
        market: &Market,
        moment: Moment,
    ) -> Result<Reservation, Verdict> {
        let mut held = Reservation::closed(order);
        let (seen, way) = way_of(order, &held, instead_of);
        let posting = self.rule(order, Some(seen), way, market, &moment)?;
        self.post(&mut held, posting);
        Ok(held)
    }

    /// Judges a stop that is triggered, as the order that it is now, or a leg of a basket that is complete: the whole list once
    /// more, as if it held nothing. Its id is its own, and it counted in the rate, in the volume and among orders of the same
    /// terms when it was asked for, so that those neither count it again nor refuse it.
    ///
    /// # Errors
    ///
    /// The verdict, with every failed check; `held` is as it was.
    pub fn clear_triggered(
        &mut self,
        order: Order,
        held: &mut Reservation,
        market: &Market,
        moment: Moment,
    ) -> Result<Cleared, Verdict> {
        let posting = self.rule(&order, Some(held), Way::Trigger, market, &moment)?;
        self.post(held, posting);
        Ok(Cleared { order })
    }

    /// Judges new terms of an open order: `order` is that order with the new price, total quantity and client
    /// order id. The whole list runs as if the old terms held nothing; if it passes, the order holds what the
    /// dearer of both terms needs until the venue has answered. Every replace counts in the rate and uses its
    /// client order id, as a new order does.
    ///
    /// # Errors
    ///
    /// The verdict, with every failed check; `held` is as it was.
    pub fn clear_replace(
        &mut self,
        order: Order,
        held: &mut Reservation,
        market: &Market,
        moment: Moment,
    ) -> Result<ClearedReplace, Verdict> {
        let posting = self.rule(&order, Some(held), Way::Replace, market, &moment)?;
        self.post(held, posting);
        Ok(ClearedReplace { order })
    }

    /// What [`Risk::clear`] would say to a new order now, and every check with its numbers. Consumes nothing.
    pub fn check(
        &self,
        order: &Order,
        market: &Market,
        moment: Moment,
    ) -> (Verdict, [Option<Finding>; FINDINGS_MAX]) {
        self.check_instead(order, None, market, moment)
    }

    /// The same of an order that waits in the engine, as [`Risk::clear_held`] judges it.
    pub fn check_instead(
        &self,
        order: &Order,
        instead_of: Option<&Reservation>,
        market: &Market,
        moment: Moment,
    ) -> (Verdict, [Option<Finding>; FINDINGS_MAX]) {
        let held = Reservation::closed(order);
        let (seen, way) = way_of(order, &held, instead_of);
        let chain = AccountChain::new(self, order.account, order.instrument);
        let view = View::new(&chain, order, seen, way, market, &moment);
        let mut findings = findings(order, &view);
        let verdict = verdict_of(&findings);
        for finding in &mut findings {
            *finding = finding.filter(|f| f.failed || is_of_new_orders(f.code));
        }
        (verdict, findings)
    }

    /// What was said to this new order when it came before, word for word: to be asked before
    /// [`Risk::clear`], which takes every used id for a duplicate. `None`: its id was not used, or for
    /// something else.
    pub fn recorded(&self, order: &Order) -> Option<Recorded> {
        self.account(order.account)?.ids.recorded(order.client_id, Wording::new(order, false))
    }

    /// The same of a replace, before [`Risk::clear_replace`].
    pub fn recorded_replace(&self, order: &Order) -> Option<Recorded> {
        self.account(order.account)?.ids.recorded(order.client_id, Wording::new(order, true))
    }

    /// Judges and counts; on a pass, what is to be reserved. Everything that can fail comes before the first change of the
    /// books.
    #[inline(always)] // As each_check; and new orders do not pay for what only replaces need.
    fn rule(
        &mut self,
        order: &Order,
        held: Option<&Reservation>,
        way: Way,
        market: &Market,
        moment: &Moment,
    ) -> Result<Posting, Verdict> {
        self.settle_marks(order.account);
        self.settle_rates(order.account, moment.now);
        let nothing = Reservation::closed(order);
        let chain = AccountChain::new(self, order.account, order.instrument);
        let view = View::new(&chain, order, held.unwrap_or(&nothing), way, market, moment);
        let stops_at = |finding: Finding| if finding.failed { STOP } else { CONTINUE };
        let judged = each_check(order, &view, |_, finding| stops_at(finding));
        let (CONTINUE, Some(posting)) = (judged, view.posting(order)) else {
            return Err(self.refuse(order, held, way, market, moment));
        };
        let View { id, same_terms, notional, opens_lines, .. } = view;
        self.note_request(order, way, moment.now, (id, same_terms), Verdict::pass(), notional);
        if opens_lines {
            self.open_lines(order.account, order.instrument);
        }
        Ok(posting)
    }

    /// The verdict on an order that some check refuses, counted. It looks at everything again: the hot path asks no more of a
    /// check than whether it fails, and so never works out the numbers that only a refusal needs.
    #[cold]
    fn refuse(
        &mut self,
        order: &Order,
        held: Option<&Reservation>,
        way: Way,
        market: &Market,
        moment: &Moment,
    ) -> Verdict {
        let nothing = Reservation::closed(order);
        let chain = AccountChain::new(self, order.account, order.instrument);
        let view = View::new(&chain, order, held.unwrap_or(&nothing), way, market, moment);
        let verdict = match verdict_of(&findings(order, &view)) {
            // What cannot be posted is refused, whatever the checks say of it.
            verdict if verdict.primary.is_none() => Verdict::refuse(Reject::Overflow),
            verdict => verdict,
        };
        let places = (view.id, view.same_terms);
        self.note_request(order, way, moment.now, places, verdict, None);
        verdict
    }
}

/// Whether a check can fail for an order that replaces none.
pub(crate) fn is_of_new_orders(code: Reject) -> bool {
    use Reject::{BelowFilled, ChangePending, NotOpen, UnknownOrder};
    !matches!(code, UnknownOrder | NotOpen | ChangePending | BelowFilled)
}

/// How a new order comes to the gate, and beside what it is judged.
#[inline(always)]
pub(crate) fn way_of<'a>(
    order: &Order,
    own: &'a Reservation,
    instead_of: Option<&'a Reservation>,
) -> (&'a Reservation, Way) {
    match instead_of {
        Some(other) => (other, Way::Linked),
        None if order.conditions.parent_only => (own, Way::Parent),
        None => (own, Way::New),
    }
}
