//! Numbers and times as the venues write them.

/// `units` of 10^-`decimals` with `places` places behind the point, at least `decimals`.
pub fn fixed(units: u64, decimals: u8, places: u8) -> String {
    let scale = 10_u64.pow(decimals.into());
    let zeros = usize::from(places.saturating_sub(decimals));
    if places.max(decimals) == 0 {
        return units.to_string();
    }
    let (whole, part) = (units / scale, units % scale);
    if decimals == 0 {
        return format!("{whole}.{:0<zeros$}", "");
    }
    format!("{whole}.{part:0width$}{:0<zeros$}", "", width = usize::from(decimals))
}

/// Without zeros at the end, nor a point that has nothing behind it.
pub fn short(units: u64, decimals: u8) -> String {
    let text = fixed(units, decimals, decimals);
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Nanoseconds since the UNIX epoch as RFC 3339 in UTC, to the microsecond.
pub fn rfc3339(ns: u64) -> String {
    let (secs, micros) = (ns / 1_000_000_000, ns / 1_000 % 1_000_000);
    let (mut days, of_day) = (secs / 86_400, secs % 86_400);
    let mut year = 1970;
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let months = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let (month, day) = (month + 1, days + 1);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Days of a year.
const fn length(year: u64) -> u64 {
    if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) {
        366
    } else {
        365
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: numbers and times as written by hand. Method: a table with leap years, zeros and no decimals.
    #[test]
    fn texts() {
        assert_eq!(fixed(6_173_763, 2, 8), "61737.63000000");
        assert_eq!((fixed(5, 3, 3), fixed(0, 1, 1)), ("0.005".into(), "0.0".into()));
        assert_eq!((fixed(7, 0, 0), fixed(7, 0, 2)), ("7".into(), "7.00".into()));
        assert_eq!((short(1_500, 3), short(3_000, 3)), ("1.5".into(), "3".into()));
        assert_eq!((short(100, 0), short(0, 3)), ("100".into(), "0".into()));
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(951_782_400_000_000_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(rfc3339(1_709_251_199_123_456_789), "2024-02-29T23:59:59.123456Z");
        assert_eq!(rfc3339(4_107_542_400_000_000_000), "2100-03-01T00:00:00.000000Z");
    }
}
