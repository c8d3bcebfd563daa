//! Coinbase Exchange: no sequence and no checksum of the book; trades and heartbeats show whether the connection lost something.

use serde_json::Value;

use super::model::{Model, Out};
use super::truth::{Changes, Truth, pairs, px, qty};

#[derive(Default)]
pub struct Coinbase {
    subscribed: [bool; 2],
    /// Whether trades and heartbeats are subscribed to.
    heard: [bool; 2],
    trades: [u64; 2],
    count: u64,
}

impl Model for Coinbase {
    const SYMBOLS: [&'static str; 2] = ["BTC-USD", "SKL-GBP"];
    const DEPTH: usize = 5_000;
    const SHOWS_LOSS: bool = false;
    const SHOWS_ORDER: bool = false;

    fn new() -> Coinbase {
        Coinbase { trades: [70, 90], ..Coinbase::default() }
    }

    fn opened(&mut self) {
        self.subscribed = [false; 2];
        self.heard = [false; 2];
    }

    fn refusal(&self, _: &str) -> Option<Out> {
        Some(Out::bare("{\"type\":\"error\",\"message\":\"rate limit\",\"reason\":\"x\"}"))
    }

    fn reply(&mut self, text: &str, truths: &[Truth]) -> Vec<Out> {
        let request: Value = serde_json::from_str(text).unwrap();
        let kind = request["type"].as_str().unwrap();
        let mut out = vec![Out::bare("{\"type\":\"subscriptions\",\"channels\":[]}")];
        for product in request["product_ids"].as_array().unwrap() {
            let index = Self::SYMBOLS.iter().position(|s| product == *s).unwrap();
            if request["channels"][0] == "matches" {
                self.heard[index] = true;
                continue;
            }
            self.subscribed[index] = kind == "subscribe";
            if self.subscribed[index] {
                let truth = &truths[index];
                let [bids, asks] = truth.now().levels().map(|levels| pairs(&levels, ""));
                let text = format!(
                    "{{\"type\":\"snapshot\",\"product_id\":\"{}\",\"asks\":[{asks}],\"bids\":[{bids}]}}",
                    truth.symbol
                );
                out.push(Out::whole(text, index, truth));
            }
        }
        out
    }

    fn update(&mut self, symbol: usize, truth: &Truth, changes: &Changes) -> Vec<Out> {
        self.count += 1;
        let traded = self.count.is_multiple_of(5);
        self.trades[symbol] += u64::from(traded);
        let mut list = Vec::new();
        for (side, levels) in ["buy", "sell"].iter().zip(changes) {
            for (p, q) in levels {
                list.push(format!("[\"{side}\",\"{}\",\"{}\"]", px(*p), qty(*q)));
            }
        }
        let (name, time) = (truth.symbol, "2024-01-01T00:00:00.000000Z");
        let text = format!(
            "{{\"type\":\"l2update\",\"product_id\":\"{name}\",\"changes\":[{}],\"time\":\"{time}\"}}",
            list.join(",")
        );
        let mut out = Vec::new();
        if self.subscribed[symbol] {
            out.push(Out::book(text, symbol, truth));
        }
        if traded && self.heard[symbol] {
            out.push(Out::bare(format!(
                "{{\"type\":\"match\",\"trade_id\":{},\"maker_order_id\":\"a\",\"taker_order_id\":\
                 \"b\",\"side\":\"sell\",\"size\":\"1.5\",\"price\":\"100.0\",\"product_id\":\"{name}\",\
                 \"sequence\":{},\"time\":\"{time}\"}}",
                self.trades[symbol], self.count
            )));
        }
        out
    }

    fn second(&mut self) -> Vec<Out> {
        let heard = [0, 1].into_iter().filter(|symbol| self.heard[*symbol]);
        let beat = |symbol: usize| {
            Out::bare(format!(
                "{{\"type\":\"heartbeat\",\"sequence\":{},\"last_trade_id\":{},\"product_id\":\
                 \"{}\",\"time\":\"2024-01-01T00:00:00.000000Z\"}}",
                self.count,
                self.trades[symbol],
                Self::SYMBOLS[symbol]
            ))
        };
        heard.map(beat).collect()
    }
}
