//! What happens by the clock alone, whatever input moves it on.

use model::{DAY_NS, FeedId, Ts};

use super::Engine;
use crate::output::Output;

impl Engine {
    /// Moves time on, never back. Mostly nothing is due by it, which one comparison says.
    #[inline]
    pub(super) fn advance(&mut self, now: Ts, out: &mut Output) {
        self.now = self.now.max(now);
        if self.now < self.quiet_until {
            debug_assert!(self.now < self.next_due(), "something waits for the clock, untold");
            return;
        }
        self.look_at_clock(out);
    }

    /// Something waits for the clock from now on.
    pub(super) fn await_clock(&mut self) {
        self.quiet_until = Ts(0);
    }

    /// When something may be due by the clock alone; now, where it is looked at by every input.
    fn next_due(&self) -> Ts {
        let is_silent = self.channels.iter().any(|channel| channel.silent);
        if self.outside.is_some() || self.held.has_ends() || is_silent {
            return self.now;
        }
        // A feed that was never heard is not silent before it was.
        let silences = self.channels.iter().map(|channel| {
            let heard = if channel.seq > 0 { channel.updated } else { self.now };
            Ts(heard.0.saturating_add(channel.silence_ns))
        });
        silences.fold(self.next_session.min(self.baskets.first_due()), Ts::min)
    }

    /// Does what is due, and notices silence.
    #[inline(never)]
    pub(super) fn look_at_clock(&mut self, out: &mut Output) {
        if self.now >= self.next_session {
            self.begin_session();
        }
        if self.outside.is_some() {
            self.look_at_deadlines(out);
        }
        if self.held.has_ends() {
            self.look_at_ends(out);
        }
        if self.baskets.has_due(self.now) {
            self.end_late_baskets(out);
        }
        for feed in 0..self.channels.len() {
            let Some(channel) = self.channels.get_mut(feed) else { break };
            let silent = channel.seq > 0 && self.now.since(channel.updated) > channel.silence_ns;
            if silent != channel.silent {
                channel.silent = silent;
                self.show_feed_integrity(FeedId(feed as u8), out);
            }
        }
        self.quiet_until = self.next_due();
    }

    /// What the day traded and lost is counted anew. The first input only says when that will be.
    #[cold]
    fn begin_session(&mut self) {
        if self.next_session > Ts(0) {
            self.risk.begin_session();
            if let Some(outside) = &mut self.outside {
                outside.executions.begin_session();
            }
            self.hash.fold(self.next_session.0);
        }
        let into = (self.now.time_of_day() + DAY_NS - self.rules.session_start_ns) % DAY_NS;
        self.next_session = Ts(self.now.0.saturating_add(DAY_NS - into));
    }
}
