use super::*;
use crate::ring::tests::check_word;
use crate::sync::{AtomicU64, Ordering::*};
use model::{AccountId, Ask, Note, OrderId};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const SLOTS: usize = 8;
const SALT: u64 = 0xABCD;
const DESK: DeskId = DeskId(3);

fn heap() -> Vec<AtomicU64> {
    (0..DeskRing::words(SLOTS)).map(|_| AtomicU64::new(0)).collect()
}

fn ring(words: &[AtomicU64]) -> DeskRing<'_> {
    Ring::over(words, SLOTS, SALT).unwrap()
}

fn request(id: u64) -> Request {
    let ask = Ask::Cancel { order: OrderId(!id) };
    Request { id, origin: Origin::File, account: AccountId(1), ask, note: Note::lossy("n") }
}

/// Goal: requests come out once, in order, with the desk as their origin. Method: three times round
/// the ring.
#[test]
fn requests_come_out_in_order() {
    let words = heap();
    let (ring, mut cursor) = (ring(&words), DeskCursor::default());
    for id in 0..24 {
        assert_eq!(cursor.poll(&ring, DESK), Ok(None));
        ring.push(&request(id).to_words());
        let expected = Request { origin: Origin::Desk(DESK), ..request(id) };
        assert_eq!(cursor.poll(&ring, DESK), Ok(Some(expected)));
    }
    assert_eq!(cursor.taken(), 24);
}

/// Goal: each kind of bad bytes has its fault, and what follows is still served, except after an
/// overrun. Method: one of each.
#[test]
fn faults_are_told_apart() {
    let words = heap();
    let (ring, mut cursor) = (ring(&words), DeskCursor::default());
    let mut bad = request(7).to_words();
    bad[1] = u64::MAX;
    ring.push(&bad);
    ring.push(&request(8).to_words());
    Ring::over(&words, SLOTS, SALT + 1).unwrap().push(&request(9).to_words());
    ring.push(&request(10).to_words());
    let malformed = DeskFault::Malformed { request: 7, bad: BadWord(1) };
    assert_eq!(cursor.poll(&ring, DESK), Err(malformed));
    assert_eq!(cursor.poll(&ring, DESK).unwrap().unwrap().id, 8);
    assert_eq!(cursor.poll(&ring, DESK), Err(DeskFault::Torn), "another lease's salt");
    assert_eq!(cursor.poll(&ring, DESK).unwrap().unwrap().id, 10);
    for head in [4 + SLOTS as u64 + 1, 3, 0, u64::MAX] {
        words[0].store(head, Relaxed);
        assert_eq!(cursor.poll(&ring, DESK), Err(DeskFault::Overrun), "head {head}");
        assert_eq!(cursor.taken(), 4, "nothing was taken");
    }
}

proptest! {
    /// Goal: no bytes make a request but those of a request. Method: any words with a right check
    /// word: what comes out has the desk as its origin, and nothing that the encoding does not
    /// hold.
    #[test]
    fn any_words(
        mut record in any::<[u64; Request::WORDS]>(),
        code in 0..7_u64,
        small in any::<bool>(),
        origin in 0..5_u64,
    ) {
        if small {
            // Close to legal, so that many get through.
            record[1] = code | 1 << 8 | 1 << 16 | 1 << 24 | origin << 48;
            record[2..12].iter_mut().for_each(|word| *word &= 0x7F7F);
            record[12..].fill(0);
        }
        let words = heap();
        let (ring, mut cursor) = (ring(&words), DeskCursor::default());
        ring.push(&record);
        match cursor.poll(&ring, DESK) {
            Ok(request) => {
                let request = request.unwrap();
                prop_assert_eq!(request.origin, Origin::Desk(DESK));
                let again = Request::from_words(&request.to_words());
                prop_assert_eq!(again, Ok(request));
            }
            Err(fault) => prop_assert!(matches!(fault, DeskFault::Malformed { .. }), "{:?}", fault),
        }
        prop_assert_eq!(cursor.poll(&ring, DESK), Ok(None));
    }
}

/// A cheap source of numbers (splitmix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

/// One act of a client that means harm: noise over a word, or a forged record of the right stamp
/// and check, or a forged count. It mostly claims no more than the ring holds, or the desk would be
/// shut before anything else is tried.
fn attack(words: &[AtomicU64], taken: &AtomicU64, noise: &mut Noise) {
    let n = noise.next();
    match n % 16 {
        0 => words[1 + noise.next() as usize % (words.len() - 1)].store(noise.next(), Relaxed),
        1..12 => {
            // Forged around the present count, sometimes of a legal request, sometimes stamped
            // wrongly.
            let number = words[0].load(Relaxed).wrapping_add(noise.next() % 3);
            let mut record = request(number | 1 << 63).to_words();
            if n & 16 == 0 {
                record[noise.next() as usize % Request::WORDS] = noise.next();
            }
            let stamp =
                number.wrapping_mul(2).wrapping_add(2 + noise.next().is_multiple_of(8) as u64);
            let stride = DeskRing::STRIDE;
            let slot = &words[8 + (number as usize % SLOTS) * stride..];
            slot[1].store(check_word(&record, stamp ^ SALT), Relaxed);
            slot[2..].iter().zip(&record).for_each(|(word, value)| word.store(*value, Relaxed));
            slot[0].store(stamp, Release);
        }
        12..15 => {
            let waiting = words[0].load(Relaxed).wrapping_sub(taken.load(Relaxed));
            if waiting < SLOTS as u64 {
                words[0].fetch_add(1, Release);
            }
        }
        _ if n & 0x3F0 == 0 => words[0].store(noise.next(), Release),
        _ => {}
    }
}

/// Goal: a client that writes anything over all its memory while the engine polls causes faults and
/// legal requests of its own desk, nothing else: no panic, no request that was not wholly written
/// with its check word, and one record's work a poll. Method: an attacker thread, a polling thread,
/// for half a second (ten with TICKGATE_LONG); a new lease after each overrun.
#[test]
fn hostile_client() {
    let seconds = if std::env::var_os("TICKGATE_LONG").is_some() { 10.0 } else { 0.5 };
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let words = heap();
    let taken = AtomicU64::new(0);
    let mut counts = [0_u64; 5];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut noise = Noise(1);
            while Instant::now() < end {
                (0..100).for_each(|_| attack(&words, &taken, &mut noise));
                std::thread::yield_now();
            }
        });
        let ring = ring(&words);
        let mut cursor = DeskCursor::default();
        while Instant::now() < end {
            let before = cursor.taken();
            let outcome = cursor.poll(&ring, DESK);
            assert!(cursor.taken() - before <= 1);
            taken.store(cursor.taken(), Relaxed);
            match outcome {
                Ok(None) => {
                    counts[0] += 1;
                    std::thread::yield_now();
                }
                Ok(Some(request)) => {
                    assert_eq!(request.origin, Origin::Desk(DESK));
                    assert_eq!(Request::from_words(&request.to_words()), Ok(request));
                    counts[1] += 1;
                }
                Err(DeskFault::Torn) => counts[2] += 1,
                Err(DeskFault::Malformed { .. }) => counts[3] += 1,
                Err(DeskFault::Overrun) => {
                    counts[4] += 1;
                    words.iter().for_each(|word| word.store(0, Relaxed));
                    cursor = DeskCursor::default();
                }
            }
        }
    });
    println!("empty, requests, torn, malformed, overrun: {counts:?}");
    assert!(counts[1..].iter().all(|count| *count > 0), "{counts:?}");
}
