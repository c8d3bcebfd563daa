//! What becomes of a record.

use dbn::{
    BidAskPair, FlagSet, MboMsg, Mbp1Msg, Mbp10Msg, RecordHeader, RecordRef, TradeMsg, UNDEF_PRICE,
};
use model::{
    Cause, Event, FeedId, Flags, Integrity, Kind, OrderRef, Px, Qty, Side, TradingState, Ts,
};

use super::instruments::{Instruments, Known, nothing};
use super::reader::DbnCounters;

/// Places behind the point of every price.
const PX_DECIMALS: u8 = 9;

/// What is known beside a record.
pub(super) struct Teller<'a> {
    pub instruments: &'a mut Instruments,
    pub feed: FeedId,
    pub seq: u64,
}

/// Tells of one record.
#[inline]
pub(super) fn tell(
    record: &RecordRef<'_>,
    teller: Teller<'_>,
    counters: &mut DbnCounters,
    emit: &mut impl FnMut(Event),
) {
    if let Some(mbo) = record.get::<MboMsg>() {
        counters.last_sequence = mbo.sequence;
        on_order(mbo, teller, counters, emit);
    } else if let Some(mbp) = record.get::<Mbp10Msg>() {
        counters.last_sequence = mbp.sequence;
        on_levels(
            &Change::of(
                &mbp.hd,
                mbp.price,
                mbp.size,
                [mbp.action, mbp.side],
                mbp.flags,
                mbp.ts_recv,
            ),
            &mbp.levels,
            teller,
            counters,
            emit,
        );
    } else if let Some(mbp) = record.get::<Mbp1Msg>() {
        counters.last_sequence = mbp.sequence;
        on_levels(
            &Change::of(
                &mbp.hd,
                mbp.price,
                mbp.size,
                [mbp.action, mbp.side],
                mbp.flags,
                mbp.ts_recv,
            ),
            &mbp.levels,
            teller,
            counters,
            emit,
        );
    } else if let Some(trade) = record.get::<TradeMsg>() {
        counters.last_sequence = trade.sequence;
        on_levels(
            &Change::of(
                &trade.hd,
                trade.price,
                trade.size,
                [trade.action, trade.side],
                trade.flags,
                trade.ts_recv,
            ),
            &[],
            teller,
            counters,
            emit,
        );
    } else {
        counters.unknown += 1;
        let ts = Ts(record.header().ts_event);
        let rtype = record.header().rtype.into();
        let event = Event { ts_venue: ts, ts_recv: ts, aux: rtype, ..Event::empty(Kind::Notice) };
        emit(Event { seq: teller.seq, feed: teller.feed, ..event });
    }
}

/// What records of all schemas have.
struct Change {
    id: u32,
    ts_venue: Ts,
    ts_recv: Ts,
    px: i64,
    size: u32,
    action: u8,
    side: u8,
    flags: FlagSet,
}

impl Change {
    fn of(
        header: &RecordHeader,
        px: i64,
        size: u32,
        [action, side]: [std::ffi::c_char; 2],
        flags: FlagSet,
        ts_recv: u64,
    ) -> Change {
        Change {
            id: header.instrument_id,
            ts_venue: Ts(header.ts_event),
            ts_recv: Ts(ts_recv),
            px,
            size,
            action: action as u8,
            side: side as u8,
            flags,
        }
    }

    fn flags(&self) -> Flags {
        let last = Flags::LAST_OF_PACKET.with(Flags::EVENT_COMPLETE);
        let flags = if self.flags.is_last() { last } else { Flags::NONE };
        if self.flags.is_snapshot() { flags.with(Flags::SNAPSHOT) } else { flags }
    }

    /// The side of an order.
    fn side(&self) -> Option<Side> {
        match self.side {
            b'B' => Some(Side::Buy),
            b'A' => Some(Side::Sell),
            _ => None,
        }
    }

    /// A trade; the side of a record is the aggressor's. `None`: it names no price.
    fn trade(&self, stamp: &Event) -> Option<Event> {
        if self.px == UNDEF_PRICE || self.px <= 0 {
            return None;
        }
        let (px, qty) = (Px(self.px), Qty(self.size.into()));
        let side = self.side().map(Side::opposite);
        let flags = stamp.flags;
        Some(Event { kind: Kind::Trade, side, px, qty, flags, ..*stamp })
    }
}

/// The instrument of a record, named if it is new.
fn instrument<'a>(
    change: &Change,
    teller: &'a mut Teller<'_>,
    counters: &mut DbnCounters,
    emit: &mut impl FnMut(Event),
) -> Option<&'a mut Known> {
    let symbol = teller.instruments.symbol(change.id);
    let Some((known, is_new)) = teller.instruments.get(change.id) else {
        counters.unlisted += 1;
        return None;
    };
    if is_new {
        let stamp = Event {
            ts_venue: change.ts_venue,
            ts_recv: change.ts_recv,
            seq: teller.seq,
            feed: teller.feed,
            ..Event::empty(Kind::Notice)
        };
        let Event { ts_venue, ts_recv, seq, feed, .. } = stamp;
        let directory = Event::directory(known.number, symbol, PX_DECIMALS, 0);
        emit(Event { ts_venue, ts_recv, seq, feed, ..directory });
        // These schemas say nothing of trading states.
        let aux = TradingState::Trading.code().into();
        emit(Event { kind: Kind::State, aux, number: known.number, ..stamp });
    }
    Some(known)
}

/// Says that a book is unsure, or sure again, with the time and sequence of a record.
fn believe(stamp: &Event, integrity: Integrity, cause: Cause, emit: &mut impl FnMut(Event)) {
    let Event { ts_venue, ts_recv, seq, feed, .. } = *stamp;
    emit(Event {
        ts_venue,
        ts_recv,
        seq,
        feed,
        ..Event::integrity(stamp.number, integrity, cause)
    });
}

/// What is to be said before a record changes the book: a snapshot begins or is over, the venue doubts its book.
fn before(change: &Change, known: &mut Known, stamp: &Event, emit: &mut impl FnMut(Event)) {
    let snapshot = change.flags.is_snapshot();
    if snapshot && !known.in_snapshot {
        believe(stamp, Integrity::Recovering, Cause::Snapshot, emit);
        let flags = Flags::SNAPSHOT;
        emit(Event { kind: Kind::Clear, flags, ..*stamp });
    }
    if !snapshot && known.in_snapshot {
        believe(stamp, Integrity::Live, Cause::None, emit);
    }
    known.in_snapshot = snapshot;
    if change.flags.is_maybe_bad_book() {
        believe(stamp, Integrity::Incomplete, Cause::Gap, emit);
    }
}

fn on_order(
    mbo: &MboMsg,
    mut teller: Teller<'_>,
    counters: &mut DbnCounters,
    emit: &mut impl FnMut(Event),
) {
    let actions = [mbo.action, mbo.side];
    let change = Change::of(&mbo.hd, mbo.price, mbo.size, actions, mbo.flags, mbo.ts_recv);
    let (feed, seq) = (teller.feed, teller.seq);
    let Some(known) = instrument(&change, &mut teller, counters, emit) else { return };
    let number = known.number;
    let head = Event { seq, feed, number, ..Event::empty(Kind::Notice) };
    let stamp =
        Event { ts_venue: change.ts_venue, ts_recv: change.ts_recv, flags: change.flags(), ..head };
    before(&change, known, &stamp, emit);
    let has_px = change.px != UNDEF_PRICE && change.px > 0;
    let (order, px, qty) = (OrderRef(mbo.order_id), Px(change.px), Qty(change.size.into()));
    let event = match change.action {
        b'A' if has_px => Event { kind: Kind::Add, order, px, qty, side: change.side(), ..stamp },
        b'M' if has_px => Event { kind: Kind::Modify, order, px, qty, ..stamp },
        b'C' => Event { kind: Kind::Reduce, order, qty, ..stamp },
        b'R' => Event { kind: Kind::Clear, ..stamp },
        b'T' => match change.trade(&stamp) {
            Some(trade) => Event { aux: mbo.order_id, ..trade },
            None => stamp,
        },
        b'A' | b'M' => {
            counters.bad += 1;
            believe(&stamp, Integrity::Incomplete, Cause::BadEvent, emit);
            stamp
        }
        // A fill tells whose order a trade met; a cancel takes it off the book.
        _ => stamp,
    };
    emit(event);
}

fn on_levels(
    change: &Change,
    levels: &[BidAskPair],
    mut teller: Teller<'_>,
    counters: &mut DbnCounters,
    emit: &mut impl FnMut(Event),
) {
    let Teller { feed, seq, .. } = teller;
    let Some(known) = instrument(change, &mut teller, counters, emit) else { return };
    let number = known.number;
    let stamp = Event {
        ts_venue: change.ts_venue,
        ts_recv: change.ts_recv,
        seq,
        feed,
        number,
        flags: change.flags(),
        ..Event::empty(Kind::Notice)
    };
    before(change, known, &stamp, emit);
    let trade = if change.action == b'T' { change.trade(&stamp) } else { None };
    let mut waiting = trade;
    let mut say = |event: Event| {
        if let Some(before) = waiting.replace(event) {
            let snapshot = before.flags.has(Flags::SNAPSHOT);
            let flags = if snapshot { Flags::SNAPSHOT } else { Flags::NONE };
            emit(Event { flags, ..before });
        }
    };
    if !levels.is_empty() {
        say_levels(levels, known, &stamp, &mut say);
    }
    // Each record shows the whole top of the book: with its last level, that is what the book is.
    let complete = Flags::EVENT_COMPLETE.with(Flags::LAST_OF_PACKET);
    match waiting {
        Some(last) => emit(Event { flags: last.flags.with(complete), ..last }),
        None => emit(stamp),
    }
}

/// The levels that a record shows differently from the record before.
fn say_levels(
    levels: &[BidAskPair],
    known: &mut Known,
    stamp: &Event,
    say: &mut impl FnMut(Event),
) {
    let number = stamp.number;
    type Face = fn(&BidAskPair) -> (i64, u32);
    let faces: [(Side, Face); 2] = [
        (Side::Buy, |pair| (pair.bid_px, pair.bid_sz)),
        (Side::Sell, |pair| (pair.ask_px, pair.ask_sz)),
    ];
    let place = |level: Event| {
        let Event { ts_venue, ts_recv, seq, feed, flags, .. } = *stamp;
        Event { ts_venue, ts_recv, seq, feed, flags, ..level }
    };
    let is_level = |(px, size): &(i64, u32)| *px != UNDEF_PRICE && *px > 0 && *size > 0;
    for (side, face) in faces {
        let now = || levels.iter().map(face).filter(is_level);
        for (px, _) in known.shown.iter().map(face).filter(is_level) {
            if !now().any(|(shown, _)| shown == px) {
                say(place(Event::level(number, side, Px(px), Qty(0))));
            }
        }
        for (px, size) in now() {
            if !known.shown.iter().map(face).any(|shown| shown == (px, size)) {
                say(place(Event::level(number, side, Px(px), Qty(size.into()))));
            }
        }
    }
    let shown = levels.iter().cloned().chain(std::iter::repeat_with(nothing));
    known.shown.iter_mut().zip(shown).for_each(|(place, pair)| *place = pair);
}
