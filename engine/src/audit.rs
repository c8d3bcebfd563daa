//! The engine's end of the audit log: who asked, what the gate said, what became of it, who halted.
//!
//! Flow: a step leaves tape and verdicts → [`Tap`] on the engine thread makes records of them and pushes them into a
//! ring →
//! [`AuditThread`] hashes, signs and writes. If the log takes no more, [`Tap::is_full`] says so, the engine makes an
//! input of
//! it ([`Control::AuditFull`]), and the gate refuses new orders until it takes again; cancels pass.
//!
//! How long orders can pass while nothing is written: until the ring has no room beyond its reserve, or for
//! [`STALL_NS`], whichever comes first; after a failed write, until the engine's next round.

mod ring;
mod thread;
mod trail;

use std::sync::Arc;

use audit::{Actor, AuditKind, AuditRecord, Reached};
use model::page::{AnswerKind, TapeKind, TapeRecord};
use model::{
    Announced, Ask, Body, BooksRefusal, Control, HaltCause, Input, Note, OperatorName, Order,
    OrderId, Origin, Qty, Reject, Request, Symbol, Verdict, Why,
};

use crate::approvals::Sought;
use crate::output::{Judged, Output};
use crate::step::Engine;

pub use ring::{Progress, Ring};
pub(crate) use thread::bytes;
use thread::ring_places;
pub use thread::{AuditThread, Opened, open};
pub use trail::Trail;
pub(crate) use trail::first_missing;

/// A record on its way.
pub(crate) type Words = [u64; AuditRecord::WORDS];

/// How long records may wait while nothing is written, nanoseconds; then the log counts as full.
pub const STALL_NS: u64 = 1_000_000_000;
/// Records that one request takes at most: what was asked, the verdict, the route, and what the venue says to it; of a leg
/// the same of all legs.
const RECORDS_PER_INPUT: usize = 64 + 4 * Announced::LEGS_MAX as usize;

/// Where records go.
pub trait Takes {
    /// Takes one; whether there was room.
    fn take(&mut self, record: AuditRecord) -> bool;
}

/// Makes records of steps. Never waits, allocates or reads a clock, where it pushes into a [`Ring`]: on the engine thread.
pub struct Tap<To = Ring> {
    to: To,
    /// Names of the strategies, by their place.
    strategies: Vec<Symbol>,
    mono_ns: u64,
    /// Records that found no room at all.
    lost: u64,
    /// Refusals because this log was full, which are counted here and not recorded one by one.
    turned_away: u64,
}

impl Tap {
    /// Pushes into `ring`, of which `reserve` places are kept for what follows from orders that passed.
    pub fn new(ring: rtrb::Producer<Words>, progress: Arc<Progress>, reserve: usize) -> Tap {
        Tap::to(Ring::new(ring, progress, reserve))
    }

    /// Whether new orders must be refused, by the host's clock. A write that failed and a record that found no room
    /// are for good.
    pub fn is_full(&mut self, mono_ns: u64) -> bool {
        let is_first = self.mono_ns == 0;
        self.mono_ns = mono_ns;
        self.to.is_stuck(mono_ns, is_first) || self.lost > 0
    }

    /// Records a request that was refused before it became an input.
    pub fn turn_away(&mut self, engine: &Engine, request: &Request, verdict: Verdict) {
        if !self.to.has_room() || is_for_this_log(verdict) {
            self.turned_away += 1;
            return;
        }
        if let Some(asked) = self.asked(engine, request) {
            self.push(asked);
            self.push(refused(asked, verdict));
        }
    }

    /// Records the end of the run.
    pub fn close(&mut self, engine: &Engine) {
        let stop = self.bare(engine, AuditKind::Stop, Actor::Engine);
        if self.lost > 0 {
            let aux = self.lost;
            self.push(AuditRecord { kind: AuditKind::Lost, aux, ..stop });
        }
        self.push(AuditRecord { aux: engine.state_hash(), ..stop });
    }
}

impl<To: Takes> Tap<To> {
    fn to(to: To) -> Tap<To> {
        Tap { to, strategies: Vec::new(), mono_ns: 0, lost: 0, turned_away: 0 }
    }

    /// With the names of the strategies, which records are stamped with.
    pub fn stamped(self, strategies: Vec<Symbol>) -> Tap<To> {
        Tap { strategies, ..self }
    }

    /// Records what one step left behind: `tape` is where its part of the tape begins.
    pub fn observe(&mut self, engine: &Engine, input: &Input, out: &Output, tape: usize) {
        let mut judged = out.judged.iter();
        match &input.body {
            Body::Request(request) => self.on_request(engine, request, out),
            Body::Control(control) => self.on_control(engine, control, out),
            Body::Event(_) | Body::Report(_) | Body::Timer => {}
        }
        for record in out.tape.get(tape..).unwrap_or_default() {
            match record.kind {
                TapeKind::Trade | TapeKind::State | TapeKind::Integrity | TapeKind::Alert => {}
                TapeKind::Passed | TapeKind::Refused => {
                    if let Some(judged) = judged.next() {
                        self.on_judged(engine, judged);
                    }
                }
                TapeKind::Halt => self.on_halt(engine, AuditKind::Halt, input, record),
                TapeKind::Resumed => self.on_halt(engine, AuditKind::Rearm, input, record),
                TapeKind::ResumeRefused => self.on_halt(engine, AuditKind::Unarmed, input, record),
                TapeKind::Working => self.on_report(engine, AuditKind::Working, record),
                TapeKind::Fill => self.on_report(engine, AuditKind::Fill, record),
                TapeKind::Cancelled => self.on_report(engine, AuditKind::Cancelled, record),
                TapeKind::Replaced => self.on_report(engine, AuditKind::Replaced, record),
                TapeKind::VenueRefused => self.on_report(engine, AuditKind::Rejected, record),
                TapeKind::Expired => self.on_report(engine, AuditKind::Expired, record),
                TapeKind::Unknown => self.on_report(engine, AuditKind::Unknown, record),
                TapeKind::NotSent => self.on_report(engine, AuditKind::NotSent, record),
                TapeKind::Bust => self.on_report(engine, AuditKind::Bust, record),
                TapeKind::LateFill => self.on_report(engine, AuditKind::LateFill, record),
                TapeKind::OverFill => self.on_report(engine, AuditKind::OverFill, record),
                TapeKind::Restated => self.on_report(engine, AuditKind::Restated, record),
                TapeKind::Triggered => self.on_report(engine, AuditKind::Triggered, record),
                TapeKind::Mismatch => self.on_report(engine, AuditKind::Mismatch, record),
                TapeKind::Basket => {
                    let &TapeRecord { code, account, qty, aux, .. } = record;
                    let bare = self.bare(engine, AuditKind::BasketEnd, Actor::Engine);
                    self.push(AuditRecord { code, account, qty, aux, ..bare });
                }
            }
        }
        // What found no room on the tape or among the verdicts was not recorded here either.
        judged.for_each(|judged| self.on_judged(engine, judged));
        self.lost = self.lost.max(out.orders_lost + out.judged_lost);
    }

    /// A request that no verdict of the gate follows: cancels, and what was answered before or speaks of an unknown
    /// order.
    fn on_request(&mut self, engine: &Engine, request: &Request, out: &Output) {
        let is_judged = out.judged.iter().any(|judged| !judged.is_trigger)
            && !matches!(request.ask, Ask::Cancel { .. });
        let Some(asked) = self.asked(engine, request).filter(|_| !is_judged) else { return };
        let Some(answer) = &out.answer else { return };
        let asked = AuditRecord { order: answer.order, ..asked };
        match answer.kind {
            AnswerKind::Recorded => {
                self.push(asked);
                let bits = answer.verdict.bits;
                self.push(AuditRecord { kind: AuditKind::Repeated, bits, ..asked });
            }
            AnswerKind::Refused if is_for_this_log(answer.verdict) => self.turned_away += 1,
            AnswerKind::Refused => {
                self.push(asked);
                self.push(refused(asked, answer.verdict));
            }
            _ => self.push(asked),
        }
    }

    fn on_control(&mut self, engine: &Engine, control: &Control, out: &Output) {
        match *control {
            // The tape has them, or the start of the run is it.
            Control::Halt { .. }
            | Control::HaltSymbol { .. }
            | Control::Resume { .. }
            | Control::ResumeSymbol { .. }
            | Control::Restarted { .. } => {}
            Control::Approve { number, for_ns, operator, note } => {
                let record = self.of_approval(engine, number, operator, out);
                self.push(AuditRecord { bits: for_ns, note, ..record });
            }
            Control::Rate { from, to, num, den, at, operator, note } => {
                let words = [from, to].map(u64::from_le_bytes);
                let numbers = (num, den);
                let record = self.of_books(engine, AuditKind::Rate, operator, words, numbers, out);
                self.push(AuditRecord { md_seq: at.0, note, ..record });
            }
            Control::Split { symbol, num, den, operator, note } => {
                let (words, numbers) = (symbol.to_words(), (num.into(), den.into()));
                let record = self.of_books(engine, AuditKind::Split, operator, words, numbers, out);
                self.push(AuditRecord { note, ..record });
            }
            Control::VenueSession(is_up) => self.on_session(engine, 1, is_up.into()),
            Control::ReconcileBegin => self.on_session(engine, 2, 0),
            Control::ReconcileEnd { orders, .. } => self.on_session(engine, 3, orders.into()),
            Control::JournalFull(full) => self.on_sink(engine, 1, full, 0),
            Control::AuditFull(full) => {
                let turned_away = std::mem::take(&mut self.turned_away);
                self.on_sink(engine, 2, full, turned_away);
            }
            Control::ClockUnsafe(is) => self.on_sink(engine, 3, is, 0),
            Control::Limits { version, operator, note, .. } => {
                let is_person = operator != OperatorName::default();
                let actor = if is_person { Actor::Operator } else { Actor::Engine };
                let name = name_of(operator);
                let record = self.bare(engine, AuditKind::Limits, actor);
                let (aux, bits) = (engine.config_digest(), version.into());
                self.push(AuditRecord { aux, bits, name, note, ..record });
            }
            Control::Credit { account, limit, to, version: _ } => {
                let slice = out.credited.and_then(|credited| credited.slice);
                let reached = Reached { limit: slice.unwrap_or(-1), used: to };
                let record = self.bare(engine, AuditKind::Credit, Actor::Engine);
                self.push(AuditRecord { code: limit.code(), account, reached, ..record });
            }
            Control::Stopping => {
                let record = self.bare(engine, AuditKind::Stop, Actor::Engine);
                self.push(AuditRecord { code: 1, ..record });
            }
            Control::DeskSilent { desk, account } => {
                let actor = Actor::Origin(Origin::Desk(desk));
                let record = self.bare(engine, AuditKind::Disconnect, actor);
                self.push(AuditRecord { code: 1, account, ..record });
            }
            Control::DeskClosed(desk) => {
                let actor = Actor::Origin(Origin::Desk(desk));
                self.push(self.bare(engine, AuditKind::Disconnect, actor));
            }
        }
    }

    /// What is approved, by whom, and what became of it: the order's terms, if it was there to be approved.
    fn of_approval(
        &self,
        engine: &Engine,
        number: u32,
        operator: OperatorName,
        out: &Output,
    ) -> AuditRecord {
        let name = Symbol::from_words(operator.to_words()).unwrap_or_default();
        let refused = out.resumed.and_then(Result::err);
        let code = refused.map_or(0, |refusal| refusal.code());
        let record = self.bare(engine, AuditKind::Approve, Actor::Operator);
        let record = AuditRecord { code, aux: number.into(), name, ..record };
        let granted = engine.approvals().get(number).filter(|_| refused.is_none());
        match granted.map(|approval| approval.sought) {
            None => record,
            Some(Sought { account, instrument, side, replaces, qty, px, .. }) => {
                let (side, order) = (Some(side), replaces);
                AuditRecord { account, instrument, side, order, qty, px, ..record }
            }
        }
    }

    /// A session with the venue that begins or ends (1), or what is settled over it (2: begun, 3: done, with so many orders).
    fn on_session(&mut self, engine: &Engine, code: u8, aux: u64) {
        let record = self.bare(engine, AuditKind::Session, Actor::Venue);
        self.push(AuditRecord { code, aux, ..record });
    }

    /// What new orders wait for, or no longer: the journal (1), this log (2, `bits` counts what was refused meanwhile), the
    /// clock (3).
    fn on_sink(&mut self, engine: &Engine, code: u8, is: bool, bits: u64) {
        let record = self.bare(engine, AuditKind::Sink, Actor::Engine);
        self.push(AuditRecord { code, aux: is.into(), bits, ..record });
    }

    /// A rate or a split: by whom, of what (`words`), how much, and what became of it.
    fn of_books(
        &self,
        engine: &Engine,
        kind: AuditKind,
        operator: OperatorName,
        [bits, aux]: [u64; 2],
        (num, den): (u64, u64),
        out: &Output,
    ) -> AuditRecord {
        let refusal = out.booked.and_then(Result::err);
        AuditRecord {
            code: refusal.map_or(0, BooksRefusal::code),
            bits,
            aux,
            reached: Reached { limit: num.into(), used: den.into() },
            name: name_of(operator),
            ..self.bare(engine, kind, Actor::Operator)
        }
    }

    /// What was asked, what was said, and where it went: the paper venue takes what passed in the same step.
    fn on_judged(&mut self, engine: &Engine, judged: &Judged) {
        if is_for_this_log(judged.verdict) {
            self.turned_away += 1;
            return;
        }
        let kind = if judged.is_replace { AuditKind::Replace } else { AuditKind::New };
        let asked = self.of_order(engine, kind, &judged.order);
        if !judged.is_trigger {
            let bits = judged.order.basket().unwrap_or(0);
            self.push(AuditRecord { aux: judged.request, bits, ..asked });
        }
        if judged.verdict.passed() {
            let aux = judged.approval.into();
            self.push(AuditRecord { kind: AuditKind::Passed, aux, ..asked });
            let waits_for_legs = judged.order.basket().is_some() && !judged.is_trigger;
            let waits = judged.order.is_held() || waits_for_legs && !judged.is_replace;
            if !waits {
                self.push(AuditRecord { kind: AuditKind::Route, ..asked });
            }
        } else {
            let aux = judged.approval.into();
            self.push(AuditRecord { aux, ..refused(asked, judged.verdict) });
        }
    }

    fn on_report(&mut self, engine: &Engine, kind: AuditKind, said: &TapeRecord) {
        let order = engine.orders().get(said.order).map(|record| record.order);
        let (client_id, note) =
            order.map_or(Default::default(), |order| (order.client_id, order.note));
        self.push(AuditRecord {
            side: said.side,
            account: said.account,
            instrument: said.instrument,
            order: said.order,
            client_id,
            note,
            px: said.px,
            qty: said.qty,
            md_seq: engine.feed_seq(said.instrument),
            aux: said.aux,
            ..self.bare(engine, kind, Actor::Venue)
        });
    }

    /// A halt raised, lowered or kept, by whom and why.
    fn on_halt(&mut self, engine: &Engine, kind: AuditKind, input: &Input, said: &TapeRecord) {
        let (actor, name, note) = by_whom(&input.body);
        let (code, account, instrument) = (said.code, said.account, said.instrument);
        let aux = said.aux;
        let record = self.bare(engine, kind, actor);
        self.push(AuditRecord { code, account, instrument, aux, name, note, ..record });
    }

    /// What a request asks for; `None` for one that asks nothing of an order.
    fn asked(&self, engine: &Engine, request: &Request) -> Option<AuditRecord> {
        let of = |kind| AuditRecord {
            account: request.account,
            note: request.note,
            aux: request.id,
            ..self.bare(engine, kind, Actor::Origin(request.origin))
        };
        match request.ask {
            Ask::New(terms) => Some(AuditRecord {
                side: Some(terms.side),
                instrument: terms.instrument,
                client_id: terms.client_id,
                px: terms.px,
                qty: terms.qty,
                md_seq: engine.feed_seq(terms.instrument),
                ..of(AuditKind::New)
            }),
            Ask::Replace { order, client_id, px, qty } => {
                let replace = AuditRecord { client_id, px, qty, ..of(AuditKind::Replace) };
                Some(self.with_order(engine, replace, order))
            }
            Ask::Cancel { order } => {
                let cancel = of(AuditKind::Cancel);
                Some(self.with_order(engine, cancel, order))
            }
            Ask::Basket(Announced { number, legs, money }) => Some(AuditRecord {
                bits: number,
                qty: Qty(legs.into()),
                reached: Reached { limit: money.0, used: 0 },
                ..of(AuditKind::Basket)
            }),
            Ask::Halt { .. } | Ask::Check(_) | Ask::Beat => None,
        }
    }

    fn with_order(&self, engine: &Engine, record: AuditRecord, id: OrderId) -> AuditRecord {
        let Some(of) = engine.orders().get(id).map(|record| record.order) else {
            return AuditRecord { order: id, ..record };
        };
        let (side, instrument) = (Some(of.side), of.instrument);
        let md_seq = engine.feed_seq(instrument);
        AuditRecord { order: id, side, instrument, md_seq, ..record }
    }

    fn of_order(&self, engine: &Engine, kind: AuditKind, order: &Order) -> AuditRecord {
        AuditRecord {
            side: Some(order.side),
            account: order.account,
            instrument: order.instrument,
            order: order.id,
            client_id: order.client_id,
            px: order.px,
            qty: order.qty,
            md_seq: engine.feed_seq(order.instrument),
            note: order.note,
            ..self.bare(engine, kind, Actor::Origin(order.origin))
        }
    }

    fn bare(&self, engine: &Engine, kind: AuditKind, actor: Actor) -> AuditRecord {
        let name = match actor {
            Actor::Origin(Origin::Strategy(place)) => self.strategies.get(usize::from(place)),
            _ => None,
        };
        AuditRecord {
            mono_ns: self.mono_ns,
            name: name.copied().unwrap_or_default(),
            limits_version: engine.config_digest(),
            ..AuditRecord::bare(kind, actor, engine.seq(), engine.now())
        }
    }

    fn push(&mut self, record: AuditRecord) {
        if !self.to.take(record) {
            self.lost += 1;
        }
    }
}

/// Whether an order was refused because this log takes no more: to record that would take the room that cancels need.
fn is_for_this_log(verdict: Verdict) -> bool {
    verdict.bits & Verdict::bit(Reject::AuditFull) != 0
}

fn refused(asked: AuditRecord, verdict: Verdict) -> AuditRecord {
    let primary = verdict.primary;
    AuditRecord {
        kind: AuditKind::Refused,
        code: primary.map_or(0, |finding| finding.code.code()),
        bits: verdict.bits,
        reached: primary.map_or(Reached::default(), |finding| Reached {
            limit: finding.limit,
            used: finding.used,
        }),
        aux: 0,
        ..asked
    }
}

fn name_of(operator: OperatorName) -> Symbol {
    Symbol::from_words(operator.to_words()).unwrap_or_default()
}

/// Who asked for a halt or a resume, and in what words. The engine itself, where no person or client did.
fn by_whom(body: &Body) -> (Actor, Symbol, Note) {
    match *body {
        // What a request set off without asking for it is the engine's own.
        Body::Request(Request { origin, note, ask: Ask::Halt { .. }, .. }) => {
            (Actor::Origin(origin), Symbol::default(), note)
        }
        Body::Control(
            Control::Halt { why: Why { cause, operator: name, note }, .. }
            | Control::HaltSymbol { why: Why { cause, operator: name, note }, .. },
        ) => {
            let by_person = cause == HaltCause::Human;
            (if by_person { Actor::Operator } else { Actor::Engine }, name_of(name), note)
        }
        Body::Control(
            Control::Resume { operator: name, note, .. }
            | Control::ResumeSymbol { operator: name, note, .. },
        ) => (Actor::Operator, name_of(name), note),
        _ => (Actor::Engine, Symbol::default(), Note::default()),
    }
}

#[cfg(test)]
mod tests;
