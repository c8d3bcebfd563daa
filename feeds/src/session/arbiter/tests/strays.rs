//! What a packet or two must not do: of other sessions, of sequences that are none, of ends that are none.

use super::*;

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

/// Goal: names that come and end at once are not entered one after the other. Method: a name and its end every
/// 10 ms, behind the end of the real session.
#[test]
fn a_chain_of_ends() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    let end = PacketWriter::new(SESSION, 2, 0).end_of_session();
    assert_eq!(bench.bytes(Line::A, &end, 1), "end");
    for step in 0..1_000_u64 {
        let stray = SessionId([b'x', step as u8, (step >> 8) as u8, 0, 0, 0, 0, 0, 0, 0]);
        let now = (1 + step * 10) * MS;
        bench.bytes(Line::B, PacketWriter::new(stray, 1, 0).packet(), now);
        bench.bytes(Line::B, &PacketWriter::new(stray, 1, 0).end_of_session(), now);
        bench.time(now);
    }
    let sessions = bench.arbiter.counters().sessions;
    assert!((2..=9).contains(&sessions), "{sessions} in ten seconds");
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
    assert_eq!(bench.packet(Line::B, u64::MAX, 0, from - 10 * MS), "");
    assert_eq!(bench.time(from - 8 * MS), "", "nothing else is heard, and it is not believed");
    assert_eq!((bench.arbiter.next(), bench.request()), (next, None));
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

/// Goal: behind its end and a silence a session of the same name begins at its first packet, and by nothing else. Method: a
/// copy of an old packet and a heartbeat, then the first message.
#[test]
fn the_same_name_again() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 9, 0);
    let end = PacketWriter::new(SESSION, 10, 0).end_of_session();
    assert_eq!(bench.bytes(Line::A, &end, 1), "end");
    assert_eq!(bench.packet(Line::A, 1, 1, 2), "", "a late copy");
    bench.time(3_001 * MS);
    assert_eq!(bench.packet(Line::A, 5, 1, 3_002 * MS), "", "an old one");
    assert_eq!(bench.packet(Line::A, 1, 2, 3_003 * MS), "from 1 1A 2A.");
    assert_eq!(bench.packet(Line::A, 3, 1, 3_004 * MS), "3A.");
    bench.time(6_004 * MS);
    assert_eq!(bench.packet(Line::A, 1, 1, 6_005 * MS), "", "it has not ended");
}

/// Goal: a packet that is no sound one is no sign of life, nor does it keep a rival out. Method: packets cut off, in their
/// turn, among those of another session.
#[test]
fn malformed_is_not_alive() {
    let mut bench = Bench::new(ArbiterOptions::default());
    bench.packet(Line::A, 1, 1, 0);
    let cut = |first| {
        let mut writer = PacketWriter::new(SESSION, first, 100);
        writer.push(b"message");
        writer.packet().split_last().unwrap().1.to_vec()
    };
    for step in 1..=30 {
        assert_eq!(bench.bytes(Line::A, &cut(2), step * 100 * MS), "");
        assert_eq!(bench.time(step * 100 * MS), "");
    }
    assert!(bench.arbiter.is_silent());
    assert_eq!(bench.packet(Line::A, 2, 1, 3_100 * MS), "2A.");
    bench.session = OTHER;
    let mut said = Vec::new();
    for packet in 0..4 {
        said.push(bench.packet(Line::B, 1 + packet, 1, (3_200 + packet * 600) * MS));
        bench.bytes(Line::A, &cut(3), (3_300 + packet * 600) * MS);
    }
    assert!(said.concat().starts_with("from 1"), "{said:?}");
    assert_eq!(bench.arbiter.line_counters(Line::A).malformed, 34);
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
    assert_eq!(bench.bytes(Line::B, &end(3), 8), "");
    assert!(bench.arbiter.is_ended(), "an earlier end is not believed, and takes nothing back");
}
