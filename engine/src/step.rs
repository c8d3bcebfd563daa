//! One input, one step: the deterministic heart.
//!
//! An event goes through book, indicators, paper venue and strategies; a request through the gate to the venue; a report
//! to the order, its reservation and the position. Whatever a strategy asks and the paper venue reports is applied within
//! the step that caused it, so that it needs no record: a replay makes it again.
//!
//! The code follows the order of things: `event.rs` is a tick's way (`mid_event.rs`: while the venue's event is not
//! complete), `request.rs` an order's, `report.rs` what comes back, `page.rs` what readers are shown; `execution.rs` is what trades do, `venue.rs` what
//! is asked of a venue outside; `halt.rs` is the kill
//! switch, `rearm.rs` what it takes to resume.

mod channel;
mod event;
mod execution;
mod full;
mod halt;
mod mid_event;
mod page;
mod rearm;
mod report;
mod request;
mod venue;

use model::page::{TapeKind, TapeRecord};
use model::{
    AccountId, Body, Cause, Control, DAY_NS, FeedId, HaltCause, Input, InstrumentId, Integrity,
    Mode, OrderId, Px, Qty, Reject, TradingState, Ts, Why,
};
use risk::{Market, Moment, Risk};

use crate::config::{Capacity, Config};
use crate::feed_books::FeedBooks;
use crate::hash::StateHash;
use crate::indicator::Indicators;
use crate::instruments::Instruments;
use crate::latches::Latches;
use crate::orders::OrderTable;
use crate::output::Output;
use crate::paper::Paper;
use crate::rules::Rules;
use crate::strategy::{Strategy, probe::Probe};
use channel::Channel;
pub(crate) use full::Text;
use venue::Outside;

/// Scales of price and quantity that the rows of limits are read in: there is one for each way in which a venue counts.
const SCALES_MAX: u32 = 32;

/// A stage of the step, as its latency is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The book is up to date.
    Book,
    /// So are the indicators.
    Indicators,
    /// The gate has judged an order.
    Gate,
}

/// Is told when a stage is done. The step never learns what it does: time cannot enter by it.
pub trait Stamp {
    /// A stage is done.
    fn mark(&mut self, stage: Stage);
}

impl Stamp for () {
    fn mark(&mut self, _: Stage) {}
}

/// The deterministic core.
pub struct Engine {
    seq: u64,
    now: Ts,
    mode: Mode,
    /// By feed.
    books: Vec<FeedBooks>,
    instruments: Instruments,
    indicators: Vec<Indicators>,
    /// By feed.
    channels: Vec<Channel>,
    strategies: Vec<Strategy>,
    risk: Risk,
    latches: Latches,
    orders: OrderTable,
    paper: Paper,
    /// Where orders go instead of to the paper venue.
    outside: Option<Outside>,
    rules: Rules,
    journal_full: bool,
    audit_full: bool,
    /// When the next session begins; zero before the first input.
    next_session: Ts,
    passed: u64,
    refused: [u64; model::page::REJECT_SLOTS],
    hash: StateHash,
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
        let mut risk = Risk::new(risk_capacity(&capacity, &rules));
        for account in &rules.accounts {
            let name = account.name;
            let number = |name| rules.account(name);
            let limits = account.limits(number).ok_or(StartError::Money(name))?;
            risk.add_account(limits).map_err(|error| StartError::Account { name, error })?;
        }
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
            orders: OrderTable::new(capacity.own_orders),
            paper: Paper::new(instruments, capacity.own_orders as usize),
            outside: config
                .engine
                .venue
                .as_ref()
                .map(|venue| Outside::new(venue, capacity.own_orders)),
            rules,
            journal_full: false,
            audit_full: false,
            next_session: Ts(0),
            passed: 0,
            refused: [0; model::page::REJECT_SLOTS],
            hash: StateHash::default(),
        })
    }

    /// Takes one input. `input.seq` follows the last one; `input.now` earlier than the last one counts as that one.
    pub fn step(&mut self, input: &Input, out: &mut Output, stamp: &mut impl Stamp) {
        self.seq = input.seq;
        self.advance(input.now, out);
        match &input.body {
            Body::Event(event) => self.on_event(event, out, stamp),
            Body::Request(request) => self.on_request(request, out, stamp),
            Body::Report(report) => self.on_report(report, out),
            Body::Control(control) => self.on_control(control, out),
            Body::Timer => {}
        }
        if self.risk.has_losses() {
            self.trip_losses(out);
        }
    }

    /// Moves time on, never back, and notices silence.
    fn advance(&mut self, now: Ts, out: &mut Output) {
        self.now = self.now.max(now);
        if self.now >= self.next_session {
            self.begin_session();
        }
        if self.outside.is_some() {
            self.look_at_deadlines(out);
        }
        for feed in 0..self.channels.len() {
            let Some(channel) = self.channels.get_mut(feed) else { return };
            let silent = channel.seq > 0 && self.now.since(channel.updated) > channel.silence_ns;
            if silent != channel.silent {
                channel.silent = silent;
                self.show_feed_integrity(FeedId(feed as u8), out);
            }
        }
    }

    /// What the day traded and lost is counted anew. The first input only says when that will be.
    #[cold]
    fn begin_session(&mut self) {
        if self.next_session > Ts(0) {
            self.risk.begin_session();
            if let Some(outside) = &mut self.outside {
                outside.executions.begin_session();
            }
            self.hash.fold(self.next_session.0);
        }
        let into = (self.now.time_of_day() + DAY_NS - self.rules.session_start_ns) % DAY_NS;
        self.next_session = Ts(self.now.0.saturating_add(DAY_NS - into));
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
            _ => None,
        };
        if let Some(outcome) = resumed {
            self.hash.fold(outcome.err().map_or(0, |refusal| refusal.code().into()));
            out.resumed = resumed;
        }
        match *control {
            Control::Halt { scope, level, why } => self.trip(scope, level, why, out),
            Control::HaltSymbol { symbol, level, why } => self.trip_symbol(symbol, level, why, out),
            Control::Resume { .. } | Control::ResumeSymbol { .. } => {}
            Control::JournalFull(full) => self.journal_full = full,
            Control::AuditFull(full) => self.audit_full = full,
            Control::DeskClosed(desk) => self.cancel_orphans(Some(desk), out),
            Control::Restarted { epoch } => {
                self.orders.begin_epoch(epoch);
                self.on_venue_session(false, out);
                self.cancel_orphans(None, out);
            }
            Control::VenueSession(is_up) => self.on_venue_session(is_up, out),
            Control::ReconcileBegin => self.begin_reconciliation(out),
            Control::ReconcileEnd { round, orders } => self.end_reconciliation(round, orders, out),
        }
    }

    /// How far a book may be believed now: what the feed says, what applying its events showed, unless the channel is silent
    /// or the book crossed.
    fn integrity(&self, instrument: u32) -> (Integrity, Cause) {
        let unlisted = (Integrity::Incomplete, Cause::NotStarted);
        let Some(listed) = self.instruments.get(instrument) else { return unlisted };
        let feed = listed.instrument.feed;
        let (Some(books), Some(channel)) = (self.feed_books(feed), self.channel(feed)) else {
            return unlisted;
        };
        if listed.believed.0 != Integrity::Live {
            return listed.believed;
        }
        let (integrity, cause) = books.integrity(instrument as usize);
        if integrity != Integrity::Live {
            return (integrity, cause);
        }
        if channel.silent {
            return (Integrity::Stale, Cause::Silent);
        }
        if listed.mid_event {
            return (Integrity::Recovering, Cause::MidEvent);
        }
        let [bid, ask] = self.best(instrument);
        let crossed = matches!((bid, ask), (Some(bid), Some(ask)) if bid.px >= ask.px);
        if crossed && self.trading_state(instrument).is_tradable() {
            return (Integrity::Crossed, Cause::Crossed);
        }
        (integrity, cause)
    }

    /// Whether the venue trades an instrument now.
    fn trading_state(&self, instrument: u32) -> TradingState {
        let Some(listed) = self.instruments.get(instrument) else { return TradingState::Unknown };
        match self.channel(listed.instrument.feed) {
            None => TradingState::Unknown,
            Some(Channel { closed: true, .. }) => TradingState::Closed,
            Some(Channel { market_halted: true, .. }) => TradingState::MarketHalted,
            Some(_) if listed.venue_halted => TradingState::VenueHalted,
            Some(_) => listed.state,
        }
    }

    fn channel(&self, feed: FeedId) -> Option<&Channel> {
        self.channels.get(usize::from(feed.0))
    }

    fn feed_books(&self, feed: FeedId) -> Option<&FeedBooks> {
        self.books.get(usize::from(feed.0))
    }

    fn feed_books_mut(&mut self, feed: FeedId) -> Option<&mut FeedBooks> {
        self.books.get_mut(usize::from(feed.0))
    }

    /// Place of an instrument's feed; beyond every feed if it is not listed.
    fn feed_index(&self, instrument: u32) -> usize {
        self.instruments.get(instrument).map_or(usize::MAX, |l| l.instrument.feed.0.into())
    }

    /// Whether a feed lists an instrument.
    fn is_of(&self, instrument: u32, feed: FeedId) -> bool {
        self.instruments.get(instrument).is_some_and(|listed| listed.instrument.feed == feed)
    }

    /// Best bid and best ask.
    fn best(&self, instrument: u32) -> [Option<model::page::Quote>; 2] {
        let listed = self.instruments.get(instrument);
        let books = listed.and_then(|listed| self.feed_books(listed.instrument.feed));
        [model::Side::Buy, model::Side::Sell]
            .map(|side| books.and_then(|books| books.best(instrument as usize, side)))
    }

    /// Tells readers of every book of a feed whose integrity is not what they were told last.
    fn show_feed_integrity(&mut self, feed: FeedId, out: &mut Output) {
        for instrument in 0..self.instruments.len() as u32 {
            if self.is_of(instrument, feed) {
                self.show_integrity(instrument, out);
            }
        }
    }

    /// Tells readers if a book's integrity is not what they were told last.
    fn show_integrity(&mut self, instrument: u32, out: &mut Output) {
        let (integrity, cause) = self.integrity(instrument);
        let (now, record) = (self.now, self.record(TapeKind::Integrity));
        let Some(listed) = self.instruments.get_mut(instrument) else { return };
        if listed.integrity != integrity {
            (listed.integrity, listed.since) = (integrity, now);
            let (code, aux) = (integrity.code(), u64::from(cause.code()));
            out.record(TapeRecord { code, aux, instrument: InstrumentId(instrument), ..record });
            out.touch_book(instrument);
            self.hash.fold_pair(u64::from(code) | aux << 8, instrument.into());
        }
    }

    /// What the gate sees of an instrument.
    fn market(&self, instrument: u32) -> Market {
        let [bid, ask] = self.best(instrument);
        let listed = self.instruments.get(instrument);
        let channel = listed.and_then(|listed| self.channel(listed.instrument.feed));
        Market {
            state: self.trading_state(instrument),
            market_halted: channel.is_some_and(|channel| channel.market_halted),
            integrity: self.integrity(instrument).0,
            bid: bid.map(|quote| quote.px),
            ask: ask.map(|quote| quote.px),
            last: listed
                .and_then(|l| l.last.map(|last| risk::LastTrade { px: last.px, at: l.last_at })),
            updated: listed.map_or(Ts(0), |l| l.updated),
            channel_updated: channel.map_or(Ts(0), |channel| channel.updated),
        }
    }

    /// What the gate sees of the engine.
    fn moment(&self) -> Moment {
        let outside = self.outside.as_ref();
        let has_room = outside.is_none_or(|outside| outside.executions.has_room());
        Moment {
            now: self.now,
            journal_full: self.journal_full,
            audit_full: self.audit_full,
            tables_full: self.orders.next_id().is_none() || !has_room,
            reconciling: outside.is_some_and(|outside| outside.is_unreconciled),
            change_pending: false,
        }
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

    /// Counts a refusal by its primary reason.
    fn count_refusal(&mut self, code: Reject) {
        if let Some(count) = self.refused.get_mut(usize::from(code.code()) - 1) {
            *count += 1;
        }
    }

    /// An output with room for what one input of this engine can cause.
    pub fn output(&self) -> Output {
        Output::new(self.indicators.len(), self.orders.capacity(), self.latches.len())
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

fn risk_capacity(capacity: &Capacity, rules: &Rules) -> risk::Capacity {
    let accounts = rules.accounts.len();
    risk::Capacity {
        accounts: accounts as u16,
        instruments: capacity.instruments,
        lines: lines_max(capacity, accounts),
        ids_per_account: capacity.client_ids,
        orders: capacity.own_orders,
        rows: rules.limits.len() as u32 * SCALES_MAX,
    }
}

/// Pairs of account and instrument that can have a line: all, so that no account uses up another's, within 2^18.
pub fn lines_max(capacity: &Capacity, accounts: usize) -> u32 {
    capacity.instruments.saturating_mul(accounts as u32).min(1 << 18)
}

#[cfg(test)]
mod tests;
