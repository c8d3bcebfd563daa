//! The calendar date that a capture does not carry.

use model::{DAY_NS, Ts};

/// A date, as days since 1970-01-01; no time zone. Reaches 2149-06-06.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub u16);

/// Text that is not a date `YYYY-MM-DD` between 1970-01-01 and 2149-06-06.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date YYYY-MM-DD between 1970-01-01 and 2149-06-06")]
pub struct BadDate;

impl Date {
    /// Midnight of the date.
    pub const fn midnight(self) -> Ts {
        Ts(self.0 as u64 * DAY_NS)
    }
}

impl core::fmt::Display for Date {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (mut year, mut month, mut days) = (1970, 1, u32::from(self.0));
        while days >= if is_leap(year) { 366 } else { 365 } {
            days -= if is_leap(year) { 366 } else { 365 };
            year += 1;
        }
        while days >= days_of(year, month) {
            days -= days_of(year, month);
            month += 1;
        }
        write!(f, "{year:04}-{month:02}-{:02}", days + 1)
    }
}

impl core::str::FromStr for Date {
    type Err = BadDate;

    fn from_str(text: &str) -> Result<Date, BadDate> {
        let mut parts = text.splitn(3, '-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
        };
        let (year, month, day) =
            (|| Some((number(4)?, number(2)?, number(2)?)))().ok_or(BadDate)?;
        if year < 1970 || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
            return Err(BadDate);
        }
        let years: u32 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
        let months: u32 = (1..month).map(|month| days_of(year, month)).sum();
        u16::try_from(years + months + day - 1).map(Date).map_err(|_| BadDate)
    }
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: dates become day numbers, and nothing else passes. Method: known days, both ends, near misses.
    #[test]
    fn dates() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2020-01-30", 18_291),
            ("2149-06-06", 65_535),
        ] {
            assert_eq!(text.parse(), Ok(Date(days)), "{text}");
            assert_eq!(Date(days).to_string(), text);
        }
        for text in
            ["2149-06-07", "1969-12-31", "2019-02-29", "2020-1-30", "2020-13-01", "", "+020-01-01"]
        {
            assert_eq!(text.parse::<Date>(), Err(BadDate), "{text}");
        }
        assert_eq!(Date(1).midnight(), Ts(DAY_NS));
    }
}
