//! Fixed-width records as 64-bit words: the one encoding of rings, shared memory and the journal.

/// A word that holds no legal value. Carries the word's index in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadWord(pub u8);

impl core::fmt::Display for BadWord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "word {} holds no legal value", self.0)
    }
}

impl core::error::Error for BadWord {}

/// Fills the words of a record in order. Words beyond the record are dropped, which the layout tests would show.
pub struct WordWriter<'a> {
    words: core::slice::IterMut<'a, u64>,
}

impl<'a> WordWriter<'a> {
    /// Starts at the first word.
    pub fn new(words: &'a mut [u64]) -> Self {
        WordWriter { words: words.iter_mut() }
    }

    /// Writes an unsigned word.
    pub fn u64(&mut self, value: u64) {
        if let Some(word) = self.words.next() {
            *word = value;
        }
    }

    /// Writes a signed word.
    pub fn i64(&mut self, value: i64) {
        self.u64(value.cast_unsigned());
    }

    /// Writes two words, low half first.
    pub fn i128(&mut self, value: i128) {
        self.u64(value as u64);
        self.u64((value >> 64) as u64);
    }

    /// Writes eight small fields as one word, the first in the lowest byte.
    pub fn bytes(&mut self, value: [u8; 8]) {
        self.u64(u64::from_le_bytes(value));
    }

    /// Writes two halves as one word, the first in the low half.
    pub fn pair(&mut self, low: u32, high: u32) {
        self.u64(u64::from(low) | u64::from(high) << 32);
    }

    /// Words not written yet.
    pub fn left(&self) -> usize {
        self.words.len()
    }
}

/// Reads the words of a record in order; past its end every word is zero.
pub struct WordReader<'a> {
    words: core::slice::Iter<'a, u64>,
    read: u8,
}

impl<'a> WordReader<'a> {
    /// Starts at the first word.
    pub fn new(words: &'a [u64]) -> Self {
        WordReader { words: words.iter(), read: 0 }
    }

    /// Reads an unsigned word.
    pub fn u64(&mut self) -> u64 {
        self.read = self.read.saturating_add(1);
        self.words.next().copied().unwrap_or(0)
    }

    /// Reads a signed word.
    pub fn i64(&mut self) -> i64 {
        self.u64().cast_signed()
    }

    /// Reads two words, low half first.
    pub fn i128(&mut self) -> i128 {
        let low = u128::from(self.u64());
        (low | u128::from(self.u64()) << 64).cast_signed()
    }

    /// Reads eight small fields, the lowest byte first.
    pub fn bytes(&mut self) -> [u8; 8] {
        self.u64().to_le_bytes()
    }

    /// Reads two halves, the low one first.
    pub fn pair(&mut self) -> (u32, u32) {
        let word = self.u64();
        (word as u32, (word >> 32) as u32)
    }

    /// Names the word read last as the bad one when `value` is `None`.
    ///
    /// # Errors
    ///
    /// [`BadWord`] with the index of the word read last.
    pub fn legal<T>(&self, value: Option<T>) -> Result<T, BadWord> {
        value.ok_or(BadWord(self.read.saturating_sub(1)))
    }
}
