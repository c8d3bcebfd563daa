use super::*;
use crate::rng::Rng;

fn published() -> Core {
    let mut core = Core::new(Config { store_messages_max: 500, ..config() }, day(), START);
    run(&mut core);
    core
}

/// Goal: the store keeps the latest messages within both bounds. Method: fill it by count, then by
/// bytes.
#[test]
fn store_is_bounded() {
    let mut store = Store::new(3, 10);
    (1..=5).for_each(|n| store.push(vec![n]));
    assert_eq!((store.first(), store.next()), (3, 6));
    assert!(store.from(3).eq([&[3][..], &[4], &[5]]));
    assert_eq!([2, 6, 0, u64::MAX].map(|first| store.from(first).count()), [0; 4]);
    store.push(vec![0; 9]);
    assert_eq!((store.first(), store.next()), (5, 7));
    store.push(vec![0; 11]);
    assert_eq!((store.first(), store.next()), (8, 8));
}

/// Goal: only a request for what is kept is answered, by one packet of bounded size; all is
/// counted. Method: good and bad requests, then random bytes.
#[test]
fn requests() {
    let core = published();
    let published = core.published();
    let next = published.next();
    let mut requests = Requests::new(RequestPlan::default());
    let mut ask = |session: &[u8; 10], first, count| {
        let answer = requests.answer(&packet::header(session, first, count), published);
        answer.map(|answer| {
            assert!(answer.len() <= 1_400);
            parse(Side::A, 0, &answer).count
        })
    };
    let session = b"SIM0000001";
    assert_eq!(ask(session, next - 3, 2), Some(2));
    assert_eq!(ask(session, next - 3, 100), Some(3));
    assert!(ask(session, next - 400, 0xFFFE).unwrap() > 20);
    for (first, count) in [(next, 1), (1, 1), (0, 1), (u64::MAX, 0xFFFE), (next - 501, 5)] {
        assert_eq!(ask(session, first, count), None, "unavailable {first}");
    }
    for (session, count) in [(session, 0), (session, END), (b"SIM0000002", 1)] {
        assert_eq!(ask(session, next - 1, count), None);
    }
    let mut rng = Rng::new(1);
    for _ in 0..10_000 {
        let bytes: Vec<u8> = (0..rng.below(40)).map(|_| rng.bits() as u8).collect();
        assert_eq!(requests.answer(&bytes, published), None);
    }
    let counters = requests.counters();
    assert_eq!((counters.answered, counters.short, counters.unavailable), (3, 2, 5));
    assert_eq!((counters.received, counters.refused), (10_011, 10_003));
}

/// Says `bytes` to a new connection: what is answered, whether it is closed, what was counted.
fn say(bytes: &[u8], core: &Core, chunk: usize) -> (Vec<u8>, bool, SnapshotCounters) {
    let (mut out, mut counters) = (Vec::new(), SnapshotCounters::default());
    let mut connection = Connection::new(0);
    let venue = (core.published(), &Credentials::default());
    for chunk in bytes.chunks(chunk) {
        connection.on_bytes(chunk, 1, venue, &mut counters, &mut out);
    }
    (out, connection.is_closed(), counters)
}

fn login(user: &str, password: &str, session: &str, next: &str) -> Vec<u8> {
    format!("\0\x2FL{user:<6}{password:<10}{session:<10}{next:>20}").into_bytes()
}

/// Goal: a login is accepted or rejected for the right reason. Method: one of each kind, in chunks.
#[test]
fn logins() {
    let core = published();
    for chunk in [1, 7, 100] {
        for (session, next) in
            [("", "1"), ("SIM0000001", "0"), (" SIM0000001", "00000000000000000001")]
        {
            let request = login("SIM", "Sim", session.get(..10).unwrap_or(session), next);
            let (out, closed, counters) = say(&request, &core, chunk);
            let ok = session.len() <= 10;
            assert_eq!(
                (out[2], closed, counters.served),
                if ok { (b'A', false, 1) } else { (b'J', true, 0) }
            );
        }
        for (user, password, session, next, reason) in [
            ("sam", "sim", "", "1", b'A'),
            ("sim", "", "", "1", b'A'),
            ("sim", "sim", "SIM0000002", "1", b'S'),
            ("sim", "sim", "", "2", b'S'),
        ] {
            let (out, closed, counters) = say(&login(user, password, session, next), &core, chunk);
            assert_eq!(out, [0, 2, b'J', reason]);
            assert!(closed && counters.rejected == 1);
        }
        for next in ["", "x", "-1", "+1", "99999999999999999999"] {
            let (out, closed, counters) = say(&login("sim", "sim", "", next), &core, chunk);
            assert!(out.is_empty() && closed && counters.broken == 1, "{next}");
        }
    }
}

/// Goal: whatever a client says, the work and the answer are bounded. Method: random packets and
/// bytes; a long packet; heartbeats without end; a second login.
#[test]
fn hostile_clients() {
    let core = published();
    let mut rng = Rng::new(3);
    for _ in 0..3_000 {
        let bytes: Vec<u8> = (0..rng.below(300)).map(|_| rng.bits() as u8 % 90).collect();
        let (out, _, counters) = say(&bytes, &core, 1 + rng.below(50) as usize);
        assert!(out.is_empty() && counters.broken <= 1);
    }
    for bad in [&[0, 0][..], &[4, 1], &[0, 1, b'U'], &[0, 2, b'R', b'R']] {
        assert!(say(bad, &core, 10).1, "{bad:?}");
    }
    let flood = [0, 1, b'R'].repeat(200_000);
    assert!(say(&flood, &core, 4_096).1);
    let request = login("sim", "sim", "", "1");
    let (_, closed, counters) = say(&[&request[..], &request].concat(), &core, 5);
    assert!(closed && counters.served == 1);
    assert!(say(&[&request[..], &[0, 1, b'O']].concat(), &core, 5).1);
}

/// Goal: time is kept: heartbeats while served, an end for who says nothing. Method: let it pass.
#[test]
fn silence() {
    let core = published();
    let (mut out, mut counters) = (Vec::new(), SnapshotCounters::default());
    let venue = (core.published(), &Credentials::default());
    let mut connection = Connection::new(0);
    connection.on_bytes(&login("sim", "sim", "", "1"), 0, venue, &mut counters, &mut out);
    out.clear();
    (1..150).for_each(|tenth| connection.on_time(tenth * 100 * MS, &mut counters, &mut out));
    assert_eq!(out, [0, 1, b'H'].repeat(14));
    assert!(!connection.is_closed());
    connection.on_time(15_000 * MS, &mut counters, &mut out);
    assert!(connection.is_closed() && counters.broken == 1);

    let mut slow = Connection::new(0);
    for second in 0..40 {
        slow.on_bytes(&[0, 1, b'R'], second * 1_000 * MS, venue, &mut counters, &mut out);
        slow.on_time(second * 1_000 * MS, &mut counters, &mut out);
        assert_eq!(slow.is_closed(), second >= 30);
    }
}

/// Goal: a snapshot and the messages after it make the book of the whole day, at any place. Method:
/// a book told everything, against one told a snapshot of every 20th place and the rest.
#[test]
fn snapshot_and_tail() {
    let messages = messages();
    let mut truth = Book::default();
    messages.iter().for_each(|message| truth.apply(message));
    assert!(truth.orders() > 100);
    let tell = |book: &Book| book.messages().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut running = Book::default();
    for (place, message) in messages.iter().enumerate() {
        if place % 20 == 0 {
            let mut joined = Book::default();
            running
                .messages()
                .chain(messages[place..].iter().map(Vec::as_slice))
                .for_each(|m| joined.apply(m));
            assert_eq!(tell(&joined), tell(&truth), "joined at {place}");
        }
        running.apply(message);
    }
}

/// Goal: whoever joins late hears every state that bars an order. Method: the last of each kind, stock and market stands,
/// before any order, and a new day forgets them.
#[test]
fn snapshot_of_states() {
    let message = |kind: u8, locate: u8, length: usize, tail: &[u8]| {
        let mut message = vec![0; length];
        (message[0], message[2]) = (kind, locate);
        message[length - tail.len()..].copy_from_slice(tail);
        message
    };
    let system = |code: u8| message(b'S', 0, 12, &[code]);
    let halts = [
        message(b'H', 1, 25, b"H    "),
        message(b'Y', 1, 20, b"1"),
        message(b'Y', 2, 20, b"2"),
        message(b'h', 1, 21, b"BH"),
        message(b'h', 1, 21, b"QH"),
    ];
    let mut book = Book::default();
    for message in [system(b'O'), message(b'Y', 1, 20, b"0"), message(b'h', 1, 21, b"QT")] {
        book.apply(&message);
    }
    book.apply(&message(b'A', 1, 36, &[]));
    halts.iter().for_each(|message| book.apply(message));
    book.apply(&message(b'W', 0, 12, b"2"));
    book.apply(&system(b'Q'));
    let mut expected = vec![system(b'Q'), message(b'W', 0, 12, b"2")];
    expected.extend(halts.iter().filter(|m| m[0] == b'H').cloned());
    expected.extend(halts.iter().filter(|m| m[0] == b'Y').cloned());
    expected.extend(halts.iter().filter(|m| m[0] == b'h').cloned());
    expected.push(message(b'A', 1, 36, &[]));
    assert_eq!(book.messages().collect::<Vec<_>>(), expected);
    book.apply(&system(b'O'));
    assert_eq!(book.messages().collect::<Vec<_>>(), [system(b'O')]);
}
