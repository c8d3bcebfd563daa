//! What comes back from the venue: the order, its reservation, the position.
//!
//! Reports of the paper venue come within the step that caused them, once and in order. Those of a venue outside are inputs
//! and may be late, doubled and out of order: `execution.rs` is what trades do, `venue.rs` what is asked of a venue and
//! believed of it. What an order holds is only ever freed by the venue's word that it ended, and then not for the fills that
//! the venue counts and we have not seen.

use model::page::{TapeKind, TapeRecord};
use model::{
    BasketEnd, DeskId, HaltCause, HaltLevel, HaltScope, Order, OrderId, OrderState, Origin, Qty,
    Report, ReportKind, Why,
};

use super::Engine;
use super::venue::Outside;
use crate::baskets::Basket;
use crate::orders::{GivenBack, Restated};
use crate::output::Output;

impl Engine {
    /// Applies what the paper venue has to say: mostly nothing, which is all that is looked at here.
    #[inline]
    pub(super) fn settle(&mut self, out: &mut Output) {
        if self.paper.has_news() || self.triggers.has_due() {
            self.settle_news(out);
        }
    }

    #[inline(never)]
    fn settle_news(&mut self, out: &mut Output) {
        while let Some((order, instrument)) = self.paper.take_spent() {
            if let Some(books) = self.books.get(self.feed_index(instrument)) {
                self.paper.show_again(order, books);
            }
        }
        while let Some(report) = self.paper.take_report() {
            self.hash.fold_words(&report.to_words());
            self.apply(&report, out);
        }
        if self.triggers.has_due() {
            self.trip_due(out);
        }
    }

    /// Applies one report to its order.
    pub(super) fn apply(&mut self, report: &Report, out: &mut Output) {
        // What waits in the engine is at no venue: whoever speaks of it speaks of something else.
        let known = self.orders.get_mut(report.order).filter(|record| !record.life.is_held());
        let Some(record) = known else {
            self.on_stranger(report, out);
            return;
        };
        record.ts_updated = self.now;
        let account = record.order.account;
        let kind = match report.kind {
            ReportKind::Ack => {
                record.life.ack();
                Some(TapeKind::Working)
            }
            ReportKind::Fill => self.on_fill(report, out),
            ReportKind::Bust => self.on_bust(report, out),
            ReportKind::Cancelled => self.end(report, OrderState::Cancelled, out),
            ReportKind::Expired => self.end(report, OrderState::Expired, out),
            ReportKind::Rejected => self.end(report, OrderState::Rejected, out),
            ReportKind::NotFound => self.end(report, OrderState::Rejected, out),
            ReportKind::NotSent => self.on_not_sent(report, out),
            ReportKind::Replaced => self.on_replaced(report),
            ReportKind::ReplaceRejected => self.on_replace_rejected(report),
            ReportKind::CancelRejected => self.on_cancel_rejected(report, out),
            ReportKind::Restated => self.on_restated(report, out),
            ReportKind::Position => None,
        };
        if kind.is_some() {
            self.count_report(account, report.kind);
        }
        self.show_report(report, kind, out);
    }

    /// The order ended: frees what it holds, but for fills that the venue counted and that have not come.
    fn end(&mut self, report: &Report, state: OrderState, out: &mut Output) -> Option<TapeKind> {
        let record = self.orders.get_mut(report.order)?;
        let known = record.filled;
        let missing = report.cum.map_or(0, |cum| cum.0.saturating_sub(known.0)).max(0);
        let never_lived = matches!(report.kind, ReportKind::Rejected | ReportKind::NotFound);
        let traded = known.0 > 0 || missing > 0;
        let impossible = match record.life.done() {
            Some(_) => missing > 0,
            None => never_lived && (traded || record.life.is_acked()),
        };
        let (id, account, was_done) = (record.order.id, record.order.account, record.life.done());
        let mut ended_as = state;
        if was_done.is_none() && !(report.kind == ReportKind::NotFound && impossible) {
            let state = match (state, record.life.leaving()) {
                (OrderState::Cancelled, Some(leaving)) => leaving,
                _ if traded && never_lived => OrderState::Cancelled,
                _ => state,
            };
            ended_as = state;
            let total = Qty(record.filled.0.saturating_add(missing));
            let holds = missing > 0 && self.risk.ending(&mut record.reservation, total).is_ok();
            record.life.end(state, holds);
            if !holds {
                self.risk.release(&mut record.reservation);
            }
        }
        if impossible {
            self.mismatch(account, id, out);
        }
        was_done.is_none().then_some(match ended_as {
            OrderState::Expired => TapeKind::Expired,
            OrderState::Rejected => TapeKind::VenueRefused,
            _ => TapeKind::Cancelled,
        })
    }

    /// The gateway gave something back: an order that never left, or a change of it.
    fn on_not_sent(&mut self, report: &Report, out: &mut Output) -> Option<TapeKind> {
        if report.change == 0 {
            let rejected = Report { cum: None, ..*report };
            self.end(&rejected, OrderState::Rejected, out)?;
            return Some(TapeKind::NotSent);
        }
        let record = self.orders.get_mut(report.order)?;
        let back = record.life.give_back(report.change)?;
        if back == GivenBack::Replace && !record.life.has_ended() {
            self.drop_replace(report.order);
        }
        Some(TapeKind::NotSent)
    }

    /// The venue took new terms, which are the truth even if they are not those that were asked for.
    fn on_replaced(&mut self, report: &Report) -> Option<TapeKind> {
        let record = self.orders.get_mut(report.order)?;
        record.life.ack();
        record.life.answer_replace(report.change).filter(|_| !record.life.has_ended())?;
        self.take_terms(report);
        Some(TapeKind::Replaced)
    }

    /// The order has the terms that the venue says. If that leaves nothing open it ends with the fills that the venue counted.
    fn take_terms(&mut self, report: &Report) {
        let Some(record) = self.orders.get_mut(report.order) else { return };
        (record.order.px, record.order.qty) = (report.px, report.qty);
        let change = record.life.replacing().map(|change| (change.px, change.qty));
        let filled = report.cum.unwrap_or_default().max(record.filled);
        let held = &mut record.reservation;
        // Terms that do not fit the books halt the account: `restated` saw to it.
        let terms = (report.px, report.qty.max(filled));
        let fits = self.risk.restated(held, terms, change).is_ok();
        if fits && !held.is_open() {
            record.life.finish();
        } else if change.is_none() && filled >= report.qty {
            record.life.end(OrderState::Filled, true);
        }
    }

    fn on_replace_rejected(&mut self, report: &Report) -> Option<TapeKind> {
        let record = self.orders.get_mut(report.order)?;
        record.life.ack();
        record.life.answer_replace(report.change).filter(|_| !record.life.has_ended())?;
        self.drop_replace(report.order);
        Some(TapeKind::VenueRefused)
    }

    /// The old terms stand alone again.
    fn drop_replace(&mut self, order: OrderId) {
        let Some(record) = self.orders.get_mut(order) else { return };
        let fits = self.risk.replace_rejected(&mut record.reservation).is_ok();
        if fits && !record.reservation.is_open() {
            record.life.finish();
        }
    }

    /// A venue refuses to cancel what is not there any more. How it ended may never have come, so it is asked. It also refuses
    /// while a cross is under way: what has to go is asked for again, but not before the deadline of an answer, for else a
    /// venue that refuses would be asked without pause.
    fn on_cancel_rejected(&mut self, report: &Report, out: &mut Output) -> Option<TapeKind> {
        let record = self.orders.get_mut(report.order)?;
        record.life.refuse_cancel(report.change).then_some(())?;
        let has_ended = record.life.has_ended();
        if !has_ended && self.outside.is_some() && self.has_to_go(report.order) {
            self.orders.get_mut(report.order)?.life.wait_to_cancel();
        } else if !has_ended {
            self.ask_status(report.order, out);
        }
        Some(TapeKind::VenueRefused)
    }

    /// Where the venue says that the order stands.
    fn on_restated(&mut self, report: &Report, out: &mut Output) -> Option<TapeKind> {
        let record = self.orders.get_mut(report.order)?;
        let belongs = |o: &&mut Outside| o.in_round && u64::from(o.round) == report.exec_id;
        let round = self.outside.as_mut().filter(belongs);
        let in_round = round.is_some();
        if let Some(outside) = round {
            outside.restated += u32::from(record.life.mention(outside.round));
        }
        if record.life.done().is_some() {
            // Told before the end that we know of; or the venue did not speak of it when it should have, and then it must go.
            if record.life.is_presumed() {
                self.send_cancel(report.order, 0, out);
            }
            return None;
        }
        let restated = record.life.restate(report.change, in_round);
        if restated == Restated::Stale || record.life.has_ended() {
            return None;
        }
        self.take_terms(report);
        // A cancel that went down with its session, or that a halt asked for and the venue refused, is asked again.
        if restated == Restated::CancelLost || self.has_to_go(report.order) {
            self.cancel_order(report.order, out);
        }
        Some(TapeKind::Restated)
    }

    /// Whether the order has to end, or a halt lets nothing of it stand.
    fn has_to_go(&self, order: OrderId) -> bool {
        self.orders.get(order).is_some_and(|record| {
            let Order { account, instrument, origin, .. } = record.order;
            let halt = self.risk.effective_halt(account, instrument, origin);
            self.stopping || record.life.leaving().is_some() || halt == HaltLevel::Halted
        })
    }

    /// Shows what became of an order, if anything did, and settles what is awaited of it.
    pub(super) fn show_report(
        &mut self,
        report: &Report,
        kind: Option<TapeKind>,
        out: &mut Output,
    ) {
        let now = self.now;
        let Some(record) = self.orders.get_mut(report.order) else { return };
        let was_open = record.state.is_open();
        record.state = record.life.state(record.filled);
        let (state, account, id) = (record.state, record.order.account, record.order.id);
        if let Some(outside) = &mut self.outside {
            match record.life.is_pending() {
                true if kind.is_some() => outside.deadlines.set(id, now),
                true => {}
                false => outside.deadlines.lift(id),
            }
        }
        self.hash.fold_pair(state.code().into(), record.filled.0.cast_unsigned());
        self.fold_account(account);
        self.show_order(kind, report, out);
        self.recount(id, out);
        if was_open && !state.is_open() {
            self.on_closed(id, out);
            self.orders.release(id);
        }
        out.orders.mark(id.slot() as u32);
        self.trip_broken(account, out);
    }

    /// One line on the tape about an order.
    pub(super) fn show_order(&self, kind: Option<TapeKind>, report: &Report, out: &mut Output) {
        let (Some(kind), Some(record)) = (kind, self.orders.get(report.order)) else { return };
        let Order { id, account, instrument, side, .. } = record.order;
        let (px, qty) = match report.kind {
            ReportKind::Fill | ReportKind::Bust | ReportKind::Replaced | ReportKind::Restated => {
                (report.px, report.qty)
            }
            _ => (record.order.px, record.leaves()),
        };
        let (order, side, aux) = (id, Some(side), report.exec_id);
        let bare = self.record(kind);
        out.record(TapeRecord { side, account, instrument, order, px, qty, aux, ..bare });
    }

    /// The venue's books are not ours: the account stops until somebody has looked.
    pub(super) fn mismatch(&mut self, account: model::AccountId, order: OrderId, out: &mut Output) {
        let bare = self.record(TapeKind::Mismatch);
        out.record(TapeRecord { account, order, ..bare });
        let why = Why::of(HaltCause::PositionMismatch);
        self.trip(HaltScope::Account(account), HaltLevel::Halted, why, out);
    }

    /// Folds what becomes of an account: once, however often it moves before another one does.
    pub(super) fn fold_account(&mut self, account: model::AccountId) {
        if self.moved != Some(account) {
            self.fold_moved();
            self.moved = Some(account);
        }
    }

    /// Folds the account that is still to be.
    pub(super) fn fold_moved(&mut self) {
        if let Some(account) = self.moved.take() {
            let hash = &mut self.hash;
            self.risk.fold_account(account, |first, second| hash.fold_pair(first, second));
        }
    }

    /// Another run begins: no client of the one before is there, and what journal, audit log, clock and venues are to it is
    /// still to be said.
    pub(super) fn begin_run(&mut self, epoch: u32, out: &mut Output) {
        self.orders.begin_epoch(epoch);
        (self.journal_full, self.audit_full, self.stopping) = (false, false, false);
        self.triggers.begin_run();
        self.lose_session(out);
        self.end_baskets(BasketEnd::AskerGone, out, |_| true);
        self.cancel_orphans(None, out);
    }

    /// Whether the audit log takes no more.
    pub fn is_audit_full(&self) -> bool {
        self.audit_full
    }

    /// Whether the engine was asked to stop: nothing new passes.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// The engine was asked to stop: nothing new passes from here on, and nothing stays open.
    pub(super) fn begin_stop(&mut self, out: &mut Output) {
        self.stopping = true;
        self.cancel_all(out, |_, _| true);
    }

    /// A client is gone.
    pub(super) fn on_desk_closed(&mut self, desk: DeskId, out: &mut Output) {
        let is_his = |basket: &Basket| basket.origin == Origin::Desk(desk);
        self.end_baskets(BasketEnd::AskerGone, out, is_his);
        self.cancel_orphans(Some(desk), out);
    }

    /// Cancels the orders of a client that is gone (`None`: of every client), on accounts that want it so.
    pub(super) fn cancel_orphans(&mut self, desk: Option<DeskId>, out: &mut Output) {
        self.end_all(out, |order, engine| {
            let orphan = match (order.origin, desk) {
                (Origin::Desk(of), Some(desk)) => of == desk,
                (Origin::Desk(_), None) => true,
                _ => false,
            };
            orphan
                && engine
                    .rules
                    .accounts
                    .get(usize::from(order.account.0))
                    .is_none_or(|account| account.cancel_on_disconnect)
        });
    }

    /// Cancels every open order that `chosen` names, whatever becomes of one cancel: nobody asks for another.
    pub(super) fn end_all(&mut self, out: &mut Output, chosen: impl Fn(&Order, &Engine) -> bool) {
        for slot in 0..self.orders.used() {
            let Some(record) = self.orders.at(slot).filter(|record| record.state.is_open()) else {
                continue;
            };
            let (id, order) = (record.order.id, record.order);
            if chosen(&order, self) {
                let record = self.orders.get_mut(id);
                record.into_iter().for_each(|record| record.life.leave(OrderState::Cancelled));
                self.cancel_order(id, out);
            }
        }
        self.settle(out);
    }

    /// Cancels every open order that `chosen` names.
    pub(super) fn cancel_all(
        &mut self,
        out: &mut Output,
        chosen: impl Fn(&Order, &Engine) -> bool,
    ) {
        for slot in 0..self.orders.used() {
            let Some(record) = self.orders.at(slot) else { continue };
            let id = record.order.id;
            if record.state.is_open() && chosen(&record.order, self) {
                self.cancel_order(id, out);
            }
        }
        self.settle(out);
    }
}
