//! CRC-32 (IEEE 802.3, as in gzip), fed byte by byte with the decimal text of integers.

/// A checksum in the making.
#[derive(Debug, Default)]
pub struct Crc32(flate2::Crc);

impl Crc32 {
    /// Adds one byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.0.update(&[byte]);
    }

    /// Adds the decimal digits of a number: no sign, no leading zeros, nothing for zero.
    #[inline]
    pub fn digits(&mut self, number: u64) {
        let mut text = [0_u8; 20];
        let mut rest = number;
        let mut used = 0;
        for place in text.iter_mut().rev() {
            if rest == 0 {
                break;
            }
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
        }
        self.0.update(text.get(20 - used..).unwrap_or(&[]));
    }

    /// Adds `value` · 10^-`decimals` as plain decimal text without needless zeros: `30244`, `0.0112`.
    pub fn decimal(&mut self, value: u64, decimals: u8) {
        let one = 10_u64.checked_pow(u32::from(decimals)).unwrap_or(u64::MAX);
        let (whole, mut fraction) = (value / one, value % one);
        if whole == 0 {
            self.byte(b'0');
        }
        self.digits(whole);
        if fraction > 0 {
            self.byte(b'.');
        }
        let mut unit = one / 10;
        while fraction > 0 && unit > 0 {
            self.byte(b'0' + (fraction / unit) as u8);
            fraction %= unit;
            unit /= 10;
        }
    }

    /// The checksum of what was added.
    pub fn finish(self) -> u32 {
        self.0.sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(text);
        crc.sum()
    }

    /// Goal: the polynomial is the right one. Method: the check value of the CRC catalogue.
    #[test]
    fn check_value() {
        let mut crc = Crc32::default();
        b"123456789".iter().for_each(|byte| crc.byte(*byte));
        assert_eq!(crc.finish(), 0xCBF4_3926);
    }

    proptest! {
        /// Goal: numbers are added as their text. Method: another checksum over text that `format!` writes.
        #[test]
        fn same_as_text(value in any::<u64>(), shift in 0_u32..64, decimals in 0_u8..19) {
            let value = value >> shift;
            let mut crc = Crc32::default();
            crc.digits(value);
            let text = value.to_string();
            prop_assert_eq!(crc.finish(), of(text.trim_start_matches('0').as_bytes()));

            let mut crc = Crc32::default();
            crc.decimal(value, decimals);
            let one = 10_u64.pow(u32::from(decimals));
            let (whole, fraction) = (value / one, value % one);
            let mut text = format!("{whole}.{fraction:0width$}", width = usize::from(decimals));
            text.truncate(text.trim_end_matches('0').trim_end_matches('.').len().max(1));
            if fraction == 0 { text = whole.to_string(); }
            prop_assert_eq!(crc.finish(), of(text.as_bytes()), "{}", text);
        }
    }
}
