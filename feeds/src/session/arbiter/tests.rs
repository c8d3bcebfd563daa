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

/// Goal: a stray packet of another session changes nothing, however often its name changes; nor does one that
/// is repeated while the session is alive. Method: both, between messages, heartbeats, and the ends of an older
/// session.
#[test]
fn stray_sessions() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    for second in 0..60 {
        for name in [second as u8, 255] {
            bench.session = SessionId([name; 10]);
            assert_eq!(bench.packet(Line::B, 1, 0, second * 1_000 * MS), "");
            assert_eq!(bench.packet(Line::B, 900, 2, second * 1_000 * MS), "");
        }
        let end = PacketWriter::new(OTHER, 7, 0).end_of_session();
        assert_eq!(bench.bytes(Line::B, &end, second * 1_000 * MS), "");
        bench.time(second * 1_000 * MS);
        bench.session = SESSION;
        assert_eq!(bench.packet(Line::A, 2, 0, second * 1_000 * MS + 1), "");
    }
    let counters = bench.arbiter.counters();
    assert_eq!((counters.sessions, bench.arbiter.line_counters(Line::B).foreign), (1, 300));
    assert_eq!(bench.packet(Line::A, 2, 1, 60_000 * MS), "2A.");
}

/// Goal: an engine that hears yesterday's end first goes on to today's session at once, and stays there.
/// Method: both, in turn.
#[test]
fn ends_of_yesterday() {
    let mut bench = Bench::new(ArbiterOptions::default());
    let end = PacketWriter::new(OTHER, 5_000, 0).end_of_session();
    assert_eq!(bench.bytes(Line::B, &end, 0), "from 5000 end");
    assert!(!bench.arbiter.is_confirmed());
    assert_eq!(bench.packet(Line::A, 1, 1, 1), "from 1 1A.");
    for second in 1..20 {
        assert_eq!(bench.bytes(Line::B, &end, second * 1_000 * MS), "");
        bench.time(second * 1_000 * MS);
    }
    assert_eq!(bench.arbiter.session(), SESSION);
    assert!(bench.arbiter.is_silent(), "an older session is no sign of life");
    assert_eq!(bench.packet(Line::A, 2, 1, 20_000 * MS), "2A.");
}

/// Goal: where a stray session did take over, the real one comes back: by its messages, or when the other falls
/// silent; and a chain of names enters but one in a while. Method: a silence, then each way.
#[test]
fn the_real_session_returns() {
    let stray = |bench: &mut Bench, name: u8, now: u64| {
        let stray = SessionId([name; 10]);
        bench.bytes(Line::B, PacketWriter::new(stray, 1, 0).packet(), now)
    };
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    bench.time(3_000 * MS);
    assert_eq!(stray(&mut bench, b'x', 3_001 * MS), "from 1");
    assert!(!bench.arbiter.is_confirmed(), "a name alone");
    for name in b'a'..=b'w' {
        assert_eq!(stray(&mut bench, name, 3_002 * MS), "");
    }
    let mut said = Vec::new();
    for packet in 0..4 {
        let now = (3_003 + 500 * packet) * MS;
        said.push(bench.packet(Line::A, 2 + packet, 1, now));
        said.push(stray(&mut bench, b'x', now));
    }
    assert_eq!(said.concat(), "from 5 5A.", "joined where it stands");
    assert!(bench.arbiter.is_confirmed());

    bench.time(7_600 * MS);
    assert_eq!(stray(&mut bench, b'y', 7_601 * MS), "from 1");
    assert_eq!(bench.packet(Line::A, 6, 0, 7_602 * MS), "", "a heartbeat is not enough");
    bench.time(10_601 * MS);
    assert_eq!(bench.packet(Line::A, 6, 0, 10_602 * MS), "from 6");
    assert_eq!(bench.packet(Line::A, 6, 1, 10_603 * MS), "6A.");
}

/// Goal: answers are taken for what was asked, and for nothing else. Method: messages, a heartbeat and an end
/// that nobody asked for; an answer that brings more than was asked.
#[test]
fn answers_in_their_place() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    let end = PacketWriter::new(SESSION, 2, 0).end_of_session();
    assert_eq!(bench.packet(Line::Answer, 2, 1, 1), "");
    assert_eq!(bench.packet(Line::Answer, 9_000, 0, 1), "");
    assert_eq!(bench.bytes(Line::Answer, &end, 1), "");
    assert_eq!((bench.arbiter.gap(), bench.arbiter.is_ended()), (GapState::None, false));
    bench.packet(Line::A, 4, 1, 2);
    assert_eq!(bench.packet(Line::Answer, 2, 2, 3), "", "nothing was asked for yet");
    bench.time(2 * MS + 2);
    assert_eq!(bench.request(), Some((2, 2)));
    assert_eq!(bench.packet(Line::Answer, 4, 2, 3 * MS), "");
    assert_eq!(bench.packet(Line::Answer, 9_000, 0, 3 * MS), "");
    assert_eq!(bench.packet(Line::Answer, 2, 6, 3 * MS), "2Answer 3Answer. 4A.");
    let answers = bench.arbiter.line_counters(Line::Answer);
    assert_eq!((answers.foreign, answers.wins, bench.arbiter.head()), (6, 2, 5));
}

/// Goal: a sequence far ahead that one packet alone tells of is forgotten, and costs nothing. Method: a heartbeat
/// and a message out of all reach, and one within it, while messages go on; then the same from two packets.
#[test]
fn far_ahead() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    for (first, count) in [(u64::MAX, 0), (1 << 40, 1), (1_000, 0), (1_000, 1)] {
        let before = bench.arbiter.counters();
        let (start, from) = (bench.arbiter.next(), before.gaps * 10_000 * MS);
        assert_eq!(bench.packet(Line::B, first, count, from + 1), "");
        for step in 0..900 {
            let now = from + (1 + step * 10) * MS;
            let said =
                bench.packet(Line::A, start + step / 10, 1 - (step % 10).min(1) as usize, now);
            assert!(!said.contains("lost"), "{said}");
            let said = bench.time(now);
            assert_eq!(said, "");
            let asked = bench.request().is_some();
            assert!(!asked || first == 1_000, "out of all reach");
        }
        assert_eq!(bench.arbiter.gap(), GapState::None, "{first}");
        assert_eq!(bench.arbiter.counters().disbelieved - before.disbelieved, 1);
    }
    let (next, far) = (bench.arbiter.next(), 1 << 40);
    let from = 100_000 * MS;
    assert_eq!(bench.packet(Line::A, far, 1, from), "");
    assert_eq!(bench.packet(Line::A, far + 1, 1, from + 1), "");
    assert_eq!(bench.packet(Line::A, far + 2, 1, from + 2), "");
    assert_eq!(bench.arbiter.head(), far + 3);
    bench.time(from + 2 * MS + 2);
    assert_eq!(bench.request(), Some((next, 1_024)), "two packets tell it: it is true");
}

/// Goal: a venue that begins the session again from 1 is followed, and so is one that was never where a lost
/// packet said; old packets alone are not. Method: the clock.
#[test]
fn begun_again() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 100, 0);
    bench.time(3_000 * MS);
    assert!(bench.arbiter.is_silent());
    for repeat in 0..10 {
        assert_eq!(bench.packet(Line::B, 40, 2, (3_001 + repeat * 300) * MS), "");
    }
    assert!(bench.arbiter.is_silent(), "old packets are no sign of life");
    let mut said = Vec::new();
    for packet in 0..6 {
        let now = (10_000 + packet * 500) * MS;
        said.push(bench.packet(Line::A, 1 + packet, 1, now));
        assert_eq!(bench.packet(Line::B, 1 + packet, 1, now), "");
    }
    assert_eq!(said[..3].concat(), "");
    assert!(said[3].starts_with("from 1"), "{said:?}");
    assert!(!bench.arbiter.is_silent());
    assert_eq!(bench.arbiter.counters().sessions, 2);
}

/// Goal: an end of session that comes too early is not the end. Method: one behind which messages are known, one
/// behind which they come, and the real one.
#[test]
fn premature_end() {
    let end = |at| PacketWriter::new(SESSION, at, 0).end_of_session();
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 2, 0);
    assert_eq!(bench.bytes(Line::B, &end(2), 1), "");
    assert!(!bench.arbiter.is_ended());
    assert_eq!(bench.bytes(Line::B, &end(3), 2), "end");
    assert!(bench.arbiter.is_ended());
    assert_eq!(bench.packet(Line::A, 3, 1, 3), "3A.");
    assert!(!bench.arbiter.is_ended());
    assert_eq!(bench.bytes(Line::B, &end(4), 4), "end");
    assert_eq!(bench.packet(Line::A, 5, 0, 5), "");
    assert!(!bench.arbiter.is_ended(), "a heartbeat tells of a message behind it");
    bench.packet(Line::A, 4, 1, 6);
    assert_eq!(bench.bytes(Line::A, &end(5), 7), "end");
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
    for step in 0..2_000 {
        let (now, seq) = (base + step * MS, 1 + step / 2);
        let (line, skip) = if step % 2 == 0 { (Line::A, seq % 10 == 0) } else { (Line::B, false) };
        let mut writer = PacketWriter::new(SESSION, seq, 100);
        writer.push(b"m");
        if !skip {
            let stamp = Ts(now - 3_000 * MS);
            arbiter.on_packet(line, writer.packet(), (stamp, Ts(now)), &mut |said| match said {
                Arbitrated::Message(message) => assert_eq!(message.ts_recv, stamp),
                said => assert!(matches!(said, Arbitrated::Session { .. }), "{said:?}"),
            });
        }
        arbiter.on_time(Ts(now), &mut |said| panic!("{said:?}"));
        assert_eq!(arbiter.next_request(), None);
    }
    let deaths = [Line::A, Line::B].map(|line| arbiter.line_counters(line).deaths);
    assert_eq!((arbiter.next(), deaths), (1_001, [0, 0]));
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
