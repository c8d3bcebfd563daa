mod packets;
mod servers;

use super::*;
use crate::source::{Source, synthetic};

const START: u64 = 1_000;
const MS: u64 = 1_000_000;

fn config() -> Config {
    Config { pace: Pace::PacketsPerSecond(1_000), ..Config::default() }
}

fn small() -> synth::Config {
    synth::Config { messages: 3_000, symbols: 6, ..synth::Config::SAMPLE }
}

fn day() -> Source {
    synthetic(synth::Day::new(small()))
}

/// The messages of [`day`].
fn messages() -> Vec<Vec<u8>> {
    day().map(|timed| timed.unwrap().bytes).collect()
}

/// Messages that each are due at a time, named by their place.
fn timed(times: &[u64]) -> Source {
    let message =
        |(place, at_ns): (usize, &u64)| Ok(Timed { at_ns: *at_ns, bytes: vec![place as u8] });
    Box::new(times.iter().enumerate().map(message).collect::<Vec<_>>().into_iter())
}

/// A packet that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    side: Side,
    at: u64,
    first: u64,
    count: u16,
    messages: Vec<Vec<u8>>,
}

fn parse(side: Side, at: u64, packet: &[u8]) -> Sent {
    let (session, first, count) = packet::parse_request(&packet[..HEADER]).unwrap();
    assert_eq!(&session, b"SIM0000001");
    let mut messages = Vec::new();
    let mut rest = &packet[HEADER..];
    while let Some((length, tail)) = rest.split_first_chunk() {
        let (message, tail) = tail.split_at(u16::from_be_bytes(*length).into());
        messages.push(message.to_vec());
        rest = tail;
    }
    assert!(rest.is_empty());
    assert_eq!(messages.len(), usize::from(if count == END { 0 } else { count }));
    Sent { side, at, first, count, messages }
}

/// Runs to the end, waking when it is due.
fn run(core: &mut Core) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut now = START;
    while let Some(at) = core.wake_at(now) {
        now = now.max(at);
        core.poll(now, &mut |side, at, packet| sent.push(parse(side, at, packet)));
    }
    sent
}
