//! Stage `depth`: diffs of a crypto book, 20 + 20 levels in Binance's JSON, from text to exact integers: the scanner of our own
//! against the two JSON parsers that one would take otherwise. All three end in the same buffers, and in the same digest.

use std::hint::black_box;

use benches::{Round, check_digest, compare, criterion, on_cpu};
use feeds::binance::{Binance, Market};
use feeds::json::{Levels, decimal};
use feeds::stream::{Message, Parsed, StreamSymbol, Symbols, Venue};
use model::{Px, Qty, Symbol};
use serde::Deserialize;
use simd_json::prelude::ValueAsScalar;
use simd_json::{Buffers, to_tape_with_buffers};

/// Texts of a round: 1.7 MB, more than a core's own caches hold, as texts that come from a socket are cold too.
const TEXTS: u64 = 1_000;
/// Levels of a side.
const LEVELS: u64 = 20;
const PX_DECIMALS: u8 = 2;
const QTY_DECIMALS: u8 = 5;

/// Texts like those of a lively day: prices near one another, quantities of one to six digits, every fifth level gone.
fn texts() -> Vec<Vec<u8>> {
    let mut state = 7_u64;
    let mut dice = |sides: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let mut side = |from: u64| {
        let levels: Vec<String> = (0..LEVELS)
            .map(|_| {
                let cents = from + dice(100_000);
                let qty = if dice(5) == 0 { 0 } else { dice(1_000_000) >> dice(16) };
                let (px, rest) = (cents / 100, cents % 100);
                let (whole, part) = (qty / 100_000, qty % 100_000);
                format!("[\"{px}.{rest:02}000000\",\"{whole}.{part:05}000\"]")
            })
            .collect();
        levels.join(",")
    };
    let text = |i: u64| {
        let (first, last) = (50_093_239_189 + 17 * i, 50_093_239_205 + 17 * i);
        let (b, a) = (side(6_100_000), side(6_200_000));
        let ms = 1_723_161_255_208 + 100 * i;
        format!(
            "{{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":{ms},\"s\":\"BTCUSDT\",\
             \"U\":{first},\"u\":{last},\"b\":[{b}],\"a\":[{a}]}}}}"
        )
        .into_bytes()
    };
    (0..TEXTS).map(text).collect()
}

/// What every contender reads of a text, folded.
fn fold(digest: u64, ids: [u64; 3], sides: [&Levels; 2]) -> u64 {
    let levels = sides.into_iter().flat_map(Levels::as_slice);
    let levels = levels.flat_map(|(px, qty)| [px.0.cast_unsigned(), qty.0.cast_unsigned()]);
    let words = ids.into_iter().chain(sides.map(|side| side.len() as u64)).chain(levels);
    words.fold(digest, |digest, word| {
        (digest.rotate_left(5) ^ word).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A way to read a text: time, first and last update; levels in the buffers.
trait Reader {
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]>;
    fn sides(&self) -> [&Levels; 2];
}

fn round(reader: &mut impl Reader, texts: &[Vec<u8>]) -> Round {
    on_cpu(texts.len(), || {
        for text in texts {
            black_box(reader.read(black_box(text)));
        }
    })
}

fn digest(reader: &mut impl Reader, texts: &[Vec<u8>]) -> u64 {
    texts.iter().fold(0, |digest, text| {
        let ids = reader.read(text).expect("a whole text");
        fold(digest, ids, reader.sides())
    })
}

struct Scanner {
    venue: Binance,
    symbols: Symbols,
    parsed: Parsed,
}

impl Reader for Scanner {
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]> {
        self.parsed.clear();
        match self.venue.parse(text, &self.symbols, &mut self.parsed) {
            Ok(Message::Book(head)) => Some([head.ts_venue.0 / 1_000_000, head.first, head.last]),
            _ => None,
        }
    }

    fn sides(&self) -> [&Levels; 2] {
        [&self.parsed.bids, &self.parsed.asks]
    }
}

/// The text as serde sees it: strings are borrowed.
#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    data: Diff<'a>,
}

#[derive(Deserialize)]
struct Diff<'a> {
    #[serde(rename = "e")]
    kind: &'a str,
    #[serde(rename = "E")]
    ms: u64,
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(borrow, rename = "b")]
    bids: Vec<[&'a str; 2]>,
    #[serde(borrow, rename = "a")]
    asks: Vec<[&'a str; 2]>,
}

/// Level by level to integers, as ours: what is compared is the JSON.
fn push(levels: &mut Levels, px: &str, qty: &str) -> Option<()> {
    let px = Px(decimal(px.as_bytes(), PX_DECIMALS)?);
    levels.push(px, Qty(decimal(qty.as_bytes(), QTY_DECIMALS)?)).ok()
}

#[derive(Default)]
struct SerdeJson([Levels; 2]);

impl Reader for SerdeJson {
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]> {
        let Combined { data } = serde_json::from_slice(text).ok()?;
        if data.kind != "depthUpdate" || data.symbol != "BTCUSDT" {
            return None;
        }
        for (to, side) in self.0.iter_mut().zip([&data.bids, &data.asks]) {
            to.clear();
            side.iter().try_for_each(|[px, qty]| push(to, px, qty))?;
        }
        Some([data.ms, data.first, data.last])
    }

    fn sides(&self) -> [&Levels; 2] {
        self.0.each_ref()
    }
}

/// By its tape, the fastest of its interfaces, with all buffers kept. It works inside the text, hence the copy.
struct SimdJson {
    copy: Vec<u8>,
    buffers: Buffers,
    sides: [Levels; 2],
}

impl Reader for SimdJson {
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]> {
        self.copy.clear();
        self.copy.extend_from_slice(text);
        let tape = to_tape_with_buffers(&mut self.copy, &mut self.buffers).ok()?;
        let value = tape.as_value();
        let data = value.get("data")?;
        if data.get("e")?.as_str()? != "depthUpdate" || data.get("s")?.as_str()? != "BTCUSDT" {
            return None;
        }
        for (to, key) in self.sides.iter_mut().zip(["b", "a"]) {
            to.clear();
            for level in data.get(key)?.as_array()?.iter() {
                let level = level.as_array()?;
                let mut parts = level.iter();
                push(to, parts.next()?.as_str()?, parts.next()?.as_str()?)?;
            }
        }
        let number = |key| data.get(key).and_then(|value| value.as_u64());
        Some([number("E")?, number("U")?, number("u")?])
    }

    fn sides(&self) -> [&Levels; 2] {
        self.sides.each_ref()
    }
}

fn main() {
    let mut criterion = criterion();
    let texts = texts();
    let symbol = StreamSymbol {
        venue_symbol: "BTCUSDT".into(),
        symbol: Symbol::new("BTCUSDT").expect("a symbol"),
        px_decimals: PX_DECIMALS,
        qty_decimals: QTY_DECIMALS,
    };
    let symbols = Symbols::new(vec![symbol]).expect("one symbol");
    let mut ours =
        Scanner { venue: Binance::new(Market::Spot), symbols, parsed: Parsed::default() };
    let mut serde = SerdeJson::default();
    let mut simd =
        SimdJson { copy: Vec::new(), buffers: Buffers::new(4_096), sides: Default::default() };
    let right = digest(&mut ours, &texts);
    check_digest("depth/serde_json", digest(&mut serde, &texts), right);
    check_digest("depth/simd-json", digest(&mut simd, &texts), right);
    assert_eq!(ours.parsed.slow, 0, "every text takes the scanner");
    compare(
        &mut criterion,
        ["depth", "serde_json"],
        ("scanner", || round(&mut ours, &texts)),
        || round(&mut serde, &texts),
    );
    compare(
        &mut criterion,
        ["depth", "simd-json"],
        ("scanner", || round(&mut ours, &texts)),
        || round(&mut simd, &texts),
    );
    criterion.final_summary();
}
