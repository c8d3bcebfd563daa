//! A live start watches its hot cores.

use engine::config::HiccupMax;
use model::HaltLevel;
use serde_json::json;
use tests::place::{self, Place, halted, lasting_limits, until};

/// Goal: a live engine whose cores are too loud does not start, records nothing and says why; told to, it starts and lets
/// nothing new pass; paper trading is not watched. Method: a core that no host has, of which nothing can be known, so that
/// nothing depends on how busy this one is; a start level that would let orders pass.
#[test]
fn a_loud_host_is_refused() {
    let server = place::venue();
    let place = Place::live("hiccups", &lasting_limits(), &server, |engine| {
        engine.cpus.feed = Some(1_023);
        engine.hiccup_max = HiccupMax::Us(1_000_000);
        engine.start_level = HaltLevel::Active;
    });
    let run = ["run", "--config", &place.config_path()];
    let (code, said) = place.run("tickgate", &run);
    assert_eq!(code, 5, "{said}");
    for part in [
        "core 1023 takes no thread",
        "hiccup_max_us allows 1.0 s",
        "tickgate doctor --config",
        "--despite-hiccups",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let files: Vec<_> = std::fs::read_dir(place.journal())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["lock"], "nothing is recorded");

    let engine = place.begin("tickgate", &[&run[..], &["--despite-hiccups"]].concat());
    until("no engine", || place.run("tickgate-status", &["--json"]).0 == 0);
    let status = place.status();
    let halt = &status["halts"][0];
    assert_eq!(
        (&halt["cause"], &halt["level"]),
        (&json!("start"), &json!("cancel_only")),
        "{status:#}"
    );
    let mut trader = place.trader();
    assert!(halted(&trader.asks()));
    drop(trader);
    let (code, said) = place.run("tickgate", &run);
    assert!(
        code == 5 && !said.contains("quiet"),
        "the cores of an engine that runs are left alone: {said}"
    );
    engine.ends();
}
