//! Bodies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use feeds::Venue;
use ws::Options;

use crate::rig::{Outcome, Plan, Rogue, alone, drain, drive, pour, text};

const MIB: u64 = 1 << 20;

/// A stream that goes on changing the book, so that its snapshot is asked for again and again.
fn stream() -> Rogue {
    Rogue::after_handshake(|mut client| {
        for id in 1.. {
            let diff = format!(
                "{{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\
                 \"U\":{id},\"u\":{id},\"b\":[[\"1.00\",\"1.000\"]],\"a\":[]}}}}"
            );
            if client.write_all(&text(diff.as_bytes())).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    })
}

fn run(name: &str, scheme: &str, bodies: &Rogue, failures: u64) -> Outcome {
    let rogue = stream();
    let outcome = drive(Plan {
        rest_url: Some(format!("{scheme}://127.0.0.1:{}", bodies.port)),
        options: Options { http_timeout: Duration::from_millis(700), ..Options::default() },
        speed: 10,
        ..Plan::new(Venue::BinanceSpot, format!("ws://127.0.0.1:{}", rogue.port)).until(bodies, 4)
    });
    let (counters, grown) = (outcome.counters, outcome.grown >> 10);
    println!(
        "{name}: {:.1?}, {} failures, {grown} KiB grown",
        outcome.took, counters.http_failures
    );
    assert!(bodies.accepted() >= 4 && counters.http_failures >= failures, "{name}: {outcome:?}");
    assert_eq!((counters.stream.snapshots, counters.stream.bad), (0, 0), "{name}: {outcome:?}");
    outcome
}

/// Hears a request, and says this.
fn answering(answer: impl Into<Vec<u8>>) -> Rogue {
    let answer = answer.into();
    Rogue::start(move |mut client| {
        hear(&mut client);
        let _ = client.write_all(&answer);
    })
}

fn hear(client: &mut TcpStream) {
    let mut request = [0; 1_024];
    let _ = client.read(&mut request);
}

/// Goal: every way of not answering is a failure that is counted, and is tried again. Method: refusals, an address elsewhere,
/// rubbish, half a body, nothing at all.
#[test]
fn failures() {
    let _alone = alone();
    for (name, answer) in [
        ("500", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
        (
            "elsewhere",
            "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
        ),
        ("rubbish", "rubbish\r\n\r\n"),
        ("half", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"lastUpdateId\":"),
        ("nothing", ""),
    ] {
        run(name, "http", &answering(answer), 3);
    }
}

/// Goal: a venue that says it is asked too often is not asked again at once, however often the machine wants to. Method: 429,
/// then two seconds in which everything else is tried again.
#[test]
fn too_often() {
    let _alone = alone();
    let (rogue, bodies) = (stream(), answering("HTTP/1.1 429 X\r\nContent-Length: 2\r\n\r\n{}"));
    let outcome = drive(Plan {
        rest_url: Some(format!("http://127.0.0.1:{}", bodies.port)),
        time: Duration::from_secs(2),
        speed: 10,
        ..Plan::new(Venue::BinanceSpot, format!("ws://127.0.0.1:{}", rogue.port))
    });
    let failures = outcome.counters.http_failures;
    assert!(bodies.accepted() == 1 && failures > 2, "{} {outcome:?}", bodies.accepted());
}

/// Goal: a server that accepts and is silent, or sends a byte now and then, is given up. Method: both.
#[test]
fn stalls() {
    let _alone = alone();
    run("silent", "http", &Rogue::start(drain), 3);
    let slow = Rogue::start(|mut client| {
        hear(&mut client);
        let mut sent = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while sent.is_ok() {
            std::thread::sleep(Duration::from_millis(20));
            sent = client.write_all(b" ");
        }
    });
    run("slow", "http", &slow, 3);
}

/// Goal: a body without end costs a bounded memory. Method: chunks for ever, as fast as they are taken.
#[test]
fn without_end() {
    let _alone = alone();
    let endless = Rogue::start(|mut client| {
        hear(&mut client);
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        if client.write_all(head).is_ok() {
            let mut chunk = b"10000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x1_0000, b' ');
            chunk.extend(b"\r\n");
            pour(&mut client, &chunk);
        }
    });
    let outcome = run("without end", "http", &endless, 3);
    assert!(outcome.grown < 160 * MIB, "{outcome:?}");
}

/// Goal: bodies come over TLS or not at all. Method: `https://` to a port of this machine that answers in plain text;
/// `http://` to another machine, which is refused at once, without a wait for anyone.
#[test]
fn no_tls() {
    let _alone = alone();
    run("no TLS", "https", &answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), 3);
    let rogue = stream();
    let outcome = drive(Plan {
        rest_url: Some("http://192.0.2.1".to_owned()),
        options: Options { http_timeout: Duration::from_secs(60), ..Options::default() },
        time: Duration::from_secs(1),
        ..Plan::new(Venue::BinanceSpot, format!("ws://127.0.0.1:{}", rogue.port))
    });
    assert!(
        outcome.counters.http_failures > 2 && outcome.counters.stream.connects == 1,
        "{outcome:?}"
    );
}
