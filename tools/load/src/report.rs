//! What a run came to.

use std::fmt::{self, Display, Formatter};

use model::page::{FeedCounters, StageLatency};
use serde_json::{Value, json};
use sim::net::Counters;

use crate::{Plan, Usage};

/// Packets in a million that the kernel may drop in a run that passes.
const DROPPED_PER_MILLION: u64 = 100;

/// What a run came to: what the venue did, what the engine saw of it, and whether the books are those of the file.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was asked.
    pub plan: Plan,
    /// What the venue did.
    pub sent: Counters,
    /// What the engine saw.
    pub feed: FeedCounters,
    /// Bytes that the kernel buffered for each line.
    pub granted: usize,
    /// Who had the processors while the venue published.
    pub usage: Usage,
    /// Latency by stage in the engine.
    pub stages: Vec<(&'static str, StageLatency)>,
    /// Hash of the books and trades that the file makes.
    pub clean_hash: u64,
    /// Hash of those that the lines made.
    pub hash: u64,
    /// Orders that rest in the books of the file, and in those of the lines.
    pub orders: [usize; 2],
}

impl Report {
    /// Packets that the venue sent by both lines.
    pub fn packets(&self) -> u64 {
        self.sent.lines.iter().map(|line| line.sent).sum::<u64>() - self.sent.send_errors
    }

    /// Packets a second that the venue made for both lines, up to the last message: also those that it lost on purpose.
    pub fn rate(&self) -> u64 {
        let lost: u64 = self.sent.lines.iter().map(|line| line.dropped).sum();
        let made = self.packets() + lost;
        made.saturating_mul(1_000_000) / (self.sent.messages_ns / 1_000).max(1)
    }

    /// Packets of each line that were sent, and neither reached the session nor were counted by the kernel as dropped.
    pub fn untold(&self) -> [i64; 2] {
        let mut lines = self.sent.lines.iter().zip(&self.feed.lines);
        std::array::from_fn(|_| {
            lines.next().map_or(0, |(sent, seen)| {
                sent.sent.cast_signed() - (seen.packets + seen.dropped).cast_signed()
            })
        })
    }

    /// Why the run does not pass, in words; none: it passes.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |right: bool, fault: String| {
            if !right {
                faults.push(fault);
            }
        };
        let (asked, rate) = (u64::from(self.plan.rate), self.rate());
        check(rate * 100 >= asked * 99, format!("the venue made {rate} packets/s, not {asked}"));
        let (packets, dropped) = (self.packets(), self.feed.dropped());
        check(
            dropped * 1_000_000 <= packets * DROPPED_PER_MILLION,
            format!("the kernel dropped {dropped} of {packets} packets"),
        );
        let untold = self.untold();
        check(untold == [0, 0], format!("{untold:?} packets of the lines are told by nobody"));
        let FeedCounters { lost, bad, .. } = self.feed;
        check(lost == 0, format!("{lost} messages were lost for good"));
        check(bad == 0, format!("{bad} messages could not be decoded"));
        check(self.is_equal(), "the books are not those of the file".into());
        faults
    }

    /// Whether the books are those of the file, and not empty.
    pub fn is_equal(&self) -> bool {
        let [clean, live] = self.orders;
        self.hash == self.clean_hash && clean == live && clean > 0
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let lines = self.sent.lines.iter().zip(&self.feed.lines).zip(self.untold());
        let lines: Vec<Value> = lines.map(|((sent, seen), untold)| json!({
            "sent": sent.sent, "lost_on_purpose": sent.dropped, "received": seen.packets,
            "dropped": seen.dropped, "untold": untold, "first": seen.wins,
            "duplicates": seen.duplicates, "losses": seen.losses, "skew_ns_max": seen.skew_ns_max,
        })).collect();
        let FeedCounters { messages, lost, bad, gaps, requests, recovered, snapshots, .. } =
            self.feed;
        let stages = self.stages.iter().map(|(name, stage)| {
            (name.to_string(), json!({ "p50": stage.p50, "p99": stage.p99, "max": stage.max }))
        });
        json!({
            "seconds": self.plan.seconds, "rate_asked": self.plan.rate, "rate_made": self.rate(),
            "packet_messages": self.plan.packet_messages, "late": self.sent.late, "late_ns_max": self.sent.late_ns_max,
            "send_errors": self.sent.send_errors, "packets": self.packets(), "lines": lines,
            "messages": messages, "gaps": gaps, "requests": requests, "recovered": recovered,
            "snapshots": snapshots, "passed_over": self.feed.passed_over, "lost": lost, "bad": bad,
            "receive_buffer_asked": self.plan.receive_buffer, "receive_buffer": self.granted,
            "hash": format!("{:016x}", self.hash), "clean_hash": format!("{:016x}", self.clean_hash),
            "orders": self.orders[1], "equal": self.is_equal(),
            "stages_ns": stages.collect::<serde_json::Map<_, _>>(),
            "cpus": self.usage.cpus, "others": self.usage.others, "load": self.usage.load,
            "threads": self.usage.threads.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "faults": self.faults(),
        })
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { plan, sent, feed, .. } = self;
        writeln!(
            f,
            "packets/s   {} asked, {} made in {:.2} s; {} packets over 1 ms behind the schedule, at most {:.1} ms",
            plan.rate,
            self.rate(),
            sent.messages_ns as f64 / 1e9,
            sent.late,
            sent.late_ns_max as f64 / 1e6,
        )?;
        writeln!(
            f,
            "line          sent  received  dropped  untold     first  duplicates   losses"
        )?;
        let lines = sent.lines.iter().zip(&feed.lines).zip(self.untold());
        for (name, ((sent, seen), untold)) in ["A", "B"].into_iter().zip(lines) {
            writeln!(
                f,
                "{name} {:>16} {:>9} {:>8} {untold:>7} {:>9} {:>11} {:>8}",
                sent.sent, seen.packets, seen.dropped, seen.wins, seen.duplicates, seen.losses
            )?;
        }
        let FeedCounters { messages, lost, gaps, requests, recovered, snapshots, .. } = feed;
        writeln!(
            f,
            "messages    {messages}; {gaps} gaps, {requests} re-requests brought {recovered}, {snapshots} snapshots, {lost} lost"
        )?;
        let equal = if self.is_equal() { "equal" } else { "DIFFERENT" };
        writeln!(
            f,
            "books       {:016x}, of the file {:016x}: {equal}; {} orders",
            self.hash, self.clean_hash, self.orders[1]
        )?;
        writeln!(
            f,
            "buffer      {} KiB a line asked, {} KiB given",
            plan.receive_buffer >> 10,
            self.granted >> 10
        )?;
        write!(f, "processors ")?;
        for (thread, share) in &self.usage.threads {
            write!(f, " {thread} {share:.2},")?;
        }
        let usage = &self.usage;
        write!(f, " others {:.2}, of {}; load {:.1}", usage.others, usage.cpus, usage.load)
    }
}

#[cfg(test)]
mod tests {
    use model::page::LineCounters;

    use super::*;

    /// A second of 1,000 packets asked for, of which the venue made so many a line and lost so many of these on purpose.
    fn report(made: u64, lost: u64) -> Report {
        let (mut sent, mut feed) = (Counters::default(), FeedCounters::default());
        sent.messages_ns = 1_000_000_000;
        for (sent, seen) in sent.lines.iter_mut().zip(&mut feed.lines) {
            (sent.sent, sent.dropped) = (made - lost, lost);
            *seen = LineCounters { packets: made - lost, ..LineCounters::default() };
        }
        Report {
            plan: Plan { rate: 1_000, seconds: 1, ..Plan::default() },
            sent,
            feed,
            granted: 0,
            usage: Usage::default(),
            stages: Vec::new(),
            clean_hash: 1,
            hash: 1,
            orders: [1, 1],
        }
    }

    /// Goal: the venue is held to the packets that it was to make, not to those that it did not lose on purpose. Method: all of
    /// them, lost and not, the fewest that pass, and one fewer.
    #[test]
    fn what_is_lost_on_purpose_was_made() {
        for (made, lost, faults) in [(500, 0, 0), (500, 100, 0), (495, 20, 0), (494, 20, 1)] {
            let report = report(made, lost);
            assert_eq!(report.faults().len(), faults, "{made} {lost}: {:?}", report.faults());
        }
    }
}
