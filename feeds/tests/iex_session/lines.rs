//! What two lines of one feed make of each other's losses.

use super::*;

/// Goal: a sequence out of all reach that one segment alone tells of changes nothing; a second one that bears it out makes it
/// true. Method: a heartbeat and a message far ahead, between messages; then a jump that goes on, over one line and two.
#[test]
fn far_ahead() {
    let (mut one, mut two) = (IexFeed::new(FeedId(2)), IexFeed::of_two_lines(FeedId(2)));
    for feed in [&mut one, &mut two] {
        play(feed, &segment(1, 2, 10).bytes());
        for (far, count) in [(1 << 40, 0), (1 << 50, 1), (u64::MAX - 1, 0), (7 + (1 << 16), 1)] {
            let next = feed.counters().messages + 1;
            assert_eq!(play(feed, &segment(far, count, 12).bytes()), [""; 0]);
            assert_eq!(feed.wake_at(), None);
            assert_eq!(play(feed, &segment(next, 1, 11).bytes()), [format!("{next} {next}")]);
        }
        assert_eq!((feed.counters().disbelieved, feed.counters().gaps), (4, 0));
        assert_eq!(play(feed, &segment(1 << 30, 1, 13).bytes()), [""; 0]);
        let mut told = play(feed, &segment((1 << 30) + 1, 1, 14).bytes());
        feed.on_time(Ts(NOW.0 + 2_000_000), &mut |event| told.push(word(&event)));
        assert_eq!(told, ["incomplete/gap 1073741824", "1073741825 1073741825"]);
        let next = segment((1 << 30) + 2, 1, 15).bytes();
        assert_eq!(play(feed, &next), ["1073741826 1073741826"]);
        assert_eq!((feed.counters().disbelieved, feed.counters().sessions), (5, 1));
    }
}

/// Goal: what one line loses may come by the other, for a moment and within bounds; what does not is lost. Method: each in turn.
#[test]
fn the_other_line() {
    let mut feed = IexFeed::of_two_lines(FeedId(2));
    play(&mut feed, &segment(1, 2, 10).bytes());
    assert_eq!(play(&mut feed, &segment(5, 1, 12).bytes()), [""; 0], "3 and 4 may come");
    assert_eq!(play(&mut feed, &segment(5, 1, 12).bytes()), [""; 0], "so they may");
    assert_eq!(play(&mut feed, &segment(3, 2, 11).bytes()), ["3 3", "4 4", "5 5"]);
    assert_eq!(feed.wake_at(), None);
    assert_eq!(play(&mut feed, &segment(7, 0, 13).bytes()), [""; 0], "a heartbeat tells of 6");
    let due = Ts(NOW.0 + 2_000_000);
    assert_eq!(feed.wake_at(), Some(due));
    assert_eq!(play(&mut feed, &segment(9, 1, 15).bytes()), [""; 0]);
    let mut told = Vec::new();
    feed.on_time(Ts(due.0 - 1), &mut |event| told.push(word(&event)));
    assert_eq!(told, [""; 0]);
    feed.on_time(due, &mut |event| told.push(word(&event)));
    assert_eq!(told, ["incomplete/gap 6", "incomplete/gap 8", "9 9"]);
    assert_eq!((feed.counters().gaps, feed.counters().lost, feed.counters().held), (2, 3, 2));
    let full: usize =
        (0..257).map(|at| play(&mut feed, &segment(11 + 2 * at, 1, 16 + at).bytes()).len()).sum();
    assert_eq!(full, 2 * 257, "no more than there is room for");
    let told = play(&mut feed, &Build { session: 8, ..segment(1, 1, 1_000) }.bytes());
    assert_eq!(told, ["clear 0", "live/none 0", "directory 1", "1 1"]);
}

/// Goal: what lies unread in a line's socket is not lost because the other line was read first, whatever the kernel stamped;
/// messages bear its stamps. Method: stamps far apart in one batch of a line, then a reader that stood still.
#[test]
fn read_in_turn() {
    let mut feed = IexFeed::of_two_lines(FeedId(2));
    let mut told = Vec::new();
    let mut take = |build: Build, received, now| {
        feed.on_received(&build.bytes(), (Ts(received), Ts(now)), |event| {
            told.push(format!("{} {}", word(&event), event.ts_recv.0));
        });
        std::mem::take(&mut told).join(", ")
    };
    let now = 50_000_000;
    take(segment(1, 1, 10), 5_000, 6_000);
    assert_eq!(take(segment(3, 1, 12), 10_000, now), "");
    assert_eq!(take(segment(4, 1, 13), 9_000_000, now), "");
    let all = take(segment(2, 1, 11), 9_000_001, now);
    assert_eq!(all, "2 2 9000001, 3 3 10000, 4 4 9000000");
    assert_eq!(take(segment(6, 1, 15), 50_000_001, now), "");
    assert_eq!(take(segment(7, 1, 16), 90_000_000, 2 * now), "");
    assert!(take(segment(5, 1, 14), 90_000_001, 2 * now).starts_with("5 5"));
    assert_eq!(take(segment(9, 1, 18), 2 * now, 2 * now), "");
    feed.on_time(Ts(2 * now + 2_000_000), &mut |_| ());
    assert_eq!((feed.counters().lost, feed.counters().messages), (1, 8));
}
