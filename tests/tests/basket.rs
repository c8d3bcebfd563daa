//! Baskets of an order file: sent together or not at all, exported, explained, and judged again under other limits.

use std::process::Command;

use serde_json::{Value, json};
use tests::{Stage, WIDE_LIMITS, program};

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
