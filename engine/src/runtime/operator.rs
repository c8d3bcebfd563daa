//! What the operator asks, on the housekeeping thread: who may, by which control, and what came of it.

mod approve;
mod books;
mod check;
mod reload;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Control, HaltCause, HaltLevel, Mode, Note, OperatorName, ResumeRefusal, Symbol, Why};
use switch::{
    Answer, Asked, Attempts, Done, Halt, OperatorSocket, Operators, Passphrase, Request, Scope,
    Ticket, clean_reason,
};

use super::keeper::{Keeper, can_have};
use crate::config::Config;
use crate::journal::writer::Progress as JournalProgress;
use crate::step::NewRules;
use approve::not_waiting;
pub(super) use approve::{Told as SoughtTold, Waiting as SoughtList};
use books::Booking;
use check::Check;
use reload::{Reloading, Reloads};

/// How long an answer waits for the engine thread, and then for the journal.
const PATIENCE: Duration = Duration::from_secs(1);
/// Controls of operators that can wait for the engine thread.
const WAITING_MAX: usize = 4096;

/// What became of a control; `None`: it cannot be refused.
pub(super) type Outcome = Option<Result<(), ResumeRefusal>>;

/// An operator's control on its way to the engine, and whom to tell.
#[derive(Debug)]
pub(super) struct Waiting {
    ticket: Option<Ticket>,
    since: Instant,
    scope: Scope,
    act: Act,
}

/// What an operator's control does.
#[derive(Debug)]
enum Act {
    /// It stops something: it is never forgotten.
    Halts,
    /// It lets something go that stood at this level when that was asked for.
    Resumes(HaltLevel),
    /// It lets one order beyond its soft limits.
    Approves,
    /// It puts limits in force.
    Reloads(Box<Reloading>),
    /// It changes the books of account.
    Books(Box<Booking>),
}

/// The limits in force.
#[derive(Debug)]
pub(super) struct InForce {
    /// The configuration with them.
    pub config: Config,
    /// Their version within this journal, from 1.
    pub version: u32,
}

/// The operator's side of an engine.
pub(super) struct OperatorDesk {
    pub socket: OperatorSocket,
    pub mode: Mode,
    pub operators: PathBuf,
    pub journal: Option<Arc<JournalProgress>>,
    pub begun: Instant,
    pub limits: InForce,
    /// Orders that wait for approval.
    pub waiting: SoughtList,
    attempts: Attempts,
    check: Option<Check>,
    reloads: Reloads,
    /// What the engine did, until the journal has it.
    done: Vec<(Waiting, u64, Outcome)>,
}

/// What is on its way to the engine thread, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub unsent: VecDeque<(Control, Option<Waiting>)>,
    /// What the control of limits among them means.
    pub limits: Option<Box<NewRules>>,
    /// Sent; the engine thread answers each, in order.
    pub sent: VecDeque<Sent>,
}

/// A control that the engine thread has not answered yet.
#[derive(Debug)]
pub(super) struct Sent {
    /// Who waits for it.
    pub waiting: Option<Waiting>,
    /// Whether it halts everything.
    pub halts_all: bool,
}

impl Waiting {
    /// Whether it is forgotten if nobody takes it in time.
    fn lets_go(&self) -> bool {
        !matches!(self.act, Act::Halts)
    }

    /// Whether the engine thread is only asked what it would do.
    pub fn is_trial(&self) -> bool {
        matches!(&self.act, Act::Books(booking) if booking.is_trial)
    }
}

impl Outbox {
    /// Adds a control that nobody waits for.
    pub fn push(&mut self, control: Control) {
        self.unsent.push_back((control, None));
    }
}

impl OperatorDesk {
    pub fn new(
        socket: OperatorSocket,
        operators: PathBuf,
        journal: Option<Arc<JournalProgress>>,
        limits: InForce,
    ) -> OperatorDesk {
        let (attempts, check, done) = (Attempts::default(), None, Vec::new());
        OperatorDesk {
            socket,
            mode: limits.config.engine.mode,
            operators,
            journal,
            begun: Instant::now(),
            limits,
            waiting: SoughtList::default(),
            attempts,
            check,
            reloads: Reloads::default(),
            done,
        }
    }

    /// Takes what is asked. A status is for the caller to answer.
    pub fn poll(
        &mut self,
        now: Instant,
        wall_ns: u64,
        keeper: &mut Keeper,
        outbox: &mut Outbox,
        stalled: bool,
    ) -> Option<Ticket> {
        self.end_check(now, outbox, stalled);
        self.end_reload(now, outbox, stalled);
        self.release(now, keeper);
        self.give_up(now, keeper, outbox);
        let Asked { ticket, uid, request } = self.socket.poll(now)?;
        match request {
            Request::Status {} => return Some(ticket),
            Request::Halt { scope, level, operator, reason } => {
                let (cause, reason) = (HaltCause::Human, clean_reason(&reason));
                let operator = OperatorName::new(&operator).unwrap_or_default();
                let since_ns = wall_ns;
                let operator = operator.as_str().to_owned();
                let halt = Halt { scope, level, cause, operator, reason, since_ns };
                self.halt(ticket, halt, now, keeper, outbox);
            }
            Request::Resume { scope, level, operator, reason, passphrase } => {
                let asks = Asks { uid, scope, level, operator, reason: clean_reason(&reason) };
                if let Err(refusal) = self.resume(ticket, asks, passphrase, now, keeper, stalled) {
                    self.socket.answer(ticket, &refusal, now);
                }
            }
            Request::Approvals {} => {
                let answer = Answer::Approvals { list: self.waiting.list() };
                self.socket.answer(ticket, &answer, now);
            }
            Request::Approve(asks) => {
                if let Err(refusal) = self.approve(ticket, uid, *asks, now, stalled) {
                    self.socket.answer(ticket, &refusal, now);
                }
            }
            Request::Reload(asks) => {
                if let Err(refusal) = self.reload(ticket, uid, asks, now, stalled) {
                    self.socket.answer(ticket, &refusal, now);
                }
            }
            Request::Books(asks) => {
                if let Err(refusal) = self.books((ticket, uid), asks, now, outbox, stalled) {
                    self.socket.answer(ticket, &refusal, now);
                }
            }
        }
        None
    }

    fn halt(
        &mut self,
        ticket: Ticket,
        halt: Halt,
        now: Instant,
        keeper: &mut Keeper,
        outbox: &mut Outbox,
    ) {
        let (scope, level) = (halt.scope.clone(), halt.level);
        let why = Why {
            cause: halt.cause,
            operator: OperatorName::new(&halt.operator).unwrap_or_default(),
            note: Note::lossy(&halt.reason),
        };
        let control = match self.stoppable(keeper, &scope) {
            Ok(Target::Scope(scope)) => Control::Halt { scope, level, why },
            Ok(Target::Symbol(symbol)) => Control::HaltSymbol { symbol, level, why },
            Err(refusal) => return self.socket.answer(ticket, &refusal, now),
        };
        if level == HaltLevel::Active {
            let refusal = Answer::refused("bad_level", "a halt to `active` stops nothing");
            return self.socket.answer(ticket, &refusal, now);
        }
        if outbox.unsent.len() >= WAITING_MAX && scope != Scope::All {
            let text = "too much waits for the engine thread; halt everything instead";
            return self.socket.answer(ticket, &Answer::refused("busy", text), now);
        }
        tracing::warn!("halt of {scope} to {level}, operator {:?}: {}", halt.operator, halt.reason);
        self.overtake(&scope, level);
        // Kept before the engine has it: whatever becomes of this process, the next one is halted.
        let is_new = keeper.tell(halt);
        keeper.keep();
        let waiting = Waiting { ticket: Some(ticket), since: now, scope, act: Act::Halts };
        if is_new {
            outbox.unsent.push_back((control, Some(waiting)));
        } else {
            let done = done(None, false, &waiting.scope, keeper);
            self.tell(&waiting, Answer::Done(done), now);
        }
    }

    /// What a halt stops: a strategy or a client that cannot be is somebody's mistake, a symbol may be listed yet.
    fn stoppable(&self, keeper: &Keeper, scope: &Scope) -> Result<Target, Answer> {
        let has = can_have(&self.limits.config, scope);
        if has { control(keeper, scope) } else { Err(unknown(scope)) }
    }

    /// Who may resume, in the order of cost.
    fn resume(
        &mut self,
        ticket: Ticket,
        asks: Asks,
        passphrase: Passphrase,
        now: Instant,
        keeper: &Keeper,
        stalled: bool,
    ) -> Result<(), Answer> {
        let Asks { uid, scope, level, operator, reason } = asks;
        let name = self.person(uid, &operator, &reason)?;
        let note = Note::lossy(&reason);
        let control = match control(keeper, &scope)? {
            Target::Scope(scope) => Control::Resume { scope, level, operator: name, note },
            Target::Symbol(symbol) => Control::ResumeSymbol { symbol, level, operator: name, note },
        };
        if stalled {
            return Err(stands_still());
        }
        let what = format!("resume of {scope}");
        let who = (operator, name, reason);
        let act = Act::Resumes(keeper.level(&scope));
        self.begin_check(ticket, (control, scope, act), what, who, passphrase, now)
    }

    /// Whoever lets something go says who they are, and why.
    fn person(&self, uid: u32, operator: &str, reason: &str) -> Result<OperatorName, Answer> {
        if !may_resume(self.mode, uid, rustix::process::geteuid().as_raw()) {
            let text = "in live mode nobody resumes, approves or loosens as the engine's own user";
            return Err(Answer::refused("own_uid", text));
        }
        let name = OperatorName::new(operator).map_err(|_| {
            Answer::refused("bad_operator", "an operator's name is 1 to 16 letters")
        })?;
        if reason.is_empty() {
            return Err(Answer::refused(
                "no_reason",
                "say why: without a reason nothing is let go",
            ));
        }
        Ok(name)
    }

    /// Whether a passphrase may be checked now, and whose there are.
    fn may_check(&self, now: Instant) -> Result<Operators, Answer> {
        if self.check.is_some() || self.reloads.is_busy() {
            return Err(Answer::refused("busy", "another passphrase is being checked"));
        }
        if let Some(wait) = self.attempts.wait(now.saturating_duration_since(self.begun)) {
            let seconds = wait.as_secs() + 1;
            let text = format!("too many wrong passphrases; try again in {seconds} s");
            return Err(Answer::refused("rate_limited", text));
        }
        Operators::load(&self.operators)
            .map_err(|error| Answer::refused("no_operators", error.to_string()))
    }

    /// The engine has taken a control of an operator's, as input `seq`.
    pub fn acted(
        &mut self,
        waiting: Waiting,
        seq: u64,
        outcome: Outcome,
        now: Instant,
        keeper: &mut Keeper,
    ) {
        match &waiting.act {
            Act::Halts => keeper.taken(&waiting.scope),
            Act::Resumes(_) => {
                if let Some(Err(refusal)) = outcome {
                    tracing::warn!("resume of {} refused: {refusal}", waiting.scope);
                }
            }
            Act::Approves => {
                if let Some(Err(refusal)) = outcome {
                    tracing::warn!("approval on {} refused: {refusal}", waiting.scope);
                }
            }
            Act::Reloads(reloading) => self.reloaded(reloading, outcome),
            Act::Books(_) => {} // Told apart: see `booked`.
        }
        self.done.push((Waiting { since: now, ..waiting }, seq, outcome));
    }

    /// Answers what is recorded, or cannot be waited for any longer.
    fn release(&mut self, now: Instant, keeper: &mut Keeper) {
        let written = self.journal.as_ref().map(|journal| journal.written());
        for (waiting, seq, outcome) in std::mem::take(&mut self.done) {
            let recorded = written.is_some_and(|written| written >= seq);
            let waits = written.is_some() && !recorded;
            if waits && now.saturating_duration_since(waiting.since) < PATIENCE {
                self.done.push((waiting, seq, outcome));
                continue;
            }
            keeper.keep();
            let answer = match (outcome, &waiting.act) {
                (Some(Err(ResumeRefusal::UnknownScope)), Act::Approves) => not_waiting(),
                (Some(Err(refusal)), _) => Answer::refused(refusal.name(), explain(refusal)),
                (_, Act::Reloads(reloading)) => reloading.answer(Some(seq), recorded),
                (_, Act::Books(booking)) => booking.answer(Some(seq), recorded),
                _ => Answer::Done(done(Some(seq), recorded, &waiting.scope, keeper)),
            };
            self.tell(&waiting, answer, now);
        }
    }

    /// Answers whoever waited too long for the engine thread. What was sent holds all the same; a resume that was not is
    /// forgotten.
    fn give_up(&mut self, now: Instant, keeper: &mut Keeper, outbox: &mut Outbox) {
        let is_late = |waiting: &Waiting| {
            waiting.ticket.is_some() && now.saturating_duration_since(waiting.since) >= PATIENCE
        };
        let OperatorDesk { socket, reloads, .. } = self;
        outbox.unsent.retain_mut(|(_, waiting)| match waiting {
            Some(waiting) if waiting.lets_go() && is_late(waiting) => {
                let ticket = waiting.ticket.take();
                ticket.into_iter().for_each(|ticket| socket.answer(ticket, &stands_still(), now));
                if let Act::Reloads(_) = waiting.act {
                    outbox.limits = None;
                    reloads.end();
                }
                false
            }
            _ => true,
        });
        let unsent = outbox.unsent.iter_mut().filter_map(|(_, waiting)| waiting.as_mut());
        let sent = outbox.sent.iter_mut().filter_map(|sent| sent.waiting.as_mut());
        for waiting in sent.chain(unsent).filter(|waiting| is_late(waiting)) {
            let answer = if waiting.lets_go() {
                let text = "the engine thread did not answer; it may still do it: see the status";
                Answer::refused("unknown_outcome", text)
            } else {
                Answer::Done(done(None, false, &waiting.scope, keeper))
            };
            let ticket = waiting.ticket.take();
            ticket.into_iter().for_each(|ticket| self.socket.answer(ticket, &answer, now));
        }
    }

    fn tell(&mut self, waiting: &Waiting, answer: Answer, now: Instant) {
        if let Some(ticket) = waiting.ticket {
            self.socket.answer(ticket, &answer, now);
        }
    }
}

/// What a resume asks, without its passphrase.
struct Asks {
    uid: u32,
    scope: Scope,
    level: HaltLevel,
    operator: String,
    reason: String,
}

/// What a scope is to the core.
enum Target {
    Scope(model::HaltScope),
    Symbol(Symbol),
}

fn control(keeper: &Keeper, scope: &Scope) -> Result<Target, Answer> {
    match scope {
        Scope::Symbol(name) => Symbol::new(name).map(Target::Symbol).map_err(|_| unknown(scope)),
        _ => keeper.scope(scope).map(Target::Scope).ok_or_else(|| unknown(scope)),
    }
}

fn unknown(scope: &Scope) -> Answer {
    Answer::refused(ResumeRefusal::UnknownScope.name(), format!("there is no {scope}"))
}

fn done(engine_seq: Option<u64>, recorded: bool, scope: &Scope, keeper: &Keeper) -> Done {
    let level = keeper.level(scope).name().to_owned();
    Done { engine_seq, recorded, latched: keeper.is_kept(), level }
}

fn stands_still() -> Answer {
    Answer::refused("stalled", "the engine thread stands still; nothing can be let go or changed")
}

/// In live mode whoever runs as the engine's user could as well be the agent: only root resumes.
fn may_resume(mode: Mode, uid: u32, engine: u32) -> bool {
    mode != Mode::Live || uid != engine
}

fn explain(refusal: ResumeRefusal) -> &'static str {
    match refusal {
        ResumeRefusal::UnknownScope => "nothing of that name is known",
        ResumeRefusal::NotLower => "the level in force is not above the one asked for",
        ResumeRefusal::JournalFull => "the journal takes nothing; restart the engine",
        ResumeRefusal::AuditFull => "the audit log takes nothing; restart the engine",
        ResumeRefusal::Reconciling => {
            "where orders stand at the venue is not known; try again once its session is there and all is reconciled"
        }
        ResumeRefusal::OrderInDoubt => "an order waits for the venue's answer; try again",
        ResumeRefusal::BookNotLive => {
            "the symbol's book is not live; resume to reduce_only, or wait"
        }
    }
}

#[cfg(test)]
mod tests;
