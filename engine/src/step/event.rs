//! A tick's way: book, indicators, paper venue, strategies.

use model::page::{TapeKind, TapeRecord};
use model::{
    Cause, Event, Flags, InstrumentId, Integrity, Kind, Note, Origin, Px, Qty, Request,
    TradingState,
};

use super::{Engine, Stage, Stamp};
use crate::output::Output;
use crate::strategy::Seen;

impl Engine {
    /// Takes one message of the venue.
    pub(super) fn on_event(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        self.count(event, out);
        match event.kind {
            Kind::Add
            | Kind::Execute
            | Kind::ExecuteAt
            | Kind::Reduce
            | Kind::Delete
            | Kind::Replace => {
                self.on_book_event(event, out, stamp);
            }
            Kind::Trade | Kind::Cross => self.on_print(event, out, stamp),
            Kind::Directory => self.on_directory(event, out),
            Kind::State | Kind::VenueHalt => self.on_state(event, out),
            Kind::MarketHalt => {
                self.channel.market_halted = true;
                self.on_channel_state(out);
            }
            Kind::Session => self.on_session(event, out),
            Kind::Clear => self.books.clear_all(),
            Kind::Broken | Kind::ShortSale | Kind::Notice => {}
            Kind::Level | Kind::Modify | Kind::Integrity => {}
        }
    }

    /// Notes the time of the event, and the hole in the sequence before it, if there is one.
    fn count(&mut self, event: &Event, out: &mut Output) {
        let missing = event.seq.saturating_sub(self.channel.seq + 1);
        self.channel.seq = event.seq;
        self.channel.updated = self.now;
        self.channel.ts_venue = event.ts_venue;
        if missing > 0 {
            self.channel.lost += missing;
            for instrument in 0..self.instruments.len() as u32 {
                self.books.set_integrity(instrument as usize, Integrity::Incomplete, Cause::Gap);
                self.show_integrity(instrument, out);
            }
        }
        if self.channel.silent {
            self.advance(self.now, out);
        }
    }

    fn on_book_event(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        let Some(id) = self.instruments.find(event.number) else {
            self.channel.unlisted += 1;
            return;
        };
        let book = id as usize;
        let before = self.best(id);
        let applied = self.books.apply(book, event);
        stamp.mark(Stage::Book);

        for touch in [applied.removed, applied.added].into_iter().flatten() {
            let place = u64::from(id) << 1 | touch.side.index() as u64;
            self.hash.fold_pair(
                touch.px.0.cast_unsigned() ^ place << 40,
                touch.level_qty.0.cast_unsigned(),
            );
        }
        if let Some(listed) = self.instruments.get_mut(id) {
            (listed.ts_venue, listed.updated) = (event.ts_venue, self.now);
        }
        out.touch_book(id);
        let quotes = self.best(id);
        let moved = quotes != before;
        if moved {
            let [bid, ask] = quotes;
            if let Some(indicators) = self.indicators.get_mut(book) {
                indicators.on_quote(bid, ask);
            }
        }
        let trade = match (event.kind, applied.removed) {
            (Kind::Execute, Some(touch)) => Some(touch.px),
            (Kind::ExecuteAt, Some(_)) if !event.flags.has(Flags::NOT_PRINTABLE) => Some(event.px),
            _ => None,
        };
        if let Some(px) = trade {
            self.add_trade(id, px, event, applied.removed.map(|touch| touch.side), out);
        }
        stamp.mark(Stage::Indicators);

        if moved || applied.fault.is_some() {
            self.show_integrity(id, out);
        }
        if moved || trade.is_some() {
            self.re_mark(id); // Now, not at the next order: else somebody's asking would move everybody's exposure.
        }
        let trading = self.trading_state(id).is_tradable();
        self.paper.on_book(id, &applied, trade.is_some() && trading, trading);
        self.settle(out);
        if let Some(px) = trade {
            self.ask_strategies(id, px, event.qty, out, stamp);
        }
    }

    /// A trade that does not touch the book: hidden, or an auction's.
    fn on_print(&mut self, event: &Event, out: &mut Output, stamp: &mut impl Stamp) {
        let Some(id) = self.instruments.find(event.number) else {
            self.channel.unlisted += 1;
            return;
        };
        if event.qty.0 <= 0 || event.px.0 <= 0 {
            return; // An auction in which nothing traded.
        }
        if let Some(listed) = self.instruments.get_mut(id) {
            (listed.ts_venue, listed.updated) = (event.ts_venue, self.now);
        }
        out.boards.mark(id);
        self.add_trade(id, event.px, event, None, out);
        stamp.mark(Stage::Indicators);
        self.re_mark(id);
        if event.kind == Kind::Trade && self.trading_state(id).is_tradable() {
            self.paper.on_print(id, event.px, event.qty);
            self.settle(out);
        }
        self.ask_strategies(id, event.px, event.qty, out, stamp);
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
        if let Some(indicators) = self.indicators.get_mut(id as usize) {
            indicators.on_trade(px, event.qty);
            let hash = &mut self.hash;
            indicators.fold(|word| hash.fold(word));
        }
        let (instrument, qty, aux) = (InstrumentId(id), event.qty, event.aux);
        out.record(TapeRecord { side, instrument, px, qty, aux, ..self.record(TapeKind::Trade) });
    }

    /// Lets every strategy see a trade; what it asks passes the gate here and now.
    fn ask_strategies(
        &mut self,
        id: u32,
        px: Px,
        qty: Qty,
        out: &mut Output,
        stamp: &mut impl Stamp,
    ) {
        for place in 0..self.strategies.len() {
            let [bid, ask] = self.best(id);
            let Some(listed) = self.instruments.get(id) else { return };
            let seen = Seen { instrument: &listed.instrument, px, qty, bid, ask };
            let Some(strategy) = self.strategies.get_mut(place) else { return };
            if let Some(ask) = strategy.on_trade(&seen) {
                let (account, origin) = (strategy.account(), Origin::Strategy(place as u8));
                let request = Request { id: 0, origin, account, ask, note: Note::default() };
                self.on_request(&request, out, stamp);
                out.answer = None;
            }
        }
    }

    /// Lists an instrument, with the rules that the operator gave it.
    fn on_directory(&mut self, event: &Event, out: &mut Output) {
        let Some((symbol, decimals, _)) = event.listing() else {
            self.channel.unlisted += 1;
            return;
        };
        let Some(id) = self.instruments.list(event.feed, symbol, event.number, decimals, self.now)
        else {
            self.channel.unlisted += 1;
            return;
        };
        if let Some(listed) = self.instruments.get_mut(id) {
            (listed.ts_venue, listed.updated) = (event.ts_venue, self.now);
            self.rules.complete(&mut listed.instrument);
            let instrument = listed.instrument;
            // A rule that does not fit leaves the pair without limits, which blocks it.
            if self.risk.list(&instrument).is_ok() {
                for (place, account) in self.rules.accounts.iter().enumerate() {
                    if let Some(limits) = self.rules.limits(account, &instrument) {
                        let _ = self.risk.set_pair_limits(
                            model::AccountId(place as u16),
                            instrument.id,
                            limits,
                        );
                    }
                }
            }
            let [first, second] = symbol.to_words();
            self.hash.fold_pair(first, second ^ u64::from(id) << 32);
        }
        if self.books.integrity(id as usize) == (Integrity::Incomplete, Cause::NotStarted)
            && self.channel.lost == 0
        {
            self.books.set_integrity(id as usize, Integrity::Live, Cause::None);
        }
        out.touch_book(id);
        self.show_integrity(id, out);
    }

    /// The trading state of one instrument.
    fn on_state(&mut self, event: &Event, out: &mut Output) {
        let Some(id) = self.instruments.find(event.number) else {
            self.channel.unlisted += 1;
            return;
        };
        let Some(listed) = self.instruments.get_mut(id) else { return };
        (listed.ts_venue, listed.updated) = (event.ts_venue, self.now);
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
        let code = self.trading_state(id).code();
        out.record(TapeRecord {
            code,
            instrument: InstrumentId(id),
            ..self.record(TapeKind::State)
        });
        out.boards.mark(id);
        self.hash.fold_pair(code.into(), id.into());
        self.show_integrity(id, out);
    }

    /// Tells readers that the state of every instrument changed.
    fn on_channel_state(&mut self, out: &mut Output) {
        for id in 0..self.instruments.len() as u32 {
            self.show_state(id, out);
        }
    }

    /// The venue's day begins or ends.
    fn on_session(&mut self, event: &Event, out: &mut Output) {
        self.hash.fold_pair(event.aux, event.ts_venue.time_of_day());
        match u8::try_from(event.aux) {
            Ok(b'O') => {
                self.end_day(out);
                self.books.clear_all();
                self.instruments.new_day(self.now);
                self.indicators.iter_mut().for_each(crate::indicator::Indicators::new_day);
                self.channel.closed = false;
                self.channel.market_halted = false;
                self.channel.lost = 0;
                self.on_channel_state(out);
            }
            Ok(b'E' | b'C') => {
                self.end_day(out);
                self.channel.closed = true;
                self.on_channel_state(out);
            }
            _ => {}
        }
    }

    /// Day orders end.
    fn end_day(&mut self, out: &mut Output) {
        self.paper.end_day();
        self.settle(out);
    }

    /// Marks what is held in the instrument to the market.
    fn re_mark(&mut self, id: u32) {
        let market = self.market(id);
        self.risk.mark(InstrumentId(id), &market);
    }
}
