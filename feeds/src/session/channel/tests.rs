use model::{DAY_NS, Flags, Kind};

use super::*;
use crate::session::glimpse::GlimpseError;
use crate::session::mold::PacketWriter;
use crate::session::soup::{Login, server};
use crate::session::{SESSION_JOINED, SessionId};

const SESSION: SessionId = SessionId(*b"0000000001");
const MS: u64 = 1_000_000;

struct Bench {
    channel: Channel,
    session: SessionId,
    out: Vec<Event>,
}

/// A system event at `time`, the shortest message that has an event of its own.
fn system(code: u8, time: u64) -> Vec<u8> {
    let mut message = vec![b'S', 0, 0, 0, 0];
    message.extend_from_slice(&time.to_be_bytes()[2..]);
    message.push(code);
    message
}

/// A circuit breaker's message.
fn breaker(time: u64) -> Vec<u8> {
    let mut message = system(b'1', time);
    message[0] = b'W';
    message
}

impl Bench {
    fn new(glimpse: bool) -> Bench {
        let mut options = ChannelOptions::new(FeedId(0), Ts(0));
        options.arbiter.join_messages_max = 0;
        options.bridge_bytes_max = 100;
        let login = Login::new("u", "p").unwrap();
        options.glimpse =
            glimpse.then(|| GlimpseOptions { same_session: true, ..GlimpseOptions::new(login) });
        Bench { channel: Channel::new(options), session: SESSION, out: Vec::new() }
    }

    /// What was emitted since the last call, as text.
    fn said(&mut self) -> String {
        let say = |event: Event| match event.kind {
            Kind::Integrity => {
                let (integrity, cause) = event.believed().unwrap();
                format!("{integrity}/{cause}@{}", event.seq)
            }
            Kind::Clear => "clear".to_owned(),
            Kind::Session if event.aux == u64::from(b'O') && event.ts_venue == event.ts_recv => {
                "day".to_owned()
            }
            kind if event.flags.has(Flags::SNAPSHOT) => format!("({kind})"),
            _ => format!("{}", event.seq),
        };
        // Of the first session that is heard nothing is known of a day before.
        let joined = |event: &Event| event.kind == Kind::Session && event.aux == SESSION_JOINED;
        self.out.retain(|event| !joined(event));
        self.out.drain(..).map(say).collect::<Vec<_>>().join(" ")
    }

    fn packet(&mut self, first: u64, messages: &[Vec<u8>], now: u64) -> String {
        let mut writer = PacketWriter::new(self.session, first, 1_400);
        assert!(messages.iter().all(|message| writer.push(message)));
        let out = &mut self.out;
        self.channel.on_datagram(Line::A, writer.packet(), Ts(now), &mut |e| out.push(e));
        self.said()
    }

    fn time(&mut self, now: u64) -> String {
        let out = &mut self.out;
        self.channel.on_time(Ts(now), &mut |e| out.push(e));
        self.said()
    }

    fn snapshot(&mut self, bytes: &[u8], now: u64) -> String {
        let out = &mut self.out;
        self.channel.on_snapshot_bytes(bytes, Ts(now), &mut |e| out.push(e));
        self.said()
    }

    fn closed(&mut self, now: u64) -> String {
        let out = &mut self.out;
        self.channel.on_snapshot_closed(Ts(now), &mut |e| out.push(e));
        self.said()
    }

    fn actions(&mut self) -> String {
        let say = |action| match action {
            Action::Request(request) => format!("ask {}+{}", request.first, request.count),
            Action::OpenSnapshot => "open".to_owned(),
            Action::SendSnapshot(bytes) => format!("send {}", char::from(bytes.bytes()[2])),
            Action::CloseSnapshot => "close".to_owned(),
        };
        std::iter::from_fn(|| self.channel.next_action()).map(say).collect::<Vec<_>>().join(" ")
    }

    /// Opens the connection that was asked for, and logs in.
    fn open(&mut self, now: u64) -> String {
        assert_eq!(self.actions(), "open");
        self.channel.on_snapshot_opened(Ts(now));
        assert_eq!(self.actions(), "send L");
        let mut bytes = Vec::new();
        server::accepted(SESSION, 1, &mut bytes);
        self.snapshot(&bytes, now)
    }
}

fn end(next: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    server::sequenced(format!("G{next:>20}").as_bytes(), &mut bytes);
    bytes
}

fn quiet(count: usize) -> Vec<Vec<u8>> {
    vec![system(b'Q', 5); count]
}

/// Goal: who hears a channel hears its heartbeats, at the place where the books stand and not too often: else a feed that only
/// beats would count as dead. Method: two lines that beat every second, one that beats without pause, and one that tells of more.
#[test]
fn heartbeats() {
    let mut bench = Bench::new(false);
    bench.packet(1, &quiet(2), 0);
    let beat = |bench: &mut Bench, line, next, now| {
        let mut writer = PacketWriter::new(SESSION, next, 100);
        let out = &mut bench.out;
        bench.channel.on_datagram(line, writer.packet(), Ts(now), &mut |e| out.push(e));
        let notices = bench.out.iter().all(|event| event.kind == Kind::Notice);
        assert!(notices && bench.out.iter().all(|event| event.ts_recv == Ts(now)));
        bench.said()
    };
    for second in 1..60 {
        assert_eq!(beat(&mut bench, Line::A, 3, second * 1_000 * MS), "2");
        assert_eq!(beat(&mut bench, Line::B, 3, second * 1_000 * MS + 1), "");
        assert_eq!(bench.time(second * 1_000 * MS + 2), "");
    }
    let flood: usize =
        (0..1_000).map(|ms| beat(&mut bench, Line::B, 3, (60_000 + ms) * MS).len()).sum();
    assert_eq!(flood, 2);
    assert_eq!(beat(&mut bench, Line::A, 4, 62_000 * MS), "", "something is missing");
    assert_eq!(beat(&mut bench, Line::A, 2, 62_000 * MS), "", "old");
}

/// Goal: a session begins a day, however late it is heard of: what is known of the one before, and its numbers, are of no use.
/// A name alone begins none, nor does the first session that is heard where whoever remembers is of the same day. Method:
/// another session joined from its start, whether that says so or not, late, and by a snapshot.
#[test]
fn sessions_are_days() {
    let code = |event: &Event| (event.kind == Kind::Session).then_some((event.aux, event.seq));
    let play = |bench: &mut Bench, first, messages: &[Vec<u8>], now| {
        let mut writer = PacketWriter::new(bench.session, first, 1_400);
        messages.iter().for_each(|message| assert!(writer.push(message)));
        let mut codes = Vec::new();
        let mut take = |event: Event| codes.extend(code(&event));
        bench.channel.on_datagram(Line::A, writer.packet(), Ts(now), &mut take);
        codes
    };
    let [open, queue, joined] = [b'O'.into(), b'Q'.into(), SESSION_JOINED];
    let mut bench = Bench::new(false);
    assert_eq!(play(&mut bench, 7, &quiet(1), 0), [(joined, 6), (queue, 7)]);
    bench.time(3_000 * MS);
    bench.session = SessionId(*b"0000000002");
    assert_eq!(play(&mut bench, 5_000, &[], 3_000 * MS), [], "a name");
    assert_eq!(play(&mut bench, 5_000, &quiet(1), 3_001 * MS), [(open, 4_999), (queue, 5_000)]);
    assert_eq!(play(&mut bench, 5_001, &quiet(1), 3_002 * MS), [(queue, 5_001)]);
    bench.time(6_002 * MS);
    bench.session = SessionId(*b"0000000003");
    let start = [system(b'O', 1), system(b'Q', 2)];
    assert_eq!(play(&mut bench, 1, &start, 6_003 * MS), [(open, 1), (queue, 2)]);

    let mut bench = Bench::new(true);
    play(&mut bench, 1, &quiet(1), 0);
    bench.time(3_000 * MS);
    bench.session = SessionId(*b"0000000002");
    assert_eq!(play(&mut bench, 50, &quiet(1), 3_000 * MS), [(open, 49)], "before the snapshot");
    let mut bench = Bench::new(true);
    play(&mut bench, 1, &quiet(1), 0);
    bench.time(3_000 * MS);
    bench.session = SessionId(*b"0000000002");
    play(&mut bench, 50, &[], 3_000 * MS);
    assert_eq!(bench.actions(), "open");
    bench.channel.on_snapshot_opened(Ts(3_001 * MS));
    bench.actions();
    let mut bytes = Vec::new();
    server::accepted(bench.session, 1, &mut bytes);
    let mut kinds = Vec::new();
    bench.channel.on_snapshot_bytes(&bytes, Ts(3_002 * MS), &mut |e| kinds.push((e.kind, e.aux)));
    assert_eq!(kinds[0], (Kind::Session, open));
    assert_eq!(kinds.len(), 3, "then recovering, and a clear");
}

/// Goal: books lag while the other line may help, are recovering while messages are asked for, and live
/// again when they came. Method: one gap, its clock, its answer.
#[test]
fn gap() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.packet(1, &quiet(2), 0), "incomplete/not_started@0 1 2 live/none@2");
    assert_eq!(bench.packet(5, &quiet(1), 10), "");
    assert_eq!(bench.time(10 + 2 * MS), "recovering/gap@2");
    assert_eq!(bench.actions(), "ask 3+2");
    assert_eq!(bench.packet(6, &quiet(1), 3 * MS), "");
    assert_eq!(bench.packet(3, &quiet(2), 4 * MS), "3 4 5 6 live/none@6");
}

/// Goal: without snapshots what is lost leaves the books incomplete until the next session, whose first
/// message makes them live. Method: a loss, a second one, another session.
#[test]
fn lost_without_snapshots() {
    let mut bench = Bench::new(false);
    bench.packet(1, &quiet(1), 0);
    bench.packet(3, &quiet(1), 0);
    let mut said = Vec::new();
    while let Some(wake) = bench.channel.wake_at().filter(|wake| wake.0 < 2_000 * MS) {
        said.push(bench.time(wake.0));
    }
    assert_eq!(said.first().unwrap(), "recovering/gap@1");
    assert_eq!(said.last().unwrap(), "incomplete/gap@2 3");
    assert_eq!(bench.packet(4, &quiet(1), 2_000 * MS), "4");
    bench.session = SessionId(*b"0000000002");
    assert_eq!(bench.packet(1, &quiet(1), 2_001 * MS), "");
    let said = bench.packet(1, &quiet(1), 5_001 * MS);
    assert_eq!(said, "incomplete/session_end@0 clear day 1 live/none@1");
}

/// Goal: a late join asks for a snapshot; live messages wait, what it covers is dropped, the rest follows.
/// Method: a whole snapshot in two chunks, with messages before, within and after.
#[test]
fn late_join_by_snapshot() {
    let mut bench = Bench::new(true);
    let said = "incomplete/not_started@6 incomplete/gap@6";
    assert_eq!(bench.packet(7, &quiet(1), 0), said);
    assert_eq!(bench.open(1), "recovering/snapshot@6 clear");
    assert_eq!(bench.packet(8, &quiet(1), 2), "");
    let mut bytes = Vec::new();
    server::sequenced(&system(b'Q', 4), &mut bytes);
    assert_eq!(bench.snapshot(&bytes, 3), "(session)");
    assert_eq!(bench.packet(9, &[breaker(6)], 4), "(market_halt)", "a halt never waits");
    let said = "recovering/snapshot@7 8 9 live/none@9";
    assert_eq!(bench.snapshot(&end(8), 5), said);
    assert_eq!(bench.actions(), "send O close");
    assert_eq!(bench.closed(6), "");
    assert_eq!(bench.packet(10, &quiet(1), 7), "10");
    let counters = bench.channel.counters();
    assert_eq!((counters.snapshots, counters.snapshots_failed), (1, 0));
}

/// Goal: a snapshot that is ahead of the lines makes nothing live before they reach it. Method: a snapshot
/// to 20, with the lines at 8; then a packet beyond a gap that the snapshot covers.
#[test]
fn snapshot_ahead_of_the_lines() {
    let mut bench = Bench::new(true);
    bench.packet(7, &quiet(1), 0);
    bench.open(1);
    assert_eq!(bench.snapshot(&end(20), 2), "");
    assert_eq!(bench.closed(3), "", "it is whole: the connection is not needed");
    let wake = bench.channel.wake_at();
    assert_eq!(wake, Some(Ts(3_000 * MS)), "nor are its heartbeats");
    assert_eq!(bench.packet(8, &quiet(1), 4), "");
    assert_eq!(bench.packet(18, &quiet(3), 5), "recovering/snapshot@19 20 live/none@20");
}

/// Goal: a snapshot that fails begins again after a pause, and the books say that they hold a part of one.
/// Method: each way to fail.
#[test]
fn snapshot_failures() {
    let recover = |bench: &mut Bench, fault: &mut dyn FnMut(&mut Bench) -> String| {
        bench.packet(7, &quiet(1), 0);
        assert_eq!(bench.open(1), "recovering/snapshot@6 clear");
        let said = fault(bench);
        assert!(said.ends_with("incomplete/snapshot@6"), "{said}");
        assert_eq!(bench.actions(), "close");
        let until = bench.channel.wake_at().unwrap();
        bench.packet(bench.channel.arbiter().next(), &quiet(6), 3);
        assert_eq!(bench.channel.wake_at(), Some(until), "no attempt, no failure");
        assert!((250 * MS..=501 * MS).contains(&until.0), "{until:?}");
        bench.time(until.0 - 1);
        assert_eq!(bench.actions(), "");
        bench.time(until.0);
        assert_eq!(bench.open(until.0), "recovering/snapshot@6 clear");
        bench.channel.glimpse().unwrap().error_last().unwrap()
    };
    let mut bytes = Vec::new();
    server::sequenced(b"A", &mut bytes);
    type Fault<'a> = (GlimpseError, &'a mut dyn FnMut(&mut Bench) -> String);
    let faults: [Fault<'_>; 5] = [
        (GlimpseError::Closed, &mut |bench| bench.closed(2)),
        (GlimpseError::TooOld, &mut |bench| bench.snapshot(&end(6), 2)),
        (GlimpseError::BadMessage, &mut |bench| bench.snapshot(&bytes, 2)),
        (GlimpseError::BadMessage, &mut |bench| bench.snapshot(&end(0), 2)),
        (GlimpseError::Overflow, &mut |bench| bench.packet(8, &quiet(5), 2)),
    ];
    for (error, fault) in faults {
        assert_eq!(recover(&mut Bench::new(true), fault), error);
    }
}

/// Goal: a snapshot of another session is refused before it clears a book. Method: a login to one.
#[test]
fn other_session() {
    let mut bench = Bench::new(true);
    bench.packet(7, &quiet(1), 0);
    bench.actions();
    bench.channel.on_snapshot_opened(Ts(1));
    let mut bytes = Vec::new();
    server::accepted(SessionId([b'x'; 10]), 1, &mut bytes);
    bytes.extend_from_slice(&end(8));
    assert_eq!(bench.snapshot(&bytes, 2), "");
    let error = bench.channel.glimpse().unwrap().error_last();
    assert_eq!(error, Some(GlimpseError::OtherSession));
}

/// Goal: a name without a message is no session whose books are live. Method: a heartbeat, first of all and after
/// a silence; then the message.
#[test]
fn a_name_is_not_live() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.packet(1, &[], 0), "incomplete/not_started@0");
    assert_eq!(bench.time(3_000 * MS), "");
    assert_eq!(bench.packet(1, &quiet(1), 3_001 * MS), "1 live/none@1");
    bench.time(6_001 * MS);
    bench.session = SessionId([b'x'; 10]);
    assert_eq!(bench.packet(1, &[], 6_002 * MS), "incomplete/session_end@0 clear");
    assert_eq!(bench.time(9_003 * MS), "");
    bench.session = SESSION;
    let said = "incomplete/session_end@1 clear incomplete/gap@1 2";
    assert_eq!(bench.packet(2, &quiet(1), 9_004 * MS), said);
}

/// Goal: whatever names the lines invent, the snapshot server is not asked more often than its pauses allow.
/// Method: a new name once in three seconds, with a server that never answers.
#[test]
fn a_chain_of_names() {
    let mut bench = Bench::new(true);
    let (mut opens, mut events) = (0, 0);
    for name in 0..100_u64 {
        bench.session = SessionId([name as u8; 10]);
        for millis in [0, 1, 2, 1_000, 2_900] {
            let now = (name * 3_001 + millis) * MS;
            events += bench.packet(5_000, &[], now).split_whitespace().count();
            events += bench.time(now).split_whitespace().count();
            opens += bench.actions().matches("open").count();
        }
    }
    assert!(opens <= 24, "{opens} connections in 300 s");
    assert!(events <= 400, "{events} events");
}

/// Goal: the rest of a snapshot is none. Method: a login accepted from another sequence than the first.
#[test]
fn snapshot_from_the_middle() {
    let mut bench = Bench::new(true);
    bench.packet(7, &quiet(1), 0);
    bench.actions();
    bench.channel.on_snapshot_opened(Ts(1));
    let mut bytes = Vec::new();
    server::accepted(SESSION, 777, &mut bytes);
    bytes.extend_from_slice(&end(8));
    assert_eq!(bench.snapshot(&bytes, 2), "");
    let error = bench.channel.glimpse().unwrap().error_last();
    assert_eq!(error, Some(GlimpseError::Sequence(777)));
}

/// Goal: an end of session that was none is taken back by the next message. Method: both.
#[test]
fn premature_end() {
    let mut bench = Bench::new(false);
    bench.packet(1, &quiet(1), 0);
    let end = PacketWriter::new(SESSION, 2, 0).end_of_session();
    let out = &mut bench.out;
    bench.channel.on_datagram(Line::B, &end, Ts(1), &mut |e| out.push(e));
    assert_eq!(bench.said(), "stale/session_end@1");
    assert_eq!(bench.packet(2, &quiet(1), 2), "2 live/none@2");
}

/// Goal: an undecodable message breaks the books, unknown and empty ones do not. Method: one of each.
#[test]
fn bad_messages() {
    let mut bench = Bench::new(false);
    bench.packet(1, &quiet(1), 0);
    assert_eq!(bench.packet(2, &[b"~~".to_vec(), Vec::new()], 1), "2 3");
    assert_eq!(bench.packet(4, &[b"A".to_vec(), system(b'Q', 6)], 2), "incomplete/bad_event@4 5");
    let counters = bench.channel.counters();
    assert_eq!((counters.bad, counters.unknown[usize::from(b'~')], counters.empty), (1, 1, 1));
    assert_eq!(counters.first_bad.unwrap().seq, 4);
}

/// Goal: silent lines make the books stale, and the end of the session, too. Method: the clock; the end.
#[test]
fn silence_and_end() {
    let mut bench = Bench::new(false);
    bench.packet(1, &quiet(1), 0);
    assert_eq!(bench.time(3_000 * MS), "stale/silent@1");
    assert_eq!(bench.packet(2, &[], 3_001 * MS), "1 live/none@1", "a heartbeat");
    let end = PacketWriter::new(SESSION, 2, 0).end_of_session();
    let out = &mut bench.out;
    bench.channel.on_datagram(Line::A, &end, Ts(3_002 * MS), &mut |e| out.push(e));
    assert_eq!(bench.said(), "stale/session_end@1");
    assert_eq!(bench.time(9_000 * MS), "");
}

/// Goal: messages bear the time that they are stamped with, silence is judged by the clock. Method: stamps ten
/// seconds old.
#[test]
fn stamps() {
    let mut bench = Bench::new(false);
    let mut writer = PacketWriter::new(SESSION, 1, 100);
    writer.push(&system(b'Q', 5));
    let (stamp, now) = (Ts(5_000 * MS), Ts(15_000 * MS));
    let out = &mut bench.out;
    bench.channel.on_received(Line::A, writer.packet(), (stamp, now), &mut |e| out.push(e));
    let message = bench.out.iter().find(|event| event.kind == Kind::Session).unwrap();
    assert_eq!(message.ts_recv, stamp);
    assert_eq!(bench.said(), "incomplete/not_started@0 1 live/none@1");
    assert_eq!(bench.channel.wake_at(), Some(Ts(18_000 * MS)));
    assert_eq!(bench.time(17_999 * MS), "");
}

/// Goal: venue times follow the days. Method: a start of messages that goes back within a session, then a
/// session three days later.
#[test]
fn days() {
    let mut bench = Bench::new(false);
    let mut times = Vec::new();
    for (session, first, code, now) in
        [(b'1', 1, b'C', 9), (b'1', 2, b'O', 10), (b'2', 1, b'O', 3 * DAY_NS + DAY_NS / 2)]
    {
        let mut writer = PacketWriter::new(SessionId([session; 10]), first, 1_400);
        writer.push(&system(code, if code == b'C' { 9 } else { 8 }));
        bench.channel.on_datagram(Line::A, writer.packet(), Ts(now), &mut |event| {
            if event.kind == Kind::Session && event.aux != SESSION_JOINED {
                times.push(event.ts_venue.0);
            }
        });
    }
    let midnight = crate::new_york_midnight(Ts(3 * DAY_NS + DAY_NS / 2)).0;
    assert_eq!(times, [9, DAY_NS + 8, midnight + 8]);
    assert_eq!(bench.channel.counters().backwards, 0);

    // From the last Friday of winter to Monday, 9 March 2026, 13:30 UTC: two days of 24 hours and one of 23.
    let hours = |hours: u64| hours * 3_600_000_000_000;
    let friday = Ts(1_772_773_200_000_000_000);
    let monday = Ts(friday.0 + hours(71));
    let mut options = ChannelOptions::new(FeedId(0), friday);
    options.arbiter.join_messages_max = 0;
    let mut channel = Channel::new(options);
    let mut times = Vec::new();
    for (session, now) in [(b'1', friday.0 + hours(9)), (b'2', monday.0 + hours(9))] {
        let mut writer = PacketWriter::new(SessionId([session; 10]), 1, 1_400);
        writer.push(&system(b'O', 8));
        channel.on_datagram(Line::A, writer.packet(), Ts(now), &mut |event| {
            if event.kind == Kind::Session {
                times.push(event.ts_venue.0);
            }
        });
    }
    assert_eq!(times, [friday.0 + 8, monday.0 + 8]);
}
