//! The load of a minute in small.

use std::sync::atomic::AtomicBool;

use load::Plan;

/// Goal: at a moderate rate every packet is accounted for, what both lines lost is brought back, and the books are those of
/// the file. Method: two seconds over real sockets, 5 % of each line lost, so that some packets come by neither. How fast this
/// machine is, is not judged.
#[test]
fn every_packet_is_accounted_for() {
    let plan = Plan {
        seconds: 2,
        rate: 10_000,
        packet_messages: 2,
        symbols: 10,
        loss_per_mille: 50,
        receive_buffer: 8 << 20,
        ..Plan::default()
    };
    let report = load::run(&plan, &AtomicBool::new(false)).unwrap();
    println!("{report}");
    let feed = report.feed;
    assert_eq!(report.untold(), [0, 0], "{report}");
    assert_eq!((feed.messages, feed.lost, feed.bad), (plan.messages(), 0, 0), "{report}");
    assert!(report.is_equal(), "{report}");
    assert!(report.sent.lines.iter().all(|line| line.dropped > 300), "{:?}", report.sent);
    assert!(feed.recovered > 10 && feed.requests > 0, "{report}");
    let first: u64 = feed.lines.iter().map(|line| line.wins).sum();
    assert_eq!(first + feed.recovered, feed.messages, "{report}");
    assert!(feed.lines.iter().all(|line| line.losses > 0 && line.duplicates > 0), "{report}");
}
