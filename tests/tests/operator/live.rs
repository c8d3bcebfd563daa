//! Live trading as processes: the real engine, a simulated venue that takes orders over a socket, a kill in the middle, the kill
//! switch.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::config::AtStop;
use engine::replay::Replay;
use model::page::AnswerKind;
use model::{OrderId, OrderState, Reject, Verdict};
use serde_json::json;
use sim::ouch::{Faults, Server};
use tests::place::{self, Place, halted, lasting_limits, until};

/// Orders that rest when the halt comes; `TICKGATE_ORDERS` sets another number.
fn orders() -> u64 {
    std::env::var("TICKGATE_ORDERS").map_or(200, |n| n.parse().unwrap())
}

/// A venue that takes orders, and a place for an engine that sends it some.
fn live(name: &str) -> (Server, Place) {
    stopping(name, AtStop::Leave)
}

/// The same with an engine that is stopped so.
fn stopping(name: &str, at_stop: AtStop) -> (Server, Place) {
    let server = place::venue();
    let place = Place::live(name, &lasting_limits(), &server, |engine| {
        engine.venue.as_mut().unwrap().at_stop = at_stop;
    });
    (server, place)
}

fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

/// Goal: after a kill with orders open, all of them are in doubt and nothing new passes until the venue has said where they
/// stand; no fill is lost, those that happened meanwhile among them; no order is sent twice; all goes on. Method: kill -9
/// of the engine's process, trades while it is gone, a venue that stands still until the doubt was seen.
#[test]
fn killed_with_orders_open() {
    let (server, place) = live("live-kill");
    let engine = place.start();
    let mut trader = place.trader();
    let orders: Vec<OrderId> = (0..40).map(|_| trader.rests()).collect();
    orders.iter().for_each(|order| trader.reaches(*order, OrderState::Working));
    assert_eq!(server.with(|venue| venue.open().count()), 40);
    let gateway = &place.status()["gateway"];
    assert_eq!((&gateway["state"], &gateway["in_doubt"]), (&json!("connected"), &json!(0)));
    assert_eq!(gateway["address"], server.address().to_string());
    assert!(gateway["report_age_ms"].is_u64() && gateway["session"].is_string(), "{gateway:#}");
    server.with(|venue| venue.set_faults(Faults { trade_per_mille: 20, ..Faults::NONE }));
    until("no trades", || server.counters().trades >= 5);
    drop(trader);
    engine.dies();
    let before = server.counters().trades;
    until("no trades", || server.counters().trades >= before + 5);

    let (engine, mut trader) = server.with(|venue| {
        venue.set_faults(Faults::NONE);
        let engine = place.start();
        let mut trader = place.trader();
        for (order, known) in orders.iter().zip(venue.orders()) {
            if known.open > 0 {
                trader.reaches(*order, OrderState::Unknown);
            }
        }
        let answer = trader.asks();
        assert_eq!(answer.kind, AnswerKind::Refused);
        assert_ne!(answer.verdict.bits & Verdict::bit(Reject::Reconciling), 0, "{answer:?}");
        let gateway = &place.status()["gateway"];
        assert_ne!(gateway["state"], "connected", "{gateway:#}");
        assert!(gateway["in_doubt"].as_u64() > Some(0), "{gateway:#}");
        assert_eq!(venue.counters().orders, 40);
        (engine, trader)
    });
    let begun = Instant::now();
    for (at, order) in orders.iter().enumerate() {
        let filled = server.with(|venue| {
            let named = venue.orders().nth(at).unwrap().name;
            let trades = venue.trades().iter().filter(|trade| trade.name == named);
            trades.map(|trade| i64::from(trade.qty)).sum::<i64>()
        });
        if filled == 0 {
            trader.reaches(*order, OrderState::Working);
        } else if let Some(cell) = trader.order(*order) {
            trader.reaches(*order, OrderState::Filled);
            assert!(cell.filled.0 <= filled, "{order:?}");
        }
    }
    println!("reconciled {:?} after the venue was heard again", begun.elapsed());
    let bought = server.counters().trades as i64; // One share each.
    let lines = |line: &model::page::Line| line.account.0 == 0;
    let count = trader.client.control().unwrap().lines as usize;
    let held: i64 = (0..count)
        .filter_map(|slot| trader.client.line(slot).ok())
        .filter(lines)
        .map(|line| line.position.0)
        .sum();
    assert_eq!(held, bought, "every fill is booked once");
    let another = trader.rests();
    trader.reaches(another, OrderState::Working);
    assert!(trader.cancels(another));
    trader.reaches(another, OrderState::Cancelled);
    let counters = server.counters();
    assert_eq!((counters.orders, counters.twice, counters.bad), (41, 0, 0));
    drop(trader);
    engine.ends();
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed && replay.fault().is_none());
}

/// Goal: a clean stop leaves no order at the venue if it is told so, sends nothing new, and the next start goes on from there.
/// Method: orders that rest, some of which trade meanwhile; the venue's own books.
#[test]
fn stop_cancels() {
    let (server, place) = stopping("live-stop", AtStop::Cancel(60_000_000_000));
    let engine = place.start();
    let mut trader = place.trader();
    let orders: Vec<OrderId> = (0..orders()).map(|_| trader.rests()).collect();
    orders.iter().for_each(|order| trader.reaches(*order, OrderState::Working));
    let faults = Faults { trade_per_mille: 100, delay_ns: 20_000_000, ..Faults::NONE };
    server.with(|venue| venue.set_faults(faults));
    engine.is_asked_to_end();
    until("nothing is cancelled", || server.counters().cancels > 0);
    let asked = server.counters();
    engine.has_ended(); // Another signal would not wait.
    let counters = server.counters();
    assert_eq!(server.with(|venue| venue.open().count()), 0);
    assert_eq!((counters.orders, counters.twice, counters.bad), (asked.orders, 0, 0));
    assert!(place.log().contains("nothing is open"), "{}", place.log());
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed && replay.fault().is_none());
    assert_eq!(replay.engine.orders().open().count(), 0);
    server.with(|venue| venue.set_faults(Faults::NONE));
    drop(trader);
    let engine = place.start();
    let mut trader = place.trader();
    let order = trader.rests();
    trader.reaches(order, OrderState::Working);
    drop(trader);
    engine.ends();
    assert_eq!(server.with(|venue| venue.open().count()), 0);
    assert_eq!((server.counters().orders, server.counters().twice), (counters.orders + 1, 0));
}

/// Goal: a stop waits for a venue that does not confirm no longer than it is told, says which orders it leaves, and does not
/// wait at all after a second signal a while later; the next start reconciles either way, as it does where orders are to stay.
/// Method: a venue that refuses every cancel, stopped with little patience, with much and twice, and told to leave.
#[test]
fn stop_leaves() {
    for (name, at_stop, signals) in [
        ("live-stop-slow", AtStop::Cancel(300_000_000), 1),
        ("live-stop-twice", AtStop::Cancel(60_000_000_000), 2),
        ("live-stop-leave", AtStop::Leave, 1),
    ] {
        let (server, place) = stopping(name, at_stop);
        let engine = place.start();
        let mut trader = place.trader();
        let orders: Vec<OrderId> = (0..5).map(|_| trader.rests()).collect();
        orders.iter().for_each(|order| trader.reaches(*order, OrderState::Working));
        server.with(|venue| venue.set_faults(Faults { keep_per_mille: 1_000, ..Faults::NONE }));
        let begun = Instant::now();
        if signals == 2 {
            engine.is_asked_to_end();
            until("nothing is cancelled", || server.counters().cancels > 0);
            assert!(halted(&trader.asks()), "a new order while it stops");
            std::thread::sleep(Duration::from_millis(300)); // One signal that comes twice is one.
        }
        engine.ends();
        assert!(begun.elapsed() < Duration::from_secs(30), "{name}: {:?}", begun.elapsed());
        assert_eq!(server.with(|venue| venue.open().count()), 5, "{name}");
        assert_eq!(server.counters().cancels > 0, at_stop != AtStop::Leave, "{name}");
        let told = place.log().contains("5 orders may be open at the venue still");
        assert_eq!(told, name == "live-stop-slow", "{}", place.log());
        drop(trader);
        server.with(|venue| venue.set_faults(Faults::NONE));
        let engine = place.start();
        let trader = place.trader();
        for order in orders {
            until("never reconciled", || {
                let state = trader.order(order).map(|cell| cell.state);
                // A cancel whose answer was not heard is asked again.
                let gone = state.is_none_or(|state| state == OrderState::Cancelled);
                gone && at_stop != AtStop::Leave || state == Some(OrderState::Working)
            });
        }
        drop(trader);
        engine.dies();
    }
}

/// Goal: after `tickgate halt` was answered no new order reaches the venue, and everything that was open is cancelled there.
/// Method: a client that goes on asking while another process halts; times as the venue saw them.
#[test]
fn halted_while_trading() {
    let (server, place) = live("live-halt");
    let engine = place.start();
    let mut trader = place.trader();
    let resting: Vec<_> = (0..orders()).map(|_| trader.rests()).collect();
    let (asked, answered) = std::thread::scope(|scope| {
        let halt = scope.spawn(|| {
            let asked = wall_ns();
            let done = place.done("tickgate-halt", &["--operator", "ann", "--reason", "live"]);
            assert_eq!(done["latched"], json!(true), "{done}");
            (asked, wall_ns())
        });
        until("never halted", || halted(&trader.asks()));
        halt.join().unwrap()
    });
    until("orders stay open", || server.with(|venue| venue.open().count() == 0));
    resting.iter().for_each(|order| trader.reaches(*order, OrderState::Cancelled));
    let counters = server.counters();
    let since = |at: u64| Duration::from_nanos(at.saturating_sub(asked));
    println!(
        "halt asked; last new order {:?}, answered {:?}, last of {} cancels {:?} later",
        since(counters.last_order_at),
        since(answered),
        counters.cancels,
        since(counters.last_cancel_at),
    );
    assert!(counters.last_order_at <= answered, "a new order after the halt");
    assert!(
        counters.orders >= orders() && counters.twice == 0 && counters.bad == 0,
        "{counters:?}"
    );
    std::thread::sleep(Duration::from_millis(200));
    assert!(halted(&trader.asks()));
    assert_eq!(server.counters().orders, counters.orders);
    engine.ends();
}
