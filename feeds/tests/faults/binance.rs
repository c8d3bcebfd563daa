//! Binance, spot and futures: updates numbered in ranges, and a snapshot by HTTP that has to be joined to them.

use serde_json::Value;

use super::model::{Model, Out};
use super::truth::{Changes, Truth, pairs};

pub struct Binance<const FUTURES: bool> {
    /// Last update of each version of each book.
    last: [Vec<u64>; 2],
    subscribed: [bool; 2],
    count: u64,
}

impl<const FUTURES: bool> Model for Binance<FUTURES> {
    const SYMBOLS: [&'static str; 2] = ["BTCUSDT", "ETHUSDT"];
    const DEPTH: usize = 1_000;

    fn new() -> Binance<FUTURES> {
        Binance { last: [vec![5_000], vec![9_000]], subscribed: [false; 2], count: 0 }
    }

    fn opened(&mut self) {
        self.subscribed = [false; 2];
    }

    fn refusal(&self, text: &str) -> Option<Out> {
        let request: Value = serde_json::from_str(text).unwrap();
        let error = "{\"code\":3,\"msg\":\"too many requests\"}";
        Some(Out::bare(format!("{{\"error\":{error},\"id\":{}}}", request["id"])))
    }

    fn reply(&mut self, text: &str, _: &[Truth]) -> Vec<Out> {
        let request: Value = serde_json::from_str(text).unwrap();
        for stream in request["params"].as_array().unwrap() {
            let Some(name) = stream.as_str().unwrap().strip_suffix("@depth@100ms") else {
                continue;
            };
            let index = Self::SYMBOLS.iter().position(|s| s.to_lowercase() == name).unwrap();
            self.subscribed[index] = request["method"] == "SUBSCRIBE";
        }
        vec![Out::bare(format!("{{\"result\":null,\"id\":{}}}", request["id"]))]
    }

    fn update(&mut self, symbol: usize, truth: &Truth, changes: &Changes) -> Vec<Out> {
        self.count += 1;
        let prev = *self.last[symbol].last().unwrap();
        // Futures skip numbers between messages.
        let first = prev + 1 + if FUTURES { self.count % 3 } else { 0 };
        let last = first + self.count % 4;
        self.last[symbol].push(last);
        if !self.subscribed[symbol] {
            return Vec::new();
        }
        let [bids, asks] = changes.each_ref().map(|levels| pairs(levels, ""));
        let name = truth.symbol;
        let (time, pu) = if FUTURES {
            ("\"T\":1700000000000,", format!("\"pu\":{prev},"))
        } else {
            ("", String::new())
        };
        let text = format!(
            "{{\"stream\":\"{}@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1700000000001,{time}\"s\":\
             \"{name}\",\"U\":{first},\"u\":{last},{pu}\"b\":[{bids}],\"a\":[{asks}]}}}}",
            name.to_lowercase(),
        );
        vec![Out::book(text, symbol, truth)]
    }

    fn rest(&self, url: &str, truths: &[Truth], ago: usize) -> Option<Out> {
        let symbol = truths.iter().position(|truth| url.contains(truth.symbol))?;
        let version = truths[symbol].version().saturating_sub(ago);
        let [bids, asks] = truths[symbol].seen[version].levels().map(|levels| pairs(&levels, ""));
        let last = self.last[symbol][version];
        let times = if FUTURES { "\"E\":1700000000001,\"T\":1700000000000," } else { "" };
        let text =
            format!("{{\"lastUpdateId\":{last},{times}\"bids\":[{bids}],\"asks\":[{asks}]}}");
        Some(Out { text, tag: Some((symbol, version)), is_whole: true })
    }

    fn second(&mut self) -> Vec<Out> {
        Vec::new()
    }
}
