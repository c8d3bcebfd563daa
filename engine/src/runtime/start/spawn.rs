//! The threads of a run, put together but not started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::Threads;
use super::journal::Opened;
use super::live::Live;
use super::records::Records;
use crate::audit::AuditThread;
use crate::config::{Cpus, Durability};
use crate::runtime::RunError;
use crate::runtime::engine::EngineThread;
use crate::runtime::feed::FeedThread;
use crate::runtime::gateway::GatewayThread;
use crate::runtime::housekeeping::HousekeepingThread;
use crate::runtime::observe::{EngineObserver, FeedObserver};

/// Every thread of a run.
pub(super) struct ToRun {
    pub engine: EngineThread,
    /// Of captures, if there are any.
    pub captures: Option<FeedThread>,
    pub housekeeping: HousekeepingThread,
    pub live: Vec<Live>,
    /// Of a venue outside, if there is one.
    pub gateway: Option<GatewayThread>,
    pub records: Records,
}

impl ToRun {
    /// Starts them.
    ///
    /// # Errors
    ///
    /// [`RunError::Thread`]; those that run already are told to stop.
    pub fn spawn(
        self,
        cpus: Cpus,
        on_feed: impl FeedObserver,
        on_engine: impl EngineObserver,
    ) -> Result<Threads, RunError> {
        let ToRun { engine, captures, housekeeping, live, gateway, records } = self;
        let progress = Arc::clone(&engine.progress);
        let [journal_stop, audit_stop] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let flags = [&engine.asked, &engine.stop, &journal_stop, &audit_stop].map(Arc::clone);
        let write = |Opened { writer, ring, durability }| {
            let (stop, sync) = (Arc::clone(&journal_stop), durability == Durability::Synced);
            spawn("journal", cpus.journal, move || writer.run(ring, sync, &stop))
        };
        let sign = |thread: AuditThread| {
            let stop = Arc::clone(&audit_stop);
            spawn("audit", None, move || thread.run(&stop))
        };
        let read = |thread: FeedThread| spawn("feed", cpus.feed, move || thread.run(on_feed));
        let connect = |thread: GatewayThread| spawn("gateway", None, move || thread.run());
        let spawn_all = || {
            Ok(Threads {
                journal: records.journal.map(write).transpose()?,
                audit: records.audit.map(sign).transpose()?,
                live: live.into_iter().map(Live::spawn).collect::<Result<_, _>>()?,
                captures: captures.map(read).transpose()?,
                housekeeping: spawn("housekeeping", None, move || housekeeping.run())?,
                engine: spawn("engine", cpus.engine, move || engine.run(on_engine))?,
                gateway: gateway.map(connect).transpose()?,
                journal_stop: Arc::clone(&journal_stop),
                audit_stop: Arc::clone(&audit_stop),
                leaves: records.leaves,
                progress,
            })
        };
        spawn_all().inspect_err(|_: &RunError| {
            flags.iter().for_each(|flag| flag.store(true, Ordering::Release));
        })
    }
}

/// Starts a thread, on that core if the kernel lets it.
pub(super) fn spawn<T: Send + 'static>(
    name: &'static str,
    cpu: Option<usize>,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, RunError> {
    let pinned = move || {
        if let Some(cpu) = cpu.filter(|cpu| !host::pin_current(*cpu)) {
            tracing::warn!(
                "thread `{name}` may not run on core {cpu}: it runs where the kernel lets it"
            );
        }
        body()
    };
    std::thread::Builder::new().name(name.into()).spawn(pinned).map_err(|_| RunError::Thread(name))
}
