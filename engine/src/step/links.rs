//! What binds orders to each other: a stop that takes another order's place, and the children of a parent.
//!
//! Of a stop and the order that it names only one is ever at the venue. The order ends first, as the venue says, and then the
//! stop passes the gate with what that left open; if the order ends before the trigger, so does the stop.
//!
//! A parent counts what its children filled and may still fill, at every report and change of theirs.

use model::{BasketEnd, Link, Order, OrderId, OrderState, Qty};
use risk::{LinkFit, Moment, Reservation, Slice};

use super::Engine;
use crate::orders::OrderRecord;
use crate::output::Output;
use crate::paper::Cross;

impl Engine {
    /// What the gate sees of the engine, and of what binds a priced order; `known`: it is in the table, under this number.
    pub(super) fn moment_of(&self, order: &Order, known: Option<OrderId>) -> Moment {
        let mut moment = self.moment();
        let replaces = known.unwrap_or(OrderId(0));
        moment.approved = self.approved(order, replaces);
        if let Some(record) = known.and_then(|id| self.orders.get(id)) {
            let OrderRecord { order: Order { account, instrument, origin, .. }, life, .. } = record;
            moment.halt = self.risk.effective_halt(*account, *instrument, *origin);
            moment.change_pending = life.is_pending() || life.leaving().is_some();
            moment.held = life.is_held();
            // It has its slot: a table full of open orders stops no stop, and no basket that is complete.
            moment.tables_full = !self.has_room_for_executions() || life.next_change().is_none();
        }
        if let Some(cross) = Cross::of(order.tif) {
            let crossed = self.instruments.get(order.instrument.0).map(|listed| listed.crossed);
            let over = crossed.and_then(|crossed| crossed.get(cross.index()).copied());
            moment.cross_over = over.unwrap_or_default();
        }
        match order.conditions.link {
            None => {}
            Some(Link::OneCancels(_)) if known.is_some() => {}
            Some(Link::OneCancels(other)) => moment.link = self.fits_in_place(order, other),
            Some(Link::Parent(parent)) => {
                let own = known.and_then(|id| self.orders.get(id));
                let own = own.map_or(Qty(0), |record| record.family.counted);
                (moment.link, moment.slice) = self.slice(order, parent, own);
            }
            Some(Link::Basket(number)) => moment.basket = self.basket_of(order, number),
        }
        moment
    }

    /// Whether a stop can take the place of an order.
    fn fits_in_place(&self, order: &Order, other: OrderId) -> LinkFit {
        let record = self.orders.get(other).filter(|r| r.order.account == order.account);
        let Some(record) = record else { return LinkFit::Unknown };
        let life = &record.life;
        if life.has_ended() || life.cancelling().is_some() || life.leaving().is_some() {
            return LinkFit::Ended;
        }
        let same = (record.order.instrument, record.order.side) == (order.instrument, order.side);
        let is_free = record.stop == OrderId(0) && !life.is_held();
        if same && is_free && record.order.qty >= order.qty {
            LinkFit::Fits
        } else {
            LinkFit::Misfit
        }
    }

    /// How far the parent of an order is sliced, `own` of it by the order itself.
    fn slice(&self, order: &Order, parent: OrderId, own: Qty) -> (LinkFit, Option<Slice>) {
        let above = |account| self.risk.counts_on(order.account, account);
        let Some(record) = self.orders.get(parent).filter(|record| above(record.order.account))
        else {
            return (LinkFit::Unknown, None);
        };
        let of = &record.order;
        if !of.conditions.parent_only || (of.instrument, of.side) != (order.instrument, order.side)
        {
            return (LinkFit::Misfit, None);
        }
        let fit = if record.state.is_open() { LinkFit::Fits } else { LinkFit::Ended };
        let used = Qty(record.family.counted.0.saturating_sub(own.0));
        (fit, Some(Slice { used, total: of.qty }))
    }

    /// What the order holds in whose place a new stop comes.
    pub(super) fn instead_of(&self, order: &Order, moment: Moment) -> Option<Reservation> {
        match order.conditions.link {
            Some(Link::OneCancels(other)) if moment.link == LinkFit::Fits => {
                self.orders.get(other).map(|record| record.reservation)
            }
            _ => None,
        }
    }

    /// A new order is in the table: tells the one that it is bound to.
    pub(super) fn bind(&mut self, order: &Order, out: &mut Output) {
        if let Some(Link::OneCancels(other)) = order.conditions.link
            && let Some(other) = self.orders.get_mut(other)
        {
            other.stop = order.id;
        }
        self.recount(order.id, out);
    }

    /// A stop is triggered: the order whose place it takes has to end first. `false`: it takes nobody's.
    pub(super) fn take_place(&mut self, order: &Order, out: &mut Output) -> bool {
        let Some(Link::OneCancels(other)) = order.conditions.link else { return false };
        if let Some(stop) = self.orders.get_mut(order.id) {
            stop.life.trigger();
        }
        if let Some(other) = self.orders.get_mut(other) {
            other.life.leave(OrderState::Cancelled);
        }
        self.cancel_order(other, out);
        self.settle(out);
        true
    }

    /// An order is open no more: what was bound to it follows at the end of the step, but the legs of its basket at once.
    pub(super) fn on_closed(&mut self, id: OrderId, out: &mut Output) {
        self.forget_held(id);
        let Some(record) = self.orders.get(id) else { return };
        let leg = record.order.basket().map(|_| record.order);
        if record.stop != OrderId(0) {
            self.held.followed.push_back((record.stop, record.leaves()));
        }
        if let Some(Link::OneCancels(other)) = record.order.conditions.link
            && let Some(other) = self.orders.get_mut(other).filter(|other| other.stop == id)
        {
            other.stop = OrderId(0);
        }
        if let Some(order) = leg {
            self.lose_leg(&order, BasketEnd::LegGone, out);
        }
    }

    /// Lets stops go or end whose order has ended, and children whose parent has.
    pub(super) fn follow(&mut self, out: &mut Output) {
        if std::mem::take(&mut self.held.has_orphans) {
            self.cancel_children(out);
        }
        while !self.is_shut()
            && let Some((stop, left)) = self.held.followed.pop_front()
        {
            // It may have ended while this waited.
            let waits = |r: &&OrderRecord| r.life.is_held() && r.state.is_open();
            let Some(record) = self.orders.get(stop).filter(waits) else { continue };
            if record.life.is_triggered() && left.0 > 0 {
                self.fire(stop, Some(left), out);
            } else {
                self.end_held(stop, OrderState::Cancelled, out);
            }
        }
    }

    /// Counts a child anew at its parent, which has ended when its children filled all of it.
    pub(super) fn recount(&mut self, id: OrderId, out: &mut Output) {
        let Some(child) = self.orders.get_mut(id) else { return };
        let Some(Link::Parent(parent)) = child.order.conditions.link else { return };
        let (before, reach) = (child.family, child.reach());
        (child.family.counted, child.family.filled) = (reach, child.filled);
        let filled = child.filled;
        let Some(record) = self.orders.get_mut(parent) else { return };
        let more = |sum: Qty, after: Qty, before: Qty| {
            Qty(sum.0.saturating_add(after.0.saturating_sub(before.0)))
        };
        record.family.counted = more(record.family.counted, reach, before.counted);
        record.filled = more(record.filled, filled, before.filled);
        out.orders.mark(parent.slot() as u32);
        if record.filled >= record.order.qty {
            self.end_held(parent, OrderState::Filled, out);
        }
    }

    /// Cancels children whose parent is gone: one look at all orders, however many parents went.
    fn cancel_children(&mut self, out: &mut Output) {
        self.end_all(out, |order, engine| match order.conditions.link {
            Some(Link::Parent(id)) => !engine.orders.get(id).is_some_and(|r| r.state.is_open()),
            _ => false,
        });
    }
}
