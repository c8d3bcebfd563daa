use model::{
    Control, HaltLevel, HaltScope, Instrument, Money, Note, OperatorName, Order, OrderType, Origin,
    Side, Tif, Verdict,
};

use model::{Integrity, TradingState};
use risk::Market;

use super::super::*;
use super::sessions::engine;

/// The agent's account in the shipped limits, and the house above it.
const AGENT: AccountId = AccountId(1);
const HOUSE: AccountId = AccountId(0);

/// An engine whose agent holds a thousand at 100.00, and may lose 20,000.
struct Holder {
    engine: Engine,
    out: Output,
    seq: u64,
}

impl Holder {
    fn new(change: impl Fn(String) -> String) -> Holder {
        let mut engine = engine(change);
        let mut instrument = Instrument {
            symbol: model::Symbol::new("TEST").unwrap(),
            px_decimals: 4,
            ..Default::default()
        };
        let rule = engine.rule_index.instrument(&engine.rules, instrument.symbol);
        rule.unwrap().complete(&mut instrument);
        engine.give_limits(&instrument);
        engine.risk.mark(InstrumentId(0), &market(1_000_000));
        for number in 1..3 {
            let cleared = engine.risk.clear(order(number), &market(1_000_000), MOMENT);
            let (_, mut held) = cleared.map_err(|verdict: Verdict| verdict.bits).unwrap();
            engine.risk.fill(&mut held, Px(1_000_000), Qty(500)).unwrap();
        }
        let out = engine.output();
        Holder { engine, out, seq: 0 }
    }

    fn step(&mut self, body: Body) {
        self.seq += 1;
        let input = Input { seq: self.seq, now: Ts(self.seq), body };
        self.engine.step(&input, &mut self.out, &mut ());
    }

    fn mark(&mut self, px: i64) {
        self.engine.risk.mark(InstrumentId(0), &market(px));
        self.step(Body::Timer);
    }

    fn halts(&self) -> [HaltLevel; 2] {
        [AGENT, HOUSE].map(|id| self.engine.risk.halt(HaltScope::Account(id)).unwrap())
    }

    fn resume(&mut self, account: AccountId) {
        let scope = HaltScope::Account(account);
        let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("seen"));
        self.step(Body::Control(Control::Resume {
            scope,
            level: HaltLevel::Active,
            operator,
            note,
        }));
    }
}

const MOMENT: Moment = Moment::at(Ts(1));

/// The agent buys five hundred at 100.00.
fn order(number: u64) -> Order {
    Order {
        id: OrderId::new(number as u32, 1),
        client_id: model::ClientOrderId::new(&format!("c{number}")).unwrap(),
        account: AGENT,
        instrument: InstrumentId(0),
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(1_000_000),
        qty: Qty(500),
        conditions: model::Conditions::NONE,
        origin: Origin::File,
        note: Note::default(),
    }
}

/// A market two units wide around this price.
fn market(px: i64) -> Market {
    Market {
        state: TradingState::Trading,
        integrity: Integrity::Live,
        bid: Some(Px(px - 1)),
        ask: Some(Px(px + 1)),
        updated: Ts(1),
        channel_updated: Ts(1),
        ..Market::UNKNOWN
    }
}

/// Goal: a loss beyond the limit halts its account and no other, says why, and stays when the loss is gone; resumed while the
/// loss is there it is halted again by the next change. Method: the price falls by as much as may be lost and a little more,
/// comes back, an operator resumes, it falls again.
#[test]
fn a_loss_halts_until_somebody_resumes() {
    let active = [HaltLevel::Active; 2];
    let reduces = [HaltLevel::ReduceOnly, HaltLevel::Active];
    let mut holder = Holder::new(|limits| limits);
    let page = |holder: &Holder| {
        holder.engine.risk.account_page(AGENT, Default::default(), Ts(1)).unwrap()
    };
    // Fees of three dollars for a thousand shares count as lost.
    assert_eq!(page(&holder).fees, Money(3 * 10_i128.pow(12)));
    holder.mark(800_031);
    assert_eq!(holder.halts(), active, "20,000 exactly, at the bid");
    holder.mark(800_030);
    assert_eq!(holder.halts(), reduces);
    let latch = holder.engine.latches.of(HaltScope::Account(AGENT));
    assert_eq!((latch.level, latch.why.cause), (HaltLevel::ReduceOnly, HaltCause::Loss));

    holder.mark(1_000_000);
    assert_eq!(holder.halts(), reduces, "it is not for the market to resume");
    holder.resume(AGENT);
    assert_eq!(holder.halts(), active);
    holder.mark(700_000);
    holder.resume(AGENT);
    holder.mark(700_001);
    assert_eq!(holder.halts(), reduces, "the loss is still there");
}

/// Goal: behind a resume a drawdown is measured from there, also in two steps and of an account whose books do not move;
/// resumed from anything else its highest stays. Method: a price that halves; a halt and its resume above that; each way down.
#[test]
fn a_drawdown_is_measured_from_its_resume() {
    let refused = |holder: &Holder| {
        let verdict = holder.engine.risk.check(&order(9), &market(500_000), MOMENT).0;
        verdict.failed().any(|code| code == model::Reject::Drawdown)
    };
    for levels in [vec![HaltLevel::Active], vec![HaltLevel::ReduceOnly, HaltLevel::Active]] {
        let off = |limits: String| limits.replace("loss_max = \"20000\"", "loss_max = \"off\"");
        let mut holder = Holder::new(off);
        holder.mark(500_000);
        assert!(refused(&holder));
        let scope = HaltScope::Account(AGENT);
        let (level, why) = (HaltLevel::Halted, Why::of(HaltCause::Human));
        holder.step(Body::Control(Control::Halt { scope, level, why }));
        for level in levels {
            assert!(refused(&holder), "{level:?}");
            let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("seen"));
            holder.step(Body::Control(Control::Resume { scope, level, operator, note }));
        }
        assert!(!refused(&holder));
        holder.mark(490_000);
        assert_eq!(holder.halts()[0], HaltLevel::Active);
    }
}

/// Goal: an account that executed as often as it may goes on when a person has resumed it, and not before. Method: as many fills
/// as are allowed; a halt, which needs nobody; its resume.
#[test]
fn a_resume_allows_executions_again() {
    let off = "executions_max = \"off\"";
    let at_most = |limits: String| limits.replace(off, "executions_max = 2");
    let mut holder = Holder::new(at_most);
    let refused = |holder: &Holder| {
        let verdict = holder.engine.risk.check(&order(9), &market(1_000_000), MOMENT).0;
        verdict.failed().any(|code| code == model::Reject::Executions)
    };
    assert!(refused(&holder), "the house's two are used up too");
    let why = Why::of(HaltCause::Human);
    for account in [AGENT, HOUSE] {
        let (scope, level) = (HaltScope::Account(account), HaltLevel::ReduceOnly);
        holder.step(Body::Control(Control::Halt { scope, level, why }));
        assert!(refused(&holder));
        holder.resume(account);
    }
    assert_eq!(holder.halts(), [HaltLevel::Active; 2]);
    assert!(!refused(&holder));
}
