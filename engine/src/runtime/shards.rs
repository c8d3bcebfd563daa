//! The engines of a run: one, or shards that share its instruments. Each has threads, rings, journal and hash of its own.
//!
//! Whoever started the run calls [`Shards::poll`] every few milliseconds: what the shards have in common is seen to there, and
//! nowhere else.

use std::sync::Arc;

use feeds::Shard;

use super::credit::Bank;
use super::start::{self, Begun, Opening};
use super::{Finished, Plan, Progress, RunError, Running};
use crate::budget::Budget;
use crate::config::Memory;
use crate::journal::lease::Lease;

/// The engines of a run.
#[derive(Default)]
pub struct Shards {
    members: Vec<Member>,
    /// Moves slices of limits between them, while all of them run; where clients attach. Else nothing of a run hangs on when it
    /// is polled.
    bank: Option<Bank>,
}

/// One of them.
struct Member {
    name: String,
    /// Which shard it is; `None`: it is alone.
    shard: Option<Shard>,
    progress: Arc<Progress>,
    /// Until it has ended.
    running: Option<Running>,
    /// From then on.
    finished: Option<Finished>,
}

impl Shards {
    /// Starts an engine for each plan.
    ///
    /// # Errors
    ///
    /// [`RunError`] of the first that cannot start; nothing is left running.
    pub fn start(plans: Vec<Plan>) -> Result<Shards, RunError> {
        let under = |plan: Plan| {
            let (journal, shard) = (&plan.config.engine.journal, plan.config.engine.shard());
            let lease = journal.as_ref().map(|journal| Lease::take(&journal.folder)).transpose();
            Ok((plan, lease.map_err(|error| numbered(shard, error.into()))?))
        };
        Shards::start_under(plans.into_iter().map(under).collect::<Result<_, RunError>>()?)
    }

    /// The same under leases that were taken already: see [`super::start_under`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn start_under(plans: Vec<(Plan, Option<Lease>)>) -> Result<Shards, RunError> {
        let accounts = plans.first().map_or(0, |(plan, _)| plan.config.rules.accounts.len());
        let (mut shards, mut tellers) = (Shards::default(), Vec::new());
        for (name, shard, begun) in begin(plans)? {
            match begun.spawn((), ()) {
                Ok(mut running) => {
                    tellers.extend(running.teller.take());
                    let (progress, finished) = (Arc::clone(&running.progress), None);
                    let running = Some(running);
                    shards.members.push(Member { name, shard, progress, running, finished });
                }
                Err(error) => {
                    let _ = shards.finish(); // They have done nothing yet that anybody asked for.
                    return Err(numbered(shard, error));
                }
            }
        }
        if tellers.len() > 1 && tellers.len() == shards.members.len() {
            shards.bank = Some(Bank::new(tellers, accounts));
        }
        Ok(shards)
    }

    /// Looks after the engines. Whether all have ended by themselves.
    ///
    /// # Errors
    ///
    /// [`RunError`] of the first that failed; then all others are stopped.
    pub fn poll(&mut self) -> Result<bool, RunError> {
        let has_ended = |member: &Member| member.running.as_ref().is_none_or(Running::has_ended);
        if self.members.iter().any(has_ended) {
            self.bank = None;
        }
        if let Some(bank) = &mut self.bank {
            bank.poll();
        }
        for place in 0..self.members.len() {
            let Some(member) = self.members.get_mut(place) else { break };
            if member.running.as_ref().is_some_and(Running::has_ended)
                && let Err(error) = member.finish()
            {
                self.stop();
                self.members.iter_mut().for_each(|other| _ = other.finish());
                return Err(error);
            }
        }
        Ok(self.members.iter().all(|member| member.running.is_none()))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// How far each has come.
    pub fn progress(&self) -> impl Iterator<Item = &Progress> {
        self.members.iter().map(|member| &*member.progress)
    }

    /// Asks all to end, and waits until they have: their names, and what they leave.
    ///
    /// # Errors
    ///
    /// [`RunError`] of the first that failed.
    pub fn finish(mut self) -> Result<Vec<(String, Finished)>, RunError> {
        self.stop();
        let ended: Vec<_> = self.members.iter_mut().map(Member::finish).collect();
        ended.into_iter().collect::<Result<(), _>>()?;
        let left = |member: Member| Some((member.name, member.finished?));
        Ok(self.members.into_iter().filter_map(left).collect())
    }

    /// Asks all to end, so that none waits for another.
    fn stop(&self) {
        let running = self.members.iter().filter_map(|member| member.running.as_ref());
        running.for_each(|running| running.stop.store(true, std::sync::atomic::Ordering::Release));
    }
}

impl Member {
    /// Waits until it has ended, if it has not been waited for.
    fn finish(&mut self) -> Result<(), RunError> {
        if let Some(running) = self.running.take() {
            let finished = running.finish().map_err(|error| numbered(self.shard, error))?;
            self.finished = Some(finished);
        }
        Ok(())
    }
}

/// Begins all of them, one step of all before the next: no journal is begun before everything is open that others have, and no
/// thread runs before every journal is begun. Journals, which may be long, are replayed before anything is open that others
/// send to.
fn begin(
    plans: Vec<(Plan, Option<Lease>)>,
) -> Result<Vec<(String, Option<Shard>, Begun)>, RunError> {
    let of = |plan: &Plan| (plan.config.engine.name.clone(), plan.config.engine.shard());
    let budgets = plans.iter().map(|(plan, _)| Budget::of(&plan.config, plan.shared));
    Budget::of_all(budgets).check(&Memory::default())?;
    let ready = each(plans, |(plan, lease)| {
        let (name, shard) = of(&plan);
        (name, shard, start::prepare(&plan).map(|ready| (plan, lease, ready)))
    })?;
    let open = each(ready, |(name, shard, (plan, lease, ready))| {
        (name, shard, Opening::new(plan, lease, ready))
    })?;
    each(open, |(name, shard, opening)| (name, shard, opening.begin()))
}

/// One step of all; the error of the first that fails, and whose it is.
fn each<T, U>(
    all: Vec<T>,
    step: impl Fn(T) -> (String, Option<Shard>, Result<U, RunError>),
) -> Result<Vec<(String, Option<Shard>, U)>, RunError> {
    let named = all.into_iter().map(|one| {
        let (name, shard, outcome) = step(one);
        Ok((name, shard, outcome.map_err(|error| numbered(shard, error))?))
    });
    named.collect()
}

/// An error, and which shard's it is.
fn numbered(shard: Option<Shard>, error: RunError) -> RunError {
    match shard {
        Some(shard) => RunError::Shard { index: shard.index(), error: Box::new(error) },
        None => error,
    }
}
