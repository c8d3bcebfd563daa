//! OKX v5: numbers that jump, keep-alives, resets by maintenance, a checksum for one symbol and none for the other.

use serde_json::Value;

use super::model::{Model, Out};
use super::truth::{Changes, Sides, Truth, pairs, px, qty};

#[derive(Default)]
pub struct Okx {
    subscribed: [bool; 2],
    last: [u64; 2],
    count: u64,
}

fn short(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn checksum(sides: &Sides) -> i32 {
    let [bids, asks] = sides.levels();
    let mut parts = Vec::new();
    for at in 0..25 {
        for (p, q) in [bids.get(at), asks.get(at)].into_iter().flatten() {
            parts.extend([short(px(*p)), short(qty(*q))]);
        }
    }
    let mut crc = flate2::Crc::new();
    crc.update(parts.join(":").as_bytes());
    crc.sum().cast_signed()
}

impl Okx {
    fn book(&self, snapshot: bool, symbol: usize, truth: &Truth, changes: &Changes) -> String {
        let [bids, asks] = changes.each_ref().map(|levels| pairs(levels, ",\"0\",\"1\""));
        let sum = if symbol == 0 { checksum(truth.now()) } else { 0 };
        let (action, prev) =
            if snapshot { ("snapshot", -1) } else { ("update", self.last[symbol] as i64) };
        format!(
            "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"{}\"}},\"action\":\"{action}\",\
             \"data\":[{{\"asks\":[{asks}],\"bids\":[{bids}],\"ts\":\"1700000000000\",\"checksum\":\
             {sum},\"prevSeqId\":{prev},\"seqId\":",
            truth.symbol
        )
    }
}

impl Model for Okx {
    const SYMBOLS: [&'static str; 2] = ["BTC-USDT", "UNI-USD-SWAP"];
    const DEPTH: usize = 400;

    fn new() -> Okx {
        Okx { last: [1_000, 2_000], ..Okx::default() }
    }

    fn opened(&mut self) {
        self.subscribed = [false; 2];
    }

    fn refusal(&self, text: &str) -> Option<Out> {
        let error =
            "{\"event\":\"error\",\"code\":\"60014\",\"msg\":\"too fast\",\"connId\":\"a\"}";
        (text != "ping").then(|| Out::bare(error))
    }

    fn reply(&mut self, text: &str, truths: &[Truth]) -> Vec<Out> {
        if text == "ping" {
            return vec![Out::bare("pong")];
        }
        let request: Value = serde_json::from_str(text).unwrap();
        let op = request["op"].as_str().unwrap();
        let mut out = Vec::new();
        for arg in request["args"].as_array().unwrap() {
            out.push(Out::bare(format!("{{\"event\":\"{op}\",\"arg\":{arg},\"connId\":\"a\"}}")));
            if arg["channel"] != "books" {
                continue;
            }
            let index = Self::SYMBOLS.iter().position(|s| arg["instId"] == *s).unwrap();
            self.subscribed[index] = op == "subscribe";
            if self.subscribed[index] {
                let truth = &truths[index];
                let text = self.book(true, index, truth, &truth.now().levels());
                let text = format!("{text}{}}}]}}", self.last[index]);
                out.push(Out::whole(text, index, truth));
            }
        }
        out
    }

    fn update(&mut self, symbol: usize, truth: &Truth, changes: &Changes) -> Vec<Out> {
        self.count += 1;
        let last = self.last[symbol];
        let next = if self.count.is_multiple_of(97) { last / 2 } else { last + self.count % 7 + 1 };
        let text = format!("{}{next}}}]}}", self.book(false, symbol, truth, changes));
        self.last[symbol] = next;
        if !self.subscribed[symbol] {
            return Vec::new();
        }
        let mut out = vec![Out::book(text, symbol, truth)];
        if self.count.is_multiple_of(31) {
            let text = self.book(false, symbol, truth, &[Vec::new(), Vec::new()]);
            out.push(Out::book(format!("{text}{next}}}]}}"), symbol, truth));
        }
        out
    }

    fn second(&mut self) -> Vec<Out> {
        Vec::new()
    }
}
