use super::*;
use crate::sync::AtomicU64;
use proptest::prelude::*;

fn heap(words: usize) -> Vec<AtomicU64> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

/// Goal: records come in order; a reader that falls behind hears exactly how many it lost. Method:
/// fall behind by one too many.
#[test]
fn slow_reader_knows() {
    let words = heap(Ring::<1>::words(8));
    let tape = Ring::<1>::over(&words, 8, 0).unwrap();
    let mut place = TapeCursor::default();
    assert_eq!(place.next(&tape), Next::Empty);
    (0..7).for_each(|n| tape.push(&[n]));
    assert_eq!(place.next(&tape), Next::Record([0]));
    (7..9).for_each(|n| tape.push(&[n]));
    assert_eq!(place.next(&tape), Next::Lost(2), "record 1 and an eighth of the tape");
    assert_eq!(place.next(&tape), Next::Record([3]));
    assert_eq!(TapeCursor::oldest(&tape).next(&tape), Next::Record([2]));
    assert_eq!(TapeCursor::newest(&tape).next(&tape), Next::Empty);
}

proptest! {
    /// Goal: whatever the pace, every record is read in order or counted as lost. Method: random
    /// bursts of writing and reading on small tapes, against a plain count.
    #[test]
    fn nothing_vanishes(
        bursts in prop::collection::vec((0..40_u64, 0..20_usize), 1..50),
        bits in 3..6_u32,
    ) {
        let slots = 1 << bits;
        let words = heap(Ring::<2>::words(slots));
        let tape = Ring::<2>::over(&words, slots, 0).unwrap();
        let (mut place, mut written, mut accounted) = (TapeCursor::default(), 0, 0);
        for (writes, reads) in bursts {
            for _ in 0..writes {
                tape.push(&[written, written ^ 5]);
                written += 1;
            }
            for _ in 0..reads {
                match place.next(&tape) {
                    Next::Record(record) => {
                        prop_assert_eq!(record, [accounted, accounted ^ 5]);
                        accounted += 1;
                    }
                    Next::Lost(count) => {
                        prop_assert!(count > 0 && accounted + count <= written);
                        accounted += count;
                    }
                    Next::Empty => prop_assert_eq!(accounted, written),
                }
            }
        }
    }
}
