//! `engine_health`: whether the engine runs, and how well.

use std::collections::BTreeMap;

use model::page::{Control, STAGES};
use model::{HaltCause, Integrity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shm::Version;

use super::{Effect, Tool};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::server::Sidecar;

pub struct EngineHealth;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    engine: String,
    pid: u32,
    epoch: String,
    started_ns: String,
    sidecar_version: &'static str,
    shm_version: String,
    /// active, reduce_only, cancel_only or halted.
    halt: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    halt_cause: Option<&'static str>,
    /// While one of these three is true, new orders are refused.
    journal_full: bool,
    audit_full: bool,
    reconciling: bool,
    /// Inputs not written yet.
    journal_lag: u64,
    /// Inputs not on the disk yet.
    journal_unsynced: u64,
    accounts: u32,
    instruments: u32,
    books: BTreeMap<&'static str, u32>,
    /// In all books.
    live_orders: u64,
    feeds: Vec<Feed>,
    /// ns by stage; hold is the wait for the journal.
    latency: BTreeMap<&'static str, Latency>,
    orders_passed: u64,
    orders_refused: u64,
    config_digest: String,
    state_hash: String,
}

#[derive(Serialize, JsonSchema)]
struct Feed {
    feed: u8,
    messages: u64,
    bytes: u64,
    unknown: u64,
    bad: u64,
    gaps: u64,
    lost: u64,
}

#[derive(Serialize, JsonSchema)]
struct Latency {
    p50: u64,
    p99: u64,
    p999: u64,
    max: u64,
    count: u64,
}

impl Tool for EngineHealth {
    const NAME: &'static str = "engine_health";
    const TITLE: &'static str = "Engine health";
    const DESCRIPTION: &'static str = "\
        Whether the engine runs and is fit to trade: mode, halt of everything, feeds, books by integrity, journal, \
        latency, verdicts. Call it first, and again after any error that names the engine.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, _: Args) -> Result<Reply<Body>, Fault> {
        let session = sidecar.attached()?;
        let moment = session.moment()?;
        let control = &moment.control;
        let client = session.client()?;
        let mut books: BTreeMap<&str, u32> = Integrity::ALL.iter().map(|i| (i.name(), 0)).collect();
        for board in session.boards()? {
            *books.entry(board.integrity.name()).or_default() += 1;
        }
        let body = Body {
            engine: client.engine_name().to_owned(),
            pid: client.engine_pid(),
            epoch: client.epoch().to_string(),
            started_ns: control.started.0.to_string(),
            sidecar_version: env!("CARGO_PKG_VERSION"),
            shm_version: Version::OURS.to_string(),
            halt: control.halt.name(),
            halt_cause: control.halt_cause.map(HaltCause::name),
            journal_full: control.journal_full,
            audit_full: control.audit_full,
            reconciling: control.reconciling,
            journal_lag: control.engine_seq.saturating_sub(control.journal_written),
            journal_unsynced: control.engine_seq.saturating_sub(control.journal_synced),
            accounts: control.accounts,
            instruments: control.instruments,
            books,
            live_orders: control.live_orders,
            feeds: feeds(control),
            latency: latency(control),
            orders_passed: control.passed,
            orders_refused: control.refused.iter().sum(),
            config_digest: format!("{:016x}", control.config_digest),
            state_hash: format!("{:016x}", control.state_hash),
        };
        Ok(Reply::new(moment.stamp(), body))
    }
}

fn feeds(control: &Control) -> Vec<Feed> {
    let used = (0..).zip(&control.feeds).take(control.feed_count as usize);
    used.map(|(number, feed)| Feed {
        feed: number,
        messages: feed.messages,
        bytes: feed.bytes,
        unknown: feed.unknown,
        bad: feed.bad,
        gaps: feed.gaps,
        lost: feed.lost,
    })
    .collect()
}

fn latency(control: &Control) -> BTreeMap<&'static str, Latency> {
    let measured = STAGES.into_iter().zip(&control.stages).filter(|(_, stage)| stage.count > 0);
    measured
        .map(|(name, stage)| {
            let (p50, p99, p999) = (stage.p50, stage.p99, stage.p999);
            (name, Latency { p50, p99, p999, max: stage.max, count: stage.count })
        })
        .collect()
}
