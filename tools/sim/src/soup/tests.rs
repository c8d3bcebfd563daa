use super::*;

fn venue(faults: &str) -> Core {
    let messages = (0..20_u8).map(|n| Ok(Timed { at_ns: n.into(), bytes: vec![b'S', n, 0, 0] }));
    let config =
        Config { pace: Pace::FlatOut, faults: faults.parse().unwrap(), ..Config::default() };
    Core::new(config, Box::new(messages.collect::<Vec<_>>().into_iter()), 0)
}

fn login(session: &str, next: u64) -> Vec<u8> {
    format!("\0\x2FL{:<6}{:<10}{session:10}{next:>20}", "SIM", "sim").into_bytes()
}

/// Logs in at 0 and says what comes; the connection afterwards.
fn hears(core: &mut Core, login: &[u8]) -> (Vec<u8>, Connection) {
    let mut connection = Connection::new(0, core);
    let mut out = Vec::new();
    connection.on_bytes(login, 0, core);
    connection.poll(0, core, &mut out);
    (out, connection)
}

/// Goal: a client hears the session from where it asks, to its end. Method: the bytes.
#[test]
fn from_a_sequence() {
    let mut core = venue("");
    core.poll(0);
    let (out, connection) = hears(&mut core, &login("", 19));
    let mut expected = b"\0\x1FASIM0000001                  19".to_vec();
    expected.extend_from_slice(b"\0\x05SS\x12\0\0\0\x05SS\x13\0\0\0\x01Z");
    assert_eq!(out, expected);
    assert!(connection.is_closed());
    let (out, _) = hears(&mut core, &login("OTHER", 1));
    assert_eq!(out, b"\0\x02JS");
    core.change_session();
    assert_eq!(hears(&mut core, &login("SIM0000001", 1)).0, b"\0\x02JS");
    assert!(hears(&mut core, &login("", 1)).0.starts_with(b"\0\x1FASIM0000002"));
}

/// Goal: each fault is what its name says. Method: one after the other, always.
#[test]
fn faults() {
    let mut core = venue("drop=1000000");
    core.poll(0);
    let (out, connection) = hears(&mut core, &login("", 1));
    assert!(connection.is_closed() && out.len() < 33 + 7);
    let mut core = venue("stall=1000000,stall-time=3s");
    core.poll(0);
    let (out, mut connection) = hears(&mut core, &login("", 20));
    assert_eq!((out.len(), connection.wake_at(0, &core)), (33, Some(3_000_000_000)));
    let mut rest = Vec::new();
    connection.poll(3_000_000_000, &mut core, &mut rest);
    assert_eq!(rest, b"\0\x05SS\x13\0\0\0\x01Z");
    let mut core = venue("misplace=1000");
    core.poll(0);
    let (out, _) = hears(&mut core, &login("", 1));
    let other = !out.starts_with(b"\0\x1FASIM0000001                   1");
    assert!(other || core.counters().misplaced == 0);
    assert!("garbage=2,reject=1001".parse::<Faults>().is_err());
    assert_eq!("".parse(), Ok(Faults::NONE));
}
