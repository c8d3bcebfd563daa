//! How the engine stands, for its operator: from its own pages, which are there also when its thread stands still.

use std::collections::BTreeMap;
use std::time::Duration;

use feeds::Venue;
use model::page::Control;
use model::{Integrity, Reject};
use shm::Reader;
use switch::{Feed, Journal, Status};

use super::clock_watch::ClockWatch;
use super::gateway::GatewayView;
use super::housekeeping::wall_ns;
use super::keeper::Keeper;
use super::operator::InForce;
use super::triggers::TriggerList;
use super::watchdog::Watchdog;

/// Why there is no gateway.
const NO_GATEWAY: &str = "orders go to the paper venue inside the engine";

/// Reads what a status says.
pub(super) struct StatusPage {
    reader: Reader,
    engine: String,
    venues: Vec<Venue>,
    has_journal: bool,
    triggers: TriggerList,
    /// `None`: orders go to the paper venue.
    gateway: Option<GatewayView>,
}

impl StatusPage {
    /// Reads by `reader`, of an engine of this name and these feeds.
    pub fn new(
        mut reader: Reader,
        engine: String,
        venues: Vec<Venue>,
        has_journal: bool,
        triggers: TriggerList,
        gateway: Option<GatewayView>,
    ) -> StatusPage {
        // What a stalled engine published last is what there is; the loop's age says how old.
        reader.set_stale_after(Duration::MAX);
        StatusPage { reader, engine, venues, has_journal, triggers, gateway }
    }

    /// The status; `None`: the engine has published nothing yet.
    pub fn read(
        &self,
        uptime: Duration,
        keeper: &Keeper,
        watchdog: &Watchdog,
        clock: &ClockWatch,
        attached: u64,
        limits: &InForce,
    ) -> Option<Status> {
        let control = self.reader.control().ok()?;
        let mut halts = keeper.halts();
        let halt_count = halts.len() as u64;
        halts.truncate(Status::HALTS_MAX);
        let accounts = 0..control.accounts as usize;
        let open = |account| self.reader.account(account).map_or(0, |page| page.open_orders);
        let refused = Reject::counts(&control.refused);
        Some(Status {
            engine: self.engine.clone(),
            pid: self.reader.engine_pid(),
            mode: control.mode.name().to_owned(),
            epoch: self.reader.epoch(),
            uptime_ms: millis(uptime),
            engine_seq: control.engine_seq,
            engine_time_ns: control.now.0,
            loop_age_ms: millis(watchdog.stood()),
            stalled: watchdog.is_stalled(),
            halts,
            halt_count,
            latched: keeper.is_kept(),
            latch_file: keeper.path().display().to_string(),
            limits_version: limits.version,
            config_digest: format!("{:016x}", limits.config.digest()),
            feeds: self.feeds(&control),
            journal: self.has_journal.then(|| Journal {
                full: control.journal_full,
                unwritten: control.engine_seq.saturating_sub(control.journal_written),
                unsynced: control.engine_seq.saturating_sub(control.journal_synced),
            }),
            gateway: self.gateway.as_ref().map(|gateway| gateway.read(wall_ns())),
            gateway_why: self.gateway.is_none().then(|| NO_GATEWAY.to_owned()),
            open_orders: accounts.map(|account| u64::from(open(account))).sum(),
            orders_passed: control.passed,
            orders_refused: refused.map(|(code, count)| (code.name().to_owned(), count)).collect(),
            triggers: self.triggers.read(clock, attached),
        })
    }

    fn feeds(&self, control: &Control) -> Vec<Feed> {
        let mut books = vec![BTreeMap::<String, u64>::new(); self.venues.len()];
        for instrument in 0..control.instruments as usize {
            let Ok(board) = self.reader.board(instrument) else { continue };
            if let Some(books) = books.get_mut(usize::from(board.instrument.feed.0)) {
                *books.entry(board.integrity.name().to_owned()).or_default() += 1;
            }
        }
        let feeds = self.venues.iter().zip(&control.feeds).zip(books);
        let feed = |((venue, feed), mut books): ((&Venue, &model::page::FeedCounters), _)| {
            let live = Integrity::Live.name().to_owned();
            BTreeMap::entry(&mut books, live).or_default();
            let (messages, lost, gaps) = (feed.messages, feed.lost, feed.gaps);
            Feed { venue: venue.to_string(), messages, lost, gaps, books }
        };
        feeds.map(feed).collect()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
