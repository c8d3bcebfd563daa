//! What the user is told.

use std::time::Duration;

use program::{eprint, eprintln, println};
use serde_json::{Value, json};
use sim::faults::LineCounters;
use sim::net::{Config, Counters, Publisher};

use super::Outcome;

pub(super) fn addresses(config: &Config, publisher: &Publisher) {
    eprint!("line A {}", config.line_a);
    if let Some(b) = config.line_b {
        eprint!(", line B {b}");
    }
    let (request, snapshot) = (publisher.request_addr(), publisher.snapshot_addr());
    eprintln!(", re-requests {request}, snapshots {snapshot}");
}

pub(super) fn progress(counters: &Counters, elapsed: Duration) {
    let Counters { messages, packets, lines: [a, b], .. } = counters;
    eprint!(
        "\r\x1b[K{} s: {messages} messages, {packets} packets, dropped A {} B {}",
        elapsed.as_secs(),
        a.dropped,
        b.dropped
    );
}

/// Packets a second that the operating system took of both lines, up to the last message.
fn rate(counters: &Counters) -> u64 {
    let sent: u64 = counters.lines.iter().map(|line| line.sent).sum();
    let micros = (counters.messages_ns / 1_000).max(1);
    sent.saturating_sub(counters.send_errors).saturating_mul(1_000_000) / micros
}

pub(super) fn report(outcome: &Outcome, as_json: bool) {
    let Outcome { counters, error, interrupted } = outcome;
    let Counters { messages, packets, lines: [a, b], send_errors, requests, snapshots, .. } =
        counters;
    if as_json {
        let object = json!({
            "messages": messages,
            "packets": packets,
            "elapsed_ms": counters.messages_ns / 1_000_000,
            "packets_per_second": rate(counters),
            "lines": { "a": line(a), "b": line(b) },
            "send_errors": send_errors,
            "requests": {
                "received": requests.received,
                "answered": requests.answered,
                "short": requests.short,
                "lost": requests.lost,
                "unavailable": requests.unavailable,
                "refused": requests.refused,
            },
            "snapshots": {
                "connections": snapshots.connections,
                "turned_away": snapshots.turned_away,
                "rejected": snapshots.rejected,
                "broken": snapshots.broken,
                "served": snapshots.served,
            },
            "interrupted": interrupted,
            "error": error,
        });
        println!("{object}");
        return;
    }
    eprintln!("{messages} messages, {packets} packets, {} packets/s by both lines", rate(counters));
    for (name, line) in [("A", a), ("B", b)] {
        let LineCounters { sent, dropped, duplicated, reordered } = line;
        eprintln!(
            "line {name}: {sent} sent, {dropped} dropped, {duplicated} twice, {reordered} late"
        );
    }
    eprintln!(
        "{} re-requests, {} answered; {} snapshots",
        requests.received, requests.answered, snapshots.served
    );
}

fn line(counters: &LineCounters) -> Value {
    json!({
        "sent": counters.sent,
        "dropped": counters.dropped,
        "duplicated": counters.duplicated,
        "reordered": counters.reordered,
    })
}
