//! One slot of the order table; a closed order stays until its slot is used again.

use super::AsOf;
use crate::num::{Money, Px, Qty, Ts};
use crate::order::{Conditions, Order, OrderState, OrderType, Origin, Side, Tif};
use crate::verdict::Reject;
use crate::words::{BadWord, WordReader, WordWriter};
use crate::{AccountId, ClientOrderId, InstrumentId, Note, OrderId};

/// The page of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderCell {
    /// When.
    pub as_of: AsOf,
    /// The order, with its present terms.
    pub order: Order,
    /// Where it stands.
    pub state: OrderState,
    /// Why it was refused or a change of it was, if so.
    pub reject: Option<Reject>,
    /// Quantity filled so far.
    pub filled: Qty,
    /// Σ price · quantity of its fills.
    pub notional_filled: Money,
    /// Of a parent: what its children filled and may still fill, in quantity units.
    pub children: Qty,
    /// Quantity in front of it in its level's queue; `None`: it does not rest, or the venue does not tell.
    pub ahead: Option<Qty>,
    /// Engine time when it passed the gate.
    pub ts_created: Ts,
    /// Engine time of its last change.
    pub ts_updated: Ts,
}

impl OrderCell {
    /// Words of a page.
    pub const WORDS: usize = 28;

    /// The page as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        let order = &self.order;
        self.as_of.write(&mut to);
        to.u64(order.id.0);
        order.client_id.to_words().into_iter().for_each(|word| to.u64(word));
        to.pair(order.account.0.into(), order.instrument.0);
        let (side, order_type, tif) =
            (order.side.code(), order.order_type.code(), order.tif.code());
        let [origin_kind, origin_number] = order.origin.to_bytes();
        let reject = self.reject.map_or(0, Reject::code);
        let resting = self.ahead.is_some().into();
        to.bytes([
            side,
            order_type,
            tif,
            self.state.code(),
            reject,
            origin_kind,
            origin_number,
            resting,
        ]);
        to.i64(order.px.0);
        to.i64(order.qty.0);
        to.i64(self.filled.0);
        to.i128(self.notional_filled.0);
        to.i64(self.ahead.unwrap_or_default().0);
        to.u64(self.ts_created.0);
        to.u64(self.ts_updated.0);
        order.conditions.write(&mut to);
        to.i64(self.children.0);
        order.note.to_words().into_iter().for_each(|word| to.u64(word));
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value; a slot never used is one.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<OrderCell, BadWord> {
        let mut from = WordReader::new(words);
        let as_of = AsOf::read(&mut from);
        let id = OrderId(from.u64());
        let client_id = ClientOrderId::from_words([from.u64(), from.u64()]);
        let client_id = from.legal(client_id)?;
        let (account, instrument) = from.pair();
        let account = from.legal(u16::try_from(account).ok().map(AccountId))?;
        let [side, order_type, tif, state, reject, origin_kind, origin_number, resting] =
            from.bytes();
        let side = from.legal(Side::from_code(side))?;
        let order_type = from.legal(OrderType::from_code(order_type))?;
        let tif = from.legal(Tif::from_code(tif))?;
        let state = from.legal(OrderState::from_code(state))?;
        let reject = match reject {
            0 => None,
            code => Some(from.legal(Reject::from_code(code))?),
        };
        let origin = from.legal(Origin::from_bytes([origin_kind, origin_number]))?;
        let (px, qty, filled) = (Px(from.i64()), Qty(from.i64()), Qty(from.i64()));
        let notional_filled = Money(from.i128());
        let ahead = Qty(from.i64());
        let (ts_created, ts_updated) = (Ts(from.u64()), Ts(from.u64()));
        let conditions = Conditions::read(&mut from)?;
        let children = Qty(from.i64());
        let note = Note::from_words([from.u64(), from.u64(), from.u64(), from.u64()]);
        let note = from.legal(note)?;
        let instrument = InstrumentId(instrument);
        Ok(OrderCell {
            as_of,
            order: Order {
                id,
                client_id,
                account,
                instrument,
                side,
                order_type,
                tif,
                px,
                qty,
                conditions,
                origin,
                note,
            },
            state,
            reject,
            filled,
            notional_filled,
            children,
            ahead: (resting == 1).then_some(ahead),
            ts_created,
            ts_updated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeskId;
    use crate::order::Link;

    /// Goal: the page survives its words; an unused slot is refused. Method: odd values in every field.
    #[test]
    fn words_read_back() {
        let cell = OrderCell {
            as_of: AsOf { engine_seq: 1, ts_venue: Ts(2), ts_recv: Ts(3) },
            order: Order {
                id: OrderId::new(4, 5),
                client_id: ClientOrderId::new("c").unwrap(),
                account: AccountId(6),
                instrument: InstrumentId(7),
                side: Side::Sell,
                order_type: OrderType::Limit,
                tif: Tif::Day,
                px: Px(-8),
                qty: Qty(9),
                conditions: Conditions {
                    stop_px: Px(-1),
                    display: Qty(2),
                    expires: Ts(3),
                    link: Some(Link::Parent(OrderId(4))),
                    post_only: true,
                    reduce_only: false,
                    parent_only: true,
                },
                origin: Origin::Desk(DeskId(10)),
                note: Note::lossy("why"),
            },
            state: OrderState::Cancelled,
            reject: Some(Reject::Collar),
            filled: Qty(11),
            notional_filled: Money(-12),
            children: Qty(-15),
            ahead: Some(Qty(0)),
            ts_created: Ts(13),
            ts_updated: Ts(14),
        };
        assert_eq!(OrderCell::from_words(&cell.to_words()), Ok(cell));
        assert!(OrderCell::from_words(&[0; OrderCell::WORDS]).is_err());
    }
}
