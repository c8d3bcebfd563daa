//! Stage `hop`: an event through the engine's ring from one thread to another and back through a second one, and 64 bytes through
//! rtrb's, against a bare ping-pong of two atomics. An operation is one way. Both threads spin, with a pause between two looks,
//! each on a processor of its own.
//!
//! By the clock on the wall, since no thread's own time holds what two do together, and in pieces of a few microseconds:
//! the kernel takes a processor away from few of them, and the median passes those over.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::Instant;

use benches::{Round, compare, criterion};
use model::{Event, Kind, Ts};
use rtrb::{Consumer, Producer, RingBuffer};
use shm::{EventReceiver, event_ring};

/// Ways there and back in a piece, and pieces in a round.
const TRIPS: u64 = 20;
const PIECES: u64 = 100;
/// Places of a ring.
const PLACES: usize = 1024;

type Payload = [u64; 8];

/// On cache lines of their own, also where the processor fetches two at a time.
#[repr(align(128))]
struct Line(AtomicU64);

/// Runs `echo` on the second processor, waits for the first trip, and times the others.
fn with_partner(cpu: usize, echo: impl FnOnce() + Send, mut trip: impl FnMut(u64)) -> Round {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            host::pin_current(cpu);
            echo();
        });
        trip(1);
        let mut number = 1;
        let piece = |_| {
            let start = Instant::now();
            for _ in 0..TRIPS {
                number += 1;
                trip(number);
            }
            start.elapsed().as_nanos() as u64
        };
        let mut pieces_ns: Vec<u64> = (0..PIECES).map(piece).collect();
        Round::of_pieces(&mut pieces_ns, 2 * TRIPS as usize)
    })
}

fn two_atomics(cpu: usize) -> Round {
    let [there, back] = [Line(AtomicU64::new(0)), Line(AtomicU64::new(0))];
    let await_number = |line: &Line, number| {
        while line.0.load(Acquire) != number {
            spin_loop();
        }
    };
    let echo = || {
        for number in 1..=TRIPS * PIECES + 1 {
            await_number(&there, number);
            back.0.store(number, Release);
        }
    };
    with_partner(cpu, echo, |number| {
        there.0.store(number, Release);
        await_number(&back, number);
    })
}

fn pop(ring: &mut Consumer<Payload>) -> Payload {
    loop {
        if let Ok(payload) = ring.pop() {
            return payload;
        }
        spin_loop();
    }
}

fn push(ring: &mut Producer<Payload>, payload: Payload) {
    ring.push(payload).expect("one payload at a time");
}

fn two_rings(cpu: usize) -> Round {
    let (mut there, mut from_here) = RingBuffer::new(PLACES);
    let (mut from_there, mut back) = RingBuffer::new(PLACES);
    let echo = move || {
        for _ in 0..=TRIPS * PIECES {
            let payload = pop(&mut from_here);
            push(&mut from_there, payload);
        }
    };
    with_partner(cpu, echo, |number| {
        push(&mut there, [number; 8]);
        assert_eq!(pop(&mut back), [number; 8]);
    })
}

fn event(number: u64) -> Event {
    Event { ts_venue: Ts(number), aux: number, ..Event::empty(Kind::Notice) }
}

fn take(ring: &mut EventReceiver) -> Event {
    let mut batch = [event(0)];
    while ring.take(&mut batch) == 0 {
        spin_loop();
    }
    let [event] = batch;
    event
}

fn two_event_rings(cpu: usize) -> Round {
    let (mut there, mut from_here) = event_ring(PLACES);
    let (mut from_there, mut back) = event_ring(PLACES);
    let echo = move || {
        for _ in 0..=TRIPS * PIECES {
            assert!(from_there.push(&take(&mut from_here)), "one event at a time");
        }
    };
    with_partner(cpu, echo, |number| {
        assert!(there.push(&event(number)), "one event at a time");
        assert_eq!(take(&mut back), event(number));
    })
}

fn main() {
    let mut criterion = criterion();
    let [here, there, ..] = host::cpus()[..] else {
        println!("SKIPPED: hop needs two processors");
        return;
    };
    host::pin_current(here);
    let bound = || ("two-atomics ping-pong", || two_atomics(there));
    compare(&mut criterion, ["hop", "rtrb_64_bytes"], bound(), || two_rings(there));
    compare(&mut criterion, ["hop", "event_ring"], bound(), || two_event_rings(there));
    criterion.final_summary();
}
