//! Messages about orders and the trades against them.

use model::{Event, Flags, Kind, OrderRef, Px, Qty, Side};

use super::{DecodeError, event, u8_at, u32_at, u64_at};

/// The side of each code. A table, because a branch on a side is mispredicted every other time.
#[expect(clippy::indexing_slicing, reason = "happens when this is compiled")]
static SIDES: [Option<Side>; 256] = {
    let mut sides = [None; 256];
    sides[b'B' as usize] = Some(Side::Buy);
    sides[b'S' as usize] = Some(Side::Sell);
    sides
};

/// Add Order, "No MPID Attribution" (`A`, 36 bytes) and "with MPID Attribution" (`F`, 40 bytes: the same
/// fields, then the participant).
///
/// # Errors
///
/// [`DecodeError::Field`] if the side is neither B nor S.
pub(super) fn add<const N: usize>(message: &[u8; N]) -> Result<Event, DecodeError> {
    let side = SIDES.get(usize::from(u8_at::<19, N>(message))).copied().flatten();
    if side.is_none() {
        return Err(DecodeError::Field { kind: u8_at::<0, N>(message), at: 19 });
    }
    Ok(Event {
        order: OrderRef(u64_at::<11, N>(message)),
        side,
        qty: Qty(u32_at::<20, N>(message).into()),
        px: Px(u32_at::<32, N>(message).into()),
        ..event(Kind::Add, message)
    })
}

/// Order Executed (`E`, 31 bytes): trades at the order's own price. No delete follows when nothing is left.
pub(super) fn execute(message: &[u8; 31]) -> Event {
    Event {
        order: OrderRef(u64_at::<11, _>(message)),
        qty: Qty(u32_at::<19, _>(message).into()),
        aux: u64_at::<23, _>(message),
        ..event(Kind::Execute, message)
    }
}

/// Order Executed With Price (`C`, 36 bytes). Not printable: the bulk print of a cross carries the same
/// shares, so they must not enter volume twice.
pub(super) fn execute_at(message: &[u8; 36]) -> Event {
    let printable = u8_at::<31, _>(message) == b'Y';
    Event {
        order: OrderRef(u64_at::<11, _>(message)),
        qty: Qty(u32_at::<19, _>(message).into()),
        aux: u64_at::<23, _>(message),
        px: Px(u32_at::<32, _>(message).into()),
        flags: if printable { Flags::NONE } else { Flags::NOT_PRINTABLE },
        ..event(Kind::ExecuteAt, message)
    }
}

/// Order Cancel (`X`, 23 bytes): the shares to take away, not those that stay.
pub(super) fn cancel(message: &[u8; 23]) -> Event {
    Event {
        order: OrderRef(u64_at::<11, _>(message)),
        qty: Qty(u32_at::<19, _>(message).into()),
        ..event(Kind::Reduce, message)
    }
}

/// Order Delete (`D`, 19 bytes).
pub(super) fn delete(message: &[u8; 19]) -> Event {
    Event { order: OrderRef(u64_at::<11, _>(message)), ..event(Kind::Delete, message) }
}

/// Order Replace (`U`, 35 bytes): side, symbol and attribution are the original's, which the message does
/// not repeat.
pub(super) fn replace(message: &[u8; 35]) -> Event {
    Event {
        order: OrderRef(u64_at::<11, _>(message)),
        aux: u64_at::<19, _>(message),
        qty: Qty(u32_at::<27, _>(message).into()),
        px: Px(u32_at::<31, _>(message).into()),
        ..event(Kind::Replace, message)
    }
}

/// Trade, "Non-Cross" (`P`, 44 bytes): against an order that was never displayed. Its reference is zero and
/// its side always B, so neither tells anything.
pub(super) fn trade(message: &[u8; 44]) -> Event {
    Event {
        qty: Qty(u32_at::<20, _>(message).into()),
        px: Px(u32_at::<32, _>(message).into()),
        aux: u64_at::<36, _>(message),
        ..event(Kind::Trade, message)
    }
}
