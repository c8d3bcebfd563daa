use super::*;
use proptest::prelude::*;

/// The check word, as its definition says.
pub(crate) fn check_word(words: &[u64], stamp: u64) -> u64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let factor = |lane: usize| STEP.wrapping_add((STEP << 1).wrapping_mul(lane as u64 + 1));
    let start = stamp.wrapping_mul(STEP);
    let (mut sum, mut sums) = (start, start);
    for lane in 0..4 {
        let words: Vec<u64> = words.iter().copied().skip(lane).step_by(4).collect();
        for (place, word) in words.iter().enumerate() {
            let product = word.wrapping_mul(factor(lane));
            sum = sum.wrapping_add(product);
            sums = sums.wrapping_add(product.wrapping_mul((words.len() - place) as u64));
        }
    }
    fold(sum, STEP) ^ fold(sums, !STEP)
}

fn heap(words: usize) -> Vec<AtomicU64> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

/// Goal: a record is read back by its number until its slot is used again, and under its own salt
/// alone. Method: twice round.
#[test]
fn records_have_numbers() {
    let words = heap(Ring::<3>::words(4));
    let ring = Ring::<3>::over(&words, 4, 9).unwrap();
    let other = Ring::<3>::over(&words, 4, 8).unwrap();
    assert_eq!((ring.head(), ring.get(0)), (0, None));
    for n in 0..8 {
        ring.push(&[n, n * 10, u64::MAX - n]);
        assert_eq!(ring.head(), n + 1);
        assert_eq!(ring.get(n), Some([n, n * 10, u64::MAX - n]));
        assert_eq!(other.get(n), None, "another salt");
        assert_eq!(ring.get(n.wrapping_sub(4)), None, "overwritten");
        assert_eq!(ring.get(n + 1), None, "not written yet");
    }
}

/// Goal: the check word that is written is that of the definition. Method: records of every rest of a division by the lanes.
#[test]
fn check_words_are_those_defined() {
    fn written<const W: usize>(record: [u64; W]) {
        let words = heap(Ring::<W>::words(1));
        Ring::<W>::over(&words, 1, 9).unwrap().push(&record);
        assert_eq!(words[LINE + 1].load(Relaxed), check_word(&record, 2 ^ 9), "{W} words");
    }
    written([u64::MAX; 1]);
    written([3, 5]);
    written([3, 5, 7]);
    written([1, u64::MAX, 3, 4]);
    written([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    written(core::array::from_fn::<_, 48, _>(|place| (place as u64).wrapping_mul(u64::MAX / 5)));
}

/// Goal: a ring that does not fit is refused. Method: too few words, a slot count that is no power
/// of two, and zero.
#[test]
fn misfits_are_refused() {
    let words = heap(Ring::<3>::words(4));
    assert!(Ring::<3>::over(&words, 4, 0).is_some());
    assert!(Ring::<3>::over(&words, 8, 0).is_none());
    assert!(Ring::<3>::over(&words, 3, 0).is_none());
    assert!(Ring::<3>::over(&words, 0, 0).is_none());
    assert!(Ring::<3>::over(&words, usize::MAX, 0).is_none());
    assert!(Ring::<3>::over(&[], 4, 0).is_none());
}

/// The stores of [`Ring::push`], one by one: places in the ring's words and values, in program
/// order.
fn stores_of_push(ring_words: &[AtomicU64], number: u64, record: &[u64; 5]) -> Vec<(usize, u64)> {
    let scratch = heap(ring_words.len());
    for (to, from) in scratch.iter().zip(ring_words) {
        to.store(from.load(Relaxed), Relaxed);
    }
    Ring::<5>::over(&scratch, 4, 0).unwrap().push(record);
    let slot = LINE + (number as usize & 3) * Ring::<5>::STRIDE;
    let after = |place: usize| (place, scratch[place].load(Relaxed));
    let mut stores = vec![(slot, 2 * number + 1)];
    stores.extend((slot + 1..slot + 7).map(after));
    stores.extend([after(slot), after(0)]);
    stores
}

/// Goal: a writer that dies after any store leaves every other record whole and its own unreadable,
/// until the stamp says that it is whole. Method: apply each prefix of a push's stores, also those
/// that overwrite an older record.
#[test]
fn every_prefix_of_a_push() {
    for number in [0, 1, 4, 7] {
        let record = [7, number, 3, u64::MAX, number * number];
        let earlier = |n: u64| [n, n, n, n, n];
        for stopped_after in 0..=9 {
            let words = heap(Ring::<5>::words(4));
            let ring = Ring::<5>::over(&words, 4, 0).unwrap();
            (0..number).for_each(|n| ring.push(&earlier(n)));
            let stores = stores_of_push(&words, number, &record);
            assert_eq!(stores.len(), 9);
            for (place, value) in stores.iter().take(stopped_after) {
                words[*place].store(*value, Relaxed);
            }
            let whole = (stopped_after >= 8).then_some(record);
            assert_eq!(ring.get(number), whole, "{number} after {stopped_after}");
            for n in number.saturating_sub(3)..number {
                assert_eq!(
                    ring.get(n),
                    Some(earlier(n)),
                    "{n} beside {number} after {stopped_after}"
                );
            }
            assert_eq!(ring.head(), if stopped_after == 9 { number + 1 } else { number });
        }
    }
}

/// Goal: the check word alone tells a half-written record, whatever the stamp says. Method: a stamp
/// forged to be whole over every mixture of new and old words, and over new words with the old
/// check.
#[test]
fn check_word_tells_half_written_records() {
    let words = heap(Ring::<5>::words(4));
    let ring = Ring::<5>::over(&words, 4, 0).unwrap();
    for n in 0..4 {
        ring.push(&[n, 1, 2, 3, 4]);
    }
    let stores = stores_of_push(&words, 4, &[9, 10, 11, 12, 13]);
    let (stamp, body) = (stores[7], &stores[1..7]);
    for mask in 0..64_u32 {
        let old: Vec<u64> = words.iter().map(|word| word.load(Relaxed)).collect();
        words[stamp.0].store(stamp.1, Relaxed);
        for (bit, (place, value)) in body.iter().enumerate() {
            if mask >> bit & 1 == 1 {
                words[*place].store(*value, Relaxed);
            }
        }
        let whole = mask == 63;
        assert_eq!(ring.get(4).is_some(), whole, "mixture {mask:06b}");
        words.iter().zip(&old).for_each(|(word, old)| word.store(*old, Relaxed));
    }
}

proptest! {
    /// Goal: no small change of words or stamp keeps the check word, also structured ones such as a
    /// swap or +d and −d. Method: random words, one to three changes.
    #[test]
    fn check_word_sees_changes(
        words in any::<[u64; 7]>(), stamp: u64, a in 0..7_usize, b in 0..7_usize, d in 1..1000_u64,
    ) {
        let check = check_word(&words, stamp);
        prop_assert_ne!(check, check_word(&words, stamp.wrapping_add(2)));
        let mut changed = words;
        changed[a] = changed[a].wrapping_add(d);
        prop_assert_ne!(check, check_word(&changed, stamp));
        changed[b] = changed[b].wrapping_sub(d);
        prop_assert_eq!(check == check_word(&changed, stamp), a == b);
        let mut swapped = words;
        swapped.swap(a, b);
        prop_assert_eq!(check == check_word(&swapped, stamp), words[a] == words[b]);
    }
}
