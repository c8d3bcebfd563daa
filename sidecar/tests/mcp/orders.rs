//! The tools that ask for something.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::engine::{Engine, LOST_QTY, OVER_BUDGET_QTY};

fn with_agent(test: impl FnOnce(&mut Agent)) {
    let runtime = tempfile::tempdir().unwrap();
    let _engine = Engine::start(runtime.path(), "orders", 7);
    test(&mut Agent::start(runtime.path(), &["--engine", "orders"]));
}

fn buy(qty: Value, limit: Value, id: &str) -> Value {
    json!({"account": "agent", "symbol": "AAPL", "side": "buy", "qty": qty, "limit": limit,
        "client_request_id": id, "reason": "test"})
}

/// Goal: the whole life of orders as an agent drives it. Method: check, fill, rest, replace,
/// refuse, cancel, halt, refuse.
#[test]
fn journey() {
    with_agent(|agent| {
        let check = json!({"account": "agent", "symbol": "AAPL", "side": "buy", "qty": "150",
            "limit": "100.03"});
        let check = agent.get("order_check", check);
        assert_eq!((&check["passes"], &check["failed"]), (&json!(true), &json!([])));
        assert_eq!(
            check["headroom"][0],
            json!({"rule": "clip", "limit": "300", "used": "150", "headroom": "150", "unit": "shares"})
        );
        assert_eq!(
            check["cost"],
            json!({"fills_now_qty": "150", "remaining_qty": "0", "avg_px": "100.0233333333",
            "worst_px": "100.03", "notional": "15003.50", "slippage_bps": "1.33"})
        );

        let filled = agent.get("order_request", buy(json!("100"), json!("100.02"), "a-1"));
        assert_eq!(
            (&filled["status"], &filled["order"]["state"]),
            (&json!("accepted"), &json!("filled"))
        );
        assert_eq!(
            (&filled["order"]["filled_qty"], &filled["order"]["filled_avg_px"]),
            (&json!("100"), &json!("100.02"))
        );
        let listed = agent.get("orders_list", json!({"id": filled["order_id"]}));
        assert_eq!(
            (&listed["orders"][0]["reason"], &listed["orders"][0]["origin"]),
            (&json!("test"), &json!("desk"))
        );
        let portfolio = agent.get("portfolio_get", json!({"account": "agent"}));
        assert_eq!(portfolio["accounts"][0]["positions"][0]["qty"], "200");

        let resting = agent.get("order_request", buy(json!(10), json!(99.5), "a-2"));
        let id = resting["order_id"].clone();
        assert_eq!(
            (&resting["order"]["state"], &resting["order"]["limit"]),
            (&json!("working"), &json!("99.50"))
        );
        assert_eq!(resting["order"]["queue_ahead"], "400");
        let replaced = agent.get(
            "order_change",
            json!({"order_id": id, "limit": "99.6", "client_request_id": "a-3"}),
        );
        assert_eq!(
            (&replaced["order"]["limit"], &replaced["order"]["qty"]),
            (&json!("99.60"), &json!("10"))
        );

        let refused = agent.call("order_request", buy(json!("301"), json!("120.00"), "a-4"));
        assert!(refused.is_error);
        assert_eq!(
            (&refused.body["status"], &refused.body["order_id"]),
            (&json!("refused"), &Value::Null)
        );
        let [clip, collar] = &refused.body["failed"].as_array().unwrap()[..] else {
            panic!("{:#}", refused.body)
        };
        assert_eq!(
            (&clip["rule"], &clip["limit"], &clip["used"], &clip["headroom"]),
            (&json!("clip"), &json!("300"), &json!("301"), &json!("-1"))
        );
        assert!(clip["fix"].as_str().unwrap().starts_with("lower qty to at most 300"));
        assert_eq!((&collar["rule"], &collar["limit"]), (&json!("collar"), &json!("100")));
        assert!(collar["fix"].as_str().unwrap().starts_with("set limit to at most 101.01"));

        let open = agent.get("orders_list", json!({"status": "open"}));
        assert_eq!((&open["matches"], &open["orders"][0]["order_id"]), (&json!(1), &id));
        let cancelled = agent.get(
            "order_change",
            json!({"order_id": id, "cancel": true, "client_request_id": "a-5"}),
        );
        assert_eq!(cancelled["order"]["state"], "cancelled");
        let again = agent.call(
            "order_change",
            json!({"order_id": id, "cancel": true, "client_request_id": "a-5"}),
        );
        assert_eq!((again.is_error, &again.body["failed"][0]["rule"]), (true, &json!("not_open")));
        assert_eq!(
            (&again.body["order_id"], &again.body["order"]["state"]),
            (&id, &json!("cancelled"))
        );

        let mut crossing = buy(json!("10"), json!("100.02"), "a-7");
        crossing["flags"] = json!(["post_only"]);
        let rejected = agent.call("order_request", crossing);
        assert_eq!(
            (rejected.is_error, &rejected.body["status"], &rejected.body["passed"]),
            (true, &json!("rejected"), &json!(true))
        );
        assert_eq!(rejected.body["order"]["state"], "rejected");

        let halt = agent.get("trading_halt", json!({"scope": "all", "reason": "enough"}));
        assert!(halt["resume"].as_str().unwrap().contains("operator"));
        let refused = agent.call("order_request", buy(json!("1"), json!("99.00"), "a-6"));
        assert_eq!(
            (refused.is_error, &refused.body["failed"][0]["rule"]),
            (true, &json!("halted"))
        );
        let health = agent.get("engine_health", json!({}));
        assert_eq!((&health["halt"], &health["halt_cause"]), (&json!("halted"), &json!("client")));
    });
}

/// Goal: what an order would cost is said only of what comes to the book now. Method: the same terms as a limit, for an auction,
/// posted, all or nothing, and as a stop.
#[test]
fn cost_is_of_what_comes_to_the_book() {
    with_agent(|agent| {
        let mut cost = |more: Value| {
            let mut terms = json!({"account": "agent", "symbol": "AAPL", "side": "buy",
                "qty": "150", "limit": "100.03"});
            terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            agent.get("order_check", terms)
        };
        assert_eq!(cost(json!({}))["cost"]["fills_now_qty"], "150");
        for waits in [
            json!({"tif": "at_close"}),
            json!({"flags": ["post_only"]}),
            json!({"flags": ["parent_only"]}),
            json!({"type": "stop_limit", "stop": "100.05"}),
        ] {
            let check = cost(waits.clone());
            assert_eq!(check["cost"], Value::Null, "{waits}");
            assert!(check["null_reasons"]["cost"].is_string(), "{waits}");
        }
        let short = cost(json!({"tif": "fok", "qty": "299", "limit": "100.02"}))["cost"].clone();
        assert_eq!(
            (&short["fills_now_qty"], &short["remaining_qty"]),
            (&json!("0"), &json!("299"))
        );
    });
}

/// Goal: without an account an order is on the only one that clients may trade on; what comes in pairs is asked for in pairs.
/// Method: an order that names none; a stop without its trigger, and the other way round; the same of an end.
#[test]
fn what_is_missing_is_said() {
    with_agent(|agent| {
        let mut order = buy(json!("10"), json!("99.00"), "m-1");
        order.as_object_mut().unwrap().remove("account");
        agent.get("order_request", order.clone());
        let listed = agent.get("orders_list", json!({"id": "m-1"}));
        assert_eq!(listed["orders"][0]["account"], "agent");
        for (more, said) in [
            (json!({"type": "stop_limit"}), "needs stop"),
            (json!({"stop": "101"}), "stop comes only with"),
            (json!({"tif": "gtd"}), "needs expires_ns"),
            (json!({"expires_ns": "1"}), "expires_ns comes only with"),
            (json!({"qty": "1.5"}), "not a whole number"),
        ] {
            let mut order = buy(json!("10"), json!("99.00"), "m-2");
            order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let (code, text) = agent.fault("order_request", order);
            assert!(code == "bad_argument" && text.contains(said), "{more}: {text}");
        }
    });
}

/// Goal: every kind of order is asked for with exactly its terms, and shown with them; what says nothing is refused
/// here. Method: a stop with all that goes with it, a market order; a limit where none belongs, and the other way
/// round.
#[test]
fn other_types() {
    with_agent(|agent| {
        let first = agent.get("order_request", buy(json!("10"), json!("99.00"), "t-1"));
        let other = first["order_id"].as_str().unwrap();
        let stop = json!({"account": "agent", "symbol": "AAPL", "side": "buy", "qty": "10",
            "type": "stop_limit", "tif": "gtd", "limit": "99.20", "stop": "99.10", "display": "5",
            "expires_ns": "1700000000000000000", "one_cancels": other, "flags": ["reduce_only"],
            "client_request_id": "t-2", "reason": "test"});
        let id = agent.get("order_request", stop.clone())["order_id"].clone();
        let list = agent.get("orders_list", json!({"id": id}));
        let listed = &list["orders"][0];
        assert_eq!((&listed["type"], &listed["tif"]), (&json!("stop_limit"), &json!("gtd")));
        let conditions = ["stop 99.10", "display 5", "expires_ns 1700000000000000000"];
        let mut conditions = conditions.map(str::to_owned).to_vec();
        conditions.extend([format!("one_cancels {other}"), "reduce_only".into()]);
        assert_eq!(listed["conditions"], json!(conditions));
        let with = |key: &str, value: Value| {
            let mut wish = stop.clone();
            wish[key] = value;
            wish
        };
        for (key, value) in [
            ("type", json!("market")),
            ("limit", Value::Null),
            ("parent", json!(other)),
            ("one_cancels", json!("none")),
            ("expires_ns", json!("soon")),
            ("stop", json!("99.00001")),
        ] {
            assert_eq!(agent.fault("order_request", with(key, value)).0, "bad_argument", "{key}");
        }
        let market = json!({"account": "agent", "symbol": "AAPL", "side": "sell", "qty": "1",
            "type": "market"});
        assert_eq!(agent.get("order_check", market)["cost"]["fills_now_qty"], json!("1"));
    });
}

/// Goal: what cannot be an order is refused here, with the field named, and never reaches the
/// engine. Method: one bad value for each argument; then the engine has no order.
#[test]
fn bad_arguments_reach_nobody() {
    with_agent(|agent| {
        let with = |field: &str, value: Value| {
            let mut order = buy(json!("1"), json!("99.00"), "b-1");
            order[field] = value;
            order
        };
        let bad = [
            ("qty", json!("1.5")),
            ("qty", json!("1e2")),
            ("qty", json!(0.5)),
            ("qty", json!(true)),
            ("limit", json!("99.00001")),
            ("limit", json!("NaN")),
            ("limit", Value::Null),
            ("limit", json!(0.12345678901234567)),
            ("side", json!("hold")),
            ("tif", json!("forever")),
            ("type", json!("market")),
            ("client_request_id", json!("")),
            ("client_request_id", json!("seventeen-letters")),
            ("client_request_id", json!("a b")),
            ("client_request_id", json!("?check")),
            ("reason", json!(" ")),
            ("approve", json!(true)),
        ];
        for (field, value) in bad {
            let (code, text) = agent.fault("order_request", with(field, value.clone()));
            assert_eq!(code, "bad_argument", "{field} {value}");
            assert!(text.contains(field), "{field} {value}: {text}");
        }
        assert_eq!(agent.fault("order_request", with("account", json!("x"))).0, "unknown_account");
        assert_eq!(agent.fault("order_request", with("symbol", json!("NONE"))).0, "unknown_symbol");
        assert_eq!(
            agent.fault("order_change", json!({"order_id": "x", "client_request_id": "b"})).0,
            "bad_argument"
        );
        assert_eq!(
            agent
                .fault(
                    "order_change",
                    json!({"order_id": "1", "cancel": true, "client_request_id": "b"})
                )
                .0,
            "unknown_order"
        );
        for halt in [
            json!({"scope": "account", "reason": "r"}),
            json!({"scope": "all", "symbol": "AAPL", "reason": "r"}),
        ] {
            assert_eq!(agent.fault("trading_halt", halt).0, "bad_argument");
        }
        assert_eq!(agent.get("orders_list", json!({}))["matches"], 0);
    });
}

/// Goal: nobody takes silence for success: no answer is an unknown outcome, and a retry under the
/// same id is safe. Method: an order that the engine never answers, one over budget, one sent
/// twice.
#[test]
fn unknown_is_not_success() {
    with_agent(|agent| {
        let started = std::time::Instant::now();
        let (code, text) =
            agent.fault("order_request", buy(json!(LOST_QTY), json!("99.00"), "c-1"));
        assert_eq!(code, "unknown_outcome");
        assert!(text.contains("same client_request_id") && text.contains("orders_list"), "{text}");
        let took = started.elapsed().as_millis();
        assert!((1_000..2_000).contains(&took), "{took} ms");
        assert_eq!(
            agent.fault("order_request", buy(json!(OVER_BUDGET_QTY), json!("99.00"), "c-2")).0,
            "over_budget"
        );
        let first = agent.get("order_request", buy(json!("1"), json!("99.00"), "c-3"));
        let second = agent.get("order_request", buy(json!("1"), json!("99.00"), "c-3"));
        assert_eq!(
            (&second["status"], &second["order_id"]),
            (&json!("recorded"), &first["order_id"])
        );
        assert_eq!(agent.get("orders_list", json!({}))["matches"], 1);
    });
}

/// Goal: pages of a list neither lose nor repeat an order when new ones come in between. Method:
/// five orders, pages of two, a sixth after the first page.
#[test]
fn pages_of_orders() {
    with_agent(|agent| {
        for n in 1..=5 {
            agent.get("order_request", buy(json!(n), json!("99.00"), &format!("d-{n}")));
        }
        let mut seen = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let page = agent.get("orders_list", json!({"limit": 2, "cursor": cursor}));
            let names = page["orders"].as_array().unwrap().iter();
            seen.extend(names.map(|order| order["client_request_id"].as_str().unwrap().to_owned()));
            if seen.len() == 2 {
                agent.get("order_request", buy(json!("6"), json!("99.00"), "d-6"));
            }
            match page.get("next_cursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        assert_eq!(seen, ["d-5", "d-4", "d-3", "d-2", "d-1"]);
        assert_eq!(
            agent.get("orders_list", json!({"id": "d-6", "account": "agent"}))["matches"],
            1
        );
        assert_eq!(agent.get("orders_list", json!({"symbol": "AAP"}))["matches"], 0);
        assert_eq!(agent.fault("orders_list", json!({"cursor": "1;2"})).0, "bad_argument");
    });
}
