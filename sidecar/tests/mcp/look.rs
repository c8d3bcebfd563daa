//! The tools that only look.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::engine::{Engine, NOW};

fn with_agent(test: impl FnOnce(&mut Agent)) {
    let runtime = tempfile::tempdir().unwrap();
    let _engine = Engine::start(runtime.path(), "look", 7);
    test(&mut Agent::start(runtime.path(), &["--engine", "look"]));
}

/// Goal: the engine's page arrives whole. Method: every figure of the test engine that a reader may act on.
#[test]
fn health() {
    with_agent(|agent| {
        let health = agent.get("engine_health", json!({}));
        assert_eq!(health["engine"], "look");
        assert_eq!(health["epoch"], "7");
        assert_eq!(health["mode"], "paper");
        assert_eq!(health["halt"], "active");
        assert_eq!((&health["journal_lag"], &health["journal_unsynced"]), (&json!(1), &json!(2)));
        assert_eq!(health["books"]["live"], 2);
        assert_eq!(health["books"]["incomplete"], 1);
        assert_eq!(health["feeds"].as_array().unwrap().len(), 1);
        assert_eq!(health["latency"]["gate"]["p999"], 80);
        assert_eq!(health["orders_refused"], 2);
        assert_eq!(health["as_of"]["ts_venue_ns"], Value::Null);
        assert!(health["null_reasons"]["as_of.ts_venue_ns"].is_string());
        assert!(health["as_of"]["age_us"].as_u64().unwrap() < 1_000_000);
    });
}

/// Goal: the best match is first, and an instrument that cannot be traded says so. Method: a symbol
/// that begins another, any case, no match, and no query.
#[test]
fn find() {
    with_agent(|agent| {
        let found = agent.get("instruments_find", json!({"query": "aap"}));
        let symbols: Vec<_> =
            found["instruments"].as_array().unwrap().iter().map(|i| &i["symbol"]).collect();
        assert_eq!(symbols, ["AAP", "AAPL"]);
        assert_eq!(found["instruments"][0]["px_step"], Value::Null);
        assert!(found["null_reasons"]["px_step, lot, currency"].is_string());
        assert_eq!(found["instruments"][1]["px_step"], "0.01");
        assert_eq!(agent.get("instruments_find", json!({"query": "ZZZ"}))["matches"], 0);
        let all = agent.get("instruments_find", json!({"limit": 2}));
        assert_eq!((&all["matches"], all["instruments"].as_array().unwrap().len()), (&json!(3), 2));
    });
}

/// Goal: prices are exact, each row bears its own moment and integrity, absence has a reason, a bad
/// symbol spoils nothing. Method: a live, a dead and an unknown instrument in one call.
#[test]
fn snapshot() {
    with_agent(|agent| {
        let both = agent.get("market_snapshot", json!({"symbols": ["AAPL", "AAP", "NONE"]}));
        let [live, dead] = &both["quotes"].as_array().unwrap()[..] else { panic!("{both:#}") };
        assert_eq!(live["bid"], json!({"px": "100.00", "qty": "500", "orders": 3}));
        assert_eq!(live["ask"]["px"], "100.02");
        assert_eq!(live["spread_bps"], "1.99");
        assert_eq!(live["day"]["low"], "98.505");
        assert_eq!(live["indicators"], json!({"vwap": "100.01005", "rsi14": null}));
        assert_eq!(live["as_of"]["ts_venue_ns"], (NOW - 300_000).to_string());
        let age = live["as_of"]["age_us"].as_u64().unwrap();
        assert!((250..1_000_000).contains(&age), "{age}");
        assert_eq!(
            (&dead["integrity"], &dead["integrity_cause"]),
            (&json!("incomplete"), &json!("gap"))
        );
        assert_eq!(
            (&dead["bid"], &dead["last"], &dead["day"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        for field in ["bid", "ask", "spread_bps", "last, day", "indicators.*"] {
            assert!(both["null_reasons"][field].is_string(), "{field}");
        }
        assert_eq!(both["failed"][0]["error"]["code"], "unknown_symbol");
        assert!(agent.call("market_snapshot", json!({"symbols": ["NONE"]})).is_error);
        assert_eq!(agent.fault("market_snapshot", json!({"symbols": []})).0, "bad_argument");
        assert_eq!(
            agent.fault("market_snapshot", json!({"symbols": vec!["AAPL"; 51]})).0,
            "bad_argument"
        );
    });
}

/// Goal: as many levels as asked for, best first; a count that the schema rules out is refused, here and elsewhere. Method: one,
/// and more than there are; the counts next to the ends.
#[test]
fn depth() {
    with_agent(|agent| {
        let book = agent.get("book_depth", json!({"symbol": "AAPL", "levels": 1}));
        assert_eq!(book["asks"], json!([{"px": "100.02", "qty": "100", "orders": 3}]));
        assert_eq!((&book["spread"], &book["integrity"]), (&json!("0.02"), &json!("live")));
        let book = agent.get("book_depth", json!({"symbol": "AAPL", "levels": 64}));
        assert_eq!(book["asks"][2]["px"], "100.05");
        assert_eq!(book["ask_levels"], 3);
        let (code, text) = agent.fault("book_depth", json!({"symbol": "AAP"}));
        assert_eq!(code, "not_published", "{text}");
        for (tool, arguments) in [
            ("book_depth", json!({"symbol": "AAPL", "levels": 0})),
            ("book_depth", json!({"symbol": "AAPL", "levels": 65})),
            ("orders_list", json!({"limit": 0})),
            ("orders_list", json!({"limit": 101})),
            ("instruments_find", json!({"limit": 101})),
        ] {
            assert_eq!(agent.fault(tool, arguments).0, "bad_argument", "{tool}");
        }
    });
}

/// Goal: a symbol is text and nothing else. Method: one full of quotes and commands that exists,
/// one that does not, one too long, one empty, one not ASCII.
#[test]
fn symbol_is_never_interpreted() {
    with_agent(|agent| {
        let odd = "x\";DROP'`$(id)";
        let found = agent.get("market_snapshot", json!({"symbols": [odd]}));
        assert_eq!(found["quotes"][0]["symbol"], odd);
        for text in
            ["x\";DROP'`$(ls)", "../../etc/passwd", "", "ＡＡＰＬ", "\u{0}\n", &"A".repeat(100_000)]
        {
            let (code, said) = agent.fault("book_depth", json!({"symbol": text}));
            assert_eq!(code, "unknown_symbol");
            assert!(said.len() < 300, "no echo of a long text: {}", said.len());
        }
    });
}

/// Goal: sums follow from the lines. Method: one position by hand.
#[test]
fn portfolio() {
    with_agent(|agent| {
        let all = agent.get("portfolio_get", json!({}));
        assert_eq!(all["accounts"].as_array().unwrap().len(), 2);
        let one = agent.get("portfolio_get", json!({"account": "agent"}));
        let [account] = &one["accounts"].as_array().unwrap()[..] else { panic!("{one:#}") };
        assert_eq!(account["buying_power"], "999750.00");
        assert_eq!(account["realised_pnl"], "-0.50");
        // 100 shares at 100.01 that cost 9,990.
        assert_eq!(account["unrealised_pnl"], "11.00");
        let position = &account["positions"][0];
        assert_eq!(position["realised_fifo"], "0.25");
        assert_eq!((&position["qty"], &position["avg_cost"]), (&json!("100"), &json!("99.90")));
        let (code, text) = agent.fault("portfolio_get", json!({"account": "nobody"}));
        assert_eq!(code, "unknown_account");
        assert!(text.contains("agent, probe"), "{text}");
    });
}

/// Goal: limit, used and headroom of every limit, and what would pass. Method: by hand.
#[test]
fn risk() {
    with_agent(|agent| {
        let risk = agent.get("risk_status", json!({"account": "agent", "symbol": "AAPL"}));
        let account = &risk["accounts"][0];
        assert_eq!(
            account["limits"][0],
            json!({"rule": "gross", "limit": "50000.00", "used": "10001.00", "headroom": "39999.00"})
        );
        assert_eq!(
            account["limits"][3],
            json!({"rule": "rate", "limit": "20", "used": "3", "headroom": "17"})
        );
        let line = &account["instruments"][0];
        assert_eq!((&line["symbol"], &line["clip_max"]), (&json!("AAPL"), &json!("300")));
        assert_eq!(
            line["limits"][0],
            json!({"rule": "position_long", "limit": "500", "used": "120", "headroom": "380"})
        );
        assert_eq!(
            line["limits"][1],
            json!({"rule": "position_short", "limit": "0", "used": "-100", "headroom": "100"})
        );
        assert_eq!(
            line["order_max"],
            json!([
                {"engine_seq": 9, "side": "buy", "px": "100.02", "max_qty": "300", "binds": "clip"},
                {"engine_seq": 9, "side": "sell", "px": null, "max_qty": null, "binds": "no_reference"},
            ])
        );
        assert!(risk["null_reasons"]["px, max_qty"].is_string());
        assert_eq!(account["instruments"].as_array().unwrap().len(), 1);
        let all = agent.get("risk_status", json!({"account": "agent"}));
        let symbols =
            all["accounts"][0]["instruments"].as_array().unwrap().iter().map(|row| &row["symbol"]);
        assert_eq!(symbols.collect::<Vec<_>>(), [&json!("AAPL"), &json!("AAP")]);
        assert_eq!(risk["refused"], json!({"clip": 2}));
    });
}
