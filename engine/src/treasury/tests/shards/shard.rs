//! One of the engines, with its journal and what is on its way to it and from it.

use super::*;

/// Limits that a few orders of some dozen shares use up; of the account above they are tighter than of both beneath it.
pub(super) fn limits_text() -> String {
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
    let shipped = include_str!("../../../../../deploy/limits.toml");
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
pub(super) fn config(number: u16, count: u16) -> Config {
    let files = [
        ("engine.toml", include_str!("../../../../../deploy/engine.toml").to_string()),
        ("instruments.toml", include_str!("../../../../../deploy/instruments.toml").to_string()),
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
pub(super) struct Pass {
    pub(super) input: usize,
    pub(super) at: Ts,
    pub(super) account: AccountId,
    pub(super) money: i128,
}

/// A fill likewise.
#[derive(Clone, Copy)]
pub(super) struct Fill {
    pub(super) input: usize,
    pub(super) at: Ts,
    pub(super) account: AccountId,
    pub(super) side: Side,
    pub(super) px: Px,
    pub(super) qty: Qty,
}

/// An engine with its journal, and what is on its way to it and from it.
pub(super) struct Shard {
    pub(super) config: Config,
    pub(super) engine: Engine,
    pub(super) out: Output,
    pub(super) inputs: Vec<Input>,
    /// So many of them survive whatever happens.
    pub(super) durable: usize,
    pub(super) lag: u64,
    pub(super) asked: VecDeque<Move>,
    pub(super) told: VecDeque<Told>,
    pub(super) passes: Vec<Pass>,
    pub(super) fills: Vec<Fill>,
    pub(super) names: u64,
}

/// What an engine says, in order.
#[derive(Clone, Copy)]
pub(super) enum Told {
    Seen(View),
    Done(u64, Credited),
}

impl Shard {
    pub(super) fn new(number: u16, count: u16, lag: u64) -> Shard {
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

    pub(super) fn step(&mut self, now: Ts, body: Body) {
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

    pub(super) fn event(&mut self, now: Ts, event: Event) {
        let seq = self.inputs.len() as u64 + 1;
        let flags = Flags::EVENT_COMPLETE.with(Flags::LAST_OF_PACKET);
        let event = Event { seq, ts_venue: now, ts_recv: now, flags, ..event };
        self.step(now, Body::Event(event));
    }

    /// Puts the best prices elsewhere.
    pub(super) fn quote(&mut self, now: Ts, prices: [i64; 2]) {
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
    pub(super) fn ask(&mut self, now: Ts, account: AccountId, ask: Ask, money: i128) -> bool {
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

    pub(super) fn order(
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
    pub(super) fn open(&self) -> impl Iterator<Item = &crate::orders::OrderRecord> {
        let slots = 0..self.engine.orders().used();
        slots.filter_map(|slot| self.engine.orders().at(slot)).filter(|order| order.state.is_open())
    }

    pub(super) fn pick(&self, pick: usize) -> Option<(OrderId, AccountId, Px)> {
        let open: Vec<_> =
            self.open().map(|of| (of.order.id, of.order.account, of.order.px)).collect();
        open.get(pick % open.len().max(1)).copied()
    }

    /// Takes what the treasury asks for.
    pub(super) fn serve(&mut self, now: Ts) {
        let Some(asked) = self.asked.pop_front() else { return };
        self.step(now, Body::Control(asked.control()));
        let credited = self.out.credited.take().unwrap();
        self.told.push_back(Told::Done(self.engine.seq(), credited));
    }

    /// Shows all slices. What is used of them is a hint, and may be wrong: so many quarters of it are told, and of twice as much
    /// and more a part of the slice besides.
    pub(super) fn look(&mut self, quarters: i128) {
        for account in 0..ACCOUNTS.len() as u16 {
            for limit in CreditKind::ALL {
                let view = self.engine.view(AccountId(account), *limit).unwrap();
                let used = view.used * quarters / 4 + view.slice * (quarters / 8) / 2;
                self.told.push_back(Told::Seen(View { used, ..view }));
            }
        }
    }

    /// Ends, and comes back from so much of its journal as is left: the same inputs, step by step.
    pub(super) fn crash(&mut self, pick: usize) {
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

    pub(super) fn slice(&self, account: AccountId, limit: CreditKind) -> i128 {
        self.engine.view(account, limit).unwrap().slice
    }
}

impl Output {
    pub(super) fn forget_all_but_answers(&mut self) {
        let answer = self.answer;
        self.forget();
        self.answer = answer;
    }
}

/// Whether what is done on `account` counts on `above`.
pub(super) fn counts(account: AccountId, above: AccountId) -> bool {
    account == above || above == AccountId(0)
}
