//! What trades do: fills in time and late, more than an order could fill, fills of orders that nobody remembers, and trades
//! that the venue takes back. The venue is the truth: what it says was traded is in the books, whatever that does to a limit.

use model::page::{TapeKind, TapeRecord};
use model::{
    HaltCause, HaltLevel, HaltScope, Holder, InstrumentId, Money, OrderId, OrderState, Qty, Report,
    ReportKind, Why,
};
use risk::Deal;

use super::Engine;
use crate::executions::Execution;
use crate::output::Output;

impl Engine {
    /// Takes a report of a venue outside, which may have told it before.
    pub(super) fn on_report(&mut self, report: &Report, out: &mut Output) {
        self.hash.fold_words(&report.to_words());
        if self.outside.is_none() {
            return;
        }
        if let (ReportKind::Position, Some(holder)) = (report.kind, report.holder) {
            self.compare_position(holder, report.qty, out);
        } else if !self.is_told(report) {
            self.apply(report, out);
        }
    }

    /// Whether an execution was told before.
    fn is_told(&mut self, report: &Report) -> bool {
        if !report.kind.is_execution() {
            return false;
        }
        let Some(deal) = self.deal_of(report) else { return false };
        match self.execution(deal.instrument, report.exec_id) {
            None => false,
            Some(known) if report.kind == ReportKind::Fill => known.is_booked,
            Some(known) => known.is_busted,
        }
    }

    /// What an execution traded, and for whom: what we know of its order, else what the venue says.
    fn deal_of(&self, report: &Report) -> Option<Deal> {
        let known = self.orders.get(report.order).map(|record| &record.order);
        let known =
            known.map(|o| Holder { account: o.account, instrument: o.instrument, side: o.side });
        let Holder { account, instrument, side } = known.or(report.holder)?;
        Some(Deal { account, instrument, side, px: report.px, qty: report.qty })
    }

    fn execution(&mut self, instrument: InstrumentId, id: u64) -> Option<&mut Execution> {
        self.outside.as_mut()?.executions.get_mut(instrument, id)
    }

    /// Books a fill of an order that is known.
    pub(super) fn on_fill(&mut self, report: &Report, out: &mut Output) -> Option<TapeKind> {
        let deal = self.deal_of(report)?;
        let record = self.orders.get_mut(report.order)?;
        record.filled = Qty(record.filled.0.saturating_add(report.qty.0));
        let beyond = record.filled.0 > record.order.qty.0;
        let filled = self.risk.fill(&mut record.reservation, report.px, report.qty);
        // What cannot be booked halts the account: `fill` saw to it.
        let Ok(filled) = filled else { return Some(TapeKind::OverFill) };
        let over = match record.life.done() {
            None => filled.excess.0 > 0,
            Some(OrderState::Cancelled | OrderState::Expired) => beyond,
            Some(_) => true,
        };
        let kind = match (over, record.life.done()) {
            (true, _) => TapeKind::OverFill,
            (false, Some(_)) => TapeKind::LateFill,
            (false, None) => TapeKind::Fill,
        };
        record.life.ack();
        if record.life.done().is_none() && filled.open.0 == 0 {
            record.life.finish();
        }
        let sum = record.notional_filled.plus(filled.amount);
        record.notional_filled = sum.unwrap_or(record.notional_filled);
        self.count_fill(deal.account, filled.amount);
        self.note_execution(report, deal, filled.fee, out);
        if over {
            self.mismatch(deal.account, report.order, out);
        }
        Some(kind)
    }

    /// The venue took an execution back; before it came, if it did not come yet.
    pub(super) fn on_bust(&mut self, report: &Report, out: &mut Output) -> Option<TapeKind> {
        let deal = self.deal_of(report)?;
        let known = self.execution(deal.instrument, report.exec_id).map(|known| {
            known.is_busted = true;
            *known
        });
        match known {
            Some(known) => self.take_back(&known, out),
            None => {
                let (id, order, fee) = (report.exec_id, report.order, Money::ZERO);
                let (is_booked, is_busted, is_split) = (false, true, false);
                let early = Execution { id, order, deal, fee, is_booked, is_busted, is_split };
                self.keep(early, out);
                return None;
            }
        }
        Some(TapeKind::Bust)
    }

    /// A report of an order that is not in the table: forgotten since it ended, or never ours.
    pub(super) fn on_stranger(&mut self, report: &Report, out: &mut Output) {
        let Some(deal) = self.deal_of(report) else {
            if !self.orders.was_given(report.order) {
                // Somebody trades as us, and it is not known for whom.
                self.trip(HaltScope::All, HaltLevel::Halted, mismatched(), out);
            }
            if report.kind == ReportKind::Restated && report.order != OrderId(0) {
                self.send_cancel(report.order, 0, out); // It has our name, and nobody here owns it.
            }
            return;
        };
        match report.kind {
            ReportKind::Fill => {
                self.show_stranger(TapeKind::OverFill, report, &deal, out);
                if let Ok(filled) = self.risk.fill_unknown(&deal) {
                    self.count_fill(deal.account, filled.amount);
                    self.note_execution(report, deal, filled.fee, out);
                } else if self.risk.halt(HaltScope::Account(deal.account)).is_none() {
                    self.trip(HaltScope::All, HaltLevel::Halted, mismatched(), out);
                }
                self.mismatch(deal.account, report.order, out);
            }
            ReportKind::Bust => {
                let kind = self.on_bust(report, out);
                kind.into_iter().for_each(|kind| self.show_stranger(kind, report, &deal, out));
            }
            kind => {
                if !self.orders.was_given(report.order) {
                    self.mismatch(deal.account, report.order, out);
                }
                // Told before the end that we knew of, or it must go.
                if kind == ReportKind::Restated {
                    self.send_cancel(report.order, 0, out);
                }
            }
        }
        self.fold_account(deal.account);
        self.trip_broken(deal.account, out);
    }

    /// Compares what the venue holds with what we do.
    fn compare_position(&mut self, holder: Holder, venue: Qty, out: &mut Output) {
        let Holder { account, instrument, .. } = holder;
        let ours = self.risk.position(account, instrument);
        if ours != venue {
            let aux = ours.0.cast_unsigned();
            let bare = self.record(TapeKind::Mismatch);
            out.record(TapeRecord { account, instrument, qty: venue, aux, ..bare });
            self.trip(HaltScope::Account(account), HaltLevel::Halted, mismatched(), out);
        }
    }

    /// Keeps an execution that was booked. If it was taken back before it came, it is taken back now.
    fn note_execution(&mut self, report: &Report, deal: Deal, fee: Money, out: &mut Output) {
        let (id, order) = (report.exec_id, report.order);
        let (is_booked, is_busted, is_split) = (true, false, false);
        let booked = Execution { id, order, deal, fee, is_booked, is_busted, is_split };
        let known = self.execution(deal.instrument, id).map(|known| {
            *known = Execution { is_busted: known.is_busted, ..booked };
            *known
        });
        match known {
            Some(known) => self.take_back(&known, out),
            None => self.keep(booked, out),
        }
    }

    /// Of a venue outside: without room for it, its double would be booked, so the account stops.
    fn keep(&mut self, execution: Execution, out: &mut Output) {
        let outside = self.outside.as_mut();
        if outside.is_some_and(|outside| !outside.executions.note(execution)) {
            let scope = HaltScope::Account(execution.deal.account);
            self.trip(scope, HaltLevel::Halted, Why::of(HaltCause::Invariant), out);
        }
    }

    /// Takes an execution that was booked out of the books. Limits may be exceeded by that, so only what reduces passes until
    /// somebody has looked. One from before a split is no trade of these units: its account stops, with what it has.
    fn take_back(&mut self, execution: &Execution, out: &mut Output) {
        let deal = execution.deal;
        if execution.is_split {
            return self.mismatch(deal.account, execution.order, out);
        }
        let amount = self.risk.bust(&deal, execution.fee);
        if let (Some(record), Ok(amount)) = (self.orders.get_mut(execution.order), amount) {
            let sum = record.notional_filled.minus(amount);
            record.notional_filled = sum.unwrap_or(record.notional_filled);
        }
        let why = Why::of(HaltCause::Bust);
        self.trip(HaltScope::Account(deal.account), HaltLevel::ReduceOnly, why, out);
    }

    fn show_stranger(&self, kind: TapeKind, report: &Report, deal: &Deal, out: &mut Output) {
        let Deal { account, instrument, side, px, qty } = *deal;
        let (side, order, aux) = (Some(side), report.order, report.exec_id);
        let bare = self.record(kind);
        out.record(TapeRecord { side, account, instrument, order, px, qty, aux, ..bare });
    }
}

fn mismatched() -> Why {
    Why::of(HaltCause::PositionMismatch)
}
