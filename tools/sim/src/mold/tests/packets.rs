use super::*;
use crate::faults::FaultPlan;
use std::collections::BTreeMap;

fn line(sent: &[Sent], side: Side) -> Vec<&Sent> {
    sent.iter().filter(|sent| sent.side == side).collect()
}

/// Goal: both lines carry the whole day in numbered packets within their bounds, then the end.
/// Method: put the messages of each line together again.
#[test]
fn whole_day() {
    let config = Config { packet_bytes_max: 200, packet_messages_max: 5, ..config() };
    let mut core = Core::new(config, day(), START);
    let sent = run(&mut core);
    for side in [Side::A, Side::B] {
        let mut told = Vec::new();
        for packet in line(&sent, side) {
            assert_eq!(packet.first, told.len() as u64 + 1);
            assert!(packet.messages.len() <= 5);
            let bytes: usize = packet.messages.iter().map(|message| 2 + message.len()).sum();
            assert!(HEADER + bytes <= 200);
            told.extend(packet.messages.iter().cloned());
        }
        assert_eq!(told, messages());
    }
    let ends: Vec<u64> =
        line(&sent, Side::A).iter().filter(|s| s.count == END).map(|s| s.at).collect();
    assert_eq!(ends.len(), 5);
    assert!(ends.windows(2).all(|pair| pair[1] - pair[0] == 1_000 * MS));
    assert!(core.error().is_none());
}

/// Goal: the same seed gives the same bytes at the same times, however often the publisher is
/// asked. Method: wake it exactly, and every 0.3 ms.
#[test]
fn deterministic() {
    let plan: FaultPlan = "loss=30,duplicate=20,reorder=30,delay=1ms,jitter=300us".parse().unwrap();
    let config = Config { lines: [plan, FaultPlan { seed: 9, ..plan }], ..config() };
    let exact = run(&mut Core::new(config.clone(), day(), START));
    assert_eq!(exact, run(&mut Core::new(config.clone(), day(), START)));
    let mut often = Vec::new();
    let mut core = Core::new(config, day(), START);
    let mut now = START;
    while core.wake_at(now).is_some() {
        now += MS * 3 / 10;
        core.poll(now, &mut |side, at, packet| often.push(parse(side, at, packet)));
    }
    assert_eq!(often, exact);
}

/// Goal: each pace keeps its times. Method: messages at known times; a second of packets by rate.
#[test]
fn paces() {
    let times = [5_000, 5_000, 6_000, 9_000];
    let whole = |pace, gather_ns| {
        let config = Config { pace, gather_ns, ..Config::default() };
        let sent = run(&mut Core::new(config, timed(&times), START));
        let shape = |sent: &&Sent| (sent.at - START, sent.count);
        line(&sent, Side::A)
            .iter()
            .map(shape)
            .filter(|(_, count)| *count != END)
            .collect::<Vec<_>>()
    };
    let recorded = |per_cent| Pace::Recorded { per_cent };
    assert_eq!(whole(recorded(100), 0), [(0, 2), (1_000, 1), (4_000, 1)]);
    assert_eq!(whole(recorded(1_000), 0), [(0, 2), (100, 1), (400, 1)]);
    assert_eq!(whole(recorded(50), 2_000), [(2_000, 3), (10_000, 1)]);
    assert_eq!(whole(Pace::FlatOut, 0), [(0, 4)]);
    let sent = run(&mut Core::new(Config { packet_messages_max: 1, ..config() }, day(), START));
    let second = |sent: &&&Sent| sent.at < START + 1_000 * MS;
    assert_eq!(line(&sent, Side::A).iter().filter(second).count(), 1_000);
}

/// Goal: silence is broken by heartbeats that name the next message, and nothing is said early.
/// Method: two messages 3.5 s apart.
#[test]
fn heartbeats() {
    let times = [0, 3_500 * MS];
    let mut core = Core::new(Config::default(), timed(&times), START);
    let mut sent = Vec::new();
    core.poll(START, &mut |side, at, packet| sent.push(parse(side, at, packet)));
    assert_eq!(core.published().next(), 2, "the message after the pause is not known yet");
    sent.extend(run(&mut core));
    let shape: Vec<_> =
        line(&sent, Side::A).iter().map(|s| ((s.at - START) / MS, s.first, s.count)).collect();
    let expected =
        [(0, 1, 1), (1_000, 2, 0), (2_000, 2, 0), (3_000, 2, 0), (3_500, 2, 1), (3_500, 3, END)];
    assert_eq!(shape[..6], expected);
}

/// Goal: a source that fails, and a message that fits nowhere, end the packets without an end of
/// the session. Method: one each, behind a message that is still said.
#[test]
fn failures() {
    let good = || Ok(Timed { at_ns: 0, bytes: vec![1] });
    let long = Ok(Timed { at_ns: 0, bytes: vec![0; 1_400] });
    for bad in [Err(io::ErrorKind::UnexpectedEof.into()), long] {
        let mut core = Core::new(config(), Box::new([good(), bad, good()].into_iter()), START);
        let sent = run(&mut core);
        assert_eq!(sent.iter().map(|sent| sent.count).collect::<Vec<_>>(), [1, 1]);
        assert!(core.error().is_some());
    }
}

/// Goal: every message can be had from the two lines and re-requests, whatever was lost. Method: 20
/// seeds of heavy faults; ask for what is missing until it is there.
#[test]
fn reconstruction() {
    let truth = messages();
    for seed in 1..=20 {
        let text = "loss=150,burst=20,burst-packets=12,duplicate=30,reorder=50,dead=100ms..400ms";
        let plan = FaultPlan { seed, ..text.parse().unwrap() };
        let lines = [plan, FaultPlan { seed: seed + 100, ..plan }];
        let mut core =
            Core::new(Config { lines, packet_messages_max: 4, ..config() }, day(), START);
        let mut got = BTreeMap::new();
        let mut take = |sent: &Sent| {
            let known = got.len();
            got.extend((sent.first..).zip(sent.messages.iter().cloned()));
            got.len() > known
        };
        run(&mut core).iter().for_each(|sent| _ = take(sent));
        let plan = RequestPlan {
            seed,
            loss_per_mille: 200,
            short_per_mille: 300,
            ..RequestPlan::default()
        };
        let mut requests = Requests::new(plan);
        let end = truth.len() as u64;
        let mut first = 1;
        while first <= end {
            let request = packet::header(b"SIM0000001", first, 40);
            if let Some(answer) = requests.answer(&request, core.published()) {
                let answer = parse(Side::A, 0, &answer);
                assert!(answer.first == first && (1..=40).contains(&answer.count));
                take(&answer);
                first += u64::from(answer.count);
            }
        }
        assert_eq!(got.keys().copied().collect::<Vec<_>>(), (1..=end).collect::<Vec<_>>());
        assert!(got.values().eq(&truth));
        let RequestCounters { received, answered, lost, short, .. } = requests.counters();
        assert!(received == answered + lost && lost > 0 && short > 0);
    }
}

/// Goal: two lines with one plan do not lose the same packets. Method: a fifth of each lost; a
/// third of those that one line lost at most are lost by both.
#[test]
fn lines_fail_apart() {
    let plan = FaultPlan { loss_per_mille: 200, ..FaultPlan::NONE };
    let config = Config { lines: [plan; 2], packet_messages_max: 1, ..config() };
    let mut core = Core::new(config, day(), START);
    let sent = run(&mut core);
    let seen: BTreeMap<u64, u32> = sent.iter().fold(BTreeMap::new(), |mut seen, sent| {
        *seen.entry(sent.first).or_default() += 1;
        seen
    });
    let count = messages().len();
    let both = count - seen.range(..=count as u64).count();
    let [a, b] = core.line_counters();
    assert!(a.dropped > 400 && b.dropped > 400 && both > 0);
    assert!((both as u64) < a.dropped / 3, "{both} of {}", a.dropped);
}
