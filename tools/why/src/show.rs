//! Numbers, times and names as text.

use model::{Measure, Money, Origin, Reject, Scaled, Ts, Verdict};
use time::OffsetDateTime;

/// Places behind the point that money is shown with at least.
const CENTS: usize = 2;

/// A number of a check; `decimals` are those of the instrument's price and quantity.
pub fn number(measure: Measure, value: i128, decimals: (u8, u8)) -> String {
    let places = match measure {
        Measure::Qty => decimals.1.into(),
        Measure::Px => decimals.0.into(),
        Measure::Money => Money::DECIMALS,
        _ => 0,
    };
    let is_sum_beyond_its_type = value == i128::MAX || value == i128::MIN;
    match measure {
        _ if is_sum_beyond_its_type => "overflow".into(),
        Measure::Money => short(&scaled(value, places)),
        _ => scaled(value, places),
    }
}

/// An integer with a point in it.
pub fn scaled(value: i128, decimals: u32) -> String {
    Scaled { value, decimals }.to_string()
}

/// Without the zeros behind the cents.
fn short(text: &str) -> String {
    let Some((whole, fraction)) = text.split_once('.') else { return text.into() };
    let digits = fraction.trim_end_matches('0').len().max(CENTS.min(fraction.len()));
    format!("{whole}.{}", fraction.get(..digits).unwrap_or(fraction))
}

/// The name of a unit.
pub const fn unit(measure: Measure) -> Option<&'static str> {
    match measure {
        Measure::Condition => None,
        Measure::Qty => Some("shares"),
        Measure::Px => Some("price"),
        Measure::Money => Some("money"),
        Measure::BasisPoints => Some("bps"),
        Measure::Count => Some("count"),
        Measure::Nanoseconds => Some("ns"),
    }
}

/// Day and time of day in UTC.
pub fn utc(ts: Ts) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp_nanos(ts.0.into()) else {
        return ts.0.to_string();
    };
    format!("{} {}", at.date(), time_of_day(ts))
}

/// Time of day in UTC.
pub fn time_of_day(ts: Ts) -> String {
    let (seconds, ns) = (ts.time_of_day() / 1_000_000_000, ts.time_of_day() % 1_000_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{ns:09}")
}

/// Who asked.
pub fn origin(origin: Origin) -> String {
    match origin {
        Origin::Desk(desk) => format!("desk {}", desk.0),
        Origin::Strategy(place) => format!("strategy {place}"),
        Origin::File => "file".into(),
    }
}

/// Every failed check, the primary one first.
pub fn reasons(verdict: &Verdict) -> Vec<&'static str> {
    let primary = verdict.primary.map(|finding| finding.code);
    let others = verdict.failed().filter(|code| Some(*code) != primary);
    primary.into_iter().chain(others).map(Reject::name).collect()
}

/// A verdict in words.
pub fn verdict(verdict: &Verdict) -> String {
    if verdict.passed() {
        "passed".into()
    } else {
        format!("refused: {}", reasons(verdict).join(", "))
    }
}

/// Lines of equal columns, the last one not padded; numbers are put to the right where `right` says so.
pub fn table(rows: &[Vec<String>], right: &[bool]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padded = match right.get(place) {
                Some(true) => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            };
            line.push_str(&padded);
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: money keeps every digit that says something, and its cents. Method: edges.
    #[test]
    fn money_is_short_and_exact() {
        let money = |value: i128| number(Measure::Money, value, (0, 0));
        assert_eq!(money(1_000_000_000_000), "1.00");
        assert_eq!(money(-1_500_000_000_000), "-1.50");
        assert_eq!(money(1), "0.000000000001");
        assert_eq!(money(i128::MAX), "overflow");
        assert_eq!(number(Measure::Px, 12_345, (4, 0)), "1.2345");
    }

    /// Goal: times are those of UTC. Method: one with every field at an odd value.
    #[test]
    fn times() {
        assert_eq!(utc(Ts(1_709_251_199_123_456_789)), "2024-02-29 23:59:59.123456789");
    }
}
