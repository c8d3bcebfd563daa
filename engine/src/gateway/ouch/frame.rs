//! What goes out, as packets: the requests of OUCH 5.0 that this gateway makes, in the unsequenced packets of SoupBinTCP.

use super::extras::{EXTRAS, Extras};
use super::id::Name;

/// Bytes of the longest packet that goes out: header, Enter Order, all options.
const FRAME: usize = 3 + 45 + EXTRAS;

/// A packet to send: a SoupBinTCP header, and what it carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    room: [u8; FRAME],
    length: u8,
}

impl Frame {
    /// A packet without a sequence that begins with this type.
    fn of(kind: u8) -> Frame {
        let mut frame = Frame { room: [0; FRAME], length: 2 };
        frame.put(b"U");
        frame.put(&[kind]);
        frame
    }

    /// These bytes as they are; `None`: they are too many.
    pub(super) fn plain(bytes: &[u8]) -> Option<Frame> {
        let mut frame = Frame { room: [0; FRAME], length: bytes.len().try_into().ok()? };
        frame.room.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(frame)
    }

    fn put(&mut self, field: &[u8]) {
        let at = usize::from(self.length);
        if let Some(room) = self.room.get_mut(at..at + field.len()) {
            room.copy_from_slice(field); // Every message fits: `FRAME` is the longest.
            self.length += field.len() as u8;
        }
        let length = u16::from(self.length) - 2;
        if let Some(first) = self.room.first_chunk_mut() {
            *first = length.to_be_bytes();
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.room.get(..self.length.into()).unwrap_or_default()
    }
}

impl core::fmt::Debug for Frame {
    /// The types alone: a login holds a password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [kind, message] = [2, 3].map(|at| self.bytes().get(at).copied().unwrap_or(b' '));
        write!(f, "Frame('{}', '{}')", char::from(kind), char::from(message))
    }
}

/// A new order on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enter {
    /// Its UserRefNum.
    pub refnum: u32,
    /// `B`, `S`, or `T` for a short sale.
    pub side: u8,
    /// Shares, 1 to [`super::wire::QTY_MAX`].
    pub qty: u32,
    /// Symbol.
    pub symbol: [u8; 8],
    /// Limit, four decimals, at most [`super::wire::PX_MAX`].
    pub px: u64,
    /// `0` day, `3` immediate or cancel.
    pub tif: u8,
    /// `A` agency, `P` principal, `R` riskless.
    pub capacity: u8,
    /// `N` continuous market, `O` opening cross, `C` closing cross.
    pub cross: u8,
    /// Our name of it.
    pub name: Name,
    /// What else is asked of it.
    pub extras: Extras,
}

impl Enter {
    /// The packet.
    pub fn frame(&self) -> Frame {
        let Enter { refnum, side, qty, symbol, px, tif, capacity, cross, name, extras } = self;
        let mut frame = Frame::of(b'O');
        frame.put(&refnum.to_be_bytes());
        frame.put(&[*side]);
        frame.put(&qty.to_be_bytes());
        frame.put(symbol);
        frame.put(&px.to_be_bytes());
        frame.put(&[*tif, b'Y', *capacity, b'N', *cross]); // Displayed, no sweep.
        frame.put(&name.0);
        extras.write(|field| frame.put(field));
        frame
    }
}

/// New terms on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The UserRefNum that the venue works.
    pub old: u32,
    /// The one from here on.
    pub refnum: u32,
    /// Shares, those that are executed included.
    pub qty: u32,
    /// Limit, four decimals.
    pub px: u64,
    /// As in [`Enter`].
    pub tif: u8,
    /// Our name of it.
    pub name: Name,
    /// What else is asked of it, in full: what is not said may be what it was, or nothing. The firm stays.
    pub extras: Extras,
}

impl Change {
    /// The packet.
    pub fn frame(&self) -> Frame {
        let Change { old, refnum, qty, px, tif, name, extras } = self;
        let mut frame = Frame::of(b'U');
        frame.put(&old.to_be_bytes());
        frame.put(&refnum.to_be_bytes());
        frame.put(&qty.to_be_bytes());
        frame.put(&px.to_be_bytes());
        frame.put(&[*tif, b'Y', b'N']);
        frame.put(&name.0);
        extras.write(|field| frame.put(field));
        frame
    }
}

/// The packet that cancels an order whole.
pub fn cancel(refnum: u32) -> Frame {
    let mut frame = Frame::of(b'X');
    frame.put(&refnum.to_be_bytes());
    frame.put(&0_u32.to_be_bytes()); // Shares that are wanted still.
    frame.put(&[0, 0]);
    frame
}

/// The packet that asks for the account.
pub fn query() -> Frame {
    let mut frame = Frame::of(b'Q');
    frame.put(&[0, 0]);
    frame
}
