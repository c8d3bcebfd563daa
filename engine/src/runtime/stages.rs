//! Latency by stage: measured on the hot threads by samples, counted on the housekeeping thread.

use hdrhistogram::Histogram;
use model::page::{STAGES, StageLatency};

/// One message in this many is measured, so that the clock does not become the cost.
pub(super) const SAMPLE_EVERY: u64 = 64;
/// The longest latency that is told apart, nanoseconds.
const LONGEST_NS: u64 = 60_000_000_000;

/// Places of the stages in [`STAGES`].
pub(super) const DECODE: usize = 0;
pub(super) const BOOK: usize = 1;
pub(super) const INDICATORS: usize = 2;
pub(super) const GATE: usize = 3;
pub(super) const PUBLISH: usize = 4;
pub(super) const HOLD: usize = 5;

/// One measurement: stage and nanoseconds.
pub(super) type Sample = (u8, u64);

/// Where a hot thread leaves its samples. One that finds no room is not counted.
pub(super) struct Samples(rtrb::Producer<Sample>);

impl Samples {
    pub fn ring() -> (Samples, rtrb::Consumer<Sample>) {
        let (to, from) = rtrb::RingBuffer::new(1 << 14);
        (Samples(to), from)
    }

    pub fn record(&mut self, stage: usize, ns: u64) {
        let _ = self.0.push((stage as u8, ns));
    }
}

/// A histogram for each stage, in the order of [`STAGES`].
pub struct StageHistograms(Vec<Histogram<u64>>);

impl StageHistograms {
    pub(super) fn new() -> StageHistograms {
        let histogram = || Histogram::new_with_bounds(1, LONGEST_NS, 3).ok();
        StageHistograms(STAGES.iter().filter_map(|_| histogram()).collect())
    }

    /// Counts what waits in the ring.
    pub(super) fn collect(&mut self, ring: &mut rtrb::Consumer<Sample>) {
        while let Ok((stage, ns)) = ring.pop() {
            if let Some(histogram) = self.0.get_mut(usize::from(stage)) {
                histogram.saturating_record(ns.max(1));
            }
        }
    }

    /// Each stage with its name.
    pub fn by_name(&self) -> impl Iterator<Item = (&'static str, StageLatency)> + '_ {
        STAGES.into_iter().zip(self.0.iter().map(summary))
    }

    pub(super) fn page(&self) -> [StageLatency; STAGES.len()] {
        let mut page = [StageLatency::default(); STAGES.len()];
        for (place, (_, latency)) in page.iter_mut().zip(self.by_name()) {
            *place = latency;
        }
        page
    }
}

/// The percentiles that we speak of.
pub fn summary(histogram: &Histogram<u64>) -> StageLatency {
    let at =
        |quantile| if histogram.is_empty() { 0 } else { histogram.value_at_quantile(quantile) };
    StageLatency {
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        max: histogram.max(),
        count: histogram.len(),
    }
}
