use super::*;
use crate::sync::Ordering::Relaxed;
use std::time::{Duration, Instant};

fn heap(words: usize) -> Vec<AtomicU64> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

/// Goal: the newest state is read, and nothing before the first. Method: three times round the
/// slots.
#[test]
fn newest_state_is_read() {
    let words = heap(Cell::<2>::WORDS);
    let cell = Cell::<2>::over(&words).unwrap();
    assert_eq!(cell.read(), Err(CellError::Absent));
    for n in 0..12 {
        cell.publish(&[n, !n]);
        assert_eq!(cell.read(), Ok([n, !n]));
    }
    assert!(Cell::<2>::over(&words[16..]).is_none());
}

/// Goal: a writer that dies after any store leaves the state before it readable, or the new one whole. Method: apply each prefix
/// of a publish's stores, also those that overwrite an older state.
#[test]
fn every_prefix_of_a_publish() {
    let state = |n: u64| [n, n * 3, !n];
    for number in 1..9 {
        for stopped_after in 0..=4 {
            let words = heap(Cell::<3>::WORDS);
            let cell = Cell::<3>::over(&words).unwrap();
            (0..number).for_each(|n| cell.publish(&state(n)));
            let slot = LINE + number as usize % SLOTS * Cell::<3>::STRIDE;
            let stores = (slot..).zip(state(number)).chain([(0, number + 1)]);
            stores
                .take(stopped_after)
                .for_each(|(place, value)| words[place].store(value, Relaxed));
            let newest = if stopped_after == 4 { number } else { number - 1 };
            assert_eq!(cell.read(), Ok(state(newest)), "{number} after {stopped_after}");
        }
    }
}

/// Goal: who polls gets each state once, the newest of several, and nothing is written if there is none. Method: poll before,
/// between and behind publishes.
#[test]
fn newer_states_come_once() {
    let words = heap(Cell::<2>::WORDS);
    let cell = Cell::<2>::over(&words).unwrap();
    let (mut state, mut last) = ([7; 2], 0);
    let mut poll = || {
        let number = cell.read_newer(last, &mut state).unwrap();
        last = number.unwrap_or(last);
        (number, state)
    };
    assert_eq!(poll(), (None, [7; 2]));
    cell.publish(&[1, 2]);
    assert_eq!(poll(), (Some(1), [1, 2]));
    assert_eq!(poll(), (None, [1, 2]));
    (3..9).for_each(|n| cell.publish(&[n, n]));
    assert_eq!(poll(), (Some(7), [8, 8]));
    assert_eq!(poll(), (None, [8, 8]));
}

/// Goal: no torn read beside a writer at full speed, and few failures. Method: one thread writes
/// states whose words follow from the first, another reads for half a second (ten with
/// TICKGATE_LONG) and recomputes.
#[test]
fn no_torn_read_under_load() {
    const W: usize = 6 * LINE + 3;
    let state = |n: u64| core::array::from_fn::<u64, W, _>(|i| n.wrapping_mul(i as u64 * 2 + 1));
    let seconds = if std::env::var_os("TICKGATE_LONG").is_some() { 10.0 } else { 0.5 };
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let words = heap(Cell::<W>::WORDS);
    let cell = Cell::<W>::over(&words).unwrap();
    cell.publish(&state(1));
    let (writes, reads, overtaken) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let mut n = 1;
            while Instant::now() < end {
                for _ in 0..100 {
                    n += 1;
                    cell.publish(&state(n));
                }
            }
            n
        });
        let (mut reads, mut overtaken, mut last) = (0_u64, 0_u64, 0);
        while Instant::now() < end {
            match cell.read() {
                Ok(read) => {
                    assert_eq!(read, state(read[0]), "torn");
                    assert!(read[0] >= last, "time runs forward");
                    last = read[0];
                    reads += 1;
                }
                Err(error) => {
                    assert_eq!(error, CellError::Overtaken);
                    overtaken += 1;
                }
            }
        }
        (writer.join().unwrap(), reads, overtaken)
    });
    println!("{writes} writes, {reads} reads, {overtaken} overtaken");
    assert!(reads > 0 && overtaken * 100 <= reads, "{overtaken} of {reads} reads failed");
}
