use super::*;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Goal: the clock shows CLOCK_MONOTONIC and the wall clock. Method: bracket a reading of ours by
/// readings of theirs, again after a correction; 50 µs allow for the error of ten milliseconds of
/// calibration.
#[test]
fn follows_the_kernel() {
    let mut clock = Clock::start();
    for _ in 0..3 {
        let near = (0..1000).any(|_| {
            let before = monotonic_ns();
            let shown = clock.now_ns();
            let after = monotonic_ns();
            before <= shown + 50_000 && shown <= after + 50_000 && after - before < 20_000
        });
        assert!(near);
        std::thread::sleep(Duration::from_millis(120));
        clock.correct();
    }
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert!(clock.wall_ns().abs_diff(wall) < 50_000_000);
}

/// Goal: time never steps back on one processor, across corrections too. Method: read for 300 ms,
/// correct in between.
#[test]
fn never_steps_back() {
    let clock = std::thread::spawn(|| {
        crate::pin_current(*crate::cpus().first().unwrap());
        let mut clock = Clock::start();
        let start = Instant::now();
        let mut last = 0;
        while start.elapsed() < Duration::from_millis(300) {
            for _ in 0..1000 {
                let now = clock.now_ns();
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
            clock.correct();
        }
        clock
    });
    println!("counter in use: {}", clock.join().unwrap().uses_counter());
}

/// Goal: a wrong rate is bent back without a step, a long sleep is jumped over, a counter that
/// stands still changes nothing. Method: a made-up counter of one tick a nanosecond, off by a known
/// amount.
#[test]
fn corrections() {
    const ONE: u64 = 1 << 32;
    let line = |ns| Counter { base: (0, ns), rate: ONE, seen: (0, 0) };
    let mut ahead = line(100_000);
    ahead.correct((1_000_000_000, 1_000_000_000));
    assert_eq!(ahead.at(1_000_000_000), 1_000_100_000, "no step");
    assert!(ahead.at(2_000_000_000).abs_diff(2_000_000_000) <= 1, "met after as long again");

    let mut far_ahead = line(10_000_000_000);
    far_ahead.correct((1_000_000_000, 1_000_000_000));
    let second = far_ahead.at(2_000_000_000) - far_ahead.at(1_000_000_000);
    assert_eq!(second, 999_500_000, "slowed by the limit, never stopped");

    let mut slept = line(0);
    slept.correct((1_000_000_000, 5_000_000_000));
    assert_eq!(slept.at(1_000_000_000), 5_000_000_000, "jumped");

    let mut early = line(7);
    early.correct((50_000_000, 50_000_000));
    assert_eq!(early.base, (0, 7), "too soon");
    early.correct((0, 500_000_000));
    assert_eq!(early.base, (0, 7), "the counter stands still");
}

/// Goal: a reading costs less than a system call would. Method: time a million of them; the bound
/// is generous, the figure is printed.
#[test]
fn cheap() {
    const READS: u32 = 1_000_000;
    let clock = Clock::start();
    let cost = |read: &dyn Fn() -> u64| {
        let start = Instant::now();
        for _ in 0..READS {
            std::hint::black_box(read());
        }
        start.elapsed() / READS
    };
    let (ours, kernels) = (cost(&|| clock.now_ns()), cost(&monotonic_ns));
    println!("now_ns {ours:?}, CLOCK_MONOTONIC {kernels:?}");
    assert!(ours < Duration::from_micros(1));
}
