//! Baskets: legs that go to their venues together, or not at all.
//!
//! A basket is announced, with what its asker believes that it is worth; its legs are new orders that name it. Each passes the
//! whole gate as it comes and waits here, holding its share of the limits. With the last one all pass the gate once more, as
//! stops do at their trigger, and leave in one step in the order in which they came. Whatever happens before that, none leaves:
//! a leg that is refused, cancelled or over, a basket that is not complete in time, an asker that is gone.

use model::page::{AnswerKind, TapeKind, TapeRecord};
use model::{Announced, BasketEnd, Money, Order, OrderState, Qty, Reject, Request, Verdict};
use risk::{Cleared, Moment};

use super::Engine;
use super::request::Said;
use crate::baskets::Basket;
use crate::output::Output;

const LEGS_MAX: usize = Announced::LEGS_MAX as usize;
/// Baskets that one input ends because it is too late for them; the rest by the next.
const DUE_PER_INPUT: usize = 2;

/// A leg before it leaves.
struct Leg {
    order: Order,
    worth: Money,
    cleared: Option<Cleared>,
}

impl Engine {
    /// What the gate says to a basket that is announced.
    pub fn judge_basket(&self, request: &Request, basket: &Announced) -> Verdict {
        let mut moment = self.moment();
        moment.tables_full = !self.baskets.has_room(request.origin);
        self.risk.announce(request.account, request.origin, basket, moment)
    }

    /// A basket is announced. The same words again, while it is on its way, get the same answer.
    pub(super) fn on_basket(
        &mut self,
        request: &Request,
        announced: &Announced,
        out: &mut Output,
    ) -> Said {
        let &Request { account, origin, .. } = request;
        let known = self.baskets.find(account, origin, announced.number, self.now);
        if known.is_some_and(|basket| basket.announced == *announced) {
            return Said::plain(AnswerKind::Recorded);
        }
        let verdict = self.judge_basket(request, announced);
        self.hash.fold(verdict.bits);
        let Some(primary) = verdict.primary else {
            self.baskets.open(account, origin, *announced, self.now);
            self.await_clock();
            return Said::plain(AnswerKind::Accepted);
        };
        self.count_refusal(primary.code);
        self.count_refused(account, origin, None);
        if self.triggers.has_due() {
            self.trip_due(out);
        }
        Said { verdict, ..Said::plain(AnswerKind::Refused) }
    }

    /// The basket that an order is a leg of, as the gate sees it; `None`: it is not on its way.
    pub(super) fn basket_of(&self, order: &Order, number: u64) -> Option<risk::Basket> {
        let basket = self.baskets.find(order.account, order.origin, number, self.now)?;
        Some(risk::Basket { announced: basket.announced.money, others: basket.worth })
    }

    /// A leg passed and waits here; with the last one all of them go.
    pub(super) fn join(&mut self, order: &Order, out: &mut Output) {
        let market = self.market(order.instrument.0);
        let worth = self.risk.worth(order, &market, self.now);
        let origin = order.origin;
        if self.baskets.add(origin, order.id, worth)
            && let Some(basket) = self.baskets.take(|basket| basket.origin == origin)
        {
            self.send_all(&basket, out);
        }
    }

    /// Lets all legs pass the gate again, priced anew, before any is handed over: so it is all of them, or none.
    fn send_all(&mut self, basket: &Basket, out: &mut Output) {
        let mut legs = [const { None }; LEGS_MAX];
        let mut sum = Money::ZERO;
        for (leg, id) in legs.iter_mut().zip(basket.legs()) {
            let Some(mut order) = self.orders.get(*id).map(|record| record.order) else {
                return self.end_basket(basket, BasketEnd::LegGone, out);
            };
            let market = self.market(order.instrument.0);
            self.price(&mut order, &market);
            let worth = self.risk.worth(&order, &market, self.now);
            sum = Money(sum.0.saturating_add(worth.0));
            *leg = Some(Leg { order, worth, cleared: None });
        }
        for leg in legs.iter_mut().flatten() {
            let others = Money(sum.0 - leg.worth.0);
            let basket_of = risk::Basket { announced: basket.announced.money, others };
            if let Err(verdict) = self.clear_leg(leg, basket_of) {
                self.let_go(&leg.order, Err(verdict), out);
                return self.end_basket(basket, BasketEnd::Refused, out);
            }
        }
        self.show_end(basket, BasketEnd::Sent, out);
        for Leg { order, cleared, .. } in legs.into_iter().flatten() {
            if let Some(cleared) = cleared {
                self.let_go(&order, Ok(cleared), out);
            }
        }
        self.settle(out); // What they fill, and what that sets off, is not before all of them have left.
    }

    fn clear_leg(&mut self, leg: &mut Leg, basket: risk::Basket) -> Result<(), Verdict> {
        let order = leg.order;
        let market = self.market(order.instrument.0);
        let moment = self.moment_of(&order, Some(order.id));
        let moment = Moment { basket: Some(basket), ..moment };
        let Some(record) = self.orders.get_mut(order.id) else {
            return Err(Verdict::refuse(Reject::NotOpen));
        };
        let held = &mut record.reservation;
        leg.cleared = Some(self.risk.clear_triggered(order, held, &market, moment)?);
        Ok(())
    }

    /// A leg of a basket on its way was refused, or is no more: so are the others.
    pub(super) fn lose_leg(&mut self, order: &Order, end: BasketEnd, out: &mut Output) {
        let Some(number) = order.basket() else { return };
        let (account, origin) = (order.account, order.origin);
        let basket = self.baskets.take(|basket| {
            let named = (basket.account, basket.origin, basket.announced.number);
            // One that came later may have the number of one that was sent.
            let has_it = end == BasketEnd::Refused || basket.legs().contains(&order.id);
            named == (account, origin, number) && has_it
        });
        if let Some(basket) = basket {
            self.end_basket(&basket, end, out);
        }
    }

    /// Ends every basket that is meant.
    pub(super) fn end_baskets(
        &mut self,
        end: BasketEnd,
        out: &mut Output,
        is_meant: impl Fn(&Basket) -> bool,
    ) {
        while let Some(basket) = self.baskets.take(&is_meant) {
            self.end_basket(&basket, end, out);
        }
    }

    /// Ends baskets that are not complete in time.
    #[cold]
    pub(super) fn end_late_baskets(&mut self, out: &mut Output) {
        let now = self.now;
        for _ in 0..DUE_PER_INPUT {
            let Some(basket) = self.baskets.take(|basket| basket.due <= now) else { return };
            self.end_basket(&basket, BasketEnd::Late, out);
        }
    }

    /// None of a basket that was taken out of the table will be sent.
    fn end_basket(&mut self, basket: &Basket, end: BasketEnd, out: &mut Output) {
        self.show_end(basket, end, out);
        for id in basket.legs() {
            if let Some(record) = self.orders.get_mut(*id).filter(|record| record.life.is_held()) {
                record.reject = record.reject.or(Some(Reject::Basket));
                self.end_held(*id, OrderState::Cancelled, out);
            }
        }
    }

    fn show_end(&mut self, basket: &Basket, end: BasketEnd, out: &mut Output) {
        let Basket { account, announced: Announced { number, .. }, .. } = *basket;
        self.hash.fold_pair(number, end.code().into());
        let (code, aux, qty) = (end.code(), number, Qty(basket.legs().len() as i64));
        out.record(TapeRecord { code, account, qty, aux, ..self.record(TapeKind::Basket) });
    }
}
