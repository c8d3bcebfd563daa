//! The one shared object: numbered records of `W` words, each written whole or not at all. Cell,
//! tape, answers and desk are four ways to read it.
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

use crate::sync::{AtomicU64, Ordering::*, fence, load_own};

/// Words of a cache line.
const LINE: usize = 8;

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
        check.store(check_word(record, whole ^ self.salt), Relaxed);
        for (word, value) in words.iter().zip(record) {
            word.store(*value, Relaxed);
        }
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
        for (value, word) in record.iter_mut().zip(words) {
            *value = word.load(Relaxed);
        }
        let check = check.load(Relaxed);
        fence(Acquire);
        let same = stamp.load(Relaxed) == whole;
        let right = check == check_word(&record, whole ^ self.salt);
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

/// Mixes words and stamp into 64 bits: their plain sum, which no single change keeps, and a sum of
/// 32-bit products under a running key (the NH function of UMAC, RFC 4418 section 5.2), which swaps
/// and changes that cancel do not keep. The compiler makes vector code of it: half a nanosecond a
/// word.
///
/// It tells accidents, not forgeries: whoever may write the words may also compute it.
pub(crate) fn check_word<const W: usize>(words: &[u64; W], stamp: u64) -> u64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut key = stamp.wrapping_mul(STEP);
    let (mut plain, mut mixed) = (0_u64, 0_u64);
    for word in words {
        let keyed = word ^ key;
        key = key.wrapping_add(STEP);
        plain = plain.wrapping_add(*word);
        mixed = mixed.wrapping_add((keyed & 0xFFFF_FFFF) * (keyed >> 32));
    }
    fold(plain ^ stamp, STEP) ^ fold(mixed ^ key, !STEP)
}

/// Both halves of the 128-bit product, one over the other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(all(test, not(loom)))]
mod tests;
