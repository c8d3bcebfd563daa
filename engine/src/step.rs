//! One input, one step: the deterministic heart.
//!
//! An event goes through book, indicators, paper venue and strategies; a request through the gate to the venue; a report
//! to the order, its reservation and the position. Whatever a strategy asks and the paper venue reports is applied within
//! the step that caused it, so that it needs no record: a replay makes it again.
//!
//! The code follows the order of things: `event.rs` is a tick's way (`mid_event.rs`: while the venue's event is not
//! complete), `request.rs` an order's, `report.rs` what comes back, `page.rs` what readers are shown. `market.rs` is what is
//! known of an instrument, `clock.rs` what happens by the clock alone, `execution.rs` what trades do, `venue.rs` what is asked of
//! a venue outside, `held.rs` what waits in the engine, `links.rs` what binds orders to each other; `halt.rs` is the kill switch,
//! `triggers.rs` what sets it off without anybody's asking, `rearm.rs` what it takes to resume; `limits.rs` is how other limits
//! come into force, `books.rs` what the operator says of the books of account, `approve.rs` of orders beyond a soft limit;
//! `basket.rs` is legs that go together, `credit.rs` slices of the limits that engines share.

mod ahead;
mod approve;
mod basket;
mod books;
mod channel;
mod clock;
mod credit;
mod event;
mod execution;
mod explain;
mod full;
mod halt;
mod headroom;
mod held;
mod limits;
mod links;
mod market;
mod mid_event;
mod page;
mod rearm;
mod report;
mod request;
mod stamp;
mod triggers;
mod venue;

use model::page::{TapeKind, TapeRecord};
use model::{
    AccountId, Body, Control, Event, FeedId, HaltCause, Input, InstrumentId, Mode, OrderId, Px,
    Qty, Ts, Why,
};
use risk::{Moment, OrderFeatures, Risk};

use crate::approvals::Approvals;
use crate::baskets::Baskets;
use crate::config::{Capacity, Config};
use crate::feed_books::FeedBooks;
use crate::hash::StateHash;
use crate::indicator::Indicators;
use crate::instruments::Instruments;
use crate::latches::Latches;
use crate::orders::OrderTable;
use crate::output::Output;
use crate::paper::Paper;
use crate::rules::{Index, Rules};
use crate::strategy::{Strategy, probe::Probe};
pub use books::Booked;
use channel::Channel;
pub use credit::Credited;
pub(crate) use full::Text;
pub(crate) use limits::LimitsTexts;
pub use limits::{NewRules, NotTaken, Prepared, prepare};
pub use stamp::{Stage, Stamp};
use triggers::Triggers;
pub use triggers::{Counted, Counts};
use venue::Outside;

/// The deterministic core.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Engine {
    seq: u64,
    now: Ts,
    mode: Mode,
    /// By feed.
    books: Vec<FeedBooks>,
    instruments: Instruments,
    #[serde(with = "model::snapshot::table")]
    indicators: Vec<Indicators>,
    /// By feed.
    channels: Vec<Channel>,
    strategies: Vec<Strategy>,
    risk: Risk,
    latches: Latches,
    triggers: Triggers,
    orders: OrderTable,
    paper: Paper,
    /// Where orders go instead of to the paper venue.
    outside: Option<Outside>,
    held: held::Held,
    approvals: Approvals,
    baskets: Baskets,
    rules: Rules,
    /// Where in `rules` what is. No state: it follows from them.
    #[serde(skip)]
    rule_index: Index,
    /// Version of the limits within the journal, from 1.
    limits_version: u32,
    /// Digest of the configuration with them.
    config_digest: u64,
    /// Where the rules were read, if they are not those that the journal begins with. In a snapshot it stands before the
    /// engine, whose tables are as large as it says.
    #[serde(skip)]
    pub(crate) limits: LimitsTexts,
    /// Limits that the next control speaks of; afterwards those that they replaced.
    offered: Option<Box<NewRules>>,
    journal_full: bool,
    audit_full: bool,
    /// Whether it was asked to stop.
    stopping: bool,
    /// When the next session begins; zero before the first input.
    next_session: Ts,
    /// Before this, nothing is due by the clock alone. No state: it follows from what waits, and zero is always right.
    #[serde(skip)]
    quiet_until: Ts,
    passed: u64,
    #[serde(with = "model::snapshot::array")]
    refused: [u64; model::page::REJECT_SLOTS],
    hash: StateHash,
    /// The account that the hash is still to be told of. No state: every step ends without one.
    #[serde(skip)]
    moved: Option<AccountId>,
}

/// Why an engine cannot start with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// An account's limits cannot be taken.
    #[error("account `{name}`: {error}")]
    Account {
        /// Which.
        name: model::Symbol,
        /// Why.
        error: risk::LimitError,
    },
    /// A rate cannot be taken.
    #[error("a [[rate]] is of currencies that no account counts in, or no rate")]
    Rate,
    /// Cash or a limit of an account is no exact money.
    #[error("account `{0}`: a sum has more than 12 decimal places or is too large")]
    Money(model::Symbol),
}

impl Engine {
    /// Takes all memory that it will ever use.
    ///
    /// # Errors
    ///
    /// [`StartError`] names the account whose rules cannot be taken.
    pub fn new(config: &Config) -> Result<Engine, StartError> {
        let capacity = config.engine.capacity;
        let feeds = &config.engine.feeds;
        let rules = config.rules.clone();
        let (mut risk, share) =
            (Risk::new(risk_capacity(&capacity, &rules)), config.engine.share());
        risk.share(share);
        for limits in limits::of_accounts(&rules)? {
            let name = limits.name;
            risk.add_account(limits).map_err(|error| StartError::Account { name, error })?;
        }
        books::give_rates(&mut risk, &rules)?;
        let strategies =
            config.engine.strategies.iter().enumerate().filter_map(|(place, strategy)| {
                let account = rules.account(strategy.account)?;
                Some(Strategy::Probe(Probe::new(account, place as u8, strategy.every)))
            });
        let instruments = capacity.instruments as usize;
        Ok(Engine {
            seq: 0,
            now: Ts(0),
            mode: config.engine.mode,
            books: feeds.iter().map(|feed| FeedBooks::new(feed.books(), &capacity)).collect(),
            instruments: Instruments::new(capacity.instruments, feeds.len()),
            indicators: (0..instruments).map(|_| Indicators::new()).collect(),
            channels: feeds
                .iter()
                .map(|feed| Channel::new(feed.silence_ns, feed.venue.marks_events()))
                .collect(),
            strategies: strategies.collect(),
            risk,
            latches: Latches::new(rules.accounts.len(), instruments),
            triggers: Triggers::new(&rules, share, instruments).map_err(StartError::Money)?,
            orders: OrderTable::new(capacity.own_orders),
            paper: Paper::new(instruments, capacity.own_orders as usize),
            outside: config
                .engine
                .venue
                .as_ref()
                .map(|venue| Outside::new(venue, capacity.own_orders)),
            held: held::Held::new(&config.engine),
            approvals: Approvals::default(),
            baskets: Baskets::new(config.engine.basket_timeout_ns),
            rule_index: Index::new(&rules),
            rules,
            limits_version: 1,
            config_digest: config.digest(),
            limits: LimitsTexts::default(),
            offered: None,
            journal_full: false,
            audit_full: false,
            stopping: false,
            next_session: Ts(0),
            quiet_until: Ts(0),
            passed: 0,
            refused: [0; model::page::REJECT_SLOTS],
            hash: StateHash::default(),
            moved: None,
        })
    }

    /// Takes one input. `input.seq` follows the last one; `input.now` earlier than the last one counts as that one.
    pub fn step(&mut self, input: &Input, out: &mut Output, stamp: &mut impl Stamp) {
        self.begin_step(input.seq, input.now, out);
        match &input.body {
            Body::Event(event) => self.on_event(event, out, stamp),
            Body::Request(request) => self.on_request(request, out, stamp),
            Body::Report(report) => self.on_report(report, out),
            Body::Control(control) => self.on_control(control, out),
            Body::Timer => self.risk.catch_up(),
        }
        self.end_step(out);
    }

    /// The same for a message of a feed, taken from where it lies: copying it into an input and asking what that is took 23
    /// instructions.
    #[inline]
    pub fn hear(&mut self, seq: u64, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        self.begin_step(seq, event.ts_recv, out);
        self.on_event(event, out, stamp);
        self.end_step(out);
    }

    #[inline]
    fn begin_step(&mut self, seq: u64, now: Ts, out: &mut Output) {
        self.seq = seq;
        self.advance(now, out);
        if self.triggers.gaps.is_due(self.now) {
            self.trip_gaps(out);
        }
    }

    #[inline]
    fn end_step(&mut self, out: &mut Output) {
        self.look_at_held(out);
        if self.risk.has_losses() {
            self.trip_losses(out);
        }
        if self.triggers.has_due() {
            self.trip_due(out);
        }
        self.fold_moved();
    }

    fn on_control(&mut self, control: &Control, out: &mut Output) {
        self.hash.fold_words(&control.to_words());
        let who = |operator, note| Why { cause: HaltCause::Human, operator, note };
        let resumed = match *control {
            Control::Resume { scope, level, operator, note } => {
                Some(self.resume(scope, level, who(operator, note), out))
            }
            Control::ResumeSymbol { symbol, level, operator, note } => {
                Some(self.resume_symbol(symbol, level, who(operator, note), out))
            }
            Control::Approve { number, for_ns, .. } => Some(self.approve(number, for_ns, out)),
            _ => None,
        };
        if let Some(outcome) = resumed {
            self.hash.fold(outcome.err().map_or(0, |refusal| refusal.code().into()));
            out.resumed = resumed;
        }
        match *control {
            Control::Halt { scope, level, why } => self.trip(scope, level, why, out),
            Control::HaltSymbol { symbol, level, why } => self.trip_symbol(symbol, level, why, out),
            Control::Resume { .. } | Control::ResumeSymbol { .. } | Control::Approve { .. } => {}
            Control::Rate { .. } | Control::Split { .. } => self.on_books(control, out),
            Control::JournalFull(full) => self.journal_full = full,
            Control::AuditFull(full) => self.audit_full = full,
            Control::Stopping => self.begin_stop(out),
            Control::DeskClosed(desk) => self.on_desk_closed(desk, out),
            Control::Limits { version, digest, .. } => self.relimit(version, digest, out),
            Control::Credit { account, limit, to, version } => {
                self.on_credit(account, limit, to, version, out);
            }
            Control::Restarted { epoch } => self.begin_run(epoch, out),
            Control::ClockUnsafe(is_unsafe) => self.on_clock(is_unsafe, out),
            Control::DeskSilent { desk, account } => self.on_desk_silent(desk, account, out),
            Control::VenueSession(is_up) => self.on_venue_session(is_up, out),
            Control::ReconcileBegin => self.begin_reconciliation(out),
            Control::ReconcileEnd { round, orders } => self.end_reconciliation(round, orders, out),
        }
    }

    /// What the gate sees of the engine.
    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            journal_full: self.journal_full,
            audit_full: self.audit_full,
            tables_full: self.orders.next_id().is_none() || !self.has_room_for_executions(),
            reconciling: self.is_unreconciled(),
            clock_unsafe: self.is_clock_unsafe(),
            stopping: self.stopping,
            takes: self.outside.as_ref().map_or(OrderFeatures::ALL, |outside| outside.takes),
            ..Moment::at(self.now)
        }
    }

    fn has_room_for_executions(&self) -> bool {
        self.outside.as_ref().is_none_or(|outside| outside.executions.has_room())
    }

    /// An empty tape record of this moment.
    fn record(&self, kind: TapeKind) -> TapeRecord {
        TapeRecord {
            engine_seq: self.seq,
            now: self.now,
            kind,
            side: None,
            code: 0,
            account: AccountId(0),
            instrument: InstrumentId(0),
            order: OrderId(0),
            px: Px(0),
            qty: Qty(0),
            aux: 0,
        }
    }

    /// An output with room for what one input of this engine can cause.
    pub fn output(&self) -> Output {
        Output::new(self.indicators.len(), self.orders.capacity(), self.latches.len())
    }

    /// Bytes that the step itself takes for instruments.
    pub(crate) fn bytes_of_instruments(instruments: u32) -> u64 {
        let instruments = u64::from(instruments);
        let [held, _] = held::Held::bytes(instruments, 0);
        held + instruments * triggers::PLACE_BYTES as u64
    }

    /// The same for orders of ours, and for what is known of them at a venue outside.
    pub(crate) fn bytes_of_orders(config: &Config) -> [u64; 2] {
        let orders = config.engine.capacity.own_orders;
        let [_, held] = held::Held::bytes(0, orders.into());
        [held, config.engine.venue.as_ref().map_or(0, |venue| Outside::bytes(venue, orders))]
    }

    /// The number of an account.
    pub fn account(&self, name: model::Symbol) -> Option<AccountId> {
        self.rules.account(name)
    }

    /// Sequence of the first feed's last event.
    pub fn last_event(&self) -> u64 {
        self.channels.first().map_or(0, |channel| channel.seq)
    }

    /// Sequence of the last message of an instrument's feed; zero if it is not listed.
    pub fn feed_seq(&self, instrument: InstrumentId) -> u64 {
        let listed = self.instruments.get(instrument.0);
        let channel = listed.and_then(|listed| self.channel(listed.instrument.feed));
        channel.map_or(0, |channel| channel.seq)
    }

    /// What becomes of orders that pass.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Risk, to take what changed.
    pub fn risk_mut(&mut self) -> &mut Risk {
        &mut self.risk
    }

    /// Number of the last input.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Engine time.
    pub fn now(&self) -> Ts {
        self.now
    }

    /// The running hash of the state.
    pub fn state_hash(&self) -> u64 {
        self.hash.value()
    }

    /// The books of each feed.
    pub fn books(&self) -> &[FeedBooks] {
        &self.books
    }

    /// The books that an instrument's book is one of.
    pub fn books_of(&self, instrument: u32) -> Option<&FeedBooks> {
        self.feed_books(self.instruments.get(instrument)?.instrument.feed)
    }

    /// Resting orders in all books.
    pub fn live_orders(&self) -> usize {
        self.books.iter().map(FeedBooks::live_orders).sum()
    }

    /// The instruments.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Accounts, positions and limits.
    pub fn risk(&self) -> &Risk {
        &self.risk
    }

    /// What is halted, and why.
    pub fn latches(&self) -> &Latches {
        &self.latches
    }

    /// Orders that wait for approval, and approved ones.
    pub fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// Baskets on their way.
    pub fn baskets(&self) -> &Baskets {
        &self.baskets
    }

    /// The orders of ours.
    pub fn orders(&self) -> &OrderTable {
        &self.orders
    }

    /// Orders and replaces that passed the gate.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Refused requests by primary reason: slot `code - 1`.
    pub fn refused(&self) -> &[u64; model::page::REJECT_SLOTS] {
        &self.refused
    }

    /// Messages lost and messages of unlisted instruments, of a feed.
    pub fn lost_and_unlisted(&self, feed: FeedId) -> (u64, u64) {
        self.channel(feed).map_or((0, 0), |channel| (channel.lost, channel.unlisted))
    }
}

/// Sizes of the books of account.
pub(crate) fn risk_capacity(capacity: &Capacity, rules: &Rules) -> risk::Capacity {
    let accounts = rules.accounts.len();
    risk::Capacity {
        accounts: accounts as u16,
        instruments: capacity.instruments,
        lines: lines_max(capacity, accounts),
        ids_per_account: capacity.client_ids,
        orders: capacity.own_orders,
        lots: capacity.lots,
        rows: limits::rows_of(rules),
    }
}

/// Pairs of account and instrument that can have a line: all, so that no account uses up another's, within 2^18.
pub fn lines_max(capacity: &Capacity, accounts: usize) -> u32 {
    capacity.instruments.saturating_mul(accounts as u32).min(1 << 18)
}

#[cfg(test)]
mod tests;
