//! The protocol itself, in both eras.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agent::{Agent, Era};
use crate::engine::{Engine, LOST_QTY};

/// Goal: a client of either era is served. Method: greet, list, call.
#[test]
fn both_eras() {
    let runtime = tempfile::tempdir().unwrap();
    let _engine = Engine::start(runtime.path(), "eras", 1);
    for era in [Era::Legacy, Era::Modern] {
        let mut agent = Agent::start_in(era, runtime.path(), &["--engine", "eras"]);
        assert_eq!(agent.tools().len(), 11, "{era:?}");
        assert_eq!(agent.get("engine_health", json!({}))["epoch"], "1", "{era:?}");
        assert!(agent.close().success(), "{era:?}");
    }
}

/// Goal: faults of the protocol have the protocol's codes, and the sidecar goes on. Method: an
/// unknown tool, an unknown method, no request; then a line that is no JSON, which is ignored as
/// other servers do, and a good call.
#[test]
fn protocol_faults() {
    let runtime = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(runtime.path(), &["--engine", "none"]);
    let unknown = agent.request("tools/call", json!({"name": "order_approve", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let unknown = agent.request("engine/explode", json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    agent.say(r#"{"jsonrpc": "2.0", "id": {}, "method": []}"#);
    let invalid = agent.hear();
    assert_eq!(invalid["error"]["code"], -32600, "{invalid}");
    agent.say("this is not JSON");
    assert_eq!(agent.fault("engine_health", json!({})).0, "no_engine");
}

/// Goal: nothing but protocol on standard output, whatever is logged. Method: the loudest log, many
/// calls; every line that is heard must be protocol, and none may be left.
#[test]
fn stdout_is_pure() {
    let runtime = tempfile::tempdir().unwrap();
    let _engine = Engine::start(runtime.path(), "pure", 1);
    let mut agent = Agent::start(runtime.path(), &["--engine", "pure", "--log", "trace"]);
    for _ in 0..20 {
        agent.get("market_snapshot", json!({"symbols": ["AAPL"]}));
        agent.fault("order_request", json!({"nonsense": 1}));
    }
    assert!(agent.close().success());
}

/// Goal: the sidecar leaves when its input ends, attached or not, greeted or not. Method: close,
/// and measure.
#[test]
fn leaves_with_its_client() {
    let runtime = tempfile::tempdir().unwrap();
    let _engine = Engine::start(runtime.path(), "leaves", 1);
    let mut agent = Agent::start(runtime.path(), &["--engine", "leaves"]);
    agent.get("engine_health", json!({}));
    let since = Instant::now();
    assert!(agent.close().success());
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    let mut ungreeted = std::process::Command::new(env!("CARGO_BIN_EXE_tickgate-mcp"));
    let ungreeted = ungreeted.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(ungreeted.status.success());
    assert!(ungreeted.stdout.is_empty());
}

/// Goal: what was asked before the end is answered to the last byte, though the client is slow to read: more than a pipe
/// holds. Method: many requests in one write, the end of the input, and only then a look.
#[test]
fn answers_outlast_the_questions() {
    let runtime = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(runtime.path(), &["--engine", "none"]);
    let ids = 1_000..1_200_u64;
    let asked: Vec<String> = ids
        .clone()
        .map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}).to_string())
        .collect();
    agent.say(&asked.join("\n"));
    agent.ask_no_more();
    std::thread::sleep(Duration::from_millis(200));
    let mut heard: Vec<u64> = ids.clone().map(|_| agent.hear()["id"].as_u64().unwrap()).collect();
    heard.sort_unstable();
    assert!(heard.into_iter().eq(ids));
    assert!(agent.close().success());
}

/// Goal: many calls at once are all answered, while one waits for the engine. Method: 100 calls in
/// one write behind an order that is never answered.
#[test]
fn a_waiting_order_holds_nobody_up() {
    let runtime = tempfile::tempdir().unwrap();
    let _engine = Engine::start(runtime.path(), "busy", 1);
    let mut agent = Agent::start(runtime.path(), &["--engine", "busy"]);
    let call = |id: u64, tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string()
    };
    let lost = json!({"account": "agent", "symbol": "AAPL", "side": "buy", "qty": LOST_QTY,
        "limit": "99", "client_request_id": "l-1", "reason": "r"});
    agent.say(&call(1_000, "order_request", lost));
    let reads: Vec<String> =
        (1_001..1_101).map(|id| call(id, "book_depth", json!({"symbol": "AAPL"}))).collect();
    agent.say(&reads.join("\n"));
    let order: Vec<u64> = (0..101).map(|_| agent.hear()["id"].as_u64().unwrap()).collect();
    assert_eq!(order.last(), Some(&1_000), "the reads come first");
}
