//! Records become events.

mod belief;

use dbn::{
    BidAskPair, HasRType, MboMsg, Mbp1Msg, Mbp10Msg, Metadata, Record, RecordHeader, RecordRef,
    Schema, SymbolMappingMsg, TradeMsg, rtype, v1,
};
use model::{Cause, Event, FeedId, Flags, Kind, Side, Symbol, TradingState, Ts};

use super::counters::DbnCounters;
use super::error::DbnCause;
use super::instruments::{Belief, Instrument, Instruments, number};
use super::levels::Tops;
use super::reader::DbnOptions;
use super::symbols::Symbols;
use super::view::{AsView, View};

/// Places behind the point of every price.
const PX_DECIMALS: u8 = 9;

/// What a feed remembers from one record to the next.
pub(super) struct Decoder {
    feed: FeedId,
    publisher: Option<u16>,
    /// The one type of record that is told of, once it is known.
    rtype: Option<u8>,
    symbols: Symbols,
    instruments: Instruments,
    /// No record of the stream was told yet.
    is_new: bool,
    /// Each record of the stream is an event of its own, whatever its flags: of none is more told than one record.
    is_apart: bool,
    /// The last record was part of this instrument's snapshot: the sequence is not told up to it.
    untold: Option<u16>,
    pub counters: DbnCounters,
}

impl Decoder {
    pub fn new(options: &DbnOptions) -> Decoder {
        Decoder {
            feed: options.feed,
            publisher: options.publisher,
            rtype: None,
            symbols: Symbols::default(),
            instruments: Instruments::new(options.instruments_max),
            is_new: true,
            is_apart: false,
            untold: None,
            counters: DbnCounters::default(),
        }
    }

    /// A stream begins. Without metadata nothing is known of symbols, nor of the schema.
    pub fn begin_stream(&mut self, metadata: Option<&Metadata>) -> Result<(), DbnCause> {
        let schema = metadata.and_then(|metadata| metadata.schema);
        self.rtype = match schema {
            None => None,
            Some(Schema::Mbo) => Some(rtype::MBO),
            Some(Schema::Mbp1 | Schema::Tbbo) => Some(rtype::MBP_1),
            Some(Schema::Mbp10) => Some(rtype::MBP_10),
            Some(Schema::Trades) => Some(rtype::MBP_0),
            Some(other) => return Err(DbnCause::Schema(other)),
        };
        self.symbols = metadata.map(Symbols::from_metadata).unwrap_or_default();
        self.instruments.begin_stream();
        self.is_new = true;
        self.is_apart = matches!(schema, Some(Schema::Trades | Schema::Tbbo));
        self.counters.streams += 1;
        Ok(())
    }

    /// Whether its stream tells orders; `None` if that is not known yet.
    pub fn tells_orders(&self) -> Option<bool> {
        self.rtype.map(|rtype| rtype == rtype::MBO)
    }

    /// Takes a record. The first of them says first that nothing is known of any book.
    ///
    /// # Errors
    ///
    /// [`DbnCause::RecordLength`]; nothing of it is told.
    pub fn on_record(
        &mut self,
        record: RecordRef<'_>,
        emit: &mut impl FnMut(Event),
    ) -> Result<(), DbnCause> {
        let head = record.header();
        if self.rtype.is_none() && is_told(head.rtype) {
            self.rtype = Some(head.rtype);
        }
        let kind = if self.rtype == Some(head.rtype) { head.rtype } else { 0xFF };
        match kind {
            rtype::MBO => {
                let view = body::<MboMsg>(record)?.view();
                self.counters.mbo += 1;
                self.on_mbo(&view, emit);
            }
            rtype::MBP_0 => {
                let view = body::<TradeMsg>(record)?.view();
                self.on_trade(&view, emit);
            }
            rtype::MBP_1 => {
                let message = body::<Mbp1Msg>(record)?;
                self.on_mbp(&message.view(), &message.levels, emit);
            }
            rtype::MBP_10 => {
                let message = body::<Mbp10Msg>(record)?;
                self.on_mbp(&message.view(), &message.levels, emit);
            }
            _ => self.on_other(record, emit)?,
        }
        Ok(())
    }

    /// The sequence moves on; nothing that a book needs.
    fn on_other(
        &mut self,
        record: RecordRef<'_>,
        emit: &mut impl FnMut(Event),
    ) -> Result<(), DbnCause> {
        let head = record.header();
        if head.rtype == rtype::SYMBOL_MAPPING {
            let symbol = if record.record_size() < size_of::<SymbolMappingMsg>() {
                body::<v1::SymbolMappingMsg>(record)?.stype_out_symbol().map(Symbol::new)
            } else {
                body::<SymbolMappingMsg>(record)?.stype_out_symbol().map(Symbol::new)
            };
            if let Ok(Ok(symbol)) = symbol {
                self.symbols.set(head.instrument_id, symbol);
                let known = self.instruments.find(head.instrument_id);
                if let Some(known) = known.and_then(|number| self.instruments.get_mut(number)) {
                    known.is_stale = true;
                }
            }
        }
        self.counters.other += 1;
        self.counters.records += 1;
        let time = if head.ts_event == dbn::UNDEF_TIMESTAMP { 0 } else { head.ts_event };
        let stamp = Event {
            ts_venue: Ts(time),
            ts_recv: Ts(time),
            seq: self.counters.records,
            aux: head.rtype.into(),
            feed: self.feed,
            ..Event::empty(Kind::Notice)
        };
        self.begin_feed(&stamp, emit);
        self.tell_sequence(&stamp, emit);
        emit(Event { flags: Flags::LAST_OF_PACKET, ..stamp });
        Ok(())
    }

    /// The number of a record's instrument, which is named if that was not done yet; `None`: it is none that is told of.
    fn name(&mut self, view: &View, stamp: &Event, emit: &mut impl FnMut(Event)) -> Option<u16> {
        if self.publisher.is_some_and(|publisher| publisher != view.publisher) {
            self.counters.other_publishers += 1;
            return None;
        }
        let found = self.instruments.find(view.id);
        if let Some(found) = found {
            let known = *self.instruments.get_mut(found)?;
            let is_same = known.publisher == view.publisher;
            if !known.is_stale && view.ts_recv < known.until {
                self.counters.other_publishers += u64::from(!is_same);
                return is_same.then_some(found);
            }
            return self.name_again(found, view, stamp, emit);
        }
        self.name_anew(view, stamp, emit)
    }

    /// The symbol of an id that has a number is looked up again.
    #[cold]
    fn name_again(
        &mut self,
        found: u16,
        view: &View,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) -> Option<u16> {
        let (symbol, until) = self.symbols.get(view.id, view.ts_recv);
        let known = self.instruments.get_mut(found)?;
        let is_same = known.publisher == view.publisher;
        if !is_same && !known.is_stale {
            self.counters.other_publishers += 1;
            return None;
        }
        let symbol = match symbol {
            // Nothing says that it is another one since.
            None if !known.is_stale => known.symbol,
            symbol => symbol.unwrap_or_else(|| unnamed(view.id)),
        };
        if !is_same || known.symbol != symbol {
            // Else its number stands for nothing any more, or is said to when the symbol has another one.
            if known.symbol != symbol && !known.is_replaced {
                self.forget(found, stamp, emit);
            }
            return self.name_anew(view, stamp, emit);
        }
        (known.is_stale, known.until) = (false, until);
        if known.is_replaced {
            (known.belief, known.in_snapshot, known.is_replaced) =
                (Belief::NotStarted, false, false);
            self.announce(found, symbol, stamp, emit);
        }
        Some(found)
    }

    #[cold]
    fn name_anew(
        &mut self,
        view: &View,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) -> Option<u16> {
        let (symbol, until) = self.symbols.get(view.id, view.ts_recv);
        let symbol = symbol.unwrap_or_else(|| unnamed(view.id));
        let instrument = Instrument {
            id: view.id,
            publisher: view.publisher,
            symbol,
            belief: Belief::NotStarted,
            in_snapshot: false,
            is_stale: false,
            until,
            is_replaced: false,
        };
        let Some(named) = self.instruments.name(instrument) else {
            self.counters.unlisted += 1;
            return None;
        };
        self.announce(named, symbol, stamp, emit);
        Some(named)
    }

    /// Names an instrument to the engine. The symbol's book under another number is not that of this one.
    fn announce(
        &mut self,
        named: u16,
        symbol: Symbol,
        stamp: &Event,
        emit: &mut impl FnMut(Event),
    ) {
        let before = self.instruments.replace(named, symbol);
        if let Some(before) = before {
            self.forget(before, stamp, emit);
        }
        let Event { ts_venue, ts_recv, seq, flags, feed, .. } = *stamp;
        let directory = Event::directory(number(named), symbol, PX_DECIMALS, 0);
        emit(Event { ts_venue, ts_recv, seq, flags, feed, ..directory });
        // These schemas say nothing of trading states.
        let aux = TradingState::Trading.code().into();
        emit(Event { kind: Kind::State, aux, number: number(named), ..*stamp });
        self.say(named, stamp, emit);
        if before.is_some() {
            if let Some(told) = self.instruments.tops_mut(named) {
                *told = Tops::default();
            }
            emit(Event { number: number(named), ..clear(stamp) });
        }
    }

    fn on_mbo(&mut self, view: &View, emit: &mut impl FnMut(Event)) {
        let stamp = self.stamp(view);
        let Some((named, began)) = self.enter(view, &stamp, emit) else { return };
        let stamp = Event { number: number(named), ..stamp };
        let event = match self.change(view, &stamp) {
            Some(event) if event.kind == Kind::Clear && began => None, // The snapshot began with one.
            Some(event) => Some(event),
            None => Some(self.refuse(named, &stamp, emit)),
        };
        self.leave(named, view, event, &stamp, emit);
    }

    /// A record that makes no sense: the sequence moves on, and its book may be wrong.
    fn refuse(&mut self, named: u16, stamp: &Event, emit: &mut impl FnMut(Event)) -> Event {
        self.counters.bad += 1;
        self.doubt(named, Cause::BadEvent, stamp, emit);
        *stamp
    }

    /// What a market-by-order record says of the book; `None` if it makes no sense.
    fn change(&mut self, view: &View, stamp: &Event) -> Option<Event> {
        // A side's best price or a price's total: it takes the place of orders that it does not name.
        let is_level = view.flags.is_tob() || view.flags.is_mbp();
        if is_level && matches!(view.action, b'A' | b'C' | b'M') {
            return None;
        }
        let (order, qty) = (view.order, view.qty);
        let stamp = Event { flags: stamp.flags.with(view.complete()), ..*stamp };
        let bare = Event { aux: 0, ..stamp };
        Some(match (view.action, view.px) {
            (b'A', Some(px)) => {
                Event { kind: Kind::Add, order, px, qty, side: Some(view.side?), ..bare }
            }
            (b'M', Some(px)) if qty.0 > 0 => Event { kind: Kind::Modify, order, px, qty, ..bare },
            (b'M', Some(_)) => Event { kind: Kind::Delete, order, ..bare },
            (b'M', None) => return None,
            (b'C', _) => Event { kind: Kind::Reduce, order, qty, ..bare },
            (b'R', _) => Event { kind: Kind::Clear, ..bare },
            (b'T', Some(_)) => trade(view, &stamp),
            (b'A' | b'T', None) => {
                self.counters.undefined_px += 1;
                stamp
            }
            // A fill was told as a trade, and the book learns of it by the cancel or modify that follows.
            (b'F' | b'N', _) => stamp,
            _ => return None,
        })
    }

    fn on_trade(&mut self, view: &View, emit: &mut impl FnMut(Event)) {
        self.counters.trades += 1;
        let stamp = self.stamp(view);
        let Some((named, _)) = self.enter(view, &stamp, emit) else { return };
        let flags = self.complete(view);
        let stamp = Event { number: number(named), flags, ..stamp };
        self.counters.undefined_px += u64::from(view.px.is_none());
        emit(last(if view.px.is_some() { trade(view, &stamp) } else { stamp }));
    }

    fn on_mbp(&mut self, view: &View, pairs: &[BidAskPair], emit: &mut impl FnMut(Event)) {
        self.counters.mbp += 1;
        let stamp = self.stamp(view);
        let Some((named, _)) = self.enter(view, &stamp, emit) else { return };
        let stamp = Event { number: number(named), ..stamp };
        let next = Tops::of(pairs);
        let (Some(next), Some(told)) = (next, self.instruments.tops_mut(named)) else {
            // No book is whole by it, whatever it says of itself.
            let event = self.refuse(named, &stamp, emit);
            return emit(last(event));
        };
        let before = std::mem::replace(told, next);
        let mut waiting: Option<Event> = None;
        before.changes(&next, |side, px, qty| {
            let level = Event { kind: Kind::Level, side: Some(side), px, qty, aux: 0, ..stamp };
            if let Some(before) = waiting.replace(level) {
                emit(before);
            }
        });
        // The last level that differs is the event's last word of them if the record is.
        let stamp = Event { flags: self.complete(view), ..stamp };
        let mut event = waiting.map_or(stamp, |level| Event { flags: stamp.flags, ..level });
        // The levels of a trade are those before it had its effect.
        if view.action == b'T' {
            if event.kind == Kind::Level {
                emit(event);
            }
            self.counters.undefined_px += u64::from(view.px.is_none());
            event = if view.px.is_some() { trade(view, &stamp) } else { stamp };
        }
        self.leave(named, view, Some(event), &stamp, emit);
    }

    /// Whether a record of levels or trades completes the venue's event.
    fn complete(&self, view: &View) -> Flags {
        if self.is_apart { Flags::EVENT_COMPLETE } else { view.complete() }
    }
}

/// What an instrument is called that nothing names.
fn unnamed(id: u32) -> Symbol {
    Symbol::new(&format!("id:{id}")).unwrap_or_default()
}

/// The book, or every book of the feed, is of no use any more; apart from the sequence.
fn clear(stamp: &Event) -> Event {
    Event { kind: Kind::Clear, aux: 0, flags: Flags::SNAPSHOT, ..*stamp }
}

/// A trade, by the side that took: the resting order was of the other one.
fn trade(view: &View, stamp: &Event) -> Event {
    let side = view.side.map(|taker| match taker {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    });
    Event {
        kind: Kind::Trade,
        px: view.px.unwrap_or_default(),
        qty: view.qty,
        side,
        aux: 0,
        ..*stamp
    }
}

/// Whether records of a type can be told of.
pub(super) fn is_told(kind: u8) -> bool {
    [rtype::MBO, rtype::MBP_0, rtype::MBP_1, rtype::MBP_10].contains(&kind)
}

/// When a record of any schema was received; of one that is not told, or too short for its type, when its venue made it.
pub(super) fn received(record: RecordRef<'_>) -> Ts {
    let head = record.header();
    let view = match head.rtype {
        rtype::MBO => record.try_get::<MboMsg>().ok().map(AsView::view),
        rtype::MBP_0 => record.try_get::<TradeMsg>().ok().map(AsView::view),
        rtype::MBP_1 => record.try_get::<Mbp1Msg>().ok().map(AsView::view),
        rtype::MBP_10 => record.try_get::<Mbp10Msg>().ok().map(AsView::view),
        _ => None,
    };
    let made = if head.ts_event == dbn::UNDEF_TIMESTAMP { 0 } else { head.ts_event };
    view.map_or(Ts(made), |view| view.ts_recv)
}

fn body<T: HasRType<Header = RecordHeader>>(record: RecordRef<'_>) -> Result<&T, DbnCause> {
    record.try_get().map_err(|_| DbnCause::RecordLength {
        rtype: record.header().rtype,
        length: record.record_size().min(0xFFFF) as u16,
    })
}

fn last(event: Event) -> Event {
    Event { flags: event.flags.with(Flags::LAST_OF_PACKET), ..event }
}
