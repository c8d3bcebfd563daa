//! What is made of the stamps: one histogram for each stage, and for each way from tick to an end of it.

use hdrhistogram::Histogram;
use hdrhistogram::iterators::IterationValue;
use serde::{Deserialize, Serialize};

use crate::watch::{Arrived, Stepped};

/// The longest latency that is told apart, nanoseconds.
const LONGEST_NS: u64 = 60_000_000_000;

/// What a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One stage, from its stamp before to its own.
    Stage,
    /// From when the message was due: all waiting counts.
    Response,
    /// From when the feed thread had its bytes.
    Received,
    /// Only the work on this very event, on both threads: no waiting counts. Of events of one message or packet, which is decoded
    /// whole, the first has it.
    Service,
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name in the report.
    pub name: &'static str,
    /// What it is of.
    pub kind: Kind,
    /// From where to where.
    pub from_to: &'static str,
    /// Whether feed and engine thread have a part in it.
    pub threads: [bool; 2],
}

const FEED: [bool; 2] = [true, false];
const ENGINE: [bool; 2] = [false, true];
const BOTH: [bool; 2] = [true, true];

const fn row(name: &'static str, kind: Kind, from_to: &'static str, threads: [bool; 2]) -> Row {
    Row { name, kind, from_to, threads }
}

/// All rows, in the order of the report.
pub const ROWS: [Row; 16] = [
    row("late", Kind::Stage, "due → T0", FEED),
    row("decode", Kind::Stage, "T0 → T1", FEED),
    row("ring", Kind::Stage, "T1 → taken", BOTH),
    row("book", Kind::Stage, "taken → T2", ENGINE),
    row("indicators", Kind::Stage, "T2 → T3", ENGINE),
    row("verdict", Kind::Stage, "T3 → T4", ENGINE),
    row("hand-over", Kind::Stage, "T4 → T5", ENGINE),
    row("tick to indicators", Kind::Response, "due → T3", BOTH),
    row("tick to indicators", Kind::Received, "T0 → T3", BOTH),
    row("tick to indicators", Kind::Service, "work to T3", BOTH),
    row("tick to verdict", Kind::Response, "due → T4", BOTH),
    row("tick to verdict", Kind::Received, "T0 → T4", BOTH),
    row("tick to verdict", Kind::Service, "work to T4", BOTH),
    row("tick to hand-over", Kind::Response, "due → T5", BOTH),
    row("tick to hand-over", Kind::Received, "T0 → T5", BOTH),
    row("tick to hand-over", Kind::Service, "work to T5", BOTH),
];
/// Places of what the report speaks of most.
pub const INDICATORS_RESPONSE: usize = 7;
/// Tick to verdict, response.
pub const VERDICT_RESPONSE: usize = 10;
/// Tick to verdict, service.
pub const VERDICT_SERVICE: usize = 12;

/// Nanoseconds of each row, of one event; `None`: it had no such part.
pub fn of(arrived: &Arrived, stepped: &Stepped) -> [Option<u64>; ROWS.len()] {
    let Arrived { due, received, decoded, is_first } = *arrived;
    let Stepped { taken, book, indicators, verdict, handed } = *stepped;
    let there = |stamp: u64| (stamp > 0).then_some(stamp);
    let between = |from: Option<u64>, to: u64| Some(there(to)?.saturating_sub(from?));
    // A stage begins where the one before it that took place ended.
    let before = |stamps: &[u64]| stamps.iter().rev().copied().find_map(there);
    let (due, received) = (there(due), Some(received));
    let begun = received.filter(|_| is_first);
    let service = |to: u64| Some(decoded.saturating_sub(begun?) + between(Some(taken), to)?);
    [
        due.map(|due| received.unwrap_or(due).saturating_sub(due)),
        between(received, decoded),
        between(Some(decoded), taken),
        between(Some(taken), book),
        between(before(&[taken, book]), indicators),
        between(before(&[taken, book, indicators]), verdict),
        between(there(verdict), handed),
        between(due, indicators),
        between(received, indicators),
        service(indicators),
        between(due, verdict),
        between(received, verdict),
        service(verdict),
        between(due, handed),
        between(received, handed),
        service(handed),
    ]
}

/// A histogram for each row.
#[derive(Clone, Debug)]
pub struct Histograms(Vec<Histogram<u64>>);

/// The same as pairs of value and count, as it goes from process to process.
pub type Counts = Vec<Vec<(u64, u64)>>;

impl Default for Histograms {
    fn default() -> Histograms {
        let histogram = || Histogram::new_with_bounds(1, LONGEST_NS, 3).ok();
        Histograms(ROWS.iter().filter_map(|_| histogram()).collect())
    }
}

impl Histograms {
    /// Counts an event.
    pub fn count(&mut self, rows: &[Option<u64>; ROWS.len()]) {
        for (histogram, ns) in self.0.iter_mut().zip(rows) {
            if let Some(ns) = ns {
                histogram.saturating_record((*ns).max(1));
            }
        }
    }

    /// Of a row.
    pub fn get(&self, row: usize) -> Option<&Histogram<u64>> {
        self.0.get(row)
    }

    /// Adds what another round counted.
    pub fn add(&mut self, counts: &Counts) {
        for (histogram, counts) in self.0.iter_mut().zip(counts) {
            counts.iter().for_each(|(value, count)| histogram.saturating_record_n(*value, *count));
        }
    }

    /// To hand them to another process. Values are the upper ends of their classes, which is what percentiles are read from.
    pub fn counts(&self) -> Counts {
        let pairs = |histogram: &Histogram<u64>| -> Vec<(u64, u64)> {
            let recorded = histogram.iter_recorded();
            let pair = |step: IterationValue<u64>| {
                (step.value_iterated_to(), step.count_since_last_iteration())
            };
            recorded.map(pair).collect()
        };
        self.0.iter().map(pairs).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goal: the stages of an event add up to its way, and a stage that did not take place is no row. Method: any stamps in
    /// order, with any of the later ones missing.
    fn ways() -> impl Strategy<Value = (Arrived, Stepped)> {
        (proptest::collection::vec(1_u64..1_000_000, 8), proptest::array::uniform5(any::<bool>()))
            .prop_map(|(steps, has)| {
                let mut now = 0;
                let mut at = |place: usize| {
                    now += steps.get(place).copied().unwrap_or(1);
                    now
                };
                let (due, received, decoded) = (at(0), at(1), at(2));
                let (taken, book, indicators, verdict, handed) =
                    (at(3), at(4), at(5), at(6), at(7));
                let if_has = |place: usize, stamp| if has[place] { stamp } else { 0 };
                let stepped = Stepped {
                    taken,
                    book: if_has(0, book),
                    indicators: if_has(1, indicators),
                    verdict: if_has(2, verdict),
                    handed: if has[2] { if_has(3, handed) } else { 0 },
                };
                (Arrived { due, received, decoded, is_first: has[4] }, stepped)
            })
    }

    proptest! {
        #[test]
        fn stages_add_up((arrived, stepped) in ways()) {
            let rows = of(&arrived, &stepped);
            let stages = |count: usize| rows[..count].iter().flatten().sum::<u64>();
            for (stamp, stages, response) in [
                (stepped.indicators, stages(5), rows[INDICATORS_RESPONSE]),
                (stepped.verdict, stages(6), rows[VERDICT_RESPONSE]),
                (stepped.handed, stages(7), rows[13]),
            ] {
                prop_assert_eq!(response, (stamp > 0).then(|| stamp - arrived.due));
                prop_assert_eq!(response.unwrap_or(stages), stages);
            }
            for target in [7, 10, 13] {
                let [response, received, service] = [rows[target], rows[target + 1], rows[target + 2]];
                let late = arrived.received - arrived.due;
                let ring = stepped.taken - arrived.decoded;
                prop_assert_eq!(received.map(|ns| ns + late), response);
                let of_first = received.filter(|_| arrived.is_first);
                prop_assert_eq!(service.map(|ns| ns + ring), of_first);
            }
        }

        /// Goal: what goes from process to process is what was counted. Method: any values, counted here, and there in two
        /// halves.
        #[test]
        fn histograms_travel(values in proptest::collection::vec(0_u64..100_000_000_000, 1..100)) {
            let (mut whole, mut halves) = (Histograms::default(), [Histograms::default(), Histograms::default()]);
            for (place, value) in values.iter().enumerate() {
                whole.count(&[Some(*value); ROWS.len()]);
                halves[place % 2].count(&[Some(*value); ROWS.len()]);
            }
            let mut sum = Histograms::default();
            halves.iter().for_each(|half| sum.add(&half.counts()));
            for row in 0..ROWS.len() {
                let [whole, sum] = [&whole, &sum].map(|all| all.get(row).unwrap());
                prop_assert_eq!(whole.len(), sum.len());
                for quantile in [0.0, 0.5, 0.9, 0.99, 1.0] {
                    prop_assert_eq!(whole.value_at_quantile(quantile), sum.value_at_quantile(quantile));
                }
            }
        }
    }

    /// Goal: without a pace nothing is due, so there is no response; work is there all the same. Method: one event.
    #[test]
    fn no_pace_no_response() {
        let arrived = Arrived { due: 0, received: 100, decoded: 110, is_first: true };
        let stepped = Stepped { taken: 200, verdict: 260, ..Stepped::default() };
        let rows = of(&arrived, &stepped);
        assert_eq!(
            (rows[0], rows[VERDICT_RESPONSE], rows[VERDICT_SERVICE]),
            (None, None, Some(70))
        );
    }
}
