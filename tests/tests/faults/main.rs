//! What engines do when their disk, their clock, their files and their starts fail. `FAULTS.md` beside says which test shows
//! what becomes of which fault.

mod clock;
mod lag;
mod limits;
mod restarts;

use engine::replay::Replay;
use tests::place::Place;

/// The whole journal of a place, replayed with every hash compared.
fn replayed(place: &Place) -> Replay {
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    let refusal = replay.fault().and_then(engine::journal::reader::Fault::refusal);
    assert!(refusal.is_none(), "{refusal:?}");
    replay
}
