//! Stage `decode`: ITCH 5.0 bytes to events, per message type and mixed, against the length walk of the same bytes.

use std::collections::BTreeSet;
use std::hint::black_box;

use benches::{DECODER, Stream, compare, criterion, frames, on_cpu, walk};
use criterion::Criterion;
use model::Flags;

/// Messages of one type in a row: few enough to stay in the processor's own caches.
const OF_A_TYPE: usize = 10_000;

fn decode(bytes: &[u8]) {
    for (message, seq) in frames(bytes).zip(1..) {
        let _ = black_box(&DECODER.decode(message, seq, Flags::LAST_OF_PACKET));
    }
}

fn row(criterion: &mut Criterion, name: &str, stream: &Stream) {
    let (bytes, count) = (&stream.bytes, stream.events.len());
    compare(
        criterion,
        ["decode", name],
        ("length walk", || on_cpu(count, || _ = black_box(walk(black_box(bytes))))),
        || on_cpu(count, || decode(black_box(bytes))),
    );
}

fn main() {
    let mut criterion = criterion();
    let (day, _) = Stream::day();
    row(&mut criterion, "mixed", &day);
    let kinds: BTreeSet<u8> = frames(&day.bytes).map(|message| message[0]).collect();
    for kind in kinds {
        let stream = day.pick(|other, _| other == kind).cycle(OF_A_TYPE);
        row(&mut criterion, &char::from(kind).to_string(), &stream);
    }
    criterion.final_summary();
}
