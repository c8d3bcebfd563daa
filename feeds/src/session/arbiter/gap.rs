//! What is missing before the next message can go out, and what is done about it.

use model::Ts;

use super::{Arbiter, Arbitrated, Line};
use crate::session::mold::Request;

/// Whether something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapState {
    /// Nothing that is known of.
    None,
    /// The other line may still bring it.
    Waiting,
    /// It was asked for.
    Asked,
}

/// The gap before the first message that is held, or before what a heartbeat told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// The first sequence missing.
    at: u64,
    /// When to act, if nothing comes.
    deadline: Ts,
    /// When it must be closed for good, if it was asked for.
    give_up: Ts,
    asked: bool,
    attempts: u32,
}

impl Gap {
    pub(super) fn wake_at(&self) -> Ts {
        if self.asked { self.deadline.min(self.give_up) } else { self.deadline }
    }
}

impl Arbiter {
    /// Whether something is missing.
    pub fn gap(&self) -> GapState {
        match self.gap {
            None => GapState::None,
            Some(gap) if gap.asked => GapState::Asked,
            Some(_) => GapState::Waiting,
        }
    }

    /// The next request to send to the re-request server; every one is said once.
    pub fn next_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    /// Looks at what is missing now: waits for it, asks for it, or gives it up.
    pub(super) fn reassess<F: FnMut(Arbitrated<'_>)>(&mut self, line: Line, now: Ts, out: &mut F) {
        let Some((end, seen)) = self.gap_end() else {
            (self.gap, self.request) = (None, None);
            return;
        };
        let until = Ts(seen.0.saturating_add(self.options.gap_wait_ns));
        let mut gap = match self.gap {
            Some(gap) if gap.at == self.next => gap,
            // An answer to what was asked is under way, whatever the lines bring meanwhile.
            Some(gap) if gap.asked && line != Line::Answer && self.next < self.asked_end => {
                Gap { at: self.next, ..gap }
            }
            Some(gap) => Gap { at: self.next, deadline: until, asked: false, attempts: 0, ..gap },
            None => {
                self.counters.gaps += 1;
                let give_up = Ts(u64::MAX);
                Gap { at: self.next, deadline: until, give_up, asked: false, attempts: 0 }
            }
        };
        if now >= gap.give_up || (now >= gap.deadline && gap.attempts >= self.options.attempts_max)
        {
            self.give_up(now, out);
            return;
        }
        if now >= gap.deadline {
            let count = (end - self.next).min(self.options.request_messages_max.into()) as u16;
            self.request = Some(Request { session: self.session, first: self.next, count });
            self.asked_end = self.next + u64::from(count);
            self.counters.requests += 1;
            gap.asked = true;
            gap.attempts += 1;
            gap.deadline = Ts(now.0.saturating_add(self.options.request_timeout_ns));
            if gap.give_up == Ts(u64::MAX) {
                gap.give_up = Ts(now.0.saturating_add(self.options.recovery_ns_max));
            }
        }
        self.gap = Some(gap);
    }

    /// Where the first gap ends, and when it was seen; `None` if nothing is missing.
    fn gap_end(&self) -> Option<(u64, Ts)> {
        if let Some(slot) = self.held.front() {
            return Some((slot.first, slot.ts_recv));
        }
        let (known, when) = self.known_end;
        (known > self.next).then_some((known, when))
    }

    /// Gives up all that is missing, so that what is held goes out. A server that has not answered for one
    /// gap will not for the others, and each would cost as long.
    pub(super) fn give_up<F: FnMut(Arbitrated<'_>)>(&mut self, now: Ts, out: &mut F) {
        (self.gap, self.request) = (None, None);
        // Each round ends one gap: at most one before each slot, and one behind the last.
        while let Some((end, _)) = self.gap_end() {
            let (first, count) = (self.next, end - self.next);
            self.counters.lost = self.counters.lost.saturating_add(count);
            self.next = end;
            out(Arbitrated::Lost { first, count, now });
            self.drain(out);
        }
    }
}
