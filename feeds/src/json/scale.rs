//! Decimal text eight digits at a time, for the numbers that come by the dozen in every text.

/// Eight bytes, each this.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// A number of decimals, with what reading to it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// 10^decimals.
    one: u64,
    /// The bytes of the first eight digits behind the point that are kept.
    kept: u64,
    /// Bits that they take.
    bits: u32,
    /// Bits that the others take.
    others: u32,
    /// 10^(decimals - 8), or 1.
    tail: u64,
}

/// Where the point and the quote of a number are, from its start and from behind the point. Of the next one they mostly are
/// there again: a processor that guesses so has begun with that before it knows where this one ends, in a third less time.
/// A wrong guess is no harm: what lies before either must be digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    point: u32,
    quote: u32,
}

impl Scale {
    /// `None` beyond 18 decimals: one would not fit.
    pub const fn new(decimals: u8) -> Option<Scale> {
        if decimals > 18 {
            return None;
        }
        let places = decimals as u32;
        let others = 8 * 8_u32.saturating_sub(places);
        // Shifting out all 64 bits is undefined; no place kept means no byte kept.
        let kept = if places == 0 { 0 } else { u64::MAX >> others };
        let (one, tail) = (10_u64.pow(places), 10_u64.pow(places.saturating_sub(8)));
        Some(Scale { one, kept, bits: 64 - others, others: others % 64, tail })
    }

    /// Reads `digits.digits"` at the start of `text`, at most seven before the point and eight behind: the value, and the
    /// bytes passed, with the quote. `None`: anything else, and a number of another shape that looks like one of the shape that
    /// is expected; it is then read digit by digit, or refused there. `like`: that shape, and that of this number from then on.
    #[inline(always)] // Called, it hands its answer over in memory: a fifth more instructions.
    pub fn read(self, text: &[u8], like: &mut Shape) -> Option<(i64, usize)> {
        let front = word(text)?;
        if text.get(like.point as usize) != Some(&b'.') {
            like.point = first(front, b'.');
        }
        let point = like.point;
        if point == 0 || point > 7 {
            return None;
        }
        // The first character lies in the lowest byte. Moved up, what is behind the last digit falls off, and zeros fill the
        // places before the first.
        let whole = (front ^ each(b'0')) << (64 - 8 * point);
        let rest = text.get(point as usize + 1..)?;
        let back = word(rest)?;
        if rest.get(like.quote as usize) != Some(&b'"') {
            like.quote = first(back, b'"');
            if like.quote == 8 && rest.get(8) != Some(&b'"') {
                return None;
            }
        }
        let quote = like.quote;
        if quote == 0 {
            return None;
        }
        // Eight places: zeros stand for those that are not written.
        let places = (back ^ each(b'0')) & (u64::MAX >> (64 - 8 * quote));
        if places & !self.kept != 0 {
            return None;
        }
        let passed = point as usize + quote as usize + 2;
        if 8 * point + self.bits <= 64 {
            // Eight digits in all: those before the point go right before those behind it.
            let value = eight(whole >> self.bits | places << self.others)?;
            return Some((value.cast_signed(), passed));
        }
        let part = if self.kept == 0 { 0 } else { eight(places << self.others)? };
        let value =
            eight(whole)?.checked_mul(self.one)?.checked_add(part.checked_mul(self.tail)?)?;
        Some((i64::try_from(value).ok()?, passed))
    }
}

#[inline]
fn word(text: &[u8]) -> Option<u64> {
    text.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Place of the first such byte; 8 if there is none.
#[inline]
fn first(word: u64, byte: u8) -> u32 {
    // A byte that is zero borrows from its top bit; above the first such byte the borrow may lie, below it never does.
    let zero = word ^ each(byte);
    (zero.wrapping_sub(each(1)) & !zero & each(0x80)).trailing_zeros() / 8
}

/// The number of eight digits (0 to 9, not their characters), the first in the lowest byte; `None` if one is none.
#[inline]
fn eight(digits: u64) -> Option<u64> {
    if (digits.wrapping_add(each(0x76)) | digits) & each(0x80) != 0 {
        return None;
    }
    // Neighbours become numbers of two, then four, then eight digits.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let hundreds = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(100 + (1_000_000 << 32));
    let ones = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(1 + (10_000 << 32));
    Some(hundreds.wrapping_add(ones) >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::decimal;

    /// Goal: what is read here is what is read digit by digit, and nothing is read that is none, whatever shape is expected.
    /// Method: numbers of all lengths behind one another, as they are and with a byte changed; scales of all decimals.
    fn agrees(text: &[u8], decimals: u8, like: &mut Shape) -> bool {
        let Some((value, passed)) = Scale::new(decimals).and_then(|scale| scale.read(text, like))
        else {
            return false;
        };
        let (number, quote) = text[..passed].split_at(passed - 1);
        assert_eq!((decimal(number, decimals), quote), (Some(value), &b"\""[..]));
        true
    }

    proptest! {
        #[test]
        fn numbers_agree(
            texts in prop::collection::vec("[0-9]{1,9}\\.[0-9]{1,10}\"[\\],0-9.\"]{0,12}", 1..6),
            decimals in 0_u8..20,
            spoil in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut like = Shape::default();
            for text in texts {
                let mut text = text.into_bytes();
                if let Some((place, byte)) = spoil {
                    let at = place.index(text.len());
                    text[at] = byte;
                }
                let alone = agrees(&text, decimals, &mut Shape::default());
                let behind = agrees(&text, decimals, &mut like);
                prop_assert!(alone || !behind);
            }
        }

        /// Goal: the numbers that venues write are read here. Method: their lengths, places beyond those kept being zeros.
        #[test]
        fn usual_numbers_are_read(whole in 0_u32..10_000_000, places in 1_usize..=8, kept in 1_u8..=8, part in any::<u64>()) {
            let part = part % 10_u64.pow(u32::from(kept).min(places as u32));
            let digits = format!("{part:0width$}", width = places.min(kept.into()));
            let text = format!("{whole}.{digits:0<places$}\",\"0.00100000\"]");
            let like = &mut Shape::default();
            prop_assert!(agrees(text.as_bytes(), kept, like), "{} at {}", text, kept);
            prop_assert!(agrees(text.as_bytes(), kept, like), "{} at {}, once more", text, kept);
        }
    }

    /// Goal: no byte but a digit counts as one. Method: every byte at every place.
    #[test]
    fn only_digits_count() {
        for place in 0..8 {
            for byte in 0..=255_u8 {
                let digits = u64::from(byte) << (8 * place);
                let value = 10_u64.pow(7 - place) * u64::from(byte);
                assert_eq!(eight(digits), (byte < 10).then_some(value), "{byte} at {place}");
            }
        }
    }
}
