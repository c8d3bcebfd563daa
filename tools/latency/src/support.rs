//! Which percentiles a measurement supports. A figure that the machine made, or that too few samples made, is none of the
//! product: it is not shown, and the reason is.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Samples that must lie beyond a percentile.
pub const TAIL_MIN: u64 = 100;

/// The percentiles of a report: name, quantile, and the millionths that lie beyond it.
pub const PERCENTILES: [(&str, f64, u64); 5] = [
    ("p50", 0.5, 500_000),
    ("p90", 0.9, 100_000),
    ("p99", 0.99, 10_000),
    ("p99.9", 0.999, 1_000),
    ("p99.99", 0.9999, 100),
];

/// Why a percentile is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// There is no sample.
    Empty,
    /// So few samples lie beyond it.
    Samples(u64),
    /// Hiccups took so many millionths of the time: more than half of what lies beyond it.
    Hiccups(u64),
}

/// A percentile, or why there is none.
pub type Cell = Result<u64, Unsupported>;

impl Unsupported {
    /// In words.
    pub fn why(self, tail_ppm: u64) -> String {
        let percent = |ppm: u64| ppm as f64 / 10_000.0;
        match self {
            Unsupported::Empty => "there is no sample".into(),
            Unsupported::Samples(tail) => {
                format!("{tail} samples lie beyond it, {TAIL_MIN} are needed")
            }
            Unsupported::Hiccups(ppm) => format!(
                "the cores stood still for {:.4} % of the time, more than half of the {} % beyond it",
                percent(ppm),
                percent(tail_ppm)
            ),
        }
    }

    /// A letter for tables.
    pub const fn letter(self) -> &'static str {
        match self {
            Unsupported::Empty | Unsupported::Samples(_) => "n",
            Unsupported::Hiccups(_) => "h",
        }
    }
}

/// Whether so many samples, on cores that stood still for so many millionths of the time, support what has `tail_ppm` beyond it.
///
/// A core that stands still for a share of the time delays about that share of what comes. If that is more than half of what
/// lies beyond the percentile, the percentile may be the machine's.
///
/// # Errors
///
/// Why not.
pub fn supports(samples: u64, lost_ppm: u64, tail_ppm: u64) -> Result<(), Unsupported> {
    if samples == 0 {
        return Err(Unsupported::Empty);
    }
    let tail = u128::from(samples) * u128::from(tail_ppm) / 1_000_000;
    if tail < u128::from(TAIL_MIN) {
        return Err(Unsupported::Samples(tail as u64));
    }
    if lost_ppm.saturating_mul(2) > tail_ppm {
        return Err(Unsupported::Hiccups(lost_ppm));
    }
    Ok(())
}

/// All percentiles of a histogram.
pub fn cells(histogram: &Histogram<u64>, lost_ppm: u64) -> [Cell; PERCENTILES.len()] {
    PERCENTILES.map(|(_, quantile, tail_ppm)| {
        supports(histogram.len(), lost_ppm, tail_ppm)?;
        Ok(histogram.value_at_quantile(quantile))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: 100 samples beyond, not 99; hiccups of half of what lies beyond, not more. Method: both edges of each
    /// percentile.
    #[test]
    fn edges() {
        for (name, _, tail_ppm) in PERCENTILES {
            let need = TAIL_MIN * 1_000_000 / tail_ppm;
            assert_eq!(supports(need, 0, tail_ppm), Ok(()), "{name}");
            assert_eq!(supports(need - 1, 0, tail_ppm), Err(Unsupported::Samples(99)), "{name}");
            let half = tail_ppm / 2;
            assert_eq!(supports(need, half, tail_ppm), Ok(()), "{name}");
            assert_eq!(supports(need, half + 1, tail_ppm), Err(Unsupported::Hiccups(half + 1)));
        }
        assert_eq!(supports(0, 0, 500_000), Err(Unsupported::Empty));
        assert_eq!(supports(u64::MAX, u64::MAX, 1), Err(Unsupported::Hiccups(u64::MAX)));
        assert_eq!(supports(1_000_000, 0, 100), Ok(()), "a million for p99.99");
    }

    /// Goal: what is not supported is not a number. Method: 1,000 samples: p50 and p90 are, nothing finer is; with hiccups of
    /// a tenth p90 is not either.
    #[test]
    fn cells_of_a_thousand() {
        let mut histogram = Histogram::new_with_bounds(1, 1_000_000, 3).unwrap();
        (1..=1_000).for_each(|value| histogram.record(value).unwrap());
        let [p50, p90, p99, ..] = cells(&histogram, 0);
        assert_eq!((p50, p90, p99), (Ok(500), Ok(900), Err(Unsupported::Samples(10))));
        assert_eq!(cells(&histogram, 100_000)[1], Err(Unsupported::Hiccups(100_000)));
        let why = Unsupported::Hiccups(100_000).why(100_000);
        assert!(why.contains("10.0000 %") && why.contains("the 10 % beyond"), "{why}");
    }
}
