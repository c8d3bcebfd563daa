//! Orders beyond a soft limit: refused, approved, sent again.

use model::page::AnswerKind;
use model::{Control, OperatorName, Reject, ResumeRefusal, Verdict};

use super::*;

const SECOND: u64 = 1_000_000_000;

/// The market of the other tests; the agent buys and sells at most 50 for 60,000 at 3 % without approval.
fn soft_market() -> Venue {
    let mut venue = Venue::with(|text| {
        let (others, agent) = text.split_once("[[limit]]\naccount = \"agent\"").unwrap();
        let agent = agent.replacen("soft_clip_max = \"off\"", "soft_clip_max = \"50\"", 1);
        let agent =
            agent.replacen("soft_notional_max = \"off\"", "soft_notional_max = \"60000\"", 1);
        let agent = agent.replacen("soft_band_bps = \"off\"", "soft_band_bps = 300", 1);
        format!("{others}[[limit]]\naccount = \"agent\"{agent}")
    });
    venue.add(1, BUY, 1_000_000, 100);
    venue.add(2, SELL, 1_001_000, 500);
    venue
}

impl Venue {
    fn new_order(&mut self, order_type: OrderType, px: i64, qty: i64) -> Ask {
        self.orders += 1;
        let client_id = ClientOrderId::new(&format!("o{}", self.orders)).unwrap();
        let tif = if order_type == OrderType::Market { Tif::Ioc } else { Tif::Day };
        let (instrument, side, conditions) = (InstrumentId(0), BUY, Conditions::NONE);
        let (px, qty) = (Px(px), Qty(qty));
        Ask::New(Terms { client_id, instrument, side, order_type, tif, px, qty, conditions })
    }

    /// The number under which an order that is refused for its soft limits alone waits.
    fn waits(&mut self, ask: Ask) -> u32 {
        let (answer, _) = self.try_ask(ask);
        assert_eq!(answer.verdict.bits, Verdict::bit(Reject::NeedsApproval));
        assert_ne!(answer.approval, 0);
        answer.approval
    }

    fn buys(&mut self, px: i64, qty: i64) -> Answer {
        let ask = self.new_order(OrderType::Limit, px, qty);
        self.try_ask(ask).0
    }

    pub(super) fn control(&mut self, control: Control) {
        self.step(self.engine.now(), Body::Control(control));
    }

    fn approve(&mut self, number: u32, for_ns: u64) -> Result<(), ResumeRefusal> {
        let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("seen"));
        self.control(Control::Approve { number, for_ns, operator, note });
        self.out.resumed.take().unwrap()
    }
}

/// Goal: an order beyond a soft limit waits under a number, and once approved passes once; what was not approved does not pass,
/// and a check uses nothing up. Method: asked, checked, asked again, approved, sent, sent again; new terms in between; what an
/// order within the soft limits leaves of an approval. Then the same inputs again come to the same hashes.
#[test]
fn refused_approved_sent() {
    let mut venue = soft_market();
    assert!(venue.buys(990_000, 50).verdict.passed());
    let ask = venue.new_order(OrderType::Limit, 990_000, 51);
    let number = venue.waits(ask);
    let (repeated, _) = venue.try_ask(ask);
    assert_eq!((repeated.kind, repeated.approval), (AnswerKind::Recorded, number));
    let again = venue.new_order(OrderType::Limit, 990_000, 51);
    assert_eq!(venue.waits(again), number, "the same order waits once");
    let approval = *venue.engine.approvals().get(number).unwrap();
    assert_eq!(approval.excess.keys().collect::<Vec<_>>(), ["soft_clip_max"]);
    assert_eq!(venue.approve(number + 1, SECOND), Err(ResumeRefusal::UnknownScope));
    assert_eq!(venue.approve(number, SECOND), Ok(()));
    assert_eq!(venue.approve(number, SECOND), Err(ResumeRefusal::UnknownScope), "it is already");
    assert!(!venue.buys(990_000, 52).verdict.passed(), "more");
    assert!(!venue.buys(990_100, 51).verdict.passed(), "dearer");
    assert!(venue.buys(990_000, 50).verdict.passed(), "needs none, and leaves it");
    let Ask::New(terms) = venue.new_order(OrderType::Limit, 990_000, 51) else { panic!() };
    let (origin, account, note) = (Origin::File, AGENT, Note::default());
    let request = Request { id: 1, origin, account, ask: Ask::Check(terms), note };
    let said = venue.engine.check(&request, &terms);
    assert!(said.verdict.passed());
    assert_eq!(said.headroom.unwrap().qty, Qty(51));
    assert!(venue.buys(990_000, 51).verdict.passed());
    let ask = venue.new_order(OrderType::Limit, 990_000, 51);
    let next = venue.waits(ask);
    assert_eq!(next, number + 3, "once");
    assert_eq!(venue.try_ask(ask).0.approval, next, "repeated");

    let mut twin = soft_market();
    let known = twin.inputs.len();
    for input in venue.inputs.iter().skip(known).copied() {
        twin.step(input.now, input.body);
    }
    assert_eq!(twin.engine.state_hash(), venue.engine.state_hash());
    assert_eq!(twin.engine.full_hash(), venue.engine.full_hash());
    assert_eq!(twin.approve(next, SECOND), Ok(()));
    assert_ne!(twin.engine.full_hash(), venue.engine.full_hash());
}

/// Goal: an approval ends on engine time, is never longer than a day, and loosens no hard limit. Method: the last nanosecond
/// and the next; an approved order that a hard limit refuses since.
#[test]
fn ends_and_loosens_nothing() {
    let mut venue = soft_market();
    for (wait, passes) in [(SECOND, true), (SECOND + 1, false)] {
        let ask = venue.new_order(OrderType::Limit, 990_000, 60);
        let number = venue.waits(ask);
        assert_eq!(venue.approve(number, SECOND), Ok(()));
        let later = Ts(venue.engine.now().0 + wait);
        venue.step(later, Body::Timer);
        assert_eq!(venue.buys(990_000, 60).verdict.passed(), passes);
    }
    let ask = venue.new_order(OrderType::Limit, 990_000, 70);
    let number = venue.waits(ask);
    assert_eq!(venue.approve(number, u64::MAX), Ok(()));
    let until = venue.engine.approvals().get(number).unwrap().until.unwrap();
    assert_eq!(until.since(venue.engine.now()), Control::APPROVAL_NS_MAX);
    venue.control(Control::JournalFull(true));
    let refused = venue.buys(990_000, 70);
    assert_eq!(refused.verdict.bits, Verdict::bit(Reject::JournalFull));
    assert_eq!(venue.approve(number, SECOND), Err(ResumeRefusal::JournalFull));
    venue.control(Control::JournalFull(false));
    assert!(venue.buys(990_000, 70).verdict.passed(), "a refusal leaves the approval");
    let refused = venue.buys(990_000, 1_001);
    assert_eq!(refused.approval, 0, "a hard limit: nobody can approve it");
}

/// Goal: new terms of an order are approved as such, and never as a new order; a market order at the price that it was judged
/// at. Method: a replace refused, approved, and tried as a new order, as a change of another order, and as itself.
#[test]
fn changes_and_market_orders() {
    let mut venue = soft_market();
    let [(first, _), (other, _)] = [(); 2].map(|()| venue.order(BUY, 990_000, 40, Tif::Day));
    let change = |venue: &mut Venue, order| {
        venue.orders += 1;
        let client_id = ClientOrderId::new(&format!("o{}", venue.orders)).unwrap();
        venue.try_ask(Ask::Replace { order, client_id, px: Px(990_000), qty: Qty(55) }).0
    };
    let refused = change(&mut venue, first);
    assert_eq!(refused.verdict.bits, Verdict::bit(Reject::NeedsApproval));
    assert_eq!(venue.approve(refused.approval, SECOND), Ok(()));
    assert!(!venue.buys(990_000, 55).verdict.passed());
    assert!(!change(&mut venue, other).verdict.passed());
    assert!(change(&mut venue, first).verdict.passed());

    let market = venue.new_order(OrderType::Market, 0, 60);
    let number = venue.waits(market);
    let keys: Vec<_> = venue.engine.approvals().get(number).unwrap().excess.keys().collect();
    assert_eq!(keys, ["soft_clip_max", "soft_band_bps"]);
    assert_eq!(venue.approve(number, SECOND), Ok(()));
    let again = venue.new_order(OrderType::Market, 0, 60);
    let (_, fills) = venue.ask(again);
    assert_eq!(fills.iter().map(|(_, qty)| qty).sum::<i64>(), 60);
}
