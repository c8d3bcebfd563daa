use std::path::{Path, PathBuf};

use super::super::*;
use model::DAY_NS;

const HOUR_NS: u64 = DAY_NS / 24;

/// An engine of the shipped configuration, its limits changed.
pub(super) fn engine(change: impl Fn(String) -> String) -> Engine {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let mut files = Config::NAMES
        .map(|name| (PathBuf::from(name), std::fs::read_to_string(shipped.join(name)).unwrap()));
    files[2].1 = change(std::mem::take(&mut files[2].1));
    let config = Config::from_texts(files.into()).unwrap();
    let mut small = config.engine.clone();
    small.capacity = Capacity { instruments: 2, book_orders: 64, ..Capacity::SMALL };
    Engine::new(&config.with_engine(small)).unwrap()
}

/// Goal: a session begins at its time of day, once, and not at the first input. Method: time over two days, from either side
/// of the start.
#[test]
fn sessions_begin_at_their_time() {
    for (first, begins) in [(4, [5, 29, 53]), (5, [29, 53, 77]), (6, [29, 53, 77])] {
        let mut engine = engine(|limits| limits);
        let mut out = engine.output();
        let mut begun = Vec::new();
        for hour in first..54 {
            let (before, seq) = (engine.state_hash(), hour - first + 1);
            let input = Input { seq, now: Ts(hour * HOUR_NS), body: Body::Timer };
            engine.step(&input, &mut out, &mut ());
            if engine.state_hash() != before {
                begun.push(hour);
            }
        }
        let expected: Vec<u64> = begins.into_iter().filter(|hour| *hour < 54).collect();
        assert_eq!(begun, expected, "from {first}:00");
    }
    let (mut engine, last) =
        (engine(|limits| limits), Input { seq: 1, now: Ts(u64::MAX), body: Body::Timer });
    let mut out = engine.output();
    engine.step(&last, &mut out, &mut ());
    engine.step(&Input { seq: 2, ..last }, &mut out, &mut ());
}
