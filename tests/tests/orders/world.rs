//! An engine, its gateway and a venue on virtual time, with a bad line between them.

mod baskets;

use std::collections::{BTreeMap, VecDeque};

use engine::config::{Config, EngineConfig};
use engine::gateway::{Gateway, Send};
use engine::output::Output;
use engine::step::Engine;
use model::page::{AsOf, TapeKind, TapeRecord};
use model::{
    AccountId, Ask, Body, ClientOrderId, Conditions, Control, Event, Flags, HaltCause, HaltLevel,
    HaltScope, Input, InstrumentId, Kind, Link, Note, Order, OrderId, OrderRef, OrderState,
    OrderType, Origin, Px, Qty, Report, ReportKind, Request, Side, Symbol, Terms, Tif,
    TradingState, Ts, VenueNumber, Why,
};
use tests::rogue::Dice;

use super::one_in;
use super::venue::{Faults, Venue, Working};

/// The most that an account may be long or short, whatever fills.
pub const POSITION_MAX: i64 = 60;
const MS: u64 = 1_000_000;
const ACK_TIMEOUT_MS: u64 = 40;
const CENT: i64 = 10_000_000;

pub struct World {
    pub engine: Engine,
    pub out: Output,
    pub venue: Venue,
    pub inputs: Vec<Input>,
    pub tape: Vec<TapeRecord>,
    pub passed: u64,
    gateway: Gateway,
    dice: Dice,
    faults: Faults,
    now_ms: u64,
    up: bool,
    up_again_ms: u64,
    /// In order, each with when it arrives.
    outbound: VecDeque<(u64, Send)>,
    /// Reports, each with when it arrives, in any order.
    inbound: Vec<(u64, Report)>,
    /// What a reconciliation says, in order.
    reliable: VecDeque<(u64, Body)>,
    /// Orders that the venue may still get, and new total quantities of those that it has.
    flying: BTreeMap<u64, Order>,
    changes: Vec<(u64, u16, i64)>,
    mine: Vec<OrderId>,
    /// Orders that are never sent, and their quantities.
    parents: Vec<(OrderId, i64)>,
    /// Numbers of baskets, and of their legs.
    baskets: BTreeMap<u64, usize>,
    names: u64,
    message: u64,
    query_ms: u64,
}

impl World {
    pub fn new(seed: u64, faults: Faults, config: &Config) -> World {
        let engine = Engine::new(config).expect("an engine");
        let mut world = World {
            out: engine.output(),
            engine,
            venue: Venue::default(),
            inputs: Vec::new(),
            tape: Vec::new(),
            passed: 0,
            gateway: Gateway::new(64),
            dice: Dice(seed),
            faults,
            now_ms: 1_000,
            up: true,
            up_again_ms: 0,
            outbound: VecDeque::new(),
            inbound: Vec::new(),
            reliable: VecDeque::new(),
            flying: BTreeMap::new(),
            changes: Vec::new(),
            mine: Vec::new(),
            parents: Vec::new(),
            baskets: BTreeMap::new(),
            names: 0,
            message: 0,
            query_ms: 0,
        };
        world.market();
        world.query();
        world
    }

    /// A millisecond passes.
    pub fn tick(&mut self, clients: bool) {
        self.now_ms += 1;
        if self.now_ms.is_multiple_of(500) {
            self.level(Side::Buy, 9_999);
        }
        if self.now_ms.is_multiple_of(7) {
            self.trade();
        }
        self.input(Body::Timer);
        if clients && one_in(&mut self.dice, 300) {
            self.client();
        }
        self.lines();
        if self.up && one_in(&mut self.dice, self.faults.acts) {
            self.venue.act(&self.faults, &mut self.dice);
        }
        self.tell();
        self.deliver();
        if self.up && one_in(&mut self.dice, 4) {
            self.query();
        }
        self.check_limits();
    }

    /// Nothing trades any more, everything is cancelled, the line is good again; until both sides agree or time is up.
    pub fn settle(&mut self) -> bool {
        let why = Why::of(HaltCause::Human);
        let (scope, level) = (HaltScope::All, HaltLevel::Halted);
        self.input(Body::Control(Control::Halt { scope, level, why }));
        for ms in 0..3_000 {
            if ms == 300 {
                self.faults = Faults { delay_ms: self.faults.delay_ms, ..Faults::default() };
            }
            if ms % 200 == 100 && self.up {
                self.query();
            }
            self.tick(false);
            let open = self.engine.orders().open().count();
            let quiet =
                self.outbound.is_empty() && self.reliable.is_empty() && self.inbound.is_empty();
            if ms > 900 && self.up && open == 0 && quiet && self.flying.is_empty() {
                return true;
            }
        }
        false
    }

    /// The venue says what it holds.
    pub fn say_position(&mut self) {
        let holder =
            model::Holder { account: AccountId(0), instrument: InstrumentId(0), side: Side::Buy };
        let said = Report::of(ReportKind::Position, OrderId(0));
        let qty = Qty(self.venue.position());
        self.input(Body::Report(Report { holder: Some(holder), qty, ..said }));
    }

    pub fn account(&self) -> model::page::Account {
        let page =
            self.engine.risk().account_page(AccountId(0), AsOf::default(), self.engine.now());
        page.expect("the account")
    }

    pub fn position(&self) -> i64 {
        self.engine.risk().position(AccountId(0), InstrumentId(0)).0
    }

    pub fn told(&self, kind: TapeKind) -> usize {
        self.tape.iter().filter(|record| record.kind == kind).count()
    }

    fn input(&mut self, body: Body) {
        let seq = self.inputs.len() as u64 + 1;
        let input = Input { seq, now: Ts(self.now_ms * MS), body };
        self.inputs.push(input);
        self.engine.step(&input, &mut self.out, &mut ());
        self.check_baskets();
        for send in std::mem::take(&mut self.out.sends) {
            match &send {
                Send::New(cleared) => {
                    self.passed += 1;
                    self.flying.insert(cleared.order().id.0, *cleared.order());
                }
                Send::Replace(cleared, change) => {
                    let order = cleared.order();
                    self.changes.push((order.id.0, *change, order.qty.0));
                }
                Send::Cancel(..) | Send::Status(_) | Send::Reconcile(_) => {}
            }
            self.gateway.push(seq, send);
        }
        self.out.sends.reserve(4_096);
        self.tape.append(&mut self.out.tape);
        self.out.forget();
    }

    /// A live book: 99.99 at 100.01.
    fn market(&mut self) {
        let number = VenueNumber(1);
        self.event(Event::directory(number, Symbol::new("AAPL").unwrap(), 9, 0));
        self.event(Event { number, ..Event::empty(Kind::Clear) });
        let aux = TradingState::Trading.code().into();
        self.event(Event { aux, number, ..Event::empty(Kind::State) });
        self.level(Side::Buy, 9_999);
        self.level(Side::Sell, 10_001);
    }

    fn level(&mut self, side: Side, cents: i64) {
        let (px, qty) = (Px(cents * CENT), Qty(5));
        let (number, order) = (VenueNumber(1), OrderRef(self.message + 1));
        let (side, flags) = (Some(side), Flags::EVENT_COMPLETE);
        self.event(Event { order, px, qty, side, number, flags, ..Event::empty(Kind::Add) });
    }

    /// Somebody trades near the market, so that stops are triggered.
    fn trade(&mut self) {
        let (number, px, qty) = (VenueNumber(1), self.px(), Qty(1));
        let flags = Flags::EVENT_COMPLETE;
        self.event(Event { px, qty, number, flags, ..Event::empty(Kind::Trade) });
    }

    fn event(&mut self, event: Event) {
        self.message += 1;
        let now = Ts(self.now_ms * MS);
        self.input(Body::Event(Event { seq: self.message, ts_venue: now, ts_recv: now, ..event }));
    }

    /// Somebody asks for something.
    fn client(&mut self) {
        if one_in(&mut self.dice, 60) {
            return self.basket();
        }
        self.names += 1;
        let client_id = ClientOrderId::new(&format!("c{}", self.names)).unwrap();
        let (px, qty) = (self.px(), Qty(1 + self.dice.below(25) as i64));
        let side = if self.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
        let (order_type, tif, instrument) = (OrderType::Limit, Tif::Day, InstrumentId(0));
        let open: Vec<_> = self.engine.orders().open().map(|record| record.order.id).collect();
        let old = match (open.len(), self.mine.last()) {
            (0, last) => last.copied(),
            (open_count, _) => Some(open[self.dice.below(open_count as u64) as usize]),
        };
        let plain = Terms {
            client_id,
            instrument,
            side,
            order_type,
            tif,
            px,
            qty,
            conditions: Conditions::NONE,
        };
        let ask = match (self.dice.below(14), old) {
            (0..1, Some(order)) => Ask::Cancel { order },
            (1..6, Some(order)) => Ask::Replace { order, client_id, px, qty },
            (6..9, _) => Ask::New(plain),
            _ => Ask::New(self.special(plain)),
        };
        self.ask(ask);
    }

    fn ask(&mut self, ask: Ask) {
        let (id, account, note) = (self.names, AccountId(0), Note::default());
        let request = Request { id, origin: Origin::File, account, ask, note };
        // The answer is forgotten with the rest, so the tape tells which order passed.
        let before = self.tape.len();
        self.input(Body::Request(request));
        let passed = self.tape[before..].iter().find(|record| record.kind == TapeKind::Passed);
        if let (Some(record), Ask::New(terms)) = (passed, request.ask) {
            self.mine.push(record.order);
            if terms.conditions.parent_only {
                self.parents.push((record.order, terms.qty.0));
            }
        }
    }

    /// An order of another kind: market, stop, with an end, one of two, parent or child.
    fn special(&mut self, plain: Terms) -> Terms {
        let none = Conditions::NONE;
        let last = self.engine.instruments().get(0).and_then(|listed| listed.last);
        let away = (1 + self.dice.below(8) as i64) * CENT;
        let last = last.map_or(10_000 * CENT, |last| last.px.0);
        let beyond = |side| Px(last + super::venue::sign(side) * away);
        let stop = |side| Conditions { stop_px: beyond(side), ..none };
        let (px, qty) = (Px(0), plain.qty);
        match self.dice.below(7) {
            0 => Terms { order_type: OrderType::Market, px, ..plain },
            1 => Terms { order_type: OrderType::Stop, px, conditions: stop(plain.side), ..plain },
            2 => Terms { order_type: OrderType::StopLimit, conditions: stop(plain.side), ..plain },
            3 => {
                let expires = Ts((self.now_ms + self.dice.below(150)) * MS);
                Terms { tif: Tif::Gtd, conditions: Conditions { expires, ..none }, ..plain }
            }
            4 | 5 => {
                let at_venue = self.engine.orders().open().filter(|r| r.state != OrderState::Held);
                let Some(record) = at_venue.last() else { return plain };
                let (side, most) = (record.order.side, record.order.qty);
                let link = Some(Link::OneCancels(record.order.id));
                let conditions = Conditions { link, ..stop(side) };
                let order_type = OrderType::Stop;
                Terms { order_type, side, px, qty: qty.min(most), conditions, ..plain }
            }
            _ => {
                let open = self.parents.last().and_then(|(id, _)| self.engine.orders().get(*id));
                let Some(parent) = open.filter(|record| record.state.is_open()) else {
                    return Terms { conditions: Conditions { parent_only: true, ..none }, ..plain };
                };
                let conditions = Conditions { link: Some(Link::Parent(parent.order.id)), ..none };
                Terms { side: parent.order.side, qty: Qty(1 + qty.0 / 3), conditions, ..plain }
            }
        }
    }

    fn px(&mut self) -> Px {
        Px((9_990 + self.dice.below(20) as i64) * CENT)
    }

    /// The gateway sends, the line carries, the venue takes.
    fn lines(&mut self) {
        if self.up && one_in(&mut self.dice, self.faults.drops) {
            self.drop_session();
        }
        if !self.up && self.now_ms >= self.up_again_ms {
            self.up = true;
            self.input(Body::Control(Control::VenueSession(true)));
            self.query();
        }
        let seq = self.inputs.len() as u64;
        let recorded = seq.saturating_sub(self.dice.below(4));
        let halt = self.engine.risk().halt(HaltScope::All).unwrap_or(HaltLevel::Halted);
        if self.up {
            while let Some(send) = self.gateway.next(recorded, halt) {
                self.send(send);
            }
        } else {
            self.gateway.drop_all();
        }
        while let Some(report) = self.gateway.take_report() {
            self.landed(report.order, report.change);
            self.input(Body::Report(report));
        }
        while self.outbound.front().is_some_and(|(at, _)| *at <= self.now_ms) {
            let Some((_, sent)) = self.outbound.pop_front() else { return };
            self.arrive(sent);
        }
    }

    fn send(&mut self, sent: Send) {
        let last = self.outbound.back().map_or(0, |(at, _)| *at);
        let at = last.max(self.now_ms + self.dice.below(self.faults.delay_ms + 1));
        self.outbound.push_back((at, sent));
    }

    fn landed(&mut self, order: OrderId, change: u16) {
        if change == 0 {
            self.flying.remove(&order.0);
        }
        self.changes.retain(|(id, number, _)| (*id, *number) != (order.0, change));
    }

    fn arrive(&mut self, sent: Send) {
        let (faults, dice) = (self.faults, &mut self.dice);
        match sent {
            Send::New(cleared) => {
                self.venue.on_new(*cleared.order(), &faults, dice);
                self.landed(cleared.order().id, 0);
            }
            Send::Replace(cleared, change) => {
                self.venue.on_replace(*cleared.order(), change, &faults, dice);
                self.landed(cleared.order().id, change);
            }
            Send::Cancel(order, change) => self.venue.on_cancel(order, change),
            Send::Status(order) => self.venue.on_status(order),
            Send::Reconcile(round) => {
                let (reports, orders) = self.venue.snapshot(round);
                let at = self.now_ms + self.dice.below(faults.delay_ms + 1);
                for report in reports {
                    // A restatement that is missing shows, for they are counted.
                    let misses = report.kind == ReportKind::Restated
                        && one_in(&mut self.dice, faults.lost / 8);
                    let doubled = u64::from(one_in(&mut self.dice, faults.doubled));
                    let times = if misses { 0 } else { 1 + doubled };
                    self.reliable.extend((0..times).map(|_| (at, Body::Report(report))));
                }
                self.reliable
                    .push_back((at, Body::Control(Control::ReconcileEnd { round, orders })));
            }
        }
    }

    /// Asks the venue for everything.
    fn query(&mut self) {
        if self.now_ms < self.query_ms {
            return;
        }
        self.query_ms = self.now_ms + 30;
        self.reliable.clear();
        self.input(Body::Control(Control::ReconcileBegin));
    }

    /// What the venue says now is lost, doubled, and late.
    fn tell(&mut self) {
        for report in std::mem::take(&mut self.venue.says) {
            if !self.up || one_in(&mut self.dice, self.faults.lost) {
                continue;
            }
            let times = if one_in(&mut self.dice, self.faults.doubled) { 2 } else { 1 };
            for _ in 0..times {
                let at = self.now_ms + self.dice.below(self.faults.delay_ms + 1);
                self.inbound.push((at, report));
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(place) = self.inbound.iter().position(|(at, _)| *at <= self.now_ms) {
            let (_, report) = self.inbound.swap_remove(place);
            self.input(Body::Report(report));
        }
        while self.reliable.front().is_some_and(|(at, _)| *at <= self.now_ms) {
            let Some((_, body)) = self.reliable.pop_front() else { return };
            self.input(body);
        }
    }

    /// The session goes down, and with it all that was under way; replaces may have arrived or not.
    fn drop_session(&mut self) {
        self.up = false;
        self.up_again_ms = self.now_ms + 1 + self.dice.below(60);
        self.outbound.clear();
        self.inbound.clear();
        self.reliable.clear();
        self.flying.clear();
        self.changes.clear();
        self.venue.drop_session(&self.faults, &mut self.dice);
        self.venue.says.clear();
        self.input(Body::Control(Control::VenueSession(false)));
        // What the gateway still held never left.
        self.gateway.drop_all();
    }

    /// The most that an order at the venue may have filled in the end.
    fn reach(&self, working: &Working) -> i64 {
        let id = working.order.id.0;
        let grown = self.changes.iter().filter(|(of, ..)| *of == id).map(|(.., qty)| *qty);
        let total = grown.max().unwrap_or(0).max(working.order.qty.0);
        if working.ended.is_some() { working.cum } else { total.max(working.cum) }
    }

    /// Whatever is under way may happen, and still no parent is exceeded, but by what no order was for.
    fn check_parents(&self) {
        for (parent, total) in &self.parents {
            let is_child = |order: &Order| order.conditions.link == Some(Link::Parent(*parent));
            let flying = self.flying.values().filter(|order| is_child(order));
            let mut reached: i64 = flying.map(|order| order.qty.0).sum();
            let children = self.venue.orders.values().filter(|w| is_child(&w.order));
            reached += children.map(|working| self.reach(working)).sum::<i64>();
            let excess = self.venue.excess[0] + self.venue.excess[1];
            assert!(reached <= total + excess, "{parent:?}: {reached} of {total}");
        }
    }

    /// Whatever is under way may happen, and still no limit is exceeded, but by what no order was for.
    fn check_limits(&self) {
        self.check_parents();
        let position = self.venue.position();
        for side in [Side::Buy, Side::Sell] {
            let flying = self.flying.values().filter(|order| order.side == side);
            let mut worst: i64 = flying.map(|order| order.qty.0).sum();
            for working in self.venue.orders.values().filter(|w| w.order.side == side) {
                worst += self.reach(working) - working.cum;
            }
            let reached = super::venue::sign(side) * position + worst;
            let back = self.venue.trades.iter().filter(|t| t.busted && t.side != side);
            let allowed = POSITION_MAX
                + self.venue.excess[side.index()]
                + back.map(|trade| trade.qty).sum::<i64>();
            assert!(reached <= allowed, "{side}: {reached} of {allowed}");
        }
    }
}

/// The shipped configuration with an account that may hold little, and a venue outside.
pub fn config() -> Config {
    let config = tests::outside("orders", POSITION_MAX, ACK_TIMEOUT_MS * MS);
    let basket_timeout_ns = 20 * MS;
    let engine = EngineConfig { basket_timeout_ns, ..config.engine.clone() };
    config.with_engine(engine)
}
