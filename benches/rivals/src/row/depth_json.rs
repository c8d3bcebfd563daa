//! Binance depth updates of 20 + 20 levels: text to exact integers, and on to the best prices of a book.
//!
//! The first contest has one digest of all numbers, which all Rust readers come to; Python's parsers leave numbers as
//! strings. The second has a digest of the best prices after each text.

use std::cell::RefCell;
use std::hint::black_box;

use benches::MapBook;
#[cfg(feature = "sonic-rs")]
use benches::depth::Combined;
use benches::depth::{
    BOOK, Reader, Scanner, SerdeJson, SimdJson, digest, feed, texts, to_levels, to_maps,
};
use engine::level_book::{LevelBooks, LevelCapacity};
#[cfg(feature = "sonic-rs")]
use feeds::json::Levels;

use super::rival;
use crate::contest::{Contender, Contest, Outcome, Round, timed};
use crate::python::Python;
use crate::setting::Setting;

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let texts = texts();
    let parsed = digest(&mut Scanner::new(), &texts);
    let best = to_maps(&mut SerdeJson::default(), &mut MapBook::default(), &texts);
    let lines: Vec<String> =
        texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let python = RefCell::new(Python::new(setting, "depth.py", &lines.join("\n")));
    let python = |package, what, name| {
        let (python, count) = (&python, texts.len());
        Contender::rival_if(package, what, move || python.borrow_mut().round(name, count))
    };
    let mut parsers = parsers(&texts);
    parsers.push(python("orjson", "(Python)", "orjson").note("numbers stay strings"));
    parsers.push(python("json", "(Python)", "json").note("numbers stay strings"));
    let mut books = books(&texts);
    books.push(
        python("cryptofeed", "(Python)", "cryptofeed")
            .note("its own handler, no sockets; sorts to tell its best prices"),
    );
    books.push(
        python("ccxt", "(Python)", "ccxt").note("its own handler, without its sockets; floats"),
    );
    let parse = Contest {
        title: "depthUpdate, parse".into(),
        unit: "ns a text",
        right: Some(parsed),
        contenders: parsers,
    };
    let book = Contest {
        title: "depthUpdate, parse and apply".into(),
        unit: "ns a text",
        right: Some(best),
        contenders: books,
    };
    vec![parse.run(setting), book.run(setting)]
}

/// Reads all texts; then, not timed, once more for the digest.
fn read(reader: &mut impl Reader, texts: &[Vec<u8>]) -> Round {
    let (each, ()) = timed(texts.len(), || {
        for text in texts {
            black_box(reader.read(black_box(text)));
        }
    });
    Round { each, sum: Some(digest(reader, texts)) }
}

fn parsers(texts: &[Vec<u8>]) -> Vec<Contender<'_>> {
    let mut scanner = Scanner::new();
    let (mut serde, mut simd) = (SerdeJson::default(), SimdJson::default());
    vec![
        Contender::ours("scanner", move || read(&mut scanner, texts)),
        rival!("sonic-rs", "sonic-rs", {
            let mut sonic = Sonic::default();
            Contender::rival("sonic-rs", "", move || read(&mut sonic, texts))
        }),
        Contender::rival("simd-json", "tape", move || read(&mut simd, texts))
            .note("buffers kept; copies the text"),
        Contender::rival("serde_json", "", move || read(&mut serde, texts)),
        rival!("barter-data", "barter-data", {
            let inner = barter::inner(texts);
            Contender::rival("barter-data", "", move || barter::parse(&inner))
                .note("Decimals; not compared")
        }),
    ]
}

fn books(texts: &[Vec<u8>]) -> Vec<Contender<'_>> {
    let mut levels = LevelBooks::new(LevelCapacity::new(2, 1));
    let ours = move || {
        levels.clear(BOOK);
        let mut feed = feed();
        let (each, best) = timed(texts.len(), || to_levels(&mut feed, &mut levels, texts));
        Round { each, sum: Some(best) }
    };
    let (serde, simd) = (SerdeJson::default(), SimdJson::default());
    let note = "our sorted maps; sequence not checked";
    vec![
        Contender::ours("feed and level book", ours).note("sequence checked"),
        rival!(
            "sonic-rs",
            "sonic-rs",
            Contender::rival("sonic-rs", "+ BTreeMap", with_maps(Sonic::default(), texts))
                .note(note)
        ),
        Contender::rival("simd-json", "+ BTreeMap", with_maps(simd, texts)).note(note),
        Contender::rival("serde_json", "+ BTreeMap", with_maps(serde, texts)).note(note),
        rival!("barter-data", "barter-data", {
            let inner = barter::inner(texts);
            Contender::rival("barter-data", "OrderBook", move || barter::apply(&inner))
                .note("sequence not checked")
        }),
    ]
}

fn with_maps<R: Reader>(mut reader: R, texts: &[Vec<u8>]) -> impl FnMut() -> Round {
    move || {
        let mut maps = MapBook::default();
        let (each, best) = timed(texts.len(), || to_maps(&mut reader, &mut maps, texts));
        Round { each, sum: Some(best) }
    }
}

/// By sonic-rs, into the same borrowed structure as serde_json.
#[cfg(feature = "sonic-rs")]
#[derive(Default)]
struct Sonic([Levels; 2]);

#[cfg(feature = "sonic-rs")]
impl Reader for Sonic {
    fn read(&mut self, text: &[u8]) -> Option<[u64; 3]> {
        sonic_rs::from_slice::<Combined>(text).ok()?.read(&mut self.0)
    }

    fn sides(&self) -> [&Levels; 2] {
        self.0.each_ref()
    }
}

/// By barter-data's own types, which know the inner object alone.
#[cfg(feature = "barter-data")]
mod barter {
    use std::hint::black_box;

    use barter_data::books::{Level, OrderBook};
    use barter_data::exchange::binance::spot::l2::BinanceSpotOrderBookL2Update;
    use barter_data::subscription::book::OrderBookEvent;
    use benches::depth::touch;
    use model::{Px, Qty};
    use rust_decimal::Decimal;

    use crate::contest::{Round, timed};

    /// What stands behind `"data":`.
    pub fn inner(texts: &[Vec<u8>]) -> Vec<String> {
        let inner = |text: &Vec<u8>| -> String {
            let text = String::from_utf8_lossy(text);
            let (_, data) = text.split_once("\"data\":").unwrap_or_default();
            data.strip_suffix('}').unwrap_or_default().into()
        };
        texts.iter().map(inner).collect()
    }

    fn update(text: &str) -> BinanceSpotOrderBookL2Update {
        serde_json::from_str(text).expect("a depth update")
    }

    /// Text to Decimals.
    pub fn parse(texts: &[String]) -> Round {
        let (each, ()) = timed(texts.len(), || {
            for text in texts {
                black_box(update(black_box(text)));
            }
        });
        Round { each, sum: None }
    }

    /// Text to its book.
    pub fn apply(texts: &[String]) -> Round {
        let mut book = OrderBook::default();
        let (each, best) = timed(texts.len(), || {
            texts.iter().fold(0, |digest, text| {
                let update = update(black_box(text));
                let update = OrderBook::new(update.last_update_id, None, update.bids, update.asks);
                book.update(&OrderBookEvent::Update(update));
                touch(digest, [book.bids().best(), book.asks().best()].map(|best| best.map(exact)))
            })
        });
        Round { each, sum: Some(best) }
    }

    fn exact(level: &Level) -> (Px, Qty) {
        let whole = |decimal: Decimal, factor: i64| {
            i64::try_from(decimal * Decimal::from(factor)).expect("few decimals")
        };
        (Px(whole(level.price, 100)), Qty(whole(level.amount, 100_000)))
    }
}
