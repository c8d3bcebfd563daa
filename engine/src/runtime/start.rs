//! Puts the threads and the rings between them together, and takes them apart.

mod begin;
mod journal;
mod latched;
mod live;
mod open;
mod records;
mod spawn;
mod threads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use audit::AuditError;
use feeds::Counters;

use super::desks::DESKS;
use super::engine::Ended;
use super::feed::FeedEnd;
use super::observe::{EngineObserver, FeedObserver};
use super::ready::{Leaves, Ready};
use super::stages::StageHistograms;
use super::{FeedProgress, Finished, Plan, Progress, RunError, Running};
use crate::budget::Budget;
use crate::config::Config;
use crate::journal::JournalError;
use crate::journal::lease::Lease;
use crate::journal::reader::Tail;
use crate::replay::Replay;
use crate::step::lines_max;
pub(super) use begin::Begun;
pub(crate) use journal::entries_of;
pub(super) use open::Opening;

/// The threads of a run.
pub(super) struct Threads {
    /// Of captures, if there are any.
    captures: Option<JoinHandle<FeedEnd>>,
    /// One for each live feed.
    live: Vec<JoinHandle<()>>,
    engine: JoinHandle<Ended>,
    /// Of a venue outside, if there is one.
    gateway: Option<JoinHandle<()>>,
    housekeeping: JoinHandle<StageHistograms>,
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
    let ready = prepare(&plan)?;
    Opening::new(plan, lease, ready)?.begin()?.spawn((), ())
}

/// Makes the engine of a run, or replays its journal.
///
/// # Errors
///
/// [`RunError`].
pub(super) fn prepare(plan: &Plan) -> Result<Ready, RunError> {
    let memory = plan.config.engine.memory;
    host::allow_huge_pages(memory.huge_pages);
    let budget = Budget::of(&plan.config, plan.shared);
    budget.check(&memory)?;
    let huge = host::huge_bytes();
    let ready = Ready::prepare(&plan.config)?;
    tell(&budget, huge, plan.shared);
    Ok(ready)
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
    let ready = prepare(&plan)?;
    Opening::new(plan, None, ready)?.begin()?.spawn(feed, engine)
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
    Opening::new(plan, Some(lease), ready)?.begin()?.spawn((), ())
}

/// Rings between feeds and engine: one for each live feed, one for all captures together.
pub(crate) fn rings_of(config: &Config) -> usize {
    let live = config.engine.feeds.iter().filter(|feed| feed.captures().is_none()).count();
    live.max(1)
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
        let stages = self.housekeeping.join().map_err(|_| RunError::Thread("housekeeping"))?;
        // Both end, whatever the first has to say.
        self.journal_stop.store(true, Ordering::Release);
        self.audit_stop.store(true, Ordering::Release);
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
