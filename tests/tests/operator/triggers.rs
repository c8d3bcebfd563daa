//! The triggers of the kill switch in the whole engine: what goes off is in status, latch file and journal, and stays.

use std::time::{Duration, Instant};

use engine::replay::Replay;
use model::{AccountId, Ask, HaltLevel, Note, OrderState, Origin, Request};
use serde_json::{Value, json};
use tests::WIDE_LIMITS;

use super::place::{PASSPHRASE, PATIENCE, Place, Trader, halted};

/// The first account, which is the traders', with a trigger of its own.
fn limits(off: &str, on: &str) -> String {
    WIDE_LIMITS.replacen(off, on, 1)
}

fn trigger(status: &Value, name: &str) -> Value {
    let triggers = status["triggers"].as_array().unwrap();
    let is_it = |trigger: &&Value| trigger["name"] == name && trigger["scope"]["name"] != "probe";
    triggers.iter().find(is_it).unwrap().clone()
}

fn until_halted(place: &Place) -> Value {
    let since = Instant::now();
    loop {
        let status = place.status();
        if status["halt_count"] != 0 {
            return status;
        }
        assert!(since.elapsed() < PATIENCE, "nothing went off: {status:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn resumes(place: &Place, scope: &[&str]) {
    let words = ["--operator", "ann", "--reason", "seen", "--json"];
    let (code, said) = place.typed("tickgate-resume", &[&words, scope].concat(), &[PASSPHRASE]);
    assert_eq!(code, 0, "{said}");
}

fn beats(trader: &mut Trader) {
    let (account, note) = (AccountId(0), Note::default());
    let beat = Request { id: 0, origin: Origin::File, account, ask: Ask::Beat, note };
    trader.client.send(&beat).unwrap();
}

fn replays(place: &Place) {
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed);
}

/// Goal: one refusal more than may be halts the account; status counts up to it; a start comes up so, with the journal and by
/// the latch file alone; no client undoes it, an operator does; the journal replays to the same hash. Method: an account to
/// which every order is too large.
#[test]
fn a_storm_stays_halted() {
    let off = "refusals_max = \"off\"";
    let on = "refusals_max = 5\nrefusals_window_ms = 86400000";
    let limits = limits(off, on).replacen("clip_max = \"10000000\"", "clip_max = \"0\"", 1);
    let place = Place::with_limits("storm", &limits);
    place.passwd("ann", PASSPHRASE);
    let engine = place.start();
    let mut trader = place.trader();
    for _ in 0..5 {
        assert!(!halted(&trader.asks()));
    }
    std::thread::sleep(Duration::from_millis(500)); // Figures are as old as a tenth of a second.
    let seen = trigger(&place.status(), "refusals_max");
    assert_eq!(
        (&seen["used"], &seen["limit"], &seen["beyond"]),
        (&json!("5"), &json!("5"), &json!(false))
    );
    assert_eq!((&seen["cause"], &seen["level"]), (&json!("reject_storm"), &json!("cancel_only")));
    assert!(!halted(&trader.asks()), "this one is the one too many");
    assert!(halted(&trader.asks()));
    let status = until_halted(&place);
    let expected = json!({"kind": "account", "name": "agent"});
    let is_so = |status: &Value| {
        let halt = &status["halts"][0];
        assert_eq!((&halt["scope"], &halt["cause"]), (&expected, &json!("reject_storm")));
        assert_eq!(halt["level"], HaltLevel::CancelOnly.name());
    };
    is_so(&status);
    assert!(place.log().contains("reject_storm"), "the log tells");
    assert!(place.run("tickgate-status", &[]).1.contains("trigger refusals_max of account agent"));
    drop(trader);
    engine.dies();

    let engine = place.start();
    is_so(&place.status());
    let mut trader = place.trader();
    assert!(halted(&trader.asks()));
    drop(trader);
    engine.ends();
    replays(&place);

    std::fs::rename(place.journal().join("halts.json"), place.journal().with_extension("kept"))
        .unwrap();
    std::fs::remove_dir_all(place.journal()).unwrap();
    std::fs::create_dir(place.journal()).unwrap();
    std::fs::rename(place.journal().with_extension("kept"), place.journal().join("halts.json"))
        .unwrap();
    let engine = place.start();
    is_so(&place.status());
    let mut trader = place.trader();
    assert!(halted(&trader.asks()));
    resumes(&place, &["--account", "agent"]);
    assert!(!halted(&trader.asks()));
    drop(trader);
    engine.ends();
    replays(&place);
}

/// Goal: a client that beats keeps its orders; one that hangs loses them and its account is halted until an operator resumes it,
/// also when it speaks again and after a kill; the journal replays to the same hash. Method: a trader that beats without
/// asking, then does nothing.
#[test]
fn a_silent_client_is_halted() {
    let place =
        Place::with_limits("silent", &limits("dead_man_ms = \"off\"", "dead_man_ms = 1000"));
    place.passwd("ann", PASSPHRASE);
    let engine = place.start();
    let mut trader = place.trader();
    trader.rests();
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(2_500) {
        beats(&mut trader);
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = place.status();
    assert_eq!(status["halt_count"], 0, "{status:#}");
    assert!(trader.client.poll_answer().is_none(), "a beat is not answered");

    let order = trader.rests();
    let begun = Instant::now();
    let mut status = place.status();
    while status["halt_count"] == 0 {
        assert!(begun.elapsed() < PATIENCE, "{status:#}");
        std::thread::sleep(Duration::from_millis(20));
        if trader.client.order(order.slot()).is_ok_and(|cell| !cell.state.is_open()) {
            break; // Cancelled by the timer, or the day ended before it.
        }
        status = place.status();
    }
    println!("its orders were cancelled {:?} after it was heard last", begun.elapsed());
    trader.reaches(order, OrderState::Cancelled);
    let status = until_halted(&place);
    let halt = &status["halts"][0];
    assert_eq!((&halt["cause"], &halt["scope"]["name"]), (&json!("heartbeat"), &json!("agent")));
    beats(&mut trader);
    assert!(halted(&trader.asks()), "to speak is not to be resumed");
    drop(trader);
    engine.dies();

    let engine = place.start();
    assert_eq!(place.status()["halts"][0]["cause"], "heartbeat");
    let mut trader = place.trader();
    assert!(halted(&trader.asks()));
    resumes(&place, &["--account", "agent"]);
    trader.rests();
    drop(trader);
    engine.ends();
    replays(&place);
}

/// Goal: an engine that is told to begin so takes cancels only at every start, until an operator resumes it. Method: two starts.
#[test]
fn a_start_waits_for_an_operator() {
    let place = Place::with_limits("start", WIDE_LIMITS).starting_at(HaltLevel::CancelOnly);
    place.passwd("ann", PASSPHRASE);
    for _ in 0..2 {
        let engine = place.start();
        let status = place.status();
        let halt = &status["halts"][0];
        assert_eq!((&halt["cause"], &halt["level"]), (&json!("start"), &json!("cancel_only")));
        let mut trader = place.trader();
        assert!(halted(&trader.asks()));
        resumes(&place, &["--all"]);
        trader.rests();
        drop(trader);
        engine.ends();
    }
    replays(&place);
}
