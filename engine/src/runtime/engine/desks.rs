//! What clients ask and are answered.

use model::page::{Answer, AnswerKind};
use model::{Ask, Body, DeskId, Reject, Request, Verdict};
use shm::DeskFault;

use super::{EngineThread, Loop};
use crate::runtime::desks::REQUESTS_PER_ROUND;
use crate::runtime::stages::HOLD;
use crate::sequencer::Sequencer;

impl EngineThread {
    /// Takes what clients ask, a few requests a desk.
    pub(super) fn poll_desks(&mut self, state: &mut Loop) -> bool {
        let Some(pages) = &self.pages else { return false };
        let mut busy = false;
        for desk in pages.desks() {
            for _ in 0..REQUESTS_PER_ROUND {
                if !self.hears_desks(state) {
                    break;
                }
                let Some(pages) = &mut self.pages else { return busy };
                match pages.publisher.poll_desk(desk) {
                    Ok(None) => break,
                    Ok(Some(request)) => self.on_request(desk, &request, state),
                    Err(fault) => {
                        let request = match fault {
                            DeskFault::Malformed { request, .. } => request,
                            DeskFault::Overrun | DeskFault::Torn => 0,
                        };
                        let engine = &self.sequencer.engine;
                        let answer = Answer::bare(
                            request,
                            engine.seq(),
                            engine.now(),
                            AnswerKind::Malformed,
                        );
                        self.say(desk, answer, state.clock.now_ns(), state);
                    }
                }
                busy = true;
            }
        }
        if busy {
            self.publish(state);
            // Whoever has the answer must find what it speaks of: orders by their count, a halt.
            if self.pages.as_ref().is_some_and(|pages| !pages.shows_all(&self.sequencer)) {
                self.publish_control(state, state.clock.now_ns());
            }
        }
        busy
    }

    /// Answers a request at once, or makes an input of it.
    fn on_request(&mut self, desk: DeskId, request: &Request, state: &mut Loop) {
        let now_ns = state.clock.now_ns();
        state.dead_men.hear(desk, now_ns);
        let engine = &self.sequencer.engine;
        let bare = |kind| Answer::bare(request.id, engine.seq(), engine.now(), kind);
        let within =
            state.budgets.get_mut(usize::from(desk.0)).is_some_and(|b| b.take(request, now_ns));
        let tightens = matches!(request.ask, Ask::Beat | Ask::Cancel { .. } | Ask::Halt { .. });
        if request.ask != Ask::Beat && (!within || !tightens && state.held.is_crowded()) {
            return self.say(desk, bare(AnswerKind::OverBudget), now_ns, state);
        }
        let stops = state.stopping.is_some();
        match request.ask {
            Ask::Beat => {}
            Ask::Check(terms) => {
                let answer = Answer { engine_seq: engine.seq(), ..engine.check(request, &terms) };
                state.held.hold(desk, answer, now_ns);
                if let Some(pages) = &mut self.pages {
                    pages.watch(request.account, terms.instrument, engine);
                }
            }
            // Judged without a trace: whom an account is closed to must not use up its rate or ids.
            Ask::New(terms) if !engine.risk().is_open_to_clients(request.account) => {
                let verdict = engine.check(request, &terms).verdict;
                let answer = Answer { verdict, ..bare(AnswerKind::Refused) };
                self.turn_away(request, &answer);
                state.held.hold(desk, answer, now_ns);
            }
            Ask::Basket(basket) if !engine.risk().is_open_to_clients(request.account) => {
                let verdict = engine.judge_basket(request, &basket);
                let answer = Answer { verdict, ..bare(AnswerKind::Refused) };
                self.turn_away(request, &answer);
                state.held.hold(desk, answer, now_ns);
            }
            Ask::New(_) | Ask::Replace { .. } | Ask::Basket(_) if state.journal.full || stops => {
                let verdict =
                    Verdict::refuse(if stops { Reject::Halted } else { Reject::JournalFull });
                let answer = Answer { verdict, ..bare(AnswerKind::Refused) };
                self.turn_away(request, &answer);
                state.held.hold(desk, answer, now_ns);
            }
            _ => {
                self.input(Body::Request(*request), state);
                if let Some(answer) = self.sequencer.out.answer.take() {
                    state.held.hold(desk, answer, now_ns);
                }
            }
        }
    }

    /// Whether desks are heard: there is room for what a request becomes, and for its answer.
    pub(super) fn hears_desks(&self, state: &Loop) -> bool {
        !state.held.is_full() && self.has_reserve()
    }

    /// Answers what became no input: in its turn, but at once while the places that are left are for what only tightens.
    fn say(&mut self, desk: DeskId, answer: Answer, now_ns: u64, state: &mut Loop) {
        match &mut self.pages {
            Some(pages) if state.held.is_crowded() => pages.publisher.answer(desk, &answer),
            _ => state.held.hold(desk, answer, now_ns),
        }
    }

    /// Records a refusal that is no input.
    fn turn_away(&mut self, request: &Request, answer: &Answer) {
        let Sequencer { engine, audit, .. } = &mut self.sequencer;
        if let Some(audit) = audit {
            audit.turn_away(engine, request, answer.verdict);
        }
    }

    /// Sends the answers whose inputs are recorded as durably as the mode demands.
    pub(super) fn release_answers(&mut self, state: &mut Loop) -> bool {
        let recorded = self.recorded();
        let failed = self.journal.as_ref().is_some_and(|(journal, _)| journal.failed());
        if failed && !state.unrecorded_gone {
            // Orders that a restart will know nothing of: nobody is told that they are accepted.
            state.held.forget_after(recorded);
            state.unrecorded_gone = true;
        }
        if state.held.is_empty() {
            return false;
        }
        // From then on there are only cancels, halts and refusals, which wait for nothing.
        let recorded = if failed { u64::MAX } else { recorded };
        let mut busy = false;
        while let Some((desk, answer, since_ns)) = state.held.release(recorded) {
            if let Some(pages) = &mut self.pages {
                pages.publisher.answer(desk, &answer);
            }
            self.samples.record(HOLD, state.clock.now_ns().saturating_sub(since_ns));
            busy = true;
        }
        if !busy && let Some(recorder) = &mut self.sequencer.recorder {
            recorder.flush();
        }
        busy
    }
}
