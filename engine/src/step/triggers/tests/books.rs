//! Books that are not live, and those that are again.

use super::*;

/// Goal: orders in a book that is not live for longer than may be are cancelled and their symbol is halted, to the nanosecond;
/// others are not; the symbol stays halted when the book lives, and only a person resumes it, not before. Method: one book of
/// two in doubt, time to the edge and over it.
#[test]
fn gaps_halt() {
    for cancels in ["cancel", "keep"] {
        let text = format!("50\nfeed_gap_orders = \"{cancels}\"");
        let mut rig = Rig::new(&[("", "feed_gap_ms", &text)]);
        let (first, second) = (InstrumentId(0), InstrumentId(1));
        let [scope, other] = [first, second].map(HaltScope::Instrument);
        let (lost, safe) = (rig.rests(0, 1), rig.rests(1, 1));
        rig.now = 7;
        rig.believe(Integrity::Incomplete);
        rig.at(9);
        rig.believe(Integrity::Recovering); // Another kind of doubt is no new beginning.
        assert_eq!(rig.engine.gaps(), (1, 2));
        rig.at(7 + 50 * MS);
        assert_eq!(rig.level(scope), HaltLevel::Active);
        rig.now += 1;
        rig.step(Body::Timer);
        assert_eq!(
            [scope, other].map(|scope| rig.level(scope)),
            [HaltLevel::CancelOnly, HaltLevel::Active]
        );
        assert_eq!(rig.why(scope), HaltCause::FeedGap);
        let gone = if cancels == "cancel" { OrderState::Cancelled } else { OrderState::Working };
        assert_eq!([lost, safe].map(|order| rig.state(order)), [gone, OrderState::Working]);
        assert_eq!(rig.resume(scope), Err(ResumeRefusal::BookNotLive));
        rig.believe(Integrity::Live);
        rig.at(rig.now + 5_000 * MS);
        assert_eq!(rig.level(scope), HaltLevel::CancelOnly);
        assert_eq!(rig.resume(scope), Ok(()));
        rig.rests(0, 1);
        rig.replays();
    }
}

/// Goal: a book without orders of ours halts nothing; one that lives in time halts nothing; each doubt is counted from its own
/// beginning. Method: doubts of both books, one after the other, the second with an order.
#[test]
fn gaps_without_orders_do_not_halt() {
    let mut rig = Rig::new(&[("", "feed_gap_ms", "50\nfeed_gap_orders = \"cancel\"")]);
    rig.believe(Integrity::Incomplete);
    rig.at(60 * MS);
    assert_eq!(rig.engine.gaps(), (0, 0), "told, or rather not");
    rig.believe(Integrity::Live);
    let order = rig.rests(0, 1);
    for _ in 0..3 {
        rig.believe(Integrity::Incomplete);
        rig.at(rig.now + 50 * MS);
        rig.believe(Integrity::Live);
        rig.at(rig.now + 50 * MS);
    }
    assert_eq!(rig.state(order), OrderState::Working);
    assert_eq!(rig.engine.latches.in_force().count(), 0);
    rig.replays();
}

/// Goal: on a book that became live, or began to trade, new orders pass when it did so for as long as asked, to the nanosecond,
/// and cancels pass all the while. Method: doubt and its end, a halt of the venue's and its end.
#[test]
fn live_books_settle() {
    let mut rig = Rig::new(&[("", "live_ms", "50")]);
    let refused = |rig: &mut Rig| rig.buys(0, 1).verdict.bits & Verdict::bit(Reject::BookNotLive);
    assert_ne!(refused(&mut rig), 0, "so at the start");
    rig.at(50 * MS - 1);
    assert_ne!(refused(&mut rig), 0);
    rig.at(50 * MS);
    let mut order = rig.rests(0, 1);
    for round in 0..2 {
        let begins = |rig: &mut Rig, good: bool| match (round, good) {
            (0, true) => rig.believe(Integrity::Live),
            (0, false) => rig.believe(Integrity::Recovering),
            (_, true) => rig.trades(VenueNumber(1), TradingState::Trading),
            (_, false) => rig.trades(VenueNumber(1), TradingState::Halted),
        };
        begins(&mut rig, false);
        rig.at(rig.now + 1_000 * MS);
        begins(&mut rig, true);
        begins(&mut rig, true); // Said again, it is no new beginning.
        assert_ne!(refused(&mut rig), 0, "{round}");
        rig.at(rig.now + 50 * MS - 1);
        begins(&mut rig, true);
        assert_ne!(refused(&mut rig), 0);
        assert_eq!(rig.ask(Ask::Cancel { order }).kind, AnswerKind::Accepted);
        assert_eq!(rig.state(order), OrderState::Cancelled);
        rig.at(rig.now + 1);
        order = rig.rests(0, 1);
    }
    rig.replays();
}
