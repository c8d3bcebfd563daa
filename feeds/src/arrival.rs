//! The moment between a message's bytes and its decoding, for whoever plays a capture as if it came in now.

use model::Ts;

/// Is told of each message of a capture when its bytes are there and nothing of them is decoded. `()` hears nothing, and the
/// reader does not pay for it.
pub trait Arrival {
    /// Whether anything is made of it.
    const HEARS: bool = true;

    /// What was received at `ts_recv` is decoded when this returns. Times may step back where a capture's do.
    fn arrives(&mut self, ts_recv: Ts);
}

impl Arrival for () {
    const HEARS: bool = false;

    #[inline(always)]
    fn arrives(&mut self, _: Ts) {}
}
