//! Messages about orders and the trades against them: where their fields lie.
//!
//! One table says it for all types, so that no branch depends on the type: such a branch is mispredicted
//! for nearly every other message, which took two thirds of the time.

use model::{Event, Flags, Kind, OrderRef, Px, Qty, Side, VenueNumber};

use super::DecodeError;

/// A message about an order or a trade, read where it lies: nothing is copied, and what nobody asks for
/// is not read.
#[derive(Clone, Copy, Debug)]
pub struct OrderMessage<'a> {
    /// All of it, as long as its type demands.
    bytes: &'a [u8],
    /// What every such message begins with.
    head: &'a [u8; HEAD],
    layout: &'static Layout,
    side: Option<Side>,
}

/// Where the fields of one type lie, counted from the type byte. A field that the type has not is read
/// at the message's beginning, and masked away.
#[derive(Debug)]
struct Layout {
    order: u64,
    aux: Field<u64>,
    qty: Field<u32>,
    px: Field<u32>,
    /// Bytes of the message; 0: a type of another kind.
    length: u8,
    side_at: u8,
    /// The least code of a side that the message may have. It is compared with what the message has,
    /// because a comparison with a constant would be compiled to a branch on the type.
    least_side: u8,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
struct Field<T> {
    mask: T,
    at: u8,
}

/// Bytes that every message about an order or a trade begins with: all but the trade go on with the
/// reference.
const HEAD: usize = 19;

/// That a field lies inside its message is proved when the table is compiled.
impl Layout {
    const OTHER: Layout = Layout {
        order: u64::MAX,
        aux: Field { mask: 0, at: 0 },
        qty: Field { mask: 0, at: 0 },
        px: Field { mask: 0, at: 0 },
        length: 0,
        side_at: 0,
        least_side: 0,
        kind: Kind::Notice,
    };

    const fn of(kind: Kind, length: u8) -> Layout {
        assert!(length as usize >= HEAD, "shorter than what all of them begin with");
        Layout { kind, length, ..Layout::OTHER }
    }

    const fn side(self, at: u8) -> Layout {
        assert!(at < self.length, "the field ends beyond the message");
        Layout { side_at: at, least_side: Side::Buy as u8, ..self }
    }

    const fn qty(self, at: u8) -> Layout {
        assert!(at + 4 <= self.length, "the field ends beyond the message");
        Layout { qty: Field { mask: u32::MAX, at }, ..self }
    }

    const fn px(self, at: u8) -> Layout {
        assert!(at + 4 <= self.length, "the field ends beyond the message");
        Layout { px: Field { mask: u32::MAX, at }, ..self }
    }

    /// New reference or match number.
    const fn aux(self, at: u8) -> Layout {
        assert!(at + 8 <= self.length, "the field ends beyond the message");
        Layout { aux: Field { mask: u64::MAX, at }, ..self }
    }

    const fn no_order(self) -> Layout {
        Layout { order: 0, ..self }
    }
}

const _: () = assert!((Side::Buy as u8) == 1 && (Side::Sell as u8) == 2);

/// Every type of this kind.
#[expect(clippy::indexing_slicing, reason = "happens when this is compiled")]
static LAYOUTS: [Layout; 256] = {
    let mut layouts = [const { Layout::OTHER }; 256];
    // Add Order, "No MPID Attribution" and "with MPID Attribution": the same fields, then the participant.
    layouts[b'A' as usize] = Layout::of(Kind::Add, 36).side(19).qty(20).px(32);
    layouts[b'F' as usize] = Layout::of(Kind::Add, 40).side(19).qty(20).px(32);
    // Order Executed: trades at the order's own price. No delete follows when nothing is left.
    layouts[b'E' as usize] = Layout::of(Kind::Execute, 31).qty(19).aux(23);
    // Order Executed With Price. Not printable: the bulk print of a cross carries the same shares, so they
    // must not enter volume twice.
    layouts[b'C' as usize] = Layout::of(Kind::ExecuteAt, 36).qty(19).aux(23).px(32);
    // Order Cancel: the shares to take away, not those that stay.
    layouts[b'X' as usize] = Layout::of(Kind::Reduce, 23).qty(19);
    layouts[b'D' as usize] = Layout::of(Kind::Delete, 19);
    // Order Replace: side, symbol and attribution are the original's, which the message does not repeat.
    layouts[b'U' as usize] = Layout::of(Kind::Replace, 35).aux(19).qty(27).px(31);
    // Trade, "Non-Cross": against an order that was never displayed. Its reference is zero and its side
    // always B, so neither tells anything.
    layouts[b'P' as usize] = Layout::of(Kind::Trade, 44).qty(20).px(32).aux(36).no_order();
    layouts
};

/// Bytes of a message of this type; 0: it is about no order.
pub(super) fn length_of(kind: u8) -> usize {
    LAYOUTS.get(usize::from(kind)).map_or(0, |layout| layout.length.into())
}

/// Where the printable flag of a `C` lies.
const PRINTABLE_AT: usize = 31;

/// The side of each code. A table, because a branch on a side is mispredicted every other time. The type
/// bytes above are no codes: a message that has no side reads its own.
#[expect(clippy::indexing_slicing, reason = "happens when this is compiled")]
static SIDES: [Option<Side>; 256] = {
    let mut sides = [None; 256];
    sides[b'B' as usize] = Some(Side::Buy);
    sides[b'S' as usize] = Some(Side::Sell);
    sides
};

impl<'a> OrderMessage<'a> {
    /// Reads a message; `None`: it is about something else.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is empty, has not the length of its type, or a side that is neither B nor S.
    #[inline(always)]
    pub fn parse(message: &'a [u8]) -> Result<Option<OrderMessage<'a>>, DecodeError> {
        let Some(&kind) = message.first() else { return Err(DecodeError::Empty) };
        let Some(layout) = LAYOUTS.get(usize::from(kind)) else { return Ok(None) };
        let head = message.first_chunk();
        let (Some(head), true) = (head, message.len() == usize::from(layout.length)) else {
            return if layout.length == 0 {
                Ok(None)
            } else {
                Err(super::wrong_length(message, layout.length.into()))
            };
        };
        let code = message.get(usize::from(layout.side_at)).copied().unwrap_or(0);
        let side = SIDES.get(usize::from(code)).copied().flatten();
        if side.map_or(0, Side::code) < layout.least_side {
            return Err(DecodeError::Field { kind, at: layout.side_at });
        }
        Ok(Some(OrderMessage { bytes: message, head, layout, side }))
    }

    /// What happened.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        self.layout.kind
    }

    /// The stock's number of the day.
    #[inline(always)]
    pub fn number(&self) -> VenueNumber {
        VenueNumber(super::u16_at::<1, _>(self.head).into())
    }

    /// Nanoseconds since midnight.
    #[inline(always)]
    pub fn time_ns(&self) -> u64 {
        super::time_of(self.head)
    }

    /// The order; zero in a trade.
    #[inline(always)]
    pub fn order(&self) -> OrderRef {
        OrderRef(super::u64_at::<11, _>(self.head) & self.layout.order)
    }

    /// Side of an order that is added.
    #[inline(always)]
    pub fn side(&self) -> Option<Side> {
        self.side
    }

    /// Shares; zero where the type has none.
    #[inline(always)]
    pub fn qty(&self) -> Qty {
        Qty((self.u32_at(self.layout.qty.at) & self.layout.qty.mask).into())
    }

    /// Price in ten-thousandths of a dollar; zero where the type has none.
    #[inline(always)]
    pub fn px(&self) -> Px {
        Px((self.u32_at(self.layout.px.at) & self.layout.px.mask).into())
    }

    /// The new reference of a replacement, the match number of a trade, else zero.
    #[inline(always)]
    pub fn aux(&self) -> u64 {
        let Field { mask, at } = self.layout.aux;
        let at = usize::from(at);
        let field = self.bytes.get(at..at + 8).and_then(<[u8]>::first_chunk);
        field.map_or(0, |field| u64::from_be_bytes(*field)) & mask
    }

    /// Marks of a trade that must not enter volume.
    #[inline(always)]
    pub fn flags(&self) -> Flags {
        let hidden = self.layout.kind as u8 == Kind::ExecuteAt as u8
            && self.bytes.get(PRINTABLE_AT) != Some(&b'Y');
        if hidden { Flags::NOT_PRINTABLE } else { Flags::NONE }
    }

    /// The event, without time, sequence and feed.
    #[inline(always)]
    pub(super) fn event(&self) -> Event {
        Event {
            order: self.order(),
            px: self.px(),
            qty: self.qty(),
            aux: self.aux(),
            number: self.number(),
            side: self.side,
            flags: self.flags(),
            ..Event::empty(self.kind())
        }
    }

    #[inline(always)]
    fn u32_at(&self, at: u8) -> u32 {
        let at = usize::from(at);
        let field = self.bytes.get(at..at + 4).and_then(<[u8]>::first_chunk);
        field.map_or(0, |field| u32::from_be_bytes(*field))
    }
}
