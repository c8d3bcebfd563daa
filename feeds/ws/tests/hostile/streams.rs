//! Streams.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use feeds::Venue;

use crate::rig::{Outcome, Plan, Rogue, alone, drain, drive, head, pour, text};

const MIB: u64 = 1 << 20;
/// Connections after which a server has been left and met again.
const AGAIN: u64 = 4;

fn run(name: &str, rogue: &Rogue) -> Outcome {
    let url = format!("ws://127.0.0.1:{}", rogue.port);
    let outcome = drive(Plan::new(Venue::BybitLinear, url).until(rogue, AGAIN));
    report(name, &outcome);
    assert!(rogue.accepted() >= AGAIN, "{name}: {outcome:?}");
    outcome
}

fn report(name: &str, outcome: &Outcome) {
    let Outcome { counters, grown, took, .. } = outcome;
    let (texts, bytes) = (counters.stream.texts, counters.stream.bytes);
    println!(
        "{name}: {took:.1?}, {texts} texts, {bytes} bytes, {} KiB grown, {} oversize, {} closes",
        grown >> 10,
        counters.oversize,
        counters.stream.closes
    );
}

/// Goal: a server that accepts and says nothing is given up. Method: it never answers the handshake.
#[test]
fn no_handshake() {
    let _alone = alone();
    let outcome = run("no handshake", &Rogue::start(drain));
    assert_eq!(outcome.counters.stream.connects, 0);
    assert!(outcome.grown < 16 * MIB, "{outcome:?}");
}

/// Goal: one that answers the handshake and then nothing is given up. Method: it reads and is silent.
#[test]
fn silence() {
    let _alone = alone();
    let outcome = run("silence", &Rogue::after_handshake(drain));
    assert!(
        outcome.counters.stream.connects >= AGAIN - 1 && outcome.grown < 16 * MIB,
        "{outcome:?}"
    );
}

/// Goal: a frame that is announced and never comes costs no more than its announced size, and is given up. Method: the head of
/// 16 MiB less one byte, then a byte each few milliseconds.
#[test]
fn a_trickle() {
    let _alone = alone();
    let outcome = run(
        "trickle",
        &Rogue::after_handshake(|mut client| {
            let mut sent = client.write_all(&head(1, true, 16 * MIB - 1));
            while sent.is_ok() {
                std::thread::sleep(Duration::from_millis(5));
                sent = client.write_all(b" ");
            }
        }),
    );
    assert!(outcome.grown < 48 * MIB, "{outcome:?}");
}

/// Goal: a text over the limit is refused by its head alone, counted, and ends the connection. Method: frames of 16 MiB
/// and a byte.
#[test]
fn oversize_frames() {
    let _alone = alone();
    let outcome = run(
        "oversize frame",
        &Rogue::after_handshake(|mut client| {
            let _ = client.write_all(&head(1, true, 16 * MIB + 1));
            let _ = pour(&mut client, &[b' '; 1 << 16]);
        }),
    );
    assert!(outcome.counters.oversize >= AGAIN - 1, "{outcome:?}");
    assert_eq!(outcome.counters.stream.texts, 0);
    assert!(outcome.grown < 48 * MIB, "{outcome:?}");
}

/// Goal: the same for a text in many frames that never ends. Method: fragments of 64 KiB for ever.
#[test]
fn endless_fragments() {
    let _alone = alone();
    let outcome = run(
        "endless fragments",
        &Rogue::after_handshake(|mut client| {
            let mut frame = head(1, false, 1 << 16);
            frame.resize(frame.len() + (1 << 16), b' ');
            let _ = client.write_all(&frame);
            frame[0] = 0; // Go on.
            pour(&mut client, &frame);
        }),
    );
    assert!(outcome.counters.oversize >= AGAIN - 1, "{outcome:?}");
    assert!(outcome.grown < 64 * MIB, "{outcome:?}");
}

/// Goal: texts that are as long as may be cost a bounded memory however many come, and whatever they hold. Method: 16 MiB less a
/// byte of spaces, and of levels, of which a book has no room for.
#[test]
fn the_longest_texts() {
    let _alone = alone();
    let spaces = text(&vec![b' '; (16 * MIB - 1) as usize]);
    let mut book = b"{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"snapshot\",\"ts\":1,\
                     \"data\":{\"s\":\"BTCUSDT\",\"b\":["
        .to_vec();
    let mut px = 1;
    while (book.len() as u64) < 16 * MIB - 100 {
        book.extend(format!("[\"{px}\",\"1\"],").bytes());
        px += 1;
    }
    book.pop();
    book.extend(b"],\"a\":[],\"u\":1,\"seq\":1},\"cts\":1}");
    for (name, frame) in [("16 MiB of spaces", spaces), ("16 MiB of levels", text(&book))] {
        let rogue = Rogue::after_handshake(move |mut client| {
            pour(&mut client, &frame);
        });
        let url = format!("ws://127.0.0.1:{}", rogue.port);
        let time = Duration::from_secs(4);
        let outcome = drive(Plan { time, ..Plan::new(Venue::BybitLinear, url) });
        report(name, &outcome);
        assert!(outcome.counters.stream.texts > 2, "{name}: {outcome:?}");
        assert!(outcome.grown < 300 * MIB, "{name}: {outcome:?}");
    }
}

/// A whole book of 50 levels a side.
fn whole_book() -> Vec<u8> {
    let side = |from: u64, step: i64| {
        let level = |n: i64| format!("[\"{}.5\",\"1.5\"]", from as i64 + step * n);
        (0..50).map(level).collect::<Vec<_>>().join(",")
    };
    let (bids, asks) = (side(60_000, -1), side(60_001, 1));
    let book = format!(
        "{{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"snapshot\",\"ts\":1733011200691,\"data\":{{\"s\":\"BTCUSDT\",\
         \"b\":[{bids}],\"a\":[{asks}],\"u\":1,\"seq\":1}},\"cts\":1733011200690}}"
    );
    text(book.as_bytes())
}

/// Goal: a flood is read as fast as it can be, in a bounded memory; while the sink is full nothing is read, and nothing is
/// missing afterwards. Method: whole books without a pause; the sink is full for the first second.
#[test]
fn a_flood() {
    let _alone = alone();
    let frame = whole_book();
    let rogue = Rogue::after_handshake(move |mut client| {
        let many = frame.repeat(64);
        pour(&mut client, &many);
    });
    let url = format!("ws://127.0.0.1:{}", rogue.port);
    let (time, full) = (Duration::from_secs(4), Duration::from_secs(1));
    let outcome = drive(Plan { time, full, speed: 1, ..Plan::new(Venue::BybitLinear, url) });
    report("flood", &outcome);
    let stream = outcome.counters.stream;
    println!("flood: {} texts and {} events a second", stream.texts / 3, outcome.events / 3);
    assert!(stream.texts > 300 && stream.connects == 1, "{outcome:?}");
    assert!(outcome.texts_while_full <= 1, "{outcome:?}");
    assert_eq!(stream.snapshots, stream.texts, "every one of them is a whole book");
    // A clear and two beliefs a book, perhaps; a hundred levels each.
    assert!(outcome.events >= 100 * stream.texts, "{outcome:?}");
    // What came is many times this, also where a busy machine lets it come slowly.
    assert!(outcome.grown < 96 * MIB, "{outcome:?}");
}

/// Goal: pings without end, answered or not, cost a bounded memory, and are no sign of life of the venue. Method: a server that
/// sends them and never reads.
#[test]
fn a_flood_of_pings() {
    let _alone = alone();
    let outcome = run(
        "pings",
        &Rogue::after_handshake(|mut client| {
            let mut ping = head(9, true, 125);
            ping.resize(ping.len() + 125, b'p');
            pour(&mut client, &ping.repeat(100));
        }),
    );
    assert!(outcome.grown < 32 * MIB, "{outcome:?}");
}

/// Goal: rubbish in place of frames ends the connection. Method: reserved bits and opcodes; texts that are no UTF-8.
#[test]
fn rubbish() {
    let _alone = alone();
    for frame in [vec![0x83, 1, b'x'], vec![0xF1, 1, b'x'], text(&[0xFF, 0xFE]), vec![0x88, 1, 0]] {
        let outcome = run(
            "rubbish",
            &Rogue::after_handshake(move |mut client| {
                let _ = client.write_all(&frame);
                drain(client);
            }),
        );
        assert_eq!(outcome.counters.stream.texts, 0);
    }
}

/// Goal: TLS is there, and a server that speaks none ends an attempt and nothing else; plain text to another machine is refused
/// at once. Method: `wss://` to a port of this machine that looks at what it hears and answers in plain text; an address that
/// nobody has.
#[test]
fn no_tls() {
    let _alone = alone();
    let greeted = Arc::new(AtomicU64::new(0));
    let count = greeted.clone();
    let rogue = Rogue::start(move |mut client| {
        let mut record = [0; 3];
        // A handshake of TLS 1.0 or later.
        let is_tls = client.read_exact(&mut record).is_ok() && record[..2] == [22, 3];
        count.fetch_add(u64::from(is_tls), Ordering::Relaxed);
        let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        drain(client);
    });
    let url = format!("wss://127.0.0.1:{}", rogue.port);
    let outcome = drive(Plan::new(Venue::BybitLinear, url).until(&rogue, AGAIN));
    report("no TLS", &outcome);
    assert_eq!(outcome.counters.stream.connects, 0);
    assert!(greeted.load(Ordering::Relaxed) >= AGAIN - 1);
    let time = Duration::from_secs(1);
    let outcome =
        drive(Plan { time, ..Plan::new(Venue::BybitLinear, "ws://192.0.2.1".to_owned()) });
    assert!(outcome.counters.stream.closes > 2, "{outcome:?}");
}
