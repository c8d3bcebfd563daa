//! What a run does once everything is open: it begins its journal, takes its first inputs, and puts its threads together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use model::{Body, Control, Ts};
use switch::Operators;

use super::latched::latched;
use super::open::{Opening, Shared};
use super::records::Records;
use super::spawn::ToRun;
use super::threads::{Core, engine_thread, feed_thread, housekeeping_thread, rings};
use crate::config::{Config, Cpus, GatewayConfig};
use crate::runtime::credit::Teller;
use crate::runtime::desks::DESKS;
use crate::runtime::figures::Figures;
use crate::runtime::gateway::GatewayView;
use crate::runtime::housekeeping::Sockets;
use crate::runtime::keeper::Keeper;
use crate::runtime::observe::{EngineObserver, FeedObserver};
use crate::runtime::operator::{InForce, OperatorDesk};
use crate::runtime::publish::Pages;
use crate::runtime::ready::Ready;
use crate::runtime::status::StatusPage;
use crate::runtime::triggers::TriggerList;
use crate::runtime::{Plan, Progress, RunError, Running, credit, restart};
use crate::sequencer::Sequencer;
use crate::step::Prepared;

impl Opening {
    /// Begins the run: all of it but its threads.
    ///
    /// # Errors
    ///
    /// [`RunError`]; its journal may be begun, and nothing has happened in it.
    pub fn begin(self) -> Result<Begun, RunError> {
        let Opening { mut plan, lease, ready, started, shared, around, live, ring, events, venue } =
            self;
        let Ready { engine, limits, captures, past, .. } = ready;
        let restarted = past.found.is_some();
        let mut records = Records::begin(&plan.config, &engine, lease, past, started)?;
        if plan.config.engine.lock_memory {
            lock_memory();
        }
        let (to_gateway, mut gateway) = venue.unzip();
        let mut sequencer = Sequencer::new(engine, records.recorder.take());
        sequencer.audit = records.tap.take();
        sequencer.venue = to_gateway;
        // The first engine of a journal is in epoch zero, as one without a journal is; every later one says which it is.
        let epoch = (restarted || records.epoch() > 0).then(|| records.epoch());
        let keeper = first_inputs(&mut plan, &mut sequencer, limits, epoch, started);
        around.progress.halt.set(keeper.firm());

        let (config, journal) = (&plan.config, records.progress());
        let figures = Figures::new(config.rules.accounts.len(), DESKS as usize);
        let in_force =
            || InForce { config: config.clone(), version: sequencer.engine.limits_version() };
        let open_sockets = |shared| {
            let triggers = TriggerList::new(config, figures.clone());
            open_sockets(shared, in_force(), &records, triggers, &around.progress)
        };
        let (pages, sockets) = shared.map(open_sockets).transpose()?.unzip();
        if let Some(gateway) = &mut gateway {
            gateway.watch(journal.clone());
        }
        let posts = plan.shared.then(|| credit::post(config, journal.as_ref()));
        let (credit, teller) = posts.flatten().unzip();
        let (engine_ends, housekeeping_ends, samples) = rings();
        let asked = Arc::new(AtomicBool::new(false));
        let core = Core {
            sequencer,
            events,
            credit,
            pages,
            journal,
            script: plan.script,
            figures,
            asked: Arc::clone(&asked),
            ends_with_feed: plan.ends_with_feed,
        };
        let to_run = ToRun {
            engine: engine_thread(core, config, engine_ends, &around),
            captures: ring.map(|ring| feed_thread(captures, ring, samples, &around)),
            housekeeping: housekeeping_thread(sockets, keeper, config, housekeeping_ends, &around),
            live,
            gateway,
            records,
        };
        Ok(Begun { to_run, cpus: config.engine.cpus, asked, progress: around.progress, teller })
    }
}

/// A run that lacks nothing but its threads.
pub(crate) struct Begun {
    to_run: ToRun,
    cpus: Cpus,
    asked: Arc<AtomicBool>,
    progress: Arc<Progress>,
    teller: Option<Teller>,
}

impl Begun {
    /// Starts its threads.
    ///
    /// # Errors
    ///
    /// [`RunError::Thread`]; those that run already are told to stop.
    pub fn spawn(
        self,
        on_feed: impl FeedObserver,
        on_engine: impl EngineObserver,
    ) -> Result<Running, RunError> {
        let threads = self.to_run.spawn(self.cpus, on_feed, on_engine)?;
        Ok(Running { stop: self.asked, progress: self.progress, threads, teller: self.teller })
    }
}

/// Keeps the memory of the process where it is, if that is allowed.
fn lock_memory() {
    if let Err(error) = host::lock_memory() {
        tracing::warn!(
            "memory is not locked ({error}): hot threads may fault; allow it with `ulimit -l unlimited`"
        );
    }
}

/// What the engine is told before anything else: which epoch it is in, if that must be said, limits that changed meanwhile, and
/// what is halted.
fn first_inputs(
    plan: &mut Plan,
    sequencer: &mut Sequencer,
    limits: Option<Prepared>,
    epoch: Option<u32>,
    started: Ts,
) -> Keeper {
    if let Some(epoch) = epoch {
        let now = sequencer.engine.now();
        sequencer.input(now, Body::Control(Control::Restarted { epoch }), &mut ());
    }
    if let Some(Prepared { config, rules, .. }) = limits
        && restart::take(sequencer, rules)
    {
        plan.config = config;
    }
    latched(plan, sequencer, started)
}

/// Puts what answers clients and the operator behind the sockets.
fn open_sockets(
    shared: Shared,
    limits: InForce,
    records: &Records,
    triggers: TriggerList,
    progress: &Arc<Progress>,
) -> Result<(Pages, Sockets), RunError> {
    let Shared { pages, listener, operator } = shared;
    let engine = &limits.config.engine;
    let operators = limits.config.folder.join(Operators::FILE);
    let journal = records.progress().map(|(of_journal, _)| of_journal);
    let venues = engine.feeds.iter().map(|feed| feed.venue).collect();
    let reader = listener.reader()?;
    let gateway = gateway_view(&limits.config, progress);
    let (name, has_journal) = (engine.name.clone(), journal.is_some());
    let status = StatusPage::new(reader, name, venues, has_journal, triggers, gateway);
    let desk = OperatorDesk::new(operator, operators, journal, limits);
    Ok((pages, Sockets { halt: listener.halt_word(), listener, desk, status }))
}

/// What is shown of the venue outside; `None`: there is none.
fn gateway_view(config: &Config, progress: &Arc<Progress>) -> Option<GatewayView> {
    let GatewayConfig::Ouch(ouch) = &config.engine.venue.as_ref()?.gateway;
    Some(GatewayView { address: ouch.address, progress: Arc::clone(progress) })
}
