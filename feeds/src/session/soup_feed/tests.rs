use model::{FeedId, Flags, Kind};

use super::*;
use crate::session::soup::{Login, SoupError, server};

const S1: SessionId = SessionId(*b"       DAY");
const S2: SessionId = SessionId(*b"       TWO");
const SECOND: u64 = 1_000_000_000;
const LIVE: (Integrity, Cause) = (Integrity::Live, Cause::None);
const DOWN: (Integrity, Cause) = (Integrity::Stale, Cause::Disconnected);
const BEHIND: (Integrity, Cause) = (Integrity::Recovering, Cause::Gap);
const GAP: (Integrity, Cause) = (Integrity::Incomplete, Cause::Gap);
const BAD: (Integrity, Cause) = (Integrity::Incomplete, Cause::BadEvent);

/// A system event at `time`.
fn system(time: u64) -> Vec<u8> {
    let mut message = vec![b'S', 0, 0, 0, 0];
    message.extend_from_slice(&time.to_be_bytes()[2..]);
    message.push(b'Q');
    message
}

struct Rig {
    feed: SoupFeed,
    now: u64,
    said: Vec<Event>,
}

impl Rig {
    fn new(session: SessionId) -> Rig {
        let login = Login { session, ..Login::new("u", "hidden").unwrap() };
        let options = SoupFeedOptions::new(FeedId(3), Ts(0), login);
        Rig { feed: SoupFeed::new(options), now: 10 * SECOND, said: Vec::new() }
    }

    /// Waits for the next connection; what its login asks for.
    fn opened(&mut self) -> (SessionId, u64) {
        loop {
            self.feed.on_time(Ts(self.now), &mut |event| self.said.push(event));
            match self.feed.next_action() {
                Some(Action::Open) => break,
                Some(Action::Close) => {}
                Some(Action::Send(sent)) => panic!("{sent:?}"),
                None => self.now = self.feed.wake_at().unwrap().0.max(self.now),
            }
        }
        self.feed.on_opened(Ts(self.now));
        let Some(Action::Send(login)) = self.feed.next_action() else { panic!("no login") };
        let login = Login::decode(&login.bytes()[3..]).unwrap();
        (login.session, login.next)
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.feed.on_bytes(bytes, Ts(self.now), &mut |event| self.said.push(event));
    }

    fn accepted(&mut self, session: SessionId, next: u64) {
        let mut bytes = Vec::new();
        server::accepted(session, next, &mut bytes);
        self.hear(&bytes);
    }

    /// Messages stamped with the present time.
    fn messages(&mut self, count: u64) {
        let mut bytes = Vec::new();
        (0..count).for_each(|_| server::sequenced(&system(self.now), &mut bytes));
        self.hear(&bytes);
    }

    fn closed(&mut self) {
        self.feed.on_closed(Ts(self.now), &mut |event| self.said.push(event));
    }

    fn wait(&mut self, ns: u64) {
        self.now += ns;
        self.feed.on_time(Ts(self.now), &mut |event| self.said.push(event));
        while self.feed.next_action().is_some() {}
    }

    /// Kinds, sequences and beliefs since the last look.
    fn told(&mut self) -> Vec<String> {
        let word = |event: Event| match event.believed().filter(|_| event.kind == Kind::Integrity) {
            Some((integrity, cause)) => format!("{integrity} {cause} {}", event.seq),
            None if event.flags.has(Flags::SNAPSHOT) => {
                format!("again {} {}", event.kind, event.seq)
            }
            None => format!("{} {}", event.kind, event.seq),
        };
        std::mem::take(&mut self.said).into_iter().map(word).collect()
    }

    fn believed(&self) -> (Integrity, Cause) {
        self.feed.believed().unwrap()
    }
}

/// Goal: a server counts as heard from its acceptance on, as long as it says something. Method: each step of a connection, a
/// silence and its end.
#[test]
fn is_heard() {
    let mut rig = Rig::new(BLANK);
    assert!(!rig.feed.is_heard());
    rig.opened();
    assert!(!rig.feed.is_heard(), "not accepted");
    rig.accepted(S1, 1);
    assert!(rig.feed.is_heard());
    rig.wait(3 * SECOND - 1);
    assert!(rig.feed.is_heard());
    rig.wait(1);
    assert!(!rig.feed.is_heard(), "it hangs");
    rig.hear(&server::HEARTBEAT);
    assert!(rig.feed.is_heard());
    rig.closed();
    assert!(!rig.feed.is_heard());
}

/// Goal: who hears a feed hears its heartbeats, at the place where the books stand and not too often; not while the session is
/// told again. Method: a server that only beats, then a day that comes again.
#[test]
fn heartbeats() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.told(), [""; 0], "of no session");
    rig.accepted(S1, 1);
    rig.messages(3);
    rig.told();
    for _ in 0..10 {
        rig.wait(SECOND);
        rig.hear(&server::HEARTBEAT);
        rig.hear(&server::HEARTBEAT);
        assert_eq!(rig.told(), ["notice 3"]);
    }
    rig.hear(b"\0\x01x");
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(2);
    rig.told();
    rig.wait(SECOND);
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.told(), [""; 0]);
}

/// Goal: a day is asked for from its start, resumed where a connection was lost, and live only when the
/// stream is current. Method: a server's words; what is told is compared whole.
#[test]
fn resumes() {
    let mut rig = Rig::new(BLANK);
    assert_eq!(rig.opened(), (BLANK, 1));
    rig.accepted(S1, 1);
    rig.hear(&{
        let mut old = Vec::new();
        server::sequenced(&system(1), &mut old);
        old
    });
    rig.now += 2 * SECOND;
    rig.hear(&{
        let mut old = Vec::new();
        server::sequenced(&system(2), &mut old);
        old
    });
    assert_eq!(rig.believed(), BEHIND);
    rig.messages(2);
    let told = rig.told();
    assert_eq!(told[..3], ["incomplete not_started 0", "again clear 0", "recovering gap 0"]);
    assert_eq!(told[3..], ["session 1", "session 2", "session 3", "session 4", "live none 4"]);
    assert_eq!(rig.believed(), LIVE);
    rig.closed();
    assert_eq!(rig.told(), ["stale disconnected 4"]);
    assert_eq!(rig.opened(), (S1, 5));
    rig.accepted(S1, 5);
    assert_eq!(rig.believed(), BEHIND);
    // A heartbeat right after the login proves nothing; one after a second of silence does.
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.believed(), BEHIND);
    rig.wait(SECOND);
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.believed(), LIVE);
    rig.wait(3 * SECOND);
    assert_eq!(rig.believed(), (Integrity::Stale, Cause::Silent));
    rig.messages(1);
    assert_eq!(rig.believed(), LIVE);
    rig.wait(15 * SECOND);
    assert_eq!(rig.believed(), DOWN);
    assert_eq!(rig.feed.next_error(), Some(SoupFeedError::Soup(SoupError::Silent)));
    assert_eq!(rig.opened(), (S1, 6));
    assert_eq!(rig.feed.counters().lost, 0);
}

/// Goal: a login that is rejected is told once and tried again ever more seldom; a password shows nowhere.
/// Method: 20 rejections; the pauses between them.
#[test]
fn rejected() {
    let mut rig = Rig::new(BLANK);
    let (mut pauses, mut told) = (Vec::new(), 0);
    for _ in 0..20 {
        let before = rig.now;
        rig.opened();
        pauses.push(rig.now - before);
        let mut bytes = Vec::new();
        server::rejected(b'A', &mut bytes);
        rig.hear(&bytes);
        told += u32::from(rig.feed.next_error() == Some(SoupFeedError::Rejected(b'A')));
    }
    assert_eq!(told, 1);
    assert!(pauses[1] <= SECOND / 2 && pauses[19] >= 15 * SECOND && pauses[19] <= 30 * SECOND);
    assert!(rig.said.is_empty() && !format!("{:?}", rig.feed).contains("hidden"));
}

/// Goal: another session empties all books and starts at 1; the end of one is told. Method: the end, a
/// rejection of what is gone, the next session; then a change without a word.
#[test]
fn sessions() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(2);
    rig.hear(&server::END);
    assert_eq!(rig.believed(), (Integrity::Stale, Cause::SessionEnd));
    for _ in 0..2 {
        assert_eq!(rig.opened(), (S1, 3));
        let mut bytes = Vec::new();
        server::rejected(b'S', &mut bytes);
        rig.hear(&bytes);
    }
    assert_eq!(rig.opened(), (BLANK, 1));
    rig.told();
    rig.accepted(S2, 1);
    rig.messages(1);
    let told = ["incomplete session_end 0", "again clear 0", "recovering gap 0", "session 1"];
    assert_eq!(rig.told()[..4], told);
    assert_eq!(rig.believed(), LIVE);
    rig.closed();
    assert_eq!(rig.opened(), (S2, 2));
    rig.accepted(S1, 2);
    assert_eq!(rig.believed(), GAP);
    assert_eq!(rig.opened(), (BLANK, 1));
    rig.accepted(S1, 1);
    rig.messages(1);
    assert_eq!((rig.believed(), rig.feed.position()), (LIVE, Some((S1, 1))));
    assert_eq!(rig.feed.counters().sessions, 3);
}

/// Goal: a sequence that the server does not go on with is said to be missing before anything else, asked
/// for again, and given up at last. Method: thrice the wrong one; then one that goes back.
#[test]
fn gaps() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(2);
    rig.closed();
    for attempt in 1..=3 {
        assert_eq!(rig.opened(), (S1, 3), "{attempt}");
        rig.told();
        rig.accepted(S1, 7);
        rig.messages(1);
        if attempt < 3 {
            assert_eq!(rig.told(), ["incomplete gap 2"], "{attempt}");
        }
    }
    assert_eq!(rig.told(), ["incomplete gap 6", "session 7"]);
    assert_eq!((rig.believed(), rig.feed.counters().lost), (GAP, 4));
    rig.closed();
    assert_eq!(rig.opened(), (S1, 8));
    rig.accepted(S1, 5);
    assert_eq!(rig.opened(), (S1, 1), "what goes back is not believed");
    rig.told();
    rig.accepted(S1, 1);
    rig.messages(7);
    rig.messages(1);
    let told = rig.told();
    assert_eq!(told[..3], ["incomplete bad_event 0", "again clear 0", "recovering gap 0"]);
    assert_eq!(told[3..].first().unwrap(), "again session 1");
    let rest = ["again session 7", "recovering gap 7", "live none 7", "session 8"];
    assert_eq!(told[9..], rest);
    assert_eq!(rig.believed(), LIVE);
}

/// Goal: bytes that cannot be break the connection and what came by it, with their place; the session is
/// asked for again from its start. Method: a lost frame; a message that is bad once, and one that stays so.
#[test]
fn hostile() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.hear(&[0, 0]);
    assert_eq!(rig.feed.next_error(), Some(SoupFeedError::Soup(SoupError::Empty { offset: 0 })));
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(2);
    rig.told();
    rig.hear(&[0, 1, b'?']);
    assert_eq!(rig.told(), ["incomplete bad_event 2"]);
    let error = SoupError::UnknownType { offset: 33 + 2 * 15, kind: b'?' };
    assert_eq!(rig.feed.next_error(), Some(SoupFeedError::Soup(error)));
    for attempt in 1..=3 {
        assert_eq!(rig.opened(), (S1, 1), "{attempt}");
        rig.accepted(S1, 1);
        rig.messages(1);
        let mut bytes = Vec::new();
        server::sequenced(b"Sbad", &mut bytes);
        rig.hear(&bytes);
        assert_eq!(rig.believed(), BAD);
        if attempt == 1 {
            let error = rig.feed.next_error();
            let at = |error| matches!(error, SoupFeedError::Message { offset: 48, seq: 2, .. });
            assert!(error.is_some_and(at), "{error:?}");
        }
    }
    rig.messages(2);
    assert_eq!((rig.believed(), rig.feed.position()), (BAD, Some((S1, 4))));
    let counters = rig.feed.counters();
    assert_eq!((counters.bad, counters.lost, counters.faults), (3, 1, 4));
}

/// Goal: a session that is named is the only one. Method: it is rejected, and asked for again; another one is not
/// taken for it.
#[test]
fn named_session() {
    let mut rig = Rig::new(SessionId::named("TWO"));
    for _ in 0..4 {
        assert_eq!(rig.opened(), (S2, 1));
        let mut bytes = Vec::new();
        server::rejected(b'S', &mut bytes);
        rig.hear(&bytes);
    }
    for _ in 0..4 {
        assert_eq!(rig.opened(), (S2, 1));
        rig.accepted(S1, 1);
        assert_eq!(rig.feed.position(), None);
    }
    assert_eq!(rig.opened(), (S2, 1));
    rig.accepted(S2, 1);
    assert_eq!(rig.feed.position(), Some((S2, 0)));
    assert_eq!(SessionId::named("01234567890"), SessionId(*b"0123456789"));
}

/// Goal: nothing is live before all that was told has come again, nor by a heartbeat in between. Method: a session that is
/// told again in two reads, with a pause.
#[test]
fn half_told_again() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(10);
    rig.hear(&[0, 1, b'?']);
    assert_eq!(rig.opened(), (S1, 1));
    rig.accepted(S1, 1);
    rig.messages(5);
    assert_eq!(rig.believed(), BEHIND);
    rig.wait(SECOND);
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.believed(), BEHIND);
    rig.messages(5);
    assert_eq!(rig.believed(), LIVE);
}

/// Goal: what is old is not heard as live, whatever was said before. Method: a heartbeat ahead of a backlog; a read
/// after a stall of ours; a server that trickles bytes.
#[test]
fn backlog() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.accepted(S1, 1);
    rig.wait(SECOND);
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.believed(), BEHIND, "before its first message a session is nothing");
    rig.messages(1);
    rig.closed();
    rig.opened();
    rig.accepted(S1, 2);
    rig.wait(SECOND);
    rig.hear(&server::HEARTBEAT);
    assert_eq!(rig.believed(), LIVE);
    rig.told();
    let old = |rig: &mut Rig| {
        let mut bytes = Vec::new();
        server::sequenced(&system(rig.now - 2 * SECOND), &mut bytes);
        rig.hear(&bytes);
    };
    old(&mut rig);
    assert_eq!(rig.told(), ["recovering gap 1", "session 2"]);
    rig.messages(1);
    assert_eq!(rig.believed(), LIVE);
    rig.now += 4 * SECOND;
    rig.told();
    old(&mut rig);
    assert_eq!(rig.told(), ["recovering gap 3", "session 4"]);
    rig.messages(1);
    for byte in [0xFF, 0xFF, b'S', 0, 0, 0, 0] {
        rig.wait(SECOND / 2);
        rig.hear(&[byte]);
    }
    assert_eq!(rig.believed(), (Integrity::Stale, Cause::Silent));
}

/// Goal: after an end, whatever a server greets with, the next session is joined. Method: text and a heartbeat ahead of the
/// answer, which comes in two pieces.
#[test]
fn greeted_after_the_end() {
    let mut rig = Rig::new(BLANK);
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(1);
    rig.hear(&server::END);
    assert!(rig.feed.is_over());
    assert_eq!(rig.opened(), (S1, 2));
    rig.hear(&[0, 3, b'+', b'h', b'i']);
    rig.hear(&server::HEARTBEAT);
    let mut bytes = Vec::new();
    server::accepted(S2, 1, &mut bytes);
    let (one, two) = bytes.split_at(9);
    rig.hear(one);
    rig.hear(two);
    rig.messages(1);
    assert_eq!((rig.believed(), rig.feed.position()), (LIVE, Some((S2, 1))));
}

/// Goal: a session is of the day of its first message. Method: joined on a Friday of winter; another one that is accepted on
/// Sunday evening, and begins on the Monday of summer time.
#[test]
fn days() {
    let friday = Ts(1_772_773_200_000_000_000);
    let hour = 3_600 * SECOND;
    let options = SoupFeedOptions::new(FeedId(0), friday, Login::new("u", "p").unwrap());
    let mut rig = Rig { feed: SoupFeed::new(options), now: friday.0 + 9 * hour, said: Vec::new() };
    let open = |rig: &mut Rig, midnight: u64| {
        let mut bytes = Vec::new();
        server::sequenced(&system(rig.now - midnight), &mut bytes);
        rig.hear(&bytes);
        assert_eq!((rig.believed(), rig.said.last().map(|e| e.ts_venue.0)), (LIVE, Some(rig.now)));
    };
    rig.opened();
    rig.accepted(S1, 1);
    open(&mut rig, friday.0);
    rig.hear(&server::END);
    rig.now = friday.0 + 66 * hour;
    rig.opened();
    rig.accepted(S2, 1);
    rig.now = friday.0 + 75 * hour;
    open(&mut rig, friday.0 + 71 * hour);
}

/// Goal: a session of which nothing was heard is not joined behind its start, and no count overflows. Method: a server that
/// goes on at the end of all numbers, ever again.
#[test]
fn no_head() {
    let mut rig = Rig::new(BLANK);
    for _ in 0..7 {
        rig.opened();
        rig.accepted(S1, u64::MAX);
        assert_eq!((rig.believed(), rig.feed.position()), (GAP, None));
    }
    rig.opened();
    rig.accepted(S1, 1);
    rig.messages(1);
    assert_eq!(rig.believed(), LIVE);
}
