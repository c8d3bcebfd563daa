//! Whole engines that share their accounts: what passes in any of them is within the firm's limits, by a recount of all.

use std::path::PathBuf;

use feeds::Venue;
use model::page::AnswerKind;
use model::{
    Ask, Body, ClientOrderId, Conditions, Event, Flags, Input, InstrumentId, Integrity, Kind, Note,
    OrderId, OrderType, Origin, Px, Qty, Request, Side, Symbol, Terms, Tif, TradingState,
    VenueNumber,
};

use super::*;
use crate::config::{Capacity, Captures, Config, FeedConfig, FeedSource, Shards, Speed};
use crate::output::Output;
use crate::step::{Credited, Engine};

const MS: u64 = 1_000_000;
/// Money of a price unit and a share: prices have four decimals.
const FACTOR: i128 = 100_000_000;
/// The first two of every account's, and all of them.
const ACCOUNTS: [&str; 3] = ["house", "agent", "probe"];
const WINDOW_NS: u64 = 500 * MS;
/// Four seconds before a session begins.
const BEGIN: u64 = 5 * 3_600_000 * MS - 4_000 * MS;
const SESSION_AT: u64 = 5 * 3_600_000 * MS;
/// The best prices where they do not move: 100.00 and 100.10.
const BID: i64 = 1_000_000;
const ASK: i64 = 1_001_000;

/// Limits that a few orders of some dozen shares use up; of the account above they are tighter than of both beneath it.
fn limits_text() -> String {
    let account = |name: &str, parent: &str, permission: &str, scale: u64| {
        let [gross, net, day, volume] =
            [20_000, 15_000, 120_000, 60_000].map(|sum| sum * scale / 4);
        let [open, rate, executions] = [12, 16, 120].map(|most| most * scale / 4);
        format!(
            "[[account]]\nname = \"{name}\"\n{parent}permission = \"{permission}\"\ncurrency = \"USD\"\n\
             cash = \"10000000\"\ngross_max = \"{gross}\"\nnet_max = \"{net}\"\n\
             day_gross_max = \"{day}\"\nloss_max = \"2000\"\ndrawdown_max_bps = \"off\"\n\
             open_orders_max = {open}\nrate_max = {rate}\nrate_window_ms = 500\nvolume_max = \"{volume}\"\n\
             volume_window_ms = 500\nbasket_max = \"off\"\norder_to_trade_max = \"off\"\n\
             executions_max = {executions}\nduplicates_max = \"off\"\nself_trade = \"off\"\nrefusals_max = \"off\"\n\
             venue_rejects_max = \"off\"\nfills_max = \"off\"\nfills_money_max = \"off\"\n\
             dead_man_ms = \"off\"\n\n"
        )
    };
    let row = |name: &str| {
        format!(
            "[[limit]]\naccount = \"{name}\"\nsymbol = \"*\"\nclip_max = \"1000\"\n\
             notional_max = \"1000000\"\nlong_max = \"10000\"\nshort_max = \"10000\"\nband_bps = 1000\n\
             band_px = \"off\"\nage_max_ms = 86400000\nspread_max_bps = \"off\"\nadv_max_bps = \"off\"\n\
             venue_band = \"off\"\nlocated = \"off\"\nmargin_long_bps = \"off\"\nmargin_short_bps = \"off\"\n\
             soft_clip_max = \"off\"\nsoft_notional_max = \"off\"\nsoft_band_bps = \"off\"\nfees = \"none\"\n\n"
        )
    };
    let shipped = include_str!("../../../../deploy/limits.toml");
    let begins = shipped.find("[triggers]").unwrap();
    let triggers = &shipped[begins..begins + shipped[begins..].find("\n\n").unwrap()];
    let mut text = format!("session_start = \"05:00\"\n\n{triggers}\n\n");
    text += &account("house", "", "read", 4);
    text += &account("agent", "parent = \"house\"\n", "trade", 3);
    text += &account("probe", "parent = \"house\"\n", "trade", 3);
    ACCOUNTS.iter().for_each(|name| text += &row(name));
    text
}

/// Of one of so many engines.
fn config(number: u16, count: u16) -> Config {
    let files = [
        ("engine.toml", include_str!("../../../../deploy/engine.toml").to_string()),
        ("instruments.toml", include_str!("../../../../deploy/instruments.toml").to_string()),
        ("limits.toml", limits_text()),
    ];
    let files = files.map(|(name, text)| (PathBuf::from(name), text));
    let config = Config::from_texts(files.into()).unwrap();
    let mut engine = config.engine.clone();
    let captures = Captures {
        files: Vec::new(),
        date: Default::default(),
        speed: Speed::parse("max").unwrap(),
        repeat: false,
        symbols: Vec::new(),
    };
    let source = FeedSource::Captures(captures);
    engine.feeds =
        vec![FeedConfig { venue: Venue::DatabentoMbp, source, silence_ns: u64::MAX / 4 }];
    engine.strategies.clear();
    engine.capacity = Capacity {
        instruments: 1,
        book_orders: 64,
        levels: 64,
        ref_pages: 1,
        own_orders: 64,
        lots: 64,
        client_ids: 1 << 10,
        tape: 64,
        feed_ring: 64,
    };
    let (index, cpus) = (Some(number), Vec::new());
    engine.shards = Some(Shards { count, index, cpus });
    config.with_engine(engine)
}

/// An order or a change that passed: behind which input, when, and whose.
#[derive(Clone, Copy)]
struct Pass {
    input: usize,
    at: Ts,
    account: AccountId,
    money: i128,
}

/// A fill likewise.
#[derive(Clone, Copy)]
struct Fill {
    input: usize,
    at: Ts,
    account: AccountId,
    side: Side,
    px: Px,
    qty: Qty,
}

/// An engine with its journal, and what is on its way to it and from it.
struct Shard {
    config: Config,
    engine: Engine,
    out: Output,
    inputs: Vec<Input>,
    /// So many of them survive whatever happens.
    durable: usize,
    lag: u64,
    asked: VecDeque<Move>,
    told: VecDeque<Told>,
    passes: Vec<Pass>,
    fills: Vec<Fill>,
    names: u64,
}

/// What an engine says, in order.
#[derive(Clone, Copy)]
enum Told {
    Seen(View),
    Done(u64, Credited),
}

impl Shard {
    fn new(number: u16, count: u16, lag: u64) -> Shard {
        let config = config(number, count);
        let engine = Engine::new(&config).unwrap();
        let mut shard = Shard {
            out: engine.output(),
            engine,
            config,
            inputs: Vec::new(),
            durable: 0,
            lag,
            asked: VecDeque::new(),
            told: VecDeque::new(),
            passes: Vec::new(),
            fills: Vec::new(),
            names: 0,
        };
        let (number, now) = (VenueNumber(1), Ts(BEGIN - lag));
        shard.event(now, Event::directory(number, Symbol::new("ONE").unwrap(), 4, 0));
        let aux = TradingState::Trading.code().into();
        shard.event(now, Event { aux, number, ..Event::empty(Kind::State) });
        shard.event(now, Event { number, ..Event::empty(Kind::Clear) });
        shard.quote(now, [BID, ASK]);
        assert_eq!(shard.engine.board(0).unwrap().integrity, Integrity::Live);
        shard.durable = shard.inputs.len();
        shard
    }

    fn step(&mut self, now: Ts, body: Body) {
        let seq = self.engine.seq() + 1;
        let input = Input { seq, now: now.max(self.engine.now()), body };
        self.inputs.push(input);
        self.engine.step(&input, &mut self.out, &mut ());
        let (input, at) = (self.inputs.len(), self.engine.now());
        for told in self.out.tape.drain(..) {
            if told.kind == model::page::TapeKind::Fill {
                let (account, side, px, qty) =
                    (told.account, told.side.unwrap(), told.px, told.qty);
                self.fills.push(Fill { input, at, account, side, px, qty });
            }
        }
        self.out.forget_all_but_answers();
    }

    fn event(&mut self, now: Ts, event: Event) {
        let seq = self.inputs.len() as u64 + 1;
        let flags = Flags::EVENT_COMPLETE.with(Flags::LAST_OF_PACKET);
        let event = Event { seq, ts_venue: now, ts_recv: now, flags, ..event };
        self.step(now, Body::Event(event));
    }

    /// Puts the best prices elsewhere.
    fn quote(&mut self, now: Ts, prices: [i64; 2]) {
        let level = |side, px, qty| Event::level(VenueNumber(1), side, Px(px), Qty(qty));
        let board = self.engine.board(0);
        let old = board.map_or([None; 2], |board| [board.bid, board.ask]);
        for (old, side) in old.into_iter().zip([Side::Buy, Side::Sell]) {
            if let Some(old) = old {
                self.event(now, level(side, old.px.0, 0));
            }
        }
        for (px, side) in prices.into_iter().zip([Side::Buy, Side::Sell]) {
            self.event(now, level(side, px, 1_000_000));
        }
    }

    /// Whether it passed.
    fn ask(&mut self, now: Ts, account: AccountId, ask: Ask, money: i128) -> bool {
        let request = Request { id: 1, origin: Origin::File, account, ask, note: Note::default() };
        self.step(now, Body::Request(request));
        let answer = self.out.answer.take().unwrap();
        let passed = answer.kind != AnswerKind::Refused;
        if passed {
            let (input, at) = (self.inputs.len(), self.engine.now());
            self.passes.push(Pass { input, at, account, money });
        }
        passed
    }

    fn order(
        &mut self,
        now: Ts,
        account: AccountId,
        side: Side,
        qty: i64,
        px: i64,
        tif: Tif,
    ) -> bool {
        self.names += 1;
        let terms = Terms {
            client_id: ClientOrderId::new(&format!("o{}", self.names)).unwrap(),
            instrument: InstrumentId(0),
            side,
            order_type: OrderType::Limit,
            tif,
            px: Px(px),
            qty: Qty(qty),
            conditions: Conditions::NONE,
        };
        self.ask(now, account, Ask::New(terms), i128::from(px) * i128::from(qty) * FACTOR)
    }

    /// Those that work.
    fn open(&self) -> impl Iterator<Item = &crate::orders::OrderRecord> {
        let slots = 0..self.engine.orders().used();
        slots.filter_map(|slot| self.engine.orders().at(slot)).filter(|order| order.state.is_open())
    }

    fn pick(&self, pick: usize) -> Option<(OrderId, AccountId, Px)> {
        let open: Vec<_> =
            self.open().map(|of| (of.order.id, of.order.account, of.order.px)).collect();
        open.get(pick % open.len().max(1)).copied()
    }

    /// Takes what the treasury asks for.
    fn serve(&mut self, now: Ts) {
        let Some(asked) = self.asked.pop_front() else { return };
        self.step(now, Body::Control(asked.control()));
        let credited = self.out.credited.take().unwrap();
        self.told.push_back(Told::Done(self.engine.seq(), credited));
    }

    /// Shows all slices. What is used of them is a hint, and may be wrong: so many quarters of it are told, and of twice as much and
    /// more a part of the slice besides.
    fn look(&mut self, quarters: i128) {
        for account in 0..ACCOUNTS.len() as u16 {
            for limit in CreditKind::ALL {
                let view = self.engine.view(AccountId(account), *limit).unwrap();
                let used = view.used * quarters / 4 + view.slice * (quarters / 8) / 2;
                self.told.push_back(Told::Seen(View { used, ..view }));
            }
        }
    }

    /// Ends, and comes back from so much of its journal as is left: the same inputs, step by step.
    fn crash(&mut self, pick: usize) {
        let left = self.durable + pick % (self.inputs.len() - self.durable + 1);
        self.inputs.truncate(left);
        self.engine = Engine::new(&self.config).unwrap();
        for input in &self.inputs {
            self.engine.step(input, &mut self.out, &mut ());
            self.out.forget();
        }
        (self.out.credited, self.durable) = (None, left);
        (self.asked, self.told) = (VecDeque::new(), VecDeque::new());
        self.passes.retain(|pass| pass.input <= left);
        self.fills.retain(|fill| fill.input <= left);
    }

    fn slice(&self, account: AccountId, limit: CreditKind) -> i128 {
        self.engine.view(account, limit).unwrap().slice
    }
}

impl Output {
    fn forget_all_but_answers(&mut self) {
        let answer = self.answer;
        self.forget();
        self.answer = answer;
    }
}

/// Whether what is done on `account` counts on `above`.
fn counts(account: AccountId, above: AccountId) -> bool {
    account == above || above == AccountId(0)
}

struct World {
    shards: Vec<Shard>,
    treasury: Treasury,
    now: u64,
    /// Whether prices stay where they are: then nothing is used that no order asked for.
    still: bool,
}

/// What all engines count together, worked out anew from their orders and fills. Money, those of marks doubled.
#[derive(Debug, PartialEq, Eq)]
struct Recount {
    gross2: i128,
    net2: i128,
    day: i128,
    open: i128,
}

impl World {
    fn new(count: u16, lags: &[u64], still: bool) -> World {
        let shards: Vec<Shard> =
            (0..count).zip(lags).map(|(number, lag)| Shard::new(number, count, *lag)).collect();
        let treasury = Treasury::new(count.into(), ACCOUNTS.len() as u16);
        let mut world = World { shards, treasury, now: BEGIN, still };
        (0..world.shards.len()).for_each(|shard| world.sync(shard, 0));
        world
    }

    fn sync(&mut self, shard: usize, pick: usize) {
        let of = &mut self.shards[shard];
        of.durable += pick % (of.inputs.len() - of.durable + 1);
        self.treasury.durable(shard, of.durable as u64);
    }

    fn hear(&mut self, shard: usize) {
        match self.shards[shard].told.pop_front() {
            None => {}
            Some(Told::Seen(view)) => self.treasury.see(shard, &view),
            Some(Told::Done(seq, Credited { account, limit, slice, at })) => {
                let slice = slice.map(|slice| (slice, at));
                self.treasury.confirm(shard, seq, account, limit, slice);
            }
        }
    }

    fn tick(&mut self) -> usize {
        let mut moves = Vec::new();
        self.treasury.tick(&mut moves);
        moves.iter().for_each(|asked| self.shards[asked.shard].asked.push_back(*asked));
        moves.len()
    }

    /// Every engine is heard, asked, and heard again; which of them have all of it in their journals for good is a bit of `syncs`.
    fn round(&mut self, quarters: [i128; 4], syncs: u8) {
        for (turn, quarters) in [Some(quarters), None, None].into_iter().enumerate() {
            for shard in 0..self.shards.len() {
                let at = self.at(shard);
                while !self.shards[shard].asked.is_empty() {
                    self.shards[shard].serve(at);
                }
                if let Some(quarters) = quarters.and_then(|all| all.get(shard).copied()) {
                    self.shards[shard].step(at, Body::Timer);
                    self.shards[shard].look(quarters);
                }
                while !self.shards[shard].told.is_empty() {
                    self.hear(shard);
                }
                if syncs >> ((2 * shard + turn) % 8) & 1 == 1 {
                    let all = self.shards[shard].inputs.len() - self.shards[shard].durable;
                    self.sync(shard, all);
                }
            }
            self.tick();
        }
    }

    /// Everything that is on its way arrives and is durable, until nothing moves.
    fn settle(&mut self) {
        for _ in 0..50 {
            self.now += MS;
            for shard in 0..self.shards.len() {
                let at = Ts(self.now); // No clock is behind.
                self.shards[shard].step(at, Body::Timer);
                while !self.shards[shard].asked.is_empty() {
                    self.shards[shard].serve(at);
                }
                self.shards[shard].look(4);
                while !self.shards[shard].told.is_empty() {
                    self.hear(shard);
                }
                let all = self.shards[shard].inputs.len() - self.shards[shard].durable;
                self.sync(shard, all);
            }
            if self.tick() == 0 {
                return;
            }
        }
        panic!("slices do not come to rest");
    }

    fn total(&self, account: AccountId, limit: CreditKind) -> i128 {
        self.shards[0].engine.total(account, limit).unwrap()
    }

    /// `at`: when, to the engine that asks. What another one does in another session is not of this one.
    fn recount(&self, account: AccountId, at: Ts) -> Recount {
        let is_late = |at: Ts| at.0 >= SESSION_AT;
        let (mut gross2, mut net, mut day, mut open) = (0, [0; 2], 0, 0);
        for shard in &self.shards {
            let board = shard.engine.board(0).unwrap();
            let mark2 = [board.bid, board.ask].map(|level| i128::from(level.unwrap().px.0));
            let mark2 = mark2[0] + mark2[1];
            let [mut position, mut buys, mut sells] = [0_i128; 3];
            for fill in shard.fills.iter().filter(|fill| counts(fill.account, account)) {
                let qty = i128::from(fill.qty.0);
                position += if fill.side == Side::Buy { qty } else { -qty };
                if is_late(fill.at) == is_late(at) {
                    day += i128::from(fill.px.0) * qty * FACTOR;
                }
            }
            for of in shard.open().filter(|of| counts(of.order.account, account)) {
                let qty = i128::from(of.order.qty.0 - of.filled.0);
                match of.order.side {
                    Side::Buy => buys += qty,
                    Side::Sell => sells += qty,
                }
                open += 1;
                if is_late(shard.engine.now()) <= is_late(at) {
                    day += i128::from(of.order.px.0) * qty * FACTOR;
                }
            }
            let (long, short) = (position + buys, sells - position);
            gross2 += long.max(short) * mark2 * FACTOR;
            net[0] += long * mark2 * FACTOR;
            net[1] += short * mark2 * FACTOR;
        }
        Recount { gross2, net2: net[0].max(net[1]), day, open }
    }

    /// What has just passed in an engine is what one engine of everything would have let pass.
    fn within(&self, shard: usize, account: AccountId) {
        let at = self.shards[shard].engine.now();
        for above in [account, AccountId(0)] {
            let Recount { gross2, net2, day, open } = self.recount(above, at);
            for (limit, used, times) in [
                (CreditKind::Gross, gross2, 2),
                (CreditKind::Net, net2, 2),
                (CreditKind::DayGross, day, 1),
                (CreditKind::OpenOrders, open, 1),
            ] {
                let total = self.total(above, limit) * times;
                assert!(used <= total, "{limit} of {above:?}: {used} of {total}");
            }
        }
    }

    /// No window of any length of the limits', and no session, holds more than the limit.
    fn windows_are_within(&self) {
        for above in (0..ACCOUNTS.len() as u16).map(AccountId) {
            let passes = self.shards.iter().flat_map(|shard| &shard.passes);
            let passes: Vec<&Pass> = passes.filter(|pass| counts(pass.account, above)).collect();
            for end in &passes {
                let within = |pass: &&&Pass| pass.at <= end.at && end.at.since(pass.at) < WINDOW_NS;
                let inside: Vec<_> = passes.iter().filter(within).collect();
                let money: i128 = inside.iter().map(|pass| pass.money).sum();
                assert!(inside.len() as i128 <= self.total(above, CreditKind::Rate));
                assert!(money <= self.total(above, CreditKind::Volume));
            }
            let fills = self.shards.iter().flat_map(|shard| &shard.fills);
            let fills = fills.filter(|fill| counts(fill.account, above));
            let mut days = [0; 2];
            for fill in fills {
                let money = i128::from(fill.px.0) * i128::from(fill.qty.0) * FACTOR;
                days[usize::from(fill.at.0 >= SESSION_AT)] += money;
            }
            let most = self.total(above, CreditKind::DayGross);
            assert!(!self.still || days.iter().all(|day| *day <= most), "{days:?} of {most}");
        }
    }

    fn slices_are_within(&self) {
        for account in (0..ACCOUNTS.len() as u16).map(AccountId) {
            for limit in CreditKind::ALL {
                let slices = self.shards.iter().map(|shard| shard.slice(account, *limit));
                let sum: i128 = slices.sum();
                assert!(sum <= self.total(account, *limit), "{limit} of {account:?}: {sum}");
            }
        }
    }

    fn apply(&mut self, op: Op) {
        let place = |shard: usize| shard % self.shards.len();
        match op {
            Op::Order { shard, account, side, qty, away, ioc } => {
                let (shard, account) = (place(shard), AccountId(account));
                let at = self.at(shard);
                // A sale never fills above its limit, so that no more trades than was asked for.
                let board = self.shards[shard].engine.board(0).unwrap();
                let (Some(bid), Some(ask)) = (board.bid, board.ask) else { return };
                let [bid, ask] = [bid, ask].map(|level| level.px.0);
                let px = if side == Side::Buy { ask - 500 * away } else { bid + 500 * away };
                let tif = if ioc { Tif::Ioc } else { Tif::Day };
                if self.shards[shard].order(at, account, side, qty, px, tif) && self.still {
                    self.within(shard, account);
                }
            }
            Op::Replace { shard, pick, qty } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                let of = &mut self.shards[shard];
                let Some((order, account, px)) = of.pick(pick) else { return };
                of.names += 1;
                let client_id = ClientOrderId::new(&format!("r{}", of.names)).unwrap();
                let ask = Ask::Replace { order, client_id, px, qty: Qty(qty) };
                let money = i128::from(px.0) * i128::from(qty) * FACTOR;
                if of.ask(at, account, ask, money) && self.still {
                    self.within(shard, account);
                }
            }
            Op::Cancel { shard, pick } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                let of = &mut self.shards[shard];
                let Some((order, account, _)) = of.pick(pick) else { return };
                let (origin, note, ask) = (Origin::File, Note::default(), Ask::Cancel { order });
                of.step(at, Body::Request(Request { id: 1, origin, account, ask, note }));
                of.out.answer = None;
            }
            Op::Quote { shard, by } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                if !self.still {
                    self.shards[shard].quote(at, [BID + 1_000 * by, ASK + 1_000 * by]);
                }
            }
            Op::Burst { shard, account, side, qty, count } => {
                for _ in 0..count {
                    self.apply(Op::Order { shard, account, side, qty, away: 0, ioc: true });
                    self.apply(Op::Order { shard, account, side, qty, away: 1, ioc: false });
                }
            }
            Op::Round { quarters, syncs } => self.round(quarters, syncs),
            Op::Wait { ms } => self.now += ms * MS,
            Op::Serve { shard } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                self.shards[shard].serve(at);
            }
            Op::Look { shard, quarters } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                self.shards[shard].step(at, Body::Timer);
                self.shards[shard].look(quarters);
            }
            Op::Hear { shard, count } => {
                let shard = place(shard);
                (0..count).for_each(|_| self.hear(shard));
            }
            Op::Sync { shard, pick } => self.sync(place(shard), pick),
            Op::Tick => _ = self.tick(),
            Op::Settle => self.settle(),
            Op::Crash { shard, pick } => {
                let shard = place(shard);
                self.shards[shard].crash(pick);
                self.treasury.forget(shard);
                self.sync(shard, 0);
            }
            Op::CrashAll { pick } => {
                self.treasury = Treasury::new(self.shards.len(), ACCOUNTS.len() as u16);
                for shard in 0..self.shards.len() {
                    self.shards[shard].crash(pick.rotate_left(shard as u32 * 8));
                    self.sync(shard, 0);
                }
            }
        }
    }

    fn at(&self, shard: usize) -> Ts {
        Ts(self.now - self.shards[shard].lag)
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Order { shard: usize, account: u16, side: Side, qty: i64, away: i64, ioc: bool },
    Replace { shard: usize, pick: usize, qty: i64 },
    Cancel { shard: usize, pick: usize },
    Quote { shard: usize, by: i64 },
    Burst { shard: usize, account: u16, side: Side, qty: i64, count: usize },
    Round { quarters: [i128; 4], syncs: u8 },
    Wait { ms: u64 },
    Serve { shard: usize },
    Look { shard: usize, quarters: i128 },
    Hear { shard: usize, count: usize },
    Sync { shard: usize, pick: usize },
    Tick,
    Settle,
    Crash { shard: usize, pick: usize },
    CrashAll { pick: usize },
}

fn ops() -> impl Strategy<Value = Op> {
    let shard = || prop_oneof![3 => Just(0_usize), 2 => 0_usize..4];
    let side = prop::sample::select(&[Side::Buy, Side::Sell][..]);
    let burst = (shard(), 1_u16..3, side.clone(), 1_i64..15, 1_usize..6);
    let quarters = || prop::sample::select(&[0_i128, 2, 4, 5, 8, 40][..]);
    let order = (shard(), 1_u16..3, side, 1_i64..40, 0_i64..4, any::<bool>());
    prop_oneof![
        16 => order.prop_map(|(shard, account, side, qty, away, ioc)| {
            Op::Order { shard, account, side, qty, away, ioc }
        }),
        4 => (shard(), any::<usize>(), 1_i64..60)
            .prop_map(|(shard, pick, qty)| Op::Replace { shard, pick, qty }),
        6 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Cancel { shard, pick }),
        3 => (shard(), -5_i64..6).prop_map(|(shard, by)| Op::Quote { shard, by }),
        8 => (0_u64..200).prop_map(|ms| Op::Wait { ms }),
        8 => shard().prop_map(|shard| Op::Serve { shard }),
        4 => (shard(), quarters()).prop_map(|(shard, quarters)| Op::Look { shard, quarters }),
        10 => burst.prop_map(|(shard, account, side, qty, count)| {
            Op::Burst { shard, account, side, qty, count }
        }),
        16 => (prop::array::uniform4(quarters()), any::<u8>(), any::<u8>())
            .prop_map(|(quarters, one, other)| Op::Round { quarters, syncs: one | other }),
        6 => (shard(), 1_usize..60).prop_map(|(shard, count)| Op::Hear { shard, count }),
        6 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Sync { shard, pick }),
        8 => Just(Op::Tick),
        2 => Just(Op::Settle),
        3 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Crash { shard, pick }),
        2 => any::<usize>().prop_map(|pick| Op::CrashAll { pick }),
    ]
}

/// `TICKGATE_LONG=1` runs a hundred times more.
fn runs() -> ProptestConfig {
    let long = std::env::var_os("TICKGATE_LONG").is_some();
    ProptestConfig::with_cases(if long { 20_000 } else { 200 })
}

proptest! {
    #![proptest_config(runs())]
    /// Goal: no order passes in any engine that a recount over all of them would refuse; no window and no session holds more than
    /// the limit; the slices are within it at every moment, also after crashes. Where prices move, and what is used moves with
    /// them, the slices are still within it. Method: one to four whole engines with clocks that differ, random orders, moves at
    /// any stage, and crashes to any input that may be the last of the journal; a recount from orders and fills alone.
    #[test]
    fn nothing_passes_beyond_the_firms_limits(
        count in 1_u16..5,
        lags in prop::collection::vec((0_u64..400).prop_map(|ms| ms * MS), 4),
        still in prop::bool::weighted(0.75),
        ops in prop::collection::vec(ops(), 100..400),
    ) {
        let mut world = World::new(count, &lags, still);
        for op in ops {
            world.apply(op);
            world.slices_are_within();
        }
        world.windows_are_within();
    }
}

/// Goal: an engine that needs more than its equal part gets it: what one engine of everything would let pass, passes. Method: two
/// engines; buys in one of them up to its limit, with and without a treasury.
#[test]
fn slices_follow_the_orders() {
    let order = |world: &mut World, shard: usize, side| {
        world.now += 600 * MS;
        let at = world.at(shard);
        let px = if side == Side::Buy { ASK } else { BID };
        world.shards[shard].order(at, AccountId(1), side, 5, px, Tif::Ioc)
    };
    // Five shares are worth 500; the agent may have 11,250 net, each engine half of that.
    let mut alone = World::new(2, &[0, 0], true);
    let passed = (0..40).take_while(|_| order(&mut alone, 0, Side::Buy)).count();
    assert_eq!(passed, 11);
    let mut world = World::new(2, &[0, 0], true);
    let mut bought = 0;
    for _ in 0..40 {
        world.settle();
        bought += usize::from(order(&mut world, 0, Side::Buy));
    }
    // All but the quarter of a part that the other one keeps, and what is not worth a move.
    assert!((18..=20).contains(&bought), "{bought}");
    world.slices_are_within();
    // When it has sold, the other one gets what it needs.
    (0..bought).for_each(|_| assert!(order(&mut world, 0, Side::Sell)));
    for _ in 0..15 {
        world.settle();
        assert!(order(&mut world, 1, Side::Buy));
    }
    world.slices_are_within();
}

/// Goal: a slice is part of the state: the same inputs make the same engine, one with another slice has other hashes, and a
/// snapshot keeps it. Method: a run with moves, again and through its bytes; and one whose last input differs.
#[test]
fn a_slice_is_state() {
    use model::snapshot::Sizes;

    let mut world = World::new(2, &[0, 0], true);
    let at = world.at(0);
    assert!(world.shards[0].order(at, AccountId(1), Side::Buy, 50, ASK, Tif::Day));
    world.settle();
    let Shard { config, engine, inputs, .. } = &world.shards[0];
    assert!(inputs.iter().any(|input| matches!(input.body, Body::Control(Control::Credit { .. }))));
    let run = |inputs: &[Input]| {
        let mut engine = Engine::new(config).unwrap();
        let mut out = engine.output();
        for input in inputs {
            engine.step(input, &mut out, &mut ());
            out.forget();
        }
        engine
    };
    let again = run(inputs);
    assert_eq!((again.state_hash(), again.full_hash()), (engine.state_hash(), engine.full_hash()));
    let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&Engine::new(config).unwrap()).unwrap());
    let bytes = postcard::to_stdvec(engine).unwrap();
    let (read, took_all) = sizes.within(|| postcard::from_bytes::<Engine>(&bytes));
    let read = read.unwrap();
    assert!(took_all);
    assert_eq!(read.full_hash(), engine.full_hash());
    let (account, limit) = (AccountId(1), CreditKind::Gross);
    assert_eq!(read.view(account, limit), engine.view(account, limit));
    let last = |to| {
        let control = Control::Credit { account, limit, to, version: 1 };
        let seq = inputs.len() as u64 + 1;
        let more = Input { seq, now: engine.now(), body: Body::Control(control) };
        run(&[&inputs[..], &[more]].concat())
    };
    let whole = engine.total(account, limit).unwrap();
    let [first, second] = [whole - 1, whole].map(last);
    assert_ne!(first.state_hash(), second.state_hash());
    assert_ne!(first.full_hash(), second.full_hash());
    assert_eq!(second.view(account, limit).unwrap().slice, whole);
    // No engine ever has more than the whole, nor takes a slice of limits that are not in force.
    assert_eq!(last(whole + 1).view(account, limit).unwrap().slice, whole);
    let control = Control::Credit { account, limit, to: 1, version: 2 };
    let mut other = run(inputs);
    let mut out = other.output();
    let seq = inputs.len() as u64 + 1;
    let more = Input { seq, now: engine.now(), body: Body::Control(control) };
    other.step(&more, &mut out, &mut ());
    assert_eq!(out.credited.unwrap().slice, None);
    assert_eq!(
        other.view(account, limit).unwrap().slice,
        engine.view(account, limit).unwrap().slice
    );
}

/// Goal: what of limits cannot be shared is refused with its reason, of every account. Method: shipped limits, which have a
/// drawdown, and a ratio of orders.
#[test]
fn what_is_no_sum_is_refused() {
    let shared = config(0, 2);
    let refused = |old: &str, new: &str| {
        let text = limits_text();
        assert!(text.contains(old));
        shared.with_limits(&text.replace(old, new)).unwrap_err().to_string()
    };
    let said = refused("drawdown_max_bps = \"off\"", "drawdown_max_bps = 500");
    assert!(ACCOUNTS.iter().all(|name| said.contains(&format!("`{name}`: `drawdown_max_bps`"))));
    let ratio = "order_to_trade_max = 9\norder_to_trade_free = 9";
    let said = refused("order_to_trade_max = \"off\"", ratio);
    assert!(said.contains("`house`: `order_to_trade_max`"), "{said}");
    assert!(shared.with_limits(&limits_text()).is_ok());
}
