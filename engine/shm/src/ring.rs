//! Numbered records of `W` words, each written whole or not at all. Tape and answers are read in order, a desk
//! with distrust.
//!
//! ```text
//! words   0       head: records written so far        a cache line of its own
//!         8 …     slot 0: stamp, check, W words        rounded up to cache lines
//!           …     slot 1 …
//! ```
//! Record `n` lies in slot `n mod slots`. Its stamp is `2n + 1` while it is being written and `2n +
//! 2` when it is whole, so a stamp names its record, and whatever a slot held before can never be
//! taken for it. The check word binds the words to the stamp: a second line of defence behind the
//! fences, and the only one where the writer is not trusted.

use crate::sync::{AtomicU64, LINE, Ordering::*, fence, load_own};

/// A ring of records over shared words. One writer; any number of readers, none of which the writer
/// ever waits for.
#[derive(Clone, Copy)]
pub struct Ring<'a, const W: usize> {
    head: &'a AtomicU64,
    slots: &'a [AtomicU64],
    mask: u64,
    salt: u64,
}

impl<'a, const W: usize> Ring<'a, W> {
    pub(crate) const STRIDE: usize = (2 + W).next_multiple_of(LINE);

    /// Words that a ring of `slots` records takes: a multiple of 128 bytes, because caches fetch
    /// lines in pairs.
    pub const fn words(slots: usize) -> usize {
        (LINE + slots * Self::STRIDE).next_multiple_of(2 * LINE)
    }

    /// Lays a ring over `words`. Writer and readers must agree on `slots`, a power of two, and on
    /// `salt`: records written under another salt are never read. `None` if `slots` is no power of
    /// two or the words are too few.
    pub fn over(words: &'a [AtomicU64], slots: usize, salt: u64) -> Option<Self> {
        let (head, rest) = words.split_first()?;
        let end = slots.checked_mul(Self::STRIDE)?.checked_add(LINE - 1)?;
        let slot_words = rest.get(LINE - 1..end)?;
        let mask = (slots as u64).wrapping_sub(1);
        slots.is_power_of_two().then_some(Ring { head, slots: slot_words, mask, salt })
    }

    /// Number of slots.
    pub fn slots(&self) -> u64 {
        self.mask + 1
    }

    /// Records written so far: the number that the next one will bear.
    pub fn head(&self) -> u64 {
        self.head.load(Acquire)
    }

    /// Writes the next record over the oldest. Only one thread of one process may ever do this.
    pub fn push(&self, record: &[u64; W]) {
        let number = load_own(self.head);
        let Some((stamp, check, words)) = self.slot(number) else { return };
        let whole = whole_stamp(number);
        stamp.store(whole.wrapping_sub(1), Relaxed);
        fence(Release);
        let mut sums = Sums::default();
        let (chunks, rest) = record.as_chunks::<LANES>();
        let (to, last) = words.as_chunks::<LANES>();
        for (chunk, to) in chunks.iter().zip(to) {
            to.iter().zip(chunk).for_each(|(word, value)| word.store(*value, Relaxed));
            sums.add(chunk);
        }
        last.iter().zip(rest).for_each(|(word, value)| word.store(*value, Relaxed));
        sums.add(rest);
        check.store(sums.check(whole ^ self.salt), Relaxed);
        stamp.store(whole, Release);
        self.head.store(number.wrapping_add(1), Release);
    }

    /// Copies record `number`; `None` if its slot does not hold exactly that record, whole. Never
    /// waits, never retries.
    pub fn get(&self, number: u64) -> Option<[u64; W]> {
        let (stamp, check, words) = self.slot(number)?;
        let whole = whole_stamp(number);
        if stamp.load(Acquire) != whole {
            return None;
        }
        let mut record = [0; W];
        let mut sums = Sums::default();
        let (chunks, rest) = record.as_chunks_mut::<LANES>();
        let (from, last) = words.as_chunks::<LANES>();
        for (chunk, from) in chunks.iter_mut().zip(from) {
            *chunk = from.each_ref().map(|word| word.load(Relaxed));
            sums.add(chunk);
        }
        for (value, word) in rest.iter_mut().zip(last) {
            *value = word.load(Relaxed);
        }
        sums.add(rest);
        let check = check.load(Relaxed);
        fence(Acquire);
        let same = stamp.load(Relaxed) == whole;
        let right = check == sums.check(whole ^ self.salt);
        // For the model checker, where all writers are honest: the fences alone keep records whole.
        #[cfg(loom)]
        assert!(right || !same, "a whole stamp over a torn record");
        (same && right).then_some(record)
    }

    fn slot(&self, number: u64) -> Option<(&'a AtomicU64, &'a AtomicU64, &'a [AtomicU64])> {
        let start = (number & self.mask) as usize * Self::STRIDE;
        match self.slots.get(start..start + 2 + W)? {
            [stamp, check, words @ ..] => Some((stamp, check, words)),
            _ => None,
        }
    }
}

const fn whole_stamp(number: u64) -> u64 {
    number.wrapping_mul(2).wrapping_add(2)
}

/// Lanes of [`Sums`]: as many as keep every adder of a processor busy.
const LANES: usize = 4;

/// Sums of words and sums of those sums, in lanes (Fletcher 1982): a change of one word changes the first, two that cancel
/// there stand at different places or in different lanes and do not cancel in the second. Two additions a word, which hide
/// behind the loads; products of the words would double the time of a read.
#[derive(Default)]
struct Sums {
    sum: [u64; LANES],
    sums: [u64; LANES],
}

impl Sums {
    /// Adds words of the next lanes in turn.
    #[inline(always)]
    fn add(&mut self, words: &[u64]) {
        for ((sum, sums), word) in self.sum.iter_mut().zip(&mut self.sums).zip(words) {
            *sum = sum.wrapping_add(*word);
            *sums = sums.wrapping_add(*sum);
        }
    }

    /// The check word: lanes and stamp in 64 bits. Each lane has an odd factor of its own, so that what moves from one to
    /// another is seen. It tells accidents, not forgeries: whoever may write the words may also compute it.
    #[inline(always)]
    fn check(&self, stamp: u64) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = |lanes: &[u64; LANES]| {
            let mut factor = STEP;
            lanes.iter().fold(stamp.wrapping_mul(STEP), |mixed, lane| {
                factor = factor.wrapping_add(STEP << 1);
                mixed.wrapping_add(lane.wrapping_mul(factor))
            })
        };
        fold(mixed(&self.sum), STEP) ^ fold(mixed(&self.sums), !STEP)
    }
}

/// Both halves of the 128-bit product, one over the other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(all(test, not(loom)))]
pub(crate) mod tests;
