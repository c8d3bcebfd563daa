use super::*;

fn login(next: u64) -> Vec<u8> {
    let mut bytes = vec![0, 47, b'L'];
    bytes.extend_from_slice(b"sim   sim                 ");
    bytes.extend_from_slice(format!("{next:>20}").as_bytes());
    bytes
}

fn enter(refnum: u32, qty: u32) -> Vec<u8> {
    let order = asks(refnum, qty, [b'0', b'N'], &[]);
    [&[0, order.len() as u8 + 1, b'U'][..], &order].concat()
}

/// A buy order at 100 with a time in force, a cross and options.
fn asks(refnum: u32, qty: u32, [tif, cross]: [u8; 2], options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'O'];
    bytes.extend_from_slice(&refnum.to_be_bytes());
    bytes.push(b'B');
    bytes.extend_from_slice(&qty.to_be_bytes());
    bytes.extend_from_slice(b"AAPL    ");
    bytes.extend_from_slice(&1_000_000_u64.to_be_bytes());
    bytes.extend_from_slice(&[tif, b'Y', b'A', b'N', cross]);
    bytes.extend_from_slice(format!("{refnum:014}").as_bytes());
    bytes.extend_from_slice(&[0, options.len() as u8]);
    bytes.extend_from_slice(options);
    bytes
}

fn venue(faults: &str) -> Venue {
    Venue::new(Config { faults: faults.parse().unwrap(), ..Config::default() }, 0)
}

/// Types of what was said since the last look, of rejections, cancels and restatements with their reason.
fn said(venue: &Venue, from: &mut usize) -> String {
    let mut text = String::new();
    for (_, message) in &venue.said[*from..] {
        text.push(message[0].into());
        match message[0] {
            b'J' => text += &message[14].to_string(),
            b'C' => text.push(message[17].into()),
            b'R' => text.push(message[13].into()),
            b'A' if message[47] == b'D' => text.push('D'),
            _ => {}
        }
    }
    *from = venue.said.len();
    text
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

/// Goal: what must trade whole does or not at all, whatever the seed. Method: a hundred of them, and such as may trade in part
/// from some shares on.
#[test]
fn fill_or_kill() {
    let min_qty = |qty: u32| [&[5, 3][..], &qty.to_be_bytes()].concat();
    let mut venue = venue("seed=5");
    for refnum in 1..=100 {
        let least = if refnum % 2 == 0 { 10 } else { 4 };
        venue.on_request(&asks(refnum, 10, *b"3N", &min_qty(least)), 0);
    }
    assert_eq!((venue.open().count(), venue.counters().refused), (0, 0));
    assert!(venue.counters().dead > 0);
    let whole = |order: &&Order| order.min_qty == 10;
    assert!(venue.orders().filter(whole).all(|order| matches!(order.cum, 0 | 10)));
    assert!(venue.orders().all(|order| order.cum == 0 || order.cum >= order.min_qty));
    for cum in [0, 10] {
        assert!(venue.orders().filter(whole).any(|order| order.cum == cum), "{cum}");
    }
    assert!(venue.orders().any(|order| (4..10).contains(&order.cum)));
    let mut from = venue.said.len();
    venue.on_request(&asks(101, 10, *b"3N", &min_qty(11)), 0);
    venue.on_request(&asks(102, 10, *b"0N", &min_qty(10)), 0);
    assert_eq!(said(&venue, &mut from), "J13J13");
}

/// Goal: what shows a part of itself trades that part, shows the next one at the end of the queue, and never more than it may.
/// Method: one such order, another one behind it at its price.
#[test]
fn reserve() {
    let mut venue = venue("");
    let floor = |qty: u32| [&[5, 5][..], &qty.to_be_bytes()].concat();
    venue.on_request(&asks(1, 100, *b"0N", &floor(10)), 0);
    venue.on_request(&asks(2, 20, *b"0N", &[]), 0);
    let [first, second] = [1, 2].map(|refnum| venue.live[&refnum]);
    let mut from = venue.said.len();
    while venue.orders[&first].cum < 10 {
        venue.trade(second);
        assert!(venue.orders[&first].shown <= 10 && venue.orders[&second].cum == 0);
    }
    let heard = said(&venue, &mut from);
    assert!(heard.ends_with("ERR") && heard[..heard.len() - 2].chars().all(|kind| kind == 'E'));
    assert_eq!((venue.orders[&first].shown, venue.orders[&first].open), (10, 90));
    while venue.orders[&second].open > 0 {
        venue.trade(first);
        assert_eq!(venue.orders[&first].cum, 10, "it is behind now");
    }
    venue.on_request(&asks(3, 10, *b"0N", &floor(10)), 0);
    venue.on_request(&asks(4, 10, *b"3N", &floor(5)), 0);
    from = venue.said.len() - 2;
    assert_eq!(said(&venue, &mut from), "J4J4");
}

/// Goal: a post-only order that would trade is dead, cancelled, or a cent off, and never trades on arrival. Method: a hundred.
#[test]
fn post_only() {
    let mut venue = venue("lock=1000");
    let mut from = venue.said.len();
    let mut seen = BTreeSet::new();
    for refnum in 1..=100 {
        venue.on_request(&asks(refnum, 10, *b"0N", &[2, 12, b'P']), 0);
        seen.insert(said(&venue, &mut from));
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), ["A", "ACG", "AD"]);
    assert!(venue.open().all(|order| order.px == 999_900) && venue.trades().is_empty());
    assert_eq!(venue.open().count() as u64, venue.counters().slid);
    venue.on_request(&asks(101, 10, *b"3N", &[2, 12, b'P']), 0);
    venue.on_request(&asks(102, 10, *b"3O", &[2, 12, b'P']), 0);
    assert_eq!(said(&venue, &mut from), "J15J20");
}

/// Goal: orders for a cross wait for theirs, trade in it alone, at one price, and end with it. Method: some of each, and time in
/// which everything else trades.
#[test]
fn crosses() {
    let mut venue = venue("trade=1000");
    for refnum in 1..=20 {
        let cross = if refnum % 2 == 0 { *b"3O" } else { *b"3C" };
        venue.on_request(&asks(refnum, 10, cross, &[]), 0);
    }
    venue.poll(1_000_000_000);
    assert!(venue.trades().is_empty() && venue.open().count() == 20);
    venue.cross(b'O');
    assert!(!venue.trades().is_empty() && venue.trades().iter().all(|trade| trade.cross == b'O'));
    assert!(venue.open().count() == 10 && venue.open().all(|order| order.cross == b'C'));
    venue.on_request(&asks(21, 10, *b"3H", &[]), 1_000_000_000);
    assert_eq!((venue.open().count(), venue.counters().refused), (10, 1));
}
