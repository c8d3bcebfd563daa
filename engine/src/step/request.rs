//! An order's way: from the request through the gate to the venue, and the answer.

use model::page::{Answer, AnswerKind, TapeKind, TapeRecord};
use model::{
    Ask, BasketEnd, ClientOrderId, HaltCause, Money, Order, OrderId, OrderState, OrderType, Origin,
    Px, Qty, Reject, Request, Side, Terms, Tif, Ts, Verdict, Why,
};

use super::{Engine, Stage, Stamp};
use crate::orders::{Family, Life, OrderRecord};
use crate::output::{Judged, Output};

/// Terms of a replace.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Change {
    order: OrderId,
    client_id: ClientOrderId,
    px: Px,
    qty: Qty,
}

/// What is said to a request: an answer without the findings of a check, 3 KiB that only who waits for an answer pays for.
pub(super) struct Said {
    pub kind: AnswerKind,
    pub order: OrderId,
    pub state: Option<OrderState>,
    pub verdict: Verdict,
    pub approval: u32,
}

impl Said {
    pub const fn plain(kind: AnswerKind) -> Said {
        Said { kind, order: OrderId(0), state: None, verdict: Verdict::pass(), approval: 0 }
    }

    fn answer(self, request: u64, seq: u64, now: Ts) -> Answer {
        let Said { kind, order, state, verdict, approval } = self;
        Answer { order, state, verdict, approval, ..Answer::bare(request, seq, now, kind) }
    }
}

impl Engine {
    /// Takes one request and leaves its answer in `out`.
    pub(super) fn on_request(
        &mut self,
        request: &Request,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) {
        let said = self.react(request, out, stamp);
        out.answer = Some(match &request.ask {
            Ask::Check(terms) => self.check(request, terms), // It changed nothing before.
            _ => said.answer(request.id, self.seq, self.now),
        });
    }

    /// Does what a request asks for; a check asks for nothing but its answer.
    pub(super) fn react(
        &mut self,
        request: &Request,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) -> Said {
        self.hash.fold_words(&request.to_words());
        match request.ask {
            Ask::New(terms) => self.on_new(request, &terms, out, stamp),
            Ask::Cancel { order } => self.on_cancel(request, order, out),
            Ask::Replace { order, client_id, px, qty } => {
                self.on_replace(request, Change { order, client_id, px, qty }, out, stamp)
            }
            Ask::Halt { scope, level } => {
                let (cause, note) = (HaltCause::Client, request.note);
                self.trip(scope, level, Why { cause, note, ..Why::of(cause) }, out);
                Said::plain(AnswerKind::Accepted)
            }
            Ask::Check(_) => Said::plain(AnswerKind::Checked),
            Ask::Basket(basket) => self.on_basket(request, &basket, out),
            Ask::Beat => Said::plain(AnswerKind::Accepted),
        }
    }

    /// What the gate would say to a new order now. Changes nothing, and is no input.
    pub fn check(&self, request: &Request, terms: &Terms) -> Answer {
        let mut order = self.order_of(request, terms, OrderId(0));
        let market = self.market(order.instrument.0);
        self.price(&mut order, &market);
        let moment = self.moment_of(&order, None);
        let other = self.instead_of(&order, moment);
        let risk = &self.risk;
        let (verdict, findings) = risk.check_instead(&order, other.as_ref(), &market, moment);
        let headroom = Some(risk.headroom_instead(&order, other.as_ref(), &market, moment));
        let bare = Answer::bare(request.id, self.seq, self.now, AnswerKind::Checked);
        Answer { verdict, findings, headroom, ..bare }
    }

    fn on_new(
        &mut self,
        request: &Request,
        terms: &Terms,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) -> Said {
        let id = self.orders.next_id().unwrap_or(OrderId(0));
        let mut order = self.order_of(request, terms, id);
        if let Some(recorded) = self.risk.recorded(&order) {
            return self.repeat(request, recorded, &order);
        }
        let market = self.market(order.instrument.0);
        self.price(&mut order, &market);
        let moment = self.moment_of(&order, None);
        stamp.judging(self, request, &order);
        let is_leg = order.basket().is_some();
        let cleared = if order.is_held() || is_leg {
            let other = self.instead_of(&order, moment);
            let held = self.risk.clear_held(&order, other.as_ref(), &market, moment);
            held.map(|reservation| (None, reservation))
        } else {
            let cleared = self.risk.clear(order, &market, moment);
            cleared.map(|(cleared, reservation)| (Some(cleared), reservation))
        };
        stamp.mark(Stage::Gate);
        let (cleared, reservation) = match cleared {
            Ok(passed) => passed,
            Err(verdict) => {
                let said = self.refuse(request, &order, verdict, out);
                self.lose_leg(&order, BasketEnd::Refused, out);
                return said;
            }
        };
        let life = if cleared.is_some() { Life::NEW } else { Life::HELD };
        self.orders.insert(OrderRecord {
            order,
            state: life.state(Qty(0)),
            reject: None,
            filled: Qty(0),
            notional_filled: Money::ZERO,
            reservation,
            stop: OrderId(0),
            family: Family::default(),
            life,
            ts_created: self.now,
            ts_updated: self.now,
        });
        self.pass(request, &order, out);
        self.await_end(&order);
        self.bind(&order, out);
        match cleared {
            Some(cleared) => {
                self.hand_over(cleared, out);
                stamp.mark(Stage::Handed);
                self.settle(out);
            }
            None if is_leg => self.join(&order, out),
            None => self.hold(&order),
        }
        self.said_of(AnswerKind::Accepted, id)
    }

    /// A cancel always passes, if there is something to cancel.
    fn on_cancel(&mut self, request: &Request, id: OrderId, out: &mut Output) -> Said {
        let reason = match self.own(request, id) {
            None => Some(Reject::UnknownOrder),
            Some(record) if record.life.has_ended() => Some(Reject::NotOpen),
            Some(record) if record.life.cancelling().is_some() => Some(Reject::ChangePending),
            Some(_) => None,
        };
        if let Some(reason) = reason {
            let verdict = Verdict::refuse(reason);
            return Said { verdict, ..self.said_of(AnswerKind::Refused, id) };
        }
        self.cancel_order(id, out);
        self.settle(out);
        self.said_of(AnswerKind::Accepted, id)
    }

    fn on_replace(
        &mut self,
        request: &Request,
        change: Change,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) -> Said {
        let id = change.order;
        let Some(record) = self.own(request, id) else {
            let verdict = Verdict::refuse(Reject::UnknownOrder);
            return Said { verdict, ..self.said_of(AnswerKind::Refused, id) };
        };
        let (client_id, px, qty) = (change.client_id, change.px, change.qty);
        let mut order = Order {
            client_id,
            px,
            qty,
            note: request.note,
            origin: request.origin,
            ..record.order
        };
        if let Some(recorded) = self.risk.recorded_replace(&order) {
            return self.repeat(request, recorded, &order);
        }
        let market = self.market(order.instrument.0);
        if !order.order_type.has_limit() {
            order.px = Px(0);
        }
        self.price(&mut order, &market);
        let moment = self.moment_of(&order, Some(id));
        stamp.judging(self, request, &order);
        let Some(record) = self.orders.get_mut(id) else {
            return Said::plain(AnswerKind::Refused);
        };
        let cleared = self.risk.clear_replace(order, &mut record.reservation, &market, moment);
        stamp.mark(Stage::Gate);
        match cleared {
            Err(verdict) => {
                record.reject = verdict.primary.map(|finding| finding.code);
                out.orders.mark(id.slot() as u32);
                self.refuse(request, &order, verdict, out)
            }
            Ok(cleared) => {
                let change = record.life.ask_replace(order.px, qty).unwrap_or_default();
                record.state = record.life.state(record.filled);
                record.ts_updated = self.now;
                self.pass(request, &order, out);
                self.recount(id, out);
                self.submit_replace(cleared, change, out);
                self.said_of(AnswerKind::Accepted, id)
            }
        }
    }

    /// The order that a request asks for. Without a limit of its own it waits to be priced, and does not rest.
    fn order_of(&self, request: &Request, terms: &Terms, id: OrderId) -> Order {
        let Terms { client_id, instrument, side, order_type, mut tif, mut px, qty, conditions } =
            *terms;
        let Request { account, origin, note, .. } = *request;
        if order_type == OrderType::Market && tif == Tif::Day {
            tif = Tif::Ioc;
        }
        if !order_type.has_limit() {
            px = Px(0);
        }
        Order {
            id,
            client_id,
            account,
            instrument,
            side,
            order_type,
            tif,
            px,
            qty,
            conditions,
            origin,
            note,
        }
    }

    /// Prices an order that has no limit of its own; one that cannot be priced stays without, and the gate refuses it.
    pub(super) fn price(&self, order: &mut Order, market: &risk::Market) {
        if !order.order_type.has_limit() {
            order.px = self.risk.collar_px(order, market, self.now).unwrap_or_default();
        }
    }

    /// The order that a request may change: one of its own account, and a client's only if the account is open to clients.
    fn own(&self, request: &Request, id: OrderId) -> Option<&OrderRecord> {
        if matches!(request.origin, Origin::Desk(_))
            && !self.risk.is_open_to_clients(request.account)
        {
            return None;
        }
        self.orders.get(id).filter(|record| record.order.account == request.account)
    }

    fn pass(&mut self, request: &Request, order: &Order, out: &mut Output) {
        self.passed += 1;
        let approval = self.use_approval(request, order, out);
        out.judge(judged(request, order, Verdict::pass(), approval));
        self.fold_account(order.account);
        self.note(TapeKind::Passed, order, 0, 0, out);
        out.orders.mark(order.id.slot() as u32);
    }

    fn refuse(
        &mut self,
        request: &Request,
        order: &Order,
        verdict: Verdict,
        out: &mut Output,
    ) -> Said {
        let code = verdict.primary.map_or(Reject::Overflow, |finding| finding.code);
        self.count_refusal(code);
        let approval = self.seek_approval(request, order, verdict, out);
        out.judge(judged(request, order, verdict, approval));
        self.note(TapeKind::Refused, order, code.code(), verdict.bits, out);
        self.hash.fold_pair(verdict.bits, code.code().into());
        let primary = verdict.primary.map_or((0, 0), |finding| (finding.limit, finding.used));
        self.hash.fold_pair(primary.0 as u64, primary.1 as u64);
        self.fold_account(order.account);
        self.count_refused(order.account, order.origin, Some(order.instrument));
        if self.triggers.has_due() {
            self.trip_due(out);
        }
        Said { verdict, approval, ..Said::plain(AnswerKind::Refused) }
    }

    /// Counts a refusal by its primary reason.
    pub(super) fn count_refusal(&mut self, code: Reject) {
        if let Some(count) = self.refused.get_mut(code.slot()) {
            *count += 1;
        }
    }

    pub(super) fn note(
        &mut self,
        kind: TapeKind,
        of: &Order,
        code: u8,
        aux: u64,
        out: &mut Output,
    ) {
        let Order { id, account, instrument, side, px, qty, .. } = *of;
        let side: Option<Side> = Some(side);
        let record = TapeRecord {
            side,
            code,
            account,
            instrument,
            order: id,
            px,
            qty,
            aux,
            ..self.record(kind)
        };
        out.record(record);
    }

    /// What is said to a request that was answered before.
    fn repeat(&self, request: &Request, recorded: risk::Recorded, order: &Order) -> Said {
        let verdict = recorded.verdict;
        let approval = self.approval_of(request, order, verdict);
        let order = if verdict.passed() { recorded.order } else { OrderId(0) };
        Said { verdict, approval, ..self.said_of(AnswerKind::Recorded, order) }
    }

    fn said_of(&self, kind: AnswerKind, order: OrderId) -> Said {
        let state = self.orders.get(order).map(|record| record.state);
        Said { order, state, ..Said::plain(kind) }
    }
}

fn judged(request: &Request, order: &Order, verdict: Verdict, approval: u32) -> Judged {
    let is_replace = matches!(request.ask, Ask::Replace { .. });
    Judged { request: request.id, order: *order, is_replace, is_trigger: false, verdict, approval }
}
