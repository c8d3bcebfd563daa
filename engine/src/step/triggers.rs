//! What sets the kill switch off in the step, without anybody's asking: counts of what happened, and books that are not
//! live. `engine/HALTS.md` has the table. Each costs constant time, and a replay counts alike.
//!
//! A trigger that went off says so once; it counts anew when somebody resumes its account, and nothing else ends what it
//! raised.

mod gaps;
mod money_window;
#[cfg(test)]
mod tests;

use model::page::{TapeKind, TapeRecord};
use model::{
    AccountId, BasketEnd, DeskId, HaltCause, HaltLevel, HaltScope, InstrumentId, Money, Note,
    Origin, ReportKind, Ts, Why,
};
use risk::{RateWindow, Share};

use super::Engine;
use crate::baskets::Basket;
use crate::output::Output;
use crate::rules::{EngineTriggers, Rules, StormRule, money};
use gaps::Gaps;
use money_window::MoneyWindow;

/// Bytes that a book takes here.
pub(super) const PLACE_BYTES: usize = Gaps::EACH;

/// What an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Counts {
    /// Orders and changes that the gate refused.
    Refusals,
    /// Orders, changes and cancels that the venue refused.
    VenueRejects,
    /// Fills.
    Executions,
    /// The money in them, in units of [`Money`].
    FillMoney,
}

impl Counts {
    /// All of them.
    pub const ALL: [Counts; 4] =
        [Counts::Refusals, Counts::VenueRejects, Counts::Executions, Counts::FillMoney];

    /// Why it halts.
    pub const fn cause(self) -> HaltCause {
        match self {
            Counts::Refusals | Counts::VenueRejects => HaltCause::RejectStorm,
            Counts::Executions | Counts::FillMoney => HaltCause::FillVelocity,
        }
    }

    /// The key of its limit.
    pub const fn key(self) -> &'static str {
        match self {
            Counts::Refusals => "refusals_max",
            Counts::VenueRejects => "venue_rejects_max",
            Counts::Executions => "fills_max",
            Counts::FillMoney => "fills_money_max",
        }
    }

    /// Its name in latch file and log.
    pub const fn name(self) -> &'static str {
        match self {
            Counts::Refusals => "refusals of the gate",
            Counts::VenueRejects => "refusals of the venue",
            Counts::Executions => "executions",
            Counts::FillMoney => "money of fills",
        }
    }
}

/// How far a count is from setting the switch off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What the window that ends now holds; of a number at most one above the limit.
    pub used: i128,
    /// More than this sets it off.
    pub limit: i128,
    /// Length of the window, nanoseconds.
    pub window_ns: u64,
    /// What the account is halted to.
    pub level: HaltLevel,
    /// Whether it went off since the account was last resumed.
    pub told: bool,
}

/// All triggers of an engine that count, or look at books.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Triggers {
    /// By account, in the order of [`Counts::ALL`].
    accounts: Vec<[Option<Count>; Counts::ALL.len()]>,
    /// What went off and halts nothing yet; each at most once.
    #[serde(with = "model::snapshot::reserved")]
    due: Vec<(AccountId, Counts, HaltLevel)>,
    pub gaps: Gaps,
    pub clock_unsafe: bool,
    /// Whether the session with the venue is gone.
    pub session_down: bool,
}

/// One count of one account.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Count {
    window: Window,
    window_ns: u64,
    level: HaltLevel,
    told: bool,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum Window {
    /// And how many there may be: the ring keeps one more.
    Times(RateWindow, u32),
    Money(MoneyWindow),
}

impl Count {
    fn storm(rule: StormRule) -> Count {
        let StormRule { max, window_ns, level } = rule;
        let times = RateWindow::new(max.saturating_add(1), window_ns);
        Count { window: Window::Times(times, max), window_ns, level, told: false }
    }

    /// Counts one, of so much money; whether it is too much, and nobody was told.
    fn count(&mut self, now: Ts, sum: Money) -> bool {
        let beyond = match &mut self.window {
            Window::Times(times, max) => {
                let used = times.used(now);
                times.count(now, used);
                used >= *max
            }
            Window::Money(window) => window.count(now, sum) > window.max(),
        };
        let is_new = beyond && !self.told;
        self.told |= beyond;
        is_new
    }

    fn clear(&mut self) {
        self.told = false;
        match &mut self.window {
            Window::Times(times, _) => times.clear(),
            Window::Money(window) => window.clear(),
        }
    }

    fn counted(&self, now: Ts) -> Counted {
        let (used, limit) = match &self.window {
            Window::Times(times, max) => (times.used(now).into(), (*max).into()),
            Window::Money(window) => (window.used(now).0, window.max().0),
        };
        let Count { window_ns, level, told, .. } = *self;
        Counted { used, limit, window_ns, level, told }
    }
}

impl Triggers {
    /// Takes all memory that it will ever use. Of what accounts count it may have an equal part. `Err`: a sum of this account's
    /// is no exact money.
    pub fn new(rules: &Rules, share: Share, instruments: usize) -> Result<Triggers, model::Symbol> {
        let mut accounts = Vec::with_capacity(rules.accounts.len());
        let storm = |rule: StormRule| {
            let max = u32::try_from(share.of(rule.max.into())).unwrap_or(0);
            Count::storm(StormRule { max, ..rule })
        };
        for account in &rules.accounts {
            let triggers = account.triggers;
            let (level, fills) = (HaltLevel::Halted, triggers.fills);
            let executions = fills.and_then(|fills| {
                let (max, window_ns) = (fills.executions_max?, fills.window_ns);
                Some(storm(StormRule { max, window_ns, level }))
            });
            let spent = match fills.and_then(|fills| Some((fills.money_max?, fills.window_ns))) {
                None => None,
                Some((max, window_ns)) => {
                    let max = money(max).ok_or(account.name)?;
                    let max = Money(share.of(max.0));
                    let window = Window::Money(MoneyWindow::new(max, window_ns));
                    Some(Count { window, window_ns, level, told: false })
                }
            };
            let [refusals, venue_rejects] =
                [triggers.refusals, triggers.venue_rejects].map(|rule| rule.map(storm));
            accounts.push([refusals, venue_rejects, executions, spent]);
        }
        let due = Vec::with_capacity(Counts::ALL.len() * accounts.len());
        let EngineTriggers { feed_gap, live_ns, .. } = rules.triggers;
        let gaps = Gaps::new(instruments, feed_gap.map(|rule| rule.after_ns), live_ns);
        Ok(Triggers { accounts, due, gaps, clock_unsafe: false, session_down: false })
    }

    fn count(&mut self, account: AccountId, counts: Counts, now: Ts, sum: Money) {
        let place = self.accounts.get_mut(usize::from(account.0));
        let place = place.and_then(|place| place.get_mut(counts as usize)?.as_mut());
        if let Some(count) = place
            && count.count(now, sum)
        {
            self.due.push((account, counts, count.level)); // Within its capacity: see `Count::told`.
        }
    }

    /// Somebody looked at an account and resumed it: it counts from nothing.
    pub fn clear(&mut self, account: AccountId) {
        let counts = self.accounts.get_mut(usize::from(account.0)).into_iter().flatten();
        counts.flatten().for_each(Count::clear);
    }

    /// Nothing is known of clock and venues.
    pub fn begin_run(&mut self) {
        (self.clock_unsafe, self.session_down) = (false, false);
    }

    /// Whether something went off that halts nothing yet.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }
}

impl Engine {
    /// Counts an order that the gate refused, or a basket, which is of no instrument. While a halt lets nothing of whoever asks
    /// pass, it does not count: what it could set off has gone off, and a client that is halted must not halt all those above
    /// it by going on.
    pub(super) fn count_refused(
        &mut self,
        account: AccountId,
        origin: Origin,
        instrument: Option<InstrumentId>,
    ) {
        let instrument = instrument.unwrap_or(InstrumentId(u32::MAX));
        let halt = self.risk.effective_halt(account, instrument, origin);
        if halt < HaltLevel::CancelOnly && !self.stopping {
            self.count_on_path(account, Counts::Refusals);
        }
    }

    /// Counts what a venue refused.
    pub(super) fn count_report(&mut self, account: AccountId, kind: ReportKind) {
        match kind {
            ReportKind::Rejected | ReportKind::ReplaceRejected | ReportKind::CancelRejected => {
                self.count_on_path(account, Counts::VenueRejects);
            }
            ReportKind::Ack
            | ReportKind::Fill
            | ReportKind::Cancelled
            | ReportKind::Replaced
            | ReportKind::Expired
            | ReportKind::Bust
            | ReportKind::NotSent
            | ReportKind::Restated
            | ReportKind::NotFound
            | ReportKind::Position => {}
        }
    }

    /// Counts a fill of so much money.
    pub(super) fn count_fill(&mut self, account: AccountId, sum: Money) {
        for id in self.risk.counted_on(account) {
            self.triggers.count(id, Counts::Executions, self.now, Money::ZERO);
            self.triggers.count(id, Counts::FillMoney, self.now, sum);
        }
    }

    fn count_on_path(&mut self, account: AccountId, counts: Counts) {
        for id in self.risk.counted_on(account) {
            self.triggers.count(id, counts, self.now, Money::ZERO);
        }
    }

    /// Halts what went off.
    #[cold]
    pub(super) fn trip_due(&mut self, out: &mut Output) {
        while let Some((account, counts, level)) = self.triggers.due.pop() {
            let scope = HaltScope::Account(account);
            self.go_off(scope, level, counts.cause(), counts.name(), out);
        }
    }

    /// Raises a level for a cause of the engine's own. A level that stands already stays as it is, untold.
    fn go_off(
        &mut self,
        scope: HaltScope,
        level: HaltLevel,
        cause: HaltCause,
        note: &str,
        out: &mut Output,
    ) {
        if self.risk.halt(scope).is_none_or(|standing| standing >= level) {
            return;
        }
        let (kind, number) = scope.to_parts();
        let head = [kind, level.code(), cause.code(), 0, 0, 0, 0, 0];
        self.hash.fold_pair(u64::from_le_bytes(head), number.into());
        let why = Why { note: Note::lossy(note), ..Why::of(cause) };
        self.trip(scope, level, why, out);
    }

    /// Stops symbols in whose books orders of ours stand although they have not been live for too long.
    #[cold]
    pub(super) fn trip_gaps(&mut self, out: &mut Output) {
        if !self.triggers.gaps.lapse(self.now) {
            return;
        }
        for slot in 0..self.orders.used() {
            if let Some(record) = self.orders.at(slot).filter(|record| record.state.is_open()) {
                self.triggers.gaps.hit(record.order.instrument);
            }
        }
        let mut any = false;
        for place in 0..self.triggers.gaps.lapsed() {
            let Some(instrument) = self.triggers.gaps.hit_at(place) else { continue };
            let scope = HaltScope::Instrument(instrument);
            let note = "orders in a book that is not live";
            self.go_off(scope, HaltLevel::CancelOnly, HaltCause::FeedGap, note, out);
            any = true;
        }
        if any && self.rules.triggers.feed_gap.is_some_and(|rule| rule.cancels) {
            self.end_all(out, |order, engine| engine.triggers.gaps.is_hit(order.instrument));
        }
        self.triggers.gaps.settle();
    }

    /// The wall clock can no longer be believed, or can again.
    pub(super) fn on_clock(&mut self, is_unsafe: bool, out: &mut Output) {
        self.triggers.clock_unsafe = is_unsafe;
        self.alert(HaltCause::Clock, is_unsafe, out);
        let level = self.rules.triggers.clock.and_then(|rule| rule.level).filter(|_| is_unsafe);
        if let Some(level) = level {
            self.go_off(HaltScope::All, level, HaltCause::Clock, "the clock is not believed", out);
        }
    }

    /// The session with the venue came or went. What becomes of its orders is not decided here.
    pub(super) fn note_session(&mut self, up: bool, out: &mut Output) {
        self.triggers.session_down = !up;
        self.alert(HaltCause::VenueSession, !up, out);
        if let Some(level) = self.rules.triggers.venue_session.filter(|_| !up) {
            let (cause, note) = (HaltCause::VenueSession, "the venue's session is gone");
            self.go_off(HaltScope::All, level, cause, note, out);
        }
    }

    /// A client whose orders work on an account says nothing: they are cancelled. The account is halted and not the desk,
    /// which the same client would leave by attaching again.
    pub(super) fn on_desk_silent(&mut self, desk: DeskId, account: AccountId, out: &mut Output) {
        let (scope, cause) = (HaltScope::Account(account), HaltCause::Heartbeat);
        self.go_off(scope, HaltLevel::CancelOnly, cause, "a client fell silent", out);
        let origin = Origin::Desk(desk);
        let is_his = |basket: &Basket| (basket.origin, basket.account) == (origin, account);
        self.end_baskets(BasketEnd::AskerGone, out, is_his);
        self.end_all(out, |order, _| order.origin == origin && order.account == account);
    }

    fn alert(&mut self, cause: HaltCause, begins: bool, out: &mut Output) {
        let (code, aux) = (cause.code(), u64::from(begins));
        out.record(TapeRecord { code, aux, ..self.record(TapeKind::Alert) });
    }

    /// How far a count of an account is from setting the switch off; `None`: that trigger is off.
    pub fn counted(&self, account: AccountId, counts: Counts) -> Option<Counted> {
        let place = self.triggers.accounts.get(usize::from(account.0))?.get(counts as usize)?;
        place.as_ref().map(|count| count.counted(self.now))
    }

    /// Books that are not live and may not stay so with orders of ours in them, and for how long the first of them is not,
    /// nanoseconds.
    pub fn gaps(&self) -> (u64, u64) {
        self.triggers.gaps.waiting(self.now)
    }

    /// Whether the wall clock cannot be believed.
    pub fn is_clock_unsafe(&self) -> bool {
        self.triggers.clock_unsafe
    }

    /// Whether the session with the venue is gone.
    pub fn is_session_down(&self) -> bool {
        self.triggers.session_down
    }

    /// The instrument's book became live, or no longer is.
    pub(super) fn note_live(&mut self, instrument: u32, live: bool) {
        self.triggers.gaps.note(InstrumentId(instrument), live, self.now);
    }

    /// The venue trades the instrument, or does not.
    pub(super) fn note_trading(&mut self, instrument: u32, trades: bool) {
        self.triggers.gaps.note_trading(InstrumentId(instrument), trades, self.now);
    }
}
