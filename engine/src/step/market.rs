//! What is known of an instrument, how far it may be believed, and what the gate is told of it.

use model::page::{Quote, TapeKind, TapeRecord};
use model::{Cause, Event, FeedId, InstrumentId, Integrity, TradingState, Ts};
use risk::Market;

use super::Engine;
use super::channel::Channel;
use crate::book::{Applied, Touch};
use crate::feed_books::FeedBooks;
use crate::instruments::Listed;
use crate::output::Output;

impl Engine {
    /// How far a book may be believed now: what the feed says, what applying its events showed, unless the channel is silent
    /// or the book crossed.
    pub(super) fn integrity(&self, instrument: u32) -> (Integrity, Cause) {
        // The best prices are those told last, unless an event is under way, and then that is said before prices are looked at.
        // When a feed falls silent all its books are asked, and each would fetch two levels from anywhere in memory.
        let listed = self.instruments.get(instrument);
        debug_assert!(listed.is_none_or(|l| l.mid_event || l.quotes == self.best(instrument)));
        self.integrity_at(instrument, listed.map_or([None; 2], |listed| listed.quotes))
    }

    /// Best bid and best ask between two steps. They are those told last, unless an event is under way: each that is looked up
    /// is a level from anywhere in memory.
    pub(super) fn best_now(&self, instrument: u32) -> [Option<Quote>; 2] {
        match self.instruments.get(instrument) {
            Some(listed) if !listed.mid_event => {
                debug_assert!(listed.quotes == self.best(instrument));
                listed.quotes
            }
            _ => self.best(instrument),
        }
    }

    /// The same of a book whose best prices were looked up already.
    pub(super) fn integrity_at(
        &self,
        instrument: u32,
        [bid, ask]: [Option<Quote>; 2],
    ) -> (Integrity, Cause) {
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
        let crossed = matches!((bid, ask), (Some(bid), Some(ask)) if bid.px >= ask.px);
        if crossed && self.trading_state(instrument).is_tradable() {
            return (Integrity::Crossed, Cause::Crossed);
        }
        (integrity, cause)
    }

    /// Whether the venue trades an instrument now.
    pub(super) fn trading_state(&self, instrument: u32) -> TradingState {
        let Some(listed) = self.instruments.get(instrument) else { return TradingState::Unknown };
        match self.channel(listed.instrument.feed) {
            None => TradingState::Unknown,
            Some(Channel { closed: true, .. }) => TradingState::Closed,
            Some(Channel { market_halted: true, .. }) => TradingState::MarketHalted,
            Some(_) if listed.venue_halted => TradingState::VenueHalted,
            Some(_) => listed.state,
        }
    }

    pub(super) fn channel(&self, feed: FeedId) -> Option<&Channel> {
        self.channels.get(usize::from(feed.0))
    }

    pub(super) fn feed_books(&self, feed: FeedId) -> Option<&FeedBooks> {
        self.books.get(usize::from(feed.0))
    }

    pub(super) fn feed_books_mut(&mut self, feed: FeedId) -> Option<&mut FeedBooks> {
        self.books.get_mut(usize::from(feed.0))
    }

    /// Place of an instrument's feed; beyond every feed if it is not listed.
    pub(super) fn feed_index(&self, instrument: u32) -> usize {
        self.instruments.get(instrument).map_or(usize::MAX, |l| l.instrument.feed.0.into())
    }

    /// Whether a feed lists an instrument.
    pub(super) fn is_of(&self, instrument: u32, feed: FeedId) -> bool {
        self.instruments.get(instrument).is_some_and(|listed| listed.instrument.feed == feed)
    }

    /// Our number of the event's instrument; counts those of none.
    pub(super) fn find(&mut self, event: &Event) -> Option<u32> {
        let found = self.instruments.find(event.feed, event.number);
        match found.and_then(|id| self.instruments.get_mut(id)) {
            Some(listed) => (listed.ts_venue, listed.updated) = (event.ts_venue, self.now),
            None => self.count_unlisted(event.feed),
        }
        found
    }

    #[cold]
    pub(super) fn count_unlisted(&mut self, feed: FeedId) {
        if let Some(channel) = self.channels.get_mut(usize::from(feed.0)) {
            channel.unlisted += 1;
        }
    }

    /// Best bid and best ask.
    #[inline]
    pub(super) fn best(&self, instrument: u32) -> [Option<Quote>; 2] {
        let listed = self.instruments.get(instrument);
        let books = listed.and_then(|listed| self.feed_books(listed.instrument.feed));
        [model::Side::Buy, model::Side::Sell]
            .map(|side| books.and_then(|books| books.best(instrument as usize, side)))
    }

    /// Whether an event touched a book behind its best prices, where it moves none of them: most do. Those told last are the
    /// best that the event found.
    #[inline(always)]
    pub(super) fn is_behind_quotes(&self, instrument: u32, applied: &Applied) -> bool {
        let Some(listed) = self.instruments.get(instrument) else { return false };
        let is_behind = |touch: &Option<Touch>| {
            touch.as_ref().is_none_or(|touch| touch.is_behind(&listed.quotes))
        };
        let is_behind = is_behind(&applied.removed) && is_behind(&applied.added);
        debug_assert!(!is_behind || listed.quotes == self.best(instrument));
        is_behind
    }

    /// Tells readers of every book of a feed whose integrity is not what they were told last.
    pub(super) fn show_feed_integrity(&mut self, feed: FeedId, out: &mut Output) {
        for instrument in 0..self.instruments.len() as u32 {
            if self.is_of(instrument, feed) {
                self.show_integrity(instrument, out);
            }
        }
    }

    /// Tells readers if a book's integrity is not what they were told last.
    pub(super) fn show_integrity(&mut self, instrument: u32, out: &mut Output) {
        self.show_judged(instrument, self.integrity(instrument), out);
    }

    /// The same of a book that was judged already.
    pub(super) fn show_judged(
        &mut self,
        instrument: u32,
        (integrity, cause): (Integrity, Cause),
        out: &mut Output,
    ) {
        let now = self.now;
        let Some(listed) = self.instruments.get_mut(instrument) else { return };
        if listed.integrity != integrity {
            (listed.integrity, listed.since) = (integrity, now);
            let (code, aux) = (integrity.code(), u64::from(cause.code()));
            let record = self.record(TapeKind::Integrity);
            out.record(TapeRecord { code, aux, instrument: InstrumentId(instrument), ..record });
            out.touch_book(instrument);
            self.hash.fold_pair(u64::from(code) | aux << 8, instrument.into());
            self.note_live(instrument, integrity == Integrity::Live);
            self.held.may_trigger(instrument);
        }
    }

    /// Tells the indicators of the best prices, if they are not those that were told last; whether they were told.
    #[inline(never)]
    pub(super) fn tell_if_moved(&mut self, id: u32, rebuilt: bool) -> bool {
        let quotes = self.best(id);
        let moved = self.instruments.get(id).is_some_and(|listed| listed.quotes != quotes);
        if moved {
            self.tell_quotes(id, quotes, rebuilt);
        }
        moved
    }

    /// Tells the indicators of new best prices; `rebuilt`: of a book that is built again.
    #[inline]
    pub(super) fn tell_quotes(&mut self, id: u32, quotes: [Option<Quote>; 2], rebuilt: bool) {
        let [bid, ask] = quotes;
        if let Some(listed) = self.instruments.get_mut(id) {
            listed.quotes = quotes;
        }
        self.held.may_trigger(id);
        if let Some(indicators) = self.indicators.get_mut(id as usize) {
            if rebuilt {
                indicators.on_rebuilt(bid, ask);
            } else {
                indicators.on_quote(bid, ask);
            }
        }
    }

    /// Shows how far a book may be believed, and marks what is held in it, at the best prices that were told last.
    #[inline(never)]
    pub(super) fn judge_told(&mut self, instrument: u32, out: &mut Output) {
        let Some(quotes) = self.instruments.get(instrument).map(|listed| listed.quotes) else {
            return;
        };
        let judged = self.integrity_at(instrument, quotes);
        self.show_judged(instrument, judged, out);
        self.mark_at(instrument, quotes, judged.0);
    }

    /// What the gate sees of an instrument.
    pub(super) fn market(&self, instrument: u32) -> Market {
        let [bid, ask] = self.best(instrument);
        let listed = self.instruments.get(instrument);
        let channel = listed.and_then(|listed| self.channel(listed.instrument.feed));
        Market {
            state: self.trading_state(instrument),
            market_halted: channel.is_some_and(|channel| channel.market_halted),
            integrity: self.integrity_at(instrument, [bid, ask]).0,
            settling: self.triggers.gaps.is_settling(instrument, self.now),
            bid: bid.map(|quote| quote.px),
            ask: ask.map(|quote| quote.px),
            triggers: self.held.triggers(listed, bid, ask),
            last: listed.and_then(Listed::last_trade),
            updated: listed.map_or(Ts(0), |l| l.updated),
            channel_updated: channel.map_or(Ts(0), |channel| channel.updated),
        }
    }

    /// Marks what is held in the instrument to the market.
    pub(super) fn re_mark(&mut self, id: u32) {
        let quotes = self.best(id);
        self.mark_at(id, quotes, self.integrity_at(id, quotes).0);
    }

    /// The same at best prices that were looked up already.
    pub(super) fn mark_at(
        &mut self,
        id: u32,
        [bid, ask]: [Option<Quote>; 2],
        integrity: Integrity,
    ) {
        let last = self.instruments.get(id).and_then(|listed| listed.last_trade());
        let [bid, ask] = [bid, ask].map(|quote| quote.map(|quote| quote.px));
        // All that a mark looks at.
        let market = Market { integrity, bid, ask, last, ..Market::UNKNOWN };
        self.risk.mark(InstrumentId(id), &market);
    }
}
