//! Stage `book`: events to L3 books with their queues, against the length walk of the messages that they came from.
//!
//! Events come in rounds of at most 64 with the look-ahead, as the engine thread takes them from its ring. `mixed` is the
//! whole day with both best prices read after each message, `mixed_unread` the same without reading, and
//! `mixed_from_bytes` includes the decoding. The rows of one kind apply it to books in which [`RESTING`] orders rest.

use std::hint::black_box;

use benches::{
    NaiveBooks, SYMBOLS, Stream, apply, apply_bytes, check_digest, compare, criterion, digest,
    on_cpu, read_best, walk,
};
use criterion::Criterion;
use engine::book::{BookCapacity, Books};
use model::{Event, Kind};

/// Orders in the books when the rows of one kind begin.
const RESTING: usize = 100_000;

/// Measures `work` on books in which `before` was applied, and checks the digest that it leaves.
fn row(
    criterion: &mut Criterion,
    name: &str,
    stream: &Stream,
    before: &[Event],
    right: u64,
    work: impl Fn(&mut Books, &Stream),
) {
    let mut books = Books::new(BookCapacity::new(u32::from(SYMBOLS) + 1, 1 << 18));
    let count = stream.events.len();
    compare(
        criterion,
        ["book", name],
        ("length walk", || on_cpu(count, || _ = black_box(walk(black_box(&stream.bytes))))),
        || {
            books.clear_all();
            apply(&mut books, before, |_, _| ());
            on_cpu(count, || work(&mut books, black_box(stream)))
        },
    );
    let best =
        |number, side| books.best(usize::from(number), side).map(|quote| (quote.px, quote.qty));
    check_digest(&format!("book/{name}"), digest(best), right);
}

fn main() {
    let mut criterion = criterion();
    let (day, summary) = Stream::day();
    let mixed = summary.digest;
    row(&mut criterion, "mixed", &day, &[], mixed, |books, day| {
        apply(books, &day.events, read_best)
    });
    row(&mut criterion, "mixed_unread", &day, &[], mixed, |books, day| {
        apply(books, &day.events, |_, _| ());
    });
    row(&mut criterion, "mixed_from_bytes", &day, &[], mixed, |books, day| {
        apply_bytes(books, &day.bytes);
    });

    let mut adds = 0;
    let adds = day.pick(|_, event| {
        adds += usize::from(event.kind == Kind::Add);
        event.kind == Kind::Add && adds <= RESTING
    });
    let mut resting = NaiveBooks::default();
    adds.events.iter().for_each(|event| assert!(resting.apply(event), "an addition stands alone"));
    let best = |number, side| resting.best(number, side);
    let (after_adds, before) = (digest(best), &adds.events);
    let plain = |books: &mut Books, stream: &Stream| apply(books, &stream.events, read_best);
    row(&mut criterion, "add", &adds, &[], after_adds, plain);

    let kinds: [(&str, &[Kind]); 3] = [
        ("cancel", &[Kind::Reduce, Kind::Delete]),
        ("execute", &[Kind::Execute, Kind::ExecuteAt]),
        ("replace", &[Kind::Replace]),
    ];
    for (name, kinds) in kinds {
        let mut naive = resting.clone();
        let stream = day.pick(|_, event| kinds.contains(&event.kind) && naive.apply(event));
        let right = digest(|number, side| naive.best(number, side));
        row(&mut criterion, name, &stream, before, right, plain);
    }
    criterion.final_summary();
}
