//! The drawings of the HTML report, as SVG.

use std::fmt::Write;

use hdrhistogram::Histogram;

use crate::meter::{Hiccup, KEPT_NS};
use crate::report::Pace;
use crate::round::Round;
use crate::rows::{INDICATORS_RESPONSE, ROWS, VERDICT_RESPONSE, VERDICT_SERVICE};
use crate::support::supports;
use crate::words;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;

/// A curve: the row, its colour, how it is called.
const CURVES: [(usize, &str, &str); 4] = [
    (VERDICT_RESPONSE, "c1", "tick to verdict, response"),
    (VERDICT_RESPONSE + 1, "c2", "tick to verdict, from T0"),
    (VERDICT_SERVICE, "c3", "tick to verdict, service"),
    (INDICATORS_RESPONSE, "c4", "tick to indicators, response (every event)"),
];

/// A logarithmic scale of nanoseconds, upwards.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    height: f64,
}

impl Scale {
    /// From the power of ten at or below the least to the one at or above the most.
    fn of(least: u64, most: u64, height: f64) -> Scale {
        let low = (least.max(1) as f64).log10().floor();
        let high = (most.max(2) as f64).log10().ceil().max(low + 1.0);
        Scale { low, high, height }
    }

    fn y(&self, ns: f64) -> f64 {
        let share = (ns.max(1.0).log10() - self.low) / (self.high - self.low);
        TOP + self.height * (1.0 - share.clamp(0.0, 1.0))
    }

    /// Lines at each power of ten, with their names.
    fn grid(&self, svg: &mut String) {
        for power in self.low as i32..=self.high as i32 {
            let ns = 10_f64.powi(power);
            let y = self.y(ns);
            let right = WIDTH - RIGHT;
            let _ = write!(
                svg,
                r#"<line class="g" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#
            );
            let name = power_name(power);
            let (x, y) = (LEFT - 8.0, y + 4.0);
            let _ = write!(svg, r#"<text class="t e" x="{x}" y="{y:.1}">{name}</text>"#);
        }
    }
}

/// `10 ns`, `1 µs`, `100 ms`.
fn power_name(power: i32) -> String {
    let unit = ["ns", "µs", "ms", "s"].get((power / 3).max(0) as usize).copied().unwrap_or("s");
    let rest = if power >= 9 { power - 9 } else { power % 3 };
    format!("{} {unit}", 10_u64.pow(rest.max(0) as u32))
}

fn begin(height: f64, label: &str) -> String {
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">"#
    )
}

/// Percentile curves, on a scale on which each nine takes the same room. What is not supported is dashed.
pub fn percentiles(pace: &Pace) -> String {
    const HEIGHT: f64 = 300.0;
    let curves: Vec<(&Histogram<u64>, u64, &str)> = CURVES
        .iter()
        .filter_map(|(row, class, _)| {
            let histogram = pace.all.get(*row).filter(|histogram| histogram.len() > 1)?;
            Some((histogram, pace.lost_of(ROWS.get(*row)?), *class))
        })
        .collect();
    let most = curves.iter().map(|(histogram, ..)| histogram.len()).max().unwrap_or(2);
    let nines = (most as f64).log10().clamp(1.0, 6.0);
    let least = curves.iter().map(|(histogram, ..)| histogram.min()).min().unwrap_or(1);
    let worst = curves.iter().map(|(histogram, ..)| histogram.max()).max().unwrap_or(1_000);
    let scale = Scale::of(least, worst, HEIGHT);
    let x = |tail: f64| LEFT + (WIDTH - LEFT - RIGHT) * (-tail.log10() / nines).clamp(0.0, 1.0);
    let mut svg = begin(TOP + HEIGHT + 30.0, "percentile curves");
    scale.grid(&mut svg);
    for (name, tail) in [
        ("p0", 1.0),
        ("p50", 0.5),
        ("p90", 0.1),
        ("p99", 0.01),
        ("p99.9", 1e-3),
        ("p99.99", 1e-4),
        ("p99.999", 1e-5),
    ] {
        if -f64::log10(tail) <= nines {
            let (x, bottom) = (x(tail), TOP + HEIGHT);
            let _ = write!(
                svg,
                r#"<line class="g" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/>"#
            );
            let _ =
                write!(svg, r#"<text class="t m" x="{x:.1}" y="{}">{name}</text>"#, bottom + 20.0);
        }
    }
    for (histogram, lost, class) in curves {
        let (mut solid, mut dashed) = (Vec::new(), Vec::new());
        let own = (histogram.len() as f64).log10().min(nines);
        for step in 0..=400 {
            let tail = 10_f64.powf(-own * f64::from(step) / 400.0);
            let ns = histogram.value_at_quantile(1.0 - tail) as f64;
            let point = format!("{:.1},{:.1}", x(tail), scale.y(ns));
            match supports(histogram.len(), lost, (tail * 1e6) as u64) {
                Ok(()) if dashed.is_empty() => solid.push(point),
                _ => dashed.push(point),
            }
        }
        // The dashed part begins where the other ends.
        dashed.splice(0..0, solid.last().cloned());
        let _ = write!(svg, r#"<polyline class="{class}" points="{}"/>"#, solid.join(" "));
        let _ = write!(svg, r#"<polyline class="{class} d" points="{}"/>"#, dashed.join(" "));
    }
    svg + "</svg>"
}

/// What the colours of [`percentiles`] mean, of the curves that are there.
pub fn legend(pace: &Pace) -> String {
    let is_there = |row: usize| pace.all.get(row).is_some_and(|histogram| histogram.len() > 1);
    let entries = CURVES.iter().filter(|(row, ..)| is_there(*row));
    entries.fold(String::new(), |mut text, (_, class, name)| {
        let line = format!(r#"<line class="{class}" x1="0" x2="22" y1="4" y2="4"/>"#);
        let svg = format!(r#"<svg viewBox="0 0 22 8">{line}</svg>"#);
        let _ = write!(text, r#"<span class="k">{svg}{name}</span>"#);
        text
    })
}

/// Latency over one round, and under it when either core stood still.
pub fn time_line(round: &Round) -> String {
    const HEIGHT: f64 = 210.0;
    const LANE: f64 = 44.0;
    let there = || round.slices.iter().filter(|slice| slice.n > 0);
    let least = there().map(|slice| slice.p50).min().unwrap_or(1);
    let most = there().map(|slice| slice.max).max().unwrap_or(1_000);
    let scale = Scale::of(least, most, HEIGHT);
    let span = (round.slice_ns * round.slices.len() as u64).max(1) as f64;
    let x = |ns: f64| LEFT + (WIDTH - LEFT - RIGHT) * (ns / span).clamp(0.0, 1.0);
    let bottom = TOP + HEIGHT + 2.0 * LANE + 18.0;
    let mut svg = begin(bottom + 36.0, "latency over time");
    scale.grid(&mut svg);
    let mut line = Vec::new();
    for (place, slice) in round.slices.iter().enumerate() {
        if slice.n == 0 {
            flush(&mut svg, &mut line);
            continue;
        }
        let x = x((place as f64 + 0.5) * round.slice_ns as f64);
        let (low, high) = (scale.y(slice.p50 as f64), scale.y(slice.max as f64));
        let _ = write!(
            svg,
            r#"<line class="r" x1="{x:.1}" x2="{x:.1}" y1="{low:.1}" y2="{high:.1}"/>"#
        );
        let _ = write!(svg, r#"<circle class="x" cx="{x:.1}" cy="{high:.1}" r="1.6"/>"#);
        line.push(format!("{x:.1},{low:.1}"));
    }
    flush(&mut svg, &mut line);
    let lanes = round.cores.iter().zip(["feed", "engine"]).enumerate();
    for (place, (core, name)) in lanes {
        let base = TOP + HEIGHT + 12.0 + LANE * (place as f64 + 1.0);
        lane(&mut svg, &core.hiccups, name, base, LANE, x);
    }
    seconds(&mut svg, span, bottom, x);
    svg + "</svg>"
}

/// Ends a piece of the median's line.
fn flush(svg: &mut String, line: &mut Vec<String>) {
    if let [point] = line.as_slice() {
        let (x, y) = point.split_once(',').unwrap_or_default();
        let _ = write!(svg, r#"<circle class="p" cx="{x}" cy="{y}" r="1.6"/>"#);
    } else if !line.is_empty() {
        let _ = write!(svg, r#"<polyline class="c1" points="{}"/>"#, line.join(" "));
    }
    line.clear();
}

/// The hiccups of one core: the longer, the higher, from 10 µs to 10 ms.
fn lane(
    svg: &mut String,
    hiccups: &[Hiccup],
    name: &str,
    base: f64,
    height: f64,
    x: impl Fn(f64) -> f64,
) {
    let right = WIDTH - RIGHT;
    let _ = write!(svg, r#"<line class="b" x1="{LEFT}" x2="{right}" y1="{base}" y2="{base}"/>"#);
    let (at, above) = (LEFT - 8.0, base - height / 2.0 + 4.0);
    let _ = write!(svg, r#"<text class="t e" x="{at}" y="{above}">{name}</text>"#);
    for hiccup in hiccups {
        let share = ((hiccup.ns as f64 / KEPT_NS as f64).log10() / 3.0).clamp(0.03, 1.0);
        let (x, y) = (x(hiccup.at as f64), base - share * (height - 8.0));
        let title = words::ns(hiccup.ns);
        let _ = write!(
            svg,
            r#"<line class="h" x1="{x:.1}" x2="{x:.1}" y1="{base}" y2="{y:.1}"><title>{title}</title></line>"#
        );
    }
}

/// The axis of time.
fn seconds(svg: &mut String, span: f64, bottom: f64, x: impl Fn(f64) -> f64) {
    let whole = span / 1e9;
    let step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];
    let step = step.into_iter().find(|step| whole / step <= 11.0).unwrap_or(1_200.0);
    let digits = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
    let mut at = 0.0;
    while at <= whole {
        let x = x(at * 1e9);
        let _ = write!(
            svg,
            r#"<text class="t m" x="{x:.1}" y="{}">{at:.digits$} s</text>"#,
            bottom + 16.0
        );
        at += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: scales hold what is drawn and name powers as people do. Method: edges, and values on and between powers.
    #[test]
    fn scales() {
        let scale = Scale::of(20, 3_000_000, 300.0);
        assert_eq!((scale.low, scale.high), (1.0, 7.0));
        assert_eq!([10.0, 1e4, 1e7].map(|ns| scale.y(ns)), [TOP + 300.0, TOP + 150.0, TOP]);
        assert_eq!(Scale::of(0, 0, 1.0).high, 1.0, "nothing to show is shown, too");
        let names = [0, 1, 3, 5, 8, 9, 10].map(power_name);
        assert_eq!(names, ["1 ns", "10 ns", "1 µs", "100 µs", "100 ms", "1 s", "10 s"]);
    }
}
