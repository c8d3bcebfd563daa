//! Engines that are not there, too many, new, silent.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType};
use serde_json::json;

use crate::agent::{Agent, Era};
use crate::engine::Engine;

/// Goal: without an engine every tool says so and how to start one, and the sidecar lives. Method:
/// call all; start one; call.
#[test]
fn absent_then_present() {
    let runtime = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(runtime.path(), &["--engine", "late"]);
    let (code, text) = agent.fault("engine_health", json!({}));
    assert_eq!(code, "no_engine");
    assert!(text.contains("late") && text.contains("tickgate demo"), "{text}");
    assert_eq!(agent.fault("market_snapshot", json!({"symbols": ["AAPL"]})).0, "no_engine");
    assert_eq!(agent.fault("trading_halt", json!({"scope": "all", "reason": "r"})).0, "no_engine");
    let _engine = Engine::start(runtime.path(), "late", 1);
    let health = agent.get("engine_health", json!({}));
    assert!(health.get("engine_restarted").is_none(), "the first engine is no restart");
}

/// Goal: the engine hears that the client lives for as long as the agent's session is open, without a call, and no longer.
/// Method: one call, which attaches; beats are counted while nothing is asked, then after the session.
#[test]
fn beats_while_the_session_is_open() {
    for era in [Era::Legacy, Era::Modern] {
        let runtime = tempfile::tempdir().unwrap();
        let engine = Engine::start(runtime.path(), "beats", 1);
        let mut agent = Agent::start_in(era, runtime.path(), &["--engine", "beats"]);
        agent.get("engine_health", json!({}));
        let since = Instant::now();
        while engine.beats() < 4 {
            assert!(since.elapsed() < Duration::from_secs(60), "{} beats", engine.beats());
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(agent.close().success());
        std::thread::sleep(Duration::from_millis(50)); // What it sent last is taken.
        let beats = engine.beats();
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(engine.beats(), beats, "nobody beats for an agent that is gone");
    }
}

/// Goal: a restart is told once, by the next answer and within a second; an order number from
/// before is not sent on. Method: replace the engine by one of a new epoch, twice.
#[test]
fn restart_is_told() {
    let runtime = tempfile::tempdir().unwrap();
    let engine = Engine::start(runtime.path(), "again", 1);
    let mut agent = Agent::start(runtime.path(), &["--engine", "again"]);
    let order = json!({"account": "agent", "symbol": "AAPL", "side": "buy", "qty": "1", "limit": "99",
        "client_request_id": "r-1", "reason": "test"});
    let id = agent.get("order_request", order.clone())["order_id"].clone();
    drop(engine);
    assert_eq!(agent.fault("engine_health", json!({})).0, "no_engine");
    let engine = Engine::start(runtime.path(), "again", 2);
    let since = Instant::now();
    let told = agent.get("engine_health", json!({}));
    assert!(since.elapsed() < Duration::from_secs(1));
    assert_eq!(told["engine_restarted"], true);
    assert_eq!((&told["epoch"], &told["previous_epoch"]), (&json!("2"), &json!("1")));
    assert!(agent.get("engine_health", json!({})).get("engine_restarted").is_none(), "told once");

    agent.get("order_request", order);
    drop(engine);
    let _engine = Engine::start(runtime.path(), "again", 3);
    let cancel = json!({"order_id": id, "cancel": true, "client_request_id": "r-2"});
    let refused = agent.call("order_change", cancel.clone());
    assert_eq!(refused.body["error"]["code"], "engine_restarted");
    assert_eq!(refused.body["engine_restarted"], true);
    assert_eq!(agent.fault("order_change", cancel).0, "unknown_order");
}

/// Goal: with several engines the sidecar asks for a name instead of choosing. Method: two, with
/// and without a name.
#[test]
fn several_engines() {
    let runtime = tempfile::tempdir().unwrap();
    let _engines = [("first", 1), ("second", 2)]
        .map(|(name, epoch)| Engine::start(runtime.path(), name, epoch));
    let (code, text) = Agent::start(runtime.path(), &[]).fault("engine_health", json!({}));
    assert_eq!(code, "several_engines");
    assert!(
        text.contains("first") && text.contains("second") && text.contains("--engine"),
        "{text}"
    );
    let health =
        Agent::start(runtime.path(), &["--engine", "second"]).get("engine_health", json!({}));
    assert_eq!(health["epoch"], "2");
}

/// Goal: an engine that stands still is not read as if it ran. Method: stop its loop, wait past the second.
#[test]
fn silent_engine() {
    let runtime = tempfile::tempdir().unwrap();
    let engine = Engine::start(runtime.path(), "silent", 1);
    let mut agent = Agent::start(runtime.path(), &["--engine", "silent"]);
    agent.get("book_depth", json!({"symbol": "AAPL"}));
    engine.fall_silent();
    std::thread::sleep(Duration::from_millis(1_200));
    let (code, text) = agent.fault("book_depth", json!({"symbol": "AAPL"}));
    assert_eq!(code, "engine_silent");
    assert!(text.contains("no sign of life"), "{text}");
}

/// Goal: an engine of another build is named as such. Method: a socket that greets with another version.
#[test]
fn version_mismatch() {
    let runtime = tempfile::tempdir().unwrap();
    let folder = runtime.path().join("tickgate");
    std::fs::DirBuilder::new().create(&folder).unwrap();
    rustix::fs::chmod(&folder, rustix::fs::Mode::RWXU).unwrap();
    let socket = greet_with(&folder.join("old.sock"), 999);
    let (code, text) =
        Agent::start(runtime.path(), &["--engine", "old"]).fault("engine_health", json!({}));
    assert_eq!(code, "version_mismatch");
    let ours = shm::Version::OURS.to_string();
    assert!(text.contains("999-") && text.contains(&ours), "{text}");
    socket.join().unwrap();
}

/// A socket that answers the first packet with the greeting of an engine of that protocol version.
fn greet_with(path: &std::path::Path, abi: u64) -> JoinHandle<()> {
    let kind = SocketType::SEQPACKET;
    let socket = rustix::net::socket(AddressFamily::UNIX, kind, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    rustix::net::listen(&socket, 4).unwrap();
    let words = [u64::from_le_bytes(*b"tickgate"), abi, 0, 1].into_iter().chain([0; 14]);
    let greeting: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    std::thread::spawn(move || {
        loop {
            let client = rustix::net::accept(&socket).unwrap();
            let mut packet = [0; 64];
            let (length, _) = rustix::net::recv(&client, &mut packet, RecvFlags::empty()).unwrap();
            // A client that only looks who is there hangs up without a word.
            if length > 0 {
                rustix::net::send(&client, &greeting, SendFlags::empty()).unwrap();
                return;
            }
        }
    })
}
