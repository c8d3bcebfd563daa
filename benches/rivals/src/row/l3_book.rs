//! Order books of the whole day, the best prices read after each message.
//!
//! Ours from the bytes, and from events that are decoded; the rivals from [`Op`]s, which spares them the parser and
//! what they would have to look up. Books that take microseconds play the first messages alone, in a contest of those that
//! all play; books without a partial cancel get a deletion and an addition for it. Everybody's books are new in every round.
//! Ours take the room of a whole day when they are made, before the time begins; the rivals' grow within it.

#[cfg(feature = "hftbacktest")]
mod hftbacktest;
#[cfg(feature = "limitbook")]
mod limitbook;
#[cfg(feature = "lob")]
mod lob;
#[cfg(feature = "nautilus")]
mod nautilus;
#[cfg(feature = "orderbook-rs")]
mod orderbook_rs;

use std::cell::OnceCell;
use std::hint::black_box;

use benches::{AHEAD_BYTES, SYMBOLS, apply, apply_bytes, apply_one, digest, read_best};
use engine::book::{BookCapacity, Books};
use model::{Event, Px, Qty, Side};

use super::{bytes_of, rival};
use crate::contest::{Contender, Contest, Outcome, Round, timed};
use crate::day::{Op, OpKind, ops};
use crate::setting::Setting;

/// Messages that slow books play.
const HEAD: usize = 200_000;

/// Books of another library, by venue number.
trait OpBook {
    /// Applies what happened.
    fn apply(&mut self, op: &Op);
    /// Reads both best prices, as the library hands them out.
    fn read(&self, book: u16);
    /// Best price of a side in ten-thousandths of a dollar, and the shares of its level.
    fn best(&self, book: u16, side: Side) -> Option<(Px, Qty)>;
}

/// Plays everything into new books, and takes the digest of what they are then.
fn play<B: OpBook>(make: impl FnOnce() -> B, ops: &[Op], messages: usize) -> Round {
    let mut books = make();
    let (each, ()) = timed(messages, || {
        for (number, op) in black_box(ops).iter().enumerate() {
            host::prefetch(ops, number + AHEAD_BYTES / size_of::<Op>());
            books.apply(op);
            if op.is_last {
                books.read(op.book);
            }
        }
    });
    Round { each, sum: Some(digest(|book, side| books.best(book, side))) }
}

/// For books without a partial cancel.
fn without_reductions(ops: Vec<Op>) -> Vec<Op> {
    let whole = |op: Op| match op.kind {
        OpKind::Reduce => {
            vec![Op { kind: OpKind::Delete, is_last: false, ..op }, Op { kind: OpKind::Add, ..op }]
        }
        _ => vec![op],
    };
    ops.into_iter().flat_map(whole).collect()
}

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let day = setting.day();
    let (events, bytes) = (day.events.as_slice(), day.bytes.as_slice());
    let all = OnceCell::new();
    let all = || all.get_or_init(|| ops(events)).as_slice();
    let mut contenders = ours(bytes, events);
    contenders.extend(rivals(&all, events.len()));
    contenders
        .push(Contender::bound("dependent load", || dependent_loads(events.len(), day.resting)));
    let title = "L3 book, whole day".into();
    let whole =
        Contest { title, unit: "ns a message", right: Some(day.digest), contenders }.run(setting);

    let (head, right) = day.head(HEAD);
    let bytes = bytes_of(bytes, head.len());
    let some = ops(head);
    let no_reductions = without_reductions(some.clone());
    let first = || some.as_slice();
    let mut contenders = ours(bytes, head);
    contenders.extend(rivals(&first, head.len()));
    contenders.extend(slow_rivals(&some, &no_reductions, head.len()));
    contenders
        .push(Contender::bound("dependent load", || dependent_loads(head.len(), day.resting)));
    let title = format!("L3 book, first {} messages", head.len());
    let first =
        Contest { title, unit: "ns a message", right: Some(right), contenders }.run(setting);
    vec![whole, first]
}

fn rivals<'a>(ops: &'a impl Fn() -> &'a [Op], messages: usize) -> Vec<Contender<'a>> {
    let _ = (ops, messages);
    vec![
        rival!("hftbacktest", "hftbacktest", {
            let roi = move || hftbacktest::roi_vectors(ops());
            Contender::rival_if("hftbacktest", "ROIVector", move || {
                Ok(play_if(roi()?, ops(), messages))
            })
            .note("decoded; no queue; levels there before, orders grow")
        }),
        rival!("hftbacktest", "hftbacktest", {
            Contender::rival("hftbacktest", "HashMap", move || {
                play(|| hftbacktest::hash_maps(ops()), ops(), messages)
            })
            .note("decoded; no queue; grows")
        }),
        rival!("hftbacktest", "hftbacktest", {
            Contender::rival("hftbacktest", "BTree", move || {
                play(|| hftbacktest::b_trees(ops()), ops(), messages)
            })
            .note("decoded; no queue; grows")
        }),
        rival!("nautilus", "nautilus-model", {
            let deltas = OnceCell::new();
            Contender::rival("nautilus-model", "OrderBook", move || {
                nautilus::play(deltas.get_or_init(|| nautilus::deltas(ops())), messages)
            })
            .note("deltas made before; grows")
        }),
    ]
}

fn slow_rivals<'a>(ops: &'a [Op], no_reductions: &'a [Op], messages: usize) -> Vec<Contender<'a>> {
    let _ = (ops, no_reductions, messages);
    vec![
        rival!(
            "limitbook",
            "limitbook",
            Contender::rival("limitbook", "", move || {
                play(|| limitbook::Books::new(no_reductions), no_reductions, messages)
            })
            .note("decoded; a reduction is two; grows")
        ),
        rival!(
            "lob",
            "lob",
            Contender::rival("lob", "", move || {
                play(|| lob::Books::new(no_reductions), no_reductions, messages)
            })
            .note("decoded; a reduction is two; grows; best prices kept, cannot be read")
        ),
        rival!(
            "orderbook-rs",
            "orderbook-rs",
            Contender::rival("orderbook-rs", "", move || play(
                orderbook_rs::Books::new,
                ops,
                messages
            ))
            .note("decoded; for many threads; grows")
        ),
    ]
}

#[cfg(feature = "hftbacktest")]
fn play_if<B: OpBook>(books: B, ops: &[Op], messages: usize) -> Round {
    play(|| books, ops, messages)
}

fn ours<'a>(bytes: &'a [u8], events: &'a [Event]) -> Vec<Contender<'a>> {
    let round = move |work: &dyn Fn(&mut Books)| {
        let mut books = Books::new(BookCapacity::new(u32::from(SYMBOLS) + 1, 1 << 19));
        let (each, ()) = timed(events.len(), || work(&mut books));
        let best =
            |number, side| books.best(usize::from(number), side).map(|quote| (quote.px, quote.qty));
        Round { each, sum: Some(digest(best)) }
    };
    let from_bytes = move || round(&|books| apply_bytes(books, black_box(bytes)));
    let decoded = move || round(&|books| apply(books, black_box(events), read_best));
    let one_by_one = move || {
        round(&|books| {
            for event in black_box(events) {
                apply_one(books, event, read_best);
            }
        })
    };
    vec![
        Contender::ours("books, from bytes", from_bytes)
            .note("with queues; rounds of 64 with look-ahead; room taken before"),
        Contender::ours("books, decoded", decoded)
            .note("with queues; rounds of 64 with look-ahead; room taken before"),
        Contender::ours("books, decoded, no look-ahead", one_by_one)
            .note("with queues; room taken before"),
    ]
}

/// One load a message, each from where the one before it pointed, over as many records of 32 bytes as orders rest:
/// whoever finds an order by its reference does at least that.
fn dependent_loads(loads: usize, records: usize) -> Round {
    let records = records.max(2);
    let mut cycle: Vec<[u64; 4]> = (0..records as u64).map(|at| [at; 4]).collect();
    let mut state = 1_u64;
    for at in (1..records).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        cycle.swap(at, (state >> 33) as usize % at);
    }
    let (each, end) = timed(loads, || {
        (0..loads).fold(0, |at, _| cycle.get(at).map_or(0, |[next, ..]| *next as usize))
    });
    black_box(end);
    Round { each, sum: None }
}
