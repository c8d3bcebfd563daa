//! The engine thread: controls, the venue's reports, events, desks, answers, pages, round and round.

mod desks;
mod limits;
mod quiet;
mod stop;
mod triggers;
mod venue;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use host::Clock;
use model::page::{STAGES, StageLatency};
use model::{Body, Control, Event, Kind, Ts};
use shm::EventReceiver;

use super::Progress;
use super::credit::CreditPost;
use super::dead_man::{self, DeadMen};
use super::desks::{Budget, Held};
use super::figures::Figures;
use super::housekeeping::{Handed, Told};
use super::keeper::Changed;
use super::observe::EngineObserver;
use super::operator::SoughtTold;
use super::pace::Pace;
use super::publish::Pages;
use super::sinks::{Lag, Sink};
use super::stages::{BOOK, GATE, INDICATORS, PUBLISH, SAMPLE_EVERY, Samples};
use super::wait::Waiter;
use crate::config::{AtStop, Durability};
use crate::journal::recorder::INPUTS_PER_LOOK;
use crate::journal::writer::Progress as JournalProgress;
use crate::script::Script;
use crate::sequencer::Sequencer;
use crate::step::{Engine, Stage, Stamp};
use crate::warmup::Warmup;
use stop::Stopping;
use venue::VenueState;

pub(super) use limits::LimitsPost;

/// Events taken from the ring in one round.
const EVENTS_PER_ROUND: usize = INPUTS_PER_LOOK;
/// Rounds whose pages are written together while more events wait: at most about a tenth of a millisecond.
const ROUNDS_UNPUBLISHED: u32 = 16;
/// Room for what one control changes, nearly always, and for its answer.
const TOLD_ROOM: usize = 512;
pub(super) struct EngineThread {
    pub sequencer: Sequencer,
    /// One for each feed thread.
    pub events: Vec<EventReceiver>,
    pub controls: rtrb::Consumer<Handed>,
    pub limits: LimitsPost,
    pub told: rtrb::Producer<Told>,
    /// To the treasury, if other engines share its accounts.
    pub credit: Option<CreditPost>,
    pub pages: Option<Pages>,
    pub journal: Option<(Arc<JournalProgress>, Durability)>,
    pub script: Script,
    pub pace: Arc<Pace>,
    pub waiter: Waiter,
    pub samples: Samples,
    pub stages: rtrb::Consumer<[StageLatency; STAGES.len()]>,
    pub figures: Figures,
    /// Where this thread spins: elsewhere it would take time from others.
    pub warmup: Option<Warmup>,
    pub progress: Arc<Progress>,
    /// Set by whoever wants the run to end.
    pub asked: Arc<AtomicBool>,
    /// Set for all other threads when this one has ended.
    pub stop: Arc<AtomicBool>,
    pub at_stop: AtStop,
    pub ends_with_feed: bool,
}

/// What the loop keeps between rounds.
struct Loop {
    clock: Clock,
    /// The events of a round.
    batch: Box<[Event; EVENTS_PER_ROUND]>,
    budgets: Vec<Budget>,
    held: Held,
    journal: Sink,
    audit: Sink,
    lag: Lag,
    dead_men: DeadMen,
    /// Whether the answers to what a journal that failed did not record are taken away.
    unrecorded_gone: bool,
    venue: VenueState,
    stopping: Option<Stopping>,
    /// Rounds of events whose pages are not written yet.
    unpublished: u32,
    loops: u64,
    quiet_at: u64,
    depth_at: u64,
    headroom_at: u64,
    warmup_at: u64,
    /// End of the last round that had work.
    busy_at: u64,
    correct_at: u64,
    figures_at: u64,
}

/// What the engine thread leaves.
pub(super) struct Ended {
    pub engine: Engine,
    /// By feed: events that the journal refers to.
    pub events: Vec<u64>,
    pub script: Script,
}

impl EngineThread {
    /// Runs until it is stopped or, if so planned, the feed is through and the script done.
    pub fn run<O: EngineObserver>(mut self, mut observer: O) -> Ended {
        let desks = self.pages.as_ref().map_or(0, |pages| pages.desks().count());
        let (clock, engine) = (Clock::start(), &self.sequencer.engine);
        let dead_men = DeadMen::new(dead_man::bounds(engine), desks, clock.now_ns());
        let mut state = Loop {
            clock,
            batch: Box::new([Event::empty(Kind::Notice); EVENTS_PER_ROUND]),
            budgets: vec![Budget::new(); desks],
            held: Held::new(),
            journal: Sink::default(),
            audit: Sink::default(),
            lag: Lag::new(&engine.rules().triggers, engine.seq()),
            dead_men,
            unrecorded_gone: false,
            venue: VenueState::default(),
            stopping: None,
            unpublished: 0,
            loops: 0,
            quiet_at: 0,
            depth_at: 0,
            headroom_at: 0,
            warmup_at: 0,
            busy_at: 0,
            correct_at: 0,
            figures_at: 0,
        };
        if let Some(pages) = &mut self.pages {
            pages.publish_accounts(&self.sequencer);
            // An engine that goes on has a past, and its pages are new.
            let Sequencer { engine, out, .. } = &mut self.sequencer;
            engine.show_all(out);
            pages.publish_changes(&mut self.sequencer);
            self.progress.gateway.set_in_doubt(pages.in_doubt());
        }
        loop {
            let mut busy = self.poll_controls(&mut state);
            busy |= self.poll_venue(&mut state);
            busy |= self.poll_events(&mut state, &mut observer);
            busy |= self.poll_desks(&mut state);
            busy |= self.release_answers(&mut state);
            let is_over = |ring: &EventReceiver| ring.is_abandoned() && ring.is_empty();
            let over = self.events.iter().all(is_over);
            let ends = over && self.ends_with_feed || self.asked.load(Ordering::Relaxed);
            if ends && self.may_end(&mut state) {
                break;
            }
            if self.ends_with_feed && self.saves_reserve() {
                break; // Nothing would be recorded of the rest; the journal thread says why.
            }
            observer.round(!busy);
            let idle = self.end_round(&mut state, busy);
            observer.round(idle);
        }
        if state.unpublished > 0 {
            self.publish(&state); // It was stopped in a burst.
        }
        observer.end();
        self.close()
    }

    fn poll_controls(&mut self, state: &mut Loop) -> bool {
        let mut busy = self.poll_sinks(state) | self.poll_credit(state);
        // Each is answered, after what it changed: while there is no room for that, none is taken.
        while self.told.slots() >= TOLD_ROOM
            && self.has_reserve()
            && let Ok(handed) = self.controls.pop()
        {
            let told = self.take(handed, state);
            let _ = self.told.push(told);
            busy = true;
        }
        if busy {
            self.publish(state);
        }
        busy
    }

    /// Takes what housekeeping hands over; what is told of it.
    fn take(&mut self, handed: Handed, state: &Loop) -> Told {
        let outcome = match handed {
            Handed::Trial(control) => {
                let (now, engine) = (self.now(state.clock.now_ns()), &self.sequencer.engine);
                let outcome = engine.may_book(&control, now);
                return Told::Booked { seq: engine.seq(), outcome };
            }
            Handed::Input(control @ Control::Limits { .. }) => Some(self.relimit(control, state)),
            Handed::Input(control) => {
                self.input(Body::Control(control), state);
                self.tell_changes(1);
                self.sequencer.out.resumed.take()
            }
        };
        let seq = self.sequencer.engine.seq();
        match self.sequencer.out.booked.take() {
            Some(outcome) => Told::Booked { seq, outcome },
            None => Told::Acted { seq, outcome },
        }
    }

    /// Takes what the treasury asks for; on a full disk nothing, for what is left of it is for cancels and reports.
    fn poll_credit(&mut self, state: &Loop) -> bool {
        let mut busy = false;
        while self.credit.is_some()
            && !self.saves_reserve()
            && self.has_room()
            && let Some(asked) = self.credit.as_mut().and_then(CreditPost::take)
        {
            self.input(Body::Control(asked.control()), state);
            let Sequencer { engine, out, .. } = &mut self.sequencer;
            if let (Some(post), Some(credited)) = (&mut self.credit, out.credited.take()) {
                post.done(engine.seq(), credited);
            }
            busy = true;
        }
        busy
    }

    /// Tells housekeeping what is halted or resumed and which orders wait, as far as there is room besides `reserve`.
    fn tell_changes(&mut self, reserve: usize) {
        let Sequencer { engine, out, .. } = &mut self.sequencer;
        let told = &mut self.told;
        let room = told.slots().saturating_sub(reserve);
        out.halts.take(room, |slot| {
            if let Some(changed) = Changed::of(engine, slot) {
                let _ = told.push(Told::Changed(changed));
            }
        });
        let room = told.slots().saturating_sub(reserve);
        out.approvals.take(room, |slot| {
            let _ = told.push(Told::Sought(SoughtTold::of(engine, slot)));
        });
    }

    /// Takes events of every feed in turn, a few from each.
    fn poll_events(&mut self, state: &mut Loop, observer: &mut impl EngineObserver) -> bool {
        let mut busy = false;
        if self.saves_reserve() {
            return false;
        }
        for ring in 0..self.events.len() {
            busy |= self.poll_ring(ring, state, observer);
        }
        if busy {
            self.publish_events(state);
            self.progress.inputs.store(self.sequencer.engine.seq(), Ordering::Relaxed);
        }
        busy
    }

    /// Whether the disk is full and the reserve is all that is left: it is for cancels and reports, and what the market says
    /// is not heard any more, so that the engine holds nothing that its journal does not.
    fn saves_reserve(&self) -> bool {
        self.journal.as_ref().is_some_and(|(journal, _)| journal.full())
    }

    fn poll_ring<O: EngineObserver>(
        &mut self,
        ring: usize,
        state: &mut Loop,
        observer: &mut O,
    ) -> bool {
        if !self.has_room() {
            return false;
        }
        let Some(ring) = self.events.get_mut(ring) else { return false };
        let Loop { batch, clock, .. } = state;
        let taken = ring.take(&mut batch[..]);
        let events = batch.get(..taken).unwrap_or_default();
        for (at, event) in events.iter().enumerate() {
            observer.taken();
            self.sequencer.engine.look_ahead(events, at);
            if !self.script.is_done() {
                run_script(&mut self.script, &mut self.sequencer, Some(event));
            }
            if O::OBSERVES {
                self.sequencer.event(event, observer);
                observer.stepped();
                continue;
            }
            let sampled = self.sequencer.engine.seq().is_multiple_of(SAMPLE_EVERY);
            if sampled {
                let last = clock.now_ns();
                let mut stamps = Stamps::new(clock, &mut self.samples, last);
                self.sequencer.event(event, &mut stamps);
                stamps.keep(&mut self.sequencer);
            } else {
                self.sequencer.event(event, &mut ());
            }
        }
        taken > 0
    }

    /// Writes the pages that a round of events changed; while more events wait, only those of every few rounds: an order that the
    /// next event causes does not wait for pages, and one that will change again at once is written once.
    fn publish_events(&mut self, state: &mut Loop) {
        let is_behind = self.events.iter().any(|ring| !ring.is_empty());
        state.unpublished =
            if is_behind { (state.unpublished + 1) % ROUNDS_UNPUBLISHED } else { 0 };
        if state.unpublished == 0 {
            self.publish(state);
        } else if let Some(pages) = &mut self.pages {
            pages.publish_tape(&mut self.sequencer.out);
        } else {
            self.sequencer.out.forget();
        }
    }

    /// Writes the pages that a batch of events changed.
    fn publish(&mut self, state: &Loop) {
        let Some(pages) = &mut self.pages else {
            self.sequencer.out.forget();
            return;
        };
        let before = state.clock.now_ns();
        pages.publish_changes(&mut self.sequencer);
        self.progress.gateway.set_in_doubt(pages.in_doubt());
        self.samples.record(PUBLISH, state.clock.now_ns().saturating_sub(before));
    }

    /// Makes an input of anything but an event.
    fn input(&mut self, body: Body, state: &Loop) {
        let now_ns = state.clock.now_ns();
        let now = self.now(now_ns);
        let mut stamps = Stamps::new(&state.clock, &mut self.samples, now_ns);
        self.sequencer.input(now, body, &mut stamps);
        stamps.keep(&mut self.sequencer);
    }

    /// Engine time at `now_ns` on the clock: recorded time at its pace, else that of the last input.
    fn now(&self, now_ns: u64) -> Ts {
        let last = self.sequencer.engine.now();
        self.pace.now(now_ns).map_or(last, |now| now.max(last))
    }

    fn close(mut self) -> Ended {
        if !self.script.is_done() {
            run_script(&mut self.script, &mut self.sequencer, None);
        }
        self.tell_changes(0);
        let Sequencer { engine, audit, recorder, .. } = &mut self.sequencer;
        if let Some(audit) = audit {
            audit.close(engine);
        }
        if let Some(recorder) = recorder {
            recorder.deep(engine.seq(), engine.full_hash());
            recorder.close(engine.seq(), engine.state_hash());
        }
        self.progress.inputs.store(engine.seq(), Ordering::Relaxed);
        self.progress.ended.store(true, Ordering::Release);
        self.stop.store(true, Ordering::Release);
        let Sequencer { engine, recorder, .. } = self.sequencer;
        let events = recorder.map_or_else(Vec::new, |recorder| recorder.events());
        Ended { engine, events, script: self.script }
    }
}

/// Asks for everything in the script that comes before `event`.
fn run_script(script: &mut Script, sequencer: &mut Sequencer, event: Option<&Event>) {
    while let Some((line, request)) = script.due(event, &sequencer.engine) {
        let now = sequencer.engine.now();
        sequencer.input(now, Body::Request(request), &mut ());
        if let Some(answer) = sequencer.out.answer.take() {
            script.note(&line, answer.order);
        }
    }
}

/// Measures the stages of one step.
struct Stamps<'a> {
    clock: &'a Clock,
    samples: &'a mut Samples,
    last: u64,
    /// Of book, indicators and gate; zero: not so far.
    ns: [u64; 3],
}

impl<'a> Stamps<'a> {
    fn new(clock: &'a Clock, samples: &'a mut Samples, last: u64) -> Stamps<'a> {
        Stamps { clock, samples, last, ns: [0; 3] }
    }

    /// Has them recorded beside the order that the step judged, if it did.
    fn keep(self, sequencer: &mut Sequencer) {
        let Sequencer { engine, recorder, .. } = sequencer;
        let [.., gate] = self.ns;
        if let Some(recorder) = recorder.as_mut().filter(|_| gate > 0) {
            recorder.stages(engine.seq(), self.ns);
        }
    }
}

impl Stamp for Stamps<'_> {
    fn mark(&mut self, stage: Stage) {
        let [book, indicators, gate] = &mut self.ns;
        let (place, kept) = match stage {
            Stage::Handed => return, // No stage of ours: the paper venue's, or a ring's.
            Stage::Book => (BOOK, book),
            Stage::Indicators => (INDICATORS, indicators),
            Stage::Gate => (GATE, gate),
        };
        let now = self.clock.now_ns();
        let ns = now.saturating_sub(self.last);
        self.samples.record(place, ns);
        (*kept, self.last) = (ns.max(1), now);
    }
}
