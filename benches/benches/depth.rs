//! Stage `depth`: diffs of a crypto book, 20 + 20 levels in Binance's JSON, from text to exact integers: the scanner of our own
//! against the two JSON parsers that one would take otherwise. All three end in the same buffers, and in the same digest.
//! `to_book` goes on to the best prices of the book: by the feed's machine and the engine's levels, against serde_json and two
//! sorted maps without any check of the sequence.

use std::hint::black_box;

use benches::depth::{
    BOOK, Reader, Scanner, SerdeJson, SimdJson, TEXTS, digest, feed, texts, to_levels, to_maps,
};
use benches::{MapBook, Round, check_digest, compare, criterion, on_cpu};
use criterion::Criterion;
use engine::level_book::{LevelBooks, LevelCapacity};

fn round(reader: &mut impl Reader, texts: &[Vec<u8>]) -> Round {
    on_cpu(texts.len(), || {
        for text in texts {
            black_box(reader.read(black_box(text)));
        }
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
    let (mut ours, mut serde, mut simd) =
        (Scanner::new(), SerdeJson::default(), SimdJson::default());
    let right = digest(&mut ours, &texts);
    check_digest("depth/serde_json", digest(&mut serde, &texts), right);
    check_digest("depth/simd-json", digest(&mut simd, &texts), right);
    assert!(!ours.was_slow(), "every text takes the scanner");
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
