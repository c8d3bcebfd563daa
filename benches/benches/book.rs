//! Stage `book`: events to L3 books with their queues, against the length walk of the messages that they came from.
//!
//! Events come in rounds of at most 64 with the look-ahead, as the engine thread takes them from its ring. `mixed` is the
//! whole day with both best prices read after each message, `mixed_unread` the same without reading, and
//! `mixed_from_bytes` includes the decoding. The rows of one kind apply it to books in which [`RESTING`] orders rest.

use std::hint::black_box;

use benches::{
    DECODER, EVENTS_PER_ROUND, NaiveBooks, SYMBOLS, Stream, check_digest, compare, criterion,
    digest, frames, on_cpu, walk,
};
use criterion::Criterion;
use engine::book::{BookCapacity, Books};
use model::{Event, Flags, Kind, Side};

/// Orders in the books when the rows of one kind begin.
const RESTING: usize = 100_000;

/// Applies events in rounds, and calls `then` with the book after each.
#[inline(always)]
fn apply(books: &mut Books, events: &[Event], then: impl Fn(&Books, usize)) {
    for round in events.chunks(EVENTS_PER_ROUND) {
        for (at, event) in round.iter().enumerate() {
            books.look_ahead(round, at);
            let book = event.number.0 as usize;
            black_box(books.apply(book, event));
            then(books, book);
        }
    }
}

fn read_best(books: &Books, book: usize) {
    black_box([Side::Buy, Side::Sell].map(|side| books.best(book, side)));
}

fn apply_bytes(books: &mut Books, bytes: &[u8]) {
    let mut messages = frames(bytes).zip(1..);
    let mut round = [Event::empty(Kind::Notice); EVENTS_PER_ROUND];
    loop {
        let mut used = 0;
        for (place, (message, seq)) in round.iter_mut().zip(&mut messages) {
            if let Ok(event) = DECODER.decode(message, seq, Flags::LAST_OF_PACKET) {
                *place = event;
                used += 1;
            }
        }
        if used == 0 {
            return;
        }
        apply(books, &round[..used], read_best);
    }
}

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
