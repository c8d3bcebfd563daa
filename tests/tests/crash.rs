//! kill -9 at any moment loses nothing that was written, and leaves nothing that cannot be read.

use std::process::{Command, Stdio};
use std::time::Duration;

use engine::replay::Replay;
use tests::{Stage, program};

/// Processes killed.
const KILLS: u64 = 200;

/// Goal: after each kill the longest valid prefix is found, and its hash is that of the uninterrupted run at that input; a
/// restart goes on from there to the same end. Method: the same day with orders, killed at moments spread over its run.
#[test]
fn killed_at_random_moments() {
    let stage = Stage::new(150_000, 10);
    let config = stage.config("crash");
    let engine_toml = stage.write_config(&config);
    let orders = stage.folder.path().join("orders.jsonl");
    std::fs::write(&orders, order_lines()).unwrap();
    let start = |journal: &std::path::Path| {
        Command::new(program("tickgate"))
            .arg("replay")
            .arg(&stage.capture)
            .arg("--config")
            .arg(&engine_toml)
            .arg("--orders")
            .arg(&orders)
            .arg("--journal")
            .arg(journal)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };

    let whole = stage.folder.path().join("whole");
    let begun = std::time::Instant::now();
    assert!(start(&whole).wait().unwrap().success());
    let took = begun.elapsed();
    let mut replay = Replay::open(&whole).unwrap().unwrap();
    let mut hashes = vec![replay.engine.state_hash()];
    for seq in 1.. {
        replay.run(Some(seq), |_| ()).unwrap();
        if replay.engine.seq() < seq {
            break;
        }
        hashes.push(replay.engine.state_hash());
    }
    assert!(hashes.len() > 150_000);

    let mut ends = std::collections::BTreeSet::new();
    for kill in 0..KILLS {
        let journal = stage.folder.path().join(format!("killed-{kill}"));
        let mut child = start(&journal);
        std::thread::sleep(
            took.mul_f64(kill as f64 / KILLS as f64) + Duration::from_micros(kill * 37 % 1000),
        );
        child.kill().unwrap();
        child.wait().unwrap();
        match Replay::open(&journal) {
            Ok(Some(mut replay)) => {
                replay.run(None, |_| ()).unwrap();
                let seq = replay.engine.seq();
                assert_eq!(
                    replay.engine.state_hash(),
                    hashes[seq as usize],
                    "kill {kill}, input {seq}"
                );
                ends.insert(seq);
            }
            Ok(None) => {} // Killed before the head of the journal was written.
            Err(error) => panic!("kill {kill}: {error}"),
        }
        std::fs::remove_dir_all(&journal).ok();
    }
    println!("{} different ends, the last {:?}", ends.len(), ends.last());
    assert!(ends.len() >= 5, "the kills hit too few places: {ends:?}");
}

/// Orders all over the day, so that runs of events are short and many.
fn order_lines() -> String {
    let line = |n: u64| {
        let (side, px) = if n.is_multiple_of(2) { ("buy", "100000") } else { ("sell", "0.01") };
        format!(
            "{{\"after\":{},\"op\":\"new\",\"id\":\"o{n}\",\"account\":\"agent\",\"symbol\":\"SYN001\",\"side\":\"{side}\",\
             \"qty\":\"1\",\"px\":\"{px}\",\"tif\":\"ioc\"}}\n",
            5_000 + n * 70
        )
    };
    (0..2_000).map(line).collect()
}
