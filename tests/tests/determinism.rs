//! The same inputs give the same state, however they come.

use engine::config::Config;
use engine::replay::Replay;
use engine::runtime::{self, Finished, Plan};
use engine::script::{Line, Op, Script, Special, When};
use engine::sequencer::Sequencer;
use engine::step::Engine;
use model::{ClientOrderId, Event, OrderType, Side, Symbol, Tif};
use tests::Stage;

/// The hash that the day and orders of these tests come to, on every build. It changes when what is folded or decided
/// changes, and then only on purpose.
const HASH: u64 = 0xf02d_d472_5ea0_2f58;

fn orders(qty: i64) -> Script {
    let line = |after: u64, id: &str, op: Op| Line {
        when: When::After(after),
        id: ClientOrderId::new(id).unwrap(),
        account: Symbol::new("agent").unwrap(),
        op,
    };
    let new = |side, px: i64, tif| Op::New {
        symbol: Symbol::new("SYN001").unwrap(),
        side,
        qty: qty.into(),
        px: px.into(),
        order_type: OrderType::Limit,
        tif,
        special: Special::default(),
    };
    Script::new(vec![
        line(20_000, "rests", new(Side::Buy, 1, Tif::Day)),
        line(30_000, "takes", new(Side::Buy, 100_000, Tif::Ioc)),
        line(40_000, "sells", new(Side::Sell, 1, Tif::Ioc)),
        line(45_000, "rests", Op::Replace { qty: Some(7.into()), px: None }),
        line(50_000, "rests", Op::Cancel),
    ])
}

fn run(config: Config, script: Script) -> Finished {
    let plan = Plan { config, script, shared: false, ends_with_feed: true, drive_stream: None };
    let running = runtime::start(plan).unwrap();
    while !running.has_ended() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.finish().unwrap()
}

/// Goal: a run, the replay of its journal and a second run come to the same hash, in debug and release; one order's quantity
/// changed comes to another. Method: a day with orders that rest, take and change, and the probe trading beside them.
#[test]
fn same_inputs_same_hash() {
    let stage = Stage::new(120_000, 20);
    let config = stage.config("determinism");
    let first = run(config.clone(), orders(5));
    assert!(!first.not_due);
    assert!(first.engine.passed() > 20, "{} passed", first.engine.passed());

    let journal = config.engine.journal.clone().unwrap().folder;
    let mut replay = Replay::open(&journal).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert_eq!(replay.engine.state_hash(), first.engine.state_hash());
    assert!(replay.closed && replay.checkpoints >= 2);

    std::fs::remove_dir_all(&journal).unwrap();
    let second = run(config.clone(), orders(5));
    assert_eq!(second.engine.state_hash(), first.engine.state_hash());
    assert_eq!(first.engine.state_hash(), HASH, "{:016x}", first.engine.state_hash());

    std::fs::remove_dir_all(&journal).unwrap();
    let other = run(config, orders(6));
    assert_ne!(other.engine.state_hash(), first.engine.state_hash());
}

/// Goal: a date given to a file without one changes nothing. Method: the same day on two dates.
#[test]
fn date_is_not_hashed() {
    let stage = Stage::new(60_000, 10);
    let hash = |date: &str| {
        let config = stage.config("dates");
        let mut engine = config.engine.clone();
        engine.feeds[0].captures_mut().unwrap().date = date.parse().unwrap();
        engine.journal = None;
        run(config.with_engine(engine), Script::default()).engine.state_hash()
    };
    assert_eq!(hash("1970-01-01"), hash("2024-02-29"));
}

/// Goal: a book with a hole in its messages says so, refuses new exposure and lets cancels pass; the next day heals it.
/// Method: leave one message out.
#[test]
fn a_gap_blocks_and_a_new_day_heals() {
    let stage = Stage::new(60_000, 5);
    let events: Vec<Event> = stage.events();
    let mut sequencer = Sequencer::new(Engine::new(&stage.config("gap")).unwrap(), None);
    for event in events.iter().filter(|event| event.seq != 30_000) {
        sequencer.event(event, &mut ());
        sequencer.out.forget();
    }
    let board = sequencer.engine.board(0).unwrap();
    assert_eq!((board.integrity, board.cause), (model::Integrity::Incomplete, model::Cause::Gap));
    let last = events.len() as u64;
    for event in &events[..40_000] {
        let event = Event {
            seq: event.seq + last,
            ts_recv: model::Ts(event.ts_recv.0 + model::DAY_NS),
            ..*event
        };
        sequencer.event(&event, &mut ());
        sequencer.out.forget();
    }
    assert_eq!(sequencer.engine.board(0).unwrap().integrity, model::Integrity::Live);
}

/// Goal: a snapshot says how far the venue's day is. Method: that it is over, then that it goes on, in the middle of a day.
#[test]
fn a_snapshot_closes_and_reopens() {
    let stage = Stage::new(60_000, 5);
    let mut sequencer = Sequencer::new(Engine::new(&stage.config("phase")).unwrap(), None);
    let events = stage.events();
    let play = |sequencer: &mut Sequencer, event: &Event| {
        sequencer.event(event, &mut ());
        sequencer.out.forget();
        sequencer.engine.board(0).map(|board| board.state)
    };
    events[..40_000].iter().for_each(|event| _ = play(&mut sequencer, event));
    let before = sequencer.engine.board(0).unwrap();
    assert_eq!(before.state, model::TradingState::Trading);
    let phase = |code: u8| Event {
        aux: code.into(),
        number: model::VenueNumber(0),
        flags: model::Flags::SNAPSHOT,
        kind: model::Kind::Session,
        ..events[39_999]
    };
    assert_eq!(play(&mut sequencer, &phase(b'E')), Some(model::TradingState::Closed));
    assert_eq!(play(&mut sequencer, &phase(b'Q')), Some(model::TradingState::Trading));
    assert_eq!(sequencer.engine.board(0).unwrap().levels, before.levels, "it empties no book");
}
