//! How a stage is timed, and held against its bound.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use rustix::time::{ClockId, clock_gettime};

/// Time for the processor to come up to speed and for caches to fill.
const WARM_UP: Duration = Duration::from_millis(200);
/// Time for the rounds of a stage, with those of its bound and their set-up.
const MEASUREMENT: Duration = Duration::from_millis(1_200);

/// One timed run over a number of operations.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// How long it took, without its set-up.
    pub took: Duration,
    /// How many operations it was.
    pub operations: usize,
}

impl Round {
    /// A round of pieces of `operations` each, that were timed one by one and all count as the median one: a sum would
    /// hold whatever the kernel did meanwhile.
    pub fn of_pieces(pieces_ns: &mut [u64], operations: usize) -> Round {
        let count = pieces_ns.len();
        let took = median(pieces_ns).unwrap_or(0) * count as u64;
        Round { took: Duration::from_nanos(took), operations: count * operations }
    }

    fn ns_each(&self) -> f64 {
        self.took.as_secs_f64() * 1e9 / self.operations.max(1) as f64
    }
}

/// Times `work` by what this thread ran on its processor, so that the other programs of a busy machine count less.
pub fn on_cpu(operations: usize, work: impl FnOnce()) -> Round {
    let start = thread_time();
    work();
    Round { took: thread_time().saturating_sub(start), operations }
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Criterion as all benches use it: few samples, because each is many rounds, and `compare` prints medians.
pub fn criterion() -> Criterion {
    let short = Criterion::default().sample_size(10).nresamples(10_000);
    short.warm_up_time(WARM_UP).measurement_time(MEASUREMENT).configure_from_args()
}

/// Measures `STAGE/NAME` with Criterion, a round of the bound before each of its rounds, and prints the ratio of the
/// medians of all rounds. The first round of each only warms up.
pub fn compare(
    criterion: &mut Criterion,
    [stage, name]: [&str; 2],
    (bound_name, mut bound): (&str, impl FnMut() -> Round),
    mut measured: impl FnMut() -> Round,
) {
    bound();
    let operations = measured().operations as u64;
    let (mut bounds, mut rounds) = (Vec::new(), Vec::new());
    let mut group = criterion.benchmark_group(stage);
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(operations));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let each = (0..iterations).map(|_| {
                bounds.push(bound().ns_each());
                let round = measured();
                rounds.push(round.ns_each());
                round.took
            });
            each.sum()
        });
    });
    group.finish();
    print_ratio([stage, name], bound_name, &mut bounds, &mut rounds);
}

/// The same for a stage whose set-up is so dear that Criterion's many rounds would take hours: `times` rounds of each, by
/// turns, and the ratio of their medians.
pub fn compare_few(
    times: usize,
    [stage, name]: [&str; 2],
    (bound_name, mut bound): (&str, impl FnMut() -> Round),
    mut measured: impl FnMut() -> Round,
) {
    let (mut bounds, mut rounds) = (Vec::new(), Vec::new());
    for _ in 0..times {
        bounds.push(bound().ns_each());
        rounds.push(measured().ns_each());
    }
    print_ratio([stage, name], bound_name, &mut bounds, &mut rounds);
}

fn print_ratio([stage, name]: [&str; 2], bound_name: &str, bounds: &mut [f64], rounds: &mut [f64]) {
    let n = rounds.len();
    if let (Some(bound), Some(round)) = (median(bounds), median(rounds)) {
        let ratio = round / bound;
        println!(
            "ratio {stage}/{name} {ratio:.1} × {bound_name} (median {round:.3} ns / {bound:.3} ns, n={n})"
        );
    }
}

/// The middle value; `None` of nothing.
fn median<T: Copy + PartialOrd>(values: &mut [T]) -> Option<T> {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}
