//! Baskets, sent together or not at all: of an order file, exported, explained and judged again under other limits; and of
//! clients over shared memory.

use std::process::Command;

use engine::config::Speed;
use engine::replay::Replay;
use model::page::{Answer, AnswerKind, TapeKind, TapeRecord};
use model::{BasketEnd, Money, OrderId, OrderState, Reject};
use serde_json::{Value, json};
use tests::place::{Place, Trader};
use tests::{Stage, WIDE_LIMITS, program};

/// More than the baskets of clients come to.
const ENOUGH: Money = Money(1_000_000 * 1_000_000_000_000);

/// The limits with the most that a basket of the agent may come to.
fn limits(basket_max: &str) -> String {
    WIDE_LIMITS.replacen("basket_max = \"off\"", &format!("basket_max = {basket_max}"), 1)
}

/// Runs a program; its exit code and what it printed.
fn run(name: &str, words: &[&str]) -> (i32, String) {
    let output = Command::new(program(name)).args(words).output().unwrap();
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Goal: an order file can ask for baskets, and a user finds out what became of each. Method: one refused when it is announced,
/// one that is sent, one of which a leg brings too much; exported, explained, and under limits that refuse the second.
#[test]
fn asked_exported_explained() {
    let stage = Stage::new(60_000, 3);
    let config = stage.config_with("basket", &limits("\"1000\""));
    let mut engine = config.engine.clone();
    engine.strategies.clear();
    stage.write_config(&config.with_engine(engine));
    let line = |after: u64, op: &str, id: &str| json!({ "after": after, "op": op, "id": id, "account": "agent" });
    let basket = |after: u64, id: &str, legs: u8, money: &str| {
        let mut line = line(after, "basket", id);
        (line["legs"], line["money"]) = (legs.into(), money.into());
        line
    };
    let leg = |after: u64, id: &str, basket: &str, qty: u64| {
        let mut line = line(after, "new", id);
        let words = [("symbol", "SYN001"), ("side", "buy"), ("px", "1"), ("basket", basket)];
        words.into_iter().for_each(|(key, word)| line[key] = word.into());
        line["qty"] = qty.to_string().into();
        line
    };
    let lines = [
        basket(20_000, "big", 2, "444000000000"),
        leg(20_010, "b-1", "big", 1),
        basket(20_100, "good", 2, "1000"),
        leg(20_110, "g-1", "good", 400),
        leg(20_120, "g-2", "good", 600),
        basket(20_200, "units", 3, "58"),
        leg(20_201, "u-1", "units", 20),
        leg(20_202, "u-2", "units", 58),
    ];
    let path = |name: &str| stage.folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("orders.jsonl"), lines.map(|line| line.to_string()).join("\n")).unwrap();
    let [config, orders, journal, export, other] =
        ["engine.toml", "orders.jsonl", "j", "all.jsonl", "other.toml"].map(path);
    let day = stage.capture.to_str().unwrap();
    let words = ["replay", day, "--config", &config, "--orders", &orders, "--journal", &journal];
    let (code, said) = run("tickgate", &words);
    assert_eq!(code, 0, "{said}");

    assert_eq!(run("tickgate-journal", &["export", &journal, "--to", &export]).0, 0);
    let rows: Vec<Value> = std::fs::read_to_string(export)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let over = rows.iter().filter(|row| row["what"] == "basket_over");
    let ends: Vec<_> = over.map(|row| row["reasons"].as_str().unwrap()).collect();
    assert_eq!(ends, ["sent", "refused"]);
    let asked = rows.iter().filter(|row| row["what"] == "basket");
    assert!(asked.map(|row| row["terms"].as_str().unwrap()).all(|text| text.contains("legs=")));

    let why = |id: &str| -> Value {
        let words = ["--client-id", id, "--journal", &journal, "--json"];
        serde_json::from_str(&run("tickgate-why", &words).1).unwrap()
    };
    let story = why("u-2");
    assert_eq!(story["requests"][0]["verdict"]["reasons"], json!(["basket"]));
    let checks = story["requests"][0]["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == "basket").unwrap();
    assert_eq!((&check["limit"], &check["used"]), (&json!("58.00"), &json!("78.00")));
    let story = why("u-1");
    let events = story["orders"][0]["events"].as_array().unwrap();
    let events: Vec<_> =
        events.iter().map(|event| (&event["what"], &event["basket_end"])).collect();
    assert_eq!(
        events,
        [(&json!("basket"), &json!("refused")), (&json!("cancelled"), &Value::Null)]
    );
    assert_eq!(why("g-2")["orders"][0]["events"][0]["basket_end"], "sent");
    let (_, text) = run("tickgate-why", &["--request", "1", "--journal", &journal]);
    assert!(
        text.contains("basket 1 of 2 legs for 444000000000.00, of which 1000.00 are allowed"),
        "{text}"
    );

    std::fs::write(&other, limits("\"999\"")).unwrap();
    let (_, said) = run("tickgate-whatif", &["--limits", &other, &journal, "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(said.to_string().contains("g-1") && !said.to_string().contains("u-1"), "{said}");
}

/// A place slow enough that no basket is late before its last leg is asked for.
fn place() -> Place {
    Place::with("baskets", &limits("\"1000000\""), |_, engine| {
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(1_000);
        engine.basket_timeout_ns = 60_000_000_000;
        engine.strategies.clear();
    })
}

/// How an answer says that an order or a basket stands, or why not.
fn said(answer: &Answer) -> Result<Option<OrderState>, Reject> {
    let primary = answer.verdict.primary;
    assert_eq!(answer.kind == AnswerKind::Refused, primary.is_some(), "{answer:?}");
    primary.map_or(Ok(answer.state), |finding| Err(finding.code))
}

/// Why an order that waited is over.
fn reject(trader: &Trader, order: OrderId) -> Option<Reject> {
    trader.reaches(order, OrderState::Cancelled);
    trader.order(order).unwrap().reject
}

/// Goal: a client's basket leaves with its last leg, whole, or not at all, and each leg is answered; no other client's leg comes
/// into it, and it ends with its client. Method: an engine as a process and three clients, two of whose baskets have the same
/// number; one that is whole, one of which a leg is refused, one that is more than is allowed, one whose client goes; then what
/// the journal says of each.
#[test]
fn over_shared_memory() {
    let (held, working) = (Ok(Some(OrderState::Held)), Ok(Some(OrderState::Working)));
    let place = place();
    let engine = place.start();
    let [mut client, mut other, mut goes] = [(); 3].map(|()| place.trader());

    assert_eq!(client.announces(7, 3, ENOUGH).kind, AnswerKind::Accepted);
    assert_eq!(client.announces(7, 3, ENOUGH).kind, AnswerKind::Recorded);
    let first = [client.asks_leg(7, 1), client.asks_leg(7, 2)];
    assert_eq!(first.each_ref().map(said), [held; 2]);
    assert_eq!(said(&other.asks_leg(7, 1)), Err(Reject::Basket), "it is not his");
    assert_eq!(other.announces(7, 2, ENOUGH).kind, AnswerKind::Accepted, "his own");
    let his = other.asks_leg(7, 1);
    for leg in &first {
        assert_eq!(client.order(leg.order).unwrap().state, OrderState::Held);
    }
    let last = client.asks_leg(7, 3);
    assert_eq!(said(&last), working);
    let whole = [first[0].order, first[1].order, last.order];
    whole.into_iter().for_each(|order| client.reaches(order, OrderState::Working));
    assert_eq!(said(&his), held);
    assert_eq!(other.order(his.order).unwrap().state, OrderState::Held, "a leg short");

    assert_eq!(client.announces(8, 3, ENOUGH).kind, AnswerKind::Accepted);
    let good = client.asks_leg(8, 1);
    assert_eq!(said(&good), held);
    assert_eq!(said(&client.asks_leg(8, 1 << 30)), Err(Reject::Clip));
    assert_eq!(reject(&client, good.order), Some(Reject::Basket));
    assert_eq!(said(&client.asks_leg(8, 1)), Err(Reject::Basket), "it is over");
    assert_eq!(said(&client.announces(9, 2, Money(ENOUGH.0 + 1))), Err(Reject::Basket));
    assert_eq!(said(&client.asks_leg(9, 1)), Err(Reject::Basket));

    assert_eq!(goes.announces(7, 2, ENOUGH).kind, AnswerKind::Accepted);
    let left = goes.asks_leg(7, 1);
    assert_eq!(said(&left), held);
    drop(goes);
    assert_eq!(reject(&client, left.order), Some(Reject::Basket));
    let his = [his.order, other.asks_leg(7, 1).order];
    his.into_iter().for_each(|order| other.reaches(order, OrderState::Working));
    engine.ends();

    let mut told: Vec<TapeRecord> = Vec::new();
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.watch(None, |seen| told.extend(&seen.out.tape)).unwrap();
    assert!(replay.closed);
    // One that was refused is told under the number that the next then gets.
    told.retain(|record| record.kind != TapeKind::Refused);
    let of = |order: OrderId| told.iter().filter(move |record| record.order == order);
    for order in whole.into_iter().chain(his) {
        let kinds: Vec<_> = of(order).map(|record| record.kind).collect();
        assert_eq!(kinds[..3], [TapeKind::Passed, TapeKind::Passed, TapeKind::Working]);
    }
    let left_in = whole.map(|order| of(order).nth(1).unwrap().engine_seq);
    assert_eq!(left_in, [last.engine_seq; 3], "all with the last");
    for order in [good.order, left.order] {
        let kinds: Vec<_> = of(order).map(|record| record.kind).collect();
        assert_eq!(kinds, [TapeKind::Passed, TapeKind::Cancelled], "no venue heard of it");
    }
    let ends = told.iter().filter(|record| record.kind == TapeKind::Basket);
    let ends: Vec<_> = ends.map(|record| BasketEnd::from_code(record.code).unwrap()).collect();
    let expected = [BasketEnd::Sent, BasketEnd::Refused, BasketEnd::AskerGone, BasketEnd::Sent];
    assert_eq!(ends, expected);
}
