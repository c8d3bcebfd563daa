//! Segments of one IEX feed become events.

use model::{
    Cause, Event, FeedId, Flags, Integrity, Kind, OrderRef, Px, Qty, Side, Symbol, TradingState,
    Ts, VenueNumber,
};

use super::hold::Hold;
use super::message::{CROSS, Decoded, Message, MessageError, TYPES, decode};
use super::symbols::{Known, Symbols};
use super::transport::{Segment, SegmentError};

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
    /// Messages by type, in the order of [`TYPES`].
    pub types: [u64; TYPES.len()],
    /// Payloads that are no segment, or of another protocol.
    pub refused: u64,
    /// Why the first of them was.
    pub first_refused: Option<SegmentError>,
    /// Segments of another channel or protocol than the first one's: one feed is one stream.
    pub foreign: u64,
    /// Segments of the session before, or of its numbers before they began again, come late.
    pub late: u64,
    /// Segments with a send time that cannot be.
    pub untimely: u64,
    /// Segments far ahead of all others that were not borne out by another.
    pub disbelieved: u64,
    /// Segments that had to wait for what was missing before them.
    pub held: u64,
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
    /// Messages of symbols beyond the table, or that are none.
    pub unlisted: u64,
    /// Sessions begun.
    pub sessions: u64,
}

/// One IEX feed. IEX-TP has no snapshots: after a gap, or a start in mid-session, its books stay incomplete until the next
/// session.
pub struct IexFeed {
    pub(super) feed: FeedId,
    /// Protocol and channel of the segments taken.
    pub(super) stream: Option<(u16, u32)>,
    /// Whether send times are near our own clock: the first one tells.
    pub(super) is_timed: Option<bool>,
    pub(super) session: Option<u32>,
    pub(super) session_before: Option<u32>,
    /// When the segment was sent from which on the numbers count.
    pub(super) since_ns: u64,
    /// Late segments in a row.
    pub(super) late_run: u32,
    /// The session was begun by a heartbeat, and no message has come.
    pub(super) is_unproven: bool,
    /// Sequence of the next message.
    pub(super) next: u64,
    /// When the newest segment was sent.
    pub(super) sent_ns: u64,
    /// What came early; none: nothing waits.
    pub(super) hold: Option<Box<Hold>>,
    /// What a heartbeat says is next, beyond our own next, and since when we know.
    pub(super) told: Option<(u64, Ts)>,
    /// Where a segment said we are that was far ahead of all others.
    pub(super) far: Option<u64>,
    /// When a heartbeat was last passed on.
    pub(super) beaten: Ts,
    pub(super) symbols: Symbols,
    pub(super) counters: IexCounters,
}

impl IexFeed {
    /// A feed of one line: whatever is missing is lost. Takes all memory that it will ever use.
    pub fn new(feed: FeedId) -> IexFeed {
        IexFeed {
            feed,
            stream: None,
            is_timed: None,
            session: None,
            session_before: None,
            since_ns: 0,
            late_run: 0,
            is_unproven: false,
            next: 0,
            sent_ns: 0,
            hold: None,
            told: None,
            far: None,
            beaten: Ts(0),
            symbols: Symbols::new(),
            counters: IexCounters::default(),
        }
    }

    /// A feed of two lines that carry the same: what one of them loses may come by the other, for a moment.
    /// [`IexFeed::on_time`] must be called.
    pub fn of_two_lines(feed: FeedId) -> IexFeed {
        IexFeed { hold: Some(Box::new(Hold::new())), ..IexFeed::new(feed) }
    }

    /// What it has seen.
    pub fn counters(&self) -> &IexCounters {
        &self.counters
    }

    /// Says the messages of a segment, of which the first is no later than the next one due.
    pub(super) fn deliver(&mut self, segment: &Segment<'_>, now: Ts, emit: &mut impl FnMut(Event)) {
        if self.is_unproven && segment.count > 0 {
            self.is_unproven = false;
            self.say(Integrity::Live, Cause::None, segment.sent_ns, now, emit);
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
            self.on_message(bytes, stamp, segment, emit);
        }
    }

    /// Every book is empty.
    pub(super) fn clear(&mut self, sent_ns: u64, now: Ts, emit: &mut impl FnMut(Event)) {
        self.symbols.clear();
        emit(Event {
            feed: self.feed,
            ts_recv: now,
            ts_venue: Ts(sent_ns),
            seq: self.next.saturating_sub(1),
            flags: Flags::SNAPSHOT,
            ..Event::empty(Kind::Clear)
        });
    }

    /// What is to be believed of every book.
    pub(super) fn say(
        &self,
        integrity: Integrity,
        cause: Cause,
        sent_ns: u64,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        emit(Event {
            ts_venue: Ts(sent_ns),
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
        let kind = bytes.first().copied().unwrap_or(0);
        let counted = TYPES.iter().position(|known| *known == kind);
        if let Some(count) = counted.and_then(|at| self.counters.types.get_mut(at)) {
            *count += 1;
        }
        match decode(bytes) {
            Ok(decoded) => self.on_decoded(&decoded, stamp, emit),
            Err(MessageError::Unknown { kind }) => {
                self.counters.unknown += 1;
                emit(Event { aux: kind.into(), ..notice });
            }
            Err(error) => {
                self.counters.bad += 1;
                self.counters.first_bad.get_or_insert(error);
                let (sent_ns, now) = (segment.sent_ns, stamp.ts_recv);
                self.say(Integrity::Incomplete, Cause::BadEvent, sent_ns, now, emit);
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
        let Some((known, new_name)) = self.symbols.get(decoded.symbol) else {
            self.counters.unlisted += 1;
            return emit(stamp);
        };
        let number = VenueNumber(known.number.into());
        let round_lot = match decoded.message {
            Message::Directory { round_lot } => Some(round_lot),
            _ => None,
        };
        let name = new_name.or_else(|| round_lot.and(Symbol::from_padded(decoded.symbol)));
        if let Some(name) = name {
            emit(Event {
                qty: Qty(round_lot.unwrap_or(0).into()),
                flags: Flags::NONE,
                ..place(Event::directory(number, name, PX_DECIMALS, 0), &stamp)
            });
        }
        say_message(decoded, known, &Event { number, ..stamp }, emit);
    }
}

/// What a message about a security becomes. `stamp` has everything but that.
fn say_message(decoded: &Decoded, known: &mut Known, stamp: &Event, emit: &mut impl FnMut(Event)) {
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
        Message::Trade { conditions, size, px, id } => {
            let (px, qty, aux) = (Px(px), Qty(size.into()), id);
            let kind = if conditions & CROSS != 0 { Kind::Cross } else { Kind::Trade };
            emit(Event { kind, px, qty, aux, ..*stamp });
        }
        Message::Break { id } => emit(Event { kind: Kind::Broken, aux: id, ..*stamp }),
        _ => emit(*stamp),
    }
}

/// A quote replaces both best levels. What is gone is told before what is new, so that the book never crosses between two
/// quotes that do not; the last level that changes completes the event.
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
    let shown = quotes.map(|(px, size)| if px > 0 && size > 0 { (px, size) } else { (0, 0) });
    let before = std::mem::replace(&mut known.quote, shown);
    let sides = || [Side::Buy, Side::Sell].into_iter().zip(before.into_iter().zip(shown));
    for (side, ((px, _), _)) in sides().filter(|(_, (old, new))| old.0 != new.0 && old.0 != 0) {
        say(side, px, 0);
    }
    for (side, (_, (px, size))) in sides().filter(|(_, (old, new))| old != new && new.0 != 0) {
        say(side, px, size);
    }
    match waiting {
        Some(last) => emit(Event { flags: stamp.flags.with(Flags::EVENT_COMPLETE), ..last }),
        None => emit(*stamp), // The same quote as before.
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
