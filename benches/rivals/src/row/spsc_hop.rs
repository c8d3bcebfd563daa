//! 64 bytes from one thread to another, each on a processor of its own, both spinning.
//!
//! There and back through two rings with one payload under way, half of which is a hop; then a million payloads one
//! way as fast as the ring takes them. By the clock on the wall, since no thread's own time holds what two do
//! together; in pieces of a few microseconds, of which the kernel interrupts few, and the median one counts.
//!
//! Every word of every payload is looked at where it arrives, or a ring that is inlined would hand over two of eight. Whoever
//! waits pauses between two looks, which makes every ring faster: without, the reader takes the line while it is written.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use model::{Event, Kind, OrderRef, Px, Qty, Ts};
use shm::{Next, Ring, TapeCursor};

use super::rival;
use crate::contest::{Contender, Contest, Outcome, Round};
use crate::setting::Setting;

/// Ways there and back in a piece, and most pieces of a round.
const TRIPS: u64 = 20;
const PIECES: usize = 200;
/// Most payloads of a one-way round, and least ones of a piece.
const PAYLOADS: u64 = 1_000_000;
const PIECE: u64 = 1_000;
/// How long a round goes on: a ring that sleeps, or gives its processor away, comes less far.
const ROUND: Duration = Duration::from_millis(500);
/// The number that ends a round.
const END: u64 = u64::MAX;
/// Places of a ring.
const PLACES: usize = 1024;

/// Most that ours and rtrb take at once: ours as the engine does.
const BATCH: usize = 64;

/// What goes through: its number, in every word.
type Payload = [u64; 8];

/// The writing end: whether there was room.
trait Push: FnMut(Payload) -> bool + Send {}
impl<F: FnMut(Payload) -> bool + Send> Push for F {}

/// The reading end: hands over what it takes, and says how many it took.
trait Take: FnMut(&mut Numbers) -> u64 + Send {}
impl<F: FnMut(&mut Numbers) -> u64 + Send> Take for F {}

/// The numbers that came through: each must follow the one before.
#[derive(Default)]
struct Numbers {
    last: u64,
    is_spoilt: bool,
    has_ended: bool,
}

impl Numbers {
    fn take(&mut self, payload: &Payload) -> u64 {
        let [number, rest @ ..] = payload;
        self.take_words(*number, rest)
    }

    fn take_words<const N: usize>(&mut self, number: u64, rest: &[u64; N]) -> u64 {
        let differ = rest.iter().fold(0, |differ, word| differ | word ^ number);
        self.has_ended = number == END;
        self.is_spoilt |= differ != 0 || !self.has_ended && number != self.last + 1;
        self.last = number;
        1
    }

    fn take_some(&mut self, payload: Option<Payload>) -> u64 {
        payload.map_or(0, |payload| self.take(&payload))
    }

    /// 1: all came in their order.
    fn sum(&self) -> Option<u64> {
        Some(u64::from(!self.is_spoilt))
    }
}

/// What is measured of a ring that `make` makes.
trait Measure {
    fn of<P: Push, T: Take>(cpu: usize, make: impl Fn(usize) -> (P, T)) -> Round;
}

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let [here, there] = setting.cpus;
    if here == there {
        eprintln!("  skipped: two processors are needed");
        return Vec::new();
    }
    let words = || (0..Ring::<8>::words(PLACES)).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
    let tapes = [words(), words()];
    let mut hops = rivals::<Hop>(there);
    let tape = Contender::ours("shm tape", || Hop::of(there, |way| tape(&tapes[way])));
    hops.insert(1, tape.note("between processes; a check word each"));
    hops.push(Contender::bound("two atomics", || two_atomics(there)));
    let hops = Contest {
        title: "SPSC hop, one under way".into(),
        unit: "ns a hop",
        right: Some(1),
        contenders: hops,
    };
    let streams = Contest {
        title: "SPSC, as fast as it goes".into(),
        unit: "ns a payload",
        right: Some(1),
        contenders: rivals::<Stream>(there),
    };
    vec![hops.run_on_pair(setting), streams.run_on_pair(setting)]
}

fn rivals<M: Measure>(cpu: usize) -> Vec<Contender<'static>> {
    vec![
        Contender::ours("event ring", move || M::of(cpu, |_| event_ring()))
            .note("takes all there is, into a batch"),
        Contender::rival("rtrb", "pop", move || M::of(cpu, |_| rtrb_pops())),
        Contender::rival("rtrb", "chunks", move || M::of(cpu, |_| rtrb_chunks()))
            .note("takes all there is, in place"),
        rival!(
            "ringbuf",
            "ringbuf",
            Contender::rival("ringbuf", "", move || M::of(cpu, |_| ringbuf_ring()))
        ),
        rival!(
            "disruptor",
            "disruptor",
            Contender::rival("disruptor", "", move || M::of(cpu, |_| disruptor_ring()))
                .note("takes all there is")
        ),
        rival!(
            "crossbeam",
            "crossbeam-queue",
            Contender::rival("crossbeam-queue", "ArrayQueue", move || M::of(cpu, |_| array_queue(
            )))
        ),
        rival!(
            "crossbeam",
            "crossbeam-channel",
            Contender::rival("crossbeam-channel", "", move || M::of(cpu, |_| crossbeam()))
        ),
        rival!("kanal", "kanal", Contender::rival("kanal", "", move || M::of(cpu, |_| kanal()))),
        rival!("flume", "flume", Contender::rival("flume", "", move || M::of(cpu, |_| flume()))),
        Contender::rival("std mpsc", "sync_channel", move || M::of(cpu, |_| std_channel())),
    ]
}

fn tape(words: &[AtomicU64]) -> (impl Push, impl Take) {
    let ring = Ring::<8>::over(words, PLACES, 0).expect("enough words");
    let mut cursor = TapeCursor::newest(&ring);
    let push = move |payload| {
        ring.push(&payload);
        true
    };
    let take = move |numbers: &mut Numbers| match cursor.next(&ring) {
        Next::Record(payload) => numbers.take(&payload),
        Next::Lost(_) | Next::Empty => 0,
    };
    (push, take)
}

fn event_ring() -> (impl Push, impl Take) {
    let (mut push, mut take) = shm::event_ring(PLACES);
    let mut batch = [Event::empty(Kind::Notice); BATCH];
    // The last word of an event has no room for a number: it holds what kind of event it is.
    let event = |[ts_venue, ts_recv, seq, order, px, qty, aux, _]: Payload| Event {
        ts_venue: Ts(ts_venue),
        ts_recv: Ts(ts_recv),
        seq,
        order: OrderRef(order),
        px: Px(px.cast_signed()),
        qty: Qty(qty.cast_signed()),
        aux,
        ..Event::empty(Kind::Notice)
    };
    let taken = |numbers: &mut Numbers, event: &Event| {
        let [number, rest @ .., kind] = event.to_words();
        let [.., right] = const { Event::empty(Kind::Notice).to_words() };
        numbers.is_spoilt |= kind != right;
        numbers.take_words(number, &rest)
    };
    (
        move |payload: Payload| push.push(&event(payload)),
        move |numbers: &mut Numbers| {
            let took = take.take(&mut batch);
            batch.iter().take(took).map(|event| taken(numbers, event)).sum()
        },
    )
}

/// One at a time: the faster of the two for one under way.
fn rtrb_pops() -> (impl Push, impl Take) {
    let (mut push, mut take) = rtrb::RingBuffer::new(PLACES);
    (
        move |payload| push.push(payload).is_ok(),
        move |numbers: &mut Numbers| numbers.take_some(take.pop().ok()),
    )
}

fn rtrb_chunks() -> (impl Push, impl Take) {
    let (mut push, mut take) = rtrb::RingBuffer::new(PLACES);
    (
        move |payload| push.push(payload).is_ok(),
        move |numbers: &mut Numbers| {
            let waiting = take.slots().min(BATCH);
            if waiting == 0 {
                return 0; // An empty chunk would be given back too, at every look.
            }
            let Ok(chunk) = take.read_chunk(waiting) else { return 0 };
            let (first, second) = chunk.as_slices();
            let taken = first.iter().chain(second).map(|payload| numbers.take(payload)).sum();
            chunk.commit_all();
            taken
        },
    )
}

#[cfg(feature = "ringbuf")]
fn ringbuf_ring() -> (impl Push, impl Take) {
    use ringbuf::traits::{Consumer, Producer, Split};
    let (mut push, mut take) = ringbuf::HeapRb::new(PLACES).split();
    (
        move |payload| push.try_push(payload).is_ok(),
        move |numbers: &mut Numbers| numbers.take_some(take.try_pop()),
    )
}

#[cfg(feature = "disruptor")]
fn disruptor_ring() -> (impl Push, impl Take) {
    use disruptor::{BusySpin, Producer};
    let builder = disruptor::build_single_producer(PLACES, || [0_u64; 8], BusySpin);
    let (mut poller, builder) = builder.new_event_poller();
    let mut producer = builder.build();
    let take = move |numbers: &mut Numbers| match poller.poll() {
        Ok(mut events) => (&mut events).map(|payload| numbers.take(payload)).sum(),
        Err(_) => 0,
    };
    (move |payload| producer.try_publish(|place| *place = payload).is_ok(), take)
}

#[cfg(feature = "crossbeam")]
fn array_queue() -> (impl Push, impl Take) {
    let push = std::sync::Arc::new(crossbeam_queue::ArrayQueue::new(PLACES));
    let take = push.clone();
    (
        move |payload| push.push(payload).is_ok(),
        move |numbers: &mut Numbers| numbers.take_some(take.pop()),
    )
}

#[cfg(feature = "crossbeam")]
fn crossbeam() -> (impl Push, impl Take) {
    let (push, take) = crossbeam_channel::bounded(PLACES);
    (
        move |payload| push.try_send(payload).is_ok(),
        move |numbers: &mut Numbers| numbers.take_some(take.try_recv().ok()),
    )
}

#[cfg(feature = "kanal")]
fn kanal() -> (impl Push, impl Take) {
    let (push, take) = ::kanal::bounded(PLACES);
    let take =
        move |numbers: &mut Numbers| numbers.take_some(take.try_recv_realtime().ok().flatten());
    (move |payload| push.try_send_realtime(payload) == Ok(true), take)
}

#[cfg(feature = "flume")]
fn flume() -> (impl Push, impl Take) {
    let (push, take) = ::flume::bounded(PLACES);
    (
        move |payload| push.try_send(payload).is_ok(),
        move |numbers: &mut Numbers| numbers.take_some(take.try_recv().ok()),
    )
}

fn std_channel() -> (impl Push, impl Take) {
    let (push, take) = mpsc::sync_channel(PLACES);
    (
        move |payload| push.try_send(payload).is_ok(),
        move |numbers: &mut Numbers| numbers.take_some(take.try_recv().ok()),
    )
}

/// There and back.
struct Hop;

impl Measure for Hop {
    fn of<P: Push, T: Take>(cpu: usize, make: impl Fn(usize) -> (P, T)) -> Round {
        let (mut there, mut from_here) = make(0);
        let (mut from_there, mut back) = make(1);
        let echo = move || {
            let mut numbers = Numbers::default();
            while !numbers.has_ended {
                while from_here(&mut numbers) == 0 {
                    spin_loop();
                }
                while !from_there([numbers.last; 8]) {}
            }
        };
        let mut numbers = Numbers::default();
        let each = pieces(cpu, echo, |number| {
            while !there([number; 8]) {}
            while back(&mut numbers) == 0 {
                spin_loop();
            }
        });
        Round { each, sum: numbers.sum() }
    }
}

/// Runs `echo` on the other processor, waits for the first trip, and times the others.
fn pieces(cpu: usize, echo: impl FnOnce() + Send, mut trip: impl FnMut(u64)) -> f64 {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            host::pin_current(cpu);
            echo();
        });
        trip(1);
        let (begin, mut number, mut pieces) = (Instant::now(), 1, Vec::with_capacity(PIECES));
        while pieces.len() < PIECES && begin.elapsed() < ROUND {
            let start = Instant::now();
            for _ in 0..TRIPS {
                number += 1;
                trip(number);
            }
            pieces.push(start.elapsed().as_nanos() as u64);
        }
        trip(END);
        pieces.sort_unstable();
        pieces[pieces.len() / 2] as f64 / (2 * TRIPS) as f64
    })
}

/// On cache lines of their own, also where the processor fetches two at a time.
#[repr(align(128))]
struct Line(AtomicU64);

fn two_atomics(cpu: usize) -> Round {
    let [there, back] = [Line(AtomicU64::new(0)), Line(AtomicU64::new(0))];
    let echo = || {
        let mut last = 0;
        while last != END {
            let number = there.0.load(Acquire);
            if number != last {
                back.0.store(number, Release);
                last = number;
            }
            spin_loop();
        }
    };
    let each = pieces(cpu, echo, |number| {
        there.0.store(number, Release);
        while back.0.load(Acquire) != number {
            spin_loop();
        }
    });
    Round { each, sum: None }
}

/// One way. This thread reads, from the first payload to the last.
struct Stream;

impl Measure for Stream {
    fn of<P: Push, T: Take>(cpu: usize, make: impl Fn(usize) -> (P, T)) -> Round {
        let (mut push, mut take) = make(0);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                host::pin_current(cpu);
                for number in 1..=PAYLOADS {
                    while !push([number; 8]) && !is_over.load(Relaxed) {}
                }
            });
            let (mut numbers, mut taken) = (Numbers::default(), 0);
            while taken == 0 {
                taken += take(&mut numbers);
            }
            let begin = Instant::now();
            let (mut start, mut first, mut pieces) = (begin, taken, Vec::new());
            while taken < PAYLOADS && start - begin < ROUND {
                while taken < PAYLOADS && taken - first < PIECE {
                    match take(&mut numbers) {
                        0 => spin_loop(),
                        some => taken += some,
                    }
                }
                let now = Instant::now();
                pieces.push((now - start).as_nanos() as f64 / (taken - first) as f64);
                (start, first) = (now, taken);
            }
            is_over.store(true, Relaxed);
            pieces.sort_by(f64::total_cmp);
            Round { each: pieces[pieces.len() / 2], sum: numbers.sum() }
        })
    }
}
