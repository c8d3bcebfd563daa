//! What comes back from the venue: the order, its reservation, the position.

use model::page::{TapeKind, TapeRecord};
use model::{DeskId, Money, Order, OrderState, Origin, Qty, Report, ReportKind};

use super::Engine;
use crate::orders::OrderRecord;
use crate::output::Output;

impl Engine {
    /// Applies what the paper venue has to say.
    pub(super) fn settle(&mut self, out: &mut Output) {
        while let Some(report) = self.paper.take_report() {
            self.on_report(&report, out);
        }
        if self.triggers.has_due() {
            self.trip_due(out);
        }
    }

    /// Applies one report. One on an order that is not known changes nothing but is folded into the hash.
    pub(super) fn on_report(&mut self, report: &Report, out: &mut Output) {
        let [kind, order, exec_id, px, qty] = report.to_words();
        self.hash.fold_pair(kind ^ order << 8, exec_id);
        self.hash.fold_pair(px, qty);
        let now = self.now;
        let Some(record) = self.orders.get_mut(report.order) else { return };
        record.ts_updated = now;
        let account = record.order.account;
        let kind = match report.kind {
            ReportKind::Ack => {
                record.state = OrderState::Working;
                TapeKind::Working
            }
            ReportKind::Fill => {
                self.on_fill(report);
                TapeKind::Fill
            }
            ReportKind::Cancelled => {
                record.state = OrderState::Cancelled;
                self.risk.release(&mut record.reservation);
                TapeKind::Cancelled
            }
            ReportKind::Rejected => {
                record.state = OrderState::Rejected;
                self.risk.release(&mut record.reservation);
                TapeKind::VenueRefused
            }
            ReportKind::Replaced => {
                record.replacing = None;
                (record.order.px, record.order.qty) = (report.px, report.qty);
                record.state = OrderState::Working;
                // Terms that do not fit the books halt the account: `replaced` saw to it.
                let _ = self.risk.replaced(&mut record.reservation, report.px, report.qty);
                TapeKind::Replaced
            }
            ReportKind::ReplaceRejected => {
                record.replacing = None;
                back_to_work(record);
                let _ = self.risk.replace_rejected(&mut record.reservation);
                TapeKind::VenueRefused
            }
            ReportKind::CancelRejected => {
                back_to_work(record);
                TapeKind::VenueRefused
            }
        };
        self.count_report(account, report.kind);
        self.show_report(report, kind, out);
    }

    fn on_fill(&mut self, report: &Report) {
        let Some(record) = self.orders.get_mut(report.order) else { return };
        record.filled = Qty(record.filled.0.saturating_add(report.qty.0));
        let factor = self
            .instruments
            .get(record.order.instrument.0)
            .and_then(|l| l.instrument.money_factor());
        let amount = factor.and_then(|factor| Money::of(report.px, report.qty, factor));
        let notional = amount.and_then(|amount| record.notional_filled.plus(amount));
        record.notional_filled = notional.unwrap_or(record.notional_filled);
        if self.risk.fill(&mut record.reservation, report.px, report.qty).is_ok()
            && record.leaves().0 == 0
        {
            record.state = OrderState::Filled;
        }
        let account = record.order.account;
        self.count_fill(account, amount);
    }

    fn show_report(&mut self, report: &Report, kind: TapeKind, out: &mut Output) {
        let Some(record) = self.orders.get(report.order) else { return };
        let Order { id, account, instrument, side, .. } = record.order;
        self.hash.fold_pair(u64::from(record.state.code()), record.filled.0.cast_unsigned());
        self.fold_account(account);
        let Some(record) = self.orders.get(report.order) else { return };
        let (px, qty) = match report.kind {
            ReportKind::Fill | ReportKind::Replaced => (report.px, report.qty),
            _ => (record.order.px, record.leaves()),
        };
        let (order, side, aux) = (id, Some(side), report.exec_id);
        out.record(TapeRecord {
            side,
            account,
            instrument,
            order,
            px,
            qty,
            aux,
            ..self.record(kind)
        });
        self.orders.release(id);
        out.orders.mark(id.slot() as u32);
        self.trip_broken(account, out);
    }

    /// Folds what became of an account.
    pub(super) fn fold_account(&mut self, account: model::AccountId) {
        let hash = &mut self.hash;
        self.risk.fold_account(account, |word| hash.fold(word));
    }

    /// Another run begins: no client of the one before is there, and what journal, audit log, clock and venues are to it is
    /// still to be said.
    pub(super) fn begin_run(&mut self, epoch: u32, out: &mut Output) {
        self.orders.begin_epoch(epoch);
        (self.journal_full, self.audit_full) = (false, false);
        self.triggers.begin_run();
        self.cancel_orphans(None, out);
    }

    /// Cancels the orders of a client that is gone (`None`: of every client), on accounts that want it so.
    pub(super) fn cancel_orphans(&mut self, desk: Option<DeskId>, out: &mut Output) {
        self.cancel_all(out, |order, engine| {
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
                self.paper.cancel(id);
            }
        }
        self.settle(out);
    }
}

/// An order whose change was refused works as before, if it still lives.
fn back_to_work(record: &mut OrderRecord) {
    if record.state.is_open() {
        record.state = OrderState::Working;
    }
}
