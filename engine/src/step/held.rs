//! What waits in the engine: stops for their trigger, orders for their end, parents for ever; legs for the last of their basket
//! (`basket.rs`).
//!
//! A stop goes to no venue before its trigger, so it works alike at every one. When it is triggered it passes the gate again, as
//! what it is then; one that takes another order's place first waits for that one's end (`links.rs`). At most
//! [`TRIGGERS_MAX`] go by one input, the rest by the next, whatever that is: first those of the instrument that moved first, buys
//! before sells, the nearest trigger first, the oldest of equals.

use std::collections::VecDeque;

use model::page::{Quote, TapeKind};
use model::{
    Event, FeedId, Integrity, Order, OrderId, OrderState, OrderType, Px, Qty, Report, ReportKind,
    Side, Tif, Verdict,
};

use risk::Cleared;

use super::Engine;
use crate::config::{EngineConfig, StopTrigger};
use crate::heaps::Heaps;
use crate::instruments::Listed;
use crate::output::{Dirty, Judged, Output};
use crate::paper::Cross;

/// Stops that one input triggers, and orders that it lets end, at most.
const TRIGGERS_MAX: usize = 64;

/// What waits.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Held {
    trigger: StopTrigger,
    /// By instrument and side.
    stops: Heaps,
    /// Instruments whose stops may be due.
    due: Dirty,
    /// Orders that end by the clock, in one heap.
    ends: Heaps,
    /// Stops whose order has ended, and what that left open.
    #[serde(with = "model::snapshot::reserved")]
    pub(super) followed: VecDeque<(OrderId, Qty)>,
    /// Whether a parent ended whose children may be open.
    pub(super) has_orphans: bool,
}

impl Held {
    pub fn new(config: &EngineConfig) -> Held {
        let (instruments, orders) =
            (config.capacity.instruments as usize, config.capacity.own_orders as usize);
        Held {
            trigger: config.stop_trigger,
            stops: Heaps::new(2 * instruments, orders),
            due: Dirty::new(instruments),
            ends: Heaps::new(1, orders),
            followed: VecDeque::with_capacity(orders),
            has_orphans: false,
        }
    }

    /// Bytes that [`Held::new`] takes for instruments, and for orders of ours.
    pub fn bytes(instruments: u64, orders: u64) -> [u64; 2] {
        let of_orders = 2 * Heaps::bytes(0, orders) + orders * size_of::<(OrderId, Qty)>() as u64;
        [Heaps::bytes(2 * instruments, 0) + Dirty::bytes(instruments), of_orders]
    }

    /// Something that stops wait for may have come.
    #[inline]
    pub fn may_trigger(&mut self, instrument: u32) {
        let buys = 2 * instrument as usize;
        if !(self.stops.is_empty(buys) && self.stops.is_empty(buys + 1)) {
            self.due.mark(instrument);
        }
    }

    /// Whether an order ends by the clock some time.
    #[inline]
    pub fn has_ends(&self) -> bool {
        !self.ends.is_empty(0)
    }

    /// The prices that buy and sell stops are compared with.
    #[inline]
    pub fn triggers(
        &self,
        listed: Option<&Listed>,
        bid: Option<Quote>,
        ask: Option<Quote>,
    ) -> [Option<Px>; 2] {
        match self.trigger {
            StopTrigger::Last => [listed.and_then(|l| l.last).map(|last| last.px); 2],
            StopTrigger::Quote => [ask, bid].map(|quote| quote.map(|quote| quote.px)),
        }
    }

    /// Folds all that waits.
    pub fn fold(&self, text: &mut super::Text<'_>) {
        let Held { trigger: _, stops, due, ends, followed, has_orphans } = self;
        stops.iter().chain(ends.iter()).for_each(|waiting| text.fold(&waiting));
        text.fold(&(due, followed, has_orphans));
    }
}

impl Engine {
    /// An order passed that waits here.
    pub(super) fn hold(&mut self, order: &Order) {
        if order.order_type.is_stop() {
            let key = signed(order.side, order.conditions.stop_px);
            self.held.stops.insert(heap(order.instrument.0, order.side), order.id, key);
        }
    }

    /// Lets an order end by the clock, if it has an end.
    pub(super) fn await_end(&mut self, order: &Order) {
        if order.tif == Tif::Gtd {
            let expires = i64::try_from(order.conditions.expires.0).unwrap_or(i64::MAX);
            self.held.ends.insert(0, order.id, expires);
            self.await_clock();
        }
    }

    /// An order is open no more.
    pub(super) fn forget_held(&mut self, id: OrderId) {
        self.held.stops.remove(id);
        self.held.ends.remove(id);
    }

    /// Ends orders whose time is over.
    pub(super) fn look_at_ends(&mut self, out: &mut Output) {
        for _ in 0..TRIGGERS_MAX {
            let now = i64::try_from(self.now.0).unwrap_or(i64::MAX);
            let Some((id, _)) = self.held.ends.first(0).filter(|(_, end)| *end <= now) else {
                return;
            };
            self.held.ends.remove(id);
            let Some(record) = self.orders.get_mut(id) else { continue };
            if record.life.is_held() {
                self.end_held(id, OrderState::Expired, out);
            } else {
                record.life.leave(OrderState::Expired);
                self.cancel_order(id, out);
                self.settle(out);
            }
        }
    }

    /// Triggers stops, and lets those go whose order has ended.
    #[inline]
    pub(super) fn look_at_held(&mut self, out: &mut Output) {
        if !self.held.followed.is_empty() || self.held.has_orphans {
            self.follow(out);
        }
        if !self.held.due.is_empty() && !self.is_shut() {
            self.look_at_stops(out);
        }
    }

    /// Whether the gate refuses everything for a while: a stop would be lost by it.
    pub(super) fn is_shut(&self) -> bool {
        self.journal_full || self.audit_full || self.is_unreconciled()
    }

    fn look_at_stops(&mut self, out: &mut Output) {
        let mut room = TRIGGERS_MAX;
        while room > 0 && !self.held.due.is_empty() {
            let mut at = None;
            self.held.due.take(1, |instrument| at = Some(instrument));
            let Some(instrument) = at else { return };
            while room > 0 && self.trigger_next(instrument, out) {
                room -= 1;
            }
            if room == 0 {
                self.held.may_trigger(instrument);
            }
            self.follow(out);
        }
    }

    /// Triggers the next stop of an instrument that is due; whether there was one.
    fn trigger_next(&mut self, instrument: u32, out: &mut Output) -> bool {
        let market = self.market(instrument);
        // Nor while it settles after a gap or a halt: the gate would refuse it, and a position would lose its stop. It goes with
        // the next quote or trade behind that.
        let is_live = market.integrity == Integrity::Live && market.state.is_tradable();
        if !is_live || market.settling {
            return false;
        }
        for (side, px) in [Side::Buy, Side::Sell].into_iter().zip(market.triggers) {
            let first = self.held.stops.first(heap(instrument, side));
            if let (Some((id, stop)), Some(px)) = (first, px)
                && stop <= signed(side, px)
            {
                self.held.stops.remove(id);
                self.trigger(id, out);
                return true;
            }
        }
        false
    }

    fn trigger(&mut self, id: OrderId, out: &mut Output) {
        let Some(record) = self.orders.get(id) else { return };
        let order = record.order;
        let told = Order { px: order.conditions.stop_px, ..order };
        self.note(TapeKind::Triggered, &told, 0, 0, out);
        self.hash.fold_pair(id.0, TapeKind::Triggered.code().into());
        if !self.take_place(&order, out) {
            self.fire(id, None, out);
        }
    }

    /// Lets a triggered stop pass the gate again, with no more than `left`, and sends it.
    pub(super) fn fire(&mut self, id: OrderId, left: Option<Qty>, out: &mut Output) {
        let Some(record) = self.orders.get(id) else { return };
        let mut order = record.order;
        (order.order_type, order.tif) = match order.order_type {
            OrderType::Stop => (OrderType::Market, Tif::Ioc),
            _ => (OrderType::Limit, order.tif),
        };
        order.qty = left.map_or(order.qty, |left| left.min(order.qty));
        order.conditions.display = order.conditions.display.min(order.qty);
        let market = self.market(order.instrument.0);
        let moment = self.moment_of(&order, Some(id));
        self.price(&mut order, &market);
        let Some(record) = self.orders.get_mut(id) else { return };
        let cleared = self.risk.clear_triggered(order, &mut record.reservation, &market, moment);
        self.let_go(&order, cleared, out);
        self.settle(out);
    }

    /// Hands an order that waited here over to its venue, if it passed the gate again; if not, it is rejected.
    pub(super) fn let_go(
        &mut self,
        order: &Order,
        cleared: Result<Cleared, Verdict>,
        out: &mut Output,
    ) {
        let (order, id, now) = (*order, order.id, self.now);
        let Some(record) = self.orders.get_mut(id) else { return };
        record.ts_updated = now;
        let verdict = match &cleared {
            Ok(_) => {
                record.order = order;
                record.life.let_go();
                record.state = record.life.state(record.filled);
                Verdict::pass()
            }
            Err(verdict) => {
                record.reject = verdict.primary.map(|finding| finding.code);
                *verdict
            }
        };
        out.judge(Judged {
            request: 0,
            order,
            is_replace: false,
            is_trigger: true,
            verdict,
            approval: 0,
        });
        self.hash.fold_pair(id.0, verdict.bits);
        self.fold_account(order.account);
        match cleared {
            Ok(cleared) => {
                self.passed += 1;
                self.note(TapeKind::Passed, &order, 0, 0, out);
                self.recount(id, out);
                out.orders.mark(id.slot() as u32);
                self.hand_over(cleared, out);
            }
            Err(_) => {
                let code = verdict.primary.map_or(model::Reject::Overflow, |finding| finding.code);
                self.count_refusal(code);
                self.note(TapeKind::Refused, &order, code.code(), verdict.bits, out);
                self.end_held(id, OrderState::Rejected, out);
            }
        }
    }

    /// Ends an order that waits here; of a parent, its children follow at the end of the step.
    pub(super) fn end_held(&mut self, id: OrderId, state: OrderState, out: &mut Output) {
        let now = self.now;
        let open = self.orders.get_mut(id).filter(|record| record.life.done().is_none());
        let Some(record) = open else { return };
        record.life.end(state, false);
        record.ts_updated = now;
        self.risk.release(&mut record.reservation);
        let has_children =
            record.order.conditions.parent_only && record.family.counted > record.filled;
        self.held.has_orphans |= has_children;
        let (kind, told) = match state {
            OrderState::Expired => (ReportKind::Expired, Some(TapeKind::Expired)),
            // Why it was refused, and what its children filled, is on the tape already.
            OrderState::Rejected => (ReportKind::Rejected, None),
            OrderState::Filled => (ReportKind::Restated, None),
            _ => (ReportKind::Cancelled, Some(TapeKind::Cancelled)),
        };
        self.show_report(&Report::of(kind, id), told, out);
    }

    /// An auction is over: what waited for it fills or ends.
    pub(super) fn on_cross(&mut self, event: &Event, out: &mut Output) {
        let (Some(cross), Some(id)) = (Cross::of_code(event.order.0), self.find(event)) else {
            return;
        };
        let crossed = self.instruments.get_mut(id).map(|listed| &mut listed.crossed);
        if let Some(crossed) = crossed.and_then(|crossed| crossed.get_mut(cross.index())) {
            *crossed = true;
        }
        self.paper.on_cross(id, cross, event.px, event.qty);
        self.settle(out);
    }

    /// The day of a feed is over: what waits here for this day alone ends.
    pub(super) fn end_held_day(&mut self, feed: FeedId, out: &mut Output) {
        for slot in 0..self.orders.used() {
            let Some(record) = self.orders.at(slot) else { continue };
            let (id, instrument) = (record.order.id, record.order.instrument.0);
            let of_day = record.order.tif == Tif::Day && record.life.is_held();
            if of_day && record.state.is_open() && self.is_of(instrument, feed) {
                self.end_held(id, OrderState::Expired, out);
            }
        }
        self.settle(out);
    }
}

const fn heap(instrument: u32, side: Side) -> usize {
    2 * instrument as usize + side.index()
}

/// The nearer the trigger, the smaller.
const fn signed(side: Side, px: Px) -> i64 {
    match side {
        Side::Buy => px.0,
        Side::Sell => -px.0,
    }
}
