//! The threads of a run, each made of its ends of the rings and of what is open.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::page::{STAGES, StageLatency};
use shm::{EventReceiver, EventSender};

use crate::config::{AtStop, Config, Durability};
use crate::journal::writer::Progress as JournalProgress;
use crate::runtime::clock_watch::ClockWatch;
use crate::runtime::credit::CreditPost;
use crate::runtime::engine::{EngineThread, LimitsPost};
use crate::runtime::feed::FeedThread;
use crate::runtime::figures::Figures;
use crate::runtime::housekeeping::{Handed, HousekeepingThread, Sockets, Told, wall_ns};
use crate::runtime::keeper::Keeper;
use crate::runtime::lines::Around;
use crate::runtime::operator::Outbox;
use crate::runtime::publish::Pages;
use crate::runtime::stages::{Sample, Samples};
use crate::runtime::watchdog::Watchdog;
use crate::script::Script;
use crate::sequencer::Sequencer;
use crate::step::NewRules;
use crate::warmup::Warmup;

/// Controls that can wait for the engine thread.
const CONTROLS: usize = 256;
/// What the engine thread tells housekeeping and can wait for it.
const TOLD: usize = 1024;

/// The engine thread's ends of the rings between it and housekeeping.
pub(super) struct EngineEnds {
    controls: rtrb::Consumer<Handed>,
    limits: LimitsPost,
    told: rtrb::Producer<Told>,
    samples: Samples,
    stages: rtrb::Consumer<[StageLatency; STAGES.len()]>,
}

/// Housekeeping's ends of the same.
pub(super) struct HousekeepingEnds {
    controls: rtrb::Producer<Handed>,
    limits: rtrb::Producer<Box<NewRules>>,
    spent: rtrb::Consumer<Box<NewRules>>,
    told: rtrb::Consumer<Told>,
    /// Of the feed thread of captures, and of the engine thread.
    samples: [rtrb::Consumer<Sample>; 2],
    figures: rtrb::Producer<[StageLatency; STAGES.len()]>,
}

/// All rings that housekeeping has an end of; the last is where the feed thread of captures leaves its samples.
pub(super) fn rings() -> (EngineEnds, HousekeepingEnds, Samples) {
    let (to_controls, controls) = rtrb::RingBuffer::new(CONTROLS);
    let (to_house, told) = rtrb::RingBuffer::new(TOLD);
    let (to_figures, stages) = rtrb::RingBuffer::new(2);
    let (feed_samples, from_feed) = Samples::ring();
    let (samples, from_engine) = Samples::ring();
    let (to_new, new) = rtrb::RingBuffer::new(1);
    let (to_spent, spent) = rtrb::RingBuffer::new(1);
    let limits = LimitsPost { new, spent: to_spent };
    let engine = EngineEnds { controls, limits, told: to_house, samples, stages };
    let housekeeping = HousekeepingEnds {
        controls: to_controls,
        limits: to_new,
        spent,
        told,
        samples: [from_feed, from_engine],
        figures: to_figures,
    };
    (engine, housekeeping, feed_samples)
}

/// What the engine thread has to itself, or shares with whoever started it.
pub(super) struct Core {
    pub sequencer: Sequencer,
    pub events: Vec<EventReceiver>,
    pub credit: Option<CreditPost>,
    pub pages: Option<Pages>,
    pub journal: Option<(Arc<JournalProgress>, Durability)>,
    pub script: Script,
    pub figures: Figures,
    pub asked: Arc<AtomicBool>,
    pub ends_with_feed: bool,
}

/// The engine thread.
pub(super) fn engine_thread(
    core: Core,
    config: &Config,
    ends: EngineEnds,
    around: &Around,
) -> EngineThread {
    let EngineEnds { controls, limits, told, samples, stages } = ends;
    EngineThread {
        sequencer: core.sequencer,
        events: core.events,
        controls,
        limits,
        told,
        credit: core.credit,
        pages: core.pages,
        journal: core.journal,
        script: core.script,
        pace: Arc::clone(&around.pace),
        waiter: around.waiter,
        samples,
        stages,
        figures: core.figures,
        warmup: around.waiter.spins().then(Warmup::new).flatten(),
        progress: Arc::clone(&around.progress),
        asked: core.asked,
        stop: Arc::clone(&around.stop),
        at_stop: config.engine.venue.as_ref().map_or(AtStop::Leave, |venue| venue.at_stop),
        ends_with_feed: core.ends_with_feed,
    }
}

/// The thread that plays captures into a ring.
pub(super) fn feed_thread(
    captures: feeds::Merge,
    ring: EventSender,
    samples: Samples,
    around: &Around,
) -> FeedThread {
    FeedThread {
        captures,
        ring,
        pace: Arc::clone(&around.pace),
        waiter: around.waiter,
        samples,
        progress: Arc::clone(&around.progress),
        stop: Arc::clone(&around.stop),
        chunks: 0,
    }
}

/// The housekeeping thread.
pub(super) fn housekeeping_thread(
    sockets: Option<Sockets>,
    keeper: Keeper,
    config: &Config,
    ends: HousekeepingEnds,
    around: &Around,
) -> HousekeepingThread {
    let HousekeepingEnds { controls, limits, spent, told, samples, figures } = ends;
    HousekeepingThread {
        sockets,
        controls,
        limits,
        spent,
        told,
        keeper,
        watchdog: Watchdog::new(Duration::from_nanos(config.engine.stalled_ns)),
        clock: ClockWatch::new(config.rules.triggers.clock, wall_ns(), host::monotonic_ns()),
        attached: 0,
        outbox: Outbox::default(),
        samples,
        figures,
        progress: Arc::clone(&around.progress),
        stop: Arc::clone(&around.stop),
    }
}
