//! A wall clock that somebody sets while an engine runs.

use std::time::Instant;

use model::page::{Answer, AnswerKind};
use model::{HaltCause, HaltScope, Reject, Verdict};
use tests::WIDE_LIMITS;
use tests::place::{PATIENCE, Place, Trader, halted, until};

use crate::replayed;

const HOUR_NS: i64 = 3_600_000_000_000;

/// A place whose clients may ask three times in so many milliseconds of engine time.
fn place(name: &str, window_ms: u64, clock: &str) -> Place {
    let window = format!("rate_max = 3\nrate_window_ms = {window_ms}");
    let limits = WIDE_LIMITS
        .replacen("rate_max = 65536\nrate_window_ms = 1", &window, 1)
        .replace("clock_error_ms = \"off\"", clock);
    Place::with_limits(name, &limits).lied_to()
}

fn is_throttled(answer: &Answer) -> bool {
    answer.verdict.bits & Verdict::bit(Reject::Rate) != 0
}

/// Asks until the answer says nothing but what the throttle does: whether it lets it pass.
fn passes(trader: &mut Trader) -> bool {
    let begun = Instant::now();
    loop {
        let answer = trader.asks();
        assert!(begun.elapsed() < PATIENCE, "{answer:?}");
        if answer.kind == AnswerKind::Accepted || is_throttled(&answer) {
            return answer.kind == AnswerKind::Accepted;
        }
        trader.looks_again();
    }
}

/// Waits until the market went on for a while.
fn goes_on(place: &Place) {
    let inputs = || place.status()["engine_seq"].as_u64().unwrap();
    let before = inputs();
    until("the market stands still", || inputs() > before + 2_000);
}

/// Goal: throttles count on a clock that nobody can set: one that is full stays full when the wall clock jumps ahead by more
/// than its window, and one that is set back frees when its window has passed. The market goes on meanwhile, and a replay
/// decides alike. Method: a window of a day and a short one, a wall clock that jumps hours to and fro under the running engine.
#[test]
fn throttles_do_not_hear_of_it() {
    let place = self::place("fault-clock", 86_400_000, "clock_error_ms = \"off\"");
    let engine = place.start();
    let mut trader = place.trader();
    assert!((0..4).filter(|_| passes(&mut trader)).count() < 4);
    for hours in [25, -25, 1, -1, 0] {
        place.preload().set_wall(hours * HOUR_NS);
        goes_on(&place);
        trader.looks_again();
        // Whatever else refuses it: what is refused counts too, and would fill a throttle that was open.
        assert!(is_throttled(&trader.asks()), "{hours} hours opened the throttle");
    }
    drop(trader);
    engine.ends();
    assert!(replayed(&place).closed);

    let place = self::place("fault-clock-back", 2_000, "clock_error_ms = \"off\"");
    let engine = place.start();
    let mut trader = place.trader();
    for hours in [-25, 25, -1] {
        place.preload().set_wall(hours * HOUR_NS);
        // What is refused counts as well: only who waits may ask again.
        let begun = Instant::now();
        while !passes(&mut trader) {
            assert!(begun.elapsed() < PATIENCE, "{hours} hours closed the throttle for good");
            std::thread::sleep(std::time::Duration::from_millis(600));
        }
    }
    drop(trader);
    engine.ends();
    assert!(replayed(&place).closed);
}

/// Goal: where the clock is watched, a jump of an hour either way halts as the limits say, and stays halted when the clock is
/// put right; a jump below the bound is none. Method: half a minute, then an hour, ahead and back.
#[test]
fn a_watched_clock_halts() {
    for hours in [1, -1] {
        let watched = "clock_error_ms = 60000\nclock_synced = \"off\"\nclock_level = \"halted\"";
        let place = self::place("fault-clock-watched", 1, watched);
        let engine = place.start();
        let mut trader = place.trader();
        place.preload().set_wall(hours * HOUR_NS / 120);
        goes_on(&place);
        assert!(passes(&mut trader), "half a minute halts");
        place.preload().set_wall(hours * HOUR_NS);
        until("an hour does not halt", || halted(&trader.asks()));
        place.preload().set_wall(0);
        assert!(halted(&trader.asks()), "the clock resumes by itself");
        assert_eq!(trader.tape_halts(), [(HaltScope::All, HaltCause::Clock)]);
        drop(trader);
        engine.ends();
        assert!(replayed(&place).closed);
    }
}
