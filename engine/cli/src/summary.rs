//! What is said of a run at its end.

use std::time::Duration;

use engine::runtime::Finished;
use feeds::Counters;
use model::Reject;
use model::page::{FeedCounters, StageLatency};
use serde_json::{Map, Value, json};

/// One JSON object: of an engine, or of all shards by their names.
pub fn json_of(runs: &[(String, Finished)], took: Duration) -> Value {
    if let [(_, run)] = runs {
        return json(run, took);
    }
    let shards = runs.iter().map(|(name, run)| (name.clone(), json(run, took)));
    json!({ "shards": shards.collect::<Map<_, _>>() })
}

/// A line of each.
pub fn lines(runs: &[(String, Finished)], took: Duration) -> String {
    if let [(_, run)] = runs {
        return line(run, took) + "\n";
    }
    runs.iter().map(|(name, run)| format!("{name}: {}\n", line(run, took))).collect()
}

/// One JSON object.
pub fn json(run: &Finished, took: Duration) -> Value {
    let seconds = took.as_secs_f64();
    let mut stages = Map::new();
    for (name, latency) in run.stages.by_name() {
        let StageLatency { p50, p99, p999, max, count } = latency;
        let value =
            json!({ "p50_ns": p50, "p99_ns": p99, "p999_ns": p999, "max_ns": max, "n": count });
        stages.insert(name.into(), value);
    }
    let sum = |read: fn(&FeedCounters) -> u64| -> u64 { run.feeds.iter().map(read).sum() };
    let messages = sum(|feed| feed.messages);
    json!({
        "messages": messages,
        "bytes": sum(|feed| feed.bytes),
        "unknown_messages": sum(|feed| feed.unknown),
        "bad_messages": sum(|feed| feed.bad),
        "lost": sum(|feed| feed.lost),
        "cut_files": run.feed.cut,
        "rejected_packets": run.feed.rejected,
        "foreign_packets": run.feed.foreign,
        "late_packets": run.feed.late,
        "untimed_packets": run.feed.untimed,
        "unlisted_messages": run.feed.unlisted,
        "feeds": run.feeds.iter().map(feed_json).collect::<Vec<_>>(),
        "seconds": seconds,
        "messages_per_second": (messages as f64 / seconds.max(1e-9)).round(),
        "books": run.engine.instruments().len(),
        "live_orders": run.engine.live_orders(),
        "verdicts": verdicts(run),
        "stages": stages,
        "state_hash": format!("{:016x}", run.engine.state_hash()),
    })
}

/// A live feed in one line: what came by each of its lines, and what it took to make it whole.
pub fn feed(feed: &FeedCounters) -> String {
    let FeedCounters { messages, lost, gaps, requests, recovered, snapshots, passed_over, .. } =
        feed;
    let mut text = format!("{messages} messages");
    for (name, line) in ["A", "B"].into_iter().zip(&feed.lines).filter(|(_, line)| line.packets > 0)
    {
        text += &format!(", line {name} first with {} and without {}", line.wins, line.losses);
    }
    text + &format!(
        "; {gaps} gaps, {requests} re-requests brought {recovered}, {snapshots} snapshots over {passed_over}, {lost} lost, \
         {} dropped",
        feed.dropped()
    )
}

/// The same for programs.
fn feed_json(feed: &FeedCounters) -> Value {
    let lines = feed.lines.map(|line| {
        json!({
            "packets": line.packets, "first": line.wins, "duplicates": line.duplicates,
            "losses": line.losses, "skew_ns_max": line.skew_ns_max, "dropped": line.dropped,
            "errors": line.errors,
        })
    });
    json!({
        "messages": feed.messages, "bytes": feed.bytes, "unknown": feed.unknown, "bad": feed.bad,
        "lost": feed.lost, "gaps": feed.gaps, "requests": feed.requests, "recovered": feed.recovered,
        "snapshots": feed.snapshots, "passed_over": feed.passed_over, "dropped": feed.dropped(),
        "connects": feed.connects, "lines": lines,
    })
}

/// Verdicts by reason, `passed` first.
fn verdicts(run: &Finished) -> Map<String, Value> {
    let mut verdicts = Map::new();
    verdicts.insert("passed".into(), run.engine.passed().into());
    for (code, count) in Reject::counts(run.engine.refused()) {
        verdicts.insert(code.name().into(), count.into());
    }
    verdicts
}

/// One line.
pub fn line(run: &Finished, took: Duration) -> String {
    let refused: u64 = run.engine.refused().iter().sum();
    let sum = |read: fn(&FeedCounters) -> u64| -> u64 { run.feeds.iter().map(read).sum() };
    let messages = sum(|feed| feed.messages);
    let rate = messages as f64 / took.as_secs_f64().max(1e-9);
    format!(
        "{} messages in {:.1} s ({}/s), {} unknown, {} bad, {} lost{}; {} books, {} live orders; {} orders passed, \
         {} refused; state hash {:016x}",
        messages,
        took.as_secs_f64(),
        short(rate),
        sum(|feed| feed.unknown),
        sum(|feed| feed.bad),
        sum(|feed| feed.lost),
        left_out(&run.feed),
        run.engine.instruments().len(),
        run.engine.live_orders(),
        run.engine.passed(),
        refused,
        run.engine.state_hash(),
    )
}

/// What of captures was not read, where there is such.
fn left_out(seen: &Counters) -> String {
    let Counters { cut, rejected, foreign, late, untimed, unlisted, .. } = *seen;
    [
        (cut, "files cut off"),
        (rejected, "packets rejected"),
        (foreign, "foreign"),
        (late, "late"),
        (untimed, "without time"),
        (unlisted, "messages unlisted"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!(", {count} {what}"))
    .collect()
}

/// A table of the stages.
pub fn stages<'a>(stages: impl Iterator<Item = (&'a str, StageLatency)>) -> String {
    let mut text =
        String::from("stage            p50 ns    p99 ns  p99.9 ns      max ns        n\n");
    for (name, latency) in stages.filter(|(_, latency)| latency.count > 0) {
        let StageLatency { p50, p99, p999, max, count } = latency;
        text += &format!("{name:<12} {p50:>10} {p99:>9} {p999:>9} {max:>11} {count:>8}\n");
    }
    text
}

/// A rate in three digits and a letter.
pub fn short(rate: f64) -> String {
    match rate {
        r if r >= 1e6 => format!("{:.2} M", r / 1e6),
        r if r >= 1e3 => format!("{:.1} k", r / 1e3),
        r => format!("{r:.0}"),
    }
}
