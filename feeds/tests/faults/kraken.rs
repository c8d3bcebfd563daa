//! Kraken v2: no sequence, a checksum over the ten levels that are subscribed.

use serde_json::Value;

use super::model::{Model, Out};
use super::truth::{Changes, Sides, Truth, px, qty};

#[derive(Default)]
pub struct Kraken {
    subscribed: [bool; 2],
}

fn levels(levels: &[(i64, i64)]) -> String {
    let level = |(p, q): &(i64, i64)| format!("{{\"price\":{},\"qty\":{}}}", px(*p), qty(*q));
    levels.iter().map(level).collect::<Vec<_>>().join(",")
}

fn checksum(sides: &Sides) -> u32 {
    let [bids, asks] = sides.levels();
    let mut text = String::new();
    for (p, q) in asks.iter().take(10).chain(bids.iter().take(10)) {
        for number in [px(*p), qty(*q)] {
            text += number.replace('.', "").trim_start_matches('0');
        }
    }
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

fn book(kind: &str, truth: &Truth, [bids, asks]: &Changes) -> String {
    format!(
        "{{\"channel\":\"book\",\"type\":\"{kind}\",\"data\":[{{\"symbol\":\"{}\",\"bids\":[{}],\
         \"asks\":[{}],\"checksum\":{},\"timestamp\":\"2024-01-01T00:00:00.000000Z\"}}]}}",
        truth.symbol,
        levels(bids),
        levels(asks),
        checksum(truth.now()),
    )
}

impl Model for Kraken {
    const SYMBOLS: [&'static str; 2] = ["BTC/USD", "ETH/EUR"];
    const DEPTH: usize = 10;
    // An old message that undoes the newer ones brings back a book that was right, with its checksum.
    const SHOWS_ORDER: bool = false;

    fn new() -> Kraken {
        Kraken::default()
    }

    fn opened(&mut self) {
        self.subscribed = [false; 2];
    }

    fn refusal(&self, text: &str) -> Option<Out> {
        let request: Value = serde_json::from_str(text).unwrap();
        let symbol = &request["params"]["symbol"][0];
        (request["method"] != "ping").then(|| {
            Out::bare(format!(
                "{{\"error\":\"EGeneral:Too many requests\",\"method\":{},\"success\":false,\"symbol\":{symbol}}}",
                request["method"]
            ))
        })
    }

    fn reply(&mut self, text: &str, truths: &[Truth]) -> Vec<Out> {
        let request: Value = serde_json::from_str(text).unwrap();
        let method = request["method"].as_str().unwrap();
        if method == "ping" {
            return vec![Out::bare("{\"method\":\"pong\",\"time_in\":\"x\",\"time_out\":\"x\"}")];
        }
        let channel = request["params"]["channel"].as_str().unwrap();
        let mut out = Vec::new();
        for symbol in request["params"]["symbol"].as_array().unwrap_or(&Vec::new()) {
            let symbol = symbol.as_str().unwrap();
            let index = Self::SYMBOLS.iter().position(|s| *s == symbol).unwrap();
            let depth = if channel == "book" { "\"depth\":10," } else { "" };
            out.push(Out::bare(format!(
                "{{\"method\":\"{method}\",\"result\":{{\"channel\":\"{channel}\",{depth}\"symbol\":\
                 \"{symbol}\"}},\"success\":true}}"
            )));
            if channel != "book" {
                continue;
            }
            assert_eq!(request["params"]["depth"], 10);
            self.subscribed[index] = method == "subscribe";
            if self.subscribed[index] {
                let truth = &truths[index];
                let text = book("snapshot", truth, &truth.now().levels());
                out.push(Out::whole(text, index, truth));
            }
        }
        out
    }

    fn update(&mut self, symbol: usize, truth: &Truth, changes: &Changes) -> Vec<Out> {
        if !self.subscribed[symbol] {
            return Vec::new();
        }
        // What falls off the depth, but is still there, is not told.
        let told = [0, 1].map(|side| {
            let still = |px: &i64| truth.full().0[side].contains_key(px);
            changes[side].iter().filter(|(px, qty)| *qty > 0 || !still(px)).copied().collect()
        });
        vec![Out::book(book("update", truth, &told), symbol, truth)]
    }

    fn second(&mut self) -> Vec<Out> {
        vec![Out::bare("{\"channel\":\"heartbeat\"}")]
    }
}
