//! ITCH 5.0 bytes to reference, quantity and price of every message about an order or a trade, xored into a sum.
//!
//! Where a processor fetches little by itself, whoever asks for bytes ahead takes half the time, and that is no merit of a
//! decoder: ours and itch5 are here with it and without. itchy copies the bytes before it reads them, so that there is nothing
//! to ask for.

#[cfg(feature = "itch5")]
mod itch5;

use std::hint::black_box;

use benches::{DECODER, frames, frames_without_ahead, order_fields, walk};
use model::{Event, Flags, Kind};

use super::{bytes_of, rival};
use crate::contest::{Contender, Contest, Outcome, Round, timed};
use crate::setting::Setting;

/// Messages that fit a second-level cache, and how often they are read in a round.
const HEAD: usize = 10_000;
const TIMES: usize = 63;

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let day = setting.day();
    let (bytes, count) = (day.bytes.as_slice(), day.events.len());
    let right = day.events.iter().fold(0, |sum, event| sum ^ fields(event));
    let old = without_newer_types(bytes);
    let contest = |title: String, right, contenders| {
        Contest { title, unit: "ns a message", right: Some(right), contenders }.run(setting)
    };
    let whole = contest("ITCH parse, whole day".into(), right, rivals(bytes, &old, count, 1));
    let head = day.events.get(..HEAD).unwrap_or(&day.events);
    let right = head.iter().fold(0, |sum, event| sum ^ fields(event));
    let bytes = bytes_of(bytes, head.len());
    let old = without_newer_types(bytes);
    let title = format!("ITCH parse, first {} messages, in the caches", head.len());
    vec![whole, contest(title, right, rivals(bytes, &old, head.len(), TIMES))]
}

/// All rivals, each over the bytes so many `times`, which is odd, so that the sum is that of once.
fn rivals<'a>(bytes: &'a [u8], old: &'a [u8], count: usize, times: usize) -> Vec<Contender<'a>> {
    let all = move |work: fn(&[u8]) -> u64, bytes: &'a [u8]| {
        timed(count * times, || (0..times).fold(0, |sum, _| sum ^ work(black_box(bytes))))
    };
    let parse = move |work: fn(&[u8]) -> u64, bytes: &'a [u8]| {
        move || {
            let (each, sum) = all(work, bytes);
            Round { each, sum: Some(sum) }
        }
    };
    let bound = move |work: fn(&[u8]) -> u64| {
        move || {
            let (each, sum) = all(work, bytes);
            black_box(sum);
            Round { each, sum: None }
        }
    };
    vec![
        Contender::ours("decoder, fields", parse(our_fields, bytes)).note("asks for bytes ahead"),
        Contender::ours("decoder, fields, no look-ahead", parse(our_fields_alone, bytes)),
        Contender::ours("decoder, whole event", parse(our_events, bytes))
            .note("64 bytes written for each; asks for bytes ahead"),
        rival!(
            "itch5",
            "itch5",
            Contender::rival("itch5", "", parse(itch5::sum::<true>, bytes))
                .note("its visitor asks for bytes ahead")
        ),
        rival!(
            "itch5",
            "itch5",
            Contender::rival("itch5", "no look-ahead", parse(itch5::sum::<false>, bytes))
        ),
        rival!(
            "itchy",
            "itchy",
            Contender::rival("itchy", "", parse(itchy_sum, old))
                .note("every field into a struct; copies bytes first; panics at types h and O, left out for it")
        ),
        Contender::bound("length walk", bound(|bytes| walk(bytes).into())),
        Contender::bound(
            "sum of all bytes",
            bound(|bytes| bytes.iter().map(|byte| u64::from(*byte)).sum()),
        ),
    ]
}

/// The bytes without the types that itchy does not know. Neither counts in the sum.
fn without_newer_types(bytes: &[u8]) -> Vec<u8> {
    let known = frames(bytes).filter(|message| !matches!(message, [b'h' | b'O', ..]));
    known.flat_map(|message| [&(message.len() as u16).to_be_bytes(), message].concat()).collect()
}

/// What counts of an event: fields that a kind does not use are zero.
#[inline(always)]
fn fields(event: &Event) -> u64 {
    match event.kind {
        Kind::Add
        | Kind::Execute
        | Kind::ExecuteAt
        | Kind::Reduce
        | Kind::Delete
        | Kind::Replace
        | Kind::Trade => event.order.0 ^ event.qty.0.cast_unsigned() ^ event.px.0.cast_unsigned(),
        _ => 0,
    }
}

fn our_fields(bytes: &[u8]) -> u64 {
    order_fields(frames(bytes))
}

fn our_fields_alone(bytes: &[u8]) -> u64 {
    order_fields(frames_without_ahead(bytes))
}

fn our_events(bytes: &[u8]) -> u64 {
    frames(bytes).zip(1..).fold(0, |sum, (message, seq)| {
        let event = DECODER.decode(message, seq, Flags::LAST_OF_PACKET);
        sum ^ black_box(&event).as_ref().map_or(0, fields)
    })
}

#[cfg(feature = "itchy")]
fn itchy_sum(bytes: &[u8]) -> u64 {
    use ::itchy::Body::*;
    let stream = ::itchy::MessageStream::from_reader(bytes);
    stream.map_while(Result::ok).fold(0, |sum, message| {
        sum ^ match message.body {
            AddOrder(add) => add.reference ^ u64::from(add.shares) ^ u64::from(add.price.raw()),
            OrderExecuted { reference, executed, .. } => reference ^ u64::from(executed),
            OrderExecutedWithPrice { reference, executed, price, .. } => {
                reference ^ u64::from(executed) ^ u64::from(price.raw())
            }
            OrderCancelled { reference, cancelled } => reference ^ u64::from(cancelled),
            DeleteOrder { reference } => reference,
            ReplaceOrder(replace) => {
                replace.old_reference ^ u64::from(replace.shares) ^ u64::from(replace.price.raw())
            }
            NonCrossTrade(trade) => u64::from(trade.shares) ^ u64::from(trade.price.raw()),
            _ => 0,
        }
    })
}
