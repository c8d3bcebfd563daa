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

    /// Midnight of the date in New York; of the epoch's first day, which is no date, the epoch.
    pub fn new_york_midnight(self) -> Ts {
        new_york_midnight(Ts(self.midnight().0 + 18 * HOUR_NS)) // Past noon there, whatever the offset.
    }
}

/// Hours that New York is behind UTC in winter and in summer.
const NEW_YORK: [u64; 2] = [5, 4];
const HOUR_NS: u64 = 3_600_000_000_000;

/// The latest midnight of New York up to `now`. Summer time is from the second Sunday of March, 02:00, to the first Sunday
/// of November, 02:00 (Energy Policy Act of 2005; earlier years are off by an hour on some days).
///
/// On the first day of the epoch, which is that of a capture whose date nobody named, it is the epoch.
pub fn new_york_midnight(now: Ts) -> Ts {
    if now.0 < DAY_NS {
        return Ts(0);
    }
    let standard = now.0.saturating_sub(5 * HOUR_NS);
    let day = standard / DAY_NS;
    let (mut year, mut first) = (1970_u32, 0_u64);
    while day >= first + days_in(year) {
        first += days_in(year);
        year += 1;
    }
    let month_begins =
        |month: u32| first + (1..month).map(|m| u64::from(days_of(year, m))).sum::<u64>();
    // Day 0 of the epoch was a Thursday.
    let sunday_from = |day: u64| day + (7 - (day + 4) % 7) % 7;
    let begins = (sunday_from(month_begins(3)) + 7) * DAY_NS + 2 * HOUR_NS;
    let ends = sunday_from(month_begins(11)) * DAY_NS + HOUR_NS;
    let [winter, summer] = NEW_YORK;
    let is_summer = (begins..ends).contains(&standard);
    let offset = if is_summer { summer } else { winter } * HOUR_NS;
    let midnight = now.0.saturating_sub(offset) / DAY_NS * DAY_NS;
    // The clocks change after midnight: that day began under the other offset.
    let began = match midnight / DAY_NS {
        day if day == begins / DAY_NS => winter * HOUR_NS,
        day if day == ends / DAY_NS => summer * HOUR_NS,
        _ => offset,
    };
    Ts(midnight + began)
}

const fn days_in(year: u32) -> u64 {
    if is_leap(year) { 366 } else { 365 }
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

    /// Goal: midnight is New York's, summer and winter and on the days that the clocks change. Method: moments whose offset
    /// is known.
    #[test]
    fn midnights() {
        let at =
            |date: &str, hour: u64| Ts(date.parse::<Date>().unwrap().midnight().0 + hour * HOUR_NS);
        for (date, utc_hour, day, offset) in [
            ("2020-01-30", 14, "2020-01-30", 5),
            ("2020-07-01", 14, "2020-07-01", 4),
            ("2023-08-22", 3, "2023-08-21", 4),
            ("2024-03-10", 5, "2024-03-10", 5),
            ("2024-03-10", 12, "2024-03-10", 5),
            ("2024-03-11", 5, "2024-03-11", 4),
            ("2024-11-03", 5, "2024-11-03", 4),
            ("2024-11-03", 12, "2024-11-03", 4),
            ("2024-11-04", 6, "2024-11-04", 5),
        ] {
            assert_eq!(new_york_midnight(at(date, utc_hour)), at(day, offset), "{date} {utc_hour}");
        }
    }

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
