//! The housekeeping thread: the attach socket, the operator, the latch file, latency figures, and an eye on the engine
//! thread. Nothing that it waits for can hold up a halt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::page::{STAGES, StageLatency};
use model::{BooksRefusal, Control, HaltCause, HaltLevel, HaltScope, Note, Why};
use shm::{AttachEvent, HaltWord, Listener};
use switch::{Answer, Halt, Scope, Ticket};

use super::Progress;
use super::clock_watch::ClockWatch;
use super::keeper::{Changed, Keeper};
use super::operator::{OperatorDesk, Outbox, Outcome, Sent, SoughtTold, Waiting};
use super::stages::{Sample, StageHistograms};
use super::status::StatusPage;
use super::watchdog::{Sight, Watchdog};
use crate::latches::Latch;
use crate::step::{Booked, NewRules};

/// How long the socket is waited on.
const POLL: Duration = Duration::from_millis(5);
/// How often the latency figures are worked out.
const FIGURES: Duration = Duration::from_millis(250);

/// What the engine thread tells housekeeping.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// A latch changed. Comes before the control that did it is [`Told::Acted`].
    Changed(Changed),
    /// An order waits for approval, or no longer. Comes before [`Told::Acted`] too.
    Sought(SoughtTold),
    /// A control was taken as input `seq`.
    Acted { seq: u64, outcome: Outcome },
    /// A rate or a split was: taken or refused as input `seq`, or only tried.
    Booked { seq: u64, outcome: Result<Booked, BooksRefusal> },
}

/// What housekeeping hands to the engine thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handed {
    /// An input.
    Input(Control),
    /// What would become of it as an input? It is a rate or a split.
    Trial(Control),
}

pub(super) struct HousekeepingThread {
    /// Where clients attach and the operator asks; `None`: nobody can.
    pub sockets: Option<Sockets>,
    pub controls: rtrb::Producer<Handed>,
    /// Limits for the engine thread.
    pub limits: rtrb::Producer<Box<NewRules>>,
    /// Limits that it is done with, to be dropped here.
    pub spent: rtrb::Consumer<Box<NewRules>>,
    pub told: rtrb::Consumer<Told>,
    pub keeper: Keeper,
    pub watchdog: Watchdog,
    pub clock: ClockWatch,
    /// A bit for each desk that has a client.
    pub attached: u64,
    pub outbox: Outbox,
    pub samples: [rtrb::Consumer<Sample>; 2],
    pub figures: rtrb::Producer<[StageLatency; STAGES.len()]>,
    pub progress: Arc<Progress>,
    pub stop: Arc<AtomicBool>,
}

/// The sockets of an engine that can be found.
pub(super) struct Sockets {
    /// Goes before the listener, which holds the engine's name: a successor's socket has the same path.
    pub desk: OperatorDesk,
    pub listener: Listener,
    pub status: StatusPage,
    pub halt: HaltWord,
}

impl HousekeepingThread {
    /// Runs until it is stopped.
    pub fn run(mut self) -> StageHistograms {
        let mut histograms = StageHistograms::new();
        let mut next_figures = Instant::now();
        while !self.stop.load(Ordering::Acquire) && !self.progress.ended.load(Ordering::Acquire) {
            self.samples.iter_mut().for_each(|ring| histograms.collect(ring));
            if Instant::now() >= next_figures {
                next_figures = Instant::now() + FIGURES;
                let _ = self.figures.push(histograms.page()); // Full: the engine has newer ones than it reads.
                self.keep(); // What could not be written is tried again.
                self.look_at_clock();
            }
            self.look(Instant::now());
            self.hear(Instant::now());
            self.send();
            self.poll();
        }
        self.samples.iter_mut().for_each(|ring| histograms.collect(ring));
        self.hear(Instant::now());
        self.keep();
        histograms
    }

    /// Waits a little for clients and the operator.
    fn poll(&mut self) {
        let Some(sockets) = &mut self.sockets else { return std::thread::sleep(POLL) };
        match sockets.listener.poll(POLL) {
            Ok(None) => {}
            Ok(Some(AttachEvent::Attached(desk))) => {
                tracing::info!("desk {}: a client attached", desk.0);
                self.attached |= 1_u64.checked_shl(desk.0.into()).unwrap_or(0);
            }
            Ok(Some(AttachEvent::Closed(desk))) => {
                tracing::info!("desk {}: its client is gone", desk.0);
                self.attached &= !1_u64.checked_shl(desk.0.into()).unwrap_or(0);
                self.outbox.push(Control::DeskClosed(desk));
            }
            Ok(Some(AttachEvent::Halt { note })) => {
                tracing::warn!("halt asked for on the attach socket: {note}");
                self.halt_all(HaltCause::Client, note);
            }
            Err(_) => std::thread::sleep(POLL),
        }
        let (now, wall_ns, stalled) = (Instant::now(), wall_ns(), self.watchdog.is_stalled());
        let Some(Sockets { desk, .. }) = &mut self.sockets else { return };
        let asked = desk.poll(now, wall_ns, &mut self.keeper, &mut self.outbox, stalled);
        self.show_word();
        if let Some(ticket) = asked {
            self.answer_status(ticket);
        }
        self.send();
    }

    /// Looks whether the engine thread goes round.
    fn look(&mut self, now: Instant) {
        match self.watchdog.look(self.progress.loops.load(Ordering::Relaxed), now) {
            None => {}
            Some(Sight::Stalled) => {
                self.progress.stalled.store(true, Ordering::Release);
                tracing::error!(
                    "the engine thread stands still for {:?}: everything is halted",
                    self.watchdog.stood()
                );
                self.halt_all(HaltCause::Heartbeat, Note::lossy("the engine thread stood still"));
            }
            Some(Sight::Back) => {
                self.progress.stalled.store(false, Ordering::Release);
                tracing::warn!("the engine thread goes on; the halt stays");
            }
        }
    }

    /// Looks whether the wall clock can be believed.
    fn look_at_clock(&mut self) {
        let seen = self.clock.look(wall_ns(), host::monotonic_ns(), host::clock_is_steered());
        let Some(is_unsafe) = seen else { return };
        let apart = Duration::from_nanos(self.clock.seen().0);
        match is_unsafe {
            true => {
                tracing::error!("the wall clock is not believed: {apart:?} from where it should be")
            }
            false => tracing::warn!("the wall clock is believed again; a halt stays"),
        }
        self.outbox.push(Control::ClockUnsafe(is_unsafe));
    }

    /// Halts everything without anybody's asking: the word first, which needs no engine thread.
    fn halt_all(&mut self, cause: HaltCause, note: Note) {
        let (scope, level, operator) = (Scope::All, HaltLevel::Halted, String::new());
        let (reason, since_ns) = (note.as_str().to_owned(), wall_ns());
        let is_new = self.keeper.tell(Halt { scope, level, cause, operator, reason, since_ns });
        self.show_word();
        self.keep();
        if is_new {
            let why = Why { note, ..Why::of(cause) };
            self.outbox.push(Control::Halt { scope: HaltScope::All, level, why });
        }
    }

    /// Takes what the engine thread tells.
    fn hear(&mut self, now: Instant) {
        let mut changed = false;
        while self.spent.pop().is_ok() {}
        while let Ok(told) = self.told.pop() {
            match told {
                Told::Changed(latch) => {
                    let scope = self.keeper.scope_of(&latch);
                    warn_of(&scope, &latch.latch);
                    if let Some(Sockets { desk, .. }) = &mut self.sockets {
                        desk.overtake(&scope, latch.latch.level);
                    }
                    self.keeper.say(&latch, wall_ns());
                    changed = true;
                }
                Told::Sought(sought) => {
                    if let Some(Sockets { desk, .. }) = &mut self.sockets {
                        desk.waiting.say(&sought);
                    }
                }
                Told::Acted { seq, outcome } => {
                    let sent = self.outbox.sent.pop_front();
                    let sockets = self.sockets.as_mut();
                    match (sent, sockets) {
                        (Some(Sent { waiting: Some(waiting), .. }), Some(Sockets { desk, .. })) => {
                            desk.acted(waiting, seq, outcome, now, &mut self.keeper);
                        }
                        (Some(Sent { halts_all: true, .. }), _) => self.keeper.taken(&Scope::All),
                        _ => {}
                    }
                    changed = true;
                }
                Told::Booked { seq, outcome } => {
                    let sent = self.outbox.sent.pop_front();
                    if let (Some(Sent { waiting: Some(waiting), .. }), Some(Sockets { desk, .. })) =
                        (sent, self.sockets.as_mut())
                    {
                        desk.booked(waiting, seq, outcome, now);
                    }
                }
            }
        }
        if changed {
            self.show_word();
            self.keep();
        }
    }

    /// Hands controls to the engine thread, as many as there is room for.
    fn send(&mut self) {
        while !self.controls.is_full()
            && let Some((control, waiting)) = self.outbox.unsent.pop_front()
        {
            if matches!(control, Control::Limits { .. })
                && let Some(rules) = self.outbox.limits.take()
            {
                let _ = self.limits.push(rules); // There is room: one at a time is on its way.
            }
            let is_trial = waiting.as_ref().is_some_and(Waiting::is_trial);
            let handed = if is_trial { Handed::Trial } else { Handed::Input };
            let _ = self.controls.push(handed(control));
            let halts_all = matches!(control, Control::Halt { scope: HaltScope::All, .. });
            self.outbox.sent.push_back(Sent { waiting, halts_all });
        }
    }

    /// Shows gateways and readers the halt of everything.
    fn show_word(&mut self) {
        let word = self.progress.halt.set(self.keeper.firm());
        if let Some(sockets) = &self.sockets {
            sockets.halt.set(word);
        }
    }

    fn keep(&mut self) {
        if self.sockets.is_some() {
            self.keeper.keep();
        }
    }

    fn answer_status(&mut self, ticket: Ticket) {
        let Some(Sockets { desk, status, .. }) = &mut self.sockets else { return };
        let now = Instant::now();
        let uptime = now.saturating_duration_since(desk.begun);
        let (keeper, watchdog) = (&self.keeper, &self.watchdog);
        let answer =
            match status.read(uptime, keeper, watchdog, &self.clock, self.attached, &desk.limits) {
                Some(status) => Answer::Status(Box::new(status)),
                None => Answer::refused("not_published", "the engine has published nothing yet"),
            };
        desk.socket.answer(ticket, &answer, now);
    }
}

/// Says in the log what the engine halted by itself: within one look of this thread after it did.
fn warn_of(scope: &Scope, Latch { level, why }: &Latch) {
    if *level > HaltLevel::Active && !matches!(why.cause, HaltCause::Human | HaltCause::Client) {
        tracing::error!("{scope} is {level}: {} {}", why.cause, why.note);
    }
}

/// Wall clock, nanoseconds since the UNIX epoch.
pub(super) fn wall_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
