//! What the records of all schemas have in common.

use dbn::{
    FlagSet, MboMsg, Mbp1Msg, Mbp10Msg, RecordHeader, TradeMsg, UNDEF_PRICE, UNDEF_TIMESTAMP,
};
use model::{Event, FeedId, Flags, Kind, OrderRef, Px, Qty, Side, Ts};

/// The fields that the records of all schemas have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub id: u32,
    pub publisher: u16,
    pub ts_venue: Ts,
    pub ts_recv: Ts,
    /// `None` if it is undefined.
    pub px: Option<Px>,
    pub qty: Qty,
    pub action: u8,
    pub side: Option<Side>,
    pub flags: FlagSet,
    pub sequence: u32,
    /// Zero if the schema does not tell orders.
    pub order: OrderRef,
}

/// A record that can be seen so.
pub(super) trait AsView {
    fn view(&self) -> View;
}

macro_rules! as_view {
    ($type:ty, $record:ident => $order:expr) => {
        impl AsView for $type {
            fn view(&self) -> View {
                let $record = self;
                let (ts_venue, ts_recv) = times(&self.hd, self.ts_recv);
                View {
                    id: self.hd.instrument_id,
                    publisher: self.hd.publisher_id,
                    ts_venue,
                    ts_recv,
                    px: (self.price != UNDEF_PRICE).then_some(Px(self.price)),
                    qty: Qty(self.size.into()),
                    action: self.action.cast_unsigned(),
                    side: side(self.side.cast_unsigned()),
                    flags: self.flags,
                    sequence: self.sequence,
                    order: OrderRef($order),
                }
            }
        }
    };
}
as_view!(MboMsg, record => record.order_id);
as_view!(TradeMsg, _record => 0);
as_view!(Mbp1Msg, _record => 0);
as_view!(Mbp10Msg, _record => 0);

impl View {
    /// An event of the record without its content.
    pub fn stamp(&self, seq: u64, feed: FeedId) -> Event {
        Event {
            ts_venue: self.ts_venue,
            ts_recv: self.ts_recv,
            seq,
            aux: self.action.into(),
            feed,
            ..Event::empty(Kind::Notice)
        }
    }

    /// Whether it says that the venue's event is complete.
    pub fn complete(&self) -> Flags {
        if self.flags.is_last() { Flags::EVENT_COMPLETE } else { Flags::NONE }
    }
}

/// Venue and receive time; where one is undefined, the other stands for it.
fn times(head: &RecordHeader, ts_recv: u64) -> (Ts, Ts) {
    match (head.ts_event, ts_recv) {
        (UNDEF_TIMESTAMP, UNDEF_TIMESTAMP) => (Ts(0), Ts(0)),
        (UNDEF_TIMESTAMP, recv) => (Ts(recv), Ts(recv)),
        (venue, UNDEF_TIMESTAMP) => (Ts(venue), Ts(venue)),
        (venue, recv) => (Ts(venue), Ts(recv)),
    }
}

fn side(code: u8) -> Option<Side> {
    match code {
        b'B' => Some(Side::Buy),
        b'A' => Some(Side::Sell),
        _ => None,
    }
}
