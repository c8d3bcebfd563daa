//! Depth updates of a crypto book as text, and ways to read them: into exact integers, and on to the best prices of a book.

use std::hint::black_box;

use engine::level_book::LevelBooks;
use feeds::binance::{Binance, Market};
use feeds::json::{Levels, decimal};
use feeds::stream::{
    Action, Message, Parsed, Phase, StreamConfig, StreamFeed, StreamSymbol, Symbols, Venue,
};
use model::{Event, FeedId, Px, Qty, Side, Symbol, Ts, VenueNumber};
use serde::Deserialize;
use simd_json::prelude::ValueAsScalar;
use simd_json::{Buffers, to_tape_with_buffers};

use crate::MapBook;

/// Texts of a round: 1.7 MB, more than a core's own caches hold, as texts that come from a socket are cold too.
pub const TEXTS: u64 = 1_000;
/// Levels of a side.
const LEVELS: u64 = 20;
/// Decimals of a price.
pub const PX_DECIMALS: u8 = 2;
/// The same of a quantity.
pub const QTY_DECIMALS: u8 = 5;

/// The touch, in cents.
const TOUCH: u64 = 6_150_000;
/// Update that the first text follows.
const BEFORE: u64 = 50_093_239_188;

/// Texts like those of a lively day: prices mostly near the touch, quantities of one to six digits, every fifth level gone.
pub fn texts() -> Vec<Vec<u8>> {
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
pub trait Reader {
    /// Reads a text; `None` if it is no depth update.
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]>;
    /// Bids and asks of the text that was read last.
    fn sides(&self) -> [&Levels; 2];
}

/// What a reader makes of all texts, folded.
pub fn digest(reader: &mut impl Reader, texts: &[Vec<u8>]) -> u64 {
    texts.iter().fold(0, |digest, text| {
        let ids = reader.read(text).expect("a whole text");
        fold(digest, ids, reader.sides())
    })
}

/// The scanner of our own.
pub struct Scanner {
    venue: Binance,
    symbols: Symbols,
    parsed: Parsed,
}

impl Scanner {
    /// A scanner of one symbol.
    pub fn new() -> Scanner {
        let symbols = Symbols::new(vec![symbol()]).expect("one symbol");
        Scanner { venue: Binance::new(Market::Spot), symbols, parsed: Parsed::default() }
    }

    /// Whether a text did not take the fast way.
    pub fn was_slow(&self) -> bool {
        self.parsed.slow > 0
    }
}

impl Default for Scanner {
    fn default() -> Scanner {
        Scanner::new()
    }
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
pub struct Combined<'a> {
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

impl Combined<'_> {
    /// Puts the levels into buffers, and hands out time, first and last update; `None` if it is of another kind or symbol.
    pub fn read(&self, sides: &mut [Levels; 2]) -> Option<[u64; 3]> {
        let Combined { data } = self;
        if data.kind != "depthUpdate" || data.symbol != "BTCUSDT" {
            return None;
        }
        for (to, side) in sides.iter_mut().zip([&data.bids, &data.asks]) {
            to.clear();
            side.iter().try_for_each(|[px, qty]| push(to, px, qty))?;
        }
        Some([data.ms, data.first, data.last])
    }
}

/// Level by level to integers, as ours: what is compared is the JSON.
fn push(levels: &mut Levels, px: &str, qty: &str) -> Option<()> {
    let px = Px(decimal(px.as_bytes(), PX_DECIMALS)?);
    levels.push(px, Qty(decimal(qty.as_bytes(), QTY_DECIMALS)?)).ok()
}

#[derive(Default)]
/// By serde_json.
pub struct SerdeJson([Levels; 2]);

impl Reader for SerdeJson {
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]> {
        serde_json::from_slice::<Combined>(text).ok()?.read(&mut self.0)
    }

    fn sides(&self) -> [&Levels; 2] {
        self.0.each_ref()
    }
}

/// By its tape, the fastest of its interfaces, with all buffers kept. It works inside the text, hence the copy.
pub struct SimdJson {
    copy: Vec<u8>,
    buffers: Buffers,
    sides: [Levels; 2],
}

impl Default for SimdJson {
    fn default() -> SimdJson {
        SimdJson { copy: Vec::new(), buffers: Buffers::new(4_096), sides: Default::default() }
    }
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
pub fn feed() -> StreamFeed<Binance> {
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

/// Best bid and ask, with what is there.
pub type Best = [Option<(Px, Qty)>; 2];
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
/// The place of the book.
pub const BOOK: usize = 1;

/// Folds the best prices after a text.
pub fn touch(digest: u64, best: Best) -> u64 {
    best.into_iter().flatten().fold(digest.rotate_left(5), |digest, (px, qty)| {
        (digest ^ px.0.cast_unsigned() ^ qty.0.cast_unsigned().rotate_left(32))
            .wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Text by text to the best prices, by the feed and the engine's levels; a digest of them.
pub fn to_levels(feed: &mut StreamFeed<Binance>, books: &mut LevelBooks, texts: &[Vec<u8>]) -> u64 {
    texts.iter().fold(0, |digest, text| {
        feed.on_text(black_box(text), Ts(1), &mut |event| {
            black_box(books.apply(BOOK, &event));
        });
        touch(digest, SIDES.map(|side| books.best(BOOK, side).map(|best| (best.px, best.qty))))
    })
}

/// The same by serde_json and two sorted maps.
pub fn to_maps(reader: &mut impl Reader, maps: &mut MapBook, texts: &[Vec<u8>]) -> u64 {
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
