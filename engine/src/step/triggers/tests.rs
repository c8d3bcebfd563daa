mod books;

use std::path::{Path, PathBuf};

use model::page::{Answer, AnswerKind, TapeKind};
use model::{
    AccountId, Ask, Body, Cause, ClientOrderId, Control, DeskId, Event, Flags, HaltLevel,
    HaltScope, Input, InstrumentId, Integrity, Kind, Mode, Note, OperatorName, OrderId, OrderRef,
    OrderState, OrderType, Origin, Px, Qty, Reject, Report, ReportKind, Request, ResumeRefusal,
    Side, Symbol, Terms, Tif, TradingState, Ts, VenueNumber, Verdict,
};

use super::super::Engine;
use super::*;
use crate::config::{Capacity, Config, EngineConfig, VenueConfig};

/// Of the shipped limits, without any trigger: the agent's account, and the house above it.
const AGENT: AccountId = AccountId(1);
const HOUSE: AccountId = AccountId(0);
const DESK: Origin = Origin::Desk(DeskId(3));
const MS: u64 = 1_000_000;
/// Units of a dollar.
const DOLLAR: i64 = 10_000;

/// An engine whose agent may trade two symbols, at 99.00 to 101.00.
struct Rig {
    config: Config,
    engine: Engine,
    out: Output,
    now: u64,
    message: u64,
    asked: u64,
    inputs: Vec<Input>,
}

impl Rig {
    /// `rules`: account (none: `[triggers]`), key, and what it is set to, more lines after it included.
    fn new(rules: &[(&str, &str, &str)]) -> Rig {
        Rig::with(rules, |_| ())
    }

    /// The same with a venue outside, whose reports are inputs.
    fn outside(rules: &[(&str, &str, &str)]) -> Rig {
        let mut rig = Rig::with(rules, |engine| {
            engine.mode = Mode::Live;
            engine.venue = Some(VenueConfig::plain(1_000 * MS, 64, ([127, 0, 0, 1], 9).into()));
        });
        rig.step(Body::Control(Control::ReconcileBegin));
        rig.step(Body::Control(Control::ReconcileEnd { round: 1, orders: 0 }));
        rig
    }

    fn with(rules: &[(&str, &str, &str)], change: impl FnOnce(&mut EngineConfig)) -> Rig {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        let read =
            |name| (PathBuf::from(name), std::fs::read_to_string(folder.join(name)).unwrap());
        let mut files = Config::NAMES.map(read);
        files[2].1 = changed(&files[2].1, rules);
        let config = Config::from_texts(files.into()).unwrap();
        let mut small = config.engine.clone();
        small.capacity =
            Capacity { instruments: 4, book_orders: 64, own_orders: 64, ..Capacity::SMALL };
        small.strategies.clear();
        change(&mut small);
        let config = config.with_engine(small);
        let engine = Engine::new(&config).unwrap();
        let out = engine.output();
        let mut rig = Rig { config, engine, out, now: 0, message: 0, asked: 0, inputs: Vec::new() };
        for number in [1, 2] {
            let (number, name) = (VenueNumber(number), format!("S{number}"));
            rig.event(Event::directory(number, Symbol::new(&name).unwrap(), 4, 0));
            rig.trades(number, TradingState::Trading);
            for (order, side, px) in [(1, Side::Buy, 99), (2, Side::Sell, 101)] {
                let (order, px) = (OrderRef(u64::from(number.0) * 10 + order), Px(px * DOLLAR));
                let (qty, side, flags) = (Qty(500), Some(side), Flags::NONE);
                rig.event(Event { order, px, qty, side, number, flags, ..Event::empty(Kind::Add) });
            }
        }
        rig
    }

    fn step(&mut self, body: Body) {
        let input = Input { seq: self.engine.seq() + 1, now: Ts(self.now), body };
        self.inputs.push(input);
        self.engine.step(&input, &mut self.out, &mut ());
    }

    fn event(&mut self, event: Event) {
        self.message += 1;
        let (seq, ts) = (self.message, Ts(self.now));
        self.step(Body::Event(Event { seq, ts_venue: ts, ts_recv: ts, ..event }));
    }

    fn trades(&mut self, number: VenueNumber, state: TradingState) {
        let aux = state.code().into();
        self.event(Event { aux, number, ..Event::empty(Kind::State) });
    }

    fn believe(&mut self, integrity: Integrity) {
        let cause = if integrity == Integrity::Live { Cause::None } else { Cause::Gap };
        self.event(Event::integrity(VenueNumber(1), integrity, cause));
    }

    /// The heartbeat of a feed, so that no book is stale.
    fn at(&mut self, now: u64) {
        self.now = now;
        self.event(Event { number: VenueNumber(2), ..Event::empty(Kind::Notice) });
    }

    fn ask(&mut self, ask: Ask) -> Answer {
        self.asked += 1;
        let (account, note) = (AGENT, Note::default());
        self.step(Body::Request(Request { id: self.asked, origin: DESK, account, ask, note }));
        self.out.answer.take().unwrap()
    }

    /// A buy far below the market, of so much.
    fn buys(&mut self, instrument: u32, qty: i64) -> Answer {
        let client_id = ClientOrderId::new(&format!("c{}", self.asked)).unwrap();
        let px = Px(98 * DOLLAR + self.asked as i64 * 100);
        self.ask(Ask::New(Terms {
            conditions: model::Conditions::NONE,
            client_id,
            instrument: InstrumentId(instrument),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px,
            qty: Qty(qty),
        }))
    }

    /// One that rests.
    fn rests(&mut self, instrument: u32, qty: i64) -> OrderId {
        let answer = self.buys(instrument, qty);
        assert_eq!(answer.kind, AnswerKind::Accepted, "{:?}", answer.verdict.primary);
        answer.order
    }

    /// One of more than one order may have.
    fn is_refused(&mut self) {
        assert_eq!(self.buys(0, 2_000).kind, AnswerKind::Refused);
    }

    fn says(&mut self, kind: ReportKind, order: OrderId, px: i64, qty: i64) {
        let exec_id = self.engine.seq();
        let (px, qty) = (Px(px), Qty(qty));
        let refuses = matches!(kind, ReportKind::ReplaceRejected | ReportKind::CancelRejected);
        let report = Report { exec_id, px, qty, ..Report::of(kind, order) };
        self.step(Body::Report(Report { change: refuses.into(), ..report }));
    }

    fn level(&self, scope: HaltScope) -> HaltLevel {
        self.engine.risk.halt(scope).unwrap()
    }

    fn levels(&self) -> [HaltLevel; 2] {
        [AGENT, HOUSE].map(|account| self.level(HaltScope::Account(account)))
    }

    /// Why a scope is halted.
    fn why(&self, scope: HaltScope) -> HaltCause {
        let latch = self.engine.latches.of(scope);
        assert!(latch.level > HaltLevel::Active, "it is halted");
        latch.why.cause
    }

    fn state(&self, order: OrderId) -> OrderState {
        self.engine.orders().get(order).unwrap().state
    }

    fn resume(&mut self, scope: HaltScope) -> Result<(), ResumeRefusal> {
        let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("seen"));
        let level = HaltLevel::Active;
        self.step(Body::Control(Control::Resume { scope, level, operator, note }));
        self.out.resumed.take().unwrap()
    }

    /// Ends a test: the same inputs lead to the same state, running and full.
    fn replays(self) {
        let mut again = Engine::new(&self.config).unwrap();
        let mut out = again.output();
        self.inputs.iter().for_each(|input| again.step(input, &mut out, &mut ()));
        assert_eq!(again.state_hash(), self.engine.state_hash());
        assert_eq!(again.full_hash(), self.engine.full_hash());
    }
}

/// The shipped limits with every trigger off but these.
fn changed(limits: &str, rules: &[(&str, &str, &str)]) -> String {
    let keys = [
        "refusals_max",
        "venue_rejects_max",
        "fills_max",
        "fills_money_max",
        "feed_gap_ms",
        "live_ms",
        "clock_error_ms",
        "venue_session_level",
    ];
    let gone = ["_window_ms", "feed_gap_orders", "clock_synced", "clock_level"];
    let mut name = String::new();
    let mut lines = Vec::new();
    for line in limits.lines() {
        let (key, value) = line.split_once(" = ").unwrap_or((line, ""));
        if line.starts_with('[') {
            name.clear();
        } else if key == "name" {
            name = value.trim_matches('"').to_owned();
        }
        let set = rules.iter().find(|(account, of, _)| (*account, *of) == (name.as_str(), key));
        let window = ["refusals", "venue_rejects", "fills"].map(|of| format!("{of}_window_ms"));
        let is_gone = window.iter().any(|window| window == key) || gone[1..].contains(&key);
        match set {
            Some((_, _, value)) => lines.push(format!("{key} = {value}")),
            None if keys.contains(&key) => lines.push(format!("{key} = \"off\"")),
            None if is_gone => {}
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

const ACTIVE: [HaltLevel; 2] = [HaltLevel::Active; 2];

/// Goal: as many refusals as may be in a window do nothing, one more halts, at the edge of the window to the nanosecond; and the
/// count begins anew when somebody resumes. Method: three allowed in a second; the first leaves the window exactly, or one
/// nanosecond later.
#[test]
fn refusals_halt() {
    let rule = ("agent", "refusals_max", "3\nrefusals_window_ms = 1000");
    for (last, halts) in [(1000 * MS, false), (1000 * MS - 1, true)] {
        let mut rig = Rig::new(&[rule]);
        let order = rig.rests(0, 1);
        for now in [0, 1, 2] {
            rig.now = now;
            rig.is_refused();
        }
        let counted = rig.engine.counted(AGENT, Counts::Refusals).unwrap();
        assert_eq!((counted.used, counted.limit, counted.told), (3, 3, false));
        assert_eq!(rig.levels(), ACTIVE, "three may be");
        rig.now = last;
        rig.is_refused();
        let level = if halts { HaltLevel::CancelOnly } else { HaltLevel::Active };
        assert_eq!(rig.levels(), [level, HaltLevel::Active], "{last}");
        assert_eq!(rig.state(order), OrderState::Working, "cancel_only leaves what works");
        if !halts {
            rig.replays();
            continue;
        }
        let scope = HaltScope::Account(AGENT);
        assert_eq!(rig.why(scope), HaltCause::RejectStorm);
        rig.at(5_000 * MS);
        assert_eq!(rig.levels()[0], level, "time does not resume");
        assert_eq!(rig.resume(scope), Ok(()));
        for _ in 0..3 {
            rig.is_refused();
        }
        assert_eq!(rig.levels(), ACTIVE, "it counts from nothing");
        rig.is_refused();
        assert_eq!(rig.levels()[0], level);
        rig.replays();
    }
}

/// Goal: every account above counts too; what a halt refuses does not, so that a client that goes on asking halts nobody else;
/// a level of choice. Method: the house allows five, then the agent, which allows two, asks ten times.
#[test]
fn refusals_count_upwards() {
    let house = ("house", "refusals_max", "5\nrefusals_window_ms = 1000");
    let mut rig = Rig::new(&[house]);
    let order = rig.rests(0, 1);
    (0..5).for_each(|_| rig.is_refused());
    assert_eq!(rig.levels(), ACTIVE);
    rig.is_refused();
    assert_eq!(rig.levels(), [HaltLevel::Active, HaltLevel::CancelOnly]);
    assert_eq!(rig.state(order), OrderState::Working);
    rig.replays();

    let text = "2\nrefusals_window_ms = 1000\nrefusals_level = \"halted\"";
    let mut rig = Rig::new(&[house, ("agent", "refusals_max", text)]);
    let order = rig.rests(0, 1);
    (0..10).for_each(|_| rig.is_refused());
    assert_eq!(rig.levels(), [HaltLevel::Halted, HaltLevel::Active]);
    assert_eq!(rig.state(order), OrderState::Cancelled);
    let halts = rig.out.tape.iter().filter(|record| record.kind == TapeKind::Halt).count();
    assert_eq!(halts, 1, "told once");
    rig.replays();
}

/// Goal: what the venue refuses counts, of each kind, and nothing else that it says. Method: reports on working orders up to the
/// limit and one more.
#[test]
fn venue_rejects_halt() {
    let mut rig =
        Rig::outside(&[("agent", "venue_rejects_max", "2\nvenue_rejects_window_ms = 10")]);
    let orders = [1, 2, 3].map(|_| rig.rests(0, 1));
    for order in [orders[0], orders[0], orders[2]] {
        rig.says(ReportKind::Ack, order, 0, 0);
    }
    rig.ask(Ask::Cancel { order: orders[0] });
    let (client_id, px) = (ClientOrderId::new("r").unwrap(), Px(97 * DOLLAR));
    rig.ask(Ask::Replace { order: orders[2], client_id, px, qty: Qty(1) });
    for _ in 0..3 {
        rig.says(ReportKind::CancelRejected, orders[0], 0, 0); // Told again it says nothing.
    }
    rig.says(ReportKind::Rejected, orders[1], 0, 0);
    assert_eq!(rig.levels(), ACTIVE);
    rig.says(ReportKind::ReplaceRejected, orders[2], 0, 0);
    assert_eq!(rig.levels(), [HaltLevel::CancelOnly, HaltLevel::Active]);
    let latch = rig.engine.latches.of(HaltScope::Account(AGENT));
    assert_eq!(latch.why.cause, HaltCause::RejectStorm);
    assert_eq!(latch.why.note.as_str(), "refusals of the venue");
    rig.replays();
}

/// Goal: more executions, or more money in them, than a window may hold halt the account and cancel what works on it, also of
/// others beneath it; at the limit nothing happens. Method: fills of one share at a hundred dollars, in the window and at its
/// edge.
#[test]
fn fills_halt() {
    let rules = [
        ("3\nfills_window_ms = 10", "\"off\"", 3, "executions"),
        ("\"off\"", "\"300\"\nfills_window_ms = 10", 3, "money of fills"),
        ("\"off\"", "\"299.9999\"\nfills_window_ms = 10", 2, "money of fills"),
        ("\"off\"", "\"300.0001\"\nfills_window_ms = 10", 3, "money of fills"),
        ("0\nfills_window_ms = 10", "\"off\"", 0, "executions"),
    ];
    for (executions, money, most, note) in rules {
        for edge in [false, true] {
            let rules = [("agent", "fills_max", executions), ("agent", "fills_money_max", money)];
            let mut rig = Rig::outside(&rules);
            let (fills, waits) = (rig.rests(0, 100), rig.rests(1, 1));
            for _ in 0..most {
                rig.says(ReportKind::Fill, fills, 100 * DOLLAR, 1);
            }
            assert_eq!(rig.levels(), ACTIVE);
            rig.now = if edge { 10 * MS } else { 10 * MS - 1 };
            rig.says(ReportKind::Fill, fills, 100 * DOLLAR, 1);
            if edge && most > 0 {
                assert_eq!(rig.levels(), ACTIVE, "{note}: the others left the window");
                rig.replays();
                continue;
            }
            assert_eq!(rig.levels(), [HaltLevel::Halted, HaltLevel::Active], "{note}");
            let latch = rig.engine.latches.of(HaltScope::Account(AGENT));
            assert_eq!(latch.why.cause, HaltCause::FillVelocity);
            assert_eq!(latch.why.note.as_str(), note);
            assert_eq!(
                [fills, waits].map(|order| rig.state(order)),
                [OrderState::PendingCancel; 2]
            );
            rig.replays();
        }
    }
}

/// Goal: a fill of an order that nobody remembers counts in the windows above its account too. Method: one, where none may be.
#[test]
fn fills_of_strangers_halt_above() {
    let mut rig = Rig::outside(&[("house", "fills_max", "0\nfills_window_ms = 10")]);
    let instrument = InstrumentId(0);
    let holder = Some(model::Holder { account: AGENT, instrument, side: Side::Buy });
    let (px, qty) = (Px(100 * DOLLAR), Qty(1));
    let fill = Report::of(ReportKind::Fill, OrderId::new(7, 9));
    rig.step(Body::Report(Report { exec_id: 1, px, qty, holder, ..fill }));
    assert_eq!(rig.why(HaltScope::Account(HOUSE)), HaltCause::FillVelocity);
    rig.replays();
}

/// Goal: a clock that is not believed, and a venue's session that is gone, are known, told, and halt everything if so
/// configured; that they come back resumes nothing. Method: each, off and on, both ways.
#[test]
fn clock_and_session_halt() {
    let clock = "100\nclock_synced = \"off\"\nclock_level = \"cancel_only\"";
    let told = "100\nclock_synced = \"off\"\nclock_level = \"off\"";
    let (lost, back) = (Control::VenueSession(false), Control::VenueSession(true));
    let (doubt, trust) = (Control::ClockUnsafe(true), Control::ClockUnsafe(false));
    for (key, value, [begins, ends], cause, level) in [
        ("clock_error_ms", clock, [doubt, trust], HaltCause::Clock, HaltLevel::CancelOnly),
        ("clock_error_ms", told, [doubt, trust], HaltCause::Clock, HaltLevel::Active),
        ("live_ms", "\"off\"", [lost, back], HaltCause::VenueSession, HaltLevel::Active),
        (
            "venue_session_level",
            "\"halted\"",
            [lost, back],
            HaltCause::VenueSession,
            HaltLevel::Halted,
        ),
    ] {
        let mut rig = Rig::new(&[("", key, value)]);
        let order = rig.rests(0, 1);
        let is = |rig: &Rig| {
            let engine = &rig.engine;
            match cause {
                HaltCause::Clock => engine.is_clock_unsafe() && engine.moment().clock_unsafe,
                _ => engine.is_session_down(),
            }
        };
        rig.out.tape.clear();
        rig.step(Body::Control(begins));
        let alert = rig.out.tape.first().copied().unwrap();
        assert_eq!((alert.kind, alert.code), (TapeKind::Alert, cause.code()));
        assert!(is(&rig) && alert.aux & 1 == 1);
        assert_eq!(rig.level(HaltScope::All), level);
        assert_eq!(rig.state(order) == OrderState::Cancelled, level == HaltLevel::Halted);
        rig.out.tape.clear();
        rig.step(Body::Control(ends));
        assert!(!is(&rig) && rig.out.tape.first().is_some_and(|alert| alert.aux & 1 == 0));
        assert_eq!(rig.level(HaltScope::All), level);
        rig.replays();
    }
}

/// Goal: the orders of a client that fell silent are cancelled on that account, nobody else's are, and the account takes cancels
/// only until a person resumes it. Method: orders of two desks; then the client speaks again.
#[test]
fn silent_clients_lose_their_orders() {
    let mut rig = Rig::new(&[]);
    let mine = rig.rests(0, 1);
    let (account, note) = (AGENT, Note::default());
    let ask = Ask::New(Terms {
        conditions: model::Conditions::NONE,
        client_id: ClientOrderId::new("other").unwrap(),
        instrument: InstrumentId(1),
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(98 * DOLLAR),
        qty: Qty(1),
    });
    let origin = Origin::Desk(DeskId(4));
    rig.step(Body::Request(Request { id: 77, origin, account, ask, note }));
    let other = rig.out.answer.take().unwrap().order;
    rig.step(Body::Control(Control::DeskSilent { desk: DeskId(3), account: AGENT }));
    assert_eq!(
        [mine, other].map(|order| rig.state(order)),
        [OrderState::Cancelled, OrderState::Working]
    );
    assert_eq!(rig.levels(), [HaltLevel::CancelOnly, HaltLevel::Active]);
    assert_eq!(rig.why(HaltScope::Account(AGENT)), HaltCause::Heartbeat);
    rig.ask(Ask::Beat);
    assert_eq!(rig.buys(0, 1).kind, AnswerKind::Refused, "to speak is not to be resumed");
    rig.step(Body::Control(Control::DeskSilent { desk: DeskId(3), account: AccountId(999) }));
    assert_eq!(rig.resume(HaltScope::Account(AGENT)), Ok(()));
    rig.rests(0, 1);
    rig.replays();
}

/// Goal: what was full, gone or not believed in the run before is not in the next, unless that says so; what was halted is.
/// Method: each, then a restart.
#[test]
fn a_run_begins_without_the_last_ones_doubts() {
    let mut rig = Rig::new(&[("", "venue_session_level", "\"reduce_only\"")]);
    for control in [
        Control::JournalFull(true),
        Control::AuditFull(true),
        Control::ClockUnsafe(true),
        Control::VenueSession(false),
    ] {
        rig.step(Body::Control(control));
    }
    let answer = rig.buys(0, 1);
    for code in [Reject::JournalFull, Reject::AuditFull, Reject::Halted] {
        assert_ne!(answer.verdict.bits & Verdict::bit(code), 0, "{code}");
    }
    rig.step(Body::Control(Control::Restarted { epoch: 1 }));
    let answer = rig.buys(0, 1);
    assert_eq!(answer.verdict.failed().collect::<Vec<_>>(), [Reject::Halted]);
    assert!(!rig.engine.is_clock_unsafe() && !rig.engine.is_session_down());
    assert_eq!(rig.resume(HaltScope::All), Ok(()));
    rig.rests(0, 1);
    rig.replays();
}

/// Goal: nothing that a client asks keeps a trigger from going off, or ends what it raised. Method: everything that it may ask
/// between refusals that go off, halts to lower levels among it.
#[test]
fn no_client_silences_a_trigger() {
    let mut rig = Rig::new(&[("agent", "refusals_max", "3\nrefusals_window_ms = 1000")]);
    let scope = HaltScope::Account(AGENT);
    let rest = |rig: &mut Rig| {
        rig.ask(Ask::Beat);
        rig.ask(Ask::Cancel { order: OrderId(77) });
        for level in [HaltLevel::Active, HaltLevel::ReduceOnly] {
            rig.ask(Ask::Halt { scope, level });
            rig.ask(Ask::Halt { scope: HaltScope::All, level: HaltLevel::Active });
        }
    };
    for _ in 0..4 {
        rest(&mut rig);
        rig.is_refused();
    }
    assert_eq!(rig.why(scope), HaltCause::RejectStorm);
    rest(&mut rig);
    assert_eq!(rig.level(scope), HaltLevel::CancelOnly);
    rig.replays();
}
