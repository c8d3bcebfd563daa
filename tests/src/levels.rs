//! A capture of a price-level feed that nobody recorded: Bybit's texts, of markets that exist nowhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Result, Write as _};
use std::path::Path;

use feeds::stream::StreamSymbol;
use model::Symbol;

/// The markets, all with two decimals of price and three of quantity.
pub const MARKETS: [&str; 3] = ["SYNA", "SYNB", "SYNC"];
/// Levels of a side in a snapshot, and in an update.
const DEPTH: i64 = 500;
const CHANGES: i64 = 10;
/// Milliseconds since the epoch of the first text.
const START_MS: u64 = 1_700_000_000_000;

/// The markets as a feed is told of them.
pub fn symbols() -> Vec<StreamSymbol> {
    let symbol = |name: &&str| StreamSymbol {
        venue_symbol: name.to_string(),
        symbol: Symbol::new(name).expect("a symbol"),
        px_decimals: 2,
        qty_decimals: 3,
    };
    MARKETS.iter().map(symbol).collect()
}

/// Writes a snapshot of each market, then `updates` texts of 20 levels, every eighth followed by a trade. The touch wanders,
/// levels come and go, near it mostly.
///
/// # Errors
///
/// Those of the file.
pub fn write_texts(path: &Path, updates: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut markets: Vec<_> =
        (1..).zip(MARKETS).map(|(seed, name)| Market::new(name, seed)).collect();
    for market in &mut markets {
        writeln!(out, "{}000000 {}", START_MS, market.snapshot())?;
    }
    let count = markets.len() as u64;
    for update in 0..updates {
        let ms = START_MS + 1 + update;
        let market = &mut markets[(update % count) as usize];
        writeln!(out, "{ms}000000 {}", market.update(ms))?;
        if update % 8 == 0 {
            writeln!(out, "{ms}000000 {}", market.trade(ms))?;
        }
    }
    out.flush()
}

struct Market {
    name: &'static str,
    state: u64,
    number: u64,
    /// The best ask is here or above it, the best bid below; in cents.
    touch: i64,
    sides: [BTreeMap<i64, i64>; 2],
}

impl Market {
    fn new(name: &'static str, seed: u64) -> Market {
        Market { name, state: seed, number: 10, touch: 6_000_000, sides: Default::default() }
    }

    fn below(&mut self, n: u64) -> i64 {
        // Knuth's multiplier for 64 bits; the high bits are the good ones.
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.state >> 33) % n) as i64
    }

    fn px(&self, side: usize, away: i64) -> i64 {
        if side == 0 { self.touch - 1 - away } else { self.touch + away }
    }

    fn snapshot(&mut self) -> String {
        let sides = [0, 1].map(|side| {
            let levels = (0..DEPTH).map(|at| (self.px(side, 3 * at), 1_000 + at));
            levels.collect::<Vec<_>>()
        });
        for (side, levels) in self.sides.iter_mut().zip(&sides) {
            side.extend(levels.iter().copied());
        }
        self.text("snapshot", START_MS, &sides)
    }

    fn update(&mut self, ms: u64) -> String {
        self.touch += self.below(5) - 2;
        let touch = self.touch;
        let mut changes = [0, 1].map(|side| {
            // What the touch has passed is gone.
            let levels = &mut self.sides[side];
            let passed = |px: &i64| if side == 0 { *px >= touch } else { *px < touch };
            levels.extract_if(.., |px, _| passed(px)).map(|(px, _)| (px, 0)).collect::<Vec<_>>()
        });
        for (side, changes) in changes.iter_mut().enumerate() {
            for _ in 0..CHANGES {
                let scale = self.below(11);
                let away = self.below(1 << scale);
                let px = self.px(side, away);
                let qty = if self.below(5) < 2 { 0 } else { 1 + self.below(50_000) };
                let levels = &mut self.sides[side];
                if qty == 0 {
                    levels.remove(&px);
                } else {
                    levels.insert(px, qty);
                }
                changes.retain(|(old, _)| *old != px);
                changes.push((px, qty));
            }
        }
        self.text("delta", ms, &changes)
    }

    fn text(&mut self, kind: &str, ms: u64, sides: &[Vec<(i64, i64)>; 2]) -> String {
        self.number += 1;
        let (name, number) = (self.name, self.number);
        let [bids, asks] = sides.each_ref().map(|levels| {
            let mut text = String::new();
            for (px, qty) in levels {
                let comma = if text.is_empty() { "" } else { "," };
                let [px, qty] = [decimal(*px, 2), decimal(*qty, 3)];
                let _ = write!(text, "{comma}[\"{px}\",\"{qty}\"]");
            }
            text
        });
        format!(
            "{{\"topic\":\"orderbook.1000.{name}\",\"type\":\"{kind}\",\"ts\":{ms},\"data\":{{\"s\":\"{name}\",\
             \"b\":[{bids}],\"a\":[{asks}],\"u\":{number},\"seq\":{number}}},\"cts\":{ms}}}"
        )
    }

    fn trade(&mut self, ms: u64) -> String {
        let (name, number) = (self.name, self.number);
        let (px, qty) = (decimal(self.touch, 2), decimal(1 + self.below(500), 3));
        format!(
            "{{\"topic\":\"publicTrade.{name}\",\"type\":\"snapshot\",\"ts\":{ms},\"data\":[{{\"T\":{ms},\"s\":\"{name}\",\
             \"S\":\"Buy\",\"v\":\"{qty}\",\"p\":\"{px}\",\"L\":\"PlusTick\",\"i\":\"{number}\",\"BT\":false}}]}}"
        )
    }
}

fn decimal(value: i64, decimals: u32) -> String {
    let unit = 10_i64.pow(decimals);
    format!("{}.{:0width$}", value / unit, value % unit, width = decimals as usize)
}
