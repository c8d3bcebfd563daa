//! The running hash of the core's state: equal inputs give equal hashes, on every build and machine.

/// Folds words one after the other. Not cryptographic: it finds divergence, not forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StateHash(u64);

impl Default for StateHash {
    fn default() -> Self {
        StateHash(0x243F_6A88_85A3_08D3) // First fractional digits of pi: no value of ours.
    }
}

impl StateHash {
    /// Folds in one word.
    pub fn fold(&mut self, word: u64) {
        self.fold_pair(word, 0);
    }

    /// Folds in two words with one multiplication, 64 × 64 → 128 bits, both halves kept.
    pub fn fold_pair(&mut self, first: u64, second: u64) {
        let left = u128::from(self.0 ^ first ^ 0x9E37_79B9_7F4A_7C15);
        let right = u128::from(second ^ 0xD1B5_4A32_D192_ED03);
        let product = left.wrapping_mul(right);
        // The old state enters again, so that a zero operand cannot erase the past.
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ self.0.rotate_left(23);
    }

    /// Folds in a slice of words, its length included.
    pub fn fold_words(&mut self, words: &[u64]) {
        let (pairs, rest) = words.as_chunks::<2>();
        for [first, second] in pairs {
            self.fold_pair(*first, *second);
        }
        self.fold_pair(words.len() as u64, rest.first().copied().unwrap_or(0));
    }

    /// Folds in bytes, their length included.
    pub fn fold_bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.fold_pair(bytes.len() as u64, last);
    }

    /// The hash now.
    pub const fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every bit of every word matters, order and length too. Method: flip each bit; swap; append a zero.
    #[test]
    fn every_bit_matters() {
        let hash = |words: &[u64]| {
            let mut hash = StateHash::default();
            hash.fold_words(words);
            hash.value()
        };
        let base = [1_u64, 2, 3];
        let mut seen =
            std::collections::HashSet::from([hash(&base), hash(&[2, 1, 3]), hash(&[1, 2, 3, 0])]);
        for word in 0..3 {
            for bit in 0..64 {
                let mut other = base;
                other[word] ^= 1 << bit;
                assert!(seen.insert(hash(&other)), "word {word} bit {bit}");
            }
        }
    }
}
