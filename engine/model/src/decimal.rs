//! Decimal text: exact in, exact out.

use crate::num::OutOfRange;

/// Shows an integer with a decimal point: `Scaled { value: -12_345, decimals: 4 }` prints `-1.2345`.
/// Always prints all `decimals` places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// The integer, in units of 10^-`decimals`.
    pub value: i128,
    /// Places behind the point, at most 38.
    pub decimals: u32,
}

impl core::fmt::Display for Scaled {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let sign = if self.value < 0 { "-" } else { "" };
        let magnitude = self.value.unsigned_abs();
        if self.decimals == 0 {
            return write!(f, "{sign}{magnitude}");
        }
        let one = 10_u128.pow(self.decimals.min(38));
        let width = self.decimals.min(38) as usize;
        write!(f, "{sign}{}.{:0width$}", magnitude / one, magnitude % one)
    }
}

/// Reads plain decimal text (`-12.50`, no exponent, no spaces, no separators) as an integer in units of 10^-`decimals`.
/// Zeros beyond the scale are allowed, other digits there are not: exact, never rounds.
///
/// # Errors
///
/// [`OutOfRange`] for anything else, and for a value that does not fit an `i64`.
///
/// ```
/// use model::{OutOfRange, parse_decimal};
/// assert_eq!(parse_decimal("101.5", 4), Ok(1_015_000));
/// assert_eq!(parse_decimal("0.00001", 4), Err(OutOfRange));
/// ```
pub fn parse_decimal(text: &str, decimals: u32) -> Result<i64, OutOfRange> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || (fraction.is_empty() && digits.contains('.')) {
        return Err(OutOfRange);
    }
    let mut value: i64 = 0;
    let mut places = 0;
    for (byte, behind_point) in
        whole.bytes().map(|b| (b, false)).chain(fraction.bytes().map(|b| (b, true)))
    {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || (behind_point && places == decimals && digit != 0) {
            return Err(OutOfRange);
        }
        if behind_point && places == decimals {
            continue;
        }
        places += u32::from(behind_point);
        let signed = if negative { -i64::from(digit) } else { i64::from(digit) };
        value = value.checked_mul(10).and_then(|v| v.checked_add(signed)).ok_or(OutOfRange)?;
    }
    let missing = 10_i64.checked_pow(decimals - places);
    match missing.and_then(|m| value.checked_mul(m)) {
        Some(value) => Ok(value),
        None if value == 0 => Ok(0),
        None => Err(OutOfRange),
    }
}

/// Reads a time of day, `HH:MM:SS` with up to nine decimals, as nanoseconds since midnight; `None` for anything else.
pub fn parse_time_of_day(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, ':');
    let mut whole =
        |below: u64| parts.next().and_then(|part| part.parse::<u64>().ok()).filter(|n| *n < below);
    let (hours, minutes) = (whole(24)?, whole(60)?);
    let seconds = u64::try_from(parse_decimal(parts.next()?, 9).ok()?).ok()?;
    (seconds < 60_000_000_000).then_some((hours * 60 + minutes) * 60_000_000_000 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: only plain decimals pass, and exactly. Method: one example of each shape.
    #[test]
    fn parse_edges() {
        assert_eq!(parse_decimal("-0.0100", 2), Ok(-1));
        assert_eq!(parse_decimal("-9223372036854775808", 0), Ok(i64::MIN));
        assert_eq!(parse_decimal("9223372036854775808", 0), Err(OutOfRange));
        for bad in [
            "", "-", ".", ".5", "1.", "1e3", "+1", " 1", "1 ", "1_0", "0x1", "1.2.3", "NaN", "--1",
            "٣",
        ] {
            assert_eq!(parse_decimal(bad, 4), Err(OutOfRange), "{bad:?}");
        }
        assert_eq!(parse_decimal("0", 30), Ok(0));
        assert_eq!(parse_decimal("1", 30), Err(OutOfRange));
    }

    /// Goal: a time of day is exact, anything else is refused. Method: both ends and near misses.
    #[test]
    fn times_of_day() {
        assert_eq!(parse_time_of_day("00:00:00"), Some(0));
        assert_eq!(parse_time_of_day("23:59:59.999999999"), Some(crate::DAY_NS - 1));
        for bad in [
            "24:00:00",
            "00:60:00",
            "00:00:60",
            "00:00",
            "0:0:0.1234567891",
            "-1:00:00",
            "00:00:-1",
        ] {
            assert_eq!(parse_time_of_day(bad), None, "{bad}");
        }
    }

    /// Goal: what is shown reads back. Method: both directions on the edges of the range.
    #[test]
    fn shown_reads_back() {
        for value in [0, 1, -1, 12_345, -12_345, i64::MAX, i64::MIN] {
            let text = Scaled { value: value.into(), decimals: 4 }.to_string();
            assert_eq!(parse_decimal(&text, 4), Ok(value), "{text}");
        }
        assert_eq!(Scaled { value: -5, decimals: 4 }.to_string(), "-0.0005");
        assert_eq!(Scaled { value: 7, decimals: 0 }.to_string(), "7");
    }
}
