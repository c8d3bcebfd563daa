//! An exponential moving average of 20 and a relative strength index of 14 trade prices, one price at a time.
//!
//! Ours are exact integers by TA-Lib's definitions. What each finds at the end is compared with the definition, as
//! `f64`, to a millionth: seeds differ, but are forgotten by then. TA-Lib itself computes whole arrays, from Python.

use std::hint::black_box;

use benches::AHEAD_BYTES;
use engine::indicator::{Ema, Indicators, Rsi};
use model::{Px, Qty};

use super::rival;
use crate::contest::{Contender, Contest, Outcome, Round, timed};
use crate::python::Python;
use crate::setting::Setting;

/// Prices of a round.
const PRICES: usize = 1_000_000;

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let mut cents = walk();
    let mut prices: Vec<f64> = cents.iter().map(|cents| *cents as f64 / 100.0).collect();
    host::prefault(&mut cents);
    host::prefault(&mut prices);
    let (ema, rsi) = (true_ema(&prices), true_rsi(&prices));
    let python = |what| {
        let lines: Vec<String> = prices.iter().map(f64::to_string).collect();
        let mut python = Python::new(setting, "indicators.py", &lines.join("\n"));
        Contender::rival_if("TA-Lib", "(Python, whole array)", move || python.round(what, PRICES))
    };
    let mut averages = ema_rivals(&cents, &prices);
    averages.push(python("ema"));
    let mut strengths = rsi_rivals(&cents, &prices);
    strengths.push(python("rsi"));
    let contest = |title: &str, right: f64, contenders| Contest {
        title: title.into(),
        unit: "ns a price",
        right: Some(millionths(right)),
        contenders,
    };
    let averages = contest("EMA 20", ema, averages).run(setting);
    vec![averages, contest("RSI 14 (Wilder)", rsi, strengths).run(setting)]
}

/// A random walk in cents, around a hundred dollars.
fn walk() -> Vec<i64> {
    let mut state = 3_u64;
    let mut px = 10_000;
    let step = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let by = (state >> 33) as i64 % 7 - 3;
        px = if px + by < 5_000 { px + 3 } else { px + by };
        px
    };
    (0..PRICES).map(step).collect()
}

/// What is compared: rounded, so that the last bits of a float do not count.
fn millionths(value: f64) -> u64 {
    (value * 1e6).round() as u64
}

fn true_ema(prices: &[f64]) -> f64 {
    let (first, rest) = prices.split_at(20);
    let mean = first.iter().sum::<f64>() / 20.0;
    rest.iter().fold(mean, |ema, px| ema + (px - ema) * 2.0 / 21.0)
}

fn true_rsi(prices: &[f64]) -> f64 {
    let changes: Vec<f64> = prices.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (first, rest) = changes.split_at(14);
    let rises = first.iter().map(|change| change.max(0.0)).sum::<f64>() / 14.0;
    let falls = first.iter().map(|change| (-change).max(0.0)).sum::<f64>() / 14.0;
    let (rises, falls) = rest.iter().fold((rises, falls), |(rises, falls), change| {
        ((rises * 13.0 + change.max(0.0)) / 14.0, (falls * 13.0 + (-change).max(0.0)) / 14.0)
    });
    100.0 * rises / (rises + falls)
}

/// The prices, those ahead asked for: a step that depends on the one before hides no wait for memory.
fn ahead<T>(prices: &[T]) -> impl Iterator<Item = &T> {
    prices.iter().enumerate().map(|(number, px)| {
        host::prefetch(prices, number + AHEAD_BYTES / size_of::<T>());
        px
    })
}

/// Feeds every price, and rounds what comes out last.
fn feed<T: Copy>(prices: &[T], mut next: impl FnMut(T) -> f64) -> Round {
    let (each, last) =
        timed(prices.len(), || ahead(black_box(prices)).fold(0.0, |_, px| black_box(next(*px))));
    Round { each, sum: Some(millionths(last)) }
}

/// The same for integers: nothing is a float before the end.
fn feed_exact(cents: &[i64], decimals: i32, mut next: impl FnMut(Px) -> Option<i64>) -> Round {
    let (each, last) =
        timed(cents.len(), || ahead(black_box(cents)).fold(None, |_, px| black_box(next(Px(*px)))));
    Round { each, sum: Some(millionths(last.unwrap_or(0) as f64 / 10_f64.powi(decimals))) }
}

fn ema_rivals<'a>(cents: &'a [i64], prices: &'a [f64]) -> Vec<Contender<'a>> {
    vec![
        Contender::ours("Ema", || {
            let mut ema = Ema::<20>::new();
            feed_exact(cents, 8, |px| ema.update(px))
        }),
        Contender::ours("Indicators, all of a trade", || {
            let mut all = Indicators::new();
            feed_exact(cents, 8, |px| {
                all.on_trade(px, Qty(100));
                all.measure();
                black_box(all.values())[0]
            })
        })
        .note("ema20, rsi14, vwap and rvol64 together"),
        rival!(
            "ta",
            "ta",
            Contender::rival("ta", "", || {
                use ta::Next;
                let mut ema = ta::indicators::ExponentialMovingAverage::new(20).expect("a period");
                feed(prices, |px| ema.next(px))
            })
        ),
        rival!(
            "yata",
            "yata",
            Contender::rival("yata", "", || {
                use yata::core::Method;
                let mut ema = yata::methods::EMA::new(20, &prices[0]).expect("a period");
                feed(prices, |px| ema.next(&px))
            })
        ),
        rival!(
            "nautilus",
            "nautilus-indicators",
            Contender::rival("nautilus-indicators", "", || {
                use nautilus_indicators::indicator::MovingAverage;
                let mut ema =
                    nautilus_indicators::average::ema::ExponentialMovingAverage::new(20, None);
                feed(prices, |px| {
                    ema.update_raw(px);
                    ema.value
                })
            })
        ),
    ]
}

fn rsi_rivals<'a>(cents: &'a [i64], prices: &'a [f64]) -> Vec<Contender<'a>> {
    vec![
        Contender::ours("Rsi", || {
            let mut rsi = Rsi::<14>::new();
            feed_exact(cents, 12, |px| rsi.update(px))
        }),
        rival!(
            "ta",
            "ta",
            Contender::rival("ta", "", || {
                use ta::Next;
                let mut rsi = ta::indicators::RelativeStrengthIndex::new(14).expect("a period");
                feed(prices, |px| rsi.next(px))
            })
            .note("smooths by EMA, cannot do Wilder's")
        ),
        rival!(
            "yata",
            "yata",
            Contender::rival("yata", "", || {
                use yata::core::{IndicatorConfig, IndicatorInstance};
                let config = yata::indicators::RSI {
                    ma: yata::helpers::MA::RMA(14),
                    ..yata::indicators::RSI::default()
                };
                let candle = |px: f64| (px, px, px, px, 1.0);
                let mut rsi = config.init(&candle(prices[0])).expect("a period");
                feed(prices, |px| 100.0 * rsi.next(&candle(px)).value(0))
            })
            .note("with RMA; candles and signals too")
        ),
        rival!(
            "nautilus",
            "nautilus-indicators",
            Contender::rival("nautilus-indicators", "", || {
                use nautilus_indicators::average::MovingAverageType;
                use nautilus_indicators::momentum::rsi::RelativeStrengthIndex;
                let mut rsi = RelativeStrengthIndex::new(14, Some(MovingAverageType::Wilder));
                feed(prices, |px| {
                    rsi.update_raw(px);
                    100.0 * rsi.value
                })
            })
            .note("told to use Wilder's average, uses EMA")
        ),
    ]
}
