//! An order beyond a soft limit, approved at a terminal while the engine runs.

use std::time::Instant;

use engine::config::Speed;
use engine::replay::Replay;
use model::page::{Answer, AnswerKind};
use model::{Reject, Verdict};
use serde_json::{Value, json};
use tests::WIDE_LIMITS;

use crate::place::{PASSPHRASE, PATIENCE, Place, Trader};

/// A place where every order needs approval, and ann may give it. Slow enough for an approval of a day to last.
fn place(name: &str) -> Place {
    let limits = WIDE_LIMITS.replace("soft_clip_max = \"off\"", "soft_clip_max = \"0\"");
    let place = Place::with(name, &limits, |_, engine| {
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(500);
    });
    place.passwd("ann", PASSPHRASE);
    place
}

/// Asks until nothing but a soft limit refuses it.
fn asks(trader: &mut Trader) -> Answer {
    let since = Instant::now();
    loop {
        let answer = trader.asks();
        let waits = answer.verdict.bits == Verdict::bit(Reject::NeedsApproval);
        if answer.kind == AnswerKind::Accepted || waits {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "{answer:?}");
        trader.looks_again();
    }
}

/// Goal: an order beyond a soft limit names its number and is listed; the right person approves it, a wrong passphrase or none
/// does not; the approval survives a kill and a stop, and the journal replays to the same state. Method: every command as a
/// process; orders of a client in between.
#[test]
fn an_order_is_approved() {
    let place = place("approve");
    let engine = place.start();
    let mut trader = place.trader();
    let listed = || place.done("tickgate-approve", &["--list"])["approvals"].clone();
    assert_eq!(listed(), json!([]));
    let number = asks(&mut trader).approval;
    assert_ne!(number, 0);
    let symbol = trader.symbol();
    let list = listed();
    let of = |list: &Value| {
        list.as_array().unwrap().iter().find(|one| one["number"] == number).unwrap().clone()
    };
    let one = of(&list);
    assert_eq!((&one["number"], &one["until_ns"]), (&json!(number), &Value::Null), "{list}");
    assert_eq!((&one["account"], &one["side"]), (&json!("agent"), &json!("buy")));
    assert_eq!((&one["symbol"], &one["qty"]), (&json!(symbol), &json!("1")));
    assert_eq!(one["beyond"], json!(["soft_clip_max"]));

    let name = number.to_string();
    let approve = |number: &str, typed: &str, more: &[&str]| {
        let words = [number, "--operator", "ann", "--reason", "seen", "--seconds", "86400"];
        place.typed("tickgate-approve", &[&words, more].concat(), &[typed])
    };
    let words = [name.as_str(), "--operator", "ann", "--reason", "seen"];
    assert_eq!(place.run("tickgate-approve", &words).0, 2, "a passphrase is typed at a terminal");
    let (code, said) = approve(&name, "not her passphrase", &[]);
    assert!(code == 5 && said.contains("wrong_passphrase"), "{said}");
    let words = ["99999", "--operator", "ann", "--reason", "seen"];
    let (code, said) = place.run("tickgate-approve", &words);
    assert!(code == 5 && said.contains("not_waiting"), "{said}");
    assert_eq!(place.run("tickgate-approve", &[]).0, 2);
    assert_eq!(asks(&mut trader).kind, AnswerKind::Refused, "nothing of that approved it");
    let (code, said) = approve(&name, PASSPHRASE, &[]);
    assert!(code == 0 && said.contains("approved once"), "{said}");
    assert!(of(&listed())["until_ns"].is_u64());
    engine.dies();

    let engine = place.start();
    let before = of(&listed());
    assert!(before["until_ns"].is_u64(), "{before}");
    engine.ends();
    let engine = place.start();
    assert_eq!(of(&listed()), before, "a snapshot holds it too");
    engine.ends();
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed);
    assert!(!place.holds(PASSPHRASE), "a passphrase was written somewhere");
}

/// Goal: what was approved passes once while the engine runs. Method: ask, approve, ask twice.
#[test]
fn it_passes_once() {
    let place = place("once");
    let engine = place.start();
    let mut trader = place.trader();
    let since = Instant::now();
    loop {
        let number = asks(&mut trader).approval.to_string();
        let words = [&number, "--operator", "ann", "--reason", "seen", "--seconds", "86400"];
        assert_eq!(place.typed("tickgate-approve", &words, &[PASSPHRASE]).0, 0);
        // The market moves at a great pace: what it asks for may not be what was approved.
        if asks(&mut trader).kind == AnswerKind::Accepted {
            break;
        }
        assert!(since.elapsed() < PATIENCE);
    }
    let again = asks(&mut trader);
    assert!(again.kind == AnswerKind::Refused && again.approval != 0);
    drop(trader);
    engine.ends();
}
