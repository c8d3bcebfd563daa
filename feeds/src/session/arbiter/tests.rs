mod strays;

use super::*;
use crate::session::mold::PacketWriter;

const SESSION: SessionId = SessionId(*b"0000000001");
const OTHER: SessionId = SessionId(*b"0000000002");
const MS: u64 = 1_000_000;

/// An arbiter, and what came out of it as text.
struct Bench {
    arbiter: Arbiter,
    session: SessionId,
    out: Vec<String>,
}

impl Bench {
    fn new(options: ArbiterOptions) -> Bench {
        Bench { arbiter: Arbiter::new(options), session: SESSION, out: Vec::new() }
    }

    /// A packet with one message for each sequence from `first` on; returns what came out.
    fn packet(&mut self, line: Line, first: u64, count: usize, now: u64) -> String {
        let mut writer = PacketWriter::new(self.session, first, 1_400);
        (0..count).for_each(|_| assert!(writer.push(b"message")));
        self.bytes(line, writer.packet(), now)
    }

    fn bytes(&mut self, line: Line, bytes: &[u8], now: u64) -> String {
        let out = &mut self.out;
        self.arbiter.on_packet(line, bytes, (Ts(now), Ts(now)), &mut |said| say(said, out));
        std::mem::take(&mut self.out).join(" ")
    }

    fn time(&mut self, now: u64) -> String {
        let out = &mut self.out;
        self.arbiter.on_time(Ts(now), &mut |said| say(said, out));
        std::mem::take(&mut self.out).join(" ")
    }

    fn request(&mut self) -> Option<(u64, u16)> {
        self.arbiter.next_request().map(|request| (request.first, request.count))
    }
}

fn say(said: Arbitrated<'_>, out: &mut Vec<String>) {
    out.push(match said {
        Arbitrated::Message(message) => {
            let last = if message.last_of_packet { "." } else { "" };
            format!("{}{:?}{last}", message.seq, message.line)
        }
        Arbitrated::Lost { first, count, .. } => format!("lost {first}+{count}"),
        Arbitrated::Session { first, .. } => format!("from {first}"),
        Arbitrated::Heartbeat { .. } => return,
        Arbitrated::Ended => "end".to_owned(),
    });
}

/// Goal: the first copy wins, whatever the two lines put into one packet. Method: equal packets, then
/// overlapping ones; the counters afterwards.
#[test]
fn first_copy_wins() {
    let mut bench = Bench::new(ArbiterOptions::default());
    assert_eq!(bench.packet(Line::A, 1, 2, 100), "from 1 1A 2A.");
    assert_eq!(bench.packet(Line::B, 1, 2, 170), "");
    assert_eq!(bench.packet(Line::B, 3, 2, 200), "3B 4B.");
    assert_eq!(bench.packet(Line::A, 3, 4, 230), "5A 6A.");
    assert_eq!(bench.packet(Line::B, 5, 2, 260), "");
    let a = bench.arbiter.line_counters(Line::A);
    let b = bench.arbiter.line_counters(Line::B);
    assert_eq!((a.packets, a.messages, a.wins, a.duplicates), (2, 6, 4, 2));
    assert_eq!((b.packets, b.messages, b.wins, b.duplicates), (3, 6, 2, 4));
    assert_eq!((b.skew_ns_last, b.skew_ns_max, a.skew_ns_max), (70, 70, 0));
    assert_eq!((a.losses, b.losses), (0, 0));
}

/// Goal: what comes early waits, and a line's loss is told apart from a late packet. Method: one line that
/// loses and one that swaps.
#[test]
fn reorder() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    assert_eq!(bench.packet(Line::A, 4, 2, 10), "");
    assert_eq!(bench.arbiter.gap(), GapState::Waiting);
    assert_eq!(bench.arbiter.wake_at(), Some(Ts(10 + 2 * MS)));
    assert_eq!(bench.packet(Line::B, 4, 2, 20), "");
    assert_eq!(bench.packet(Line::B, 2, 2, 30), "2B 3B. 4A 5A.");
    assert_eq!(bench.arbiter.gap(), GapState::None);
    let a = bench.arbiter.line_counters(Line::A);
    let b = bench.arbiter.line_counters(Line::B);
    assert_eq!((a.losses, a.late, a.wins), (2, 0, 3));
    assert_eq!((b.losses, b.late, b.wins, b.duplicates), (0, 1, 2, 2));
    assert_eq!(bench.packet(Line::A, 2, 1, 40), "");
    assert_eq!(bench.arbiter.line_counters(Line::A).losses, 1);
}

/// Goal: a gap is awaited, asked for in pieces, asked for again, and given up once. Method: the clock, with
/// short answers and none.
#[test]
fn requests() {
    let options = ArbiterOptions { request_messages_max: 6, ..ArbiterOptions::default() };
    let mut bench = Bench::new(options);
    bench.packet(Line::A, 1, 1, 0);
    bench.packet(Line::A, 12, 1, 0);
    assert_eq!(bench.time(2 * MS - 1), "");
    assert_eq!(bench.request(), None);
    bench.time(2 * MS);
    assert_eq!((bench.request(), bench.request()), (Some((2, 6)), None));
    assert_eq!(bench.arbiter.gap(), GapState::Asked);
    assert_eq!(bench.packet(Line::Answer, 2, 4, 3 * MS), "2Answer 3Answer 4Answer 5Answer.");
    assert_eq!(bench.request(), None, "the rest may be under way");
    assert_eq!(bench.packet(Line::Answer, 2, 4, 3 * MS), "");
    assert_eq!(bench.request(), None, "a repeated answer asks for nothing");
    bench.time(5 * MS);
    assert_eq!(bench.request(), Some((6, 6)), "the rest");
    for attempt in 1..4 {
        assert_eq!(bench.time((5 + 250 * attempt) * MS - 1), "");
        assert_eq!(bench.request(), None);
        assert_eq!(bench.time((5 + 250 * attempt) * MS), "");
        assert_eq!(bench.request(), Some((6, 6)), "attempt {attempt}");
    }
    assert_eq!(bench.time(1_005 * MS), "lost 6+6 12A.");
    assert_eq!((bench.arbiter.gap(), bench.request()), (GapState::None, None));
    assert_eq!(bench.packet(Line::B, 6, 6, 1_006 * MS), "", "told as lost, it stays lost");
    assert_eq!(bench.arbiter.counters().lost, 6);
}

/// Goal: what lies unread in a line's socket is not given up, nor asked for, because the other line was read first. Method: a
/// line that is read long after what is missing was due, by a reader that stood still; then one that has nothing either.
#[test]
fn read_in_turn() {
    for attempts_max in [0, 4] {
        let options = ArbiterOptions { attempts_max, ..ArbiterOptions::default() };
        let mut bench = Bench::new(options);
        bench.packet(Line::A, 1, 1, 0);
        assert_eq!(bench.packet(Line::A, 3, 1, 10), "");
        assert_eq!(bench.packet(Line::A, 4, 1, 10 * MS), "");
        assert_eq!(bench.packet(Line::A, 6, 1, 10 * MS), "");
        assert_eq!(bench.packet(Line::B, 2, 1, 10 * MS), "2B. 3A. 4A.");
        assert_eq!(bench.request(), None);
        assert_eq!(bench.packet(Line::B, 4, 1, 20 * MS), "");
        assert_eq!(bench.arbiter.wake_at(), Some(Ts(12 * MS)), "long due");
        let said = bench.time(20 * MS);
        assert_eq!(said, if attempts_max == 0 { "lost 5+1 6A." } else { "" });
        assert_eq!(bench.request().is_some(), attempts_max > 0);
    }
}

/// Goal: a heartbeat reveals what is missing, and the end of a session comes when nothing is. Method: both.
#[test]
fn heartbeat_and_end() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    bench.packet(Line::A, 2, 0, 1);
    assert_eq!(bench.arbiter.gap(), GapState::None);
    bench.packet(Line::A, 3, 0, 2);
    assert_eq!((bench.arbiter.gap(), bench.arbiter.head()), (GapState::Waiting, 3));
    let end = PacketWriter::new(SESSION, 4, 0).end_of_session();
    assert_eq!(bench.bytes(Line::A, &end, 3), "");
    bench.time(2 * MS + 2);
    assert_eq!(bench.request(), Some((2, 2)));
    assert_eq!(bench.packet(Line::Answer, 2, 2, 3 * MS), "2Answer 3Answer. end");
    assert_eq!(bench.bytes(Line::B, &end, 4 * MS), "");
}

/// Goal: more than the buffer holds is dropped from the far end, counted, and asked for; without a way to
/// catch up it is given up all at once. Method: two slots.
#[test]
fn overflow() {
    let options = ArbiterOptions { held_packets_max: 2, ..ArbiterOptions::default() };
    let mut bench = Bench::new(options);
    bench.packet(Line::A, 1, 1, 0);
    for first in [5, 7, 3] {
        bench.packet(Line::A, first, 1, 10);
    }
    let a = bench.arbiter.line_counters(Line::A);
    assert_eq!((bench.arbiter.held(), a.dropped, bench.arbiter.head()), (2, 1, 8));
    assert_eq!(bench.packet(Line::B, 2, 1, 20), "2B. 3A.");
    assert_eq!(bench.packet(Line::B, 4, 1, 30), "4B. 5A.");
    bench.time(3 * MS);
    assert_eq!(bench.request(), Some((6, 2)), "what was dropped is missing, too");
    let options = ArbiterOptions { attempts_max: 0, ..options };
    let mut bench = Bench::new(options);
    bench.packet(Line::A, 1, 1, 0);
    for first in [3, 5, 7] {
        bench.packet(Line::A, first, 1, 10);
    }
    assert_eq!(bench.time(3 * MS), "lost 2+1 3A. lost 4+1 5A. lost 6+2");
    assert_eq!(bench.packet(Line::B, 8, 1, 4 * MS), "8B.");
}

/// Goal: another session is a new sequence, after the rest of the old one; its late packets are ignored.
/// Method: a change with packets held.
#[test]
fn session_change() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    bench.packet(Line::A, 3, 1, 1);
    bench.session = OTHER;
    assert_eq!(bench.packet(Line::A, 2, 1, 2), "");
    assert_eq!(bench.packet(Line::A, 3, 1, 3), "");
    assert_eq!(bench.packet(Line::A, 4, 1, 2 + 1_500 * MS), "lost 2+1 3A. from 1");
    assert_eq!(bench.packet(Line::B, 1, 3, 3 + 1_500 * MS), "1B 2B 3B. 4A.");
    bench.session = SESSION;
    assert_eq!(bench.packet(Line::B, 2, 1, 4 + 1_500 * MS), "");
    assert_eq!(bench.arbiter.line_counters(Line::B).foreign, 1);
    assert_eq!(bench.arbiter.next(), 5);
    // Behind the end of a session the next follows at once.
    let end = PacketWriter::new(OTHER, 5, 0).end_of_session();
    assert_eq!(bench.bytes(Line::A, &end, 1_600 * MS), "end");
    bench.session = SessionId(*b"0000000003");
    assert_eq!(bench.packet(Line::A, 1, 1, 1_601 * MS), "from 1 1A.");
    // So it does after a silence.
    bench.session = SessionId(*b"0000000004");
    assert_eq!(bench.packet(Line::A, 1, 1, 4_601 * MS), "from 1 1A.");
}

/// Goal: a gap behind a snapshot has its own time, and what the snapshot passes over is counted. Method: a gap
/// that was asked for long ago, a snapshot that covers it, and the next gap.
#[test]
fn skipped() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    bench.packet(Line::A, 10, 1, 0);
    bench.packet(Line::A, 20, 1, 0);
    bench.time(2 * MS);
    for step in 1..49 {
        bench.time((2 + step * 100) * MS);
        let (first, _) = bench.request().unwrap_or((bench.arbiter.next(), 0));
        if step % 8 == 0 {
            bench.packet(Line::Answer, first, 1, (2 + step * 100) * MS);
        }
    }
    assert_eq!(bench.arbiter.counters().lost, 0);
    let Bench { arbiter, out, .. } = &mut bench;
    arbiter.skip_to(11, Ts(4_990 * MS), &mut |said| say(said, out));
    assert_eq!(std::mem::take(&mut bench.out).join(" "), "");
    assert_eq!(bench.arbiter.counters().passed_over, 3);
    bench.time(4_992 * MS);
    assert_eq!(bench.request(), Some((11, 9)));
    assert_eq!(bench.time(5_100 * MS), "", "five seconds after the first gap");
    assert_eq!(bench.packet(Line::Answer, 11, 9, 5_101 * MS).split(' ').count(), 10);
}

/// Goal: a large answer in many packets is asked for once. Method: as many packets as messages.
#[test]
fn answers_in_pieces() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    bench.packet(Line::A, 2_000, 1, 0);
    bench.time(2 * MS);
    assert_eq!(bench.request(), Some((2, 1_024)));
    for seq in 2..1_025 {
        bench.packet(Line::Answer, seq, 1, (3 + seq) * MS);
        assert_eq!(bench.request(), None, "{seq}");
    }
    bench.packet(Line::Answer, 1_025, 1, 1_028 * MS);
    assert_eq!(bench.request(), Some((1_026, 974)), "all came: at once");
}

/// Goal: waiting and silence are judged by the clock of the caller, whatever the packets are stamped with.
/// Method: two lines, one behind the other, with stamps three seconds old.
#[test]
fn stamps_do_not_matter() {
    let mut arbiter = Arbiter::new(ArbiterOptions::default());
    let base = 100_000 * MS;
    for step in 2..4_000 {
        // Line B is one packet and a half behind, and line A loses every tenth.
        let now = base + step * MS / 2;
        let (line, seq) = if step % 2 == 0 { (Line::A, step / 2) } else { (Line::B, step / 2 - 1) };
        if seq > 0 && (line == Line::B || seq % 10 != 0) {
            let mut writer = PacketWriter::new(SESSION, seq, 100);
            writer.push(b"m");
            let stamp = Ts(now - 3_000 * MS);
            arbiter.on_packet(line, writer.packet(), (stamp, Ts(now)), &mut |said| match said {
                Arbitrated::Message(message) => assert!(message.ts_recv <= stamp),
                said => assert!(matches!(said, Arbitrated::Session { .. }), "{said:?}"),
            });
        }
        arbiter.on_time(Ts(now), &mut |said| panic!("{said:?}"));
        assert_eq!(arbiter.next_request(), None);
    }
    let deaths = [Line::A, Line::B].map(|line| arbiter.line_counters(line).deaths);
    assert_eq!((arbiter.next(), deaths), (2_000, [0, 0]));
    assert!(arbiter.counters().held > 100);
}

/// Goal: a session is joined where it stands, unless its start may still be had. Method: both sides of the
/// bound; an answer joins nothing.
#[test]
fn late_join() {
    let mut bench = Bench::new(ArbiterOptions::default());
    assert_eq!(bench.packet(Line::Answer, 9, 1, 0), "");
    assert_eq!(bench.packet(Line::A, 1_026, 1, 0), "from 1026 1026A.");
    let mut bench = Bench::new(ArbiterOptions::default());
    assert_eq!(bench.packet(Line::A, 1_025, 1, 0), "from 1");
    bench.time(2 * MS);
    assert_eq!(bench.request(), Some((1, 1_024)));
}

/// Goal: a line that says nothing is dead, counts what it misses, and comes back. Method: the clock.
#[test]
fn line_death() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    bench.packet(Line::B, 1, 1, 0);
    bench.packet(Line::A, 2, 5, 2_000 * MS);
    assert_eq!(bench.arbiter.wake_at(), Some(Ts(3_000 * MS)));
    bench.time(3_000 * MS);
    let b = bench.arbiter.line_counters(Line::B);
    assert_eq!((bench.arbiter.is_alive(Line::B), b.deaths, b.losses), (false, 1, 5));
    assert!(!bench.arbiter.is_silent());
    bench.time(5_000 * MS);
    assert!(bench.arbiter.is_silent());
    assert_eq!(bench.arbiter.wake_at(), None);
    bench.packet(Line::B, 7, 0, 6_000 * MS);
    assert!(bench.arbiter.is_alive(Line::B) && !bench.arbiter.is_silent());
    assert_eq!(bench.arbiter.line_counters(Line::B).losses, 5);
}

/// Goal: a packet with any fault is refused whole. Method: a message cut off, sequences that wrap, zero.
#[test]
fn malformed() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    let mut writer = PacketWriter::new(SESSION, 2, 100);
    writer.push(b"a");
    writer.push(b"b");
    let bytes = writer.packet().to_vec();
    assert_eq!(bench.bytes(Line::A, &bytes[..bytes.len() - 1], 1), "");
    let error = bench.arbiter.counters().malformed_last;
    assert_eq!(error, Some(MoldError::Truncated { block: 1, offset: 23 }));
    bench.packet(Line::A, 0, 1, 2);
    bench.packet(Line::A, u64::MAX, 1, 2);
    let a = bench.arbiter.line_counters(Line::A);
    assert_eq!((a.malformed, a.packets, bench.arbiter.next()), (3, 1, 2));
}
