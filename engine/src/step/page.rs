//! What readers are shown, worked out from the state when somebody publishes it.

use std::hint::black_box;

use model::page::{self, AsOf, Board, DEPTH_LEVELS, Depth, INDICATOR_SLOTS, Level, OrderCell};
use model::{AccountId, HaltCause, HaltLevel, HaltScope, Side, Ts};

use super::Engine;
use crate::approvals::APPROVALS_MAX;
use crate::output::Output;

impl Engine {
    fn as_of(&self, instrument: u32) -> AsOf {
        let Some(listed) = self.instruments.get(instrument) else { return self.as_of_now() };
        AsOf { engine_seq: self.seq, ts_venue: listed.ts_venue, ts_recv: listed.updated }
    }

    /// Notes everything that there is as changed: for readers of new pages.
    pub fn show_all(&mut self, out: &mut Output) {
        for instrument in 0..self.instruments.len() as u32 {
            out.touch_book(instrument);
        }
        (0..self.orders.used()).for_each(|slot| out.orders.mark(slot));
        (0..APPROVALS_MAX as u32).for_each(|slot| out.approvals.mark(slot));
        self.risk.show_all();
    }

    /// Works out the values of an instrument's indicators once, for whoever looks at its page from here on.
    pub fn measure(&mut self, instrument: u32) {
        if let Some(indicators) = self.indicators.get_mut(instrument as usize) {
            indicators.measure();
        }
    }

    /// Hints the cache at what [`Engine::measure`] and [`Engine::board`] look at of the instrument alone, not of its book.
    pub fn prefetch_board(&self, instrument: u32) {
        self.instruments.prefetch(instrument);
        if let Some(indicators) = self.indicators.get(instrument as usize) {
            indicators.prefetch();
        }
    }

    /// The page of one instrument; `None` if it is not listed.
    pub fn board(&self, instrument: u32) -> Option<Board> {
        let listed = self.instruments.get(instrument)?;
        let [bid, ask] = self.best_now(instrument);
        let (integrity, cause) = self.integrity_at(instrument, [bid, ask]);
        let book = instrument as usize;
        let books = self.books_of(instrument)?;
        let levels = [Side::Buy, Side::Sell].map(|side| books.level_count(book, side));
        let indicators = self.indicators.get(book);
        let scope = HaltScope::Instrument(listed.instrument.id);
        let halt = self.risk.halt(scope).unwrap_or(HaltLevel::Active);
        // Latches are large and far away: only what is halted has its own looked at.
        let is_halted = halt > HaltLevel::Active;
        Some(Board {
            as_of: self.as_of(instrument),
            instrument: listed.instrument,
            state: self.trading_state(instrument),
            halt,
            halt_cause: is_halted.then(|| self.latches.of(scope).cause()).flatten(),
            integrity,
            cause,
            since: listed.since,
            bid,
            ask,
            levels,
            last: listed.last,
            open_high_low: listed.open_high_low,
            volume: listed.volume,
            trades: listed.trades,
            indicators: indicators
                .map_or([None; INDICATOR_SLOTS], |indicators| indicators.values()),
        })
    }

    /// The page of an account; `None` if there is no such account.
    pub fn account_page(&self, id: AccountId) -> Option<page::Account> {
        let page = self.risk.account_page(id, self.as_of_now(), self.now)?;
        let rule = self.rules.accounts.get(usize::from(id.0));
        let halt_cause = (page.halt > HaltLevel::Active).then(|| self.halt_cause(&page));
        let cancel_on_disconnect = rule.is_some_and(|rule| rule.cancel_on_disconnect);
        Some(page::Account { halt_cause: halt_cause.flatten(), cancel_on_disconnect, ..page })
    }

    /// What the highest halt on an account is for.
    fn halt_cause(&self, page: &page::Account) -> Option<HaltCause> {
        let accounts = (0..self.risk.accounts() as u16).map(AccountId);
        let above = accounts.filter(|above| self.risk.counts_on(page.id, *above));
        let scopes = [HaltScope::All].into_iter().chain(above.map(HaltScope::Account));
        let mut latches = scopes.map(|scope| self.latches.of(scope));
        latches.find(|latch| latch.level == page.halt)?.cause()
    }

    /// The book of one instrument, as far as it is published.
    pub fn depth(&self, instrument: u32) -> Depth {
        let (integrity, cause) = self.integrity(instrument);
        let book = instrument as usize;
        let mut page = Depth::empty(self.as_of(instrument), integrity, cause);
        let Some(books) = self.books_of(instrument) else { return page };
        let fill = |side, places: &mut [Level; DEPTH_LEVELS]| {
            let mut used = 0;
            for (place, level) in places.iter_mut().zip(books.levels(book, side)) {
                *place = level;
                used += 1;
            }
            (used, books.level_count(book, side))
        };
        let (bids, all_bids) = fill(Side::Buy, &mut page.bids);
        let (asks, all_asks) = fill(Side::Sell, &mut page.asks);
        page.used = [bids, asks];
        page.total = [all_bids, all_asks];
        page
    }

    /// Walks so many of the best levels of each side, so that [`Engine::depth`] finds them in the cache; whether there are more
    /// that it wants.
    pub fn walk_depth(&self, instrument: u32, levels: usize) -> bool {
        let Some(books) = self.books_of(instrument) else { return false };
        let sides = [Side::Buy, Side::Sell].map(|side| {
            let walked = books.levels(instrument as usize, side).take(levels).map(black_box);
            walked.count()
        });
        levels < DEPTH_LEVELS && sides.contains(&levels)
    }

    /// The page of an order slot; `None` if it was never used.
    pub fn order_cell(&self, slot: u32) -> Option<OrderCell> {
        let record = self.orders.at(slot)?;
        let ahead = self.paper.ahead(record.order.id);
        Some(record.page(self.as_of(record.order.instrument.0), ahead))
    }

    /// When the state is what it is, without an instrument.
    pub fn as_of_now(&self) -> AsOf {
        let last = self.channels.iter().max_by_key(|channel| channel.updated);
        let (ts_venue, ts_recv) = last.map_or((Ts(0), Ts(0)), |c| (c.ts_venue, c.updated));
        AsOf { engine_seq: self.seq, ts_venue, ts_recv }
    }
}
