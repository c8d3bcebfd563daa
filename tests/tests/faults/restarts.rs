//! An engine that is started again and again, and never gets far.

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use engine::journal::epoch;
use model::{OrderId, OrderState};
use serde_json::json;
use tests::place::{Place, Trader, lasting_limits, until, venue};
use tests::rogue::Dice;

use crate::replayed;

/// Starts that end at once.
const STARTS: u64 = 12;

/// What stands in a journal's folder: names and lengths, and when each was written; but for the lock, which names its holder.
fn files(place: &Place) -> BTreeSet<(PathBuf, u64, SystemTime)> {
    let entries = std::fs::read_dir(place.journal()).unwrap().map(|entry| entry.unwrap());
    let of = |entry: DirEntry| {
        let meta = entry.metadata().unwrap();
        (entry.path(), meta.len(), meta.modified().unwrap())
    };
    entries.filter(|entry| entry.file_name() != "lock").map(of).collect()
}

/// Goal: however often a start is killed, and wherever: no order is sent again, none is forgotten, each start that got as far
/// took one epoch, and what it leaves in the journal's folder is bounded. Starts that are refused leave nothing at all. Method:
/// orders at a venue, kill -9, starts that are killed at random moments up to their first seconds, starts with limits that are
/// not those of the journal; then one that is left alone.
#[test]
fn starts_that_die_change_nothing() {
    let server = venue();
    let place = Place::live("fault-starts", &lasting_limits(), &server, |_| ());
    let engine = place.start();
    let mut trader = place.trader();
    let orders: Vec<OrderId> = (0..10).map(|_| trader.rests()).collect();
    orders.iter().for_each(|order| trader.reaches(*order, OrderState::Working));
    drop(trader);
    engine.dies();

    let words = ["run", "--config", &place.config_path()];
    let (begun, before, mut dice) = (replayed(&place), files(&place), Dice(19));
    let mut opened = begun.opened;
    for _ in 0..STARTS {
        let engine = place.begin("tickgate", &words);
        std::thread::sleep(Duration::from_millis(dice.below(1_200)));
        engine.dies();
        let replay = replayed(&place);
        let known = orders.iter().filter(|order| replay.engine.orders().get(**order).is_some());
        assert_eq!(known.count(), orders.len(), "forgotten");
        assert!(replay.opened <= opened + 1, "one start opened it twice");
        opened = replay.opened;
    }
    let last = epoch::current(&place.journal()).unwrap().unwrap();
    println!("{STARTS} starts: {} opened the journal, epoch {last}", opened - begun.opened);
    assert!(opened > begun.opened, "none got as far as the journal");
    assert!(u64::from(last) >= opened - 1 && u64::from(last) <= STARTS, "epoch {last}");
    assert_eq!(replayed(&place).tail().segment, begun.tail().segment, "it grows");
    assert!(files(&place).len() <= before.len() + 2, "{:?}", files(&place));
    let counters = server.counters();
    assert_eq!((counters.orders, counters.twice, counters.cancels), (10, 0, 0));

    let kept = files(&place);
    let limits = PathBuf::from(place.config_path()).with_file_name("limits.toml");
    let good = std::fs::read_to_string(&limits).unwrap();
    std::fs::write(&limits, good.replace("cash = \"1000000000000\"", "cash = \"5\"")).unwrap();
    for _ in 0..5 {
        assert_eq!(place.run("tickgate", &words).0, 2, "{}", place.log());
    }
    assert_eq!(files(&place), kept, "a start that is refused leaves something");
    std::fs::write(&limits, good).unwrap();

    let engine = place.start();
    until("never reconciled", || {
        let gateway = &place.status()["gateway"];
        gateway["state"] == "connected" && gateway["in_doubt"] == json!(0)
    });
    let mut trader: Trader = place.trader();
    orders.iter().for_each(|order| trader.reaches(*order, OrderState::Working));
    let another = trader.rests();
    trader.reaches(another, OrderState::Working);
    drop(trader);
    engine.ends();
    let counters = server.counters();
    assert_eq!((counters.orders, counters.twice, counters.cancels), (11, 0, 0));
    assert!(replayed(&place).closed);
}
