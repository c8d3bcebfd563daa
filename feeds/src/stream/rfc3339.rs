//! Times as venues write them.

use model::{DAY_NS, Ts};

/// `2023-10-06T17:35:55.440295Z` with up to nine decimals, between 1970 and 2261; UTC alone. `None` for anything else.
pub fn rfc3339(text: &[u8]) -> Option<Ts> {
    let (&[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T'], clock) = text.split_first_chunk()?
    else {
        return None;
    };
    let year = number(&[y0, y1, y2, y3], 1970..=2261)?;
    let month = number(&[m0, m1], 1..=12)?;
    let day = number(&[d0, d1], 1..=31)?;
    let clock = core::str::from_utf8(clock).ok()?.strip_suffix('Z')?;
    let of_day = model::parse_time_of_day(clock)?;
    // Years that begin in March put the leap day last; months then have 30.6 days.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1;
    Some(Ts((days - DAYS_TO_1970) * DAY_NS + of_day))
}

/// Days from 1 March of year 0 to 1 January 1970.
const DAYS_TO_1970: u64 = 719_468;

fn number(digits: &[u8], range: core::ops::RangeInclusive<u64>) -> Option<u64> {
    let mut value = 0;
    for byte in digits {
        value = value * 10 + u64::from(byte.wrapping_sub(b'0'));
        if !byte.is_ascii_digit() {
            return None;
        }
    }
    range.contains(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every day and time reads exactly, anything else is refused. Method: each day of the range against
    /// [`crate::Date`]; near misses.
    #[test]
    fn days_and_misses() {
        for day in 0..=u16::MAX {
            let date = crate::Date(day);
            let text = format!("{date}T23:59:59.000001Z");
            let at = date.midnight().0 + DAY_NS - 999_999_000;
            assert_eq!(rfc3339(text.as_bytes()), Some(Ts(at)), "{text}");
        }
        assert_eq!(rfc3339(b"2023-10-06T17:35:55Z"), Some(Ts(1_696_613_755_000_000_000)));
        for bad in [
            "",
            "2023-10-06T17:35:55",
            "2023-10-06 17:35:55Z",
            "2023-13-06T17:35:55Z",
            "2023-1O-06T17:35:55Z",
            "2023-10-06T24:35:55Z",
            "2023-10-06T17:35:55+01:00",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(rfc3339(bad.as_bytes()), None, "{bad}");
        }
    }
}
