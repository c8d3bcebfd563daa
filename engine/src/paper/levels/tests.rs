use model::{OrderId, ReportKind};
use proptest::prelude::*;

use super::super::queue::Resting;
use super::*;
use crate::book::Arrival;

const OURS: OrderId = OrderId(1 << 20);
const PX: Px = Px(100);
const NOW: Ts = Ts(5_000_000_000);

/// What happens at the price of ours: who is behind us is of no use to us but that the total counts them.
#[derive(Clone, Copy, Debug)]
enum Act {
    Trade { qty: i64, total_first: bool },
    LeaveAhead(i64),
    LeaveBehind(i64),
    Join(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (1..60_i64, any::<bool>()).prop_map(|(qty, total_first)| Act::Trade { qty, total_first }),
        1 => (1..60_i64).prop_map(Act::LeaveAhead),
        1 => (1..60_i64).prop_map(Act::LeaveBehind),
        2 => (1..60_i64).prop_map(Act::Join),
    ];
    proptest::collection::vec(act, 1..60)
}

/// An order of ours behind so much.
fn behind(ahead: i64) -> Paper {
    let mut paper = Paper::new(1, 4);
    let much = Qty(1 << 40);
    assert!(paper.queues.insert(Resting {
        order: OURS,
        instrument: 0,
        side: Side::Buy,
        px: PX,
        total: much,
        leaves: much,
        shown: much,
        display: Qty(0),
        keeps: false,
        ahead: Qty(ahead),
        untold: Qty(0),
        untold_at: Ts(0),
        arrival: Arrival(0),
    }));
    paper
}

impl Paper {
    fn totals(&mut self, before: i64, qty: i64) {
        let touch = LevelTouch { side: Side::Buy, px: PX, before: Qty(before), qty: Qty(qty) };
        self.on_level(0, &touch, true, NOW);
    }

    fn prints(&mut self, qty: i64, now: Ts) {
        self.on_level_print(0, Some(Side::Buy), (PX, Qty(qty)), now);
    }

    fn filled(&mut self) -> i64 {
        let reports = std::iter::from_fn(|| self.take_report());
        reports.filter(|report| report.kind == ReportKind::Fill).map(|report| report.qty.0).sum()
    }
}

/// Goal: a trade shortens the queue once, whether its total comes behind it or before it. Method: half of what is in front
/// trades, told either way, twice; then what is left of it, and one more.
#[test]
fn a_trade_counts_once() {
    for total_first in [false, true] {
        let mut paper = behind(100);
        for (before, qty, ahead, filled) in [(100, 50, 50, 0), (50, 25, 25, 0), (25, 0, 0, 0)] {
            if total_first {
                paper.totals(before, qty);
            }
            paper.prints(before - qty, NOW);
            if !total_first {
                paper.totals(before, qty);
            }
            assert_eq!((paper.ahead(OURS), paper.filled()), (Some(Qty(ahead)), filled));
        }
        paper.prints(1, NOW);
        assert_eq!(paper.filled(), 1, "{total_first}");
    }
    let mut paper = behind(100);
    for (before, qty) in [(100, 50), (50, 25)] {
        paper.totals(before, qty);
    }
    paper.totals(25, 35); // Somebody joins behind us.
    for traded in [50, 25] {
        paper.prints(traded, NOW);
        assert_eq!((paper.ahead(OURS), paper.filled()), (Some(Qty(25)), 0), "both were counted");
    }
}

/// Goal: what left without a trade keeps no trade from counting for long. Method: a total, and a trade a second and a nanosecond
/// more behind it.
#[test]
fn what_is_not_told_in_time_was_no_trade() {
    for (late, ahead) in [(LATE_NS, 50), (LATE_NS + 1, 20)] {
        let mut paper = behind(100);
        paper.totals(100, 50);
        paper.prints(30, Ts(NOW.0 + late));
        assert_eq!(paper.ahead(OURS), Some(Qty(ahead)));
    }
}

proptest! {
    /// Goal: every doubt counts against us: we are never nearer to the front than in truth, and never have more. Method: a queue
    /// whose members are known, of which only totals and trades are told, in either order.
    #[test]
    fn never_too_near(ahead in 0..200_i64, behind_us in 0..200_i64, acts in acts()) {
        let mut paper = behind(ahead);
        let (mut ahead, mut behind_us, mut due, mut filled) = (ahead, behind_us, 0, 0);
        for act in acts {
            let before = ahead + behind_us;
            let (mut traded, mut first) = (0, false);
            match act {
                Act::Trade { qty, total_first } => {
                    (traded, first) = (qty.min(before), total_first);
                    due += (traded - ahead).max(0);
                    behind_us -= (traded - ahead).max(0);
                    ahead = (ahead - traded).max(0);
                }
                Act::LeaveAhead(qty) => ahead = (ahead - qty).max(0),
                Act::LeaveBehind(qty) => behind_us = (behind_us - qty).max(0),
                Act::Join(qty) => behind_us += qty,
            }
            if first {
                paper.totals(before, ahead + behind_us);
            }
            if traded > 0 {
                paper.prints(traded, NOW);
            }
            if !first {
                paper.totals(before, ahead + behind_us);
            }
            filled += paper.filled();
            prop_assert!(paper.ahead(OURS) >= Some(Qty(ahead)), "{act:?}: truly {ahead}");
            prop_assert!(filled <= due, "{act:?}: {filled} of {due}");
        }
    }
}
