use super::*;

fn login(next: u64) -> Vec<u8> {
    let mut bytes = vec![0, 47, b'L'];
    bytes.extend_from_slice(b"sim   sim                 ");
    bytes.extend_from_slice(format!("{next:>20}").as_bytes());
    bytes
}

fn enter(refnum: u32, qty: u32) -> Vec<u8> {
    let mut bytes = vec![0, 48, b'U', b'O'];
    bytes.extend_from_slice(&refnum.to_be_bytes());
    bytes.push(b'B');
    bytes.extend_from_slice(&qty.to_be_bytes());
    bytes.extend_from_slice(b"AAPL    ");
    bytes.extend_from_slice(&1_000_000_u64.to_be_bytes());
    bytes.extend_from_slice(b"0YANN");
    bytes.extend_from_slice(format!("{refnum:014}").as_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

fn kinds(mut bytes: &[u8]) -> String {
    let mut kinds = String::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (packet, tail) = rest.split_at(u16::from_be_bytes(*length).into());
        kinds.push(packet[if packet[0] == b'S' { 1 } else { 0 }].into());
        bytes = tail;
    }
    kinds
}

/// Goal: the rules of the specification that a client lives by: a UserRefNum that does not rise is ignored, a query
/// answers behind what came before it, a session is told again from where it is asked for, and a later login takes
/// the port over.
/// Method: a connection by hand, and another.
#[test]
fn rules() {
    let mut venue = Venue::new(Config::default(), 0);
    let mut first = Connection::new(0, &mut venue);
    let mut out = Vec::new();
    first.on_bytes(&login(1), 0, &mut venue);
    first.on_bytes(&enter(5, 100), 0, &mut venue);
    first.on_bytes(&enter(5, 100), 0, &mut venue);
    first.on_bytes(&enter(4, 100), 0, &mut venue);
    first.on_bytes(&[0, 4, b'U', b'Q', 0, 0], 0, &mut venue);
    first.poll(0, &mut venue, &mut out);
    assert_eq!(kinds(&out), "ASAQ");
    assert_eq!((venue.counters().orders, venue.counters().twice), (3, 1));
    assert_eq!((venue.counters().ignored, venue.open().count()), (2, 1));
    let mut second = Connection::new(0, &mut venue);
    second.on_bytes(&login(2), 0, &mut venue);
    first.on_bytes(&enter(6, 100), 0, &mut venue);
    out.clear();
    first.poll(0, &mut venue, &mut out);
    assert!(out.is_empty() && first.is_closed());
    second.poll(0, &mut venue, &mut out);
    assert_eq!((kinds(&out).as_str(), venue.counters().orders), ("AAQ", 3));
}

/// Goal: the same seed does the same. Method: two venues with everything on, one order each, a second of time.
#[test]
fn seeded() {
    let run = |seed: &str| {
        let faults = "trade=50,refuse=10,cancel=20,break=5,delay=3ms";
        let faults = format!("{faults},seed={seed}").parse().unwrap();
        let mut venue = Venue::new(Config { faults, ..Config::default() }, 0);
        for refnum in 1..50 {
            venue.on_request(&enter(refnum, 1_000)[3..], u64::from(refnum) * 20_000_000);
        }
        (venue.said.clone(), venue.counters())
    };
    let (said, counters) = run("3");
    assert_eq!((said.clone(), counters), run("3"));
    assert_ne!(said, run("4").0);
    assert!(counters.trades > 0 && counters.broken > 0 && counters.unasked > 0);
    assert!(said.is_sorted_by_key(|(due, _)| *due));
    assert!("trade=1001".parse::<Faults>().is_err() && "drop".parse::<Faults>().is_err());
}
