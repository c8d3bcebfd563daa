//! What a run opens before its journal and its threads: a start that is refused here has written nothing and leaves no socket.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Ts;
use shm::{EventReceiver, EventSender, Folder, Listener, Publisher};
use switch::OperatorSocket;

use super::live::{Live, open_live};
use super::{rings_of, share_capacity};
use crate::config::Config;
use crate::gateway::ends::{EngineEnd, ends};
use crate::journal::lease::Lease;
use crate::runtime::gateway::GatewayThread;
use crate::runtime::lines::Around;
use crate::runtime::pace::Pace;
use crate::runtime::publish::Pages;
use crate::runtime::ready::Ready;
use crate::runtime::wait::Waiter;
use crate::runtime::{Plan, Progress, RunError};
use crate::step::Engine;

/// A run of which everything is open that others see or have: shared memory, sockets, live feeds, the venue's gateway.
pub(crate) struct Opening {
    pub(super) plan: Plan,
    pub(super) lease: Option<Lease>,
    pub(super) ready: Ready,
    pub(super) started: Ts,
    /// What clients read, and where they come in; `None`: nobody can.
    pub(super) shared: Option<Shared>,
    pub(super) around: Around,
    pub(super) live: Vec<Live>,
    /// For the events of captures; `None`: every feed is live.
    pub(super) ring: Option<EventSender>,
    pub(super) events: Vec<EventReceiver>,
    /// The engine's end of the gateway, and its thread; `None`: there is no venue outside.
    pub(super) venue: Option<(EngineEnd, GatewayThread)>,
}

/// What makes an engine findable.
pub(super) struct Shared {
    pub pages: Pages,
    /// Goes before the listener, which holds the engine's name: a successor's socket has the same path.
    pub operator: OperatorSocket,
    pub listener: Listener,
}

impl Opening {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    pub fn new(mut plan: Plan, lease: Option<Lease>, ready: Ready) -> Result<Opening, RunError> {
        plan.config = ready.config.clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (started, monotonic_ns) = (Ts(now.as_nanos() as u64), host::monotonic_ns());
        let shared = plan.shared.then(|| Shared::open(&plan.config, started)).transpose()?;
        let engine = &plan.config.engine;
        let around = Around {
            pace: Arc::new(match engine.speed() {
                Some(speed) => Pace::new(speed),
                None => Pace::live(started, monotonic_ns),
            }),
            waiter: Waiter::new(engine.wait_on(host::cpus().len())),
            progress: Arc::new(Progress::default()),
            stop: Arc::new(AtomicBool::new(false)),
            shard: engine.shard(),
        };
        let ring = engine.capacity.feed_ring as usize;
        let (rings, events): (Vec<_>, Vec<_>) =
            (0..rings_of(&plan.config)).map(|_| shm::event_ring(ring)).unzip();
        let mut rings = rings.into_iter();
        let live = open_live(&plan, &mut rings, &around, started.0)?;
        let venue = open_gateway(&plan.config, &ready.engine, &around, started)?;
        let ring = rings.next();
        Ok(Opening { plan, lease, ready, started, shared, around, live, ring, events, venue })
    }
}

impl Shared {
    /// Makes shared memory and opens the sockets; `started`, as a number, is its epoch.
    fn open(config: &Config, started: Ts) -> Result<Shared, RunError> {
        let mut publisher = Publisher::create(share_capacity(config), started.0)?;
        let listener = Listener::bind(&config.engine.name, &mut publisher)?;
        let path = Folder::standard().operator_path(&config.engine.name);
        let operator =
            OperatorSocket::bind(&path).map_err(|error| RunError::Operator { path, error })?;
        Ok(Shared { pages: Pages::new(publisher, started), listener, operator })
    }
}

/// Makes the gateway of the venue outside, and the engine thread's end of it.
fn open_gateway(
    config: &Config,
    engine: &Engine,
    around: &Around,
    started: Ts,
) -> Result<Option<(EngineEnd, GatewayThread)>, RunError> {
    let Some(venue) = &config.engine.venue else { return Ok(None) };
    let (to_gateway, end) = ends(config.engine.capacity.own_orders);
    let around = (around.waiter, started, &around.progress);
    Ok(Some((to_gateway, GatewayThread::new(config, venue, engine, end, around)?)))
}
