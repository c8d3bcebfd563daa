//! The whole journey of an agent: the real engine, the real sidecar, and the protocol between them,
//! line by line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use engine::config::{Config, Speed};
use engine::replay::Replay;
use engine::runtime::{self, Plan, Running};
use engine::script::Script;
use serde_json::{Value, json};
use tests::{Stage, program};

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a busy machine may cause, and a later attempt mends. The same order sent again is done
/// once.
const PASSING: [&str; 6] =
    ["attach_failed", "busy", "engine_silent", "not_published", "over_budget", "unknown_outcome"];
const TOOLS: [&str; 11] = [
    "book_depth",
    "engine_health",
    "instruments_find",
    "market_snapshot",
    "order_change",
    "order_check",
    "order_request",
    "orders_list",
    "portfolio_get",
    "risk_status",
    "trading_halt",
];

/// A sidecar and the client that drives it.
struct Agent {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    last_id: u64,
    orders: u64,
    /// What the answers so far said of a restart: the epoch before and the one after.
    restarts: Vec<(Value, Value)>,
}

impl Agent {
    fn start(engine: &str) -> Agent {
        let mut child = Command::new(program("tickgate-mcp"))
            .args(["--engine", engine])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (to_lines, lines) = channel();
        std::thread::spawn(move || {
            let heard = BufReader::new(output).lines().map_while(Result::ok);
            heard.map_while(|line| to_lines.send(line).ok()).for_each(drop);
        });
        let mut agent = Agent { child, input, lines, last_id: 0, orders: 0, restarts: Vec::new() };
        let greeting = agent.request(
            "initialize",
            json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "journey", "version": "0"},
            }),
        );
        assert_eq!(greeting["protocolVersion"], "2025-11-25", "{greeting}");
        agent.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        agent
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
        self.input.flush().unwrap();
    }

    /// One request and its result.
    fn request(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let line = self.lines.recv_timeout(PATIENCE).expect("an answer of the sidecar");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(id)), "{line}");
        answer["result"].take()
    }

    /// Calls a tool, again if the machine was too busy; `true`: it was done.
    fn call(&mut self, tool: &str, arguments: Value) -> (bool, Value) {
        let since = Instant::now();
        loop {
            let params = json!({"name": tool, "arguments": arguments});
            let mut result = self.request("tools/call", params);
            let body = result["structuredContent"].take();
            assert!(body.is_object(), "{tool} has no structured content: {result}");
            if body["engine_restarted"] == true {
                self.restarts.push((body["previous_epoch"].clone(), body["epoch"].clone()));
            }
            let code = body["error"]["code"].as_str().unwrap_or_default();
            if PASSING.contains(&code) && since.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            return (result["isError"] != true, body);
        }
    }

    /// The same, for a call that must succeed. Its answer must say of what it speaks.
    fn get(&mut self, tool: &str, arguments: Value) -> Value {
        let (done, body) = self.call(tool, arguments);
        assert!(done, "{tool}: {body:#}");
        for field in ["engine_seq", "ts_venue_ns", "ts_recv_ns", "age_us"] {
            assert!(body["as_of"].get(field).is_some(), "{tool} lacks as_of.{field}: {body:#}");
        }
        assert_eq!(body["mode"], "paper", "{tool}");
        assert!(body.get("integrity").is_some(), "{tool}");
        body
    }

    /// A name that no request had before.
    fn name(&mut self) -> String {
        self.orders += 1;
        format!("j-{}", self.orders)
    }

    fn buy(&mut self, symbol: &str, qty: &str, limit: f64) -> (bool, Value) {
        let order = json!({
            "account": "agent", "symbol": symbol, "side": "buy", "qty": qty,
            "limit": format!("{limit:.2}"), "client_request_id": self.name(), "reason": "journey",
        });
        self.call("order_request", order)
    }

    /// The order as it stands once it is in `state`; `None`: it came to another end.
    fn order_in(&mut self, id: &Value, state: &str) -> Option<Value> {
        let since = Instant::now();
        loop {
            let list = self.get("orders_list", json!({"id": id}));
            let [order] = &list["orders"].as_array().unwrap()[..] else { panic!("{id}: {list:#}") };
            if order["state"] == state {
                return Some(order.clone());
            }
            if !matches!(
                order["state"].as_str(),
                Some("pending_new" | "working" | "pending_cancel")
            ) {
                return None;
            }
            assert!(since.elapsed() < PATIENCE, "never {state}: {order:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// An instrument that is traded now, has a book of two sides and passes the gate; and its best
    /// offer.
    fn tradable(&mut self) -> (String, f64) {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let found = self.get("instruments_find", json!({"limit": 20}));
            for listed in found["instruments"].as_array().unwrap() {
                if listed["trading_state"] != "trading" || listed["integrity"] != "live" {
                    continue;
                }
                let symbol = listed["symbol"].as_str().unwrap();
                let quotes = self.get("market_snapshot", json!({"symbols": [symbol]}));
                let [bid, ask] = ["bid", "ask"].map(|side| price(&quotes["quotes"][0][side]));
                let (Some(_), Some(ask)) = (bid, ask) else { continue };
                let check = json!({
                    "account": "agent", "symbol": symbol, "side": "buy", "qty": "1",
                    "limit": format!("{ask:.2}"),
                });
                if self.get("order_check", check)["passes"] == true {
                    return (symbol.to_owned(), ask);
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nothing can be traded");
    }

    /// Buys one at the offer and through it. The market moves, so it may take another attempt.
    fn fill(&mut self) -> (String, f64) {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let (symbol, ask) = self.tradable();
            let (passed, body) = self.buy(&symbol, "1", ask * 1.05);
            if !passed {
                continue; // It went dark between the two calls.
            }
            let id = body["order_id"].clone();
            if let Some(order) = self.order_in(&id, "filled") {
                assert_eq!(order["filled_qty"], "1", "{order:#}");
                return (symbol, ask);
            }
        }
        panic!("nothing filled");
    }

    /// The agent's position.
    fn position(&mut self, symbol: &str) -> i64 {
        let portfolio = self.get("portfolio_get", json!({"account": "agent"}));
        let positions = portfolio["accounts"][0]["positions"].as_array().unwrap();
        let line = positions.iter().find(|line| line["symbol"] == symbol);
        line.map_or(0, |line| line["qty"].as_str().unwrap().parse().unwrap())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn price(quote: &Value) -> Option<f64> {
    quote["px"].as_str()?.parse().ok()
}

/// The rules that an order failed.
fn rules(body: &Value) -> Vec<&str> {
    let failed = body["failed"].as_array().unwrap_or_else(|| panic!("{body:#}"));
    failed.iter().map(|rule| rule["rule"].as_str().unwrap()).collect()
}

fn start(config: &Config) -> Running {
    let (config, script) = (config.clone(), Script::default());
    runtime::start(Plan { config, script, shared: true, ends_with_feed: false, drive_stream: None })
        .unwrap()
}

/// Ends the run; the replay of its journal must come to the same state.
fn end(running: Running, config: &Config) {
    let hash = running.finish().unwrap().engine.state_hash();
    let journal = &config.engine.journal.as_ref().unwrap().folder;
    let mut replay = Replay::open(journal).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed);
    assert_eq!(replay.engine.state_hash(), hash);
}

/// Goal: an agent lists the tools, reads a book, has an order filled, one resting, one refused,
/// cancels, halts, is refused after the halt; after a restart of the engine the next call says so
/// and all goes on; each run equals the replay of its journal. Method: the sidecar's own program
/// over pipes, an engine that plays a day again and again at five times its pace.
#[test]
fn agent_from_book_to_halt_and_restart() {
    let stage = Stage::new(200_000, 20);
    let name = format!("journey-{}", std::process::id());
    let [first, second] = ["first", "second"].map(|journal| {
        let config = stage.config(&name);
        let mut engine = config.engine.clone();
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(5_000);
        engine.feeds[0].captures_mut().unwrap().repeat = true;
        engine.feeds[0].silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
        engine.journal.as_mut().unwrap().folder = stage.folder.path().join(journal);
        config.with_engine(engine)
    });
    let running = start(&first);
    let mut agent = Agent::start(&name);

    let listed = agent.request("tools/list", json!({}));
    let tools = listed["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, TOOLS);
    for tool in tools {
        for field in ["title", "description", "inputSchema", "outputSchema", "annotations"] {
            assert!(!tool[field].is_null(), "{} has no {field}", tool["name"]);
        }
    }
    let health = agent.get("engine_health", json!({}));
    assert_eq!((&health["engine"], &health["halt"]), (&json!(name), &json!("active")));

    let (symbol, _) = agent.tradable();
    let book = agent.get("book_depth", json!({"symbol": symbol, "levels": 10}));
    assert!(!book["bids"].as_array().unwrap().is_empty(), "{book:#}");
    assert!(!book["asks"].as_array().unwrap().is_empty(), "{book:#}");

    let (symbol, ask) = agent.fill();
    assert!(agent.position(&symbol) >= 1, "{symbol}");
    // Far below the market a buy rests.
    let (passed, rests) = agent.buy(&symbol, "1", ask * 0.5);
    assert!(passed, "{rests:#}");
    let id = rests["order_id"].clone();
    assert!(agent.order_in(&id, "working").is_some());
    let (passed, refused) = agent.buy(&symbol, "10000001", ask * 0.5);
    assert!(!passed && refused["status"] == "refused", "{refused:#}");
    assert!(rules(&refused).contains(&"clip"), "{refused:#}");
    assert!(refused["failed"][0]["fix"].as_str().is_some_and(|fix| !fix.is_empty()));

    let cancel = json!({"order_id": id, "cancel": true, "client_request_id": agent.name()});
    agent.call("order_change", cancel); // Sent twice on a busy machine, the second finds it gone.
    assert!(agent.order_in(&id, "cancelled").is_some());
    agent.get("trading_halt", json!({"scope": "all", "reason": "end of the journey"}));
    let (passed, refused) = agent.buy(&symbol, "1", ask * 0.5);
    assert!(!passed && rules(&refused).contains(&"halted"), "{refused:#}");
    assert_eq!(agent.get("engine_health", json!({}))["halt"], "halted");
    assert_eq!(agent.restarts, []);

    end(running, &first);
    let (done, gone) = agent.call("engine_health", json!({}));
    assert!(!done && gone["error"]["code"] == "no_engine", "{gone:#}");
    let running = start(&second);
    assert_eq!(agent.get("engine_health", json!({}))["halt"], "active");
    let [(before, after)] = &agent.restarts[..] else { panic!("{:?}", agent.restarts) };
    assert!(before.is_string() && after.is_string() && before != after, "{before} {after}");
    agent.fill();
    assert_eq!(agent.restarts.len(), 1, "told once");
    end(running, &second);
}
