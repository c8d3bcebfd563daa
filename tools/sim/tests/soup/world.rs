//! A simulated venue, a feed, and the network between them, on virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use feeds::session::soup::Login;
use feeds::session::soup_feed::{Action, SoupFeed, SoupFeedOptions};
use model::{Cause, Event, FeedId, Flags, Integrity, Kind, Ts};
use sim::soup::{Config, Connection, Core};
use sim::source::Timed;

use crate::twin::Twin;

/// One way between the feed and the venue.
const WAY_NS: u64 = 150_000;
const SECOND: u64 = 1_000_000_000;
/// The books may lag so far behind while they are live: the silence after which a server is in doubt, and the
/// lag that counts as none.
const LAG_NS: u64 = 4 * SECOND + 4 * WAY_NS;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Opened(u32),
    ToServer(u32, Vec<u8>),
    FromServer(u32, Vec<u8>),
    Closed(u32),
}

pub struct World<'a> {
    pub core: Core,
    pub feed: SoupFeed,
    pub twin: Twin,
    pub believed: Option<(Integrity, Cause)>,
    /// What was said for the first time, of the session that is heard.
    pub events: Vec<Event>,
    /// Times that the books became live.
    pub live: u64,
    truth: &'a [Twin],
    /// When each message was published.
    published: Vec<u64>,
    server: Option<Connection>,
    connection: u32,
    random: u64,
    heap: BinaryHeap<Reverse<(u64, u64, Thing)>>,
    pushed: u64,
    now: u64,
    joins: u64,
}

impl<'a> World<'a> {
    /// A venue whose clock is the day's, and a feed that comes `late` seconds after it.
    pub fn new(
        config: Config,
        messages: &[Vec<u8>],
        truth: &'a [Twin],
        seed: u64,
        late: u64,
    ) -> World<'a> {
        let timed: Vec<_> = messages.iter().map(|bytes| Timed::itch(bytes.clone())).collect();
        let start = timed[0].at_ns;
        let login = Login::new("sim", "sim").unwrap();
        let mut options = SoupFeedOptions::new(FeedId(0), Ts(0), login);
        options.seed = seed;
        World {
            core: Core::new(config, Box::new(timed.into_iter().map(Ok)), start),
            feed: SoupFeed::new(options),
            twin: Twin::default(),
            believed: None,
            events: Vec::new(),
            live: 0,
            truth,
            published: Vec::new(),
            server: None,
            connection: 0,
            random: seed,
            heap: BinaryHeap::new(),
            pushed: 0,
            now: start,
            joins: start + late * SECOND,
        }
    }

    fn push(&mut self, thing: Thing) {
        self.pushed += 1;
        self.heap.push(Reverse((self.now + WAY_NS, self.pushed, thing)));
    }

    /// Runs until the session is over and heard to its end.
    pub fn run(&mut self) {
        for _ in 0..4_000_000 {
            let venue = self.core.wake_at(self.now);
            let server = self.server.as_ref().and_then(|s| s.wake_at(self.now, &self.core));
            let feed = self.feed.wake_at().map(|wake| wake.0.max(self.joins));
            let network = self.heap.peek().map(|Reverse((at, ..))| *at);
            let all =
                self.feed.position().is_some_and(|(_, seq)| seq + 1 == self.truth.len() as u64);
            if all && self.believed == Some((Integrity::Stale, Cause::SessionEnd)) {
                return;
            }
            let Some(next) = [venue, server, feed, network].into_iter().flatten().min() else {
                panic!("nothing to come");
            };
            self.now = next.max(self.now);
            self.core.poll(self.now);
            self.published.resize(self.core.published() as usize, self.now);
            if network == Some(next) {
                let Some(Reverse((_, _, thing))) = self.heap.pop() else { return };
                self.happen(thing);
            }
            self.serve();
            if feed.is_some_and(|due| due <= self.now) {
                self.tell(|feed, now, emit| feed.on_time(now, emit));
            }
            self.act();
            self.check();
        }
        panic!("no end");
    }

    /// What is live is no older than may be.
    fn check(&self) {
        if matches!(self.believed, Some((Integrity::Live, _))) {
            let seq = self.feed.position().map_or(0, |(_, seq)| seq as usize);
            let waits = self.published.get(seq).map_or(0, |since| self.now - since);
            assert!(waits <= LAG_NS, "live, and {waits} ns behind at {seq}");
        }
    }

    /// Lets the feed speak; checks everything that it says.
    fn tell(&mut self, call: impl FnOnce(&mut SoupFeed, Ts, &mut &mut dyn FnMut(Event))) {
        let World { feed, twin, believed, events, live, truth, now, .. } = self;
        let mut take = |event: Event| {
            if event.kind == Kind::Integrity {
                *believed = event.believed();
                *live += u64::from(matches!(believed, Some((Integrity::Live, _))));
                if *believed == Some((Integrity::Incomplete, Cause::SessionEnd)) {
                    events.clear();
                }
            } else if !event.flags.has(Flags::SNAPSHOT) {
                let last = events.last().map_or(0, |last: &Event| last.seq);
                if event.kind == Kind::Notice && event.aux == 0 {
                    return; // A heartbeat.
                }
                assert_eq!(event.seq, last + 1, "each sequence once and in order");
                events.push(Event { ts_recv: Ts(0), ..event });
            }
            twin.apply(&event);
            // Every eighth message, to save time.
            let due = event.kind == Kind::Integrity || event.seq.is_multiple_of(8);
            if due && matches!(believed, Some((Integrity::Live, _))) {
                assert!(*twin == truth[event.seq as usize], "live and wrong at {}", event.seq);
            }
        };
        call(feed, Ts(*now), &mut (&mut take as &mut dyn FnMut(Event)));
    }

    fn happen(&mut self, thing: Thing) {
        let now = self.now;
        match thing {
            Thing::Opened(of) if of == self.connection => {
                self.server = Some(Connection::new(now, &mut self.core));
                self.feed.on_opened(Ts(now));
            }
            Thing::ToServer(of, bytes) if of == self.connection => {
                if let Some(server) = &mut self.server {
                    server.on_bytes(&bytes, now, &mut self.core);
                }
            }
            Thing::FromServer(of, bytes) if of == self.connection => {
                self.tell(|feed, now, emit| feed.on_bytes(&bytes, now, emit));
            }
            Thing::Closed(of) if of == self.connection => {
                self.tell(|feed, now, emit| feed.on_closed(now, emit));
            }
            _ => {}
        }
    }

    /// What the server says, in segments of any size.
    fn serve(&mut self) {
        let Some(server) = &mut self.server else { return };
        let mut out = Vec::new();
        server.poll(self.now, &mut self.core, &mut out);
        let closed = server.is_closed();
        let mut rest = out.as_slice();
        while !rest.is_empty() {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (segment, tail) =
                rest.split_at(rest.len().min(1 + (self.random >> 40) as usize % 2_000));
            rest = tail;
            self.push(Thing::FromServer(self.connection, segment.to_vec()));
        }
        if closed {
            self.server = None;
            self.push(Thing::Closed(self.connection));
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.feed.next_action() {
            match action {
                Action::Open => {
                    self.connection += 1;
                    self.push(Thing::Opened(self.connection));
                }
                Action::Send(bytes) => {
                    self.push(Thing::ToServer(self.connection, bytes.bytes().to_vec()));
                }
                Action::Close => {
                    self.connection += 1;
                    self.server = None;
                }
            }
        }
    }
}
