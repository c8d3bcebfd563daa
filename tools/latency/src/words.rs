//! What both reports for people say: units, names, how to read them.

use doctor::Together;
use engine::config::Speed;

use crate::machine::Machine;
use crate::meter::Cost;
use crate::round::Round;
use crate::rows::Kind;
use crate::subject::Facts;

/// The stamps.
pub const STAMPS: [(&str, &str); 8] = [
    (
        "due",
        "when the message is scheduled: its recorded receive time at this pace, whatever the threads are doing",
    ),
    ("T0", "received: the feed thread has its bytes and has decoded nothing of them"),
    (
        "T1",
        "decoded, right before the event goes into the ring; of events of one packet or text also behind those before it",
    ),
    ("taken", "the engine thread takes it from the ring; from T1 on this is another core's clock"),
    ("T2", "the book is up to date"),
    ("T3", "quotes, trades and indicators are up to date"),
    ("T4", "the gate has judged the order that the strategy sends on this event"),
    (
        "T5",
        "the paper venue has that order and has matched it against the book; its reports are booked after that",
    ),
];

/// How to read the tables.
pub const READING: [&str; 6] = [
    "Response counts from when the message was due, so all waiting is in it, also that of a sender that is late: it \
     skips nothing (no coordinated omission). T0 counts from when the feed thread had the bytes. Service is the work on \
     that very event on both threads, without any waiting. A packet or text is decoded whole before its first event goes on: \
     of its events that one alone has a service, with all of that in it.",
    "Percentiles of stages do not add up to that of the whole: each row has a histogram of its own (3 digits).",
    "A percentile is shown if at least 100 samples lie beyond it (else: —n), and if the cores of its threads stood still \
     for at most half of the share of time that lies beyond it (else: —h): otherwise it would be the machine's figure.",
    "Hiccups are gaps over 1 µs between two looks at the clock: of the hot threads themselves whenever they have nothing \
     else to do, in the window and on its cores; and of threads that do nothing but look, on the same cores right before \
     and after. The greater share of both counts.",
    "Undisturbed are events in whose life, to the millisecond, and in the millisecond before, neither hot thread saw a \
     gap over 10 µs; none are if these watched less than half of the window or saw more such gaps than are kept, nor in \
     rounds before or after which both cores were threads of one. Which ones these are is told by the \
     meters alone, never by their latency.",
    "Every stamp is a look at the clock and adds its time; it is not taken off. Clocks of two cores are compared in what \
     begins on the feed thread and ends on the engine thread: they agree as far as the processor's counters do.",
];

/// What memory costs the cores.
pub fn memory(machine: &Machine) -> Option<String> {
    let [rest, touch] = machine.long_gaps?;
    let gaps = format!(
        "a core that touches {} MiB of its own has {touch} gaps over 100 µs a second, at rest {rest}",
        doctor::TOUCHED_BYTES >> 20,
    );
    Some(match doctor::is_memory_kept(rest, touch) {
        true => gaps,
        false => format!(
            "{gaps}: the host takes this guest's memory, and no meter of a window sees that an event waited for its own, not \
             even of those that are called undisturbed"
        ),
    })
}

/// What the cores took from each other before and after each round; `None`: not measured.
pub fn together(rounds: &[Round]) -> Option<String> {
    let measured = || rounds.iter().flat_map(|round| round.together).flatten();
    let Together { one, other, .. } = measured().next()?;
    let factors: Vec<String> = measured().map(|of| doctor::factor(of.median_percent)).collect();
    let said = format!(
        "before and after each round, work on core {one} took {} times as long while core {other} worked",
        factors.join(", ")
    );
    Some(match rounds.iter().all(Round::is_apart) {
        true => said,
        false => format!(
            "{said}: these cores are threads of one at times, and share it then, which no hiccup shows"
        ),
    })
}

/// Whether messages come at a pace.
pub fn is_open(speed: Speed) -> bool {
    speed != Speed::Max
}

/// A pace as it is typed: `1`, `2.5`, `max`.
pub fn factor(speed: Speed) -> String {
    let text = speed.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A pace in words.
pub fn pace(speed: Speed) -> String {
    match speed {
        Speed::Max => {
            "as fast as it goes (closed loop: throughput and service time, no response)".into()
        }
        Speed::Times(1000) => "at the recorded pace".into(),
        times => format!("at {} times the recorded pace", factor(times)),
    }
}

/// Nanoseconds in three digits.
pub fn ns(ns: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let value = ns as f64 / unit as f64;
        let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        format!("{value:.digits$} {name}")
    };
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => scaled(1_000, "µs"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "ms"),
        _ => scaled(1_000_000_000, "s"),
    }
}

/// Millionths as a share.
pub fn share(ppm: u64) -> String {
    let percent = ppm as f64 / 10_000.0;
    let digits = if percent >= 10.0 {
        1
    } else if percent >= 0.1 {
        2
    } else {
        4
    };
    format!("{percent:.digits$} %")
}

/// A count with its thousands apart.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a row is of.
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Stage => "",
        Kind::Response => "response",
        Kind::Received => "from T0",
        Kind::Service => "service",
    }
}

/// A time of day, of nanoseconds since the UNIX epoch.
pub fn time_of_day(ts: u64) -> String {
    let ms = ts / 1_000_000 % 86_400_000;
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1_000)
}

/// How the program was built.
pub const fn build(optimised: bool) -> &'static str {
    if optimised {
        "optimised"
    } else {
        "NOT OPTIMISED: figures of a debug build are not the product's"
    }
}

/// So many rounds.
pub fn rounds(count: usize) -> String {
    if count == 1 { "one round".into() } else { format!("{count} rounds") }
}

/// What was played, in one line.
pub fn captures(facts: &Facts) -> String {
    let Facts { files, venue, events, bytes, .. } = facts;
    format!("{} ({venue}, {} events, {} bytes)", files.join(", "), count(*events), count(*bytes))
}

/// What a thread took, in one line.
pub fn cost(cost: Option<&Cost>) -> String {
    let Some(Cost { allocations, faults, preempted, calls }) = cost else {
        return "not counted: the window did not end".into();
    };
    let calls = match calls {
        Ok(calls) => format!("{calls} system calls"),
        Err(why) => format!("system calls not counted: {why}"),
    };
    format!("{allocations} allocations, {faults} page faults, {calls}, preempted {preempted} times")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: figures are read as they are meant. Method: edges of each unit.
    #[test]
    fn figures() {
        assert_eq!(
            [999, 1_000, 99_949, 123_456].map(ns),
            ["999 ns", "1.00 µs", "99.9 µs", "123 µs"]
        );
        assert_eq!([4_700_000, 2_000_000_000].map(ns), ["4.70 ms", "2.00 s"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        let paces = ["1", "2.5", "100", "0.001", "max"];
        assert_eq!(paces.map(|text| factor(Speed::parse(text).unwrap())), paces);
        assert_eq!([500_000, 1_234, 7].map(share), ["50.0 %", "0.12 %", "0.0007 %"]);
        assert_eq!(time_of_day(86_400_000_000_000 + 34_200_500_000_000), "09:30:00.500");
    }

    /// Goal: what the cores took from each other is told of each round, and what that means where it is much. Method: two rounds
    /// of cores of their own, one more of threads of one core, and one in which nothing was measured.
    #[test]
    fn cores_that_are_threads() {
        let of = |median_percent| {
            Some(Together { one: 2, other: 3, median_percent, ..Together::default() })
        };
        let mut rounds = vec![Round { together: [of(100), of(103)], ..Round::default() }];
        let said = together(&rounds).unwrap();
        assert!(said.contains("core 2 took 1.00, 1.03 times as long while core 3"), "{said}");
        rounds.push(Round { together: [of(199), None], ..Round::default() });
        let said = together(&rounds).unwrap();
        assert!(said.contains("1.03, 1.99 times") && said.contains("threads of one"), "{said}");
        assert_eq!(together(&[Round::default()]), None);
    }
}
