use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::mold::Pace;
use crate::source;

fn bound() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

fn login() -> Vec<u8> {
    format!("\0\x2FL{:<6}{:<10}{:10}{:>20}", "SIM", "sim", "", 1).into_bytes()
}

/// Goal: over real sockets lines, re-requests and snapshots work together, and a stop joins all
/// threads. Method: a small day by one lossy and one whole line; ask for the first message; fetch a
/// snapshot.
#[test]
fn smoke() {
    let (a, b) = (bound(), bound());
    let mut config = Config::new(a.local_addr().unwrap(), b.local_addr().unwrap());
    config.mold.pace = Pace::PacketsPerSecond(2_000);
    config.mold.lines[0].loss_per_mille = 200;
    config.mold.heartbeat_ns = 20_000_000;
    let day = synth::Config { messages: 3_000, symbols: 5, ..synth::Config::SAMPLE };
    let count = synth::Day::new(day).count() as u64;
    let source = source::synthetic(synth::Day::new(day));
    let publisher = Publisher::start(config, source).unwrap();

    // Line B is whole: sequences follow each other up to the end of the session.
    let mut room = [0; 1_500];
    let mut next = 1;
    loop {
        let length = b.recv(&mut room).unwrap();
        assert!(length >= 20 && &room[..10] == b"SIM0000001");
        assert_eq!(u64::from_be_bytes(room[10..18].try_into().unwrap()), next);
        match u16::from_be_bytes(room[18..20].try_into().unwrap()) {
            0xFFFF => break,
            messages => next += u64::from(messages),
        }
    }
    assert_eq!(next, count + 1);

    // The first two messages, again.
    let mut request = b"SIM0000001".to_vec();
    request.extend_from_slice(&1_u64.to_be_bytes());
    request.extend_from_slice(&2_u16.to_be_bytes());
    b.send_to(&request, publisher.request_addr()).unwrap();
    loop {
        let (length, from) = b.recv_from(&mut room).unwrap();
        if from == publisher.request_addr() {
            assert_eq!(&room[..20], &request[..]);
            assert_eq!((length, room[22]), (20 + 2 + 12 + 2 + 39, b'S'));
            break;
        }
    }

    // A snapshot, byte by byte from the client.
    let mut stream = TcpStream::connect(publisher.snapshot_addr()).unwrap();
    login().iter().for_each(|byte| stream.write_all(&[*byte]).unwrap());
    let mut bytes = Vec::new();
    let end = format!("G{next:020}");
    while !bytes.ends_with(end.as_bytes()) {
        let length = stream.read(&mut room).unwrap();
        assert!(length > 0, "closed before the end");
        bytes.extend_from_slice(&room[..length]);
    }
    assert!(bytes.starts_with(b"\0\x1FASIM0000001"));
    drop(stream);

    while !publisher.is_done() {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(publisher.error(), None);
    let counters = publisher.stop();
    assert_eq!((counters.messages, counters.send_errors), (count, 0));
    assert_eq!((counters.requests.answered, counters.snapshots.served), (1, 1));
    assert_eq!(counters.lines[1].sent, counters.packets);
    assert!(counters.lines[0].dropped > 0 && counters.lines[1].dropped == 0);
}

/// Goal: a publisher that never ends is stopped by being dropped, in a moment. Method: time it.
#[test]
fn drop_stops() {
    let (a, b) = (bound(), bound());
    let config = Config::new(a.local_addr().unwrap(), b.local_addr().unwrap());
    let mut day = Vec::new();
    let small = synth::Config { messages: 1_000, symbols: 5, ..synth::Config::SAMPLE };
    synth::Day::new(small).write_to(&mut day).unwrap();
    let publisher = Publisher::start(config, source::for_ever(day)).unwrap();
    let mut room = [0; 1_500];
    assert!(a.recv(&mut room).unwrap() > 20 && b.recv(&mut room).unwrap() > 20);
    let begin = Instant::now();
    drop(publisher);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

/// Goal: bytes of any kind at the two ports harm nobody. Method: random datagrams and streams; then
/// a request and a login that are answered.
#[test]
fn hostile_bytes() {
    let (a, b) = (bound(), bound());
    let mut config = Config::new(a.local_addr().unwrap(), b.local_addr().unwrap());
    config.mold.pace = Pace::FlatOut;
    config.mold.heartbeat_ns = 1_000_000;
    let day = synth::Config { messages: 1_000, symbols: 5, ..synth::Config::SAMPLE };
    let source = source::synthetic(synth::Day::new(day));
    let publisher = Publisher::start(config, source).unwrap();
    let mut rng = crate::rng::Rng::new(5);
    let client = bound();
    for turn in 0..500 {
        // Not faster than the server's buffer takes them.
        if turn % 50 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        let bytes: Vec<u8> = (0..rng.below(60)).map(|_| rng.bits() as u8).collect();
        client.send_to(&bytes, publisher.request_addr()).unwrap();
    }
    for _ in 0..40 {
        let mut stream = TcpStream::connect(publisher.snapshot_addr()).unwrap();
        let bytes: Vec<u8> = (0..rng.below(3_000)).map(|_| rng.bits() as u8).collect();
        // The server may hang up in the middle.
        let _ = stream.write_all(&bytes);
    }
    while !publisher.is_done() {
        thread::sleep(Duration::from_millis(1));
    }
    let mut stream = TcpStream::connect(publisher.snapshot_addr()).unwrap();
    stream.write_all(&login()).unwrap();
    let mut head = [0; 13];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"\0\x1FASIM0000001");
    let counters = publisher.stop();
    assert!(counters.requests.refused >= 400, "{counters:?}");
    assert_eq!(counters.requests.answered, 0);
    assert_eq!((counters.snapshots.connections, counters.snapshots.served), (41, 1));
}

/// Goal: a line may be a multicast group on loopback. Method: join it, if this machine can; hear
/// the day begin.
#[test]
fn multicast() {
    let group = Ipv4Addr::new(239, 255, 71, 19);
    let (a, b) = (UdpSocket::bind((group, 0)).unwrap(), bound());
    a.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    if a.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).is_err() {
        println!("SKIPPED: no multicast on loopback");
        return;
    }
    let to = SocketAddr::from((group, a.local_addr().unwrap().port()));
    let config = Config::new(to, b.local_addr().unwrap());
    let publisher = Publisher::start(config, source::sample_for_ever()).unwrap();
    let mut room = [0; 1_500];
    let length = a.recv(&mut room).unwrap();
    assert!(length > 20 && &room[..10] == b"SIM0000001");
    assert!(b.recv(&mut room).is_ok());
    publisher.stop();
}

/// Goal: an address that is taken is told, and leaves no thread. Method: start two on one port.
#[test]
fn taken_address() {
    let (a, b) = (bound(), bound());
    let mut config = Config::new(a.local_addr().unwrap(), b.local_addr().unwrap());
    config.request = a.local_addr().unwrap();
    let started = Publisher::start(config, source::sample_for_ever());
    assert_eq!(started.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
}
