//! A journal that falls behind, or fails, under an engine that trades at a venue.

use std::io::Cursor;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use engine::config::{Durability, FeedSource, Lines, Speed};
use engine::replay::Replay;
use model::page::{AnswerKind, TapeKind};
use model::{OrderId, OrderState, Reject, Verdict};
use serde_json::json;
use sim::mold::Pace;
use sim::net::Publisher;
use sim::ouch::Server;
use tests::place::{PATIENCE, Place, Trader, lasting_limits, until, venue};
use tests::preload::Disk;

use crate::replayed;

/// Entries that the ring to the journal holds, and how many of them are kept for what must pass.
const ENTRIES: u64 = 1 << 14;
const RESERVED: u32 = 512;

/// An engine that sends only what is on the disk.
fn synced(name: &str) -> (Server, Place) {
    let server = venue();
    let place = Place::live(name, &lasting_limits(), &server, |engine| {
        engine.journal.as_mut().unwrap().durability = Durability::Synced;
        // Answers are not overdue while the disk is awaited: a question would wait in the gateway as well.
        engine.venue.as_mut().unwrap().ack_timeout_ns = 60_000_000_000;
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(500);
    });
    (server, place.lied_to())
}

/// Sends orders until so many of them wait in the gateway.
fn wait(place: &Place, trader: &mut Trader, count: u64) {
    let queued = || place.status()["gateway"]["queued"].as_u64().unwrap();
    let (mut sent, begun) = (0, Instant::now());
    while queued() < count {
        assert!(begun.elapsed() < PATIENCE, "{} of {count} wait", queued());
        if sent < 20 * count {
            trader.sends();
            sent += 1;
        }
    }
}

/// Goal: what is sent never outruns what is on the disk: orders whose record is not synced wait in the gateway, cancels do not;
/// the sync sends them, each once; after a kill before it, none of them ever goes out, and none stays reserved. Method: an
/// engine whose syncs do not return for a while, a venue that counts; then the same and kill -9.
#[test]
fn orders_wait_for_the_disk() {
    let (server, place) = synced("fault-lag");
    let engine = place.start();
    let mut trader = place.trader();
    let resting: Vec<OrderId> = (0..3).map(|_| trader.rests()).collect();
    resting.iter().for_each(|order| trader.reaches(*order, OrderState::Working));

    place.preload().set_disk(Disk::Stalls);
    wait(&place, &mut trader, 4);
    trader.sends_cancel(resting[0]);
    until("the cancel waits for the disk", || server.counters().cancels == 1);
    assert_eq!(server.counters().orders, 3, "sent before it was on the disk");
    let waiting = place.status()["gateway"]["queued"].as_u64().unwrap();
    place.preload().set_disk(Disk::Sound);
    until("orders stay in the gateway", || place.status()["gateway"]["queued"] == json!(0));
    until("orders are lost", || server.counters().orders >= 3 + waiting);
    let one = trader.rests();
    trader.reaches(one, OrderState::Working);
    let sent = server.counters().orders;

    place.preload().set_disk(Disk::Stalls);
    wait(&place, &mut trader, 4);
    drop(trader);
    engine.dies();
    place.preload().set_disk(Disk::Sound);
    let engine = place.start();
    until("never reconciled", || {
        let gateway = &place.status()["gateway"];
        gateway["state"] == "connected" && gateway["in_doubt"] == json!(0)
    });
    assert_eq!(
        server.counters().orders,
        sent,
        "what was not sent before the kill is sent after it"
    );
    let mut trader = place.trader();
    let another = trader.rests();
    trader.reaches(another, OrderState::Working);
    drop(trader);
    engine.ends();
    let counters = server.counters();
    assert_eq!((counters.orders, counters.twice, counters.bad), (sent + 1, 0, 0));
    let open = server.with(|venue| venue.open().count());
    assert_eq!(replayed(&place).engine.orders().open().count(), open, "something stays reserved");
}

/// Goal: a disk that hangs under a live market holds the market up and nothing else: new orders stop, the engine goes round,
/// cancels go through it, nothing of the reserve for them is used up; and the market goes on when the disk does. Method: a
/// venue that publishes on, syncs that do not return until more was published than the journal's ring holds.
#[test]
fn a_disk_that_hangs_holds_only_the_market_up() {
    let line = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut day = Vec::new();
    let place = Place::with("fault-hang", &lasting_limits(), |stage, engine| {
        day = std::fs::read(&stage.capture).unwrap();
        engine.feeds[0].source = FeedSource::Lines(Lines {
            lines: vec![line],
            interface: Ipv4Addr::LOCALHOST,
            request: None,
            snapshot: None,
            receive_buffer: 1 << 20,
            busy_poll_us: 0,
        });
        engine.journal.as_mut().unwrap().durability = Durability::Synced;
        engine.capacity.own_orders = RESERVED / 2;
        engine.stalled_ns = 2_000_000_000;
        engine.strategies.clear();
    });
    let place = place.lied_to();
    let engine = place.start();
    let mut config = sim::net::Config::new(line, line);
    (config.line_b, config.mold.pace) = (None, Pace::PacketsPerSecond(4_000));
    config.mold.packet_messages_max = 4;
    let market = Publisher::start(config, sim::source::binary_file(Cursor::new(day))).unwrap();
    let count = |of: &str| place.status()["journal"][of].as_u64().unwrap();
    let heard = || place.status()["feeds"][0]["messages"].as_u64().unwrap();
    until("no market", || heard() > 8_000);
    let mut trader = place.trader();
    let resting = trader.rests();

    place.preload().set_disk(Disk::Stalls);
    until("nobody notices", || place.status()["journal"]["full"] == json!(true));
    trader.sends_cancel(resting);
    trader.reaches(resting, OrderState::Cancelled);
    std::thread::sleep(Duration::from_secs(3)); // Longer than the watchdog waits.
    let status = place.status();
    assert_eq!(status["halts"], json!([]), "the engine stood still");
    assert!(count("unwritten") < ENTRIES - u64::from(RESERVED), "the market ate the reserve");
    let held = status["engine_seq"].as_u64().unwrap();

    place.preload().set_disk(Disk::Sound);
    until("it stays full", || place.status()["journal"]["full"] == json!(false));
    until("the market stands", || place.status()["engine_seq"].as_u64().unwrap() > held + 8_000);
    drop((market, trader));
    engine.ends();
    replayed(&place);
}

/// Goal: an engine whose disk fails sends nothing new, whatever fails and for how long, and its cancels still go out; it does not
/// go on when the disk is sound again; the next start does, with all that was at the venue. Method: no space, errors, halves
/// of writes, syncs that fail, each for a while under a running engine.
#[test]
fn a_disk_that_fails_lets_cancels_pass() {
    for disk in [Disk::NoSpace, Disk::IoError, Disk::Half, Disk::LostSync] {
        let (server, place) = synced("fault-disk");
        let engine = place.start();
        let mut trader = place.trader();
        let resting: Vec<OrderId> = (0..3).map(|_| trader.rests()).collect();
        resting.iter().for_each(|order| trader.reaches(*order, OrderState::Working));
        place.preload().set_disk(disk);
        until("nobody notices", || place.status()["journal"]["full"] == json!(true));
        place.preload().set_disk(Disk::Sound);
        let refused = |trader: &mut Trader| {
            let answer = trader.asks();
            let full = Verdict::bit(Reject::JournalFull);
            assert_ne!(answer.verdict.bits & full, 0, "{disk:?}: {answer:?}");
        };
        refused(&mut trader);
        assert!(trader.cancels(resting[0]), "{disk:?}");
        trader.reaches(resting[0], OrderState::Cancelled);
        refused(&mut trader);
        assert_eq!(server.counters().orders, 3, "{disk:?}");
        drop(trader);
        engine.dies();

        let engine = place.start();
        let mut trader = place.trader();
        for order in &resting[1..] {
            trader.reaches(*order, OrderState::Working);
        }
        let another = trader.rests();
        trader.reaches(another, OrderState::Working);
        drop(trader);
        engine.ends();
        let counters = server.counters();
        assert_eq!((counters.orders, counters.twice, counters.bad), (4, 0, 0), "{disk:?}");
        let open = server.with(|venue| venue.open().count());
        assert_eq!(replayed(&place).engine.orders().open().count(), open, "{disk:?}");
    }
}

/// Goal: while the audit log's disk takes nothing, new orders stop and cancels go out; no record of what passed is dropped, and
/// orders pass again when it takes them. Method: an engine whose log's syncs do not return for a while, asked on and on; then
/// the log and the journal side by side.
#[test]
fn orders_wait_for_the_audit_log() {
    let (server, place) = synced("fault-audit");
    let engine = place.start();
    let mut trader = place.trader();
    let resting = trader.rests();
    trader.reaches(resting, OrderState::Working);
    place.preload().set_audit_disk(Disk::Stalls);
    let full = Verdict::bit(Reject::AuditFull);
    until("orders pass without a log", || trader.asks().verdict.bits & full != 0);
    let passed = server.counters().orders;
    assert!(trader.cancels(resting));
    trader.reaches(resting, OrderState::Cancelled);
    assert_ne!(trader.asks().verdict.bits & full, 0, "it waits still");
    assert_eq!(server.counters().orders, passed, "sent without a log");
    place.preload().set_audit_disk(Disk::Sound);
    until("it does not go on", || trader.asks().kind == AnswerKind::Accepted);
    drop(trader);
    engine.ends();

    let folder = std::path::PathBuf::from(place.config_path()).with_file_name("audit");
    let folder = folder.display().to_string();
    let (code, said) = place.run("tickgate-audit", &["show", &folder, "--json"]);
    assert_eq!(code, 0, "{said}");
    let in_log = said.lines().filter(|line| line.contains("\"kind\":\"passed\"")).count();
    let mut in_journal = 0;
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    let is_passed = |record: &&model::page::TapeRecord| record.kind == TapeKind::Passed;
    replay
        .watch(None, |seen| in_journal += seen.out.tape.iter().filter(is_passed).count())
        .unwrap();
    assert!(in_journal > 1 && in_log == in_journal, "{in_log} of {in_journal}");
}
