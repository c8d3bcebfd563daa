//! What comes in, as it came: for captures.

use model::Ts;

/// Something that happened on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A connection stands.
    Open,
    /// It is down.
    Close,
    /// A text of the venue.
    Text(&'a [u8]),
    /// A snapshot was asked for, and this is its body.
    Body {
        /// Number of the request.
        request: u32,
        /// The venue's name of the symbol.
        symbol: &'a str,
        /// The body.
        body: &'a [u8],
    },
}

/// Sees everything raw before the machine does.
pub trait Tap {
    /// Takes what happened at `ts`.
    fn take(&mut self, ts: Ts, raw: Raw<'_>);
    /// Lets time pass, many times a second: what is held back for more to come can be let go.
    fn tick(&mut self, now: Ts) {
        let _ = now;
    }
}

impl Tap for () {
    fn take(&mut self, _: Ts, _: Raw<'_>) {}
}
