//! Values that others computed: TA-Lib's, and the order flow of a recorded stream.

use super::*;
use std::path::PathBuf;

/// The rows of a golden file below its header, split at commas; `None` (and said so) if the file is
/// not there.
fn rows(name: &str) -> Option<Vec<Vec<String>>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    let folder = std::env::var_os("TICKGATE_GOLDEN").map_or_else(beside, PathBuf::from);
    let path = folder.join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no golden file {} (set TICKGATE_GOLDEN)", path.display());
        return None;
    };
    let row = |line: &str| line.split(',').map(str::to_owned).collect();
    Some(text.lines().map(row).collect())
}

/// The place of a column.
fn column(rows: &[Vec<String>], name: &str) -> usize {
    rows[0].iter().position(|column| column == name).unwrap()
}

/// Goal: EMA 20 and RSI 14 are TA-Lib's, warm-up included. Method: 2,000 closing prices, as
/// four-decimal units; each value within 1e-10 · max(1, |y|).
#[test]
fn talib_base() {
    let (Some(input), Some(output)) = (rows("input_base.csv"), rows("talib_base.csv")) else {
        return;
    };
    let close = column(&input, "close_ticks");
    let columns = [column(&output, "EMA20"), column(&output, "RSI14")];
    let mut indicators = Indicators::new();
    let mut compared = 0;
    for (input, output) in input.iter().zip(&output).skip(1) {
        let ticks: i64 = input[close].parse().unwrap();
        indicators.on_trade(Px(ticks * 100), Qty(1));
        let [ema, rsi, ..] = indicators.values();
        for ((value, unit), column) in [(ema, 1e-10), (rsi, 1e-12)].into_iter().zip(columns) {
            let Ok(golden) = output[column].parse::<f64>() else {
                assert_eq!(value, None, "row {}", output[0]);
                continue;
            };
            let value = value.unwrap() as f64 * unit;
            let error = (value - golden).abs();
            assert!(error <= 1e-10 * golden.abs().max(1.0), "row {}: {value} {golden}", output[0]);
            compared += 1;
        }
    }
    assert_eq!(compared, (2_000 - 19) + (2_000 - 14));
}

/// Goal: order flow and the weighted mid are those of the published definition. Method: 20,000 best
/// quotes; the cumulated flow and the exact weighted mid at each, 13,625 in the end.
#[test]
fn microstructure() {
    let Some(rows) = rows("micro.csv") else { return };
    let names = ["bid", "bidq", "ask", "askq", "ofi_cum", "wmid_num", "wmid_den"];
    let columns = names.map(|name| column(&rows, name));
    let mut indicators = Indicators::new();
    let mut flow = None;
    for row in &rows[1..] {
        let [bid, bid_qty, ask, ask_qty, ofi, numerator, denominator] =
            columns.map(|column| row[column].parse::<i64>().unwrap());
        let quote = |px, qty| Some(Quote { px: Px(px), qty: Qty(qty), orders: 1 });
        indicators.on_quote(quote(bid, bid_qty), quote(ask, ask_qty));
        let values = indicators.values();
        flow = values[4];
        assert_eq!(flow, Some(ofi), "row {}", row[0]);
        let mid = i128::from(numerator) * 1_000_000 / i128::from(denominator);
        assert_eq!(values[6].map(i128::from), Some(mid), "row {}", row[0]);
    }
    assert_eq!(flow, Some(13_625));
}
