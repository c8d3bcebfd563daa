//! Stage `depth`: diffs of a crypto book, 20 + 20 levels in Binance's JSON, from text to exact integers: the scanner of our own
//! against the two JSON parsers that one would take otherwise. All three end in the same buffers, and in the same digest.
//! `to_book` goes on to the best prices of the book: by the feed's machine and the engine's levels, against serde_json and two
//! sorted maps without any check of the sequence.

use std::hint::black_box;

use benches::{MapBook, Round, check_digest, compare, criterion, on_cpu};
use criterion::Criterion;
use engine::level_book::{LevelBooks, LevelCapacity};
use feeds::binance::{Binance, Market};
use feeds::json::{Levels, decimal};
use feeds::stream::{
    Action, Message, Parsed, Phase, StreamConfig, StreamFeed, StreamSymbol, Symbols, Venue,
};
use model::{Event, FeedId, Px, Qty, Side, Symbol, Ts, VenueNumber};
use serde::Deserialize;
use simd_json::prelude::ValueAsScalar;
use simd_json::{Buffers, to_tape_with_buffers};

/// Texts of a round: 1.7 MB, more than a core's own caches hold, as texts that come from a socket are cold too.
const TEXTS: u64 = 1_000;
/// Levels of a side.
const LEVELS: u64 = 20;
const PX_DECIMALS: u8 = 2;
const QTY_DECIMALS: u8 = 5;

/// The touch, in cents.
const TOUCH: u64 = 6_150_000;
/// Update that the first text follows.
const BEFORE: u64 = 50_093_239_188;

/// Texts like those of a lively day: prices mostly near the touch, quantities of one to six digits, every fifth level gone.
fn texts() -> Vec<Vec<u8>> {
    let mut state = 7_u64;
    let mut dice = |sides: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let mut side = |side: Side| {
        let levels: Vec<String> = (0..LEVELS)
            .map(|_| {
                let away = dice(100_000) >> dice(10);
                let cents = if side == Side::Buy { TOUCH - 1 - away } else { TOUCH + away };
                let qty = if dice(5) == 0 { 0 } else { dice(1_000_000) >> dice(16) };
                let (px, rest) = (cents / 100, cents % 100);
                let (whole, part) = (qty / 100_000, qty % 100_000);
                format!("[\"{px}.{rest:02}000000\",\"{whole}.{part:05}000\"]")
            })
            .collect();
        levels.join(",")
    };
    let text = |i: u64| {
        let (first, last) = (BEFORE + 1 + 17 * i, BEFORE + 17 + 17 * i);
        let (b, a) = (side(Side::Buy), side(Side::Sell));
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

fn symbol() -> StreamSymbol {
    StreamSymbol {
        venue_symbol: "BTCUSDT".into(),
        symbol: Symbol::new("BTCUSDT").expect("a symbol"),
        px_decimals: PX_DECIMALS,
        qty_decimals: QTY_DECIMALS,
    }
}

/// A feed whose book is empty, whole, and about to go on with the first of the texts.
fn feed() -> StreamFeed<Binance> {
    let config = StreamConfig {
        feed: FeedId(1),
        symbols: vec![symbol()],
        depth: 1_000,
        seed: 1,
        ws_url: None,
        rest_url: None,
    };
    let mut feed = StreamFeed::new(Binance::new(Market::Spot), config).expect("one symbol");
    let mut ignore = |_: Event| {};
    feed.start(Ts(0), &mut ignore);
    feed.on_open(Ts(0), &mut ignore);
    feed.on_time(Ts(2_000_000_000), &mut ignore);
    let get = std::iter::from_fn(|| feed.next_action()).find_map(|action| match action {
        Action::Get { request, .. } => Some(request),
        _ => None,
    });
    let body = format!("{{\"lastUpdateId\":{BEFORE},\"bids\":[],\"asks\":[]}}");
    let request = get.expect("a snapshot is asked for");
    feed.on_response(request, Ok(body.as_bytes()), Ts(0), &mut ignore);
    assert_eq!(feed.phase(symbol().symbol), Some(Phase::Bridging));
    feed
}

type Best = [Option<(Px, Qty)>; 2];
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
const BOOK: usize = 1;

fn touch(digest: u64, best: Best) -> u64 {
    best.into_iter().flatten().fold(digest.rotate_left(5), |digest, (px, qty)| {
        (digest ^ px.0.cast_unsigned() ^ qty.0.cast_unsigned().rotate_left(32))
            .wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Text by text to the best prices, by the feed and the engine's levels; a digest of them.
fn to_levels(feed: &mut StreamFeed<Binance>, books: &mut LevelBooks, texts: &[Vec<u8>]) -> u64 {
    texts.iter().fold(0, |digest, text| {
        feed.on_text(black_box(text), Ts(1), &mut |event| {
            black_box(books.apply(BOOK, &event));
        });
        touch(digest, SIDES.map(|side| books.best(BOOK, side).map(|best| (best.px, best.qty))))
    })
}

/// The same by serde_json and two sorted maps.
fn to_maps(reader: &mut SerdeJson, maps: &mut MapBook, texts: &[Vec<u8>]) -> u64 {
    texts.iter().fold(0, |digest, text| {
        reader.read(black_box(text)).expect("a whole text");
        for (side, levels) in SIDES.into_iter().zip(reader.sides()) {
            for (px, qty) in levels.as_slice() {
                maps.apply(&Event::level(VenueNumber(1), side, *px, *qty));
            }
        }
        touch(digest, SIDES.map(|side| maps.best(side)))
    })
}

fn to_book(criterion: &mut Criterion, serde: &mut SerdeJson, texts: &[Vec<u8>]) {
    let mut books = LevelBooks::new(LevelCapacity::new(2, 1));
    let (mut right, mut found) = (0, 0);
    compare(
        criterion,
        ["depth", "to_book"],
        ("serde_json and sorted maps", || {
            let mut maps = MapBook::default();
            on_cpu(texts.len(), || right = to_maps(serde, &mut maps, texts))
        }),
        || {
            books.clear(BOOK);
            let mut feed = feed();
            let round = on_cpu(texts.len(), || found = to_levels(&mut feed, &mut books, texts));
            assert_eq!(feed.counters().applied, TEXTS, "every text follows the one before");
            round
        },
    );
    check_digest("depth/to_book", found, right);
}

fn main() {
    let mut criterion = criterion();
    let texts = texts();
    let symbols = Symbols::new(vec![symbol()]).expect("one symbol");
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
    to_book(&mut criterion, &mut serde, &texts);
    criterion.final_summary();
}
