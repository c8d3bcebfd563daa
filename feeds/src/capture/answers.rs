//! What a capture's lines lost, where nobody can be asked for it any more.

use crate::session::arbiter::{Arbiter, ArbiterOptions, Line};
use crate::session::channel::Channel;

/// What waits for the answers to requests: packets and bytes. A full line carries so much in the second that the first gap may
/// take, and what does not fit is lost as if it had not been captured.
const HELD_PACKETS_MAX: usize = 1 << 16;
const HELD_BYTES_MAX: usize = 64 << 20;

/// Whether a capture has answers of a re-request server. Until something was waited for in vain, nobody knows; then what its
/// lines lost is given up at once, as whoever has no server does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    are_there: bool,
}

impl Answers {
    /// How the lines of a capture are put in order.
    pub fn options() -> ArbiterOptions {
        let (held_packets_max, held_bytes_max) = (HELD_PACKETS_MAX, HELD_BYTES_MAX);
        ArbiterOptions { held_packets_max, held_bytes_max, ..ArbiterOptions::default() }
    }

    /// Tells an arbiter that has given up `lost` messages so far how to go on, before a packet of `line`.
    pub fn expect(&mut self, line: Line, lost: u64, arbiter: &mut Arbiter) {
        arbiter.set_attempts_max(self.attempts_max(line, lost));
    }

    /// The same for a channel.
    pub(super) fn expect_of(&mut self, line: Line, channel: &mut Channel) {
        channel.set_attempts_max(self.attempts_max(line, channel.counters().lost));
    }

    fn attempts_max(&mut self, line: Line, lost: u64) -> u32 {
        self.are_there |= line == Line::Answer;
        let may_come = self.are_there || lost == 0;
        if may_come { ArbiterOptions::default().attempts_max } else { 0 }
    }
}
