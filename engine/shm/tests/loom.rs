//! Every interleaving and every legal reordering of cell, tape and desk, on small rings (the loom
//! model checker).
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p shm --release --test loom`
//!
//! Under `cfg(loom)` `Ring::get` also asserts that a whole stamp means a right check word, so these
//! tests prove the fences alone: the check word only has to catch writers that lie. A cell has none.
#![cfg(loom)]

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use model::{AccountId, Ask, DeskId, Event, Kind, Note, OrderId, Origin, Request, Ts};
use std::sync::atomic::AtomicUsize;

use shm::{Cell, CellError, DeskCursor, DeskRing, Next, Ring, TapeCursor, event_ring};

/// Runs a model in every way with at most `preemptions` switches of threads at points where neither
/// has to wait.
fn check(name: &str, preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    let runs = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let runs = runs.load(Ordering::Relaxed);
    println!("{name}: {runs} executions");
    assert!(runs >= 100, "the checker tried hardly anything");
}

fn heap(words: usize) -> Arc<Vec<AtomicU64>> {
    Arc::new((0..words).map(|_| AtomicU64::new(0)).collect())
}

/// Goal: a reader never sees words of two records under one number, also while its slot is written
/// again. Method: three records through two slots beside a reader of the newest.
#[test]
fn record_is_whole_or_absent() {
    check("record", 4, || {
        let words = heap(Ring::<2>::words(2));
        let shared = words.clone();
        let writer = thread::spawn(move || {
            let ring = Ring::<2>::over(&shared, 2, 0).unwrap();
            (0..3).for_each(|n| ring.push(&[n, n + 10]));
        });
        let ring = Ring::<2>::over(&words, 2, 0).unwrap();
        for _ in 0..2 {
            if let Some(newest) = ring.head().checked_sub(1)
                && let Some(record) = ring.get(newest)
            {
                assert_eq!(record, [newest, newest + 10]);
            }
        }
        writer.join().unwrap();
        assert_eq!(ring.get(2), Some([2, 12]));
    });
}

/// Goal: a reader beside a writer gets a whole state no older than one that it saw before, and one
/// that was published before it began. Method: six states of two words, so that slots are used again while they are read,
/// beside two reads.
#[test]
fn cell_gives_whole_states_forward() {
    check("cell", 3, || {
        let words = heap(Cell::<2>::WORDS);
        let shared = words.clone();
        Cell::<2>::over(&words).unwrap().publish(&[1, 11]);
        let writer = thread::spawn(move || {
            let cell = Cell::<2>::over(&shared).unwrap();
            (2..7).for_each(|n| cell.publish(&[n, n + 10]));
        });
        let cell = Cell::<2>::over(&words).unwrap();
        let mut last = 1;
        for _ in 0..2 {
            match cell.read() {
                Ok([state, second]) => {
                    assert_eq!(second, state + 10, "torn");
                    assert!((last..7).contains(&state));
                    last = state;
                }
                Err(error) => assert_eq!(error, CellError::Overtaken),
            }
        }
        writer.join().unwrap();
        assert_eq!(cell.read(), Ok([6, 16]));
    });
}

/// Goal: a reader of the tape gets each record or hears of its loss. Method: four records through
/// two slots beside a reader.
#[test]
fn tape_accounts_for_every_record() {
    check("tape", 3, || {
        let words = heap(Ring::<1>::words(2));
        let shared = words.clone();
        let writer = thread::spawn(move || {
            let tape = Ring::<1>::over(&shared, 2, 0).unwrap();
            (0..4).for_each(|n| tape.push(&[n]));
        });
        let tape = Ring::<1>::over(&words, 2, 0).unwrap();
        let (mut place, mut accounted) = (TapeCursor::default(), 0);
        let mut read = || match place.next(&tape) {
            Next::Record([record]) => {
                assert_eq!(record, accounted);
                accounted += 1;
                true
            }
            Next::Lost(count) => {
                accounted += count;
                true
            }
            Next::Empty => false,
        };
        (0..3).for_each(|_| _ = read());
        writer.join().unwrap();
        while read() {}
        assert_eq!(accounted, 4);
    });
}

/// Goal: an honest client's requests come out whole, once and in order, and it never overwrites one
/// that was not taken. Method: three requests through two slots, the third only once the engine
/// says that it took the first.
#[test]
fn desk_hands_over_in_order() {
    fn request(id: u64) -> Request {
        let ask = Ask::Cancel { order: OrderId(id) };
        Request { id, origin: Origin::File, account: AccountId(0), ask, note: Note::default() }
    }
    check("desk", 4, || {
        let words = heap(DeskRing::words(2));
        let taken = Arc::new(AtomicU64::new(0));
        let (shared, seen) = (words.clone(), taken.clone());
        let client = thread::spawn(move || {
            let ring = DeskRing::over(&shared, 2, 7).unwrap();
            let mut sent = 0;
            for id in 0..3 {
                if sent - seen.load(Ordering::Acquire) < 2 {
                    ring.push(&request(id).to_words());
                    sent += 1;
                }
            }
            sent
        });
        let ring = DeskRing::over(&words, 2, 7).unwrap();
        let (mut cursor, desk) = (DeskCursor::default(), DeskId(1));
        let mut poll = || match cursor.poll(&ring, desk).unwrap() {
            None => false,
            Some(taken_now) => {
                assert_eq!(taken_now.id, cursor.taken() - 1);
                assert_eq!(taken_now.origin, Origin::Desk(desk));
                taken.store(cursor.taken(), Ordering::Release);
                true
            }
        };
        (0..4).for_each(|_| _ = poll());
        let sent = client.join().unwrap();
        while poll() {}
        assert_eq!(cursor.taken(), sent);
    });
}

/// Goal: events come through whole, in order and once, also into slots that were used before, and the end of the writer is
/// behind all of them. Method: five events through two slots beside a reader.
#[test]
fn events_come_through() {
    let event = |number| Event { ts_venue: Ts(number), aux: number, ..Event::empty(Kind::Add) };
    check("events", 3, move || {
        let (mut sender, mut receiver) = event_ring(2);
        let writer = thread::spawn(move || {
            let mut sent = 0;
            for _ in 0..6 {
                sent += u64::from(sender.push(&event(sent)));
            }
            sent
        });
        let (mut batch, mut number) = ([event(0); 2], 0);
        let mut take = || {
            let took = receiver.take(&mut batch);
            for taken in &batch[..took] {
                assert_eq!(*taken, event(number));
                number += 1;
            }
            (receiver.is_abandoned(), number)
        };
        (0..3).for_each(|_| _ = take());
        let sent = writer.join().unwrap();
        assert_eq!(take(), (true, sent));
    });
}
