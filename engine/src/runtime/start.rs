//! Puts the threads and the rings between them together, and takes them apart.

mod journal;
mod latched;
mod live;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use audit::AuditError;
use feeds::Counters;
use model::Ts;
use shm::{Folder, Listener, Publisher};
use switch::{OperatorSocket, Operators};

use super::clock_watch::ClockWatch;
use super::desks::DESKS;
use super::engine::{Ended, EngineThread, LimitsPost};
use super::feed::{FeedEnd, FeedThread};
use super::figures::Figures;
use super::gateway::{GatewayThread, GatewayView};
use super::house::{Door, HouseThread, wall_ns};
use super::lines::Around;
use super::observe::{EngineObserver, FeedObserver};
use super::operator::{InForce, OperatorDesk, Outbox};
use super::pace::Pace;
use super::publish::Pages;
use super::ready::{Leaves, Ready};
use super::restart;
use super::stages::{Samples, StageHistograms};
use super::status::StatusPage;
use super::triggers::TriggerList;
use super::wait::Waiter;
use super::watchdog::Watchdog;
use super::{FeedProgress, Finished, Plan, Progress, RunError, Running};
use crate::audit::AuditThread;
use crate::budget::Budget;
use crate::config::{AtStop, Config, Durability, GatewayConfig};
use crate::gateway::ends::{EngineEnd, ends};
use crate::journal::JournalError;
use crate::journal::lease::Lease;
use crate::journal::reader::Tail;
use crate::journal::writer::Progress as JournalProgress;
use crate::rehearsal::Rehearsal;
use crate::replay::Replay;
use crate::sequencer::Sequencer;
use crate::step::{Engine, Prepared, lines_max};
pub(crate) use journal::entries_of;
use journal::{Opened, open_journal};
use latched::latched;
use live::{Live, open_live};

/// Controls that can wait for the engine thread.
const CONTROLS: usize = 256;
/// What the engine thread tells housekeeping and can wait for it.
const TOLD: usize = 1024;

/// The threads of a run.
pub(super) struct Threads {
    /// Of captures, if there are any.
    captures: Option<JoinHandle<FeedEnd>>,
    /// One for each live feed.
    live: Vec<JoinHandle<()>>,
    engine: JoinHandle<Ended>,
    /// Of a venue outside, if there is one.
    gateway: Option<JoinHandle<()>>,
    house: JoinHandle<StageHistograms>,
    journal: Option<JoinHandle<Result<Tail, JournalError>>>,
    journal_stop: Arc<AtomicBool>,
    audit: Option<JoinHandle<Result<(), AuditError>>>,
    audit_stop: Arc<AtomicBool>,
    /// What is written once everything has ended.
    leaves: Option<Leaves>,
    progress: Arc<Progress>,
}

/// Starts a run.
///
/// # Errors
///
/// [`RunError`]; nothing is left running.
pub fn start(plan: Plan) -> Result<Running, RunError> {
    // First of all, so that nobody appends to what is about to be read.
    let lease = plan.config.engine.journal.as_ref().map(|journal| Lease::take(&journal.folder));
    start_under(plan, lease.transpose()?)
}

/// The same under a lease of its journal that was taken already: by whoever had something to look at first, while no other engine
/// of that journal could run.
///
/// # Errors
///
/// [`RunError`]; nothing is left running.
pub fn start_under(plan: Plan, lease: Option<Lease>) -> Result<Running, RunError> {
    let memory = plan.config.engine.memory;
    host::allow_huge_pages(memory.huge_pages);
    let budget = Budget::of(&plan.config, plan.shared);
    budget.check(&memory)?;
    let huge = host::huge_bytes();
    let ready = Ready::prepare(&plan.config)?;
    tell(&budget, huge, plan.shared);
    go_on(plan, lease, ready, (), ())
}

/// Starts a run that plays captures and keeps no journal, with somebody who looks on.
///
/// # Errors
///
/// [`RunError`]; nothing is left running.
pub fn start_observed(
    plan: Plan,
    feed: impl FeedObserver,
    engine: impl EngineObserver,
) -> Result<Running, RunError> {
    let memory = plan.config.engine.memory;
    host::allow_huge_pages(memory.huge_pages);
    Budget::of(&plan.config, plan.shared).check(&memory)?;
    let ready = Ready::prepare(&plan.config)?;
    go_on(plan, None, ready, feed, engine)
}

/// Says what the tables take, and how much of it lies in huge pages; `huge`: bytes in such pages before they were made;
/// `each`: table by table.
fn tell(budget: &Budget, huge: Option<u64>, each: bool) {
    if each {
        budget.to_string().lines().for_each(|line| tracing::info!("{line}"));
    }
    if let (Some(before), Some(after)) = (huge, host::huge_bytes()) {
        let total = budget.total() >> 20;
        tracing::info!(
            "tables of {total} MiB, {} MiB in huge pages",
            after.saturating_sub(before) >> 20
        );
    }
}

/// Starts a run with the engine of a follower, which has read the journal to its end: under the lease, so that nothing comes
/// into it any more.
///
/// # Errors
///
/// [`RunError`]; nothing is left running.
pub fn promote(plan: Plan, lease: Lease, replay: Replay) -> Result<Running, RunError> {
    let ready = Ready::of(&plan.config, replay)?;
    go_on(plan, Some(lease), ready, (), ())
}

/// Starts the threads around an engine.
fn go_on(
    mut plan: Plan,
    lease: Option<Lease>,
    ready: Ready,
    on_feed: impl FeedObserver,
    on_engine: impl EngineObserver,
) -> Result<Running, RunError> {
    let Ready { config, limits, engine, captures, events, journal: found, snapshots, trail } =
        ready;
    plan.config = config;
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let started = Ts(now.as_nanos() as u64);
    let epoch = started.0;
    let restarted = found.is_some();
    let opened_before = found.as_ref().map_or(0, |found| found.opened);
    let (pages, listener) =
        if plan.shared { share(&plan.config, started, epoch)? } else { (None, None) };

    let [asked, stop] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let progress = Arc::new(Progress::default());
    let pace = Arc::new(match plan.config.engine.speed() {
        Some(speed) => Pace::new(speed),
        None => Pace::live(started, host::monotonic_ns()),
    });
    let waiter = Waiter::new(plan.config.engine.wait_on(host::cpus().len()));
    let cpus = plan.config.engine.cpus;
    let ring = plan.config.engine.capacity.feed_ring as usize;
    let (rings, receivers): (Vec<_>, Vec<_>) =
        (0..rings_of(&plan.config)).map(|_| shm::event_ring(ring)).unzip();
    let mut rings = rings.into_iter();
    let around = Around {
        pace: Arc::clone(&pace),
        waiter,
        progress: Arc::clone(&progress),
        stop: Arc::clone(&stop),
        shard: plan.config.engine.shard(),
    };
    let live = open_live(&plan, &mut rings, &around, epoch)?;
    let (to_gateway, mut gateway) =
        open_gateway(&plan.config, &engine, waiter, started, &progress)?;
    let (recorder, journal) = match lease {
        None => (None, None),
        Some(lease) => open_journal(&plan.config, &engine, &events, lease, found)?,
    };
    let opened = crate::audit::open(&plan.config, &engine, epoch, trail)?;
    let (to_controls, controls) = rtrb::RingBuffer::new(CONTROLS);
    let (to_house, told) = rtrb::RingBuffer::new(TOLD);
    let (to_figures, stages) = rtrb::RingBuffer::new(2);
    let (feed_samples, from_feed) = Samples::ring();
    let (samples, from_engine) = Samples::ring();
    if plan.config.engine.lock_memory
        && let Err(error) = host::lock_memory()
    {
        tracing::warn!(
            "memory is not locked ({error}): hot threads may fault; allow it with `ulimit -l unlimited`"
        );
    }

    let mut sequencer = Sequencer::new(engine, recorder);
    sequencer.venue = to_gateway;
    let (tap, audit) = opened.map(|opened| (opened.tap, opened.thread)).unzip();
    sequencer.audit = tap;
    // The first engine of a journal is in epoch zero, as one without a journal is; every later one says which it is.
    let journal_epoch = journal.as_ref().map_or(0, |opened| opened.writer.epoch());
    let leaves = snapshots.map(|snapshots| Leaves {
        snapshots,
        opened: opened_before + 1,
        epoch: journal_epoch,
    });
    if restarted || journal_epoch > 0 {
        let control = model::Control::Restarted { epoch: journal_epoch };
        let now = sequencer.engine.now();
        sequencer.input(now, model::Body::Control(control), &mut ());
    }
    if let Some(Prepared { config, rules, .. }) = limits
        && restart::take(&mut sequencer, rules)
    {
        plan.config = config;
    }
    let keeper = latched(&plan, &mut sequencer, started);
    progress.halt.set(keeper.firm());
    let to_write = journal;
    let journal = to_write.as_ref().map(|opened| (opened.writer.progress(), opened.durability));
    let figures = Figures::new(plan.config.rules.accounts.len(), DESKS as usize);
    let door = match listener {
        None => None,
        Some(listener) => {
            let limits =
                InForce { config: plan.config.clone(), version: sequencer.engine.limits_version() };
            let triggers = TriggerList::new(&plan.config, figures.clone());
            Some(open_door(limits, listener, journal.as_ref(), triggers, &progress)?)
        }
    };
    let (to_new, new) = rtrb::RingBuffer::new(1);
    let (to_spent, spent) = rtrb::RingBuffer::new(1);
    if let Some(gateway) = &mut gateway {
        gateway.watch(journal.clone());
    }
    let posts = plan.shared.then(|| super::credit::post(&plan.config, journal.as_ref()));
    let (credit, teller) = posts.flatten().unzip();
    let engine_thread = EngineThread {
        sequencer,
        events: receivers,
        controls,
        limits: LimitsPost { new, spent: to_spent },
        told: to_house,
        credit,
        pages,
        journal,
        script: plan.script,
        pace: Arc::clone(&pace),
        waiter,
        samples,
        stages,
        figures,
        rehearsal: waiter.spins().then(Rehearsal::new).flatten(),
        progress: Arc::clone(&progress),
        asked: Arc::clone(&asked),
        stop: Arc::clone(&stop),
        at_stop: plan.config.engine.venue.as_ref().map_or(AtStop::Leave, |venue| venue.at_stop),
        ends_with_feed: plan.ends_with_feed,
    };
    let feed_thread = rings.next().map(|ring| FeedThread {
        captures,
        ring,
        pace: Arc::clone(&around.pace),
        waiter,
        samples: feed_samples,
        progress: Arc::clone(&progress),
        stop: Arc::clone(&stop),
        chunks: 0,
    });
    let house_thread = HouseThread {
        door,
        controls: to_controls,
        limits: to_new,
        spent,
        told,
        keeper,
        watchdog: Watchdog::new(Duration::from_nanos(plan.config.engine.stalled_ns)),
        clock: ClockWatch::new(plan.config.rules.triggers.clock, wall_ns(), host::monotonic_ns()),
        attached: 0,
        outbox: Outbox::default(),
        samples: [from_feed, from_engine],
        figures: to_figures,
        progress: Arc::clone(&progress),
        stop: Arc::clone(&stop),
    };
    // Nothing runs before all is open, so that a start that fails leaves nothing running.
    let [journal_stop, audit_stop] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let write = |Opened { writer, ring, durability }| {
        let (stop, sync) = (Arc::clone(&journal_stop), durability == Durability::Synced);
        spawn("journal", cpus.journal, move || writer.run(ring, sync, &stop))
    };
    let sign = |thread: AuditThread| {
        let stop = Arc::clone(&audit_stop);
        spawn("audit", None, move || thread.run(&stop))
    };
    let spawn_all = || {
        Ok(Threads {
            journal: to_write.map(write).transpose()?,
            audit: audit.map(sign).transpose()?,
            live: live.into_iter().map(Live::spawn).collect::<Result<_, _>>()?,
            captures: feed_thread
                .map(|thread| spawn("feed", cpus.feed, move || thread.run(on_feed)))
                .transpose()?,
            house: spawn("house", None, move || house_thread.run())?,
            engine: spawn("engine", cpus.engine, move || engine_thread.run(on_engine))?,
            gateway: gateway
                .map(|gateway| spawn("gateway", None, move || gateway.run()))
                .transpose()?,
            journal_stop: Arc::clone(&journal_stop),
            audit_stop: Arc::clone(&audit_stop),
            leaves,
            progress: Arc::clone(&progress),
        })
    };
    let threads = spawn_all().inspect_err(|_: &RunError| {
        let flags = [&asked, &stop, &journal_stop, &audit_stop];
        flags.iter().for_each(|flag| flag.store(true, Ordering::Release));
    })?;
    Ok(Running { stop: asked, progress, threads, teller })
}

/// Rings between feeds and engine: one for each live feed, one for all captures together.
pub(crate) fn rings_of(config: &Config) -> usize {
    let live = config.engine.feeds.iter().filter(|feed| feed.captures().is_none()).count();
    live.max(1)
}

/// Makes the gateway of the venue outside, and the engine thread's end of it.
fn open_gateway(
    config: &Config,
    engine: &Engine,
    waiter: Waiter,
    started: Ts,
    progress: &Arc<Progress>,
) -> Result<(Option<EngineEnd>, Option<GatewayThread>), RunError> {
    let Some(venue) = &config.engine.venue else { return Ok((None, None)) };
    let (to_gateway, end) = ends(config.engine.capacity.own_orders);
    let gateway = GatewayThread::new(config, venue, engine, end, (waiter, started, progress))?;
    Ok((Some(to_gateway), Some(gateway)))
}

/// Sizes of shared memory.
pub(crate) fn share_capacity(config: &Config) -> shm::Capacity {
    let capacity = config.engine.capacity;
    let accounts = config.rules.accounts.len();
    shm::Capacity {
        instruments: capacity.instruments,
        accounts: accounts as u32,
        lines: lines_max(&capacity, accounts),
        orders: capacity.own_orders,
        tape: capacity.tape.next_power_of_two(),
        desks: DESKS,
        ..shm::Capacity::default()
    }
}

/// Makes shared memory and opens the attach socket.
fn share(
    config: &Config,
    started: Ts,
    epoch: u64,
) -> Result<(Option<Pages>, Option<Listener>), RunError> {
    let mut publisher = Publisher::create(share_capacity(config), epoch)?;
    let listener = Listener::bind(&config.engine.name, &mut publisher)?;
    Ok((Some(Pages::new(publisher, started)), Some(listener)))
}

/// Opens the operator socket beside the attach socket.
fn open_door(
    limits: InForce,
    listener: Listener,
    journal: Option<&(Arc<JournalProgress>, Durability)>,
    triggers: TriggerList,
    progress: &Arc<Progress>,
) -> Result<Door, RunError> {
    let engine = &limits.config.engine;
    let path = Folder::standard().operator_path(&engine.name);
    let socket = OperatorSocket::bind(&path).map_err(|error| RunError::Operator { path, error })?;
    let operators = limits.config.folder.join(Operators::FILE);
    let journal = journal.map(|(progress, _)| Arc::clone(progress));
    let venues = engine.feeds.iter().map(|feed| feed.venue).collect();
    let reader = listener.reader()?;
    let gateway = engine.venue.as_ref().map(|venue| {
        let GatewayConfig::Ouch(ouch) = &venue.gateway;
        GatewayView { address: ouch.address, progress: Arc::clone(progress) }
    });
    let (name, has_journal) = (engine.name.clone(), journal.is_some());
    let status = StatusPage::new(reader, name, venues, has_journal, triggers, gateway);
    let desk = OperatorDesk::new(socket, operators, journal, limits);
    Ok(Door { halt: listener.halt_word(), listener, desk, status })
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    cpu: Option<usize>,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, RunError> {
    let pinned = move || {
        if let Some(cpu) = cpu {
            host::pin_current(cpu); // Refused: it runs where the kernel lets it.
        }
        body()
    };
    std::thread::Builder::new().name(name.into()).spawn(pinned).map_err(|_| RunError::Thread(name))
}

impl Threads {
    /// Waits for every thread, in the order in which they hand work on.
    pub fn join(self) -> Result<Finished, RunError> {
        let engine = self.engine.join().map_err(|_| RunError::Thread("engine"))?;
        let gateway = self.gateway.map(JoinHandle::join).transpose();
        gateway.map_err(|_| RunError::Thread("gateway"))?;
        for thread in self.live {
            thread.join().map_err(|_| RunError::Thread("feed"))?;
        }
        let captures = self.captures.map(JoinHandle::join).transpose();
        let captures = captures.map_err(|_| RunError::Thread("feed"))?;
        let stages = self.house.join().map_err(|_| RunError::Thread("house"))?;
        // Both end, whatever the first has to say.
        self.journal_stop.store(true, std::sync::atomic::Ordering::Release);
        self.audit_stop.store(true, std::sync::atomic::Ordering::Release);
        let tail = match self.journal {
            Some(journal) => Some(journal.join().map_err(|_| RunError::Thread("journal"))??),
            None => None,
        };
        if let Some(audit) = self.audit {
            audit.join().map_err(|_| RunError::Thread("audit"))??;
        }
        let mut feed = Counters::NONE;
        if let Some((captures, outcome)) = captures {
            outcome.map_err(|error| RunError::capture(&captures, error))?;
            feed = captures.counters();
        }
        let Ended { engine, events, script } = engine;
        if let (Some(leaves), Some(tail)) = (self.leaves, tail) {
            leaves.write(&engine, tail, events);
        }
        let feeds = self.progress.feeds.iter().take(engine.books().len());
        let feeds = feeds.map(FeedProgress::counters).collect();
        Ok(Finished { engine, feed, feeds, stages, not_due: !script.is_done() })
    }
}
