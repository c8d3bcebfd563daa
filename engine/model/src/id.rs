//! Names and numbers of things. Each its own type, so that one cannot stand where another belongs.

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[repr(transparent)]
        pub struct $name(pub $inner);
    };
}

number!(
    /// A feed of this engine, in the order of its configuration.
    FeedId(u8)
);
number!(
    /// The venue's own number of an instrument (ITCH: stock locate, new each day).
    VenueNumber(u32)
);
number!(
    /// Our number of an instrument: given at its first directory event, in order, never reused within a journal.
    InstrumentId(u32)
);
number!(
    /// The venue's reference of a resting order, unique per venue and day.
    OrderRef(u64)
);
number!(
    /// Our number of an order of our own: table slot in the low 20 bits, above it the use of the slot in 24, above that
    /// the epoch in 20. Never zero, and never given twice, whichever engine of a journal gives it.
    OrderId(u64)
);
number!(
    /// An account, in the order of its configuration.
    AccountId(u16)
);
number!(
    /// One of the request rings that clients lease.
    DeskId(u8)
);

impl OrderId {
    /// Bits of the slot number.
    pub const SLOT_BITS: u32 = 20;

    /// Bits of the number of a slot's use within an epoch.
    pub const USE_BITS: u32 = 24;
    /// The last epoch that an id can carry.
    pub const EPOCH_MAX: u32 = (1 << (64 - Self::SLOT_BITS - Self::USE_BITS)) - 1;

    /// The id of `slot` in its `generation`-th use: epoch and use within it, as [`OrderId::generation`] joins them.
    pub const fn new(slot: u32, generation: u64) -> OrderId {
        OrderId(generation << Self::SLOT_BITS | slot as u64)
    }

    /// The order's place in the order table.
    pub const fn slot(self) -> usize {
        (self.0 & ((1 << Self::SLOT_BITS) - 1)) as usize
    }

    /// The generation of a slot's `number`-th use in `epoch`; uses count from 1.
    pub const fn generation(epoch: u32, number: u32) -> u64 {
        (epoch as u64) << Self::USE_BITS | number as u64
    }

    /// The epoch of the engine that gave it.
    pub const fn epoch(self) -> u32 {
        (self.0 >> (Self::SLOT_BITS + Self::USE_BITS)) as u32
    }
}

/// Text that does not fit, or holds a character that is not printable ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextTooLong;

impl core::fmt::Display for TextTooLong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("too long, empty, or not printable ASCII")
    }
}

impl core::error::Error for TextTooLong {}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $words:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The absent text.
            pub const EMPTY: Self = Self([0; $bytes]);

            /// Takes the text over.
            ///
            /// # Errors
            ///
            /// [`TextTooLong`] if it is empty, longer than the field, or not printable ASCII.
            pub fn new(text: &str) -> Result<Self, TextTooLong> {
                let mut bytes = [0; $bytes];
                let room = bytes.get_mut(..text.len()).ok_or(TextTooLong)?;
                if text.is_empty() || !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
                    return Err(TextTooLong);
                }
                room.copy_from_slice(text.as_bytes());
                Ok(Self(bytes))
            }

            /// The text, without the padding.
            pub fn as_str(&self) -> &str {
                let end = self.0.iter().position(|b| *b == 0).unwrap_or($bytes);
                self.0.get(..end).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or("")
            }

            /// The field as words, the first character in the lowest byte of the first.
            pub fn to_words(self) -> [u64; $words] {
                let (chunks, _) = self.0.as_chunks::<8>();
                let mut words = [0; $words];
                for (word, chunk) in words.iter_mut().zip(chunks) {
                    *word = u64::from_le_bytes(*chunk);
                }
                words
            }

            /// Reads the words back; `None` if they hold anything but printable ASCII followed by zeros.
            /// All zeros is the absent text and legal.
            pub fn from_words(words: [u64; $words]) -> Option<Self> {
                let mut bytes = [0; $bytes];
                let (chunks, _) = bytes.as_chunks_mut::<8>();
                for (word, chunk) in words.iter().zip(chunks) {
                    *chunk = word.to_le_bytes();
                }
                let end = bytes.iter().position(|b| *b == 0).unwrap_or($bytes);
                let (text, padding) = bytes.split_at_checked(end)?;
                let legal = text.iter().all(|b| *b == b' ' || b.is_ascii_graphic()) && padding.iter().all(|b| *b == 0);
                legal.then_some(Self(bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.to_words().serialize(to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let words = <[u64; $words]>::deserialize(from)?;
                Self::from_words(words).ok_or_else(|| serde::de::Error::custom(TextTooLong))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}

text!(
    /// The venue's symbol of an instrument, at most 16 characters.
    Symbol, 16, 2
);
text!(
    /// The client's own name of an order, at most 16 characters, never used twice in an account and journal
    /// (FIX tag 11, ClOrdID).
    ClientOrderId, 16, 2
);
text!(
    /// Who runs the engine, at most 16 characters; none: nobody in particular.
    OperatorName, 16, 2
);
text!(
    /// Why somebody asked, at most 32 characters; kept in the journal, never interpreted.
    Note, 32, 4
);

impl Symbol {
    /// A venue's left-justified, space-padded 8-character field (ITCH "Stock"). `None` if it is blank or not printable.
    pub fn from_padded(field: [u8; 8]) -> Option<Symbol> {
        let mut bytes = [0; 16];
        let end = field.iter().rposition(|b| *b != b' ')? + 1;
        let text = field.get(..end)?;
        if !text.iter().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        bytes.get_mut(..end)?.copy_from_slice(text);
        Some(Symbol(bytes))
    }
}

impl Note {
    /// The first 32 printable characters of any text; everything else becomes `?`.
    pub fn lossy(text: &str) -> Note {
        let mut bytes = [0; 32];
        for (byte, character) in bytes.iter_mut().zip(text.chars()) {
            let keep = character == ' ' || character.is_ascii_graphic();
            *byte = if keep { character as u8 } else { b'?' };
        }
        Note(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: only printable text that fits is taken, and it survives the words. Method: edges of length and content.
    #[test]
    fn text_edges() {
        let id = ClientOrderId::new("abc-DEF_01234567").unwrap();
        assert_eq!(id.as_str(), "abc-DEF_01234567");
        assert_eq!(ClientOrderId::from_words(id.to_words()), Some(id));
        assert_eq!(ClientOrderId::new("abc-DEF_012345678"), Err(TextTooLong));
        assert_eq!(ClientOrderId::new(""), Err(TextTooLong));
        assert_eq!(ClientOrderId::new("a\nb"), Err(TextTooLong));
        assert_eq!(
            ClientOrderId::from_words([u64::from(b'a') << 8, 0]),
            None,
            "text behind a zero"
        );
        assert_eq!(Symbol::from_padded(*b"AAPL    ").unwrap().as_str(), "AAPL");
        assert_eq!(Symbol::from_padded(*b"        "), None);
        assert_eq!(Symbol::from_padded(*b"AA\x01     "), None);
        assert_eq!(Note::lossy("naïve\n").as_str(), "na?ve?");
    }

    /// Goal: epoch, use and slot share one number. Method: the edges of each.
    #[test]
    fn order_id_slot() {
        assert_eq!(OrderId::new(0xF_FFFF, 1).slot(), 0xF_FFFF);
        assert_eq!(OrderId::new(0, 1).0, 1 << 20);
        let last = OrderId::new(7, OrderId::generation(OrderId::EPOCH_MAX, (1 << 24) - 1));
        assert_eq!((last.epoch(), last.slot()), (OrderId::EPOCH_MAX, 7));
        assert_eq!(last.0, u64::MAX << 20 | 7, "every bit is used");
    }
}
