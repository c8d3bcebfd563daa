use super::*;

fn packet(number: u64) -> Packet {
    number.to_be_bytes().to_vec().into()
}

/// Sends `count` packets, one a millisecond; what came out.
fn run(plan: FaultPlan, count: u64) -> (Vec<(u64, u64)>, LineCounters) {
    let mut line = Line::new(plan, 0);
    let mut out = Vec::new();
    let mut drain = |line: &mut Line, now| {
        while let Some((at, packet)) = line.release(now) {
            out.push((at, u64::from_be_bytes(packet[..].try_into().unwrap())));
        }
    };
    for number in 0..count {
        line.take(number * 1_000_000, &packet(number));
        drain(&mut line, number * 1_000_000);
    }
    drain(&mut line, u64::MAX);
    (out, line.counters())
}

/// Goal: without faults a line is a wire. Method: what goes in comes out, at the same times.
#[test]
fn nothing_goes_wrong_by_default() {
    let (out, counters) = run(FaultPlan::NONE, 1_000);
    assert!(
        out.iter()
            .enumerate()
            .all(|(n, (at, number))| { (n as u64, n as u64 * 1_000_000) == (*number, *at) })
    );
    assert_eq!(counters, LineCounters { sent: 1_000, ..LineCounters::default() });
}

/// Goal: rates are those of the plan, and nothing is unaccounted for. Method: 100,000 packets,
/// shares within a tenth; sent = taken - dropped + duplicated.
#[test]
fn rates() {
    let plan = FaultPlan {
        loss_per_mille: 20,
        duplicate_per_mille: 50,
        reorder_per_mille: 100,
        reorder_ns: 5_000_000,
        ..FaultPlan::NONE
    };
    let (out, counters) = run(plan, 100_000);
    assert!((1_800..2_200).contains(&counters.dropped), "{counters:?}");
    assert!((4_500..5_300).contains(&counters.duplicated), "{counters:?}");
    assert!((9_300..10_300).contains(&counters.reordered), "{counters:?}");
    assert_eq!(counters.sent, 100_000 - counters.dropped + counters.duplicated);
    assert_eq!(out.len() as u64, counters.sent);
    assert!(out.windows(2).any(|pair| pair[0].1 > pair[1].1), "some were overtaken");
    assert!(out.is_sorted_by_key(|(at, _)| *at), "time goes forward");
}

/// Goal: the same seed gives the same faults, another seed others. Method: compare runs.
#[test]
fn deterministic() {
    let text = "loss=30,burst=2,duplicate=20,reorder=20,delay=100us,jitter=50us";
    let plan: FaultPlan = text.parse().unwrap();
    assert_eq!(run(plan, 5_000), run(plan, 5_000));
    assert_ne!(run(plan, 5_000), run(FaultPlan { seed: 2, ..plan }, 5_000));
}

/// Goal: jitter delays and does not reorder; a death takes exactly its interval; a burst takes
/// neighbours. Method: one plan each.
#[test]
fn delay_death_and_bursts() {
    let jitter = FaultPlan { delay_ns: 1_000, jitter_ns: 9_000_000, ..FaultPlan::NONE };
    let (out, _) = run(jitter, 1_000);
    assert!(out.is_sorted_by_key(|(_, number)| *number));
    assert!(out.iter().all(|(at, number)| *at > number * 1_000_000));

    let dead = FaultPlan { dead_ns: Some((10_000_000, 20_000_000)), ..FaultPlan::NONE };
    let (out, counters) = run(dead, 100);
    assert_eq!(counters.dropped, 10);
    assert!(out.iter().all(|(_, number)| !(10..20).contains(number)));

    let burst = FaultPlan { burst_per_mille: 5, burst_packets: 7, ..FaultPlan::NONE };
    let (out, counters) = run(burst, 10_000);
    assert!((200..500).contains(&counters.dropped), "{counters:?}");
    let holes = out.windows(2).filter(|pair| pair[1].1 > pair[0].1 + 1);
    assert!(holes.clone().count() > 20);
    assert!(holes.clone().all(|pair| (pair[1].1 - pair[0].1 - 1) % 7 == 0));
}

/// Goal: what a line may hold is bounded, and what it drops then is counted. Method: a delay
/// without end.
#[test]
fn held_packets_are_bounded() {
    let mut line = Line::new(FaultPlan { delay_ns: 1 << 40, ..FaultPlan::NONE }, 0);
    let one = packet(1);
    (0..HELD_MAX as u64 + 10).for_each(|at| line.take(at, &one));
    assert_eq!((line.counters().dropped, line.held.len()), (10, HELD_MAX));
}

/// Goal: a plan is read as it is meant, or refused. Method: every name once; faulty texts.
#[test]
fn text() {
    let text = "seed=7,loss=1,burst=2,burst-packets=3,duplicate=4,reorder=5,hold=6ns,delay=7us,\
                jitter=8ms,dead=9s..10s";
    let plan = FaultPlan {
        seed: 7,
        loss_per_mille: 1,
        burst_per_mille: 2,
        burst_packets: 3,
        duplicate_per_mille: 4,
        reorder_per_mille: 5,
        reorder_ns: 6,
        delay_ns: 7_000,
        jitter_ns: 8_000_000,
        dead_ns: Some((9_000_000_000, 10_000_000_000)),
    };
    assert_eq!(text.parse(), Ok(plan));
    assert_eq!("".parse(), Ok(FaultPlan::NONE));
    for bad in [
        "loss",
        "loss=1001",
        "loss=-1",
        "delay=5",
        "delay=us",
        "dead=1s",
        "dead=2s..1s",
        "delay=3601s",
        "x=1",
    ] {
        assert_eq!(bad.parse::<FaultPlan>(), Err(BadPlan(bad.to_owned())));
    }
}
