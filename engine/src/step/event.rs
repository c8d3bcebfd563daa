//! A tick's way: book, indicators, paper venue, strategies.

use feeds::new_york_midnight;
use feeds::session::SESSION_JOINED;
use model::page::{TapeKind, TapeRecord};
use model::{
    AccountId, Cause, Event, FeedId, Flags, InstrumentId, Integrity, Kind, Note, Origin, Px, Qty,
    Request, TradingState, Ts, VenueNumber,
};

use super::mid_event::Part;
use super::{Engine, Stage, Stamp};
use crate::feed_books::FeedBooks;
use crate::output::Output;
use crate::strategy::Seen;

impl Engine {
    /// Takes one message of the venue.
    pub(super) fn on_event(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        if !self.count(event, out) {
            return;
        }
        match event.kind {
            // Most events, each with code of its own.
            Kind::Add => self.on_book_event(Kind::Add, event, out, stamp),
            Kind::Delete => self.on_book_event(Kind::Delete, event, out, stamp),
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce | Kind::Replace | Kind::Modify => {
                self.on_book_event(event.kind, event, out, stamp);
            }
            Kind::Level => self.on_level(event, out, stamp),
            Kind::Trade | Kind::Cross => self.on_print(event, out, stamp),
            Kind::Directory => self.on_directory(event, out),
            Kind::State | Kind::VenueHalt => self.on_state(event, out),
            Kind::MarketHalt => {
                if let Some(channel) = self.channels.get_mut(usize::from(event.feed.0)) {
                    channel.market_halted = true;
                }
                self.on_channel_state(event.feed, out);
            }
            Kind::Session => self.on_session(event, out),
            Kind::Clear => self.on_clear(event, out),
            Kind::Integrity => self.on_integrity(event, out),
            Kind::Notice => self.on_notice(event, out, stamp),
            Kind::Broken | Kind::ShortSale => {}
        }
    }

    /// Notes the time of the event, and the hole in the sequence before it, if there is one. `false`: of no feed of ours.
    #[inline]
    fn count(&mut self, event: &Event, out: &mut Output) -> bool {
        let now = self.now;
        let Some(channel) = self.channels.get_mut(usize::from(event.feed.0)) else { return false };
        (channel.updated, channel.ts_venue) = (now, event.ts_venue);
        let (silent, mut missing) = (channel.silent, 0);
        if event.kind == Kind::Integrity {
            channel.seq = event.seq;
        } else if !event.flags.has(Flags::SNAPSHOT) {
            missing = event.seq.saturating_sub(channel.seq + 1);
            channel.seq = event.seq;
            channel.lost += missing;
        }
        if missing > 0 {
            self.on_hole(event.feed, out);
        }
        if silent {
            self.look_at_clock(out); // It is not any more.
        }
        true
    }

    /// Messages are missing and nobody said what became of them: no book of the feed can be believed.
    #[cold]
    fn on_hole(&mut self, feed: FeedId, out: &mut Output) {
        let Some(books) = self.books.get_mut(usize::from(feed.0)) else { return };
        for listed in self.instruments.iter().filter(|l| l.instrument.feed == feed) {
            let book = listed.instrument.id.0 as usize;
            books.set_integrity(book, Integrity::Incomplete, Cause::Gap);
        }
        self.show_feed_integrity(feed, out);
    }

    /// What an event of this kind does to a book of orders. In place wherever it is called: where the kind is known, what it
    /// cannot do is not asked.
    #[inline(always)]
    fn on_book_event(
        &mut self,
        kind: Kind,
        event: &Event,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) {
        let Some(id) = self.find(event) else { return };
        let Some(FeedBooks::Orders(books)) = self.feed_books_mut(event.feed) else { return };
        let applied = books.apply_as(kind, id as usize, event);
        let part = self.part(id, event);
        stamp.mark(Stage::Book);

        if let Some(touch) = &applied.removed {
            self.fold_level(id, touch.side, touch.px, touch.level_qty);
        }
        if let Some(touch) = &applied.added {
            self.fold_level(id, touch.side, touch.px, touch.level_qty);
        }
        // A day told again traded when it was told first.
        let told_again = event.flags.has(Flags::SNAPSHOT);
        // What the venue makes one event is shown when it is complete.
        let mut moved = false;
        if part != Part::Open {
            out.touch_book(id);
            let follows = part == Part::Whole && !told_again;
            moved = !(follows && self.is_behind_quotes(id, &applied))
                && self.tell_if_moved(id, told_again);
        }
        let trade = match (kind, &applied.removed) {
            _ if told_again => None,
            (Kind::Execute, Some(touch)) => Some(touch.px),
            (Kind::ExecuteAt, Some(_)) if !event.flags.has(Flags::NOT_PRINTABLE) => Some(event.px),
            _ => None,
        };
        if let Some(px) = trade {
            self.add_trade(id, px, event, applied.removed.map(|touch| touch.side), out);
        }
        stamp.mark(Stage::Indicators);

        // Marked now, not at the next order: else somebody's asking would move everybody's exposure.
        if moved {
            self.judge_told(id, out);
        } else {
            if part == Part::Last || applied.fault.is_some() {
                self.show_integrity(id, out);
            }
            if trade.is_some() {
                self.re_mark(id);
            }
        }
        if told_again {
            return; // What it repeats was there before: nothing came, nothing traded.
        }
        if self.paper.watches(id) {
            let trading = self.trading_state(id).is_tradable();
            self.paper.on_book(id, &applied, trade.is_some() && trading, trading);
        }
        self.settle(out);
        if let Some(px) = trade {
            self.ask_strategies(id, px, event.qty, out, stamp);
        }
        if part == Part::Last {
            self.ask_unseen(id, out, stamp);
        }
    }

    /// A level has a new total. What the venue marks as one event is shown, and judged, when it is complete.
    fn on_level(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        let Some(id) = self.find(event) else { return };
        let Some(FeedBooks::Levels(books)) = self.feed_books_mut(event.feed) else { return };
        let applied = books.apply(id as usize, event);
        stamp.mark(Stage::Book);
        if let Some(touch) = applied.level {
            self.fold_level(id, touch.side, touch.px, touch.qty);
        }
        let complete = event.flags.has(Flags::EVENT_COMPLETE);
        let Some(listed) = self.instruments.get_mut(id) else { return };
        listed.mid_event = !complete;
        if complete {
            self.show_event(id, event.flags.has(Flags::SNAPSHOT), out);
        }
        stamp.mark(Stage::Indicators);
        if let Some(touch) = applied.level
            && !event.flags.has(Flags::SNAPSHOT)
        {
            let trading = self.trading_state(id).is_tradable();
            self.paper.on_level(id, &touch, trading, self.now);
            self.settle(out);
        }
        if complete {
            self.ask_unseen(id, out, stamp);
        }
    }

    /// Folds what a level is now into the hash of the state.
    fn fold_level(&mut self, id: u32, side: model::Side, px: Px, qty: Qty) {
        let place = u64::from(id) << 1 | side.index() as u64;
        self.hash.fold_pair(px.0.cast_unsigned() ^ place << 40, qty.0.cast_unsigned());
    }

    /// A trade that does not touch the book: hidden, an auction's, or of a venue that tells levels and trades apart.
    fn on_print(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        if event.kind == Kind::Cross && !event.flags.has(Flags::SNAPSHOT) {
            self.on_cross(event, out);
        }
        if event.qty.0 <= 0 || event.px.0 <= 0 {
            return self.on_notice(event, out, stamp); // An auction in which nothing traded.
        }
        let Some(id) = self.find(event) else { return };
        if event.flags.has(Flags::NOT_PRINTABLE) || event.flags.has(Flags::SNAPSHOT) {
            return;
        }
        let part = self.part(id, event);
        out.boards.mark(id);
        self.add_trade(id, event.px, event, event.side, out);
        stamp.mark(Stage::Indicators);
        match part {
            Part::Whole => self.re_mark(id),
            Part::Open => {}
            Part::Last => self.show_event(id, false, out),
        }
        if event.kind == Kind::Trade && self.trading_state(id).is_tradable() {
            match self.feed_books(event.feed) {
                Some(FeedBooks::Levels(_)) => {
                    let traded = (event.px, event.qty);
                    self.paper.on_level_print(id, event.side, traded, self.now);
                }
                _ => self.paper.on_print(id, event.side, event.px, event.qty),
            }
            self.settle(out);
        }
        if part == Part::Whole {
            return self.ask_strategies(id, event.px, event.qty, out, stamp);
        }
        self.keep_unseen(id, event.px, event.qty);
        if part == Part::Last {
            self.ask_unseen(id, out, stamp);
        }
    }

    /// Adds a printable trade to the day's figures, the indicators and the tape.
    fn add_trade(
        &mut self,
        id: u32,
        px: Px,
        event: &Event,
        side: Option<model::Side>,
        out: &mut Output,
    ) {
        if let Some(listed) = self.instruments.get_mut(id) {
            listed.trade(px, event.qty, event.ts_venue, self.now);
        }
        self.held.may_trigger(id);
        if let Some(indicators) = self.indicators.get_mut(id as usize) {
            indicators.on_trade(px, event.qty);
            let hash = &mut self.hash;
            indicators.fold(|word| hash.fold(word));
        }
        let (instrument, qty, aux) = (InstrumentId(id), event.qty, event.aux);
        out.record(TapeRecord { side, instrument, px, qty, aux, ..self.record(TapeKind::Trade) });
    }

    /// Lets every strategy see a trade, unless nothing can reach the venue; what it asks passes the gate here and now.
    pub(super) fn ask_strategies(
        &mut self,
        id: u32,
        px: Px,
        qty: Qty,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) {
        let waits = self.stopping || self.is_unreconciled();
        let asked = if waits { 0 } else { self.strategies.len() };
        for place in 0..asked {
            let [bid, ask] = self.best(id);
            let Some(listed) = self.instruments.get(id) else { return };
            let seen = Seen { instrument: &listed.instrument, px, qty, bid, ask };
            let Some(strategy) = self.strategies.get_mut(place) else { return };
            if let Some(ask) = strategy.on_trade(&seen) {
                let (account, origin) = (strategy.account(), Origin::Strategy(place as u8));
                let request = Request { id: 0, origin, account, ask, note: Note::default() };
                self.react(&request, out, stamp);
            }
        }
    }

    /// Lists an instrument, with the rules that the operator gave it.
    fn on_directory(&mut self, event: &Event, out: &mut Output) {
        let (listing, known) = (event.listing(), self.instruments.len());
        let listed = listing.and_then(|(symbol, px_decimals, qty_decimals)| {
            let scale = [px_decimals, qty_decimals];
            self.instruments.list(event.feed, symbol, event.number, scale, self.now)
        });
        let (Some((symbol, ..)), Some(id), Some(channel)) =
            (listing, listed, self.channels.get(usize::from(event.feed.0)))
        else {
            return self.count_unlisted(event.feed);
        };
        let (believed, lost) = (channel.believed, channel.lost);
        if let Some(listed) = self.instruments.get_mut(id) {
            (listed.ts_venue, listed.updated) = (event.ts_venue, self.now);
            if id as usize >= known {
                listed.believed = believed;
            }
            if let Some(rule) = self.rule_index.instrument(&self.rules, symbol) {
                rule.complete(&mut listed.instrument);
            }
            let instrument = listed.instrument;
            self.give_limits(&instrument);
            let [first, second] = symbol.to_words();
            self.hash.fold_pair(first, second ^ u64::from(id) << 32);
        }
        let Some(books) = self.feed_books_mut(event.feed) else { return };
        let fresh = (Integrity::Incomplete, Cause::NotStarted);
        if books.integrity(id as usize) == fresh && lost == 0 {
            books.set_integrity(id as usize, Integrity::Live, Cause::None);
        }
        out.touch_book(id);
        self.show_integrity(id, out);
        if id as usize >= known {
            self.trip_listed(id, symbol, out);
        }
    }

    /// Tells risk of an instrument. A rule that does not fit leaves the pair without limits, which blocks it.
    pub(super) fn give_limits(&mut self, instrument: &model::Instrument) {
        if self.risk.list(instrument).is_err() {
            return;
        }
        let Engine { risk, rules, rule_index, .. } = self;
        let rule = rule_index.instrument(rules, instrument.symbol);
        let reference = rule.map(|rule| rule.reference(instrument)).unwrap_or_default();
        let _ = risk.set_reference(instrument.id, reference);
        for account in (0..rules.accounts.len() as u16).map(AccountId) {
            if let Some(limits) = rule_index.limits(rules, account, instrument) {
                let _ = risk.set_pair_limits(account, instrument.id, limits);
            }
        }
    }

    /// A book, or every book of the feed, is empty now.
    fn on_clear(&mut self, event: &Event, out: &mut Output) {
        if event.number == VenueNumber(0) {
            if let Some(books) = self.feed_books_mut(event.feed) {
                books.clear_all();
            }
            for id in 0..self.instruments.len() as u32 {
                if self.is_of(id, event.feed) {
                    self.empty(event.feed, id, out);
                }
            }
        } else if let Some(id) = self.find(event) {
            if let Some(books) = self.feed_books_mut(event.feed) {
                books.clear(id as usize);
            }
            self.empty(event.feed, id, out);
        }
    }

    /// Goes on with an instrument whose book was emptied: that it is empty is known.
    fn empty(&mut self, feed: FeedId, id: u32, out: &mut Output) {
        self.hash.fold_pair(u64::MAX, id.into());
        if let Some(books) = self.books.get_mut(usize::from(feed.0)) {
            books.set_integrity(id as usize, Integrity::Live, Cause::None);
            self.paper.rejoin(id, books);
        }
        if let Some(listed) = self.instruments.get_mut(id) {
            (listed.mid_event, listed.unseen) = (false, None);
        }
        self.tell_quotes(id, [None, None], true);
        out.touch_book(id);
        self.re_mark(id);
        self.show_integrity(id, out);
    }

    /// The feed says how far its books may be believed.
    fn on_integrity(&mut self, event: &Event, out: &mut Output) {
        let Some(believed) = event.believed() else { return self.count_unlisted(event.feed) };
        if event.number == VenueNumber(0) {
            if let Some(channel) = self.channels.get_mut(usize::from(event.feed.0)) {
                channel.believed = believed;
            }
            for id in 0..self.instruments.len() as u32 {
                if self.is_of(id, event.feed) {
                    self.believe(event.feed, id, believed, out);
                }
            }
        } else if let Some(id) = self.find(event) {
            self.believe(event.feed, id, believed, out);
        }
    }

    fn believe(&mut self, feed: FeedId, id: u32, believed: (Integrity, Cause), out: &mut Output) {
        let Some(listed) = self.instruments.get_mut(id) else { return };
        let before = std::mem::replace(&mut listed.believed, believed);
        // Whoever waits in a queue that was rebuilt stands, for all that is known, behind everything in it.
        if before.0 != Integrity::Live
            && believed.0 == Integrity::Live
            && let Some(books) = self.books.get(usize::from(feed.0))
        {
            self.paper.rejoin(id, books);
        }
        self.show_integrity(id, out);
        self.re_mark(id);
    }

    /// The trading state of one instrument.
    fn on_state(&mut self, event: &Event, out: &mut Output) {
        let Some(id) = self.find(event) else { return };
        let Some(listed) = self.instruments.get_mut(id) else { return };
        if event.kind == Kind::VenueHalt {
            listed.venue_halted = event.aux == 1;
        } else {
            let code = u8::try_from(event.aux).ok();
            listed.state = code.and_then(TradingState::from_code).unwrap_or(TradingState::Unknown);
        }
        self.show_state(id, out);
    }

    /// Tells readers of a trading state.
    fn show_state(&mut self, id: u32, out: &mut Output) {
        let state = self.trading_state(id);
        self.note_trading(id, state.is_tradable());
        let code = state.code();
        out.record(TapeRecord {
            code,
            instrument: InstrumentId(id),
            ..self.record(TapeKind::State)
        });
        out.boards.mark(id);
        self.hash.fold_pair(code.into(), id.into());
        self.held.may_trigger(id);
        self.show_integrity(id, out);
    }

    /// Tells readers that the state of every instrument of a feed changed.
    fn on_channel_state(&mut self, feed: FeedId, out: &mut Output) {
        for id in 0..self.instruments.len() as u32 {
            if self.is_of(id, feed) {
                self.show_state(id, out);
            }
        }
    }

    /// The venue's day begins or ends.
    fn on_session(&mut self, event: &Event, out: &mut Output) {
        self.hash.fold_pair(event.aux, event.ts_venue.time_of_day());
        let joins = event.aux == SESSION_JOINED && self.is_of_earlier_day(event.feed);
        let begins = event.aux == u64::from(b'O') || joins;
        let ends = [b'E', b'C'].iter().any(|code| event.aux == u64::from(*code));
        // In a snapshot it says how far the day is, and begins or ends nothing.
        let is_snapshot = event.flags.has(Flags::SNAPSHOT);
        if !begins && !ends && !is_snapshot {
            return;
        }
        if !is_snapshot {
            self.end_day(event.feed, out);
            if begins {
                self.begin_day(event.feed);
            }
        }
        if let Some(channel) = self.channels.get_mut(usize::from(event.feed.0)) {
            channel.closed = ends;
        }
        self.on_channel_state(event.feed, out);
    }

    /// Whether what is known of a feed's instruments is of a day before this one: an engine that was started again knows it
    /// still.
    fn is_of_earlier_day(&self, feed: FeedId) -> bool {
        let of_feed = self.instruments.iter().filter(|l| l.instrument.feed == feed);
        let last = of_feed.map(|listed| listed.updated).filter(|at| *at > Ts(0)).max();
        last.is_some_and(|last| new_york_midnight(last) < new_york_midnight(self.now))
    }

    /// Nothing of the day before counts.
    fn begin_day(&mut self, feed: FeedId) {
        if let Some(books) = self.books.get_mut(usize::from(feed.0)) {
            books.clear_all();
            for listed in self.instruments.iter().filter(|l| l.instrument.feed == feed) {
                self.paper.rejoin(listed.instrument.id.0, books); // What is not of the day alone.
            }
        }
        self.instruments.new_day(feed, self.now);
        for (listed, indicators) in self.instruments.iter().zip(&mut self.indicators) {
            if listed.instrument.feed == feed {
                indicators.new_day();
            }
        }
        if let Some(channel) = self.channels.get_mut(usize::from(feed.0)) {
            (channel.market_halted, channel.lost) = (false, 0);
        }
    }

    /// Day orders end.
    fn end_day(&mut self, feed: FeedId, out: &mut Output) {
        let instruments = &self.instruments;
        let of_feed = |id| instruments.get(id).is_some_and(|l| l.instrument.feed == feed);
        self.paper.end_day(of_feed);
        self.settle(out);
        self.end_held_day(feed, out);
    }
}
