//! The stamps: both hot threads' own, each in memory of its thread, one beside the other by the number of the event.
//!
//! Open loop: when a message is due follows from its recorded time alone. A thread that is late takes it late, never skips
//! it, and its latency counts from when it was due.

use std::sync::mpsc::Sender;

use engine::runtime::{EngineObserver, FeedObserver};
use engine::step::{Stage, Stamp};
use feeds::Arrival;
use model::{Event, Ts};

use crate::meter::{Cost, CostMeter, Meter};
use crate::window::Window;

/// Pause before a window, in which what was played without a pace is worked off.
const SETTLE_NS: u64 = 50_000_000;

/// What the feed thread stamps of an event, nanoseconds of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// When its message was due; zero: without a pace.
    pub due: u64,
    /// T0: the thread had its bytes.
    pub received: u64,
    /// T1: it was decoded.
    pub decoded: u64,
    /// Whether it is the first of its message or packet, which is decoded whole before that one goes into the ring: what is
    /// between T0 and T1 of the others is not work on them alone, but their waiting for those before them too.
    pub is_first: bool,
}

/// What the engine thread stamps of it; zero: no such stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// It was taken from the ring.
    pub taken: u64,
    /// T2: the book was up to date.
    pub book: u64,
    /// T3: so were the indicators.
    pub indicators: u64,
    /// T4: the gate had judged the first order that it caused.
    pub verdict: u64,
    /// T5: that order was handed over.
    pub handed: u64,
}

/// What a hot thread leaves.
pub struct Seen<T> {
    /// Of each event of the window.
    pub stamps: Vec<T>,
    /// What the machine did to it in the window.
    pub meter: Meter,
    /// What it took in the window; `None`: the window did not end.
    pub cost: Option<Cost>,
    /// Begin and end of the window on its clock.
    pub span: [u64; 2],
}

impl<T: Copy + Default> Seen<T> {
    fn new(window: &Window) -> Seen<T> {
        let mut stamps = vec![T::default(); window.events as usize];
        host::prefault(&mut stamps);
        stamps.clear();
        Seen { stamps, meter: Meter::default(), cost: None, span: [0; 2] }
    }
}

/// Watches the feed thread, and paces it.
pub struct FeedWatch<C> {
    clock: C,
    window: Window,
    /// Thousandths of the recorded pace; `None`: as fast as it goes.
    speed: Option<u64>,
    /// Messages and events so far.
    arrivals: u64,
    events: u64,
    is_open: bool,
    /// Recorded time, and when it is.
    anchor: (Ts, u64),
    told: bool,
    due: u64,
    received: u64,
    /// Whether no event of the message was decoded yet.
    is_first: bool,
    cost: Option<CostMeter>,
    seen: Seen<Arrived>,
    to: Sender<Seen<Arrived>>,
}

impl<C: Fn() -> u64> FeedWatch<C> {
    /// `clock` counts nanoseconds.
    pub fn new(
        clock: C,
        window: Window,
        speed: Option<u64>,
        to: Sender<Seen<Arrived>>,
    ) -> FeedWatch<C> {
        FeedWatch {
            clock,
            window,
            speed,
            arrivals: 0,
            events: 0,
            is_open: false,
            anchor: (Ts(0), 0),
            told: true,
            due: 0,
            received: 0,
            is_first: false,
            cost: None,
            seen: Seen::new(&window),
            to,
        }
    }

    #[cold]
    fn open(&mut self, ts: Ts) {
        self.cost.get_or_insert_with(CostMeter::new).begin();
        let begin = (self.clock)() + SETTLE_NS;
        (self.is_open, self.anchor) = (true, (ts, begin));
        self.told = self.speed.is_none();
        self.wait(begin, false);
        self.seen.span[0] = begin;
    }

    #[cold]
    fn close(&mut self) {
        self.is_open = false;
        self.seen.span[1] = (self.clock)();
        self.seen.cost = self.cost.as_mut().map(CostMeter::end);
    }

    /// When what was recorded at `ts` is due: what lies before the window at once, and nothing after its end.
    fn due_at(&self, ts: Ts, speed: u64) -> u64 {
        let since = ts.since(self.anchor.0).min(self.window.length);
        self.anchor.1 + since.saturating_mul(1000) / speed.max(1)
    }

    /// Looks at the clock until it is `due`; the last look. Here the thread has nothing else to do: its gaps are hiccups.
    fn wait(&mut self, due: u64, counts: bool) -> u64 {
        let mut last = (self.clock)();
        while last < due {
            core::hint::spin_loop();
            let now = (self.clock)();
            if counts {
                self.seen.meter.note(now, now.saturating_sub(last));
            }
            last = now;
        }
        last
    }
}

impl<C: Fn() -> u64 + Send> Arrival for FeedWatch<C> {
    #[inline]
    fn arrives(&mut self, ts_recv: Ts) {
        let number = self.arrivals;
        self.arrivals += 1;
        if number == 0 {
            self.cost = Some(CostMeter::new());
        }
        if number == self.window.first_arrival {
            self.open(ts_recv);
        }
        if number == self.window.first_arrival + self.window.arrivals {
            self.close();
        }
        if !self.is_open {
            return;
        }
        self.is_first = true;
        (self.due, self.received) = match self.speed {
            None => (0, (self.clock)()),
            Some(speed) => {
                let due = self.due_at(ts_recv, speed);
                (due, self.wait(due, true))
            }
        };
    }
}

impl<C: Fn() -> u64 + Send + 'static> FeedObserver for FeedWatch<C> {
    #[inline]
    fn decoded(&mut self, _: &Event) -> Option<(Ts, u64)> {
        let place = self.events.wrapping_sub(self.window.first_event);
        self.events += 1;
        if place >= self.window.events {
            return None;
        }
        let (due, received) = (self.due, self.received);
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.seen.stamps.push(Arrived { due, received, decoded: (self.clock)(), is_first });
        let is_told = std::mem::replace(&mut self.told, true);
        (!is_told).then_some(self.anchor)
    }

    fn end(mut self) {
        if self.is_open {
            self.close();
        }
        let _ = self.to.send(self.seen); // Nobody waits for it any more: then nobody wants it.
    }
}

/// Watches the engine thread.
pub struct EngineWatch<C> {
    clock: C,
    window: Window,
    events: u64,
    is_open: bool,
    now: Stepped,
    /// The last look at the clock, at the end of a part of a round.
    looked: u64,
    cost: Option<CostMeter>,
    seen: Seen<Stepped>,
    to: Sender<Seen<Stepped>>,
}

impl<C: Fn() -> u64> EngineWatch<C> {
    /// `clock` counts nanoseconds, and is the feed thread's.
    pub fn new(clock: C, window: Window, to: Sender<Seen<Stepped>>) -> EngineWatch<C> {
        EngineWatch {
            clock,
            window,
            events: 0,
            is_open: false,
            now: Stepped::default(),
            looked: 0,
            cost: None,
            seen: Seen::new(&window),
            to,
        }
    }

    #[cold]
    fn open(&mut self) {
        self.cost.get_or_insert_with(CostMeter::new).begin();
        self.is_open = true;
        self.looked = (self.clock)();
        self.seen.span[0] = self.looked;
    }

    #[cold]
    fn close(&mut self) {
        self.is_open = false;
        self.seen.span[1] = (self.clock)();
        self.seen.cost = self.cost.as_mut().map(CostMeter::end);
    }
}

impl<C: Fn() -> u64> Stamp for EngineWatch<C> {
    #[inline]
    fn mark(&mut self, stage: Stage) {
        if !self.is_open {
            return;
        }
        let now = (self.clock)();
        let place = match stage {
            Stage::Book => &mut self.now.book,
            Stage::Indicators => &mut self.now.indicators,
            Stage::Gate => &mut self.now.verdict,
            Stage::Handed => &mut self.now.handed,
        };
        if *place == 0 {
            *place = now;
        }
    }
}

impl<C: Fn() -> u64 + Send + 'static> EngineObserver for EngineWatch<C> {
    const OBSERVES: bool = true;

    #[inline]
    fn taken(&mut self) {
        let place = self.events.wrapping_sub(self.window.first_event);
        self.events += 1;
        if place == 0 {
            self.open();
        }
        if self.is_open {
            self.now = Stepped { taken: (self.clock)(), ..Stepped::default() };
        }
    }

    #[inline]
    fn stepped(&mut self) {
        if self.is_open {
            self.seen.stamps.push(self.now);
            if self.seen.stamps.len() as u64 == self.window.events {
                self.close();
            }
        }
    }

    #[inline]
    fn round(&mut self, idle: bool) {
        if self.cost.is_none() {
            self.cost = Some(CostMeter::new());
        }
        if !self.is_open {
            return;
        }
        let now = (self.clock)();
        if idle {
            self.seen.meter.note(now, now.saturating_sub(self.looked));
        }
        self.looked = now;
    }

    fn end(self) {
        let _ = self.to.send(self.seen);
    }
}

#[cfg(test)]
mod tests;
