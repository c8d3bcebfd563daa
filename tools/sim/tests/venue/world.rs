//! A simulated venue, a channel, and the network between them, on virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use feeds::session::SESSION_JOINED;
use feeds::session::arbiter::Line;
use feeds::session::channel::{Action, Channel, ChannelOptions};
use feeds::session::glimpse::GlimpseOptions;
use feeds::session::soup::Login;
use model::{Cause, Event, FeedId, Flags, Integrity, Kind, Ts};
use sim::mold::{Config, Connection, Core, Credentials, Requests, Side, SnapshotCounters};
use sim::source::{Source, Timed};

use crate::twin::Twin;

/// One way between the channel and a server.
const WAY_NS: u64 = 150_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Request(Vec<u8>),
    Answer(Vec<u8>),
    Opened(u32),
    ToServer(u32, Vec<u8>),
    FromServer(u32, Vec<u8>),
}

pub struct World<'a> {
    pub core: Core,
    pub channel: Channel,
    pub twin: Twin,
    pub believed: Option<(Integrity, Cause)>,
    /// All that was said.
    pub heard: Vec<Event>,
    /// What was said of messages, snapshots apart.
    pub events: Vec<Event>,
    pub snapshots: SnapshotCounters,
    truth: &'a [Twin],
    requests: Requests,
    server: Option<Connection>,
    connection: u32,
    heap: BinaryHeap<Reverse<(u64, u64, Thing)>>,
    pushed: u64,
    now: u64,
    joins: u64,
}

impl<'a> World<'a> {
    /// A channel that hears the lines from `joins` on.
    pub fn new(
        config: Config,
        messages: &[Vec<u8>],
        truth: &'a [Twin],
        seed: u64,
        joins: u64,
        glimpse: bool,
    ) -> World<'a> {
        let messages: Vec<_> =
            messages.iter().map(|bytes| Ok(Timed::itch(bytes.clone()))).collect();
        World::of(config, Box::new(messages.into_iter()), truth, seed, joins, glimpse)
    }

    pub fn of(
        config: Config,
        source: Source,
        truth: &'a [Twin],
        seed: u64,
        joins: u64,
        glimpse: bool,
    ) -> World<'a> {
        let mut options = ChannelOptions::new(FeedId(0), Ts(0));
        let login = Login::new("sim", "sim").unwrap();
        let glimpse = glimpse.then(|| GlimpseOptions {
            same_session: true,
            seed,
            ..GlimpseOptions::new(login)
        });
        options.glimpse = glimpse;
        options.arbiter.join_messages_max = 0;
        World {
            requests: Requests::new(config.requests),
            core: Core::new(config, source, 0),
            channel: Channel::new(options),
            twin: Twin::default(),
            believed: None,
            heard: Vec::new(),
            events: Vec::new(),
            snapshots: SnapshotCounters::default(),
            truth,
            server: None,
            connection: 0,
            heap: BinaryHeap::new(),
            pushed: 0,
            now: 0,
            joins,
        }
    }

    fn push(&mut self, thing: Thing) {
        self.pushed += 1;
        self.heap.push(Reverse((self.now + WAY_NS, self.pushed, thing)));
    }

    /// Runs until nothing is to come any more.
    pub fn run(&mut self) {
        for _ in 0..1_000_000 {
            let venue = self.core.wake_at(self.now);
            let channel = self.channel.wake_at().map(|wake| wake.0.max(self.now));
            let network = self.heap.peek().map(|Reverse((at, ..))| *at);
            let Some(next) = [venue, channel, network].into_iter().flatten().min() else { return };
            // Silence after the end is not of interest.
            if venue.is_none() && network.is_none() && self.is_over() {
                return;
            }
            self.now = next;
            if venue == Some(next) {
                self.publish();
            } else if network == Some(next) {
                let Some(Reverse((_, _, thing))) = self.heap.pop() else { return };
                self.happen(thing);
            } else {
                self.tell(|channel, now, emit| channel.on_time(now, emit));
            }
            self.act();
        }
        panic!("no end");
    }

    fn is_over(&self) -> bool {
        self.believed == Some((Integrity::Stale, Cause::SessionEnd))
    }

    fn publish(&mut self) {
        let mut packets = Vec::new();
        self.core.poll(self.now, &mut |side, at, packet| packets.push((side, at, packet.clone())));
        for (side, at, packet) in packets {
            assert!(at <= self.now);
            let line = if side == Side::A { Line::A } else { Line::B };
            if self.now >= self.joins {
                self.tell(|channel, now, emit| channel.on_datagram(line, &packet, now, emit));
            }
            self.act();
        }
    }

    /// Lets the channel speak; checks everything that it says.
    fn tell(&mut self, call: impl FnOnce(&mut Channel, Ts, &mut &mut dyn FnMut(Event))) {
        let World { channel, twin, believed, heard, events, truth, now, .. } = self;
        let mut take = |event: Event| {
            heard.push(event);
            // Heartbeats, and that a session was joined, have no message.
            let is_message = match event.kind {
                Kind::Notice => event.aux != 0,
                Kind::Session => event.aux != SESSION_JOINED,
                _ => true,
            };
            if event.kind == Kind::Integrity {
                *believed = event.believed();
            } else if event.kind != Kind::Clear && is_message && !event.flags.has(Flags::SNAPSHOT) {
                let flags =
                    Flags::from_bits(event.flags.bits() & Flags::NOT_PRINTABLE.bits()).unwrap();
                events.push(Event { ts_recv: Ts(0), flags, ..event });
            }
            twin.apply(&event);
            // Every eighth message, to save time; what the lines bring is compared whole at the
            // end.
            let due = event.kind == Kind::Integrity || event.seq.is_multiple_of(8);
            if due && matches!(believed, Some((Integrity::Live, _))) {
                assert!(*twin == truth[event.seq as usize], "live and wrong at {}", event.seq);
            }
        };
        call(channel, Ts(*now), &mut (&mut take as &mut dyn FnMut(Event)));
    }

    fn happen(&mut self, thing: Thing) {
        match thing {
            Thing::Request(bytes) => {
                if let Some(answer) = self.requests.answer(&bytes, self.core.published()) {
                    self.push(Thing::Answer(answer));
                }
            }
            Thing::Answer(bytes) => {
                self.tell(|channel, now, emit| channel.on_answer(&bytes, now, emit))
            }
            Thing::Opened(of) if of == self.connection => {
                self.server = Some(Connection::new(self.now));
                self.channel.on_snapshot_opened(Ts(self.now));
            }
            Thing::ToServer(of, bytes) if of == self.connection => self.serve(&bytes),
            Thing::FromServer(of, bytes) if of == self.connection => {
                self.tell(|channel, now, emit| channel.on_snapshot_bytes(&bytes, now, emit));
            }
            Thing::Opened(_) | Thing::ToServer(..) | Thing::FromServer(..) => {}
        }
    }

    fn serve(&mut self, bytes: &[u8]) {
        let Some(server) = &mut self.server else { return };
        let mut out = Vec::new();
        let venue = (self.core.published(), &Credentials::default());
        server.on_bytes(bytes, self.now, venue, &mut self.snapshots, &mut out);
        for chunk in out.chunks(1_448) {
            self.push(Thing::FromServer(self.connection, chunk.to_vec()));
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.channel.next_action() {
            match action {
                Action::Request(request) => self.push(Thing::Request(request.to_bytes().to_vec())),
                Action::OpenSnapshot => {
                    self.connection += 1;
                    self.push(Thing::Opened(self.connection));
                }
                Action::SendSnapshot(bytes) => {
                    self.push(Thing::ToServer(self.connection, bytes.bytes().to_vec()))
                }
                Action::CloseSnapshot => self.connection += 1,
            }
        }
    }
}
