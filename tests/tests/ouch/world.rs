//! An engine, its gateway and a venue on virtual time, with a line of bytes between them.

use std::collections::VecDeque;

use engine::config::{Config, GatewayConfig};
use engine::gateway::ouch::{Action, Options, Ouch, Told};
use engine::gateway::{Gateway, Send};
use engine::output::Output;
use engine::step::Engine;
use model::page::{AsOf, TapeKind, TapeRecord};
use model::{
    AccountId, Ask, Body, ClientOrderId, Conditions, Control, Event, Flags, HaltCause, HaltLevel,
    HaltScope, Input, InstrumentId, Kind, Note, OrderId, OrderRef, OrderType, Origin, Px, Qty,
    Request, Side, Symbol, Terms, Tif, TradingState, Ts, VenueNumber, Why,
};
use sim::mold::Credentials;
use sim::ouch::{Connection, Faults, Venue};
use tests::rogue::Dice;

/// The most that an account may be long or short, whatever fills.
pub const POSITION_MAX: i64 = 60;
const MS: u64 = 1_000_000;
const ACK_TIMEOUT_MS: u64 = 60;
/// A cent, in nine decimals.
const CENT: i64 = 10_000_000;
/// Noon of a day.
const START_MS: u64 = 1_790_000_000_000 / 86_400_000 * 86_400_000 + 17 * 3_600_000;

type Pipe = VecDeque<(u64, Vec<u8>)>;

pub struct World {
    pub engine: Engine,
    pub venue: Venue,
    pub sessions: u64,
    pub restarts: u64,
    pub lost: u64,
    out: Output,
    config: Config,
    ouch: Ouch,
    queue: Gateway,
    line: Option<Connection>,
    /// A connection that is asked for stands then.
    opens_at: Option<u64>,
    to_venue: Pipe,
    to_us: Pipe,
    inputs: Vec<Input>,
    recorded: u64,
    tape: Vec<TapeRecord>,
    dice: Dice,
    drops: u64,
    kills: u64,
    epoch: u32,
    is_up: bool,
    reconcile_at: u64,
    now_ms: u64,
    mine: Vec<OrderId>,
    names: u64,
    message: u64,
}

impl World {
    pub fn new(seed: u64, faults: Faults, [drops, kills]: [u64; 2], config: &Config) -> World {
        let engine = Engine::new(config).expect("an engine");
        let credentials = Credentials { user: "t".into(), password: String::new() };
        let midnight = (START_MS - 17 * 3_600_000) * MS + 5 * 3_600_000 * MS;
        let venue = sim::ouch::Config { credentials, midnight, faults, ..Default::default() };
        let mut world = World {
            out: engine.output(),
            ouch: gateway(config, &engine),
            venue: Venue::new(venue, START_MS * MS),
            engine,
            sessions: 0,
            restarts: 0,
            lost: 0,
            config: config.clone(),
            queue: Gateway::new(64),
            line: None,
            opens_at: None,
            to_venue: Pipe::new(),
            to_us: Pipe::new(),
            inputs: Vec::new(),
            recorded: 0,
            tape: Vec::new(),
            dice: Dice(seed),
            drops,
            kills,
            epoch: 0,
            is_up: false,
            reconcile_at: 0,
            now_ms: START_MS,
            mine: Vec::new(),
            names: 0,
            message: 0,
        };
        world.market();
        world
    }

    /// A millisecond passes.
    pub fn tick(&mut self, clients: bool) {
        self.now_ms += 1;
        let now = self.now();
        self.venue.poll(now.0);
        if self.now_ms.is_multiple_of(500) {
            self.level(Side::Buy, 9_999);
        }
        self.input(Body::Timer);
        if clients && self.one_in(300) {
            self.client();
        }
        let behind = self.dice.below(4);
        self.recorded = self.recorded.max((self.inputs.len() as u64).saturating_sub(behind));
        if clients && self.one_in(self.kills) {
            self.kill();
        }
        if self.line.is_some() && self.one_in(self.drops) {
            self.hang_up();
        }
        self.carry();
        self.ouch.on_time(now);
        self.act();
        self.send();
        self.hear();
        self.check_limits();
    }

    /// Everything is cancelled, the line is good again; until both sides agree or time is up.
    pub fn settle(&mut self) -> bool {
        let why = Why::of(HaltCause::Human);
        let (scope, level) = (HaltScope::All, HaltLevel::Halted);
        self.input(Body::Control(Control::Halt { scope, level, why }));
        self.venue.set_faults(Faults::NONE);
        (self.drops, self.kills) = (0, 0);
        for ms in 0..3_000 {
            self.tick(false);
            if ms % 200 == 199 {
                self.cancel_all(); // A cancel that was under way when the halt came may have been refused.
            }
            let open = self.engine.orders().open().count() + self.venue.open().count();
            let quiet = self.to_us.is_empty() && self.to_venue.is_empty();
            if self.is_up && open == 0 && quiet && !self.engine.wants_reconciliation() {
                (0..100).for_each(|_| self.tick(false)); // Whatever was late comes.
                return true;
            }
        }
        false
    }

    pub fn account(&self) -> model::page::Account {
        let page =
            self.engine.risk().account_page(AccountId(0), AsOf::default(), self.engine.now());
        page.expect("the account")
    }

    pub fn position(&self) -> i64 {
        self.engine.risk().position(AccountId(0), InstrumentId(0)).0
    }

    /// Sign, shares and price of every trade that was not taken back.
    pub fn whole_trades(&self) -> impl Iterator<Item = (i64, i64, u64)> {
        let whole = self.venue.trades().iter().filter(|trade| !trade.broken);
        whole.map(|trade| (sign(trade.side), trade.qty.into(), trade.px))
    }

    pub fn venue_position(&self) -> i64 {
        self.whole_trades().map(|(sign, qty, _)| sign * qty).sum()
    }

    pub fn told(&self, kind: TapeKind) -> usize {
        self.tape.iter().filter(|record| record.kind == kind).count()
    }

    fn now(&self) -> Ts {
        Ts(self.now_ms * MS)
    }

    fn one_in(&mut self, per_mille: u64) -> bool {
        self.dice.below(1_000) < per_mille
    }

    fn input(&mut self, body: Body) {
        let seq = self.inputs.len() as u64 + 1;
        let input = Input { seq, now: self.now(), body };
        self.inputs.push(input);
        self.engine.step(&input, &mut self.out, &mut ());
        for send in std::mem::take(&mut self.out.sends) {
            if let Send::New(cleared) = &send {
                let instrument = self.engine.instruments().get(cleared.order().instrument.0);
                self.ouch.list(instrument.unwrap().instrument);
                assert!(self.is_up && !self.engine.wants_reconciliation(), "sent while in doubt");
            }
            self.queue.push(seq, send);
        }
        self.out.sends.reserve(4_096);
        self.tape.append(&mut self.out.tape);
        self.out.forget();
    }

    /// The process is killed: another one goes on from what was recorded.
    fn kill(&mut self) {
        self.restarts += 1;
        self.hang_up();
        self.lost += self.inputs.len() as u64 - self.recorded;
        self.inputs.truncate(self.recorded as usize);
        self.engine = Engine::new(&self.config).expect("an engine");
        for input in &self.inputs {
            self.engine.step(input, &mut self.out, &mut ());
            self.out.forget();
        }
        self.queue = Gateway::new(64);
        self.ouch = gateway(&self.config, &self.engine);
        self.is_up = false;
        self.epoch += 1;
        self.mine.retain(|order| self.engine.orders().get(*order).is_some());
        self.input(Body::Control(Control::Restarted { epoch: self.epoch }));
        self.message = self.engine.feed_seq(InstrumentId(0));
    }

    /// The connection breaks. What was sent may have arrived before that, what comes back is cut off anywhere.
    fn hang_up(&mut self) {
        let arrives = self.dice.below(2) == 0;
        if let Some(line) = &mut self.line
            && arrives
        {
            for (_, bytes) in self.to_venue.drain(..) {
                line.on_bytes(&bytes, self.now_ms * MS, &mut self.venue);
            }
        }
        (self.line, self.opens_at) = (None, None);
        self.to_venue.clear();
        self.to_us.clear();
        self.venue.drop_connections();
        let now = self.now();
        self.ouch.on_closed(now);
    }

    /// Bytes go both ways, in pieces.
    fn carry(&mut self) {
        let now = self.now();
        if self.opens_at.is_some_and(|at| at <= self.now_ms) {
            self.opens_at = None;
            self.line = Some(Connection::new(now.0, &mut self.venue));
            self.ouch.on_opened(now);
        }
        let Some(line) = &mut self.line else { return };
        while self.to_venue.front().is_some_and(|(at, _)| *at <= self.now_ms) {
            let (_, bytes) = self.to_venue.pop_front().unwrap();
            line.on_bytes(&bytes, now.0, &mut self.venue);
        }
        let mut said = Vec::new();
        line.poll(now.0, &mut self.venue, &mut said);
        let is_closed = line.is_closed();
        while !said.is_empty() {
            let piece = said.len().min(1 + self.dice.below(100) as usize);
            let rest = said.split_off(piece);
            delay(&mut self.to_us, said, self.now_ms, &mut self.dice);
            said = rest;
        }
        while self.line.is_some() && self.to_us.front().is_some_and(|(at, _)| *at <= self.now_ms) {
            let (_, bytes) = self.to_us.pop_front().unwrap();
            self.ouch.on_bytes(&bytes, now);
            self.act();
        }
        if is_closed && self.line.is_some() && self.to_us.is_empty() {
            self.line = None;
            self.ouch.on_closed(now);
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.ouch.next_action() {
            match action {
                Action::Open => self.opens_at = Some(self.now_ms + self.dice.below(3)),
                Action::Close => {
                    (self.line, self.opens_at) = (None, None);
                    self.to_venue.clear();
                    self.to_us.clear();
                }
                Action::Send(frame) => {
                    let bytes = frame.bytes().to_vec();
                    delay(&mut self.to_venue, bytes, self.now_ms, &mut self.dice);
                }
            }
        }
        if let Some(error) = self.ouch.next_error() {
            use engine::gateway::ouch::OuchError;
            assert!(matches!(error, OuchError::Closed), "{error}");
        }
    }

    fn send(&mut self) {
        let now = self.now();
        let halt = self.engine.risk().halt(HaltScope::All).unwrap_or(HaltLevel::Halted);
        if !self.ouch.is_up() {
            self.queue.drop_all();
        }
        while self.ouch.is_up()
            && let Some(send) = self.queue.next(self.recorded, halt)
        {
            self.ouch.send(send, now);
            self.act();
        }
    }

    fn hear(&mut self) {
        loop {
            let told = self.ouch.next_told();
            let told = told.or_else(|| self.queue.take_report().map(Told::Report));
            match told {
                None => break,
                Some(Told::Report(report)) => self.input(Body::Report(report)),
                Some(Told::Control(control)) => {
                    if let Control::VenueSession(is_up) = control {
                        (self.is_up, self.reconcile_at) = (is_up, 0);
                        self.sessions += u64::from(is_up);
                    }
                    self.input(Body::Control(control));
                }
            }
        }
        if self.is_up && self.engine.wants_reconciliation() && self.now_ms >= self.reconcile_at {
            self.reconcile_at = self.now_ms + 30;
            self.input(Body::Control(Control::ReconcileBegin));
        }
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
        self.recorded = self.inputs.len() as u64;
    }

    fn level(&mut self, side: Side, cents: i64) {
        let (px, qty) = (Px(cents * CENT), Qty(5));
        let (number, order) = (VenueNumber(1), OrderRef(self.message + 1));
        let (side, flags) = (Some(side), Flags::EVENT_COMPLETE);
        self.event(Event { order, px, qty, side, number, flags, ..Event::empty(Kind::Add) });
    }

    fn event(&mut self, event: Event) {
        self.message += 1;
        let now = self.now();
        self.input(Body::Event(Event { seq: self.message, ts_venue: now, ts_recv: now, ..event }));
    }

    /// Somebody asks for something.
    fn client(&mut self) {
        self.names += 1;
        let client_id = ClientOrderId::new(&format!("c{}", self.names)).unwrap();
        let px = Px((9_990 + self.dice.below(20) as i64) * CENT);
        let qty = Qty(1 + self.dice.below(25) as i64);
        let side = if self.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
        let (tif, conditions) = self.manner(qty);
        let (order_type, instrument) = (OrderType::Limit, InstrumentId(0));
        let open: Vec<_> = self.engine.orders().open().map(|record| record.order.id).collect();
        let old = match (open.len(), self.mine.last()) {
            (0, last) => last.copied(),
            (open_count, _) => Some(open[self.dice.below(open_count as u64) as usize]),
        };
        let ask = match (self.dice.below(10), old) {
            (0..1, Some(order)) => Ask::Cancel { order },
            (1..6, Some(order)) => Ask::Replace { order, client_id, px, qty },
            _ => Ask::New(Terms {
                conditions,
                client_id,
                instrument,
                side,
                order_type,
                tif,
                px,
                qty,
            }),
        };
        let (id, account, note) = (self.names, AccountId(0), Note::default());
        let request = Request { id, origin: Origin::File, account, ask, note };
        let before = self.tape.len();
        self.input(Body::Request(request));
        let passed = self.tape[before..].iter().find(|record| record.kind == TapeKind::Passed);
        if let (Some(record), Ask::New(_)) = (passed, request.ask) {
            self.mine.push(record.order);
        }
    }

    /// How long an order lives, and what else is asked of it.
    fn manner(&mut self, qty: Qty) -> (Tif, Conditions) {
        let display = Qty(1 + self.dice.below(qty.0 as u64) as i64); // At most all of it.
        match self.dice.below(12) {
            0 => (Tif::Ioc, Conditions::NONE),
            1..3 => (Tif::Fok, Conditions::NONE),
            3 => (Tif::AtOpen, Conditions::NONE),
            4 => (Tif::AtClose, Conditions::NONE),
            5 => (Tif::Day, Conditions { post_only: true, ..Conditions::NONE }),
            6 => (Tif::Day, Conditions { display, post_only: true, ..Conditions::NONE }),
            7..9 => (Tif::Day, Conditions { display, ..Conditions::NONE }),
            _ => (Tif::Day, Conditions::NONE),
        }
    }

    fn cancel_all(&mut self) {
        let open: Vec<_> = self.engine.orders().open().map(|record| record.order.id).collect();
        for order in open {
            self.names += 1;
            let (id, account, note) = (self.names, AccountId(0), Note::default());
            let ask = Ask::Cancel { order };
            let request = Request { id, origin: Origin::File, account, ask, note };
            self.input(Body::Request(request));
        }
    }

    /// Whatever is open at the venue may fill, and still no limit is exceeded, but by what was taken back.
    fn check_limits(&self) {
        for side in [1, -1] {
            let open = self.venue.open().filter(|order| sign(order.side) == side);
            let worst: i64 = open.map(|order| i64::from(order.open)).sum();
            let broken = self.venue.trades().iter();
            let back = broken.filter(|trade| trade.broken && sign(trade.side) != side);
            let allowed = POSITION_MAX + back.map(|trade| i64::from(trade.qty)).sum::<i64>();
            assert!(side * self.venue_position() + worst <= allowed, "side {side}: {worst}");
        }
    }
}

fn delay(pipe: &mut Pipe, bytes: Vec<u8>, now_ms: u64, dice: &mut Dice) {
    let last = pipe.back().map_or(0, |(at, _)| *at);
    pipe.push_back((last.max(now_ms + dice.below(6)), bytes));
}

fn sign(side: u8) -> i64 {
    if side == b'B' { 1 } else { -1 }
}

fn gateway(config: &Config, engine: &Engine) -> Ouch {
    let venue = config.engine.venue.as_ref().unwrap();
    let GatewayConfig::Ouch(ouch) = &venue.gateway;
    let firms = ouch.firms(&config.rules);
    let usual = Options::new(ouch.login().unwrap(), firms, venue.executions);
    let options = Options { back_off_ns: 5 * MS, back_off_ns_max: 20 * MS, ..usual };
    let mut gateway = Ouch::new(options, engine.known_orders());
    engine.instruments().iter().for_each(|listed| gateway.list(listed.instrument));
    gateway
}

/// The shipped configuration with an account that may hold little, and a venue outside.
pub fn config() -> Config {
    tests::outside("ouch", POSITION_MAX, ACK_TIMEOUT_MS * MS)
}
