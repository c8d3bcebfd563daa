//! The gate order by order: what one order waits for its verdict, warm and with caches that others used meanwhile.
//!
//! *warm*: one order after the other, the tables as small as the row says. *cold*: between two orders 64 MiB of memory are read.
//! That is more than the last level of cache of most machines holds, so that all that the order needs comes from memory; where
//! it holds more, which is told, that comes from there. Each time holds two readings of the clock; what those cost alone is the
//! first line. That nothing allocates is for `tests/tests/hot_path.rs` to show.

use std::hint::black_box;

use benches::floor::{Floor, ORDERS, Row};
use host::Clock;

/// Orders whose caches are taken away.
const COLD: usize = 400;
/// More than the last level of cache of most machines.
const EVICT_BYTES: usize = 64 << 20;

fn main() {
    let clock = Clock::start();
    let mut alone: Vec<u64> = (0..100_000).map(|_| between(&clock, || ())).collect();
    println!("nanoseconds an order            p50      p99    p99.9      max       n");
    line("two readings of the clock", &mut alone);
    let memory = vec![1_u8; EVICT_BYTES];
    // Reading several hundred MiB for each order would take hours.
    if let Some(cache) = last_cache_bytes().filter(|bytes| *bytes >= EVICT_BYTES) {
        println!(
            "cold: what the order needs may come from the last cache, which holds {} MiB",
            cache >> 20
        );
    }
    for (instruments, accounts) in [(1, 1), (100, 1), (10_000, 1), (1, 100), (100, 100)] {
        for all in [false, true] {
            let row = Row { instruments, accounts, all };
            measure(row, &clock, &memory);
        }
    }
}

/// Of the third level, which is index3 wherever instructions and data have a first level each; `None`: the kernel does not tell.
fn last_cache_bytes() -> Option<usize> {
    let size = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index3/size").ok()?;
    size.trim().strip_suffix('K')?.parse::<usize>().ok().map(|kib| kib << 10)
}

fn measure(row: Row, clock: &Clock, memory: &[u8]) {
    let name = row.name();
    let mut warm = Vec::with_capacity(20 * ORDERS);
    for _ in 0..20 {
        let mut floor = Floor::new(row);
        for number in 0..ORDERS {
            let time = between(clock, || floor.judge(number));
            if number >= ORDERS / 8 {
                warm.push(time);
            }
        }
    }
    line(&name, &mut warm);
    let mut cold = Vec::with_capacity(COLD);
    let mut floor = Floor::new(row);
    for number in 0..COLD {
        let read = memory.iter().step_by(64).map(|byte| u64::from(*byte)).sum::<u64>();
        black_box(read);
        cold.push(between(clock, || floor.judge(number)));
    }
    line("  cold", &mut cold);
}

fn between(clock: &Clock, work: impl FnOnce()) -> u64 {
    let before = clock.now_ns();
    work();
    clock.now_ns() - before
}

fn line(name: &str, times: &mut [u64]) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
    println!("{name:<28} {p50:>6} {p99:>8} {p999:>8} {max:>8} {:>7}", times.len());
}
