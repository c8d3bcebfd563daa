//! A second engine with other limits, stepped through the inputs of the first.
//!
//! Both hear the same events and requests. From the first order on that one passes and the other refuses, each has its own
//! history: positions, fills, losses, and the halts that follow from them. Requests name orders and accounts by the numbers of
//! the first engine; the second hears its own numbers of them.

use std::collections::HashMap;
use std::ops::ControlFlow;

use engine::approvals::Sought;
use engine::config::Config;
use engine::output::Output;
use engine::replay::{Seen, Witness};
use engine::step::{Engine, Stage, Stamp, StartError};
use journal::progress::Progress;
use model::page::{AnswerKind, AsOf};
use model::{
    AccountId, Ask, Body, ClientOrderId, Conditions, Control, HaltScope, Input, Link, Order,
    OrderId, Origin, Px, Qty, Report, Request, Side, Symbol, Terms, Ts, Verdict,
};
use risk::Explained;

use crate::find::name_of;

/// What one engine said to a request for an order or a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its verdict.
    pub verdict: Verdict,
    /// What the check found that is the primary reason; `None`: it passed, or never came before the gate.
    pub binds: Option<Explained>,
    /// Name of the account on which it looked; `None`: at the order itself.
    pub account: Option<Symbol>,
}

/// A request to which the engines do not say the same.
#[derive(Clone, Debug)]
pub struct Change {
    /// Number of the input.
    pub seq: u64,
    /// Engine time.
    pub now: Ts,
    /// What was asked.
    pub asked: Asked,
    /// What the first engine says; `None`: nobody asked it.
    pub old: Option<Said>,
    /// What the second says.
    pub new: Option<Said>,
    /// Whether the two had different histories by then.
    pub own_history: bool,
}

/// A request for an order or a change of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub origin: Origin,
    /// Name of the account.
    pub account: Option<Symbol>,
    /// The asker's name of it.
    pub client_id: ClientOrderId,
    /// Whether an order that works was to change.
    pub is_replace: bool,
    /// In what; decimals of price and quantity.
    pub instrument: Option<(Symbol, u8, u8)>,
    /// Buy or sell; `None` of a change of an order that there is not.
    pub side: Option<Side>,
    /// Price.
    pub px: Px,
    /// Total quantity.
    pub qty: Qty,
}

/// How many requests, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed before, refused now.
    pub now_refused: u64,
    /// Refused before, passed now.
    pub now_passed: u64,
    /// Refused by both, for other reasons.
    pub other_reasons: u64,
    /// Asked of one of them alone.
    pub one_alone: u64,
    /// The same.
    pub unchanged: u64,
}

/// The second engine, and what it said otherwise.
pub struct Twin {
    engine: Engine,
    out: Output,
    /// By account of the first engine: the account of that name here.
    accounts: Vec<AccountId>,
    /// By order of the first engine: what came of the same request here.
    orders: HashMap<OrderId, OrderId>,
    /// What the first engine is asked in this step.
    looks: Vec<Look>,
    /// How far it has come.
    pub progress: Progress,
    /// Requests whose verdicts differ, in order.
    pub changes: Vec<Change>,
    /// Of all.
    pub counts: Counts,
}

/// An order before a gate, and where its verdict comes from.
#[derive(Clone, Copy, Default)]
struct Look {
    binds: Option<Explained>,
    account: Option<Symbol>,
}

/// Notes what the second engine is asked.
struct Looking<'a>(&'a mut Vec<Look>);

impl Stamp for Looking<'_> {
    fn mark(&mut self, _: Stage) {}

    fn judging(&mut self, engine: &Engine, request: &Request, order: &Order) {
        self.0.push(look(engine, request, order));
    }
}

fn look(engine: &Engine, request: &Request, order: &Order) -> Look {
    let explanation = engine.explain(request, order);
    let refused = explanation.binding.filter(|_| !explanation.verdict.passed());
    let binds = refused.and_then(|place| explanation.checks.get(place)).copied();
    let account = binds.and_then(|check| check.account);
    Look { binds, account: account.and_then(|id| name_of(engine, id)) }
}

impl Twin {
    /// An engine under `config`, to go beside one that is replayed from its first input.
    ///
    /// # Errors
    ///
    /// [`StartError`] if it cannot start so.
    pub fn new(config: &Config, first: &Engine, progress: Progress) -> Result<Twin, StartError> {
        let engine = Engine::new(config)?;
        let names = (0..first.risk().accounts() as u16).map(AccountId);
        let accounts = names.map(|id| {
            let page = first.risk().account_page(id, AsOf::default(), Ts(0));
            page.and_then(|page| engine.account(page.name)).unwrap_or(AccountId(u16::MAX))
        });
        Ok(Twin {
            out: engine.output(),
            accounts: accounts.collect(),
            engine,
            orders: HashMap::new(),
            looks: Vec::new(),
            progress,
            changes: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// Its running hash: that of the first engine, if nothing went otherwise.
    pub fn state_hash(&self) -> u64 {
        self.engine.state_hash()
    }

    fn account(&self, id: AccountId) -> AccountId {
        self.accounts.get(usize::from(id.0)).copied().unwrap_or(AccountId(u16::MAX))
    }

    /// Number zero is no order's.
    fn order(&self, id: OrderId) -> OrderId {
        self.orders.get(&id).copied().unwrap_or(OrderId(0))
    }

    fn scope(&self, scope: HaltScope) -> HaltScope {
        match scope {
            HaltScope::Account(id) => HaltScope::Account(self.account(id)),
            other => other,
        }
    }

    /// The input in this engine's numbers.
    fn translate(&self, input: &Input, first: &Engine) -> Input {
        let body = match input.body {
            Body::Request(request) => Body::Request(self.request(&request)),
            Body::Report(report) => {
                Body::Report(Report { order: self.order(report.order), ..report })
            }
            Body::Control(Control::Halt { scope, level, why }) => {
                Body::Control(Control::Halt { scope: self.scope(scope), level, why })
            }
            Body::Control(Control::Resume { scope, level, operator, note }) => {
                let scope = self.scope(scope);
                Body::Control(Control::Resume { scope, level, operator, note })
            }
            Body::Control(Control::Approve { number, for_ns, operator, note }) => {
                Body::Control(Control::Approve {
                    number: self.approval(first, number),
                    for_ns,
                    operator,
                    note,
                })
            }
            Body::Control(Control::Credit { account, limit, to, version }) => {
                let own = self.account(account);
                // Of limits that are not in force it changes nothing, here as there.
                let same = version == first.limits_version();
                let version = if same { self.engine.limits_version() } else { u32::MAX };
                let totals = (first.total(account, limit), self.engine.total(own, limit));
                let to = same_part(to, totals);
                Body::Control(Control::Credit { account: own, limit, to, version })
            }
            // Its limits are those that are asked about.
            Body::Control(Control::Limits { .. }) => Body::Timer,
            other => other,
        };
        Input { body, ..*input }
    }

    /// The same order waits under another number here; not at all where it needs no approval: then nothing is approved.
    fn approval(&self, first: &Engine, number: u32) -> u32 {
        let own = first.approvals().get(number).and_then(|approval| {
            let of = approval.sought;
            let (account, replaces) = (self.account(of.account), self.order(of.replaces));
            let conditions = self.conditions(of.conditions);
            self.engine.approvals().waiting(&Sought { account, replaces, conditions, ..of })
        });
        own.unwrap_or(u32::MAX)
    }

    /// An order is linked to another one by that one's number.
    fn conditions(&self, conditions: Conditions) -> Conditions {
        let link = conditions.link.map(|link| match link {
            Link::OneCancels(order) => Link::OneCancels(self.order(order)),
            Link::Parent(order) => Link::Parent(self.order(order)),
            Link::Basket(number) => Link::Basket(number), // Its asker's own.
        });
        Conditions { link, ..conditions }
    }

    fn request(&self, request: &Request) -> Request {
        let ask = match request.ask {
            Ask::New(terms) => {
                Ask::New(Terms { conditions: self.conditions(terms.conditions), ..terms })
            }
            Ask::Cancel { order } => Ask::Cancel { order: self.order(order) },
            Ask::Replace { order, client_id, px, qty } => {
                Ask::Replace { order: self.order(order), client_id, px, qty }
            }
            Ask::Halt { scope, level } => Ask::Halt { scope: self.scope(scope), level },
            other => other,
        };
        Request { account: self.account(request.account), ask, ..*request }
    }

    /// Pairs what both said in a step, and keeps what differs.
    fn compare(&mut self, seen: &Seen<'_>, input: &Input, looks: &[Look]) {
        let old = asked(seen.engine, seen.input, seen.out, &std::mem::take(&mut self.looks));
        let mut new = asked(&self.engine, input, &self.out, looks);
        for Heard { asked, said, order } in old {
            // Askers number their requests each for himself, and repeat none within a step.
            let same = |other: &Heard| key(&other.asked) == key(&asked);
            let pair = new.iter().position(same).map(|place| new.remove(place));
            if let (Some(order), Some(Heard { order: Some(own), .. })) = (order, &pair) {
                self.orders.insert(order, *own);
            }
            self.note(seen, asked, Some(said), pair.map(|pair| pair.said));
        }
        for Heard { asked, said, .. } in new {
            self.note(seen, asked, None, Some(said));
        }
    }

    fn note(&mut self, seen: &Seen<'_>, asked: Asked, old: Option<Said>, new: Option<Said>) {
        let own_history = self.have_parted();
        let passed = |said: Option<Said>| said.map(|said| said.verdict.passed());
        let reasons = |said: Option<Said>| {
            said.map(|said| (said.verdict.bits, said.verdict.primary.map(|primary| primary.code)))
        };
        let count = match (passed(old), passed(new)) {
            (Some(true), Some(false)) => &mut self.counts.now_refused,
            (Some(false), Some(true)) => &mut self.counts.now_passed,
            (Some(_), Some(_)) if reasons(old) == reasons(new) => &mut self.counts.unchanged,
            (Some(_), Some(_)) => &mut self.counts.other_reasons,
            _ => &mut self.counts.one_alone,
        };
        *count += 1;
        if reasons(old) != reasons(new) {
            let (seq, now) = (seen.input.seq, seen.engine.now());
            self.changes.push(Change { seq, now, asked, old, new, own_history });
        }
    }

    /// Whether one of the two passed an order that the other did not.
    pub fn have_parted(&self) -> bool {
        self.counts.now_refused + self.counts.now_passed + self.counts.one_alone > 0
    }
}

impl Witness for Twin {
    fn judging(&mut self, engine: &Engine, request: &Request, order: &Order) {
        self.looks.push(look(engine, request, order));
    }

    fn after(&mut self, seen: &Seen<'_>) -> ControlFlow<()> {
        let flow = self.progress.show(seen.input.seq);
        let input = self.translate(seen.input, seen.engine);
        let mut looks = Vec::new();
        self.engine.step(&input, &mut self.out, &mut Looking(&mut looks));
        let is_request = matches!(seen.input.body, Body::Request(_));
        if is_request || !seen.out.judged.is_empty() || !self.out.judged.is_empty() {
            self.compare(seen, &input, &looks);
        }
        self.looks.clear();
        self.out.forget();
        flow
    }
}

/// What was asked, what was said, and which order it is or became.
struct Heard {
    asked: Asked,
    said: Said,
    order: Option<OrderId>,
}

fn key(asked: &Asked) -> (Origin, ClientOrderId, bool) {
    (asked.origin, asked.client_id, asked.is_replace)
}

/// Every request for an order or a change in a step: those that the gate judged, and one that never came so far.
fn asked(engine: &Engine, input: &Input, out: &Output, looks: &[Look]) -> Vec<Heard> {
    let mut all: Vec<Heard> = Vec::new();
    for (place, judged) in out.judged.iter().enumerate() {
        let order = &judged.order;
        let asked = Asked {
            origin: order.origin,
            account: name_of(engine, order.account),
            client_id: order.client_id,
            is_replace: judged.is_replace,
            instrument: instrument(engine, order),
            side: Some(order.side),
            px: order.px,
            qty: order.qty,
        };
        let Look { binds, account } = looks.get(place).copied().unwrap_or_default();
        let said = Said { verdict: judged.verdict, binds, account };
        let order = (judged.is_replace || judged.verdict.passed()).then_some(order.id);
        all.push(Heard { asked, said, order });
    }
    if let Body::Request(request) = &input.body
        && all.is_empty()
        && let Some(answer) = out.answer
        && answer.kind == AnswerKind::Refused
        && let Ask::Replace { client_id, px, qty, .. } = request.ask
    {
        let account = name_of(engine, request.account);
        let (origin, verdict) = (request.origin, answer.verdict);
        let (is_replace, instrument, side) = (true, None, None);
        let asked = Asked { origin, account, client_id, is_replace, instrument, side, px, qty };
        let said = Said { verdict, binds: None, account: None };
        all.push(Heard { asked, said, order: None });
    }
    all
}

/// The same part of this engine's whole limit as a slice is of the other's, rounded down; the slice itself where either is off.
fn same_part(slice: i128, (of, own): (Option<i128>, Option<i128>)) -> i128 {
    const PARTS: i128 = 1 << 32; // Every limit is so far below the end of its type that both products fit.
    match (of, own) {
        (Some(of), Some(own)) if of > 0 => slice.min(of) * PARTS / of * own / PARTS,
        _ => slice,
    }
}

fn instrument(engine: &Engine, order: &Order) -> Option<(Symbol, u8, u8)> {
    let listed = engine.instruments().get(order.instrument.0)?.instrument;
    Some((listed.symbol, listed.px_decimals, listed.qty_decimals))
}

#[cfg(test)]
mod tests;
