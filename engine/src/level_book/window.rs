//! The levels near the touch: a quantity for each step, and a bit for each that is not zero.
//!
//! A window covers [`STEPS`] neighbouring numbers of a grid. A number always lies at the same slot,
//! its remainder, so that a window that moves leaves the levels it still covers where they are. It
//! moves by whole [`STRIDE`]s: each is one word of the upper bitset.

/// Steps that a window covers.
pub(super) const STEPS: u64 = 1 << 14;
/// Steps that one word of the upper bitset covers; a window starts at a multiple of it.
pub(super) const STRIDE: u64 = WORD * WORD;
const WORD: u64 = u64::BITS as u64;
const STRIDES: usize = (STEPS / STRIDE) as usize;
const WORDS: usize = (STEPS / WORD) as usize;

#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Window {
    /// A bit for each word of `words` that is not zero.
    #[serde(with = "model::snapshot::array")]
    summary: [u64; STRIDES],
    /// A bit for each quantity that is not zero.
    #[serde(with = "model::snapshot::array")]
    words: [u64; WORDS],
    #[serde(with = "model::snapshot::array")]
    qty: [i64; STEPS as usize],
}

impl Window {
    const EMPTY: Window =
        Window { summary: [0; STRIDES], words: [0; WORDS], qty: [0; STEPS as usize] };

    /// The quantity at a number; 0: no level.
    #[inline]
    pub fn get(&self, number: u64) -> i64 {
        self.qty.get((number % STEPS) as usize).copied().unwrap_or(0)
    }

    /// Sets the quantity at a number, 0 removes it. The quantity before.
    #[inline]
    pub fn set(&mut self, number: u64, qty: i64) -> i64 {
        let slot = (number % STEPS) as usize;
        let at = slot / WORD as usize;
        let (Some(place), Some(word), Some(summary)) =
            (self.qty.get_mut(slot), self.words.get_mut(at), self.summary.get_mut(at / 64))
        else {
            return 0;
        };
        *word = *word & !(1 << (number % WORD)) | u64::from(qty != 0) << (number % WORD);
        let bit = at as u64 % WORD;
        *summary = *summary & !(1 << bit) | u64::from(*word != 0) << bit;
        core::mem::replace(place, qty)
    }

    /// The first level at `from` or behind it, of a window that starts at `first`.
    #[inline]
    pub fn next(&self, first: u64, from: u64) -> Option<u64> {
        if from.wrapping_sub(first) >= STEPS {
            return None;
        }
        let bits = self.word(from) & (u64::MAX << (from % WORD));
        if bits != 0 {
            return Some(from - from % WORD + u64::from(bits.trailing_zeros()));
        }
        let mut start = from - from % STRIDE;
        let mut bits = self.stride(from) & (u64::MAX << (from % STRIDE / WORD) << 1);
        for _ in 0..STRIDES {
            if bits != 0 {
                let word = start + WORD * u64::from(bits.trailing_zeros());
                return Some(word + u64::from(self.word(word).trailing_zeros()));
            }
            if start - first >= STEPS - STRIDE {
                break;
            }
            start += STRIDE;
            bits = self.stride(start);
        }
        None
    }

    /// Removes every level.
    fn clear(&mut self) {
        let (slots, _) = self.qty.as_chunks_mut::<{ WORD as usize }>();
        for (word, slots) in self.words.iter_mut().zip(slots) {
            if *word != 0 {
                *word = 0;
                slots.fill(0);
            }
        }
        self.summary = [0; STRIDES];
    }

    #[inline]
    fn word(&self, number: u64) -> u64 {
        self.words.get((number % STEPS / WORD) as usize).copied().unwrap_or(0)
    }

    #[inline]
    fn stride(&self, number: u64) -> u64 {
        self.summary.get((number % STEPS / STRIDE) as usize).copied().unwrap_or(0)
    }
}

/// A fixed number of windows, named by numbers from 1.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Windows {
    #[serde(with = "model::snapshot::table")]
    windows: Vec<Window>,
    /// Those that nobody uses; each is empty.
    #[serde(with = "model::snapshot::reserved")]
    free: Vec<u32>,
}

impl Windows {
    /// Bytes that each takes.
    pub const EACH: usize = size_of::<Window>() + size_of::<u32>();

    /// Takes the memory of `count` windows.
    pub fn new(count: u32) -> Windows {
        let mut windows = vec![Window::EMPTY; count as usize];
        host::prefault(&mut windows);
        Windows { windows, free: (1..=count).rev().collect() }
    }

    #[inline]
    pub fn at(&self, number: u32) -> Option<&Window> {
        self.windows.get((number as usize).wrapping_sub(1))
    }

    #[inline]
    pub fn at_mut(&mut self, number: u32) -> Option<&mut Window> {
        self.windows.get_mut((number as usize).wrapping_sub(1))
    }

    /// Hands out an empty window; 0: all are in use.
    pub fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or(0)
    }

    /// Takes a window back, whatever it holds. Each number handed out comes back at most once.
    pub fn release(&mut self, number: u32) {
        if let Some(window) = self.at_mut(number) {
            window.clear();
            self.free.push(number);
        }
    }

    #[cfg(test)]
    pub fn used(&self) -> usize {
        self.windows.len() - self.free.len()
    }
}

#[cfg(test)]
impl Window {
    /// Panics unless the bits agree with the quantities. Returns the number of levels.
    pub fn audit(&self) -> usize {
        for (slot, qty) in self.qty.iter().enumerate() {
            assert_eq!(self.words[slot / 64] >> (slot % 64) & 1 == 1, *qty != 0);
        }
        for (at, word) in self.words.iter().enumerate() {
            assert_eq!(self.summary[at / 64] >> (at % 64) & 1 == 1, *word != 0);
        }
        self.qty.iter().filter(|qty| **qty != 0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Goal: a window finds what a sorted map finds. Method: few and many levels, wherever the
        /// window starts.
        #[test]
        fn equals_a_map(
            stride in prop_oneof![0..40_u64, Just((u64::MAX - STEPS) / STRIDE + 1)],
            levels in proptest::collection::vec((0..STEPS, 0..3_i64), 0..60),
            from in 0..STEPS,
        ) {
            let first = stride * STRIDE;
            let mut windows = Windows::new(1);
            let number = windows.take();
            let window = windows.at_mut(number).unwrap();
            let mut map = BTreeMap::new();
            for (at, qty) in levels {
                let before = map.insert(first + at, qty).unwrap_or(0);
                prop_assert_eq!(window.set(first + at, qty), before);
            }
            map.retain(|_, qty| *qty != 0);
            prop_assert_eq!(window.audit(), map.len());
            let next = map.range(first + from..).next().map(|(at, _)| *at);
            prop_assert_eq!(window.next(first, first + from), next);
            prop_assert_eq!(window.next(first, first.wrapping_add(STEPS)), None);
            prop_assert_eq!(windows.take(), 0);
            windows.release(number);
            prop_assert_eq!(windows.at(number).unwrap().audit(), 0);
            prop_assert_eq!(windows.take(), number);
        }
    }
}
