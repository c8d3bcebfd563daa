//! Bybit v5: numbers that rise by one, and a restart of the service now and then, which sends the whole book as number 1.

use serde_json::Value;

use super::model::{Model, Out};
use super::truth::{Changes, Truth, pairs};

#[derive(Default)]
pub struct Bybit {
    subscribed: [bool; 2],
    last: [u64; 2],
    count: u64,
}

impl Bybit {
    fn book(&self, kind: &str, symbol: usize, truth: &Truth, changes: &Changes) -> Out {
        let [bids, asks] = changes.each_ref().map(|levels| pairs(levels, ""));
        let (name, u) = (truth.symbol, self.last[symbol]);
        let text = format!(
            "{{\"topic\":\"orderbook.50.{name}\",\"type\":\"{kind}\",\"ts\":1700000000001,\"data\":\
             {{\"s\":\"{name}\",\"b\":[{bids}],\"a\":[{asks}],\"u\":{u},\"seq\":{}}},\"cts\":\
             1700000000000}}",
            u * 10
        );
        let is_whole = kind == "snapshot" || u == 1;
        Out { is_whole, ..Out::book(text, symbol, truth) }
    }
}

impl Model for Bybit {
    const SYMBOLS: [&'static str; 2] = ["BTCUSDT", "XRPUSDT"];
    const DEPTH: usize = 50;

    fn new() -> Bybit {
        Bybit { last: [500, 800], ..Bybit::default() }
    }

    fn opened(&mut self) {
        self.subscribed = [false; 2];
    }

    fn refusal(&self, text: &str) -> Option<Out> {
        let error =
            "{\"success\":false,\"ret_msg\":\"too many\",\"conn_id\":\"a\",\"op\":\"subscribe\"}";
        (!text.contains("ping")).then(|| Out::bare(error))
    }

    fn reply(&mut self, text: &str, truths: &[Truth]) -> Vec<Out> {
        let request: Value = serde_json::from_str(text).unwrap();
        let op = request["op"].as_str().unwrap();
        if op == "ping" {
            return vec![Out::bare(
                "{\"success\":true,\"ret_msg\":\"pong\",\"conn_id\":\"a\",\"op\":\"ping\"}",
            )];
        }
        let ack =
            format!("{{\"success\":true,\"ret_msg\":\"\",\"conn_id\":\"a\",\"op\":\"{op}\"}}");
        let mut out = vec![Out::bare(ack)];
        for topic in request["args"].as_array().unwrap() {
            let Some(name) = topic.as_str().unwrap().strip_prefix("orderbook.50.") else {
                continue;
            };
            let index = Self::SYMBOLS.iter().position(|s| *s == name).unwrap();
            self.subscribed[index] = op == "subscribe";
            if self.subscribed[index] {
                let truth = &truths[index];
                out.push(self.book("snapshot", index, truth, &truth.now().levels()));
            }
        }
        out
    }

    fn update(&mut self, symbol: usize, truth: &Truth, changes: &Changes) -> Vec<Out> {
        self.count += 1;
        let restart = self.count.is_multiple_of(113);
        self.last[symbol] = if restart { 1 } else { self.last[symbol] + 1 };
        if !self.subscribed[symbol] {
            return Vec::new();
        }
        // The documentation speaks of a snapshot, users of deltas: both must do.
        let kind = if self.count.is_multiple_of(2) { "snapshot" } else { "delta" };
        if restart {
            vec![self.book(kind, symbol, truth, &truth.now().levels())]
        } else {
            vec![self.book("delta", symbol, truth, changes)]
        }
    }

    fn second(&mut self) -> Vec<Out> {
        Vec::new()
    }
}
