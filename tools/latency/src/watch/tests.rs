use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};

use model::Kind;

use super::*;
use crate::round::{Round, account};
use crate::rows::{Histograms, VERDICT_RESPONSE, VERDICT_SERVICE};

/// What a look at the clock takes.
const LOOK: u64 = 20;

/// A clock that goes on by a look's time with each look, and by more when somebody says so.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn look(&self) -> impl Fn() -> u64 + Send + 'static {
        let now = Arc::clone(&self.0);
        move || now.fetch_add(LOOK, Ordering::Relaxed)
    }

    fn pass(&self, ns: u64) {
        self.0.fetch_add(ns, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Nanoseconds between two messages, and of the work of each thread on one.
const APART: u64 = 10_000;
const DECODE: u64 = 40;
const STEP: u64 = 300;
const EVENTS: u64 = 2_000;

/// A day of messages, one event each, of which the window is all but the first ten.
struct Run {
    hands: Hands,
    feed: FeedWatch<Box<dyn Fn() -> u64 + Send>>,
    engine: EngineWatch<Box<dyn Fn() -> u64 + Send>>,
    seen: (Receiver<Seen<Arrived>>, Receiver<Seen<Stepped>>),
}

impl Run {
    fn new(speed: Option<u64>) -> Run {
        let hands = Hands::default();
        let window = Window {
            from: 10 * APART,
            length: EVENTS * APART,
            first_arrival: 10,
            arrivals: EVENTS,
            first_event: 10,
            events: EVENTS,
        };
        let (to_feed, from_feed) = mpsc::channel();
        let (to_engine, from_engine) = mpsc::channel();
        let clock = || -> Box<dyn Fn() -> u64 + Send> { Box::new(hands.look()) };
        let feed = FeedWatch::new(clock(), window, speed, to_feed);
        let engine = EngineWatch::new(clock(), window, to_engine);
        Run { feed, engine, seen: (from_feed, from_engine), hands }
    }

    /// The feed thread's part of a message.
    fn arrive(&mut self, number: u64) {
        self.feed.arrives(Ts(number * APART));
        self.hands.pass(DECODE);
        self.feed.decoded(&Event::empty(Kind::Notice));
    }

    /// The engine thread's.
    fn step(&mut self) {
        self.engine.taken();
        self.hands.pass(STEP);
        self.engine.mark(Stage::Book);
        self.engine.mark(Stage::Indicators);
        self.engine.mark(Stage::Gate);
        self.engine.mark(Stage::Handed);
        self.engine.stepped();
        self.engine.round(false);
    }

    fn account(self) -> (Seen<Arrived>, Seen<Stepped>, Round) {
        self.feed.end();
        self.engine.end();
        let (feed, engine) = (self.seen.0.recv().unwrap(), self.seen.1.recv().unwrap());
        let round = account(&feed, &engine);
        (feed, engine, round)
    }
}

/// Percentiles of a row.
fn at(round: &Round, row: usize, quantile: f64) -> u64 {
    let mut histograms = Histograms::default();
    histograms.add(&round.counts);
    histograms.get(row).unwrap().value_at_quantile(quantile)
}

/// Goal: a stalled engine thread shows in the response of every message that was due meanwhile, and in the service time of
/// none: open loop. Method: the feed goes on by its schedule while the engine stands still for a tenth of the window; the same
/// without a stall beside it.
#[test]
fn a_stall_is_response_and_not_service() {
    const STALL: u64 = EVENTS / 10;
    let run = |stalls: bool| {
        let mut run = Run::new(Some(1_000));
        for number in 0..EVENTS + 10 {
            run.arrive(number);
            let at = number as i64 - 10;
            let in_stall = stalls && (0..STALL as i64).contains(&at);
            if !in_stall {
                run.step();
            }
            if stalls && at == STALL as i64 {
                (0..STALL).for_each(|_| run.step()); // What waited in the ring.
            }
        }
        run.account().2
    };
    let (calm, stalled) = (run(false), run(true));
    assert_eq!((calm.events, stalled.events), (EVENTS, EVENTS));
    let stall_ns = STALL * APART;
    let [response, service] =
        [VERDICT_RESPONSE, VERDICT_SERVICE].map(|row| [&calm, &stalled].map(|of| at(of, row, 1.0)));
    assert!(response[0] < APART, "{response:?}");
    assert!(response[1] >= stall_ns - APART, "{response:?}: the first one waited for all of it");
    // One in ten waited, the median of those for half of the stall: a closed loop would show one.
    assert!(at(&stalled, VERDICT_RESPONSE, 0.96) >= stall_ns / 2, "{response:?}");
    assert!(service.iter().all(|ns| *ns < 2 * (DECODE + STEP)), "{service:?}");
}

/// Goal: a feed thread that is late takes every message, late, and each counts from when it was due. Method: it stands still
/// for a hundred messages' time before one; the schedule of all others stays what it was.
#[test]
fn a_late_sender_skips_nothing() {
    let mut run = Run::new(Some(1_000));
    for number in 0..EVENTS + 10 {
        if number == 1_000 {
            run.hands.pass(100 * APART);
        }
        run.arrive(number);
        run.step();
    }
    let (feed, _, round) = run.account();
    assert_eq!(feed.stamps.len() as u64, EVENTS);
    let due: Vec<u64> = feed.stamps.iter().map(|stamp| stamp.due - feed.stamps[0].due).collect();
    let schedule: Vec<u64> = (0..EVENTS).map(|number| number * APART).collect();
    assert_eq!(due, schedule);
    let late = feed.stamps.iter().filter(|stamp| stamp.received - stamp.due > APART).count();
    assert!((99..=110).contains(&late), "{late}");
    assert!(at(&round, VERDICT_RESPONSE, 1.0) >= 99 * APART);
    assert!(at(&round, VERDICT_SERVICE, 1.0) < 2 * (DECODE + STEP));
}

/// Goal: the pace is the recorded one times the factor, without a pace nothing is due, and what lies outside the window has no
/// stamp. Method: half, four times, none.
#[test]
fn paces() {
    for (speed, apart) in [(Some(500), 2 * APART), (Some(4_000), APART / 4), (None, 0)] {
        let mut run = Run::new(speed);
        let mut anchors = 0;
        for number in 0..EVENTS + 50 {
            run.feed.arrives(Ts(number * APART));
            anchors += u32::from(run.feed.decoded(&Event::empty(Kind::Notice)).is_some());
            run.step();
        }
        let (feed, engine, _) = run.account();
        assert_eq!((feed.stamps.len() as u64, engine.stamps.len() as u64), (EVENTS, EVENTS));
        assert_eq!(anchors, u32::from(speed.is_some()), "recorded time is anchored once");
        let (first, last) = (feed.stamps[0], feed.stamps[EVENTS as usize - 1]);
        assert_eq!(last.due - first.due, (EVENTS - 1) * apart);
        assert!(feed.stamps.iter().all(|stamp| stamp.received >= stamp.due));
        assert!(feed.cost.is_some() && engine.cost.is_some());
    }
}

/// Goal: a hot thread that stands still while it has nothing to do is seen by its own meter, with the time at which it did; in
/// work it is not. Method: the clock jumps once while the feed thread waits; then while the engine looks, and while it works.
#[test]
fn hot_threads_meter_themselves() {
    let mut run = Run::new(Some(1_000));
    let hands = run.hands.clone();
    let (look, jumper, jumped) = (hands.look(), hands.clone(), AtomicU64::new(0));
    let in_a_wait = SETTLE_NS + 5 * APART + APART / 2;
    run.feed.clock = Box::new(move || {
        if jumper.now() >= in_a_wait && jumped.fetch_add(1, Ordering::Relaxed) == 0 {
            jumper.pass(30_000);
        }
        look()
    });
    for number in 0..30 {
        run.arrive(number);
        run.step();
    }
    let meter = &run.feed.seen.meter;
    let [hiccup] = *meter.hiccups.as_slice() else { panic!("{:?}", meter.hiccups) };
    assert!((30_000..31_000).contains(&hiccup.ns), "{hiccup:?}");
    assert!((in_a_wait + 30_000..in_a_wait + 31_000).contains(&hiccup.at), "{hiccup:?}");
    assert_eq!(meter.gaps.over[1], 1);

    run.engine.round(true);
    hands.pass(70_000);
    run.engine.round(true);
    hands.pass(90_000);
    run.engine.round(false);
    run.engine.round(true);
    let meter = &run.engine.seen.meter;
    let [hiccup] = *meter.hiccups.as_slice() else { panic!("{:?}", meter.hiccups) };
    assert!((70_000..71_000).contains(&hiccup.ns), "{hiccup:?}: that of the looking alone");
}

/// Goal: events of one packet wait for those before them, and that is in the service of none. Method: two events a message, the
/// second of which waits for room in the ring; then what the rows of service hold.
#[test]
fn events_of_a_packet_wait_for_each_other() {
    const WAIT: u64 = 5_000;
    let mut run = Run::new(Some(1_000));
    for number in 0..10 {
        run.arrive(number);
        run.step();
    }
    for number in 10..10 + EVENTS / 2 {
        run.arrive(number);
        run.hands.pass(WAIT);
        run.feed.decoded(&Event::empty(Kind::Notice));
        run.step();
        run.step();
    }
    let (feed, _, round) = run.account();
    let firsts = feed.stamps.iter().filter(|arrived| arrived.is_first).count() as u64;
    assert_eq!((feed.stamps.len() as u64, firsts), (EVENTS, EVENTS / 2));
    assert!(
        feed.stamps
            .iter()
            .all(|arrived| arrived.is_first || arrived.decoded - arrived.received > WAIT)
    );
    let mut histograms = Histograms::default();
    histograms.add(&round.counts);
    assert_eq!(histograms.get(VERDICT_SERVICE).unwrap().len(), EVENTS / 2);
    assert!(at(&round, VERDICT_SERVICE, 1.0) < WAIT);
}
