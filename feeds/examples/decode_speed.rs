//! How fast ITCH is decoded, against the bound that no decoder of length-prefixed messages can beat:
//! reading each length and each type. `cargo run --release -p feeds --example decode_speed -- DAY.itch
//! [ROUNDS]`
//!
//! All rows take turns in every round, on one file in memory, by the thread's own time on the processor;
//! compare figures of one run only.

use std::hint::black_box;
use std::sync::Arc;

use feeds::nasdaq::itch::Decoder;
use feeds::source::BinaryFile;
use feeds::{FeedOptions, FileFeed, Input, Next};
use model::{FeedId, Flags, Ts};

/// Calls `each` with every message of a framed day; returns how many there were.
fn walk(day: &[u8], mut each: impl FnMut(u64, &[u8])) -> u64 {
    let (mut rest, mut messages) = (day, 0);
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let Some((message, tail)) = tail.split_at_checked(u16::from_be_bytes(*length).into())
        else {
            break;
        };
        if message.is_empty() {
            break;
        }
        messages += 1;
        each(messages, message);
        rest = tail;
    }
    messages
}

fn lengths(day: &[u8]) -> u64 {
    let mut types = 0;
    let messages =
        walk(day, |_, message| types ^= u64::from(message.first().copied().unwrap_or(0)));
    black_box(types);
    messages
}

fn decode(day: &[u8]) -> u64 {
    let decoder = Decoder { feed: FeedId(0), midnight: Ts(0) };
    walk(day, |seq, message| {
        black_box(&decoder.decode(message, seq, Flags::LAST_OF_PACKET));
    })
}

fn source(day: &[u8]) -> u64 {
    let mut source = BinaryFile::from_reader(day);
    let mut messages = 0;
    while let Ok(Some(frame)) = source.next_frame() {
        black_box(frame);
        messages += 1;
    }
    messages
}

fn feed(day: &Arc<[u8]>) -> u64 {
    let input = Input::Bytes(day.clone());
    let Ok(mut feed) = FileFeed::from_inputs(vec![input], FeedOptions::default()) else { return 0 };
    while let Ok(Next::Event(event)) = feed.next() {
        black_box(&event);
    }
    feed.counters().messages
}

/// Nanoseconds that this thread has run, so that a busy machine counts less.
fn on_cpu_ns() -> Option<u64> {
    std::thread::yield_now(); // Makes the kernel bring its account up to date.
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file of ITCH 5.0 messages")?;
    let rounds: usize = arguments.next().map_or(Ok(51), |text| text.parse())?;
    let day: Arc<[u8]> = std::fs::read(&path)?.into();
    type Row<'a> = (&'a str, &'a dyn Fn() -> u64);
    let rows: [Row; 4] = [
        ("length walk", &|| lengths(&day)),
        ("decode", &|| decode(&day)),
        ("source", &|| source(&day)),
        ("feed", &|| feed(&day)),
    ];
    let mut picos = rows.map(|_| Vec::new());
    for round in 0..=rounds {
        for ((_, row), picos) in rows.iter().zip(&mut picos) {
            let start = on_cpu_ns().ok_or("no /proc/thread-self/schedstat")?;
            let messages = row();
            let took = (on_cpu_ns().unwrap_or(start) - start) * 1000 / messages.max(1);
            if round > 0 {
                picos.push(took); // The first round warms up.
            }
        }
    }
    let mut bound = None;
    println!("ns/message     least median   median x walk");
    for ((name, _), picos) in rows.iter().zip(&mut picos) {
        picos.sort_unstable();
        let (least, median) = (picos[0], picos[picos.len() / 2]);
        let ratio = median * 100 / (*bound.get_or_insert(median)).max(1);
        let show = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
        println!("{name:<12} {:>7} {:>6} {:>8}", show(least / 10), show(median / 10), show(ratio));
    }
    Ok(())
}
