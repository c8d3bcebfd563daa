//! The network on virtual time: a publisher, two lines, a re-request server and a snapshot server.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BinaryHeap;

use feeds::session::SessionId;
use feeds::session::arbiter::Line;
use feeds::session::channel::{Action, Channel, ChannelOptions};
use feeds::session::mold::{PacketWriter, Request};
use feeds::session::soup::{Login, server};
use model::{Cause, Event, Flags, Integrity, Kind, Ts};

use crate::day::{Day, Dice, STOCKS, add, directory};
use crate::twin::Twin;

pub const MS: u64 = 1_000_000;

/// What goes wrong, in per cent or by time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: [u64; 2],
    pub duplicate: u64,
    pub late: u64,
    /// From and to, for each line.
    pub dead: [(u64, u64); 2],
    pub request_loss: u64,
    /// Most messages of an answer; 0: no server.
    pub answer_max: u64,
    pub snapshot_fails: u64,
    /// Until when packets come that nobody of the venue sent, or sent long ago.
    pub hostile_until: u64,
    /// How long nothing but heartbeats of the next day is said before it.
    pub night_ns: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Publish,
    Heartbeat,
    /// A packet that is no part of the day.
    Hostile,
    /// Of a day; none: of no session that there is.
    Datagram(Line, Option<usize>, Vec<u8>),
    Asked(u64, u16, [u8; 10]),
    Opened(u32),
    Login(u32),
    Bytes(u32, Vec<u8>),
    Closed(u32),
}

/// What the channel's reader believes, checked at every event against the clean run.
pub struct Reader {
    pub twin: Twin,
    pub day: Option<usize>,
    /// Day of the packet that is being taken.
    heard: Option<usize>,
    pub seq: u64,
    pub believed: Option<(Integrity, Cause)>,
    pub seen: BTreeMap<(Integrity, Cause), u32>,
}

impl Reader {
    fn take(&mut self, event: &Event, days: &[Day], now: u64) {
        assert!(event.ts_recv.0 <= now && event.feed.0 == 3, "{event:?}");
        if event.kind == Kind::Integrity {
            let believed = event.believed().unwrap();
            if [Cause::NotStarted, Cause::SessionEnd]
                .map(|cause| (Integrity::Incomplete, cause))
                .contains(&believed)
            {
                self.day = self.heard;
            }
            self.seq = event.seq;
            self.believed = Some(believed);
            *self.seen.entry(believed).or_default() += 1;
        } else if event.flags.has(Flags::SNAPSHOT) {
            assert_ne!(self.integrity(), Some(Integrity::Live));
        } else if [Kind::Notice, Kind::Session].contains(&event.kind) && event.seq == self.seq {
            // A heartbeat, or that a day begins.
        } else {
            assert_eq!(event.seq, self.seq + 1, "a hole, or twice: {event:?}");
            self.seq = event.seq;
        }
        assert!(event.kind != Kind::Clear || event.flags.has(Flags::SNAPSHOT));
        self.twin.apply(event);
        if self.integrity() == Some(Integrity::Live) {
            let clean = days[self.day.expect("live, of no session")].digests[self.seq as usize];
            assert_eq!(self.twin.digest(), clean, "live and different at {}", self.seq);
        }
    }

    pub fn integrity(&self) -> Option<Integrity> {
        self.believed.map(|(integrity, _)| integrity)
    }
}

pub struct World {
    pub now: u64,
    pub channel: Channel,
    pub reader: Reader,
    pub days: Vec<Day>,
    pub faults: Faults,
    pub steps: u64,
    /// Day and messages of it that are published.
    at: (usize, usize),
    /// Whether the last session is ended by the publisher.
    ends: bool,
    idle_until: u64,
    dice: Dice,
    heap: BinaryHeap<Reverse<(u64, u64, Thing)>>,
    pushed: u64,
    connection: u32,
    /// What was sent, to come again.
    sent: Vec<Vec<u8>>,
}

impl World {
    pub fn new(
        options: ChannelOptions,
        days: Vec<Day>,
        faults: Faults,
        (ends, idle_ns): (bool, u64),
        seed: u64,
    ) -> World {
        let reader = Reader {
            twin: Twin::default(),
            day: None,
            heard: None,
            seq: 0,
            believed: None,
            seen: BTreeMap::new(),
        };
        let mut world = World {
            now: MS,
            channel: Channel::new(options),
            reader,
            days,
            faults,
            steps: 0,
            at: (0, 0),
            ends,
            idle_until: idle_ns,
            dice: Dice(seed),
            heap: BinaryHeap::new(),
            pushed: 0,
            connection: 0,
            sent: Vec::new(),
        };
        world.push(0, Thing::Publish);
        world.push(0, Thing::Heartbeat);
        world
    }

    /// Adds packets that nobody of the venue sent, until a time. The last session goes on behind them: one that only
    /// repeats its end does not come back.
    pub fn add_hostile(&mut self, until: u64) {
        (self.faults.hostile_until, self.ends) = (until, false);
        self.push(2 * MS, Thing::Hostile);
    }

    fn push(&mut self, after: u64, thing: Thing) {
        self.pushed += 1;
        self.heap.push(Reverse((self.now + after, self.pushed, thing)));
    }

    /// Runs to the end; every event is checked on its way.
    pub fn run(&mut self) {
        loop {
            self.steps += 1;
            assert!(self.steps < 2_000_000, "no end");
            let due = self.heap.peek().map(|Reverse((when, _, _))| *when);
            let wake = self.channel.wake_at().map(|wake| wake.0.max(self.now));
            let World { channel, reader, days, .. } = self;
            let Some(due) = due else { return };
            if let Some(wake) = wake.filter(|wake| *wake < due) {
                self.now = wake;
                channel.on_time(Ts(wake), &mut |event| reader.take(&event, days, wake));
            } else {
                let Some(Reverse((when, _, thing))) = self.heap.pop() else { return };
                self.now = when;
                self.happen(thing);
            }
            self.act();
        }
    }

    fn happen(&mut self, thing: Thing) {
        let now = self.now;
        let World { channel, reader, days, connection, .. } = self;
        if let Thing::Datagram(_, day, _) = &thing {
            reader.heard = *day;
        }
        let mut emit = |event: Event| reader.take(&event, days, now);
        match thing {
            Thing::Datagram(Line::Answer, _, bytes) => {
                channel.on_answer(&bytes, Ts(now), &mut emit)
            }
            Thing::Datagram(line, _, bytes) => {
                channel.on_datagram(line, &bytes, Ts(now), &mut emit)
            }
            Thing::Bytes(of, bytes) if of == *connection => {
                channel.on_snapshot_bytes(&bytes, Ts(now), &mut emit);
            }
            Thing::Closed(of) if of == *connection => {
                channel.on_snapshot_closed(Ts(now), &mut emit);
            }
            Thing::Opened(of) if of == *connection => channel.on_snapshot_opened(Ts(now)),
            Thing::Opened(_) | Thing::Closed(_) | Thing::Bytes(..) => {}
            Thing::Publish => self.publish(),
            Thing::Heartbeat => self.heartbeat(),
            Thing::Hostile => self.hostile(),
            Thing::Asked(first, count, session) => self.answer(first, count, session),
            Thing::Login(of) => self.snapshot(of),
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.channel.next_action() {
            let rest = self.dice.below(MS);
            match action {
                Action::Request(Request { session, first, count }) => {
                    assert!(count > 0 && count <= 1_024);
                    if !self.dice.percent(self.faults.request_loss) {
                        self.push(rest, Thing::Asked(first, count, session.0));
                    }
                }
                Action::OpenSnapshot => {
                    self.connection += 1;
                    let of = self.connection;
                    let fails = self.dice.percent(self.faults.snapshot_fails);
                    self.push(rest, if fails { Thing::Closed(of) } else { Thing::Opened(of) });
                }
                Action::SendSnapshot(bytes) => {
                    if bytes.bytes()[2] == b'L' {
                        assert_eq!(Login::decode(&bytes.bytes()[3..]).map(|l| l.next), Some(1));
                        self.push(rest, Thing::Login(self.connection));
                    }
                }
                Action::CloseSnapshot => self.connection += 1,
            }
        }
    }

    /// Sends a packet down both lines, or loses it.
    fn send(&mut self, bytes: &[u8]) {
        let day = Some(self.at.0);
        if self.faults.hostile_until > 0 {
            self.sent.push(bytes.to_vec());
        }
        for (place, line) in [Line::A, Line::B].into_iter().enumerate() {
            let (from, to) = self.faults.dead[place];
            if (from..to).contains(&self.now) || self.dice.percent(self.faults.loss[place]) {
                continue;
            }
            for _ in 0..1 + u32::from(self.dice.percent(self.faults.duplicate)) {
                let late = self.dice.percent(self.faults.late);
                let delay = 50_000 + self.dice.below(if late { 4 * MS } else { 60_000 });
                self.push(delay, Thing::Datagram(line, day, bytes.to_vec()));
            }
        }
    }

    /// A name of no session, a sequence that is none of the day's, an end that is not one, an old packet, or what
    /// the re-request server was not asked for.
    fn hostile(&mut self) {
        let line = [Line::A, Line::B, Line::Answer][self.dice.below(3) as usize];
        let day = &self.days[self.at.0];
        let (session, at) = (day.session, self.at.1 as u64 + 1);
        let stray = SessionId([b'x', self.dice.below(3) as u8, 0, 0, 0, 0, 0, 0, 0, 0]);
        let near = at + self.dice.below(40);
        let far = at + (1 << 17) + self.dice.below(1 << 40);
        let (session, mut writer) = match self.dice.below(6) {
            0 => (None, PacketWriter::new(stray, 1 + self.dice.below(2_000), 100)),
            1 => (Some(self.at.0), PacketWriter::new(session, near, 100)),
            2 => (Some(self.at.0), PacketWriter::new(session, far, 100)),
            3 => (Some(self.at.0), PacketWriter::new(session, 1 + self.dice.below(at), 100)),
            _ if self.sent.is_empty() || line == Line::Answer => return self.later(),
            _ => {
                let old = self.sent[self.dice.below(self.sent.len() as u64) as usize].clone();
                let day = self.days.iter().position(|day| old.starts_with(&day.session.0));
                self.push(0, Thing::Datagram(line, day, old));
                return self.later();
            }
        };
        let bytes = match self.dice.percent(50) {
            true => writer.end_of_session().to_vec(),
            false => writer.packet().to_vec(),
        };
        self.push(0, Thing::Datagram(line, session, bytes));
        self.later();
    }

    fn later(&mut self) {
        if self.now < self.faults.hostile_until {
            let pause = self.dice.below(4 * MS);
            self.push(pause, Thing::Hostile);
        }
    }

    fn writer(&self) -> PacketWriter {
        let day = &self.days[self.at.0];
        PacketWriter::new(day.session, self.at.1 as u64 + 1, 1_400)
    }

    fn publish(&mut self) {
        let (day, at) = self.at;
        if at == self.days[day].messages.len() {
            if day + 1 == self.days.len() {
                return;
            }
            self.at = (day + 1, 0);
            if self.faults.night_ns > 0 {
                return self.push(self.faults.night_ns, Thing::Publish);
            }
        }
        let mut writer = self.writer();
        for _ in 0..1 + self.dice.below(6) {
            if let Some(message) = self.days[self.at.0].messages.get(self.at.1) {
                assert!(writer.push(message));
                self.at.1 += 1;
            }
        }
        self.send(writer.packet());
        let pause = self.dice.below(400_000);
        self.push(pause, Thing::Publish);
    }

    fn heartbeat(&mut self) {
        let mut writer = self.writer();
        let last = self.at == (self.days.len() - 1, self.days[self.at.0].messages.len());
        if last && self.ends {
            self.send(&writer.end_of_session());
        } else {
            self.send(writer.packet());
        }
        if self.now < self.idle_until {
            self.push(20 * MS, Thing::Heartbeat);
        }
    }

    fn answer(&mut self, first: u64, count: u16, session: [u8; 10]) {
        let (day, at) = self.at;
        if self.days[day].session.0 != session || self.faults.answer_max == 0 {
            return;
        }
        let mut writer = PacketWriter::new(self.days[day].session, first, 1_400);
        let most = u64::from(count).min(1 + self.dice.below(self.faults.answer_max));
        for seq in (first..first + most).take_while(|seq| *seq <= at as u64) {
            writer.push(&self.days[day].messages[seq as usize - 1]);
        }
        for _ in 0..1 + u32::from(self.dice.percent(self.faults.duplicate)) {
            if writer.count() > 0 && !self.dice.percent(self.faults.request_loss) {
                let delay = self.dice.below(MS);
                let bytes = writer.packet().to_vec();
                self.push(delay, Thing::Datagram(Line::Answer, Some(day), bytes));
            }
        }
    }

    fn snapshot(&mut self, of: u32) {
        let (day, at) = self.at;
        let mut bytes = Vec::new();
        server::accepted(self.days[day].session, 1, &mut bytes);
        let time = 5;
        (1..=STOCKS).for_each(|locate| server::sequenced(&directory(locate, time), &mut bytes));
        for (order, open) in &self.days[day].twin_at(at).orders {
            let (qty, px) = (open.qty as u32, open.px as u32);
            let message = add(open.number as u16, time, *order, open.side, qty, px);
            server::sequenced(&message, &mut bytes);
            if self.dice.percent(5) {
                bytes.extend_from_slice(&server::HEARTBEAT);
            }
        }
        server::sequenced(format!("G{:>20}", at + 1).as_bytes(), &mut bytes);
        let whole = !self.dice.percent(self.faults.snapshot_fails);
        let length = if whole { bytes.len() } else { self.dice.below(bytes.len() as u64) as usize };
        let (mut sent, mut delay) = (0, 0);
        while sent < length {
            let chunk = (1 + self.dice.below(700) as usize).min(length - sent);
            delay += self.dice.below(MS / 4);
            self.push(delay, Thing::Bytes(of, bytes[sent..sent + chunk].to_vec()));
            sent += chunk;
        }
        self.push(delay + 1, Thing::Closed(of));
    }
}
