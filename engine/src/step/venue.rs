//! What is asked of a venue, and what is believed of it when it does not answer.
//!
//! Orders go to the paper venue inside the step, or to one outside. Of one outside every question has a deadline: an order
//! whose answer is overdue is in doubt, stays reserved, and the venue is asked where it stands, again and again. A session
//! that is lost takes what was under way with it: every open order is in doubt, and nothing new is sent until the venue has
//! said of all of them where they stand.
//!
//! A reconciliation is `ReconcileBegin`, all executions that the venue has of us (those that we know change nothing), a
//! restatement of every order that is open there, `ReconcileEnd` with their number, and what it holds. It comes over a session
//! that brings everything at least once and in order. What is open here and was not spoken of does not exist there.

use model::page::TapeKind;
use model::{OrderId, OrderState, Report, ReportKind};
use risk::{Cleared, ClearedReplace, OrderFeatures};

use super::Engine;
use crate::config::VenueConfig;
use crate::deadlines::Deadlines;
use crate::executions::Executions;
use crate::gateway::Send;
use crate::gateway::ouch::{Known, Standing};
use crate::orders::OrderRecord;
use crate::output::Output;

/// Deadlines that one input lets fall due; the rest by the next.
const DUE_PER_INPUT: usize = 64;

/// A venue outside.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Outside {
    pub deadlines: Deadlines,
    pub executions: Executions,
    /// Reconciliations begun.
    pub round: u32,
    /// Whether one is going on.
    pub in_round: bool,
    /// Orders that it restated.
    pub restated: u32,
    /// Whether it is not known where orders stand.
    pub is_unreconciled: bool,
    /// What it is known to do.
    pub takes: OrderFeatures,
}

impl Outside {
    /// Nothing is known of a venue until it has been reconciled.
    pub fn new(config: &VenueConfig, own_orders: u32) -> Outside {
        Outside {
            deadlines: Deadlines::new(own_orders as usize, config.ack_timeout_ns),
            executions: Executions::new(config.executions),
            round: 0,
            in_round: false,
            restated: 0,
            is_unreconciled: true,
            takes: config.confirmed,
        }
    }

    /// Bytes that it takes.
    pub fn bytes(config: &VenueConfig, own_orders: u32) -> u64 {
        Deadlines::bytes(own_orders.into()) + Executions::bytes(config.executions.into())
    }

    /// Folds all that is held.
    pub fn fold(&self, text: &mut super::Text<'_>) {
        let Outside { deadlines, executions, round, in_round, restated, is_unreconciled, takes: _ } =
            self; // What it takes is the configuration's.
        text.fold(&(round, in_round, restated, is_unreconciled));
        deadlines.iter().for_each(|deadline| text.fold(&deadline));
        executions.iter().for_each(|execution| text.fold(execution));
    }
}

impl Engine {
    /// Whether it is not known where our orders stand at a venue outside, and nobody is finding out.
    pub fn wants_reconciliation(&self) -> bool {
        self.outside.as_ref().is_some_and(|outside| outside.is_unreconciled && !outside.in_round)
    }

    /// Whether it is not known where our orders stand at a venue outside.
    pub fn is_unreconciled(&self) -> bool {
        self.outside.as_ref().is_some_and(|outside| outside.is_unreconciled)
    }

    /// Every order that is remembered, and whose it is: what a gateway cannot learn from its venue.
    pub fn known_orders(&self) -> Vec<Known> {
        let executed = self.outside.iter().flat_map(|outside| outside.executions.iter());
        let executed = executed.map(|execution| Known {
            order: execution.order,
            account: execution.deal.account,
            asked: 0,
            standing: Standing::Ended,
        });
        let slots = (0..self.orders.used()).filter_map(|slot| self.orders.at(slot));
        let listed = slots.map(|record| Known {
            order: record.order.id,
            account: record.order.account,
            asked: record.life.asked(),
            standing: match record.life.is_acked() {
                _ if !record.state.is_open() || record.life.is_held() => Standing::Ended,
                true => Standing::Works,
                false => Standing::Sent(record.ts_created),
            },
        });
        executed.chain(listed).collect() // The last one counts.
    }

    /// Sends an order that passed.
    pub(super) fn hand_over(&mut self, cleared: Cleared, out: &mut Output) {
        let order = *cleared.order();
        if let Some(outside) = &mut self.outside {
            outside.deadlines.set(order.id, self.now);
            out.send(Send::New(cleared));
        } else if let Some(books) = self.books.get(self.feed_index(order.instrument.0)) {
            self.paper.submit(cleared, books);
        }
    }

    /// Sends new terms that passed.
    pub(super) fn submit_replace(
        &mut self,
        cleared: ClearedReplace,
        change: u16,
        out: &mut Output,
    ) {
        let order = *cleared.order();
        if let Some(outside) = &mut self.outside {
            outside.deadlines.set(order.id, self.now);
            out.send(Send::Replace(cleared, change));
        } else if let Some(books) = self.books.get(self.feed_index(order.instrument.0)) {
            self.paper.replace(cleared, change, books);
        }
        self.settle(out);
    }

    /// Asks the venue to cancel an order, unless it was asked to already.
    pub(super) fn cancel_order(&mut self, id: OrderId, out: &mut Output) {
        let now = self.now;
        let Some(record) = self.orders.get_mut(id) else { return };
        if record.life.has_ended() || record.life.cancelling().is_some() {
            return;
        }
        if record.life.is_held() {
            return self.end_held(id, OrderState::Cancelled, out);
        }
        let change = record.life.ask_cancel();
        record.state = record.life.state(record.filled);
        record.ts_updated = now;
        out.orders.mark(id.slot() as u32);
        match &mut self.outside {
            Some(outside) => {
                outside.deadlines.set(id, now);
                self.send_cancel(id, change, out);
            }
            None => self.paper.cancel(id, change),
        }
    }

    /// The same of an order that is not open here.
    pub(super) fn send_cancel(&mut self, id: OrderId, change: u16, out: &mut Output) {
        out.send(Send::Cancel(id, change));
    }

    /// Asks the venue where an order stands.
    pub(super) fn ask_status(&mut self, id: OrderId, out: &mut Output) {
        if let Some(outside) = &mut self.outside {
            outside.deadlines.set(id, self.now);
            out.send(Send::Status(id));
        }
    }

    /// Notices answers that are overdue.
    pub(super) fn look_at_deadlines(&mut self, out: &mut Output) {
        for _ in 0..DUE_PER_INPUT {
            let now = self.now;
            let due = self.outside.as_mut().and_then(|outside| outside.deadlines.take_due(now));
            let Some(id) = due else { return };
            let overdue = self.orders.get_mut(id).filter(|record| record.life.is_pending());
            if let Some(record) = overdue {
                let news = record.life.overdue();
                self.show_doubt(id, news, out);
                self.ask_status(id, out);
            }
        }
    }

    /// The session with the venue is there, or gone.
    pub(super) fn on_venue_session(&mut self, is_up: bool, out: &mut Output) {
        self.note_session(is_up, out);
        if !is_up {
            self.lose_session(out);
        }
    }

    /// Nobody knows what becomes of orders.
    pub(super) fn lose_session(&mut self, out: &mut Output) {
        let Some(outside) = &mut self.outside else { return };
        (outside.in_round, outside.is_unreconciled) = (false, true);
        for slot in 0..self.orders.used() {
            let at_venue = |r: &&OrderRecord| r.state.is_open() && !r.life.is_held();
            let open = self.orders.at(slot).filter(at_venue);
            let Some(id) = open.map(|record| record.order.id) else { continue };
            if let Some(outside) = &mut self.outside {
                outside.deadlines.lift(id); // Nobody could answer.
            }
            let news = self.orders.get_mut(id).is_some_and(|record| record.life.lose_session());
            self.show_doubt(id, news, out);
        }
    }

    /// The venue begins to say where everything stands.
    pub(super) fn begin_reconciliation(&mut self, out: &mut Output) {
        if let Some(outside) = &mut self.outside {
            outside.round = outside.round.wrapping_add(1);
            out.send(Send::Reconcile(outside.round));
            (outside.restated, outside.in_round, outside.is_unreconciled) = (0, true, true);
        }
    }

    /// It is through. If not all that it restated was heard, it was for nothing.
    pub(super) fn end_reconciliation(&mut self, round: u32, orders: u32, out: &mut Output) {
        let Some(outside) = &mut self.outside else { return };
        if !outside.in_round || outside.round != round {
            return;
        }
        outside.in_round = false;
        if outside.restated != orders {
            return;
        }
        outside.is_unreconciled = false;
        for slot in 0..self.orders.used() {
            let unspoken = |r: &&OrderRecord| {
                r.state.is_open() && !r.life.is_held() && r.life.round() != round
            };
            let Some(id) = self.orders.at(slot).filter(unspoken).map(|record| record.order.id)
            else {
                continue;
            };
            if let Some(record) = self.orders.get_mut(id) {
                record.life.presume_ended();
                self.risk.release(&mut record.reservation);
            }
            self.show_report(&Report::of(ReportKind::NotFound, id), Some(TapeKind::Cancelled), out);
        }
    }

    fn show_doubt(&mut self, id: OrderId, news: bool, out: &mut Output) {
        let now = self.now;
        let Some(record) = self.orders.get_mut(id) else { return };
        record.state = record.life.state(record.filled);
        record.ts_updated = now;
        self.hash.fold_pair(id.0, record.state.code().into());
        out.orders.mark(id.slot() as u32);
        if news {
            self.show_order(Some(TapeKind::Unknown), &Report::of(ReportKind::NotFound, id), out);
        }
    }
}
