//! What would pass the gate, as the page of a line shows it.

use crate::num::{Px, Qty};
use crate::verdict::{Headroom, Reject};
use crate::words::{BadWord, WordReader, WordWriter};

/// The largest limit order of one side that would pass at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The price: the best of the other side, or without one the worst that the collar passes.
    pub px: Px,
    /// How much would pass, and what refuses one lot more.
    pub most: Headroom,
}

/// What the gate would have said of a line's orders after one input. It is worked out when the engine has nothing else to do:
/// one whose sequence is not the engine's is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// Number of the input after which it was true.
    pub engine_seq: u64,
    /// Of buys and of sells; what refuses them if there is no price to ask at.
    pub sides: [Result<Room, Reject>; 2],
}

impl Rooms {
    /// Writes them, or that they were never worked out.
    pub(super) fn write(rooms: Option<Rooms>, to: &mut WordWriter<'_>) {
        let nothing = Rooms { engine_seq: 0, sides: [Err(Reject::NoReference); 2] };
        let Rooms { engine_seq, sides } = rooms.unwrap_or(nothing);
        let [buys, sells] = sides.map(|side| match side {
            Ok(room) => [room.most.binds.code(), 1],
            Err(reason) => [reason.code(), 0],
        });
        let ([buy, buy_priced], [sell, sell_priced]) = (buys, sells);
        to.u64(engine_seq);
        to.bytes([rooms.is_some().into(), buy, buy_priced, sell, sell_priced, 0, 0, 0]);
        for side in sides {
            to.i64(side.map_or(0, |room| room.px.0));
            to.i64(side.map_or(0, |room| room.most.qty.0));
        }
    }

    /// Reads them back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] if a rule is none.
    pub(super) fn read(from: &mut WordReader<'_>) -> Result<Option<Rooms>, BadWord> {
        let engine_seq = from.u64();
        let [known, buy, buy_priced, sell, sell_priced, ..] = from.bytes();
        let mut side = |code, priced| {
            let code = from.legal(Reject::from_code(code))?;
            let (px, qty) = (Px(from.i64()), Qty(from.i64()));
            let room = Room { px, most: Headroom { qty, binds: code } };
            Ok(if priced == 1 { Ok(room) } else { Err(code) })
        };
        let sides = [side(buy, buy_priced)?, side(sell, sell_priced)?];
        Ok((known == 1).then_some(Rooms { engine_seq, sides }))
    }
}
