//! What the pages of a running engine say would pass is what the gate says at that input.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use engine::config::Speed;
use engine::replay::Replay;
use engine::runtime::{self, Plan};
use engine::script::Script;
use model::page::{Line, Rooms};
use model::{
    AccountId, Ask, ClientOrderId, Conditions, InstrumentId, Note, OrderType, Origin, Px, Qty,
    Reject, Request, Side, Terms, Tif,
};
use tests::rogue::attach;
use tests::{Stage, WIDE_LIMITS};

/// As many different ones as are looked for.
const SEEN: usize = 400;
/// How long that may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// An account that nothing is traded on, and how many instruments a client asks of on it.
const NOBODYS: AccountId = AccountId(0);
const WATCHED: u32 = 3;

fn asks_of(instrument: InstrumentId) -> Request {
    let terms = Terms {
        client_id: ClientOrderId::new("watch").unwrap(),
        instrument,
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(1),
        qty: Qty(1),
        conditions: Conditions::NONE,
    };
    Request {
        id: 0,
        origin: Origin::File,
        account: NOBODYS,
        ask: Ask::Check(terms),
        note: Note::EMPTY,
    }
}

/// Goal: what a client reads of headroom is what a replay works out at the input that stands beside it, from scratch, and a
/// run with readers comes to the same state; so of pairs that nobody traded, once a client asked of them. Method: a strategy
/// that trades against limits that bind, questions on an account without orders; read all lines again and again through shared
/// memory, then replay the journal from sequence to sequence.
#[test]
fn pages_say_what_a_replay_says() {
    let stage = Stage::new(200_000, 8);
    let limits = WIDE_LIMITS
        .replace("gross_max = \"1000000000000\"", "gross_max = \"100000\"")
        .replace("clip_max = \"10000000\"", "clip_max = \"1500\"")
        .replace("short_max = \"1000000000\"", "short_max = \"900\"");
    let config = stage.config_with(&format!("headroom-{}", std::process::id()), &limits);
    let mut engine = config.engine.clone();
    engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(50_000);
    engine.feeds[0].silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
    engine.strategies[0].every = 10;
    engine.journal.as_mut().unwrap().folder = stage.folder.path().join("journal");
    let plan = Plan {
        config: config.with_engine(engine.clone()),
        script: Script::default(),
        shared: true,
        ends_with_feed: true,
        drive_stream: None,
    };
    let running = runtime::start(plan).unwrap();
    let mut client = attach(&engine.name, || running.has_ended()).expect("an engine that runs");
    let listed = |client: &shm::Client| client.control().map_or(0, |control| control.instruments);
    while listed(&client) < WATCHED && !running.has_ended() {
        std::thread::sleep(Duration::from_micros(500));
    }
    for instrument in 0..WATCHED {
        client.send(&asks_of(InstrumentId(instrument))).unwrap();
    }
    let mut seen: BTreeMap<(u64, AccountId, InstrumentId), Rooms> = BTreeMap::new();
    let since = Instant::now();
    while seen.len() < SEEN && !running.has_ended() && since.elapsed() < PATIENCE {
        let lines = client.control().map_or(0, |control| control.lines as usize);
        let watches = (0..shm::WATCHES as usize).filter_map(|place| client.watch(place).ok());
        for line in (0..lines).filter_map(|slot| client.line(slot).ok()).chain(watches) {
            let Line { account, instrument, headroom, .. } = line;
            if let Some(rooms) = headroom {
                assert!(rooms.engine_seq <= line.as_of.engine_seq);
                seen.insert((rooms.engine_seq, account, instrument), rooms);
            }
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    let hash = running.finish().unwrap().engine.state_hash();

    let mut replay = Replay::open(&engine.journal.as_ref().unwrap().folder).unwrap().unwrap();
    let mut binds: BTreeMap<Reject, BTreeSet<Qty>> = BTreeMap::new();
    for ((seq, account, instrument), rooms) in &seen {
        replay.run(Some(*seq), |_| ()).unwrap();
        assert_eq!(*rooms, replay.engine.rooms(*account, *instrument, None));
        for most in rooms.sides.into_iter().filter_map(|room| Some(room.ok()?.most)) {
            binds.entry(most.binds).or_default().insert(most.qty);
        }
    }
    let kinds: Vec<_> = binds.iter().map(|(binds, most)| (binds, most.len())).collect();
    println!("{} read in {:?}, quantities by what binds: {kinds:?}", seen.len(), since.elapsed());
    assert!(seen.len() >= 20, "{}", seen.len());
    let watched: BTreeSet<_> =
        seen.keys().filter(|(_, account, _)| *account == NOBODYS).map(|key| key.2).collect();
    assert_eq!(watched.len(), WATCHED as usize, "an instrument that a client asked of has a page");
    assert!(kinds.iter().filter(|(_, quantities)| *quantities > 1).count() >= 2, "{kinds:?}");
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed);
    assert_eq!(replay.engine.state_hash(), hash);
}
