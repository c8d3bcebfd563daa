//! The thread of a live feed over a connection: socket → session → decoder → ring.

use std::net::SocketAddr;
use std::sync::Arc;

use feeds::new_york_midnight;
use feeds::session::soup_feed::{Action, SoupFeed, SoupFeedOptions};
use host::TcpClient;
use model::page::FeedCounters;
use model::{FeedId, Ts};

use super::feed_ring::FeedRing;
use super::lines::{Around, Out};
use super::pace::{Pace, Steered};
use super::wait::Waiter;
use super::{Progress, RunError};
use crate::config::Server;

/// Rounds between two looks at the counters, where nothing came in between.
const COUNT_EVERY: u64 = 4096;

/// The thread of one feed.
pub(super) struct ServerThread {
    id: FeedId,
    address: SocketAddr,
    client: TcpClient,
    feed: SoupFeed,
    out: Out,
    pace: Arc<Pace>,
    waiter: Waiter,
    progress: Arc<Progress>,
    bytes: u64,
}

impl ServerThread {
    /// Takes all memory; connects when it runs. Its pauses are another engine's after every start, by `seed`.
    ///
    /// # Errors
    ///
    /// [`RunError::Password`] if there is none where the configuration says.
    pub fn new(
        id: FeedId,
        config: &Server,
        ring: FeedRing,
        around: &Around,
        seed: u64,
    ) -> Result<ServerThread, RunError> {
        let login = config.login().map_err(RunError::Password)?;
        let now = around.pace.now(host::monotonic_ns()).unwrap_or_default();
        let mut options = SoupFeedOptions::new(id, new_york_midnight(now), login);
        (options.seed, options.lag_ns_max, options.shard) = (seed, config.lag_ns, around.shard);
        Ok(ServerThread {
            id,
            address: config.address,
            client: TcpClient::new(),
            feed: SoupFeed::new(options),
            out: Out { ring, stop: Arc::clone(&around.stop) },
            pace: Arc::clone(&around.pace),
            waiter: around.waiter,
            progress: Arc::clone(&around.progress),
            bytes: 0,
        })
    }

    /// Runs until it is stopped. Dropping the ring tells the engine.
    pub fn run(mut self) {
        let mut clock = Steered::start();
        let mut last = Ts(0);
        let mut rounds = 0_u64;
        while !self.out.is_over() {
            let busy = self.receive(&mut clock, &mut last);
            self.pass_time(&mut clock, &mut last);
            rounds += 1;
            if rounds.is_multiple_of(COUNT_EVERY) || !busy && rounds.is_multiple_of(64) {
                self.count();
            }
            if busy { self.waiter.busy() } else { self.waiter.idle() }
        }
        self.count();
    }

    /// Takes what has come. It is stamped when it is taken: TCP keeps no times of its segments.
    fn receive(&mut self, clock: &mut Steered, last: &mut Ts) -> bool {
        match self.client.has_opened() {
            Ok(false) => {}
            Ok(true) => self.feed.on_opened(tick(&self.pace, clock, last)),
            Err(_) => self.lose(tick(&self.pace, clock, last)),
        }
        let ServerThread { client, feed, out, pace, bytes: count, .. } = self;
        let received = client.receive(|bytes| {
            *count += bytes.len() as u64;
            feed.on_bytes(bytes, tick(pace, clock, last), &mut |event| out.push(event));
        });
        match received {
            Ok(count) => count > 0,
            Err(_) => {
                feed.on_closed(tick(pace, clock, last), &mut |event| out.push(event));
                true
            }
        }
    }

    /// Tells the session of the time, and does what it wants.
    fn pass_time(&mut self, clock: &mut Steered, last: &mut Ts) {
        let now = tick(&self.pace, clock, last);
        if self.feed.wake_at().is_some_and(|due| due <= now) {
            self.feed.on_time(now, &mut |event| self.out.push(event));
        }
        while let Some(action) = self.feed.next_action() {
            self.act(&action, clock, last);
        }
        if self.client.send(&[]).is_err() {
            self.lose(tick(&self.pace, clock, last));
        }
        if let Some(error) = self.feed.next_error() {
            tracing::warn!("feed {}, {}: {error}; trying again", self.id.0, self.address);
        }
    }

    #[cold]
    fn act(&mut self, action: &Action, clock: &mut Steered, last: &mut Ts) {
        let done = match action {
            Action::Open => self.client.connect(self.address),
            Action::Send(outgoing) => self.client.send(outgoing.bytes()),
            Action::Close => {
                self.client.close();
                return;
            }
        };
        if done.is_err() {
            self.lose(tick(&self.pace, clock, last));
        }
    }

    fn lose(&mut self, now: Ts) {
        self.feed.on_closed(now, &mut |event| self.out.push(event));
    }

    fn count(&self) {
        let seen = self.feed.counters();
        if let Some(progress) = self.progress.feeds.get(usize::from(self.id.0)) {
            progress.show(&FeedCounters {
                messages: seen.messages - seen.repeated,
                bytes: self.bytes,
                unknown: seen.unknown,
                bad: seen.bad,
                lost: seen.lost,
                gaps: seen.misplaced,
                requests: seen.logins,
                connects: seen.connects,
                ..FeedCounters::default()
            });
        }
    }
}

/// Now, never before `last`.
fn tick(pace: &Pace, clock: &mut Steered, last: &mut Ts) -> Ts {
    *last = pace.now(clock.now_ns()).unwrap_or(*last).max(*last);
    *last
}
