//! Segments of one IEX feed become events.

use model::{
    Cause, Event, FeedId, Flags, Integrity, Kind, OrderRef, Px, Qty, Side, Symbol, TradingState,
    Ts, VenueNumber,
};

use super::message::{Decoded, Message, MessageError, decode};
use super::symbols::{Known, Symbols};
use super::transport::{DEEP, Segment, SegmentError, TOPS};

/// Places behind the point of every price.
const PX_DECIMALS: u8 = 4;
/// Bit 0 of a level's flags: the venue's event is complete.
const COMPLETE: u8 = 1;

/// What a feed has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IexCounters {
    /// Segments.
    pub segments: u64,
    /// Messages taken, unknown and bad ones included.
    pub messages: u64,
    /// Segments without messages.
    pub heartbeats: u64,
    /// Payloads that are no segment, or of another protocol.
    pub refused: u64,
    /// Why the first of them was.
    pub first_refused: Option<SegmentError>,
    /// Messages that came again.
    pub duplicates: u64,
    /// Jumps of the sequence.
    pub gaps: u64,
    /// Messages missing in them.
    pub lost: u64,
    /// Messages of unknown types.
    pub unknown: u64,
    /// Messages that could not be decoded.
    pub bad: u64,
    /// Why the first of them could not.
    pub first_bad: Option<MessageError>,
    /// Messages of symbols beyond the table.
    pub unlisted: u64,
    /// Sessions begun.
    pub sessions: u64,
}

/// One IEX feed. IEX-TP has no snapshots: after a gap, or a start in mid-session, its books stay incomplete until the next
/// session.
pub struct IexFeed {
    feed: FeedId,
    /// Channel and session of the segments taken.
    stream: Option<(u32, u32)>,
    /// Sequence of the next message.
    next: u64,
    /// When the newest segment was sent.
    sent_ns: u64,
    symbols: Symbols,
    counters: IexCounters,
}

impl IexFeed {
    /// Takes all memory that it will ever use.
    pub fn new(feed: FeedId) -> IexFeed {
        let (symbols, counters) = (Symbols::new(), IexCounters::default());
        IexFeed { feed, stream: None, next: 0, sent_ns: 0, symbols, counters }
    }

    /// What it has seen.
    pub fn counters(&self) -> &IexCounters {
        &self.counters
    }

    /// Takes the payload of a datagram, received at `now`.
    pub fn on_segment(&mut self, payload: &[u8], now: Ts, mut emit: impl FnMut(Event)) {
        let segment = match Segment::new(payload) {
            Ok(segment) if [DEEP, TOPS].contains(&segment.protocol) => segment,
            refused => {
                self.counters.refused += 1;
                if let Err(error) = refused {
                    self.counters.first_refused.get_or_insert(error);
                }
                return;
            }
        };
        self.counters.segments += 1;
        self.counters.heartbeats += u64::from(segment.count == 0);
        // A heartbeat says what comes next. One sent later that says less: the numbers began again.
        let again =
            segment.count == 0 && segment.first < self.next && segment.sent_ns > self.sent_ns;
        if again || self.stream != Some((segment.channel, segment.session)) {
            self.begin(&segment, now, &mut emit);
        }
        self.sent_ns = self.sent_ns.max(segment.sent_ns);
        if segment.first > self.next {
            self.counters.gaps += 1;
            self.counters.lost += segment.first - self.next;
            self.next = segment.first;
            self.say(Integrity::Incomplete, Cause::Gap, &segment, now, &mut emit);
        }
        let known = self.next.saturating_sub(segment.first);
        self.counters.duplicates += known.min(segment.count.into());
        let last = segment.first.saturating_add(segment.count.into()).saturating_sub(1);
        let sequence = segment.first..=last;
        for (seq, bytes) in sequence.zip(segment.messages()).skip(known as usize) {
            self.counters.messages += 1;
            self.next = seq + 1;
            let flags = if seq == last { Flags::LAST_OF_PACKET } else { Flags::NONE };
            let stamp = Event { ts_recv: now, seq, flags, feed: self.feed, ..blank() };
            self.on_message(bytes, stamp, &segment, &mut emit);
        }
    }

    /// A session begins, as far as we see it: from its first message on, or somewhere within.
    fn begin(&mut self, segment: &Segment<'_>, now: Ts, emit: &mut impl FnMut(Event)) {
        self.stream = Some((segment.channel, segment.session));
        self.counters.sessions += 1;
        self.symbols.clear();
        self.next = segment.first;
        let clear = Event { flags: Flags::SNAPSHOT, ..Event::empty(Kind::Clear) };
        let (integrity, cause) = match segment.first {
            0 | 1 => (Integrity::Live, Cause::None),
            _ => (Integrity::Incomplete, Cause::NotStarted),
        };
        emit(Event { feed: self.feed, ts_recv: now, ts_venue: Ts(segment.sent_ns), ..clear });
        self.say(integrity, cause, segment, now, emit);
    }

    fn say(
        &self,
        integrity: Integrity,
        cause: Cause,
        segment: &Segment<'_>,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        emit(Event {
            ts_venue: Ts(segment.sent_ns),
            ts_recv: now,
            seq: self.next.saturating_sub(1),
            feed: self.feed,
            ..Event::integrity(VenueNumber(0), integrity, cause)
        });
    }

    fn on_message(
        &mut self,
        bytes: &[u8],
        stamp: Event,
        segment: &Segment<'_>,
        emit: &mut impl FnMut(Event),
    ) {
        let notice = Event { ts_venue: Ts(segment.sent_ns), ..stamp };
        match decode(bytes) {
            Ok(decoded) => self.on_decoded(&decoded, stamp, emit),
            Err(MessageError::Unknown { kind }) => {
                self.counters.unknown += 1;
                emit(Event { aux: kind.into(), ..notice });
            }
            Err(error) => {
                self.counters.bad += 1;
                self.counters.first_bad.get_or_insert(error);
                self.say(Integrity::Incomplete, Cause::BadEvent, segment, stamp.ts_recv, emit);
                emit(notice);
            }
        }
    }

    fn on_decoded(&mut self, decoded: &Decoded, stamp: Event, emit: &mut impl FnMut(Event)) {
        let stamp = Event { ts_venue: Ts(decoded.ts_ns), aux: decoded.kind.into(), ..stamp };
        if let Message::System { event } = decoded.message {
            if event == b'O' {
                self.symbols.clear(); // The engine forgets every number with the day before.
            }
            return emit(Event { kind: Kind::Session, aux: event.into(), ..stamp });
        }
        let Some((known, is_new)) = self.symbols.get(decoded.symbol) else {
            self.counters.unlisted += 1;
            return emit(stamp);
        };
        let number = VenueNumber(known.number.into());
        if is_new || matches!(decoded.message, Message::Directory { .. }) {
            let Some(symbol) = Symbol::from_padded(decoded.symbol) else {
                self.counters.unlisted += 1;
                return emit(stamp);
            };
            let round_lot = match decoded.message {
                Message::Directory { round_lot } => round_lot,
                _ => 0,
            };
            emit(Event {
                qty: Qty(round_lot.into()),
                flags: Flags::NONE,
                ..place(Event::directory(number, symbol, PX_DECIMALS, 0), &stamp)
            });
        }
        say_message(decoded, known, &Event { number, ..stamp }, emit);
    }
}

/// What a message about a security becomes. `stamp` has everything but that.
fn say_message(decoded: &Decoded, known: &mut Known, stamp: &Event, emit: &mut impl FnMut(Event)) {
    let trade = |px, qty: u32, id| (Px(px), Qty(qty.into()), id);
    match decoded.message {
        Message::Status { status } => {
            let state = match status {
                b'T' => TradingState::Trading,
                b'H' => TradingState::Halted,
                b'P' => TradingState::Paused,
                b'O' => TradingState::QuoteOnly,
                _ => TradingState::Unknown,
            };
            emit(Event { kind: Kind::State, aux: state.code().into(), ..*stamp });
        }
        Message::Halt { status } => {
            emit(Event { kind: Kind::VenueHalt, aux: u64::from(status != b'N'), ..*stamp });
        }
        Message::ShortSale { status } => {
            emit(Event { kind: Kind::ShortSale, aux: u64::from(status != 0), ..*stamp });
        }
        Message::Level { is_buy, flags, size, px } => {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let complete = if flags & COMPLETE != 0 { Flags::EVENT_COMPLETE } else { Flags::NONE };
            let level = Event::level(stamp.number, side, Px(px), Qty(size.into()));
            emit(Event { flags: stamp.flags.with(complete), ..place(level, stamp) });
        }
        Message::Quote { bid, ask } => say_quote([bid, ask], known, stamp, emit),
        Message::Trade { size, px, id } => {
            let (px, qty, aux) = trade(px, size, id);
            emit(Event { kind: Kind::Trade, px, qty, aux, ..*stamp });
        }
        Message::Break { id } => emit(Event { kind: Kind::Broken, aux: id, ..*stamp }),
        _ => emit(*stamp),
    }
}

/// A quote replaces both best levels; the last of the levels that change completes the event.
fn say_quote(
    quotes: [(i64, u32); 2],
    known: &mut Known,
    stamp: &Event,
    emit: &mut impl FnMut(Event),
) {
    let mut waiting: Option<Event> = None;
    let mut say = |side, px, qty: u32| {
        let level = place(Event::level(stamp.number, side, Px(px), Qty(qty.into())), stamp);
        if let Some(before) = waiting.replace(level) {
            emit(Event { flags: Flags::NONE, ..before });
        }
    };
    for ((side, (px, size)), shown) in
        [Side::Buy, Side::Sell].into_iter().zip(quotes).zip(&mut known.quote)
    {
        let now = if px > 0 && size > 0 { px } else { 0 };
        if *shown != 0 && *shown != now {
            say(side, *shown, 0);
        }
        if now != 0 {
            say(side, now, size);
        }
        *shown = now;
    }
    match waiting {
        Some(last) => emit(Event { flags: stamp.flags.with(Flags::EVENT_COMPLETE), ..last }),
        None => emit(*stamp), // No quote, as before.
    }
}

/// Gives an event time, sequence, feed and flags of its message.
fn place(event: Event, stamp: &Event) -> Event {
    let Event { ts_venue, ts_recv, seq, feed, flags, .. } = *stamp;
    Event { ts_venue, ts_recv, seq, feed, flags, ..event }
}

fn blank() -> Event {
    Event { order: OrderRef(0), ..Event::empty(Kind::Notice) }
}
